"""What one care worker's check-ins of a span have in common (`ecm.visit.patterns`): questions, and never an answer.

A provider's people read it of their own workers and visits. No position leaves the server here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from ecm.api.wire import NO_NUL, LocalDate, answers
from ecm.doors import Services, permit_for, services
from ecm.errors import NotFound
from ecm.lock import Lock
from ecm.permit import Action, Actor, reach
from ecm.processing import rows as stored
from ecm.store.db import Record
from ecm.store.queries import load_queries
from ecm.visit.model import FindingCode
from ecm.visit.patterns import Pattern, PatternCode, Recorded, Stay, Verdict, patterns

sql = load_queries(__package__, "patterns.sql")
router = APIRouter(tags=["visits"])

USUAL_SPAN = timedelta(days=27)
VISITS_MAX = 5_000

NOTICE = (
    "These are questions for a person to ask, not findings: nothing is blocked, paid less or marked because of them. "
    "Some homes have no signal, some phones are wrong about where they are, and some plans come out exactly."
)

WorkerRef = Annotated[
    str, Path(min_length=1, max_length=200, pattern=NO_NUL, examples=["CW-A"], description="A reference.")
]
Since = Annotated[LocalDate | None, Query(description="The first local date; four weeks before the last.")]
Until = Annotated[LocalDate | None, Query(description="The last local date; today.")]


class VisitNamed(BaseModel):
    id: int
    ref: str
    date: date


class PatternShown(BaseModel):
    code: PatternCode
    verdict: Verdict = Field(
        description="`ask`: somebody should; `usual`; or `too_few` to tell chance from habit."
    )
    count: int
    sample: int
    share: float | None
    limit: float = Field(description="The share over which somebody should ask.")
    words: str
    usual: str = Field(description="What honest work looks like.")
    visits: list[VisitNamed] = Field(description="The visits it stands on, 50 at most.")


class Sheet(BaseModel):
    care_worker: str
    name: str
    provider: str
    provider_name: str
    since: date
    until: date
    visits: int
    events: int
    whole: bool = Field(description="False where the span has more visits than were looked at.")
    notice: str
    patterns: list[PatternShown]


EXAMPLE: dict[str, Any] = {
    "care_worker": "CW-A",
    "name": "Alice",
    "provider": "P1",
    "provider_name": "Amber Home Care",
    "since": "2026-10-25",
    "until": "2026-11-21",
    "visits": 61,
    "events": 122,
    "whole": True,
    "notice": NOTICE,
    "patterns": [
        {
            "code": "exact_durations",
            "verdict": "ask",
            "count": 22,
            "sample": 61,
            "share": 0.36,
            "limit": 0.1,
            "words": "22 of 61 stays were as long as planned, to within 5 seconds",
            "usual": "Two or three in a hundred come out exact by chance",
            "visits": [{"id": 4711, "ref": "V-2026-11-21-204-1", "date": "2026-11-21"}],
        }
    ],
}


@router.get("/v1/care-workers/{ref:path}/patterns", response_model=Sheet, responses=answers(EXAMPLE, 404))
async def patterns_of(
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    ref: WorkerRef,
    since: Since = None,
    until: Until = None,
) -> Sheet:
    """Repeated positions, exact durations and their like, each with how many of how many and what is usual."""
    return await sheet_of(door, who.lock, ref, reach(who, Action.READ_VISITS), since, until)


async def sheet_of(
    door: Services, lock: Lock, ref: str, only: str | None, since: date | None, until: date | None
) -> Sheet:
    """`only`: of the visits of one provider. Raises NotFound for a worker who is not theirs."""
    tenant_id = lock.tenant_id
    async with door.web.locked(lock) as connection:
        worker = await connection.fetchrow(sql.worker, tenant_id, ref, only)
        if worker is None:
            raise NotFound("There is no such care worker.")
        first, last = _span(since, until, door.clock.now().astimezone(ZoneInfo(worker["zone"])).date())
        visits = await connection.fetch(sql.stays, tenant_id, ref, only, first, last, VISITS_MAX)
        ids = [visit["visit_id"] for visit in visits]
        events = await connection.fetch(sql.events_on, tenant_id, ref, ids)
    shown = await asyncio.to_thread(
        _worked_out, ref, visits, events
    )  # a year of visits must not make others wait
    return Sheet(
        care_worker=worker["ref"],
        name=worker["name"],
        provider=worker["provider_ref"],
        provider_name=worker["provider_name"],
        since=first,
        until=last,
        visits=len(visits),
        events=len(events),
        whole=len(visits) < VISITS_MAX,
        notice=NOTICE,
        patterns=shown,
    )


def _span(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """A span that ends before it begins has no visits."""
    last = until or max(today, since or today)
    return since or date.fromordinal(max(1, last.toordinal() - USUAL_SPAN.days)), last


def _worked_out(ref: str, visits: list[Record], events: list[Record]) -> list[PatternShown]:
    recorded = _recorded(visits, events)
    stays = [stay for visit in visits for stay in _stays(visit, ref, recorded)]
    named = {visit["visit_id"]: visit for visit in visits}
    return [_shown(found, named) for found in patterns(stays, list(recorded.values()))]


def _recorded(visits: list[Record], events: list[Record]) -> dict[UUID, Recorded]:
    found: dict[UUID, set[FindingCode]] = defaultdict(set)
    for visit in visits:
        for finding in visit["findings"]:
            if finding.get("event_id"):
                found[UUID(finding["event_id"])].add(FindingCode(finding["code"]))
    return {
        row["event_id"]: Recorded(
            row["visit_id"],
            stored.check_event(row, care_worker=row["care_worker_ref"], service_user=row["service_user_ref"]),
            frozenset(found.get(row["event_id"], ())),
        )
        for row in events
    }


def _stays(visit: Record, ref: str, recorded: Mapping[UUID, Recorded]) -> list[Stay]:
    return [
        Stay(
            visit["visit_id"],
            _end(attendance.get("check_in_event"), recorded),
            _end(attendance.get("check_out_event"), recorded),
            visit["planned_start"],
            visit["planned_end"],
        )
        for attendance in visit["attendances"]
        if attendance["care_worker"] == ref and not attendance.get("amended")
    ]


def _end(event_id: str | None, recorded: Mapping[UUID, Recorded]) -> Recorded | None:
    return recorded.get(UUID(event_id)) if event_id else None


def _shown(found: Pattern, named: Mapping[int, Record]) -> PatternShown:
    return PatternShown(
        code=found.code,
        verdict=found.verdict,
        count=found.count,
        sample=found.sample,
        share=None if found.share is None else round(found.share, 4),
        limit=found.limit,
        words=found.words,
        usual=found.usual,
        visits=[
            VisitNamed(id=visit_id, ref=named[visit_id]["ref"], date=named[visit_id]["local_date"])
            for visit_id in found.visits
        ],
    )
