"""Who holds a phone: whose it is, or whose PIN opened a shared one. Whoever has left is shown nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Header

from ecm.doors import Services
from ecm.errors import Left, NotPermitted
from ecm.phone_doors import Phone
from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.unlocking import Unlocking

sql = load_queries(__package__, "holder.sql")

Unlock = Annotated[
    str | None,
    Header(alias="ECM-Unlock", max_length=1000, description="What a shared phone was given for the PIN."),
]


def holder(door: Services, who: Phone, unlock: str | None) -> str:
    """Raises NotPermitted for a shared phone that no PIN has opened. Whether they have left is not asked here."""
    worker = who.care_worker or Unlocking(door.sealer).worker(unlock, who.device_id, door.clock.now())
    if worker is None:
        raise NotPermitted("This phone is shared: open it with your PIN.")
    return worker


async def left_at(connection: Connection, worker: str | None) -> datetime | None:
    """None for who has not left. Whoever employs them now: a phone may still be their former provider's."""
    found: datetime | None = await connection.fetchval(sql.left_at, worker)
    return found


async def require_not_left(connection: Connection, worker: str) -> None:
    """Raises Left."""
    if await left_at(connection, worker) is not None:
        raise Left
