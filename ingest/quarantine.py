"""What could not become an event is kept aside for somebody to read.

Each body is kept up to 64 KiB. Each key may leave 16 MiB at once and 1 KiB a second after that (some 84 MiB a
day), counting no body under 1 KiB: enough for a broken integration to be understood, too little for garbage to
fill the disk. What comes over that is counted and turned away, and the answer says that it was not kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ecm.store.db import Database
from ecm.store.queries import load_queries
from ingest import metrics
from ingest.keys import KeyHolder
from ingest.limits import Rates

log = logging.getLogger(__name__)
sql = load_queries(__package__, "quarantine.sql")

DOOR = "check-events"
KEPT_BYTES_MAX = 64 * 1024
COUNTED_BYTES_MIN = 1024
REASON_LENGTH_MAX = 1_000
BYTES_AT_ONCE = 16.0 * 1024 * 1024
BYTES_PER_S = 1024.0


@dataclass(frozen=True, slots=True)
class Misfit:
    reason: str
    body: bytes
    event_id: UUID | None = None


class Quarantine:
    def __init__(
        self,
        db: Database,
        *,
        bytes_at_once: float = BYTES_AT_ONCE,
        bytes_per_s: float = BYTES_PER_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._room = Rates(bytes_per_s, bytes_at_once, monotonic=monotonic)

    async def keep(self, holder: KeyHolder, misfits: list[Misfit], received_at: datetime) -> list[bool]:
        """Whether each was kept. Raises DatabaseAway, StorageFull: then the sender must keep them."""
        sender = holder.sender
        kept = [self._room.take(sender, _size(misfit)) == 0 for misfit in misfits]
        keeping = [misfit for misfit, is_kept in zip(misfits, kept, strict=True) if is_kept]
        if keeping:
            async with self._db.connection() as connection:
                await connection.execute(
                    sql.keep_aside,
                    holder.tenant_id,
                    received_at,
                    DOOR,
                    holder.key_id,
                    [_storable(misfit.reason) for misfit in keeping],
                    [misfit.event_id for misfit in keeping],
                    [misfit.body[:KEPT_BYTES_MAX] for misfit in keeping],
                )
            metrics.quarantined.labels("yes").inc(len(keeping))
        if len(keeping) < len(misfits):
            metrics.quarantined.labels("no").inc(len(misfits) - len(keeping))
            log.warning("sender %s has left more than quarantine takes; bodies were not kept", holder.sender)
        return kept


def _size(misfit: Misfit) -> int:
    return max(COUNTED_BYTES_MIN, min(len(misfit.body), KEPT_BYTES_MAX))


def _storable(reason: str) -> str:
    return reason.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:REASON_LENGTH_MAX]
