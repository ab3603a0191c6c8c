"""A street of homes with a telephone each, where a care worker each is due about now; and a door that interviews them.

House 7: SU-7, telephone 01632 960007, worker CW-7, PIN 4007. One line: 0113 496 0100; CW-0's own: 0113 496 0101.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from ecm.clock import ManualClock
from ecm.importing import run_import
from ecm.lock import system
from ecm.sealing import Sealer
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.door import CheckEventsDoor
from ingest.telephone.conductor import Conductor
from ingest.telephone.sip import SipDoor, Voice, Where
from tests.ingest.telephone.stage import FIRST_PORT, LAST_PORT, LOOPBACK

NOW = datetime(2026, 11, 22, 9, 2, tzinfo=UTC)
LINE, OWN_LINE = "+441134960100", "+441134960101"


def telephone(house: int) -> str:
    return f"+44163296{house:04d}"


def pin(house: int) -> str:
    return str(4000 + house)


@dataclass
class Street:
    door: SipDoor
    addresses: Addresses

    async def recorded(self) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.addresses.owner)
        try:
            rows = await connection.fetch(
                "SELECT kind, method, occurred_at, care_worker, service_user, cli, proofs FROM check_events"
                " ORDER BY cli"
            )
            return [dict(row) for row in rows]
        finally:
            await connection.close()

    async def has_taken(self, answers: int) -> None:
        """The only phone call of this street."""
        connection = await asyncpg.connect(self.addresses.owner)
        try:
            async with asyncio.timeout(30):
                while await connection.fetchval("SELECT max(step) FROM phone_calls") != answers:
                    await asyncio.sleep(0.02)
        finally:
            await connection.close()


def expected(houses: Iterable[int], kind: str = "check_in") -> list[tuple[str, ...]]:
    return [(kind, f"CW-{house}", f"SU-{house}", telephone(house)) for house in houses]


def told(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [(row["kind"], row["care_worker"], row["service_user"], row["cli"]) for row in rows]


@asynccontextmanager
async def lived_in(addresses: Addresses, houses: int, voice: Voice, **where: Any) -> AsyncIterator[Street]:
    web = await Database.connect(addresses.app, "ecm_web", 8)
    ingest = await Database.connect(addresses.app, "ecm_ingest", 4)
    clock = ManualClock(NOW)
    evidence = CheckEventsDoor(ingest, clock, Sealer.of(bytes(32)))
    place = {
        "host": "127.0.0.1",
        "port": 0,
        "advertised": "127.0.0.1",
        "first_port": FIRST_PORT,
        "last_port": LAST_PORT,
        "peers": LOOPBACK,
        "at_once": 400,
    }
    door = SipDoor(Where(**{**place, **where}), Conductor(web, evidence.recorder, clock), voice, clock)
    await _move_in(web, addresses, houses)
    await evidence.start()
    await door.start()
    try:
        yield Street(door, addresses)
    finally:
        await door.stop(grace_s=0)
        await evidence.stop()
        await web.close()
        await ingest.close()


async def _move_in(web: Database, addresses: Addresses, houses: int) -> None:
    numbers = range(houses)
    files: dict[str, list[dict[str, Any]]] = {
        "providers": [{"ref": "north", "name": "Northfield Care"}],
        "service-users": [
            {"ref": f"SU-{n}", "name": f"Mabel {chr(65 + n % 26)}horn", "phones": [telephone(n)]}
            for n in numbers
        ],
        "care-workers": [
            {"ref": f"CW-{n}", "name": f"Carol {n}", "provider_ref": "north", "pin": pin(n)} for n in numbers
        ],
        "visits": [
            {
                "ref": f"V-{n}",
                "service_user_ref": f"SU-{n}",
                "provider_ref": "north",
                "date": "2026-11-22",
                "start": "09:00",
                "end": "09:30",
                "care_worker_refs": [f"CW-{n}"],
            }
            for n in numbers
        ],
    }
    for kind, rows in files.items():
        report = await run_import(web, system(1), kind, rows, now=NOW, actor="the office")
        assert not report.rejected, report.as_text()
    connection = await asyncpg.connect(addresses.owner)
    try:
        await connection.execute(
            "INSERT INTO phone_lines (tenant_id, number, use, care_worker_ref)"
            " VALUES (1, $1, 'interview', NULL), (1, $2, 'unanswered', 'CW-0')",
            LINE,
            OWN_LINE,
        )
    finally:
        await connection.close()
