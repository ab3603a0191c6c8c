"""Corrections: each one added, signed and reasoned. Evidence stays as it was; a correction joins it.

One transaction writes the amendment, its line in the audit and the to-do rows that make processing work the
visit out again. What the visit then is, processing decides.

    kind         says                                                      needs
    link         this event belongs to this visit                          event_id
    reject       this event is evidence of no visit                        event_id
    times        a worker's check-in or check-out, as somebody found out   care_worker, one time or both
    frustrated   the worker was there, care could not be given
    cancelled    it was called off
    note         something worth knowing                                   note
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecm.api import evidence, wire
from ecm.api.wire import Asked, EventId, Id, IdempotencyKey, Instant, Ref, answers, asks
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound
from ecm.permit import Action, Actor, permit, reach
from ecm.reasons import ActionTaken, ReasonCode
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "amendments.sql")
router = APIRouter(tags=["amendments"])

FURTHEST_FROM_PLAN = timedelta(hours=48)
KEY_TAKEN = "That Idempotency-Key was used for something else."


class Reasoned(Asked):
    reason_code: ReasonCode
    action_taken: ActionTaken | None = None
    note: wire.Note | None = None


class LinkAsked(Reasoned):
    kind: Literal["link"]
    event_id: UUID


class RejectAsked(Reasoned):
    kind: Literal["reject"]
    event_id: UUID


class TimesAsked(Reasoned):
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("check_in_at", "check_out_at")
            ]
        }
    )
    kind: Literal["times"]
    care_worker: Ref
    check_in_at: Instant | None = None
    check_out_at: Instant | None = None

    @model_validator(mode="after")
    def says_something(self) -> TimesAsked:
        if self.check_in_at is None and self.check_out_at is None:
            raise ValueError("give check_in_at, check_out_at or both")
        return self


class FrustratedAsked(Reasoned):
    kind: Literal["frustrated"]
    care_worker: Ref | None = None


class CancelledAsked(Reasoned):
    kind: Literal["cancelled"]


class NoteAsked(Reasoned):
    kind: Literal["note"]
    note: wire.Note


AmendmentAsked = Annotated[
    LinkAsked | RejectAsked | TimesAsked | FrustratedAsked | CancelledAsked | NoteAsked,
    Field(discriminator="kind"),
]


class Amendment(BaseModel):
    id: int
    visit: int | None
    kind: str
    event_id: UUID | None
    care_worker: str | None
    check_in_at: datetime | None
    check_out_at: datetime | None
    reason_code: str
    action_taken: str | None
    note: str | None = Field(description="Null where you may not read full addresses.")
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What an amendment says, whoever says it: the columns two requests under one key are compared by."""

    visit_id: int | None
    kind: str
    event_id: UUID | None
    care_worker: str | None
    check_in_at: datetime | None
    check_out_at: datetime | None
    reason_code: str
    action_taken: str | None
    note: str | None


EXAMPLE: dict[str, Any] = {
    "id": 12,
    "visit": 4711,
    "kind": "times",
    "event_id": None,
    "care_worker": "CW-17",
    "check_in_at": None,
    "check_out_at": "2026-11-21T09:31:00Z",
    "reason_code": "forgot_check_out",
    "action_taken": "phoned_worker",
    "note": None,
    "made_by": "Dana Duty",
    "made_at": "2026-11-21T11:05:00Z",
}
REJECTED = EXAMPLE | {
    "visit": None,
    "kind": "reject",
    "event_id": "019aa3f2-7d1e-7000-8000-000000000001",
    "care_worker": None,
    "check_out_at": None,
    "reason_code": "test",
    "action_taken": None,
}


@router.post(
    "/v1/visits/{visit_id}/amendments",
    status_code=201,
    response_model=Amendment,
    responses=answers(EXAMPLE, 409, status=201) | {200: {"description": "Added before", "model": Amendment}},
    openapi_extra=asks(
        {
            "kind": "times",
            "care_worker": "CW-17",
            "check_out_at": "2026-11-21T09:31:00Z",
            "reason_code": "forgot_check_out",
            "action_taken": "phoned_worker",
        }
    ),
)
async def amend_visit(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.AMEND_VISIT))],
    visit_id: Id,
    asked: Annotated[AmendmentAsked, Body()],
    idempotency_key: IdempotencyKey = None,
) -> Amendment:
    """Adds a correction to a visit."""
    content = _content(visit_id, asked)
    async with door.web.locked(who.lock) as connection:
        if before := await _added_before(connection, who, content, idempotency_key):
            response.status_code = 200
            return before
        await _check_visit(connection, who, visit_id, content)
        event = await _event_to_amend(connection, who, content.event_id) if content.event_id else None
        if content.kind == "reject" and event and event["visit_id"] != visit_id:
            raise Conflict("That event is not on this visit.")
        return await _add(connection, request, response, door, who, content, event, idempotency_key)


