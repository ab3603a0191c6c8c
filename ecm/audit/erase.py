"""Taking somebody's words out of the audit: names, reasons, addresses, browsers. What was done stays, by ref."""

from __future__ import annotations

from datetime import datetime

from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")

AT_ONCE = 1000
"""Entries that one entry says were erased."""

WHOSE = ("care worker ", "service user ")
"""Kinds after which others are named, "phone … of CW-104": their refs are found without the kind too."""


async def erase(
    connection: Connection,
    tenant_id: int,
    about: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    place: int | None = None,
    origin: str | None = None,
) -> list[int]:
    """Erases the words of every entry by or about `about` ("account 7", "service user SU-A"), or of the one `place`.

    In the caller's transaction, which writes down that it did. Returns the places erased.
    """
    person = next((about.removeprefix(kind) for kind in WHOSE if about.startswith(kind)), None)
    rows = await connection.fetch(sql.about, tenant_id, None if place else about, place, person)
    seqs = [row["seq"] for row in rows]
    erased: list[int] = []
    for first in range(0, len(seqs), AT_ONCE):
        erased += await connection.fetchval(
            sql.erase, seqs[first : first + AT_ONCE], by, about, reason, origin, now
        )
    return erased
