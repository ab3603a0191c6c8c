"""A morning in the borough as a care worker's phone meets it: the whole service on a real port, and a day of visits.

    Anna Kowalska (W-K), Northfield Care, PIN 4711        Jo Mensah (W-M), Northfield Care, PIN 1188

    V-1  09:00–09:45  Mrs Amina A.    Anna         14 Example Street; tasks; a key safe; a printed tag
    V-2  10:30–11:00  Mr Ernest L.    Anna
    V-3  11:15–12:00  Ms Vera O.      Anna and Jo  needs two
    V-4  13:00 …      ten more of Anna's, for a long day

It is 09:00 in London on Monday 23 November 2026, unless a test says otherwise.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import uvicorn

from ecm import serving
from ecm.api.phones import _digest
from ecm.app import create_app
from ecm.clock import ManualClock
from ecm.pins import hash_pin
from ecm.sealing import key_safe_of
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.frameworks import a_framework

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOME = {"latitude": 52.6301, "longitude": -1.0803}
TAG = "K3Q7-TAG"
SEALING_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

PEOPLE = [
    ("P-A", "Mrs Amina A.", "14 Example Street, Evington", "Medication from box, lunch; Wash and dress; Drink near"),
    ("P-E", "Mr Ernest L.", "2 Madeup Lane", "Breakfast"),
    ("P-V", "Ms Vera O.", "7 Sample Row", "Hoist transfer; Wash"),
]  # fmt: skip
VISITS = [
    ("V-1", "P-A", "09:00", 45, ["W-K"], 1),
    ("V-2", "P-E", "10:30", 30, ["W-K"], 1),
    ("V-3", "P-V", "11:15", 45, ["W-K", "W-M"], 2),
    *(
        (f"V-{n + 4}", ("P-A", "P-E")[n % 2], f"{13 + n // 2}:{(n % 2) * 30:02}", 20, ["W-K"], 1)
        for n in range(10)
    ),
]


class RunningClock(ManualClock):
    """Goes on from what it was last set to, as a phone's clock does that heard the time from it."""

    @property
    def at(self) -> datetime:
        return self._set_to + timedelta(seconds=(time.monotonic() - self._set_when) * self.speed)

    @at.setter
    def at(self, at: datetime) -> None:
        self._set_to, self._set_when = at, time.monotonic()


class Doorstep:
    def __init__(self, owner: asyncpg.Connection[Any], clock: RunningClock) -> None:
        self.owner = owner
        self.clock = clock
        self.port = 0
        self._codes = 0
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ------------------------------------------------------------ the service

    async def open(self, addresses: Addresses) -> None:
        self._web = await Database.connect(addresses.app, role="ecm_web", size=4)
        self._ingest = await Database.connect(addresses.app, role="ecm_ingest", size=2)
        settings = Settings(sealing_key=SEALING_KEY)
        self._lent = a_framework()
        self.app = create_app(
            web_db=self._web,
            ingest_db=self._ingest,
            clock=self.clock,
            settings=settings,
            fastapi=self._lent.__enter__(),
        )
        await self.app.door.start()
        await self._set_the_day()
        await self.listen()

    async def listen(self) -> None:
        config = serving.config(self.app, "127.0.0.1", self.port, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server._serve(None))
        while not self._server.started:
            await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def hang_up(self) -> None:
        """No signal: the port answers nobody."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._server = None

    async def close(self) -> None:
        await self.hang_up()
        await self.app.door.stop()
        self._lent.__exit__(None, None, None)
        await self._web.close()
        await self._ingest.close()

    # ------------------------------------------------------------ the office

    async def code(self, care_worker: str | None = "W-K") -> str:
        """A one-time code, as the office would hand it over."""
        self._codes += 1
        code = f"TESTCODE{self._codes + 10}"
        await self.owner.execute(
            "INSERT INTO enrolments (tenant_id, code_sha256, provider_ref, care_worker_ref, made_by, made_at,"
            " expires_at) VALUES (1, $1, 'NOR', $2, 'Cole', now(), now() + interval '1 hour')",
            _digest(code),
            care_worker,
        )
        return code

    async def cut_off(self) -> None:
        await self.owner.execute(
            "UPDATE devices SET cut_off_at = $1, cut_off_by = 'Cole', cut_off_reason = 'lost'",
            self.clock.now(),
        )

    async def events(self) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT event_id, kind, method, care_worker, service_user, visit, occurred_at, received_at, wall_clock,"
            " reason_code, proofs, lat, accuracy_m, body FROM check_events ORDER BY occurred_at, event_id"
        )
        return [dict(row) for row in rows]

    async def reports(self) -> list[dict[str, Any]]:
        return [
            dict(row)
            for row in await self.owner.fetch("SELECT * FROM reports ORDER BY occurred_at, report_id")
        ]

    async def until_stored(self, events: int = 0, reports: int = 0, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while len(await self.events()) < events or len(await self.reports()) < reports:
                await asyncio.sleep(0.05)

    async def _set_the_day(self) -> None:
        owner = self.owner
        await owner.execute(
            "INSERT INTO providers (tenant_id, ref, name, phone) VALUES (1, 'NOR', 'Northfield Care', '+441164960000')"
        )
        await owner.executemany(
            "INSERT INTO care_workers (tenant_id, ref, name, provider_ref, pin_hash) VALUES (1, $1, $2, 'NOR', $3)",
            [("W-K", "Anna Kowalska", hash_pin("4711")), ("W-M", "Jo Mensah", hash_pin("1188"))],
        )
        sealer = self.app.fastapi.state.services.sealer
        for at, (ref, name, address, needs) in enumerate(PEOPLE):
            safe = sealer.seal(b"C1234Y", key_safe_of(1, ref)) if ref == "P-A" else None
            await owner.execute(
                "INSERT INTO service_users (tenant_id, ref, name, address, postcode, needs, sealed_key_safe)"
                " VALUES (1, $1, $2, $3, 'ZZ5 6AA', $4, $5)",
                *(ref, name, address, needs, safe),
            )
            await owner.execute(
                "INSERT INTO places (tenant_id, service_user_ref, label, lat, lon, fence_m)"
                " VALUES (1, $1, 'home', $2, $3, 100)",
                *(ref, HOME["latitude"] + at * 0.01, HOME["longitude"]),
            )
        for ref, person, at, minutes, workers, needed in VISITS:
            hour, minute = map(int, at.split(":"))
            start = NOW.replace(hour=hour, minute=minute)
            await owner.execute(
                "INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,"
                " planned_end, window_start, commissioned_minutes, care_worker_refs, carers_required)"
                " VALUES (1, $1, $2, 'NOR', $3, 'Europe/London', $4, $5, $4, $6, $7, $8)",
                *(
                    ref,
                    person,
                    NOW.date(),
                    start,
                    start + timedelta(minutes=minutes),
                    minutes,
                    workers,
                    needed,
                ),
            )
        await owner.execute(
            "INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)"
            " VALUES (1, $1, 'qr', 'P-A', 'Cole', now())",
            TAG,
        )


@asynccontextmanager
async def doorstep_in(addresses: Addresses) -> AsyncIterator[Doorstep]:
    owner = await asyncpg.connect(addresses.owner)
    for kind in ("json", "jsonb"):
        await owner.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    doorstep = Doorstep(owner, RunningClock(NOW))
    try:
        await doorstep.open(addresses)
        yield doorstep
    finally:
        await doorstep.close()
        await owner.close()


def digest_of(tag_id: str) -> str:
    return hashlib.sha256(tag_id.encode()).hexdigest()
