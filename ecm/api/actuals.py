"""Actuals: what a period comes to, line by line with the working, and the files that are paid from.

Asking for a run leaves a request that a worker answers; the web never writes a line.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ecm.actuals.periods import Period, no_day_twice, period_named
from ecm.api.exports import FORMATS, export, left_out
from ecm.api.exports.spool import spooled
from ecm.api.visits import Step
from ecm.api.wire import NEXT_PAGE, NO_NUL, Limit, Page, answers, page_of
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound, NotPermitted
from ecm.permit import Action, Actor, reach
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

__all__ = ["FORMATS", "export", "router"]

sql = load_queries(__package__, "actuals.sql")
router = APIRouter(tags=["actuals"])

PERIOD_EXAMPLES = ["2026-W47"]
NAME = {"min_length": 1, "max_length": 64, "pattern": NO_NUL}
PeriodInPath = Annotated[str, Path(**NAME, examples=PERIOD_EXAMPLES)]
RunPeriodInPath = Annotated[str, Path(**NAME, examples=["2026-W46"])]
"""Of another week than the one a run is asked for: its lines are whole."""
PeriodInQuery = Annotated[
    str,
    Query(
        **NAME,
        examples=PERIOD_EXAMPLES,
        description="A week 2026-W47, a month 2026-11, a day 2026-11-23, or a name.",
    ),
]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[01]\.[0-9]{1,15}\.[0-9]{1,18}$", description="`next` of the page before."),
]
LEFT_OUT = {
    "Lines-Left-Out-Unseen": "Lines not in this file because somebody must look at them first.",
    "Lines-Left-Out-Changed": "Lines not in this file, whose visit or terms changed since the run: run again.",
}
BEFORE_ALL = (False, -(2**62), 0)


class Funder(StrEnum):
    COUNCIL = "council"
    NHS = "nhs"
    JOINT = "joint"
    PRIVATE = "private"


class FileFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    ABACUS = "abacus"


class PeriodState(BaseModel):
    period: str
    starts_on: date | None
    ends_on: date | None
    requested_at: datetime | None = Field(
        description="When a run was last asked for; later than run_at: it waits."
    )
    running_since: datetime | None = Field(
        default=None, description="Set while a run is under way, or broke off: the lines are half of it."
    )
    run_at: datetime | None = Field(description="When the last whole run began.")
    locked_at: datetime | None


class Total(BaseModel):
    provider: str
    provider_name: str
    funder: str
    visits: int
    planned_minutes: float
    actual_minutes: float
    payable_minutes: float
    planned_pence: int
    amount_pence: int
    exceptions: int = Field(description="Lines that somebody must look at first.")
    exceptions_pence: int = Field(description="What of the amount stands on such lines.")


class LineShown(BaseModel):
    visit: int
    visit_ref: str
    date: date
    provider: str
    service_user: str
    funder: str
    contract: str | None
    state: str
    planned_minutes: float
    actual_minutes: float
    payable_minutes: float
    planned_pence: int
    amount_pence: int
    at_stake_pence: int = Field(description="The larger of planned and payable.")
    exception: str | None
    changed_since_run: bool
    computed_at: datetime
    steps: list[Step]


class Actuals(PeriodState):
    totals: list[Total]
    lines: Page[LineShown]


STATE = {
    "period": "2026-W47",
    "starts_on": "2026-11-16",
    "ends_on": "2026-11-22",
    "requested_at": "2026-11-23T06:00:00Z",
    "running_since": None,
    "run_at": "2026-11-23T06:00:01Z",
    "locked_at": None,
}
ACTUALS = STATE | {
    "totals": [
        {
            "provider": "P-01",
            "provider_name": "Willow Care",
            "funder": "council",
            "visits": 1,
            "planned_minutes": 30.0,
            "actual_minutes": 18.0,
            "payable_minutes": 30.0,
            "planned_pence": 960,
            "amount_pence": 960,
            "exceptions": 1,
            "exceptions_pence": 960,
        }
    ],
    "lines": {
        "items": [
            {
                "visit": 1,
                "visit_ref": "V-1",
                "date": "2026-11-16",
                "provider": "P-01",
                "service_user": "SU-DAVIES",
                "funder": "council",
                "contract": "C-1",
                "state": "completed",
                "planned_minutes": 30.0,
                "actual_minutes": 18.0,
                "payable_minutes": 30.0,
                "planned_pence": 960,
                "amount_pence": 960,
                "at_stake_pence": 960,
                "exception": "location_outside: 400 m from the door ± 12 m, fence 100 m",
                "changed_since_run": False,
                "computed_at": "2026-11-23T06:00:01Z",
                "steps": [
                    {
                        "rule": "rounding",
                        "clause": "6.1",
                        "inputs": {"increment_minutes": 15},
                        "seconds_after": 1800,
                        "pence_after": 960,
                        "words": "rounded up to 15 min: 30 min",
                        "care_worker": "CW-ALICE",
                    }
                ],
            }
        ],
        "next": None,
    },
}


@router.get("/v1/actuals", response_model=Actuals, responses=answers(ACTUALS, 404, Link=NEXT_PAGE))
async def read_actuals(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_ACTUALS))],
    period: PeriodInQuery,
    funder: Funder | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Actuals:
    """A period's totals by provider and funder, and its lines: exceptions first, by the money at stake."""
    provider = reach(who, Action.READ_ACTUALS)
    async with door.web.locked(who.lock) as connection:
        state = await _state(connection, who.tenant_id, period)
        totals = await connection.fetch(sql.totals, who.tenant_id, period, provider)
        rows = await connection.fetch(
            sql.lines, who.tenant_id, period, provider, funder, *_from_cursor(cursor), limit
        )
    return Actuals(
        **state,
        totals=[_total(row) for row in totals],
        lines=page_of(request, response, rows, limit, _line, _to_cursor),
    )


