"""Reading evidence: what was sent, when we got it, and what became of it. Nothing here changes anything.

Where a person lives can be read off a fix, and a landline's number names a home. Whoever may not read a
full address gets the fix to about a kilometre and the last three digits, and no note, which may be about a
key or somebody's health; the findings say how far it was from the home. What could not be understood is
masked for them in the same spirit (`ecm.api.masking`).

With each event goes what its door checked for itself (`proofs`) and what that proves of who, where and when
(`grades`, `ecm.visit.proof`). Words that only somebody at a desk can have written are told of such an entry alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from ecm.api.masking import masked
from ecm.api.reads import note_read
from ecm.api.wire import (
    NEXT_PAGE,
    EventId,
    IdCursor,
    Limit,
    LocalDate,
    Page,
    answers,
    from_micros,
    page_of,
    to_micros,
)
from ecm.authorities import authority
from ecm.doors import Services, permit_for, services
from ecm.errors import NotFound
from ecm.permit import Action, Actor, permit, reach
from ecm.processing import rows as stored
from ecm.signed import unwrap
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.clocks import utc_of
from ecm.visit.model import EventKind, Finding, FindingCode
from ecm.visit.proof import Grade, Graded, Proof, graded

sql = load_queries(__package__, "evidence.sql")
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
FIRST_DATE, LAST_DATE = date(1, 1, 2), date(9999, 12, 30)  # with a day before and after, in any zone

router = APIRouter(tags=["evidence"])

REDUCED_DECIMALS = 2
REDUCED_DIGITS = 3
BODY_SHOWN_AT_MOST = 10_000

# Digits of a received_at and an event's id, in the order the lists have.
EventCursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,16}\.[0-9a-f]{32}$", description="`next` of the page before."),
]


class EventLine(BaseModel):
    id: UUID
    received_at: datetime
    kind: EventKind
    visit: int | None
    status: str = Field(
        description="`received` until it is processed, then `matched`, `unmatched` or `rejected`."
    )
    reason: str


class FixShown(BaseModel):
    lat: float
    lon: float
    accuracy_m: float | None
    fixed_at: datetime | None
    reduced: bool = Field(
        description="Rounded to about a kilometre, because you may not read full addresses."
    )


class FixGone(BaseModel):
    distance_m: float | None = Field(description="From the door, or beyond the edge of a drawn fence.")
    fence_m: float | None


class GradeShown(BaseModel):
    grade: Grade
    words: str


class Grades(BaseModel):
    person: GradeShown
    place: GradeShown
    time: GradeShown


class Event(EventLine):
    occurred_at: datetime
    method: str
    care_worker: str | None = Field(description="As worked out, else as sent.")
    service_user: str | None = Field(description="As worked out, else as sent.")
    visit_ref: str | None = Field(description="As sent.")
    fix: FixShown | None
    fix_reduced_to: FixGone | None = Field(
        description="What stays of a fix that is no longer kept: how far it was from the door."
    )
    cli: str | None
    reason_code: str | None
    device: str | None
    proofs: list[str] = Field(description="What the door that took it checked for itself.")
    grades: Grades = Field(description="What proves who, where and when, each by itself.")
    note: str | None = Field(description="As sent; null where you may not read full addresses.")
    entered_by: str | None = Field(description="Who entered it at a desk; null for every other event.")


class Quarantined(BaseModel):
    id: int
    received_at: datetime
    door: str
    reason: str
    event_id: UUID | None
    key_id: int | None
    body: str = Field(description="The beginning of what was sent, as text.")
    reduced: bool = Field(
        description="Positions, telephone numbers and notes are masked, because you may not read full addresses."
    )


LINE = {
    "id": "019aa3f2-7d1e-7000-8000-000000000001",
    "received_at": "2026-11-21T09:02:04Z",
    "kind": "check_in",
    "visit": 4711,
    "status": "matched",
    "reason": "named its visit",
}
EVENT = LINE | {
    "occurred_at": "2026-11-21T09:02:00Z",
    "method": "app",
    "care_worker": "CW-17",
    "service_user": "SU-204",
    "visit_ref": "V-2026-11-21-204-1",
    "fix": {
        "lat": 53.8,
        "lon": -1.55,
        "accuracy_m": 12.0,
        "fixed_at": "2026-11-21T09:01:58Z",
        "reduced": True,
    },
    "fix_reduced_to": None,
    "cli": None,
    "reason_code": None,
    "device": "phone-17",
    "proofs": ["signed"],
    "grades": {
        "person": {"grade": "strong", "words": "signed by the worker's own phone"},
        "place": {"grade": "good", "words": "the position is at the home"},
        "time": {"grade": "strong", "words": "received as it happened"},
    },
    "note": None,
    "entered_by": None,
}
UNMATCHED = EVENT | {
    "visit": None,
    "visit_ref": None,
    "status": "unmatched",
    "reason": "no visit near that time",
}
QUARANTINED = {
    "id": 3,
    "received_at": "2026-11-21T09:02:04Z",
    "door": "check-events",
    "reason": "not JSON",
    "event_id": None,
    "key_id": 1,
    "body": "{",
    "reduced": True,
}


@router.get(
    "/v1/check-events",
    response_model=Page[EventLine],
    responses=answers({"items": [LINE], "next": None}, Link=NEXT_PAGE),
)
async def list_events(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    on: Annotated[LocalDate | None, Query(alias="date", description="Received on this local date.")] = None,
    limit: Limit = 100,
    cursor: EventCursor = None,
) -> Page[EventLine]:
    """What was received, oldest first, and what became of it."""
    after_at, after_id = _place(cursor)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_events,
            who.tenant_id,
            reach(who, Action.READ_VISITS),
            *await _received(connection, who.tenant_id, on),
            after_at,
            after_id,
            limit,
        )
    return page_of(
        request,
        response,
        rows,
        limit,
        lambda row: EventLine(**_line(row)),
        lambda row: _cursor(row["received_at"], row["event_id"]),
    )


@router.get("/v1/check-events/{event_id}", response_model=Event, responses=answers(EVENT))
async def get_event(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    event_id: EventId,
) -> Event:
    """What became of one event."""
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(
            sql.get_event, who.tenant_id, event_id, reach(who, Action.READ_VISITS)
        )
    if row is None:
        raise NotFound("There is no such check event.")
    await _note(door, who, [row], request)
    return show_event(row, who, row["findings"] or ())


@router.get(
    "/v1/unmatched",
    response_model=Page[Event],
    responses=answers({"items": [UNMATCHED], "next": None}, Link=NEXT_PAGE),
)
async def list_unmatched(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_UNMATCHED))],
    limit: Limit = 100,
    cursor: EventCursor = None,
) -> Page[Event]:
    """Events that belong to no visit yet. Link each to a visit by an amendment, or reject it."""
    after_at, after_id = _place(cursor)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_unmatched, who.tenant_id, reach(who, Action.READ_UNMATCHED), after_at, after_id, limit
        )
    await _note(door, who, rows, request)
    return page_of(
        request,
        response,
        rows,
        limit,
        lambda row: show_event(row, who),
        lambda row: _cursor(row["occurred_at"], row["event_id"]),
    )


@router.get(
    "/v1/quarantine",
    response_model=Page[Quarantined],
    responses=answers({"items": [QUARANTINED], "next": None}, Link=NEXT_PAGE),
)
async def list_quarantine(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_QUARANTINE))],
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[Quarantined]:
    """What could not be understood, and other bodies under a known id. Kept aside, never lost."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_quarantine, who.tenant_id, int(cursor or 0), limit)
    in_full = bool(permit(who, Action.READ_FULL_ADDRESS))
    if in_full:
        things = [f"quarantine {row['quarantine_id']}" for row in rows]
        await note_read(door, who, (), request, things=things)
    return page_of(
        request,
        response,
        rows,
        limit,
        lambda row: _quarantined(row, in_full),
        lambda row: str(row["quarantine_id"]),
    )


