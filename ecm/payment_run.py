"""Transaction 4: the visits of a period become actual lines, each with its working.

A run may be repeated at any time and by two workers at once: it works every line out from the visit as it now
is, and leaves alone what has not changed; runs of one period take turns. Each batch is written while the
period's row is held, so that no period is locked while a line is on its way into it. A locked period is never
written again; what becomes known later is an adjustment in the next open one.

`line_for` is the same working for one visit on its own, for whoever reads a visit before any run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from ecm.actuals.line import ActualLine
from ecm.actuals.look_first import EVIDENCE_OF_PLACE, LOOK_FIRST
from ecm.actuals.payable import payable
from ecm.actuals.periods import Period, no_day_twice, period_named
from ecm.actuals.rules import DEFAULT, PaymentRules
from ecm.clock import Clock
from ecm.errors import Conflict, NotFound, Unavailable
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ecm.store.rules import ContractRules
from ecm.visit.model import Assessment, Attendance, Finding, State, Visit

sql = load_queries(__package__, "payment_run.sql")
log = logging.getLogger(__name__)

BATCH = 5000
REST_AFTER_FAILURE = timedelta(minutes=5)
"""In real time. A run that failed will most likely fail again; a request of somebody else's need not wait for it."""
REST_WHEN_AWAY = timedelta(minutes=1)
"""In real time: until the night asks again for a database that was away."""
NIGHT = "the last two weeks"
"""Stands where a period would in what is said of a night that came to none."""
EVERYBODY = 0
"""Stands where a tenant would, likewise; tenants are numbered from 1."""
AWAY = "the database was away"

_as_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_STATES = {state.value: state for state in State}
_CODES = {code.value: code for code in (*LOOK_FIRST, *EVIDENCE_OF_PLACE)}


@dataclass(frozen=True, slots=True)
class RunReport:
    """`visits` were worked out, `written` lines said something new, `removed` ones had no visit any more."""

    period: str
    starts_on: date
    ends_on: date
    visits: int = 0
    written: int = 0
    removed: int = 0
    exceptions: int = 0
    amount_pence: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"starts_on": self.starts_on.isoformat(), "ends_on": self.ends_on.isoformat()}


