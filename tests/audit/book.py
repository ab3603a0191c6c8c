"""An audit for stories to be told of: what Dana, Nina and a phone did on a morning, as the database linked it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

from ecm.audit import verify
from ecm.audit.entry import Linked
from ecm.audit.erase import erase
from ecm.audit.writing import write_down
from ecm.store.db import Connection, Database, open_connection

NOW = datetime(2026, 11, 21, 9, 16, tzinfo=UTC)

DANA = "account 4 Dana Duty"
NINA = "account 7 Nina Ñew"

# who, action, subject, reason, origin, agent, facts
MORNING = [
    (DANA, "signed_in", DANA, None, "192.0.2.7", "Firefox", None),
    (DANA, "alert_acknowledged", "alert 57", None, "192.0.2.7", None, None),
    (NINA, "address_read", "service user SU-A", None, "192.0.2.8", None, {"people": ["SU-A"]}),
    ("command line", "account_created", NINA, "manager", None, None, None),
    ("phone 019aa3f2-7d1e-7000-8000-0000000000d1 of CW-A", "key_safe_told", "visit 1", None, "", None, None),
    (NINA, "tag_retired", "tag K7MP2XQR4TBN", "moved in with her sister, Mrs Baker", None, None, None),
    ("key 3 A system", "imported", "visits", "read 3, new 3", "192.0.2.9", None, {"new": 3}),
]


async def fill(db: Database, entries: int, *, tenant_id: int = 1, seed: int = 0) -> None:
    """That many entries of the morning, some in one transaction and some in many."""
    chance = Random(seed)
    written = 0
    while written < entries:
        async with db.tenant(tenant_id) as connection:
            for _ in range(min(chance.choice((1, 1, 2, 5)), entries - written)):
                who, action, subject, reason, origin, agent, facts = chance.choice(MORNING)
                at = NOW + timedelta(seconds=written, microseconds=chance.randrange(1_000_000))
                await write_down(
                    connection,
                    tenant_id,
                    who,
                    action,
                    subject,
                    at,
                    reason=reason,
                    origin=origin,
                    agent=agent,
                    facts=facts,
                )
                written += 1


async def erase_about(db: Database, about: str, *, place: int | None = None, tenant_id: int = 1) -> list[int]:
    async with db.tenant(tenant_id) as connection:
        return await erase(
            connection, tenant_id, about, by="account 10 Ada", reason="she asked", now=NOW, place=place
        )


async def rows_of(connection: Connection, tenant_id: int = 1) -> list[Linked]:
    return [verify.linked(row) for row in await connection.fetch(verify.sql.linked, tenant_id, 0, 1_000_000)]


@asynccontextmanager
async def as_owner(dsn: str) -> AsyncIterator[Connection]:
    """Who may do anything at all to the tables, and is found out by the chain alone."""
    connection = await open_connection(dsn, None)
    try:
        yield connection
    finally:
        await connection.close()