async def _note(door: Services, who: Actor, rows: Sequence[Record], request: Request) -> None:
    """A position and a landline's number say where somebody is, whether or not it is known who."""
    if permit(who, Action.READ_FULL_ADDRESS):
        people = {row["event_id"]: row["service_user_ref"] or row["service_user"] for row in rows}
        things = [f"check event {event_id}" for event_id, ref in people.items() if not ref]
        await note_read(door, who, filter(None, people.values()), request, things=things)


def show_event(row: Record, who: Actor, findings: Iterable[Mapping[str, Any]] = ()) -> Event:
    """An event as `who` may see it. `findings`: those of the visit it counts for, as stored."""
    in_full = bool(permit(who, Action.READ_FULL_ADDRESS))
    said = _said(row["body"])
    return Event(
        **_line(row),
        occurred_at=row["occurred_at"],
        method=row["method"],
        care_worker=row["care_worker_ref"] or row["care_worker"],
        service_user=row["service_user_ref"] or row["service_user"],
        visit_ref=row["visit"],
        fix=_fix(row, in_full),
        fix_reduced_to=FixGone(**row["reduced"]) if row["reduced"] else None,
        cli=row["cli"] if in_full or row["cli"] is None else f"…{row['cli'][-REDUCED_DIGITS:]}",
        reason_code=row["reason_code"],
        device=row["device_id"],
        proofs=sorted(row["proofs"]),
        grades=_grades(row, findings),
        note=_text(said.get("note")) if in_full else None,
        entered_by=_text(said.get("entered_by")) if Proof.TYPED in row["proofs"] else None,
    )


