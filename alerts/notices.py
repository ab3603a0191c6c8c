"""Notices leave the house: once each, to whoever hears of security, by the channels that alarms go by.

Told when at least one address took it; else it is tried again at the next step. A message may come twice, when a
worker dies between sending and recording; never is not allowed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from alerts.channels import CHANNELS
from alerts.channels.message import Channel, NotDelivered
from ecm.clock import Clock
from ecm.notices import in_words, what_to_do
from ecm.settings import Settings
from ecm.store.db import Database, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "notices.sql")
log = logging.getLogger(__name__)

SENDING_SECONDS = 10


@dataclass(frozen=True, slots=True)
class NoticeLetter:
    """`first_hh_mm` is local, with its date."""

    id: str
    address: str
    kind: str
    about: str
    times: int
    first_at: datetime
    first_hh_mm: str
    link: str | None

    @property
    def subject(self) -> str:
        return f"Security: {in_words(self.kind, self.about)}"

    @property
    def text(self) -> str:
        often = f"Since {self.first_hh_mm}" + (f", {self.times} times." if self.times > 1 else ".")
        lines = [in_words(self.kind, self.about), often, what_to_do(self.kind), self.link or ""]
        return "\n".join(line for line in lines if line) + "\n"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "about": "notice",
            "kind": self.kind,
            "subject": self.about,
            "times": self.times,
            "first_at": self.first_at.isoformat().replace("+00:00", "Z"),
            "link": self.link,
        }


class NoticeSender:
    def __init__(
        self, db: Database, clock: Clock, settings: Settings, channels: Mapping[str, Channel] | None = None
    ) -> None:
        self._db = db
        self._clock = clock
        self._public_url = settings.public_url
        made = {name: channel(settings) for name, channel in CHANNELS.items()}
        self._channels: Mapping[str, Channel] = channels if channels is not None else made

    async def step(self) -> bool:
        """Tells what nobody was told yet. True if any was told. Raises DatabaseAway."""
        async with self._db.transaction() as connection:
            rows = await connection.fetch(sql.to_tell)
        told = [
            notice
            for notice, addressed in groupby(rows, key=lambda row: (row["tenant_id"], row["notice_id"]))
            if await self._tell(list(addressed))
        ]
        async with self._db.transaction() as connection:
            for tenant_id, notice_id in told:
                await connection.execute(sql.told, tenant_id, notice_id, self._clock.now())
        return bool(told)

    async def _tell(self, addressed: Sequence[Record]) -> bool:
        return any(await asyncio.gather(*map(self._send, addressed)))

    async def _send(self, row: Record) -> bool:
        channel = self._channels.get(row["channel"])
        if channel is None:
            return False
        try:
            async with asyncio.timeout(SENDING_SECONDS):
                await channel.send(letter_of(row, self._public_url))
        except (NotDelivered, TimeoutError) as error:
            log.warning(
                "notice %s of tenant %s was not taken: %s",
                row["notice_id"],
                row["tenant_id"],
                type(error).__name__,
            )
            return False
        return True


def letter_of(row: Mapping[str, Any] | Record, public_url: str | None) -> NoticeLetter:
    local = row["first_at"].astimezone(ZoneInfo(str(row["zone"])))
    return NoticeLetter(
        id=f"notice.{row['tenant_id']}.{row['notice_id']}",
        address=str(row["address"]),
        kind=str(row["kind"]),
        about=str(row["subject"]),
        times=int(row["times"]),
        first_at=row["first_at"],
        first_hh_mm=f"{local:%d %B %H:%M}",
        link=f"{public_url.rstrip('/')}/settings" if public_url else None,
    )
