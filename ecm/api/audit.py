"""Reading the audit, and having it proved. What writes it is `ecm.audit`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from ecm.api.wire import BIGGEST_ID, NEXT_PAGE, Limit, LocalDate, Page, Ref, answers, page_of
from ecm.audit import verify
from ecm.audit.writing import write_down as write_down  # the callers of this package ask for it here
from ecm.doors import Services, permit_for, services
from ecm.permit import Action, Actor
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")
router = APIRouter(tags=["audit"])

PERSON = "service user "

# `s` and a place in the chain; digits alone are an entry's id, as they were before there was one.
AuditCursor = Annotated[
    str | None,
    Query(
        pattern=r"^s?[0-9]{1,18}$", description="`next` of the page before, or `s` and the last `seq` read."
    ),
]
ByAction = Annotated[Ref | None, Query(description="One action's entries.", examples=["alert_acknowledged"])]
ByActor = Annotated[
    Ref | None, Query(description="Whoever did it: kind and id, never a name.", examples=["account 4"])
]
BySubject = Annotated[
    Ref | None,
    Query(description="What it was done to: kind and id, never a name.", examples=["service user SU-A"]),
]
Since = Annotated[LocalDate | None, Query(alias="from", description="On this local date or later.")]
NewestFirst = Annotated[bool, Query(description="From the end back, rather than from the beginning on.")]
Until = Annotated[LocalDate | None, Query(alias="to", description="On this local date or earlier.")]


class AuditEntry(BaseModel):
    id: int
    seq: int = Field(description="Its place in the chain: entries are linked in the order of their commits.")
    at: datetime
    actor: str
    actor_ref: str = Field(description="Kind and id; empty where the words name none.")
    action: str
    subject: str
    subject_ref: str = Field(description="Kind and id; empty where the words name none.")
    reason: str | None
    origin: str | None = Field(description="The address it came from.")
    agent: str | None = Field(description="What the browser or program called itself.")
    facts: dict[str, Any] = Field(description="Refs and numbers that belong to it.")
    erased: bool = Field(description="Its words were erased; refs and facts stay.")
    hash: str = Field(description="SHA-256 over the entry and the hash before it, in hex.")


class RowFound(BaseModel):
    seq: int | None = Field(description="Null for an entry that has no place in the chain.")
    id: int | None
    says: str


class HeadTold(BaseModel):
    seq: int
    at: datetime


class AuditVerified(BaseModel):
    whole: bool
    entries: int = Field(description="How many rows were read: up to the first bad one, or all.")
    head: str | None = Field(description="The last hash, in hex; null before the first entry.")
    first_bad: RowFound | None
    last_told_outside: HeadTold | None = Field(description="The newest head that was exported.")


EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "id": 812,
            "seq": 810,
            "at": "2026-11-21T09:16:40Z",
            "actor": "account 4 Dana Duty",
            "actor_ref": "account 4",
            "action": "alert_acknowledged",
            "subject": "alert 57",
            "subject_ref": "alert 57",
            "reason": None,
            "origin": "192.0.2.7",
            "agent": None,
            "facts": {},
            "erased": False,
            "hash": "6f1f8e1c0b7d2a94c3e5d6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b",
        }
    ],
    "next": None,
}
VERIFIED: dict[str, Any] = {
    "whole": True,
    "entries": 810,
    "head": EXAMPLE["items"][0]["hash"],
    "first_bad": None,
    "last_told_outside": {"seq": 790, "at": "2026-11-21T02:30:00Z"},
}


@router.get("/v1/audit", response_model=Page[AuditEntry], responses=answers(EXAMPLE, Link=NEXT_PAGE))
async def list_audit(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_AUDIT))],
    action: ByAction = None,
    actor: ByActor = None,
    subject: BySubject = None,
    since: Since = None,
    until: Until = None,
    newest_first: NewestFirst = False,
    limit: Limit = 100,
    cursor: AuditCursor = None,
) -> Page[AuditEntry]:
    """Who did what, in the order in which it was written down for good. Nothing is ever added before a place read."""
    query, nowhere = (sql.list_newest, BIGGEST_ID) if newest_first else (sql.list_entries, 0)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            query,
            who.tenant_id,
            nowhere if cursor is None else await _place(connection, who.tenant_id, cursor),
            action,
            actor,
            subject,
            since,
            until,
            subject.removeprefix(PERSON) if subject and subject.startswith(PERSON) else None,
            limit,
        )
    return page_of(request, response, rows, limit, _entry, lambda row: f"s{row['seq']}")


@router.get("/v1/audit/verification", response_model=AuditVerified, responses=answers(VERIFIED))
async def verify_audit(
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.VERIFY_AUDIT))],
) -> AuditVerified:
    """Reads the whole chain again and works out every link: it is whole, or this is its first bad row.

    A chain written anew from its beginning is whole by itself: `ecm audit verify --heads` holds it against heads that
    were told outside.
    """
    async with door.web.locked(who.lock) as connection:
        await connection.execute(verify.sql.one_moment)
        verdict = await verify.verify(connection, who.tenant_id)
        told = await connection.fetchrow(sql.last_told, who.tenant_id)
    bad = verdict.first_bad
    return AuditVerified(
        whole=verdict.whole,
        entries=verdict.entries,
        head=verdict.head.hash.hex() if verdict.head else None,
        first_bad=RowFound(seq=bad.seq, id=bad.audit_id, says=bad.says) if bad else None,
        last_told_outside=HeadTold(seq=told["seq"], at=told["exported_at"]) if told else None,
    )


async def _place(connection: Connection, tenant_id: int, cursor: str) -> int:
    if cursor.startswith("s"):
        return int(cursor[1:])
    place: int = await connection.fetchval(sql.place_after, tenant_id, int(cursor))
    return place


def _entry(row: Record) -> AuditEntry:
    return AuditEntry(
        id=row["audit_id"],
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        actor_ref=row["actor_ref"],
        action=row["action"],
        subject=row["subject"],
        subject_ref=row["subject_ref"],
        reason=row["reason"],
        origin=row["origin"],
        agent=row["agent"],
        facts=json.loads(row["facts"]),
        erased=row["erased"],
        hash=row["hash"].hex(),
    )
