"""Notices: what whoever administers should know of the doors and keys, and whether somebody has seen it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from ecm.api.wire import Id, answers
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import NotFound
from ecm.notices import in_words, what_to_do
from ecm.permit import Action, Actor
from ecm.store.db import Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "notices.sql")
router = APIRouter(tags=["accounts"])


class Notice(BaseModel):
    id: int
    kind: str
    subject: str = Field(description="Kind and id, such as `account 4`.")
    words: str
    do: str
    first_at: datetime
    last_at: datetime
    times: int
    told_at: datetime | None = Field(description="When a message about it was taken; null when none was.")
    seen_at: datetime | None
    seen_by: str | None


class Notices(BaseModel):
    items: list[Notice]


NOTICE = {
    "id": 3,
    "kind": "guessing",
    "subject": "account 4",
    "words": "Account 4 is being guessed at.",
    "do": "Ask its owner whether it was they; a passkey cannot be guessed.",
    "first_at": "2026-11-23T02:10:00Z",
    "last_at": "2026-11-23T02:31:00Z",
    "times": 41,
    "told_at": "2026-11-23T02:20:05Z",
    "seen_at": None,
    "seen_by": None,
}

Door = Annotated[Services, Depends(services)]


@router.get("/v1/notices", response_model=Notices, responses=answers({"items": [NOTICE]}))
async def list_notices(
    door: Door,
    who: Annotated[Actor, Depends(permit_for(Action.READ_AUDIT))],
    seen: Annotated[bool, Query(description="Those that were seen, too.")] = False,
) -> Notices:
    """The latest two hundred, those that nobody has seen first."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_notices, who.tenant_id, seen)
    return Notices(items=[_notice(row) for row in rows])


@router.post("/v1/notices/{notice_id}/seen", response_model=Notice, responses=answers(NOTICE))
async def see_notice(
    request: Request,
    door: Door,
    who: Annotated[Actor, Depends(permit_for(Action.MANAGE_ACCOUNTS))],
    notice_id: Id,
) -> Notice:
    """Says that somebody has seen it. If it goes on, it is a new notice."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(sql.see, who.tenant_id, notice_id, now, f"{who.kind} {who.id}")
        if row is None:
            raise NotFound
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "notice_seen",
            f"notice {notice_id}",
            now,
            reason=row["kind"],
            origin=address_of(request),
        )
    return _notice(row)


def _notice(row: Record) -> Notice:
    return Notice(
        id=row["notice_id"],
        kind=row["kind"],
        subject=row["subject"],
        words=in_words(row["kind"], row["subject"]),
        do=what_to_do(row["kind"]),
        first_at=row["first_at"],
        last_at=row["last_at"],
        times=row["times"],
        told_at=row["told_at"],
        seen_at=row["seen_at"],
        seen_by=row["seen_by"],
    )
