"""Entered at a desk: a check-in or check-out that somebody was told of, with a reason, and visibly so for ever.

It joins the evidence as one more check event of method `manual`. It replaces nothing: what a phone or a telephone said
of the same visit stays, and what is worth more counts for more (`ecm.visit.proof`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound, NotUnderstood
from ecm.permit import Action, Actor, Scope, reach, require
from ecm.reasons import ReasonCode
from ecm.store.queries import load_queries
from ecm.visit.proof import Proof
from ingest.keys import KeyHolder
from ingest.model import EARLIEST, LATEST
from ingest.recorder import Recorder

sql = load_queries(__package__, "desk.sql")
router = APIRouter(tags=["evidence"])

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")
]


class EntryAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(description="Made by the sender before the first try.")
    kind: Literal["check_in", "check_out"]
    occurred_at: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
    care_worker: Words
    reason_code: ReasonCode
    note: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = None


class Entered(BaseModel):
    id: UUID
    status: Literal["created", "exists"]
    received_at: datetime


EXAMPLE: dict[str, Any] = {
    "id": "019aa3f2-7d1e-7000-8000-00000000000a",
    "status": "created",
    "received_at": "2026-11-21T11:05:00Z",
}
ASKED = {
    "id": EXAMPLE["id"],
    "kind": "check_out",
    "occurred_at": "2026-11-21T09:31:00Z",
    "care_worker": "CW-17",
    "reason_code": "forgot_check_out",
    "note": "Told us by telephone; the person's daughter agrees",
}


@router.post(
    "/v1/visits/{visit_id}/check-events",
    status_code=201,
    response_model=Entered,
    responses={
        201: {"content": {"application/json": {"example": EXAMPLE}}},
        200: {"description": "Entered before", "model": Entered},
        409: {},
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"example": ASKED}}}},
)
async def enter(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.AMEND_VISIT))],
    visit_id: Annotated[int, Path(ge=1, le=2**63 - 1, examples=[1])],
    asked: EntryAsked,
) -> Entered:
    """Enters a check-in or check-out by hand, with its reason."""
    async with door.web.locked(who.lock) as connection:
        only = reach(who, Action.AMEND_VISIT)
        visit = await connection.fetchrow(sql.visit, who.tenant_id, visit_id, only)
        if visit is None:
            raise NotFound("There is no such visit.")
        require(who, Action.AMEND_VISIT, Scope(visit["provider_ref"]))
        if not await connection.fetchval(
            sql.may_name_care_worker,
            who.tenant_id,
            asked.care_worker,
            only,
            visit["care_worker_refs"],
            visit_id,
        ):
            raise Conflict("No care worker has that reference.")
        if asked.occurred_at > door.clock.now():
            raise Conflict("That has not happened yet.")
    recorder: Recorder = request.app.state.recorder
    recorded = await recorder.record(
        KeyHolder(who.lock.tenant_id, None, str(who), may_record=True),
        {
            "id": str(asked.id),
            "kind": asked.kind,
            "occurred_at": asked.occurred_at.isoformat(),
            "method": "manual",
            "care_worker": asked.care_worker,
            "service_user": visit["service_user_ref"],
            "visit": visit["ref"],
            "reason_code": asked.reason_code,
            "note": asked.note,
            "entered_by": who.name,
        },
        [Proof.TYPED],
    )
    if recorded.status == "conflict":
        raise Conflict("This id is already recorded with another body.")
    if recorded.status == "refused" or recorded.event_id is None:
        raise NotUnderstood(recorded.reason)
    if recorded.status == "exists":
        response.status_code = 200
    subject = f"visit {visit_id}, check event {recorded.event_id}"
    async with door.web.locked(who.lock) as connection:
        if not await connection.fetchval(sql.is_written_down, who.tenant_id, subject):
            await write_down(
                connection,
                who.tenant_id,
                str(who),
                "entered_by_hand",
                subject,
                door.clock.now(),
                reason=asked.reason_code,
                origin=address_of(request),
            )
    return Entered(id=recorded.event_id, status=recorded.status, received_at=recorded.received_at)
