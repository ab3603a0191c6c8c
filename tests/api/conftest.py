"""The cast and their borough: one database for each story, with two authorities in it.

Example Borough (tenant 1) buys care from P1 and P2. Ms Adams is cared for by P1's Alice, Mr Baker by P2's
Bob. Other Shire (tenant 2) has a provider P1 of its own, where Zoe cares for Mrs Zander.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from ecm.api.accounts import create_key
from ecm.app import create_app
from ecm.clock import ManualClock
from ecm.doors import SESSION_COOKIE, digest
from ecm.passwords import _hasher
from ecm.settings import Settings
from ecm.store.db import Database, Record
from ecm.store.embedded import Addresses
from tests.frameworks import a_framework

NOW = datetime(2026, 11, 21, 9, 16, tzinfo=UTC)
PASSWORD = "correct-horse-made-up"
ORIGIN = "http://ecm.test"

# email, name, role, provider
CAST = [
    ("cara@p1.example.org", "Cara Care", "care_worker", "P1"),
    ("cory@p1.example.org", "Cory Coordinator", "coordinator", "P1"),
    ("cleo@p2.example.org", "Cleo Coordinator", "coordinator", "P2"),
    ("max@p1.example.org", "Max Manager", "manager", "P1"),
    ("dana@example.org", "Dana Duty", "duty_officer", None),
    ("eve@example.org", "Eve Evening", "duty_officer", None),
    ("fay@example.org", "Fay Finance", "finance", None),
    ("fred@example.org", "Fred Approver", "finance_approver", None),
    ("quin@example.org", "Quin Quality", "quality", None),
    ("ada@example.org", "Ada Administrator", "administrator", None),
    ("otto@example.org", "Otto Auditor", "auditor", None),
]
STRANGER = ("zed@other.example.org", "Zed Duty", "duty_officer", None)

ADAMS_VISIT, BAKER_VISIT, ZANDER_VISIT = 1, 2, 3
ADAMS_ALERT, BAKER_ALERT, ZANDER_ALERT = 1, 2, 3
ADAMS_CHECK_IN = UUID("019aa3f2-7d1e-7000-8000-000000000001")
BAKER_CHECK_IN = UUID("019aa3f2-7d1e-7000-8000-000000000002")
ALICE_SOMEWHERE = UUID("019aa3f2-7d1e-7000-8000-000000000003")
NOBODY_SOMEWHERE = UUID("019aa3f2-7d1e-7000-8000-000000000004")
ZANDER_CHECK_IN = UUID("019aa3f2-7d1e-7000-8000-000000000005")

BOROUGH = """
INSERT INTO tenants (tenant_id, name) VALUES (2, 'Other Shire');
INSERT INTO board_heads (tenant_id) VALUES (2);
INSERT INTO providers (tenant_id, ref, name) VALUES
  (1, 'P1', 'Amber Home Care'), (1, 'P2', 'Birch Home Care'), (2, 'P1', 'Zinnia Home Care');
INSERT INTO service_users (tenant_id, ref, name, address, postcode, area) VALUES
  (1, 'SU-A', 'Ms Adams', '1 Madeup Lane', 'ZZ1 1AA', 'North'),
  (1, 'SU-B', 'Mr Baker', '2 Madeup Lane', 'ZZ1 2BB', 'South'),
  (2, 'SU-A', 'Mrs Zander', '3 Elsewhere Row', 'ZZ9 9ZZ', 'West');
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES
  (1, 'CW-A', 'Alice', 'P1'), (1, 'CW-B', 'Bob', 'P2'), (2, 'CW-A', 'Zoe', 'P1');
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,
  planned_end, window_start, commissioned_minutes, care_worker_refs, state, state_reason)
OVERRIDING SYSTEM VALUE VALUES
  (1, 1, 'V-A', 'SU-A', 'P1', '2026-11-21', 'Europe/London', '2026-11-21T09:00Z', '2026-11-21T09:30Z',
   '2026-11-21T09:00Z', 30, '{CW-A}', 'in_progress', 'check-in received 09:02'),
  (1, 2, 'V-B', 'SU-B', 'P2', '2026-11-21', 'Europe/London', '2026-11-21T09:00Z', '2026-11-21T09:30Z',
   '2026-11-21T09:00Z', 30, '{CW-B}', 'late', 'no check-in received by 09:15'),
  (2, 3, 'V-A', 'SU-A', 'P1', '2026-11-21', 'Europe/London', '2026-11-21T09:00Z', '2026-11-21T09:30Z',
   '2026-11-21T09:00Z', 30, '{CW-A}', 'late', 'no check-in received by 09:15');
