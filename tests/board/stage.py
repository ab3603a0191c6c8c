"""A small borough on a real database behind a real server: what the board's tests look at.

    Mr Derek Dobson    tier A, insulin, Belgrave, double-up   council   Northfield Care
    Mrs Ada Ashworth   tier A, lives alone, Evington          nhs       Northfield Care
    Ms Tara Thorne     tier C, Spinney Hills                  council   Harbour Homecare

    Anna Kowalska, Jo Mensah (Northfield), Rafi Begum (Harbour)
    Dana Duty, duty officer; Cole Coordinator, at Northfield; Finn Finance; Ada, administrator; Otto, auditor

It is 09:20 in London on Monday 23 November 2026 unless a test says otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import uvicorn
import websockets
from fastapi import APIRouter, FastAPI

from ecm import problem, serving, web
from ecm.board import BoardProtocol, Hub
from ecm.board import router as board_router
from ecm.clock import ManualClock
from ecm.cuts import Cuts
from ecm.doors import Services
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses

TENANT = 1
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)

PROVIDERS = [
    ("NOR", "Northfield Care", "+441134960101"),
    ("HAR", "Harbour Homecare", "+441134960102"),
]
PEOPLE = [
    ("P-D", "Mr Derek Dobson", "Belgrave", "A", "council", "insulin", 2),
    ("P-A", "Mrs Ada Ashworth", "Evington", "A", "nhs", "lives alone", 1),
    ("P-T", "Ms Tara Thorne", "Spinney Hills", "C", "council", None, 1),
]
WORKERS = [
    ("W-K", "Anna Kowalska", "NOR", "+447700900101"),
    ("W-M", "Jo Mensah", "NOR", "+447700900102"),
    ("W-B", "Rafi Begum", "HAR", "+447700900103"),
]
ACCOUNTS = {
    "dana": ("Dana Duty", "duty_officer", None),
    "cole": ("Cole Coordinator", "coordinator", "NOR"),
    "finn": ("Finn Finance", "finance", None),
    "cara": ("Cara Carer", "care_worker", "NOR"),
    "ada": ("Ada Administrator", "administrator", None),
    "otto": ("Otto Auditor", "auditor", None),
}


PATIENCE_S = 30.0  # what a slow machine may take for anything
SEALING_KEY = base64.b64encode(bytes(32)).decode()


class Stage:
    """The borough, and hands to move it as processing, alerting and importing would."""

    def __init__(self, owner: asyncpg.Connection[Any], clock: ManualClock) -> None:
        self.owner = owner
        self.clock = clock
        self.url = ""
        self.hub: Hub
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.app: FastAPI
        self.port = 0

    # ------------------------------------------------------------ the cast

    async def set_the_scene(self) -> None:
        owner = self.owner
        await owner.executemany(
            "INSERT INTO providers (tenant_id, ref, name, phone) VALUES (1, $1, $2, $3)", PROVIDERS
        )
        await owner.executemany(
            "INSERT INTO service_users (tenant_id, ref, name, area, risk_tier, funder, needs, carers_required)"
            " VALUES (1, $1, $2, $3, $4, $5, $6, $7)",
            PEOPLE,
        )
        await owner.executemany(
            "INSERT INTO care_workers (tenant_id, ref, name, provider_ref, phone) VALUES (1, $1, $2, $3, $4)",
            WORKERS,
        )
        for email, (name, role, provider) in ACCOUNTS.items():
            await owner.execute(
                "INSERT INTO accounts (tenant_id, email, name, role, provider_ref, password_hash)"
                " VALUES (1, $1, $2, $3, $4, 'none')",
                f"{email}@example.org",
                name,
                role,
                provider,
            )
        await self.beat()

    async def beat(self) -> None:
        """A worker is alive, and has just proved that an alarm would get through."""
        await self.proves_alarms(self.clock.now())

    async def proves_alarms(self, at: datetime | None) -> None:
        await self.owner.execute(
            "INSERT INTO heartbeats (process, beat_at, details) VALUES ('worker', now(), $1)"
            " ON CONFLICT (process) DO UPDATE SET beat_at = now(), details = excluded.details",
            {} if at is None else {"alarm_path_at": at.isoformat()},
        )

    async def signed_in(self, who: str) -> str:
        """A session cookie's value."""
        token = secrets.token_urlsafe(16)
        await self.owner.execute(
            "INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at)"
            " SELECT 1, $1, account_id, now(), now(), now() + interval '1 hour' FROM accounts WHERE email = $2",
            hashlib.sha256(token.encode()).digest(),
            f"{who}@example.org",
        )
        return token

    async def signs_out(self, session: str) -> None:
        await self.owner.execute(
            "DELETE FROM sessions WHERE token_sha256 = $1", hashlib.sha256(session.encode()).digest()
        )

    async def it_is(self, now: datetime) -> None:
        self.clock.at = now
        await self.beat()

    # ------------------------------------------------------------ what happens

    async def plan(
        self,
        ref: str,
        person: str = "P-D",
        at: str = "09:00",
        minutes: int = 30,
        workers: tuple[str, ...] = ("W-K",),
        provider: str = "NOR",
        day: date = DAY,
        **more: Any,
    ) -> int:
        """Imports a planned visit and lets processing see it. Returns its number."""
        hour, minute = map(int, at.split(":"))
        start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        columns = {
            "tenant_id": TENANT,
            "ref": ref,
            "service_user_ref": person,
            "provider_ref": provider,
            "local_date": day,
            "zone": "Europe/London",
            "planned_start": start,
            "planned_end": start + timedelta(minutes=minutes),
            "window_start": start,
            "commissioned_minutes": minutes,
            "care_worker_refs": list(workers),
        } | more
        async with self.owner.transaction():
            visit_id: int = await self.owner.fetchval(
                f"INSERT INTO visits ({', '.join(columns)})"
                f" VALUES ({', '.join(f'${n}' for n in range(1, len(columns) + 1))}) RETURNING visit_id",
                *columns.values(),
            )
            await self._stamp("visits", "visit_id", [visit_id])
        return visit_id

    async def becomes(self, *visit_ids: int, **columns: Any) -> int:
        """Processing wrote these visits. Returns the board's position."""
        async with self.owner.transaction():
            sets = "".join(f", {name} = ${n}" for n, name in enumerate(columns, 2))
            await self.owner.execute(
                f"UPDATE visits SET version = version + 1{sets} WHERE tenant_id = 1 AND visit_id = ANY ($1)",
                list(visit_ids),
                *columns.values(),
            )
            return await self._stamp("visits", "visit_id", list(visit_ids))

    async def alarm(self, visit_id: int, kind: str = "late", severity: str = "critical", **more: Any) -> int:
        columns = {
            "tenant_id": TENANT,
            "visit_id": visit_id,
            "provider_ref": "NOR",
            "kind": kind,
            "raised_for": NOW,
            "severity": severity,
            "raised_at": NOW,
            "reason": "no check-in received by 09:15",
        } | more
        async with self.owner.transaction():
            alert_id: int = await self.owner.fetchval(
                f"INSERT INTO alerts ({', '.join(columns)})"
                f" VALUES ({', '.join(f'${n}' for n in range(1, len(columns) + 1))}) RETURNING alert_id",
                *columns.values(),
            )
            await self._stamp("alerts", "alert_id", [alert_id])
        return alert_id

    async def alarm_becomes(self, alert_id: int, **columns: Any) -> int:
        async with self.owner.transaction():
            sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 2))
            await self.owner.execute(
                f"UPDATE alerts SET {sets} WHERE alert_id = $1", alert_id, *columns.values()
            )
            return await self._stamp("alerts", "alert_id", [alert_id])

    async def _stamp(self, table: str, key: str, ids: list[int]) -> int:
        return await stamp(self.owner, table, key, ids)

    # ------------------------------------------------------------ the service

    async def serve(
        self, addresses: Addresses, *routers: APIRouter, pages: bool = False, protocol: Any = BoardProtocol
    ) -> None:
        app = FastAPI()
        problem.install(app)
        database = await Database.connect(addresses.app, role="ecm_web", size=4)
        app.state.services = Services(database, self.clock, Settings(sealing_key=SEALING_KEY))
        app.state.hub = self.hub = Hub(database, self.clock)
        for router in (board_router, *routers):
            app.include_router(router)
        if pages:
            web.install(app)
        self.app, self._database = app, database
        await self.hub.start()
        self.cuts = Cuts(database)
        self.cuts.on_cut(self.hub.doorkeeper.cut)
        await self.cuts.start()
        await self.listen(protocol)

    async def restarts_the_hub(self) -> None:
        await self.hub.stop()
        await self.hub.start()

    async def listen(self, protocol: Any = BoardProtocol) -> None:
        config = serving.config(
            self.app, "127.0.0.1", self.port, ws=protocol, ws_per_message_deflate=False, lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server._serve(None))
        while not self._server.started:
            await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def hang_up(self) -> None:
        """The web process is gone; its port answers nobody."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            await self._serving
            self._server = None

    async def close(self) -> None:
        await self.cuts.stop()
        await self.hub.stop()
        await self.hang_up()
        await self._database.close()


async def stamp(connection: asyncpg.Connection[Any], table: str, key: str, ids: list[int]) -> int:
    """Positions in commit order, as every writer of the board does it: last, under the head's lock."""
    position: int = await connection.fetchval(
        f"WITH head AS (UPDATE board_heads SET position = position + 1 WHERE tenant_id = 1 RETURNING position),"
        f" done AS (UPDATE {table} SET position = head.position FROM head WHERE tenant_id = 1 AND {key} = ANY ($1))"
        f" SELECT position FROM head",
        ids,
    )
    await connection.execute("SELECT pg_notify('ecm_board', '1')")
    return position


