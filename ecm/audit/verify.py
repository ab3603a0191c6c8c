"""The chain as the database has it, read from its beginning and worked out again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from ecm.audit.chain import Verdict, Verification
from ecm.audit.entry import Entry, Head, Linked, Words
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")

ROWS_AT_ONCE = 1000
"""Hashed in a thread: whatever else the process does must not wait for it."""


async def verify(
    connection: Connection, tenant_id: int, outside: Mapping[int, bytes] | None = None
) -> Verdict:
    """Whether a tenant's chain is whole, or its first bad row. `outside`: heads told elsewhere, hash by place.

    Reads all of one moment where the caller began one (`sql.one_moment`).
    """
    reading = Verification(tenant_id, outside)
    after = 0
    while not reading.decided:
        rows = await connection.fetch(sql.linked, tenant_id, after, ROWS_AT_ONCE)
        if not rows:
            break
        await asyncio.to_thread(_take, reading, rows)
        after = rows[-1]["seq"]
    unlinked = None if reading.decided else await connection.fetchval(sql.unlinked, tenant_id)
    return reading.verdict(await head_of(connection, tenant_id), unlinked)


def _take(reading: Verification, rows: Sequence[Record]) -> None:
    reading.take(map(linked, rows))


async def head_of(connection: Connection, tenant_id: int) -> Head | None:
    row = await connection.fetchrow(sql.head, tenant_id)
    return None if row is None else Head(row["seq"], row["hash"])


def linked(row: Record) -> Linked:
    """One row of `sql.linked`."""
    if row["entry_id"] is None:
        return Linked(row["seq"], row["audit_id"], row["hash"], None)
    entry = Entry(
        row["entry_id"],
        row["at"],
        row["actor_ref"],
        row["action"],
        row["subject_ref"],
        row["facts"],
        row["commitment"],
        row["salt"],
        Words(row["actor"], row["subject"], row["reason"], row["origin"], row["agent"]),
    )
    return Linked(row["seq"], row["audit_id"], row["hash"], entry)
