"""Reading visits: the plan, what was evidenced, what it was found to be, and how we know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ecm import payment_run
from ecm.api import alerts, amendments, evidence
from ecm.api.reads import note_read
from ecm.api.wire import NEXT_PAGE, Id, Limit, LocalDate, Page, Ref, answers, page_of
from ecm.doors import Services, permit_for, services
from ecm.errors import NotFound
from ecm.names import short_person
from ecm.permit import Action, Actor, Scope, permit, reach
from ecm.store.queries import load_queries
from ecm.visit.model import State
from ecm.visit.reasons import distance_unsaid

sql = load_queries(__package__, "visits.sql")
router = APIRouter(tags=["visits"])

# A day's number and a visit's id, in the order the list has.
VisitCursor = Annotated[
    str | None, Query(pattern=r"^[0-9]{1,6}\.[0-9]{1,18}$", description="`next` of the page before.")
]


class Span(BaseModel):
    start: datetime | None
    end: datetime | None


class Payable(BaseModel):
    minutes: float
    amount_pence: int | None = Field(description="Null for those who may not read actuals.")


class Step(BaseModel):
    """One rule at work: what it looked at, and the seconds and pence after it; pence only for readers of actuals."""

    rule: str
    clause: str | None
    inputs: dict[str, str | int | bool | None]
    seconds_after: int
    pence_after: int | None
    words: str
    care_worker: str | None


class Working(Payable):
    """How the minutes and money come about, as the visit stands now; a payment run would find the same."""

    steps: list[Step] = Field(description="Without those about money for those who may not read actuals.")
    exception: str | None = Field(description="Why a person should look before this is paid.")


class AsStored(BaseModel):
    """What the assessment wrote; members added later are passed on as they are."""

    model_config = ConfigDict(extra="allow")


class Attendance(AsStored):
    care_worker: str | None = None
    check_in_at: datetime | None = None
    check_out_at: datetime | None = None
    check_in_event: str | None = None
    check_out_event: str | None = None
    amended: bool = False


class Finding(AsStored):
    code: str
    measure: float | None = None
    limit: float | None = None
    unit: str = ""
    event_id: str | None = None
    care_worker: str | None = None
    detail: str = ""


class Crossing(AsStored):
    kind: str
    deadline_at: datetime


class Visit(BaseModel):
    id: int
    ref: str
    date: date
    service_user: str
    service_user_name: str
    provider: str
    service: str
    funder: str
    planned: Span
    commissioned_minutes: int | None
    actual: Span
    payable: Payable | None = Field(description="Over all payment runs so far; null before the first.")
    state: State
    state_reason: str
    attendances: list[Attendance]
    findings: list[Finding]
    crossings: list[Crossing]
    care_workers: list[str]
    carers_required: int
    time_critical: bool
    cancelled: bool
    version: int


class Place(BaseModel):
    area: str | None
    address: str | None = Field(description="Only for those who must find the door.")
    postcode: str | None = Field(description="Only for those who must find the door.")
    lat: float | None = Field(description="Of the front door, only for those who must find it.")
    lon: float | None = Field(description="Of the front door, only for those who must find it.")
    fence_m: float | None = Field(description="The radius that counts as the home; null: the contract's.")


class Transition(BaseModel):
    kind: str
    visit_version: int
    at: datetime
    recorded_at: datetime
    from_state: str | None
    to_state: str
    findings_added: list[str]
    findings_removed: list[str]
    reason: str


class VisitInFull(Visit):
    zone: str
    place: Place
    provider_name: str
    care_worker_names: dict[str, str] = Field(description="By reference, of everyone rostered or recorded.")
    working: Working | None = Field(description="Null while nothing can be paid for it yet.")
    deadline_at: datetime | None = Field(
        description="The next instant at which it changes if nothing arrives."
    )
    deadline_kind: str | None
    evidence: list[evidence.Event]
    transitions: list[Transition]
    amendments: list[amendments.Amendment]
    alerts: list[alerts.Alert]


VISIT: dict[str, Any] = {
    "id": 4711,
    "ref": "V-2026-11-21-204-1",
    "date": "2026-11-21",
    "service_user": "SU-204",
    "service_user_name": "Mr Example Drake",
    "provider": "P-03",
    "service": "personal-care",
    "funder": "council",
    "planned": {"start": "2026-11-21T09:00:00Z", "end": "2026-11-21T09:30:00Z"},
    "commissioned_minutes": 30,
    "actual": {"start": "2026-11-21T09:02:00Z", "end": "2026-11-21T09:31:00Z"},
    "payable": {"minutes": 30.0, "amount_pence": 1100},
    "state": "completed",
    "state_reason": "checked out 09:31",
    "attendances": [
        {
            "care_worker": "CW-17",
            "check_in_at": "2026-11-21T09:02:00Z",
            "check_out_at": "2026-11-21T09:31:00Z",
            "check_in_event": "019aa3f2-7d1e-7000-8000-000000000001",
            "check_out_event": "019aa40d-0a55-7000-8000-000000000002",
            "amended": False,
        }
    ],
    "findings": [{"code": "location_inside", "measure": 12.0, "limit": 100.0, "unit": "m"}],
    "crossings": [],
    "care_workers": ["CW-17"],
    "carers_required": 1,
    "time_critical": False,
    "cancelled": False,
    "version": 3,
}
IN_FULL = VISIT | {
    "zone": "Europe/London",
    "place": {"area": "North", "address": None, "postcode": None, "lat": None, "lon": None, "fence_m": 100.0},
    "provider_name": "Example Homecare",
    "care_worker_names": {"CW-17": "Carol Example"},
    "working": {
        "minutes": 30.0,
        "amount_pence": 1100,
        "steps": [
            {
                "rule": "basis",
                "clause": "6.1",
                "inputs": {"basis": "actual"},
                "seconds_after": 1800,
                "pence_after": 0,
                "words": "Recorded 09:02 to 09:31",
                "care_worker": None,
            }
        ],
        "exception": None,
    },
    "deadline_at": None,
    "deadline_kind": None,
    "evidence": [evidence.EVENT],
    "transitions": [
        {
            "kind": "change",
            "visit_version": 1,
            "at": "2026-11-21T09:02:04Z",
            "recorded_at": "2026-11-21T09:02:04Z",
            "from_state": "planned",
            "to_state": "in_progress",
            "findings_added": ["location_inside"],
            "findings_removed": [],
            "reason": "check-in received 09:02",
        }
    ],
    "amendments": [amendments.EXAMPLE],
    "alerts": [alerts.EXAMPLE],
}


@router.get(
    "/v1/visits",
    response_model=Page[Visit],
    responses=answers({"items": [VISIT], "next": None}, Link=NEXT_PAGE),
)
async def list_visits(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    on: Annotated[LocalDate | None, Query(alias="date", description="The local date of the plan.")] = None,
    state: Annotated[State | None, Query()] = None,
    provider: Annotated[Ref | None, Query(description="A provider's reference.")] = None,
    worker: Annotated[
        Ref | None, Query(description="A care worker's reference, rostered or attending.")
    ] = None,
    person: Annotated[Ref | None, Query(description="A service user's reference.")] = None,
    limit: Limit = 100,
    cursor: VisitCursor = None,
) -> Page[Visit]:
    """Visits in order of date."""
    after_day, _, after_id = (cursor or "1.0").partition(".")
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_visits,
            who.tenant_id,
            reach(who, Action.READ_VISITS),
            on,
            state,
            provider,
            worker,
            person,
            date.fromordinal(max(1, int(after_day))),
            int(after_id),
            limit,
            door.clock.now(),
        )
    return page_of(
        request,
        response,
        rows,
        limit,
        lambda row: Visit(**_shown(row, who)),
        lambda row: f"{row['local_date'].toordinal()}.{row['visit_id']}",
    )


@router.get("/v1/visits/{visit_id}", response_model=VisitInFull, responses=answers(IN_FULL))
async def get_visit(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    visit_id: Id,
) -> VisitInFull:
    """One visit with all that is known of it: evidence, amendments, what changed when, and its alerts."""
    key = (who.tenant_id, visit_id)
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(sql.get_visit, *key, reach(who, Action.READ_VISITS), door.clock.now())
        if row is None:
            raise NotFound("There is no such visit.")
        events = await connection.fetch(evidence.sql.events_of_visit, *key)
        transitions = await connection.fetch(sql.transitions_of_visit, *key)
        added = await connection.fetch(amendments.sql.amendments_of_visit, *key)
        raised = await connection.fetch(alerts.sql.alerts_of_visit, *key)
        names = await connection.fetch(sql.names_of_workers, who.tenant_id, _workers(row, events), visit_id)
        contracts = await payment_run.contract_book(connection, who.tenant_id)
    if permit(who, Action.READ_FULL_ADDRESS):
        await note_read(door, who, [row["service_user_ref"]], request)
    return VisitInFull(
        **_shown(row, who),
        zone=row["zone"],
        place=_place(row, who),
        provider_name=row["provider_name"],
        care_worker_names={name["ref"]: name["name"] for name in names},
        working=_working(row, contracts, who),
        deadline_at=row["deadline_at"],
        deadline_kind=row["deadline_kind"],
        evidence=[evidence.show_event(event, who, row["findings"]) for event in events],
        transitions=[Transition(**transition) for transition in transitions],
        amendments=[amendments.show(amendment, who) for amendment in added],
        alerts=[alerts.show(alert) for alert in raised],
    )


UNSETTLED = frozenset({"planned", "late", "in_progress", "overrunning"})
OF_MONEY = frozenset({"rate", "workers"})
"""The steps whose words and inputs name a rate or an amount."""

AS_STORED = (
    "ref",
    "service",
    "funder",
    "commissioned_minutes",
    "state",
    "state_reason",
    "attendances",
    "crossings",
    "carers_required",
    "time_critical",
    "cancelled",
    "version",
)


def _shown(row: Mapping[str, Any], who: Actor) -> dict[str, Any]:
    return {name: row[name] for name in AS_STORED} | {
        "id": row["visit_id"],
        "date": row["local_date"],
        "service_user": row["service_user_ref"],
        "service_user_name": _name(row),
        "provider": row["provider_ref"],
        "planned": Span(start=row["planned_start"], end=row["planned_end"]),
        "actual": Span(start=row["actual_start"], end=row["actual_end"]),
        "payable": _payable(row, who),
        "care_workers": row["care_worker_refs"],
        "findings": row["findings"] if _theirs(row) else [distance_unsaid(one) for one in row["findings"]],
    }


def _name(row: Mapping[str, Any]) -> str:
    """In full to those whose plan it was; by an initial to a provider whose worker only says to have been there."""
    name: str = row["service_user_name"]
    return name if _theirs(row) else short_person(name)


def _theirs(row: Mapping[str, Any]) -> bool:
    return bool(row["knows_the_home"] or row["planned_start"])


def _payable(row: Mapping[str, Any], who: Actor) -> Payable | None:
    if row["payable_seconds"] is None:
        return None
    amount_pence = row["amount_pence"] if _reads_money(row, who) else None
    return Payable(minutes=row["payable_seconds"] / 60, amount_pence=amount_pence)


def _reads_money(row: Mapping[str, Any], who: Actor) -> bool:
    """An hourly rate is between the authority and the provider; who may not read actuals sees minutes."""
    return bool(permit(who, Action.READ_ACTUALS, Scope(row["provider_ref"])))


def _place(row: Mapping[str, Any], who: Actor) -> Place:
    in_full = permit(who, Action.READ_FULL_ADDRESS) and row["knows_the_home"]
    return Place(
        area=row["area"],
        address=row["address"] if in_full else None,
        postcode=row["postcode"] if in_full else None,
        lat=row["lat"] if in_full else None,
        lon=row["lon"] if in_full else None,
        fence_m=row["fence_m"] if row["knows_the_home"] else None,
    )


def _working(row: Mapping[str, Any], contracts: payment_run.ContractBook, who: Actor) -> Working | None:
    if row["state"] in UNSETTLED:
        return None
    _, rules = contracts.effective(row)
    line = payment_run.line_for(row, rules)
    steps = [Step(**step.as_json()) for step in line.steps]
    money = _reads_money(row, who)
    if not money:
        steps = [step.model_copy(update={"pence_after": None}) for step in steps if step.rule not in OF_MONEY]
    return Working(
        minutes=line.payable_minutes,
        amount_pence=line.amount_pence if money else None,
        steps=steps,
        exception=line.exception,
    )


def _workers(row: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[str]:
    came = {stay["care_worker"] for stay in row["attendances"]} | {event["care_worker"] for event in events}
    return sorted({ref for ref in came | set(row["care_worker_refs"]) if ref})
