"""What the database itself refuses, whatever the code above it believes."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from ecm.store.db import open_connection
from ingest import batch, keys, quarantine
from tests.ingest.conftest import NOW, Door, event

TABLES = ("check_events", "quarantine")


@pytest.mark.parametrize("queries", [batch.sql, keys.sql, quarantine.sql])
async def test_every_query_is_valid_under_its_role(door: Door, queries: Any) -> None:
    for name, role in queries.roles.items():
        connection = await open_connection(door.addresses.app, role)
        await connection.prepare(getattr(queries, name))
        await connection.close()


@pytest.mark.parametrize("role", ["ecm_ingest", "ecm_web", "ecm_worker"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET body = body", "DELETE FROM {}", "TRUNCATE {}"])
async def test_evidence_is_only_ever_added_to(door: Door, role: str, statement: str) -> None:
    await door.post(event())
    connection = await open_connection(door.addresses.app, role)

    for table in TABLES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.format(table))

    await connection.close()


async def test_a_batch_sees_and_writes_its_own_tenants_only(door: Door) -> None:
    ours, theirs = event(), event()
    await door.post(ours)
    await door.post(theirs, "stranger")
    connection = await open_connection(door.addresses.app, "ecm_ingest")

    assert await connection.fetch("SELECT FROM check_events") == []
    async with connection.transaction():
        await connection.execute(batch.sql.set_tenants, "{1}")
        seen = await connection.fetch("SELECT event_id FROM check_events")
    assert [str(row["event_id"]) for row in seen] == [ours["id"]]

    row = foreign_row(tenant_id=2)
    for tenants in ("{1}", "{}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(batch.sql.store_events, tenants, [row])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(
            "INSERT INTO quarantine (tenant_id, received_at, door, reason, body) VALUES (1, now(), '', '', '')"
        )
    for table in ("visits", "service_users", "care_workers", "accounts", "quarantine", "processing_queue"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT FROM {table}")
    await connection.close()
    assert len(await door.stored()) == 2


def foreign_row(tenant_id: int) -> batch.Row:
    return batch.Row(
        tenant_id, "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11", NOW, "check_in", NOW, "app", *[None] * 11, None, b"x", "{}"
    )  # type: ignore[arg-type]  # fmt: skip
