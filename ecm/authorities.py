"""What several doors ask of an authority: its name and words, its providers, whether it has a sign-in of its own."""

from __future__ import annotations

from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "authorities.sql")


async def authority(connection: Connection, tenant_id: int) -> Record | None:
    """Its name, zone and labels."""
    row: Record | None = await connection.fetchrow(sql.authority, tenant_id)
    return row


async def has_provider(connection: Connection, tenant_id: int, ref: str) -> bool:
    """Whether there is such a provider, for whoever this transaction is for to see."""
    found: bool = await connection.fetchval(sql.has_provider, tenant_id, ref)
    return found


async def of_council(connection: Connection, named: str) -> int | None:
    """The authority at whose council one may sign in: the one `named` by number, else the only one there is.

    Asked before anybody is known. An installation of several does not tell strangers whose they are.
    """
    known = [row["tenant_id"] for row in await connection.fetch(sql.councils)]
    if named:
        return next((one for one in known if str(one) == named), None)
    return known[0] if len(known) == 1 else None