class Page:
    """What a board page does, without the page: holds what the frames say."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.visits: dict[int, dict[str, Any]] = {}
        self.alerts: dict[int, dict[str, Any]] = {}
        self.position = -1
        self.epoch = ""
        self.log: list[dict[str, Any]] = []

    async def next(self, timeout: float = PATIENCE_S) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), timeout))
        self.log.append(frame)
        self._apply(frame)
        return frame

    async def until(self, kind: str, timeout: float = PATIENCE_S) -> dict[str, Any]:
        async with asyncio.timeout(timeout):
            while (frame := await self.next(timeout))["type"] != kind:
                pass
        return frame

    async def reaches(self, position: int, timeout: float = PATIENCE_S) -> None:
        async with asyncio.timeout(timeout):
            while self.position < position:
                await self.next(timeout)

    async def shown(self, **wish: Any) -> Page:
        await self.socket.send(json.dumps({"type": "filter"} | wish))
        while True:
            frame = await self.next()
            if frame["type"] == "snapshot" and frame["part"] == frame["parts"]:
                return self

    def what_it_holds(self) -> tuple[dict[int, Any], dict[int, Any]]:
        return self.visits, self.alerts

    def _apply(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "hello":
                self.epoch = frame["epoch"]
                return
            case "resync":
                self.visits, self.alerts, self.position = {}, {}, -1
                return
            case "snapshot":
                if frame["part"] == 1:
                    self.visits, self.alerts = {}, {}
                for visit in frame["visits"]:
                    self.visits[visit["id"]] = visit
                for alert in frame["alerts"]:
                    self.alerts[alert["id"]] = alert
                if frame["part"] < frame["parts"]:
                    return
            case "row":
                keep_newer(self.visits, frame["visit"])
            case "alert":
                keep_newer(self.alerts, frame["alert"])
            case "gone":
                self.visits.pop(frame["visit"], None)
                self.alerts = {n: a for n, a in self.alerts.items() if a["visit"] != frame["visit"]}
        self.position = max(self.position, frame["position"])


def keep_newer(held: dict[int, dict[str, Any]], row: dict[str, Any]) -> None:
    if row["p"] >= held.get(row["id"], row)["p"]:
        held[row["id"]] = row


@asynccontextmanager
async def looking(
    stage: Stage, who: str = "dana", *, session: str | None = None, **headers: str
) -> AsyncIterator[Page]:
    """A page of `who` that has said nothing yet, by a sign-in of its own unless `session` is given."""
    ticket = await ticket_of(stage, who, session)
    url = f"{stage.url.replace('http', 'ws')}/board/live?ticket={ticket}"
    async with websockets.connect(
        url, additional_headers=headers, max_size=None, ping_interval=None
    ) as socket:
        page = Page(socket)
        await page.until("hello")
        yield page


async def ticket_of(stage: Stage, who: str, session: str | None = None) -> str:
    import httpx

    token = session or await stage.signed_in(who)
    async with httpx.AsyncClient(base_url=stage.url, cookies={"ecm_session": token}) as browser:
        answer = await browser.post("/board/tickets", headers={"origin": stage.url})
        answer.raise_for_status()
        ticket: str = answer.json()["ticket"]
        return ticket


@asynccontextmanager
async def staged(
    database: Addresses, *routers: APIRouter, now: datetime = NOW, **how: Any
) -> AsyncIterator[Stage]:
    owner = await asyncpg.connect(database.owner)
    for kind in ("json", "jsonb"):
        await owner.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    stage = Stage(owner, ManualClock(now))
    try:
        await stage.set_the_scene()
        await stage.serve(database, *routers, **how)
        yield stage
    finally:
        await stage.close()
        await owner.close()
