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
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from ecm.actuals.line import ActualLine
from ecm.actuals.payable import LOOK_FIRST, payable
from ecm.actuals.periods import Period, period_named
from ecm.actuals.rules import DEFAULT, PaymentRules
from ecm.clock import Clock
from ecm.errors import Conflict, NotFound
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ecm.store.rules import ContractRules
from ecm.visit.model import Assessment, Attendance, Finding, FindingCode, State, Visit

sql = load_queries(__package__, "payment_run.sql")

BATCH = 5000

_as_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_STATES = {state.value: state for state in State}
_CODES = {code.value: code for code in FindingCode}


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
    """Answers requests for a run, one a step."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def step(self) -> bool:
        """Runs the period whose request waited longest. True if there was one."""
        async with self._db.connection() as connection:
            due = await connection.fetchrow(sql.due_runs)
        if due is None:
            return False
        await run(self._db, due["tenant_id"], due["period"], self._clock.now())
        return True


async def run(db: Database, tenant_id: int, period_name: str, now: datetime) -> RunReport:
    """Brings a period up to date. Raises NotFound for an unknown name, Conflict for a locked period."""
    async with db.transaction() as connection:
        period = await _hold(connection, tenant_id, period_name)

    visits = written = exceptions = amount_pence = 0
    writing: asyncio.Task[int] | None = None
    async with db.transaction() as reading:
        await reading.execute(sql.take_turn, tenant_id, period_name)
        book = await contract_book(reading, tenant_id)
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
    """The pay line of one row of `visits` (plan and assessment columns), as it stands."""
    return payable(_plan(visit), _assessment(visit), rules)


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
                detail=found.get("detail") or "",
            )
            for found in visit["findings"]
            if found["code"] in LOOK_FIRST
        ),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