def _line(row: Record) -> dict[str, Any]:
    return {
        "id": row["event_id"],
        "received_at": row["received_at"],
        "kind": row["kind"],
        "visit": row["visit_id"],
        "status": row["status"] or "received",
        "reason": row["reason"] or "",
    }


def _quarantined(row: Mapping[str, Any], in_full: bool) -> Quarantined:
    body = row["body"][:BODY_SHOWN_AT_MOST].decode("utf-8", "replace")
    return Quarantined(
        id=row["quarantine_id"],
        received_at=row["received_at"],
        door=row["door"],
        reason=row["reason"],
        event_id=row["event_id"],
        key_id=row["key_id"],
        body=body if in_full else masked(body),
        reduced=not in_full,
    )


def _grades(row: Record, findings: Iterable[Mapping[str, Any]]) -> Grades:
    about = [
        Finding(FindingCode(finding["code"]), event_id=row["event_id"])
        for finding in findings
        if finding.get("event_id") == str(row["event_id"])
    ]
    event = stored.check_event(
        row,
        care_worker=row["care_worker_ref"] or row["care_worker"],
        service_user=row["service_user_ref"] or row["service_user"],
    )
    found = graded(event, about)
    return Grades(person=_grade(found.person), place=_grade(found.place), time=_grade(found.time))


def _grade(found: Graded) -> GradeShown:
    return GradeShown(grade=found.grade, words=found.words)


def text_said(body: str, name: str) -> str | None:
    """A text that was sent by that name."""
    return _text(_said(body).get(name))


def _said(body: str) -> dict[str, Any]:
    """What was sent, taken out of its signature; nothing of a body that only a salvage could read."""
    item = unwrap(body.encode("utf-8", "surrogateescape"))
    try:
        said = json.loads(body if item is None else item.jws.payload)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _fix(row: Record, in_full: bool) -> FixShown | None:
    if row["lat"] is None or row["lon"] is None:
        return None
    return FixShown(
        lat=row["lat"] if in_full else round(row["lat"], REDUCED_DECIMALS),
        lon=row["lon"] if in_full else round(row["lon"], REDUCED_DECIMALS),
        accuracy_m=row["accuracy_m"],
        fixed_at=row["fixed_at"],
        reduced=not in_full,
    )


async def _received(connection: Connection, tenant_id: int, on: date | None) -> tuple[datetime, datetime]:
    """Between which instants something was received on a local date, or ever."""
    if on is None:
        return EVER
    row = await authority(connection, tenant_id)
    assert row is not None
    on = min(max(on, FIRST_DATE), LAST_DATE)
    return utc_of(on, time.min, row["zone"]), utc_of(on + timedelta(days=1), time.min, row["zone"])


def _place(cursor: str | None) -> tuple[datetime, UUID]:
    micros, _, event_id = (cursor or f"0.{'0' * 32}").partition(".")
    return from_micros(int(micros)), UUID(event_id)


def _cursor(at: datetime, event_id: UUID) -> str:
    return f"{max(0, to_micros(at))}.{event_id.hex}"