class PaymentRuns:
    """Answers requests for a run, and brings everybody up to date at night.

    A run that fails, as for a contract row this program cannot read, stops nobody else's. Its request stays, and is
    tried again after REST_AFTER_FAILURE; the health page shows it.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._failed: dict[tuple[int, str], datetime] = {}
        self._untold: tuple[datetime | None] | None = None
        self._process = f"worker {socket.gethostname()} {os.getpid()}"

    async def step(self) -> bool:
        """Runs the period whose request waited longest. True if there was one. Raises DatabaseAway."""
        if self._untold is not None:
            await self._tell_health(*self._untold)
        async with self._db.connection() as connection:
            due = await connection.fetch(sql.due_runs)
        rested = datetime.now(UTC) - REST_AFTER_FAILURE
        for request in due:
            which = request["tenant_id"], request["period"]
            if self._failed.get(which, rested) <= rested and await self._attempt(*which):
                return True
        return False

    async def nightly(self) -> None:
        """This week's lines and the last's, for every tenant; after REST_WHEN_AWAY once more for those for whom the
        database was away, and then that is a run that failed. Raises DatabaseAway if it never said who they are."""
        try:
            tenants = await self._tenants()
        except Unavailable:
            await _rest()
            tenants = await self._tenants(last_try=True)
        put_off = [tenant_id for tenant_id in tenants if not await self._night_of(tenant_id)]
        if put_off:
            await _rest()
        for tenant_id in put_off:
            if not await self._night_of(tenant_id):
                await self._note_failure((tenant_id, NIGHT), AWAY)

    async def _tenants(self, *, last_try: bool = False) -> list[int]:
        try:
            async with self._db.transaction() as connection:
                tenants = [row["tenant_id"] for row in await connection.fetch(sql.all_tenants)]
        except Unavailable:
            if last_try:
                await self._note_failure((EVERYBODY, NIGHT), AWAY)
            raise
        await self._note_success((EVERYBODY, NIGHT))
        return tenants

    async def _night_of(self, tenant_id: int) -> bool:
        """False if the database was away before the end."""
        try:
            for period in await _periods_of_late(self._db, tenant_id, self._clock.now().date()):
                await self._attempt(tenant_id, period)
        except Unavailable:
            return False
        await self._note_success((tenant_id, NIGHT))
        return True

    async def _attempt(self, tenant_id: int, period: str) -> bool:
        """True if the run is whole."""
        which = tenant_id, period
        try:
            await run(self._db, tenant_id, period, self._clock.now())
        except Conflict as error:  # locked a moment ago: nothing is broken
            log.info("no payment run of %s for tenant %s: %s", period, tenant_id, error)
            return False
        except Unavailable:
            raise
        except Exception as error:
            # The place and the kind of the error only: its text may hold what a contract or a visit says.
            place = "".join(traceback.format_tb(error.__traceback__))
            await self._note_failure(which, f"{type(error).__name__}\n{place}")
            return False
        await self._note_success(which)
        return True

    async def _note_failure(self, which: tuple[int, str], why: str) -> None:
        tenant_id, period = which
        log.error("payment run of %s for tenant %s failed: %s", period, tenant_id, why)
        self._failed[which] = datetime.now(UTC)
        await self._tell_health(datetime.now(UTC))

    async def _note_success(self, which: tuple[int, str]) -> None:
        if self._failed.pop(which, None) is not None and not self._failed:
            await self._tell_health(None)

    async def _tell_health(self, failed_at: datetime | None) -> None:
        """Now, or with the first step after the database is back."""
        self._untold = (failed_at,)
        with suppress(Unavailable):
            async with self._db.transaction() as connection:
                await connection.execute(sql.note_failure, self._process, datetime.now(UTC), failed_at)
            self._untold = None


async def _rest() -> None:
    await asyncio.sleep(REST_WHEN_AWAY.total_seconds())


async def _periods_of_late(db: Database, tenant_id: int, today: date) -> list[str]:
    """The open periods with a day of this week or the last, and these weeks themselves for who pays by the week.

    Whoever pays by the month has months, and no week is made beside them.
    """
    weeks = [_week_of(today - timedelta(days=7)), _week_of(today)]
    async with db.connection() as connection:
        rows = await connection.fetch(sql.periods_with_days, tenant_id, weeks[0].starts_on, weeks[1].ends_on)
    known = [Period(row["period"], row["starts_on"], row["ends_on"]) for row in rows]
    by_the_week = not known or known[-1].ends_on - known[-1].starts_on < timedelta(days=7)
    new = [week for week in weeks if by_the_week and not any(week.shares_a_day(other) for other in known)]
    still_open = [
        period
        for period, row in zip(known, rows, strict=True)
        if row["locked_at"] is None and any(period.shares_a_day(week) for week in weeks)
    ]
    return [period.name for period in (*still_open, *new)]


def _week_of(day: date) -> Period:
    year, week, _ = day.isocalendar()
    named = period_named(f"{year}-W{week:02d}")
    assert named is not None
    return named


async def run(db: Database, tenant_id: int, period_name: str, now: datetime) -> RunReport:
    """Brings a period up to date.

    Raises NotFound for an unknown name, Conflict for a locked period and for one that shares days with another.
    """
    async with db.transaction() as connection:
        period = await _hold(connection, tenant_id, period_name)

    visits = written = exceptions = amount_pence = 0
    writing: asyncio.Task[int] | None = None
    async with db.transaction() as reading:
        await reading.execute(sql.take_turn, tenant_id, period_name)
        book = await contract_book(reading, tenant_id)
        await _begin(db, tenant_id, period_name, now)
        try:
            async for batch in _batches(reading, tenant_id, period, book):
                visits += batch.visits
                exceptions += batch.exceptions
                amount_pence += batch.amount_pence
                written += await writing if writing else 0
                # The server writes one batch while we work out the next.
                writing = asyncio.create_task(_write(db, tenant_id, period_name, now, batch))
            written += await writing if writing else 0
        finally:
            if writing is not None:
                writing.cancel()
        removed = await _finish(db, tenant_id, period_name, now)
    return RunReport(
        period_name, period.starts_on, period.ends_on, visits, written, removed, exceptions, amount_pence
    )


async def _begin(db: Database, tenant_id: int, period_name: str, now: datetime) -> None:
    """Says that the lines are about to change. Whoever dies before the end leaves it said."""
    async with db.transaction() as connection:
        await _hold(connection, tenant_id, period_name)
        await connection.execute(sql.begin_run, tenant_id, period_name, now)


async def _batches(
    reading: Connection, tenant_id: int, period: Period, book: ContractBook
) -> AsyncIterator[_Batch]:
    """The period's lines, worked out, BATCH visits at a time."""
    after = (period.starts_on, 0)  # visits are numbered from 1; the day before the first one there is none
    while found := await reading.fetch(sql.visits_after, tenant_id, *after, period.ends_on, BATCH):
        # In a thread: the alarms of this process must not wait for a batch of sums.
        yield await asyncio.to_thread(_work_out, found, book)
        after = (found[-1]["local_date"], found[-1]["visit_id"])