@router.post(
    "/v1/actuals/{period}/runs",
    status_code=202,
    response_model=PeriodState,
    responses=answers(STATE, 404, 409, status=202, Location="Where the period can be read."),
)
async def ask_for_run(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.RUN_PAYMENT))],
    period: PeriodInPath,
) -> PeriodState:
    """Has a period's lines worked out again. It is done once `run_at` is not before this `requested_at`.

    A period that shares days with another one is refused: a visit is paid in one of them only.
    """
    _whole_tenant(who, Action.RUN_PAYMENT)
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        known = await _state(connection, who.tenant_id, period)
        if known["new"]:
            await _refuse_a_day_twice(connection, who.tenant_id, known)
        asked = (period, known["starts_on"], known["ends_on"], now, str(who))
        row = await connection.fetchrow(sql.request_run, who.tenant_id, *asked)
        if row is None:
            raise Conflict(f"Payment period {period} is locked; what is new goes into the next open one.")
        await _write_down(connection, request, who, "payment_run_requested", f"period {period}", now)
        await connection.execute(sql.notify, str(who.tenant_id))
    response.headers["Location"] = f"/v1/actuals?period={period}"
    return PeriodState(period=period, **row)


@router.get(
    "/v1/actuals/{period}/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file.",
            "content": {f.media_type: {} for f in FORMATS.values()},
            "headers": {
                name: {"description": says, "schema": {"type": "integer"}} for name, says in LEFT_OUT.items()
            },
        },
        404: {},
        409: {},
        429: {},
    },
)
async def export_period(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_ACTUALS))],
    period: RunPeriodInPath,
    file_format: Annotated[FileFormat, Query(alias="format")] = FileFormat.CSV,
    funder: Funder | None = None,
) -> StreamingResponse:
    """A period as a file, once its lines are whole: while a run is due or under way the answer is 409.

    `abacus` is paid from. It leaves out every line that somebody must look at first, and every line whose visit
    or terms changed since the run; the headers say how many. Who took a file, and from where, is in the audit.
    """
    provider = reach(who, Action.READ_ACTUALS)
    async with door.web.locked(who.lock) as connection:
        await _state(connection, who.tenant_id, period)
    left = await left_out(door.web, who.lock, period, file_format, provider=provider, funder=funder)
    chosen = FORMATS[file_format]
    name = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in f"actuals-{period}-{file_format}"
    )
    parts = export(door.web, who.lock, period, file_format, provider=provider, funder=funder)
    subject = f"period {period}, {file_format}" + (f", {funder}" if funder else "")
    return await spooled(
        _taken(parts, door, request, who, subject),
        reader=(who.tenant_id, who.kind, who.id),
        media_type=chosen.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{chosen.ending}"',
            **dict(zip(LEFT_OUT, map(str, left), strict=True)),
        },
    )