INSERT INTO alerts (tenant_id, alert_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason)
OVERRIDING SYSTEM VALUE VALUES
  (1, 1, 1, 'P1', 'late', '2026-11-21T09:15Z', 'warning', '2026-11-21T09:15Z', 'no check-in received by 09:15'),
  (1, 2, 2, 'P2', 'late', '2026-11-21T09:15Z', 'warning', '2026-11-21T09:15Z', 'no check-in received by 09:15'),
  (2, 3, 3, 'P1', 'late', '2026-11-21T09:15Z', 'warning', '2026-11-21T09:15Z', 'no check-in received by 09:15');
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user,
  visit, lat, lon, accuracy_m, cli, body_sha256, body) VALUES
  (1, '019aa3f2-7d1e-7000-8000-000000000001', '2026-11-21T09:02:04Z', 'check_in', '2026-11-21T09:02Z', 'app',
   'CW-A', 'SU-A', 'V-A', 53.812345, -1.543210, 12, NULL, '\\x01', '{}'),
  (1, '019aa3f2-7d1e-7000-8000-000000000002', '2026-11-21T09:03:04Z', 'check_in', '2026-11-21T09:03Z', 'landline',
   'CW-B', 'SU-B', NULL, NULL, NULL, NULL, '+441134960123', '\\x02', '{}'),
  (1, '019aa3f2-7d1e-7000-8000-000000000003', '2026-11-21T09:04:04Z', 'check_in', '2026-11-21T09:04Z', 'app',
   'CW-A', NULL, NULL, NULL, NULL, NULL, NULL, '\\x03', '{}'),
  (1, '019aa3f2-7d1e-7000-8000-000000000004', '2026-11-20T23:59:59Z', 'check_in', '2026-11-20T23:59:59Z', 'app',
   'CW-?', NULL, NULL, NULL, NULL, NULL, NULL, '\\x04', '{}'),
  (2, '019aa3f2-7d1e-7000-8000-000000000005', '2026-11-21T09:02:04Z', 'check_in', '2026-11-21T09:02Z', 'app',
   'CW-A', 'SU-A', NULL, NULL, NULL, NULL, NULL, '\\x05', '{}');
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status,
  reason, explicit, decided_at) VALUES
  (1, '019aa3f2-7d1e-7000-8000-000000000001', '2026-11-21T09:02Z', 'SU-A', 'CW-A', 1, 'matched', 'named its visit',
   true, '2026-11-21T09:02:05Z'),
  (1, '019aa3f2-7d1e-7000-8000-000000000002', '2026-11-21T09:03Z', 'SU-B', 'CW-B', 2, 'matched', 'nearest visit',
   false, '2026-11-21T09:03:05Z'),
  (1, '019aa3f2-7d1e-7000-8000-000000000003', '2026-11-21T09:04Z', NULL, 'CW-A', NULL, 'unmatched', 'no person known',
   false, '2026-11-21T09:04:05Z'),
  (1, '019aa3f2-7d1e-7000-8000-000000000004', '2026-11-20T23:59:59Z', NULL, NULL, NULL, 'unmatched',
   'care worker unknown', false, '2026-11-21T00:00:00Z'),
  (2, '019aa3f2-7d1e-7000-8000-000000000005', '2026-11-21T09:02Z', 'SU-A', 'CW-A', NULL, 'unmatched',
   'no visit near', false, '2026-11-21T09:02:05Z');
INSERT INTO quarantine (tenant_id, received_at, door, reason, body) VALUES
  (1, '2026-11-21T09:05Z', 'check-events', 'not JSON', '\\x7bff'),
  (2, '2026-11-21T09:05Z', 'check-events', 'not JSON', '\\x7b');
"""


@cache
def password_hash() -> str:
    return _hasher.hash(PASSWORD)


@dataclass
class Story:
    """The service of one test, and ways to come to its doors."""

    app: FastAPI
    web: Database
    owner: Database
    clock: ManualClock

    def at_the_door(self, **headers: str) -> httpx.AsyncClient:
        """A browser with our page open, not signed in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        given = {"Origin": ORIGIN} | headers
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=given)

    async def signed_in(self, who: str) -> httpx.AsyncClient:
        """The person whose e-mail begins like that, with a session straight from the database."""
        account = await self.one("SELECT * FROM accounts WHERE email LIKE $1 || '@%'", who)
        token = f"session of {who}"
        now = datetime.now(UTC)
        await self.run(
            "INSERT INTO sessions VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING",
            account["tenant_id"],
            digest(token),
            account["account_id"],
            now,
            now + timedelta(hours=12),
        )
        client = self.at_the_door()
        client.cookies.set(SESSION_COOKIE, token)
        return client

    async def with_key(self, *scopes: str, tenant_id: int = 1) -> httpx.AsyncClient:
        key = await create_key(self.owner, tenant_id, "A system", list(scopes), NOW)
        return self.at_the_door(Authorization=f"Bearer {key}")

    async def run(self, statement: str, *values: Any) -> None:
        async with self.owner.connection() as connection:
            await connection.execute(statement, *values)

    async def one(self, query: str, *values: Any) -> Record:
        async with self.owner.connection() as connection:
            row = await connection.fetchrow(query, *values)
        assert row is not None
        return row

    async def all(self, query: str, *values: Any) -> list[Record]:
        async with self.owner.connection() as connection:
            return list(await connection.fetch(query, *values))


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        yield told


@asynccontextmanager
async def story_in(database: Addresses) -> AsyncIterator[Story]:
    web = await Database.connect(database.app, role="ecm_web", size=4)
    owner = await Database.connect(database.owner, role=None, size=2)
    clock = ManualClock(NOW)
    ingest = await Database.connect(database.app, role="ecm_ingest", size=1)
    try:
        with a_framework() as fastapi:
            create_app(web_db=web, ingest_db=ingest, clock=clock, settings=Settings(), fastapi=fastapi)
            told = Story(fastapi, web, owner, clock)
            await told.run(BOROUGH)
            people = [(1, *person) for person in CAST] + [(2, *STRANGER)]
            async with owner.connection() as connection:
                await connection.executemany(
                    "INSERT INTO accounts (tenant_id, email, name, role, provider_ref, password_hash)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    [(*person, password_hash()) for person in people],
                )
            yield told
    finally:
        for db in (web, ingest, owner):
            await db.close()