async def _write(db: Database, tenant_id: int, period_name: str, now: datetime, batch: _Batch) -> int:
    async with db.transaction() as connection:
        await _hold(connection, tenant_id, period_name)
        written: int = await connection.fetchval(sql.write_lines, tenant_id, period_name, now, *batch.columns)
        return written


async def _finish(db: Database, tenant_id: int, period_name: str, now: datetime) -> int:
    """Takes lines away whose visit has gone, and says that the run is whole."""
    async with db.transaction() as connection:
        await _hold(connection, tenant_id, period_name)
        removed: int = await connection.fetchval(sql.remove_stale_lines, tenant_id, period_name)
        await connection.execute(sql.finish_run, tenant_id, period_name, now)
        return removed


async def contract_book(connection: Connection, tenant_id: int) -> ContractBook:
    return ContractBook(await connection.fetch(sql.contracts, tenant_id))


def line_for(visit: Mapping[str, Any], rules: PaymentRules) -> ActualLine:
    """The pay line of one row of `visits` (plan and assessment columns), as it stands.

    `evidence_ruled` beside them: whether a person linked or set aside evidence of it.
    """
    ruled = visit["evidence_ruled"]
    return payable(_plan(visit), _assessment(visit), rules, _left_saying(visit), evidence_ruled=ruled)


class ContractBook:
    """Which contract row rules a visit: the exact service before '*', then the newest."""

    def __init__(self, contracts: Sequence[Mapping[str, Any]]) -> None:
        """`contracts` in the order of the query of that name: the one that wins first."""
        self._of_provider: dict[str, list[tuple[Mapping[str, Any], PaymentRules]]] = {}
        for row in contracts:
            rules = ContractRules.model_validate(row["rules"]).payment_rules()
            self._of_provider.setdefault(row["provider_ref"], []).append((row, rules))
        self._known: dict[tuple[str, str, date], tuple[int | None, PaymentRules]] = {}

    def effective(self, visit: Mapping[str, Any]) -> tuple[int | None, PaymentRules]:
        """The contract's number and rules for a visit's provider, service and date, or (None, DEFAULT)."""
        key = visit["provider_ref"], visit["service"], visit["local_date"]
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, provider: str, service: str, on: date) -> tuple[int | None, PaymentRules]:
        for row, rules in self._of_provider.get(provider, ()):
            in_force = row["valid_from"] <= on and (row["valid_to"] is None or on <= row["valid_to"])
            if in_force and row["service"] in (service, "*"):
                return row["contract_id"], rules
        return None, DEFAULT