async def _taken(
    parts: AsyncGenerator[bytes, None], door: Services, request: Request, who: Actor, subject: str
) -> AsyncGenerator[bytes, None]:
    """The file's parts; once there are no more, and before any of them is sent, it is written down who takes it."""
    async with aclosing(parts):
        async for part in parts:
            yield part
    async with door.web.locked(who.lock) as connection:
        await _write_down(connection, request, who, "payment_file_taken", subject, door.clock.now())


async def _write_down(
    connection: Connection, request: Request, who: Actor, action: str, subject: str, now: datetime
) -> None:
    origin = address_of(request)
    await write_down(connection, who.tenant_id, str(who), action, subject, now, origin=origin)


async def _state(connection: Connection, tenant_id: int, period: str) -> dict[str, Any]:
    """The period's row, or what its name says of one that was never run. Raises NotFound."""
    row = await connection.fetchrow(sql.period, tenant_id, period)
    if row is not None:
        return {"period": period, "new": False, **row}
    named = period_named(period)
    if named is None:
        raise NotFound(f"There is no payment period {period!r}; a week is named 2026-W47, a month 2026-11.")
    never = dict.fromkeys(("requested_at", "running_since", "run_at", "locked_at"))
    return {"period": period, "new": True, "starts_on": named.starts_on, "ends_on": named.ends_on, **never}


async def _refuse_a_day_twice(connection: Connection, tenant_id: int, known: dict[str, Any]) -> None:
    wanted = Period(known["period"], known["starts_on"], known["ends_on"])
    await connection.execute(sql.take_periods_turn, tenant_id)
    row = await connection.fetchrow(sql.overlapping, tenant_id, wanted.starts_on, wanted.ends_on)
    if row is not None and row["period"] != wanted.name:
        raise Conflict(no_day_twice(wanted, Period(row["period"], row["starts_on"], row["ends_on"])))


def _whole_tenant(who: Actor, action: Action) -> None:
    """A run touches every provider's lines. Raises NotPermitted for who may see only one."""
    if reach(who, action) is not None:
        raise NotPermitted("A payment run is for the whole authority, not for one provider.")


def _from_cursor(cursor: str | None) -> tuple[bool, int, int]:
    if cursor is None:
        return BEFORE_ALL
    passed, stake, visit = cursor.split(".")
    return passed == "1", -int(stake), int(visit)


def _to_cursor(row: Record) -> str:
    return f"{int(row['exception'] is None)}.{row['at_stake_pence']}.{row['visit_id']}"


def _total(row: Record) -> Total:
    return Total(
        provider=row["provider_ref"],
        provider_name=row["provider_name"],
        funder=row["funder"],
        visits=row["visits"],
        planned_minutes=_minutes(row["planned_seconds"]),
        actual_minutes=_minutes(row["actual_seconds"]),
        payable_minutes=_minutes(row["payable_seconds"]),
        planned_pence=row["planned_pence"],
        amount_pence=row["amount_pence"],
        exceptions=row["exceptions"],
        exceptions_pence=row["exceptions_pence"],
    )


def _line(row: Record) -> LineShown:
    return LineShown(
        visit=row["visit_id"],
        visit_ref=row["ref"],
        date=row["local_date"],
        provider=row["provider_ref"],
        service_user=row["service_user_ref"],
        funder=row["funder"],
        contract=row["contract_ref"],
        state=row["state"],
        planned_minutes=_minutes(row["planned_seconds"]),
        actual_minutes=_minutes(row["actual_seconds"]),
        payable_minutes=_minutes(row["payable_seconds"]),
        planned_pence=row["planned_pence"],
        amount_pence=row["amount_pence"],
        at_stake_pence=row["at_stake_pence"],
        exception=row["exception"],
        changed_since_run=row["changed_since_run"],
        computed_at=row["computed_at"],
        steps=[Step(**step) for step in row["steps"]],
    )


def _minutes(seconds: int) -> float:
    return round(seconds / 60, 2)
