"""Alerts: reading them, and who deals with which.

An alert is open, acknowledged by one person, or stood down by evidence. Two officers may press at the same
moment: the first one owns it and the second is told who does. Pressing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from ecm.api import wire
from ecm.api.wire import NEXT_PAGE, Asked, Id, IdCursor, Limit, LocalDate, Page, answers, asks, page_of
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound
from ecm.permit import Action, Actor, permit, reach
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "alerts.sql")
router = APIRouter(tags=["alerts"])


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    STOOD_DOWN = "stood_down"


class Alert(BaseModel):
    id: int
    visit: int
    visit_ref: str
    provider: str
    kind: str
    raised_for: datetime
    raised_at: datetime
    severity: str
    state: AlertState
    reason: str
    owner: str | None
    acknowledged_at: datetime | None
    stood_down_at: datetime | None
    stood_down_reason: str | None


class AlertAction(BaseModel):
    kind: str
    made_by: str
    made_at: datetime
    note: str | None = Field(description="Null where you may not read full addresses.")


class AlertInFull(Alert):
    actions: list[AlertAction]


class AcknowledgementAsked(Asked):
    note: wire.Note | None = None


EXAMPLE: dict[str, Any] = {
    "id": 57,
    "visit": 4711,
    "visit_ref": "V-2026-11-21-204-1",
    "provider": "P-03",
    "kind": "late",
    "raised_for": "2026-11-21T09:15:00Z",
    "raised_at": "2026-11-21T09:15:00Z",
    "severity": "warning",
    "state": "acknowledged",
    "reason": "no check-in received by 09:15",
    "owner": "Dana Duty",
    "acknowledged_at": "2026-11-21T09:16:40Z",
    "stood_down_at": None,
    "stood_down_reason": None,
}
IN_FULL = EXAMPLE | {
    "actions": [
        {
            "kind": "acknowledged",
            "made_by": "Dana Duty",
            "made_at": "2026-11-21T09:16:40Z",
            "note": "Ringing the care worker",
        }
    ]
}


@router.get(
    "/v1/alerts",
    response_model=Page[Alert],
    responses=answers({"items": [EXAMPLE], "next": None}, Link=NEXT_PAGE),
)
async def list_alerts(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    on: Annotated[LocalDate | None, Query(alias="date", description="The visit's local date.")] = None,
    state: Annotated[AlertState | None, Query()] = None,
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[Alert]:
    """Alerts, oldest first."""
    only = reach(who, Action.READ_VISITS)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_alerts, who.tenant_id, only, on, state, int(cursor or 0), limit
        )
    return page_of(request, response, rows, limit, show, lambda row: str(row["alert_id"]))


@router.get("/v1/alerts/{alert_id}", response_model=AlertInFull, responses=answers(IN_FULL))
async def get_alert(
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    alert_id: Id,
) -> AlertInFull:
    """One alert, and what people did about it."""
    async with door.web.locked(who.lock) as connection:
        return await _in_full(connection, who, alert_id, Action.READ_VISITS)


@router.post(
    "/v1/alerts/{alert_id}/acknowledgement",
    response_model=AlertInFull,
    responses=answers(IN_FULL, 409),
    openapi_extra=asks({"note": "Ringing the care worker"}),
)
async def acknowledge(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.ACKNOWLEDGE_ALERT))],
    alert_id: Id,
    asked: Annotated[AcknowledgementAsked | None, Body()] = None,
) -> AlertInFull:
    """Takes an alert on, so that everybody sees who deals with it."""
    note, now = asked.note if asked else None, door.clock.now()
    async with door.web.locked(who.lock) as connection:
        state, owner, owned_by = await _lock(connection, who, alert_id)
        if state == AlertState.STOOD_DOWN:
            raise Conflict("It was stood down: evidence has arrived.")
        is_theirs = owner == who.name if owned_by is None else owned_by == str(who)
        if state == AlertState.ACKNOWLEDGED and not is_theirs:
            raise Conflict(f"{owner} is dealing with it.")
        if state == AlertState.OPEN:
            await _record(connection, request, who, alert_id, "acknowledged", now, note)
            await _move(connection, who, alert_id, AlertState.OPEN, AlertState.ACKNOWLEDGED, who, now)
    return await get_alert(door, who, alert_id)


@router.delete(
    "/v1/alerts/{alert_id}/acknowledgement", response_model=AlertInFull, responses=answers(IN_FULL, 409)
)
async def release(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.ACKNOWLEDGE_ALERT))],
    alert_id: Id,
) -> AlertInFull:
    """Gives an alert back, one's own or that of somebody whose shift has ended. Whoever was not told of it while it
    was somebody's is told now."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        state, _, _ = await _lock(connection, who, alert_id)
        if state == AlertState.STOOD_DOWN:
            raise Conflict("It was stood down: evidence has arrived.")
        if state == AlertState.ACKNOWLEDGED:
            await _record(connection, request, who, alert_id, "released", now, None)
            await connection.execute(sql.look_again, who.tenant_id, alert_id)
            await _move(connection, who, alert_id, AlertState.ACKNOWLEDGED, AlertState.OPEN, None, None)
    return await get_alert(door, who, alert_id)


def show(row: Mapping[str, Any]) -> Alert:
    return Alert(**_shown(row))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"alert_id": "id", "visit_id": "visit", "provider_ref": "provider"}
    return {renamed.get(name, name): value for name, value in row.items()}


async def _lock(
    connection: Connection, who: Actor, alert_id: int
) -> tuple[AlertState, str | None, str | None]:
    """Its state, what its owner is called, and who that is."""
    only = reach(who, Action.ACKNOWLEDGE_ALERT)
    row = await connection.fetchrow(sql.lock_alert, who.tenant_id, alert_id, only)
    if row is None:
        raise NotFound("There is no such alert.")
    return AlertState(row["state"]), row["owner"], row["owned_by"]


async def _record(
    connection: Connection,
    request: Request,
    who: Actor,
    alert_id: int,
    kind: str,
    now: datetime,
    note: str | None,
) -> None:
    await connection.execute(sql.insert_action, who.tenant_id, alert_id, kind, who.name, now, note)
    await write_down(
        connection,
        who.tenant_id,
        str(who),
        f"alert_{kind}",
        f"alert {alert_id}",
        now,
        origin=address_of(request),
    )
    await connection.execute(sql.tell_board, who.tenant_id)


async def _move(
    connection: Connection,
    who: Actor,
    alert_id: int,
    before: AlertState,
    after: AlertState,
    owner: Actor | None,
    at: datetime | None,
) -> None:
    moved = await connection.fetchval(
        sql.set_owner,
        who.tenant_id,
        alert_id,
        before,
        after,
        owner and owner.name,
        at,
        owner and str(owner),
    )
    assert moved == alert_id, "the row was locked, so it cannot have changed"


async def _in_full(connection: Connection, who: Actor, alert_id: int, action: Action) -> AlertInFull:
    row = await connection.fetchrow(sql.get_alert, who.tenant_id, alert_id, reach(who, action))
    if row is None:
        raise NotFound("There is no such alert.")
    actions = await connection.fetch(sql.actions_on_alert, who.tenant_id, alert_id)
    hidden = {} if permit(who, Action.READ_FULL_ADDRESS) else {"note": None}
    return AlertInFull(**_shown(row), actions=[AlertAction(**{**one, **hidden}) for one in actions])