@router.post(
    "/v1/check-events/{event_id}/rejection",
    status_code=201,
    response_model=Amendment,
    responses=answers(REJECTED, 409, status=201) | {200: {"description": "Added before", "model": Amendment}},
    openapi_extra=asks({"reason_code": "test"}),
)
async def reject_event(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.AMEND_VISIT))],
    event_id: EventId,
    asked: Reasoned,
    idempotency_key: IdempotencyKey = None,
) -> Amendment:
    """Says that an event is evidence of no visit. It stays in the evidence, with the reason beside it."""
    async with door.web.locked(who.lock) as connection:
        content = _content(None, asked, kind="reject", event_id=event_id)
        if before := await _added_before(connection, who, content, idempotency_key):
            response.status_code = 200
            return before
        event = await _event_to_amend(connection, who, event_id)
        if event["status"] == "rejected":
            raise Conflict("That event was rejected before.")
        content = replace(content, visit_id=event["visit_id"])
        return await _add(connection, request, response, door, who, content, event, idempotency_key)


def show(row: Mapping[str, Any], who: Actor) -> Amendment:
    """Free words only to those who care for the person, as with reports."""
    hidden = {} if permit(who, Action.READ_FULL_ADDRESS) else {"note": None}
    renamed = {"amendment_id": "id", "visit_id": "visit"}
    return Amendment(**{renamed.get(name, name): value for name, value in ({**row, **hidden}).items()})


def _content(visit_id: int | None, asked: Reasoned, **known: Any) -> Content:
    """Each kind has only some of the columns; the others are NULL."""
    said: dict[str, Any] = {
        name: getattr(asked, name, None) for name in Content.__dataclass_fields__ if name != "visit_id"
    }
    return Content(visit_id, **(said | known))


async def _check_visit(connection: Connection, who: Actor, visit_id: int, content: Content) -> None:
    """Raises NotFound, and Conflict for what somebody must have mistyped."""
    only = reach(who, Action.AMEND_VISIT)
    visit = await connection.fetchrow(sql.visit_to_amend, who.tenant_id, visit_id, only)
    if visit is None:
        raise NotFound("There is no such visit.")
    for at in (content.check_in_at, content.check_out_at):
        if at is not None and abs(at - visit["window_start"]) > FURTHEST_FROM_PLAN:
            raise Conflict(f"{at.isoformat()} is more than 48 hours from this visit.")
    if content.check_in_at and content.check_out_at and content.check_out_at < content.check_in_at:
        raise Conflict("The check-out is before the check-in.")
    if content.care_worker is not None and not await connection.fetchval(
        sql.may_name_care_worker,
        who.tenant_id,
        content.care_worker,
        only,
        visit["care_worker_refs"],
        visit_id,
    ):
        whose = "No care worker" if only is None else f"No care worker of provider {only}"
        raise Conflict(f"{whose} has the reference {content.care_worker}.")


async def _event_to_amend(connection: Connection, who: Actor, event_id: UUID) -> Record:
    """Raises NotFound, also when another provider's visit stands on this event."""
    only = reach(who, Action.AMEND_VISIT)
    event: Record | None = await connection.fetchrow(evidence.sql.get_event, who.tenant_id, event_id, only)
    if event is None:
        raise NotFound("There is no such check event.")
    return event


async def _add(
    connection: Connection,
    request: Request,
    response: Response,
    door: Services,
    who: Actor,
    content: Content,
    event: Record | None,
    idempotency_key: str | None,
) -> Amendment:
    now = door.clock.now()
    counted_for: int | None = event["visit_id"] if event else None
    row = await connection.fetchrow(
        sql.insert_amendment,
        who.tenant_id,
        content.visit_id,
        content.kind,
        content.event_id,
        content.care_worker,
        content.check_in_at and content.check_in_at.astimezone(UTC),
        content.check_out_at and content.check_out_at.astimezone(UTC),
        content.reason_code,
        content.action_taken,
        content.note,
        who.name,
        now,
        idempotency_key,
        counted_for if content.kind == "link" and counted_for != content.visit_id else None,
    )
    if row is None:  # the same request, twice at the same moment
        response.status_code = 200
        before = await _added_before(connection, who, content, idempotency_key)
        if before is None:  # somebody's whose amendments are not there for this one to see
            raise Conflict(KEY_TAKEN)
        return before
    visits = {content.visit_id, counted_for}
    events = [content.event_id] if content.event_id else []
    todo = [visit_id for visit_id in visits if visit_id is not None]
    await connection.execute(sql.insert_todos, who.tenant_id, events, todo)
    await write_down(
        connection,
        who.tenant_id,
        str(who),
        f"amended_{content.kind}",
        f"visit {content.visit_id}" if content.visit_id else f"check event {content.event_id}",
        now,
        reason=content.reason_code,
        origin=address_of(request),
    )
    await connection.execute(sql.tell_processing)
    return show(row, who)


async def _added_before(
    connection: Connection, who: Actor, content: Content, idempotency_key: str | None
) -> Amendment | None:
    """The first answer again. Raises Conflict when the key was used for something else, or by somebody else.

    A rejection is about the event alone: the visit it stood on is no longer its visit the second time.
    """
    if idempotency_key is None:
        return None
    row = await connection.fetchrow(sql.amendment_by_key, who.tenant_id, idempotency_key)
    if row is None:
        return None
    names = Content.__dataclass_fields__.keys() - ({"visit_id"} if content.kind == "reject" else set())
    if any(row[name] != getattr(content, name) for name in names) or row["made_by"] != who.name:
        raise Conflict(KEY_TAKEN)
    return show(row, who)
