"""Is it up, is it well, and how much: for load balancers, monitors and Prometheus. Nobody signs in here.

`/healthz` says that this process answers; a load balancer asks it, because evidence must get in even while
the worker rests. `/readyz` says whether the whole road is clear; a monitor outside asks it and wakes
somebody.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel, Field

from ecm.api.wire import answers
from ecm.audit.export import how_it_is
from ecm.doors import Services, address_of, open_because, services
from ecm.errors import NotPermitted, Unavailable
from ecm.sealing_key import said_of
from ecm.store.db import Record
from ecm.store.migrate import MIGRATIONS, read_files
from ecm.store.queries import load_queries

sql = load_queries(__package__, "health.sql")
router = APIRouter(tags=["health"])

DATABASE_PATIENCE_S = 3
PAGE_FAILING = timedelta(minutes=30)
"""Longer than the sender's longest pause between two tries: a page that still fails is always on the health page."""
ALARM_UNPROVED_S = 120
"""How long the workers may fail to prove that a deadline would be judged and a page sent (alerts/alerts.sql)."""
PAYMENT_FAILED = timedelta(hours=25)
"""Until the next night's run has had its turn."""

Door = Annotated[Services, Depends(services)]


class Healthy(BaseModel):
    status: Literal["ok"]
    now: datetime = Field(description="The service's clock.")
    speed: float = Field(description="1 unless the service runs on a scaled clock.")


class Part(BaseModel):
    ok: bool
    says: str


class Backlog(Part):
    waiting: int | None = None
    oldest_age_s: float | None = Field(
        default=None, description="Since the oldest waiting evidence was received."
    )
    put_off: int | None = Field(default=None, description="Rows that failed and wait for another try.")
    alerts_waiting: int | None = Field(default=None, description="Visits whose alerts are yet to be decided.")


class Worker(Part):
    beat_age_s: float | None = None


class Readiness(BaseModel):
    status: Literal["ready", "not_ready"]
    database: Part
    migrations: Part
    worker: Worker
    backlog: Backlog
    alarms: Part = Field(description="Not ok while a page does not get through, or nothing proves one would.")
    sealing: Part = Field(
        description="Not ok where this process has another key than the secrets that are kept."
    )
    payments: Part = Field(description="Not ok after a run that failed; it can wait for the morning.")
    audit: Part = Field(
        description="Not ok after a night that found one broken, or when heads were not told outside for 36 hours."
    )


HEALTHY = {"status": "ok", "now": "2026-11-21T09:02:00Z", "speed": 1.0}
READY = {
    "status": "ready",
    "database": {"ok": True, "says": "answers"},
    "migrations": {"ok": True, "says": "at 1"},
    "worker": {"ok": True, "says": "beat 2 s ago", "beat_age_s": 2.0},
    "backlog": {
        "ok": True,
        "says": "nothing waits",
        "waiting": 0,
        "oldest_age_s": None,
        "put_off": 0,
        "alerts_waiting": 0,
    },
    "alarms": {"ok": True, "says": "no page is failing"},
    "sealing": {"ok": True, "says": "one key"},
    "payments": {"ok": True, "says": "no run failed"},
    "audit": {"ok": True, "says": "its heads were told outside 7 h ago"},
}
NOT_READY = READY | {
    "status": "not_ready",
    "worker": {"ok": False, "says": "beat 412 s ago", "beat_age_s": 412.0},
}


