"""A small borough whose visits are already assessed: what the payment run starts from."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from ecm.store.db import Database
from ecm.store.embedded import Addresses

MONDAY = date(2026, 11, 16)
WEEK = "2026-W47"
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
RULES = {
    "payment": {
        "basis": "actual",
        "rounding": {"mode": "up", "increment_minutes": 15, "of": "total"},
        "cap": "planned",
        "rate_pence_per_hour": 1920,
        "clauses": {"rounding": "6.1", "cap": "6.4"},
    }
}


@asynccontextmanager
async def a_borough(database: Addresses) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Two providers, one person paid by the council and one by the NHS; a connection as the owner."""
    owner = await asyncpg.connect(database.owner)
    try:
        for kind in ("json", "jsonb"):
            await owner.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        await owner.execute("""
            INSERT INTO providers (tenant_id, ref, name) VALUES (1, 'P-01', 'Willow Care'), (1, 'P-02', 'Beacon');
            INSERT INTO service_users (tenant_id, ref, name, funder)
              VALUES (1, 'SU-DAVIES', 'Owen Davies', 'council'), (1, 'SU-KHAN', '=cmd|x', 'nhs')
        """)
        for provider in ("P-01", "P-02"):
            await add_contract(owner, provider, RULES)
        yield owner
    finally:
        await owner.close()


@asynccontextmanager
async def worker(database: Addresses) -> AsyncIterator[Database]:
    db = await Database.connect(database.owner, "ecm_worker", size=3)
    try:
        yield db
    finally:
        await db.close()


async def add_contract(owner: Any, provider: str, rules: dict[str, Any], **changes: Any) -> int:
    row = {"service": "*", "valid_from": date(2026, 1, 1), "valid_to": None} | changes
    number: int = await owner.fetchval(
        "INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, valid_to, rules, added_at)"
        " VALUES (1, 'C-1', $1, $2, $3, $4, $5, $6) RETURNING contract_id",
        provider,
        row["service"],
        row["valid_from"],
        row["valid_to"],
        rules,
        NOW,
    )
    return number


async def add_visit(
    owner: Any,
    ref: str,
    stay: str | None,
    *,
    state: str = "completed",
    on: date = MONDAY,
    person: str = "SU-DAVIES",
    provider: str = "P-01",
    findings: tuple[str, ...] = (),
) -> int:
    """Planned from 09:00 to 09:30; `stay` as "09:02 09:31"."""
    nine = datetime(on.year, on.month, on.day, 9, tzinfo=UTC)
    attendances = []
    if stay:
        start, end = (f"{on}T{clock}:00Z" for clock in stay.split())
        attendances = [
            {"care_worker": "CW-ALICE", "check_in_at": start, "check_out_at": end, "check_in_event": None,
             "check_out_event": None, "amended": False}
        ]  # fmt: skip
    found = [{"code": code, "measure": None, "limit": None, "unit": ""} for code in findings]
    number: int = await owner.fetchval(
        "INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,"
        " planned_end, window_start, commissioned_minutes, care_worker_refs, state, version, attendances, findings,"
        " actual_start, actual_end)"
        " VALUES (1, $1, $2, $3, $4, 'Europe/London', $5, $6, $5, 30, '{CW-ALICE}', $7, 1, $8, $9, $10, $11)"
        " RETURNING visit_id",
        ref,
        person,
        provider,
        on,
        nine,
        nine + timedelta(minutes=30),
        state,
        attendances,
        found,
        datetime.fromisoformat(attendances[0]["check_in_at"]) if attendances else None,
        datetime.fromisoformat(attendances[0]["check_out_at"]) if attendances else None,
    )
    return number


async def lines(owner: Any, period: str = WEEK) -> dict[str, Any]:
    """The period's lines by visit reference."""
    found = await owner.fetch(
        "SELECT v.ref, l.* FROM actual_lines l JOIN visits v USING (tenant_id, visit_id) WHERE l.period = $1",
        period,
    )
    return {row["ref"]: row for row in found}
