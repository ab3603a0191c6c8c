"""Once a day the head of each tenant's chain is told to somebody outside: a file, an address, or both.

Who owns the database can write a chain anew that is whole by itself; not one that has yesterday's head in it. So the
file should be where the database's owner cannot write, or the address somebody else's.

Each head is told at the hour's first try of the day and again every hour until it was taken. What was told is a row,
written in the transaction that tells it: two workers tell it once, and one that dies in between tells it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from ecm.audit.entry import Head
from ecm.audit.heads import line_of
from ecm.clock import Clock
from ecm.notices import Kind, notice_by_worker
from ecm.outgoing import NotReached, Outgoing
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")
log = logging.getLogger(__name__)

DAY_BEGINS = timedelta(hours=2, minutes=30)
"""UTC; the first try of a day."""

LATE = timedelta(hours=36)

Tell = Callable[[str], Awaitable[None]]


class HeadNotTold(Exception):
    """Somebody outside did not take it; its text says why."""


class Heads:
    """Tells heads for a worker. `db` is under the role ecm_worker, `process` the worker's name in its heartbeats."""

    def __init__(self, db: Database, clock: Clock, settings: Settings, process: str) -> None:
        self._db = db
        self._clock = clock
        self._key = settings.audit_key
        self._process = process
        self._places = _places(settings)

    async def tell(self, now: datetime) -> int:
        """Tells what was not told today yet; `now` is real time. Returns how many heads it told.

        One that is not taken costs the others nothing, and is told at the next try.
        """
        told, failed = 0, False
        day = (now - DAY_BEGINS).date()
        for place, tell in self._places.items():
            async with self._db.transaction() as connection:
                tenants = await connection.fetch(sql.heads, day, place)
            for row in tenants:
                try:
                    told += await self._tell(place, tell, row["tenant_id"], day, now)
                except HeadNotTold as error:
                    failed = True
                    log.error("the audit's head was not told to the %s: %s", place, error)
                    await self._notice(place, row["tenant_id"], now)
        if self._places and not failed:
            async with self._db.transaction() as connection:
                await connection.execute(sql.all_told, self._process, now)
        return told

    async def _tell(self, place: str, tell: Tell, tenant_id: int, day: date, now: datetime) -> bool:
        async with self._db.transaction() as connection:
            row = await connection.fetchrow(sql.head, tenant_id)
            assert row is not None
            head = Head(row["seq"], row["hash"])
            if await connection.fetchval(sql.told, tenant_id, day, place, head.seq, head.hash, now) is None:
                return False  # another worker did
            await tell(line_of(tenant_id, head, now, self._key))
        return True

    async def _notice(self, place: str, tenant_id: int, now: datetime) -> None:
        async with self._db.transaction() as connection:
            service_now = self._clock.now()
            untold = await connection.fetchval(sql.untold, tenant_id, place, now, service_now)
            if untold is not None and untold > LATE:
                await notice_by_worker(
                    connection, tenant_id, Kind.AUDIT_HEAD_NOT_EXPORTED, "the audit's head", service_now
                )


@dataclass(frozen=True, slots=True)
class HowItIs:
    ok: bool
    says: str


def how_it_is(settings: Settings, age_s: float | None, broken: int | None) -> HowItIs:
    """What the health page says. None for what never was.

    `age_s`: real seconds since every head was told everywhere; `broken`: how many chains the last night found broken.
    """
    if broken:
        return HowItIs(False, f"{broken} found broken: run ecm audit verify")
    if age_s is None:
        if settings.audit_heads_file or settings.audit_heads_url:
            return HowItIs(False, "its heads were never told outside")
        return HowItIs(True, "its heads are told to nobody")
    told = f"its heads were told outside {age_s / 3600:.0f} h ago"
    if age_s > LATE.total_seconds():
        return HowItIs(False, f"{told}: see the worker's log")
    return HowItIs(True, told)


def _places(settings: Settings) -> dict[str, Tell]:
    places: dict[str, Tell] = {}
    if settings.audit_heads_file is not None:
        file = settings.audit_heads_file

        async def to_file(line: str) -> None:
            try:
                await asyncio.to_thread(_append, file, line)
            except OSError as error:
                raise HeadNotTold(f"it cannot be written: {error.strerror}") from error

        places["file"] = to_file
    if settings.audit_heads_url is not None:
        places["url"] = _to_address(settings.audit_heads_url, settings.webhook_private)
    return places


def _to_address(url: str, private: bool) -> Tell:
    outgoing = Outgoing()

    async def tell(line: str) -> None:
        try:
            answer = await outgoing.request(
                "POST", url, body=line.encode(), headers={"Content-Type": "application/json"}, private=private
            )
        except NotReached as error:
            raise HeadNotTold(f"it {error}") from error
        if not 200 <= answer.status < 300:
            raise HeadNotTold(f"it answered {answer.status}")

    return tell


def _append(file: Path, line: str) -> None:
    """Whole and on the disk, or not at all said to be."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(handle, f"{line}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