@dataclass(frozen=True, slots=True)
class _Batch:
    visits: int
    columns: tuple[tuple[Any, ...], ...]
    exceptions: int
    amount_pence: int


async def _hold(connection: Connection, tenant_id: int, name: str) -> Period:
    """The period's dates, with its row held and known to be open."""
    row = await connection.fetchrow(sql.hold_period, tenant_id, name)
    if row is None:
        named = period_named(name)
        if named is None:
            raise NotFound(f"There is no payment period {name!r}; a week is named 2026-W47, a month 2026-11.")
        await connection.execute(sql.take_periods_turn, tenant_id)
        other = await connection.fetchrow(sql.overlapping, tenant_id, named.starts_on, named.ends_on)
        if other is not None and other["period"] != name:
            raise Conflict(no_day_twice(named, Period(other["period"], other["starts_on"], other["ends_on"])))
        await connection.execute(sql.open_period, tenant_id, name, named.starts_on, named.ends_on)
        row = await connection.fetchrow(sql.hold_period, tenant_id, name)
    assert row is not None
    if row["locked_at"] is not None:
        raise Conflict(f"Payment period {name} is locked; what is new goes into the next open one.")
    return Period(name, row["starts_on"], row["ends_on"])


def _work_out(found: Sequence[Mapping[str, Any]], book: ContractBook) -> _Batch:
    lines = []
    exceptions = amount_pence = 0
    for visit in found:
        contract_id, rules = book.effective(visit)
        line = line_for(visit, rules)
        exceptions += line.exception is not None
        amount_pence += line.amount_pence
        lines.append(
            (
                visit["visit_id"],
                visit["version"],
                contract_id,
                visit["provider_ref"],
                visit["service_user_ref"],
                visit["funder"],
                visit["local_date"],
                visit["state"],
                line.planned_seconds,
                line.actual_seconds,
                line.payable_seconds,
                line.amount_pence,
                line.planned_pence,
                _as_json([step.as_json() for step in line.steps]),
                line.exception,
            )
        )
    return _Batch(len(lines), tuple(zip(*lines, strict=True)), exceptions, amount_pence)


def _plan(visit: Mapping[str, Any]) -> Visit:
    """What pay depends on of a plan."""
    return Visit(
        visit_id=visit["visit_id"],
        ref=visit["ref"],
        service_user=visit["service_user_ref"],
        provider=visit["provider_ref"],
        local_date=visit["local_date"],
        zone=visit["zone"],
        planned_start=visit["planned_start"],
        planned_end=visit["planned_end"],
        commissioned_minutes=visit["commissioned_minutes"],
        carers_required=visit["carers_required"],
    )


def _assessment(visit: Mapping[str, Any]) -> Assessment:
    """What pay depends on of a stored assessment."""
    return Assessment(
        state=_STATES[visit["state"]],
        attendances=tuple(
            Attendance(
                care_worker=stay["care_worker"],
                check_in_at=_time(stay["check_in_at"]),
                check_out_at=_time(stay["check_out_at"]),
                amended=stay["amended"],
            )
            for stay in visit["attendances"]
        ),
        findings=tuple(
            Finding(
                _CODES[found["code"]],
                found.get("measure"),
                found.get("limit"),
                found.get("unit") or "",
                UUID(found["event_id"]) if found.get("event_id") else None,
                found.get("care_worker"),
                found.get("detail") or "",
            )
            for found in visit["findings"]
            if found["code"] in _CODES
        ),
    )


def _left_saying(visit: Mapping[str, Any]) -> dict[str | None, str]:
    """By worker; only a run asks for the reasons."""
    reasons = visit.get("left_saying") or {}
    return {
        stay["care_worker"]: reasons[stay["check_out_event"]]
        for stay in visit["attendances"]
        if stay.get("check_out_event") in reasons
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