@router.get(
    "/healthz",
    response_model=Healthy,
    responses=answers(HEALTHY),
    openapi_extra=open_because("a load balancer asks; it tells nothing of anybody"),
)
async def healthz(door: Door) -> Healthy:
    """This process answers. Asks nothing of the database."""
    return Healthy(status="ok", now=door.clock.now(), speed=door.clock.speed)


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=answers(READY)
    | {
        503: {
            "description": "Some part is not ready; each says why.",
            "model": Readiness,
            "content": {"application/json": {"example": NOT_READY}},
        }
    },
    openapi_extra=open_because("a load balancer asks; it tells counts and ages, and nothing of anybody"),
)
async def readyz(door: Door, response: Response) -> Readiness:
    """Whether evidence is stored, understood in time, and watched over."""
    readiness = await _readiness(door)
    response.status_code = 200 if readiness.status == "ready" else 503
    return readiness


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format",
            "content": {CONTENT_TYPE_LATEST: {"example": "ecm_up 1.0\n"}},
        },
        403: {},
    },
    openapi_extra=open_because("the networks of ECM_METRICS_FROM; it tells counts, and nothing of anybody"),
)
async def metrics(request: Request, door: Door) -> Response:
    """For Prometheus. Only from the networks of ECM_METRICS_FROM, this machine unless set."""
    _require_near(request, door)
    return Response(generate_latest(REGISTRY) + await _gauges(door), media_type=CONTENT_TYPE_LATEST)


async def _readiness(door: Services) -> Readiness:
    try:
        row = await _ask(door)
    except Unavailable as error:
        unknown = "not known while the database is away"
        return Readiness(
            status="not_ready",
            database=Part(ok=False, says=error.title),
            migrations=Part(ok=False, says=unknown),
            worker=Worker(ok=False, says=unknown),
            backlog=Backlog(ok=False, says=unknown),
            alarms=Part(ok=False, says=unknown),
            sealing=Part(ok=False, says=unknown),
            payments=Part(ok=False, says=unknown),
            audit=Part(ok=False, says=unknown),
        )
    parts = (
        Part(ok=True, says="answers"),
        _migrations(row),
        _worker(row, door),
        _backlog(row, door),
        _alarms(row),
        _sealing(row, door),
    )
    status: Literal["ready", "not_ready"] = "ready" if all(part.ok for part in parts) else "not_ready"
    database, migrations, worker, backlog, alarms, sealing = parts
    return Readiness(
        status=status,
        database=database,
        migrations=migrations,
        worker=worker,
        backlog=backlog,
        alarms=alarms,
        sealing=sealing,
        payments=_payments(row),  # nobody is woken for these
        audit=_audit(row, door),
    )


async def _ask(door: Services) -> Record:
    """Raises Unavailable, soon: a health page that hangs says nothing."""
    try:
        async with asyncio.timeout(DATABASE_PATIENCE_S), door.web.connection() as connection:
            row: Record | None = await connection.fetchrow(sql.health)
    except TimeoutError as error:
        raise Unavailable from error
    assert row is not None
    return row


def _migrations(row: Record) -> Part:
    latest = read_files(MIGRATIONS)[-1].number
    at = row["schema_number"]
    if at is None:
        return Part(ok=True, says="not kept by ecm migrate")
    if at < latest:
        return Part(ok=False, says=f"at {at}, but this program knows {latest}: run ecm migrate")
    return Part(ok=True, says=f"at {at}")


def _worker(row: Record, door: Services) -> Worker:
    if row["worker_beat_at"] is None:
        return Worker(ok=False, says="no worker has ever run")
    age_s = max(0.0, (row["database_now"] - row["worker_beat_at"]).total_seconds())
    ok = age_s <= door.settings.worker_silent_after_seconds
    return Worker(ok=ok, says=f"beat {age_s:.0f} s ago", beat_age_s=age_s)


def _backlog(row: Record, door: Services) -> Backlog:
    age_s = _oldest_age_s(row, door)
    limit_s = door.settings.backlog_late_after_seconds
    ok = age_s is None or age_s <= limit_s
    says = f"the oldest waits {age_s:.0f} s" if age_s is not None else "no evidence waits"
    if row["put_off"]:
        says += f"; {row['put_off']} failed and wait for another try"
    return Backlog(
        ok=ok,
        says=says,
        waiting=row["waiting"],
        oldest_age_s=age_s,
        put_off=row["put_off"],
        alerts_waiting=row["alerts_waiting"],
    )


