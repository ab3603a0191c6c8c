"""The cast of the door's stories: Example Borough (tenant 1) with a sending system, and its neighbour Otherham.

Gateway   sends Example Borough's check events
Reader    holds a key of Example Borough that may only read
Stranger  sends Otherham's (tenant 2)
Leaver    held a key until it was revoked
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from ecm.clock import ManualClock
from ecm.keys import mint
from ecm.sealing import Sealer
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.door import CheckEventsDoor

NOW = datetime(2026, 3, 2, 9, 2, 12, 418_203, tzinfo=UTC)
SEALER = Sealer.of(bytes(32))
URL = "http://door/v1/check-events"


@dataclass(frozen=True)
class Cast:
    gateway: str
    reader: str
    stranger: str
    leaver: str


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def event(**said: Any) -> dict[str, Any]:
    """A check-in as a phone sends it; None takes a field away."""
    fields = {
        "id": str(uuid4()),
        "kind": "check_in",
        "occurred_at": "2026-03-02T09:02:11Z",
        "method": "app",
        "care_worker": "CW-104",
        "service_user": "SU-2231",
        "fix": {"lat": 53.80035, "lon": -1.54922, "accuracy_m": 12.0},
    }
    return {name: value for name, value in (fields | said).items() if value is not None}


class Door:
    """The door under test, its clock, and the database behind it as its owner sees it."""

    def __init__(self, addresses: Addresses, cast: Cast, app: CheckEventsDoor, clock: ManualClock) -> None:
        self.addresses, self.cast, self.app, self.clock = addresses, cast, app, clock
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), timeout=30)

    async def post(self, body: Any, key: str | None = "gateway", **headers: str) -> httpx.Response:
        """`body`: bytes as they are, anything else as JSON. `key`: whose, of the cast; None for none."""
        if key:
            headers = bearer(getattr(self.cast, key)) | headers
        if isinstance(body, bytes):
            return await self.http.post(URL, content=body, headers=headers)
        return await self.http.post(URL, json=body, headers=headers)

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.addresses.owner)
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def as_owner(self, statement: str) -> None:
        connection = await asyncpg.connect(self.addresses.owner)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def stored(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM check_events ORDER BY received_at, event_id")

    async def kept_aside(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM quarantine ORDER BY quarantine_id")

    async def to_do(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT tenant_id, event_id FROM processing_queue ORDER BY todo_id")


@asynccontextmanager
async def opened(addresses: Addresses, **settings: Any) -> AsyncIterator[Door]:
    cast = await make_cast(addresses.owner)
    clock = ManualClock(NOW)
    db = await Database.connect(addresses.app, "ecm_ingest")
    app = CheckEventsDoor(db, clock, SEALER, **settings)
    await app.start()
    door = Door(addresses, cast, app, clock)
    try:
        yield door
    finally:
        await door.http.aclose()
        await app.stop()
        await db.close()


@pytest.fixture
async def door(database: Addresses) -> AsyncIterator[Door]:
    async with opened(database) as door:
        yield door


async def make_cast(owner: str) -> Cast:
    keys: dict[str, str] = {}
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Otherham')")
        for name, tenant_id, scopes in (
            ("gateway", 1, ["ingest"]),
            ("reader", 1, ["read"]),
            ("stranger", 2, ["ingest"]),
            ("leaver", 1, ["ingest"]),
        ):
            keys[name], digest = mint()
            await connection.execute(
                "INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at, revoked_at)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                tenant_id,
                name,
                scopes,
                digest,
                NOW,
                NOW if name == "leaver" else None,
            )
    finally:
        await connection.close()
    return Cast(**keys)
