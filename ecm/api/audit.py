"""The audit: every change a person or a system made through this API, in the transaction that made it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from ecm.api.wire import NEXT_PAGE, IdCursor, Limit, Page, answers, page_of
from ecm.doors import Services, permit_for, services
from ecm.permit import Action, Actor
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")
router = APIRouter(tags=["audit"])


async def write_down(
    connection: Connection,
    tenant_id: int,
    who: str,
    action: str,
    subject: str,
    at: datetime,
    *,
    reason: str | None = None,
    origin: str | None = None,
) -> None:
    """Adds one entry within the caller's transaction. `who` is `str(actor)`, `origin` an address."""
    await connection.execute(sql.insert_entry, tenant_id, at, who, action, subject, reason, origin)


class Entry(BaseModel):
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    origin: str | None


EXAMPLE = {
    "items": [
        {
            "id": 812,
            "at": "2026-11-21T09:16:40Z",
            "actor": "account 4 Dana Duty",
            "action": "alert_acknowledged",
            "subject": "alert 57",
            "reason": None,
            "origin": "192.0.2.7",
        }
    ],
    "next": None,
}


@router.get("/v1/audit", response_model=Page[Entry], responses=answers(EXAMPLE, Link=NEXT_PAGE))
async def list_audit(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_AUDIT))],
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[Entry]:
    """Who did what, oldest first."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_entries, who.tenant_id, int(cursor or 0), limit)
    return page_of(request, response, rows, limit, _entry, lambda row: str(row["audit_id"]))


def _entry(row: Record) -> Entry:
    return Entry(
        id=row["audit_id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        reason=row["reason"],
        origin=row["origin"],
    )
