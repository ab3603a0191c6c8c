"""What is recorded in the name of a care worker who has left: taken in, because nothing stops a check-in, and marked.

It is asked where the event comes in and stored with it, as everything a door checks: folding the evidence again, in any
order, needs nobody's word on who had left when. Somebody who comes back does not change what was known then.

Not asked of what a system sends by its key, which names whomever it likes and proves nobody: see `ecm.visit.proof`.
"""

from __future__ import annotations

from datetime import datetime

from ecm.store.db import Database
from ecm.store.queries import load_queries
from ingest.devices import Device

sql = load_queries(__package__, "leavers.sql")


async def left_at(db: Database, tenant_id: int, worker: str | None) -> datetime | None:
    """`db`: role ecm_ingest. Raises DatabaseAway."""
    if worker is None:
        return None
    async with db.connection() as connection:
        found: datetime | None = await connection.fetchval(sql.left_at, tenant_id, worker)
    return found


async def of_phone(db: Database, device: Device, named: str | None) -> datetime | None:
    """When the one who holds the phone left: `named` by the event, or whose phone it is."""
    if named in (None, device.care_worker_ref):
        return device.left_at
    return await left_at(db, device.tenant_id, named)