def _alarms(row: Record) -> Part:
    if _page_fails(row):
        failing: datetime = row["page_failing_at"]
        return Part(
            ok=False,
            says=f"a page did not get through at {failing:%H:%M} UTC and is tried on: see the worker's log",
        )
    proof_age_s = _proof_age_s(row)
    if proof_age_s is None:
        return Part(ok=False, says="no worker has proved yet that an alarm would ring")
    if proof_age_s > ALARM_UNPROVED_S:
        return Part(
            ok=False,
            says=f"for {proof_age_s:.0f} s nothing proved that an alarm would ring: see the worker's log",
        )
    return Part(ok=True, says="no page is failing")


def _page_fails(row: Record) -> bool:
    failing: datetime | None = row["page_failing_at"]
    return failing is not None and row["database_now"] - failing <= PAGE_FAILING


def _sealing(row: Record, door: Services) -> Part:
    ok, says = said_of(row["sealed_with"], door.sealer)
    return Part(ok=ok, says=says)


def _payments(row: Record) -> Part:
    failed: datetime | None = row["payment_failed_at"]
    if failed is None or row["database_now"] - failed > PAYMENT_FAILED:
        return Part(ok=True, says="no run failed")
    return Part(ok=False, says=f"a payment run failed at {failed:%H:%M} UTC: see the worker's log")


def _audit(row: Record, door: Services) -> Part:
    age_s = None
    if row["heads_told_at"] is not None:
        age_s = max(0.0, (row["database_now"] - row["heads_told_at"]).total_seconds())
    return Part(**asdict(how_it_is(door.settings, age_s, row["audit_broken"])))


def _oldest_age_s(row: Record, door: Services) -> float | None:
    """Real seconds, also under a scaled clock."""
    if row["oldest_received_at"] is None:
        return None
    age: timedelta = door.clock.now() - row["oldest_received_at"]
    return max(0.0, age.total_seconds() / door.clock.speed)


def _require_near(request: Request, door: Services) -> None:
    try:
        near = any(ip_address(address_of(request)) in network for network in door.settings.metrics_from)
    except ValueError:
        near = False
    if not near:
        raise NotPermitted("Metrics are for the networks named in ECM_METRICS_FROM.")


async def _gauges(door: Services) -> bytes:
    """Read when asked, in a registry of the request's own: two scrapes at once cannot mix."""
    registry = CollectorRegistry()

    def gauge(name: str, says: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"ecm_{name}", says, registry=registry).set(value)

    try:
        row = await _ask(door)
    except Unavailable:
        gauge("database_up", "Whether the database answered", 0)
        return generate_latest(registry)
    gauge("database_up", "Whether the database answered", 1)
    gauge("processing_waiting", "To-do rows of processing", row["waiting"])
    gauge("processing_put_off", "To-do rows that failed and wait for another try", row["put_off"])
    gauge(
        "processing_oldest_age_seconds", "Age of the oldest waiting evidence", _oldest_age_s(row, door) or 0
    )
    gauge("alerts_waiting", "To-do rows of alerting", row["alerts_waiting"])
    gauge("deliveries_late_seconds", "How overdue the oldest notification is", _deliveries_late_s(row, door))
    gauge("pages_failing", "Whether a page does not get through", _page_fails(row))
    gauge("alarm_proof_age_seconds", "Since it was last proved that an alarm would ring", _proof_age_s(row))
    gauge("payment_run_failed", "Whether a payment run failed of late", not _payments(row).ok)
    gauge(
        "audit_in_doubt", "Whether an audit is broken, or its head not told outside", not _audit(row, door).ok
    )
    gauge("worker_beat_age_seconds", "Since a worker last beat", _worker(row, door).beat_age_s)
    return generate_latest(registry)


def _proof_age_s(row: Record) -> float | None:
    if row["alarm_proved_at"] is None:
        return None
    age: timedelta = row["database_now"] - row["alarm_proved_at"]
    return max(0.0, age.total_seconds())


def _deliveries_late_s(row: Record, door: Services) -> float:
    since: datetime = row["deliveries_late_since"] or door.clock.now()
    return max(0.0, (door.clock.now() - since).total_seconds())
