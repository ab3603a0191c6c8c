"""Whom a phone call may be about: the people of a home's telephone, and a worker's own round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ecm.names import said_person
from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ingest.telephone.turn import Kind, Person

sql = load_queries(__package__, "telephone.sql")

NEAR = timedelta(hours=4)
"""As far from a planned visit as an event may be to count for it (the default of a contract)."""
AGAIN = timedelta(minutes=2)
"""Somebody who rings or texts again so soon wants to be sure, and means the same."""


async def at_number(
    connection: Connection, tenant_id: int, cli: str | None, worker: str | None, now: datetime, zone: ZoneInfo
) -> tuple[Person, ...]:
    """The people of this telephone, whom `worker` is to see next first. Empty for no home's number."""
    if cli is None:
        return ()
    rows = await connection.fetch(sql.people_of_number, tenant_id, cli)
    if not rows:
        return ()
    refs = [row["ref"] for row in rows]
    visits = await connection.fetch(sql.visits_with, tenant_id, refs, worker, now) if worker else []
    found = [
        _person(row, [v for v in visits if v["service_user_ref"] == row["ref"]], worker, zone) for row in rows
    ]
    nearest = [visit["service_user_ref"] for visit in visits]
    return tuple(sorted(found, key=lambda p: nearest.index(p.ref) if p.ref in nearest else len(nearest)))


async def of_round(
    connection: Connection, tenant_id: int, worker: str, now: datetime, zone: ZoneInfo
) -> tuple[Person, ...]:
    """Whom this worker is with, or due to see about now, the nearest first."""
    rows = await connection.fetch(sql.roster, tenant_id, worker, now)
    found: dict[str, Person] = {}
    for row in rows:
        person = _person(row, [row], worker, zone)
        due = row["planned"] and _near(row["planned_start"], row["planned_end"], now)
        if (due or person.inside) and (row["ref"] not in found or person.inside):
            found[row["ref"]] = person
    return tuple(found.values())


async def of_card(connection: Connection, tenant_id: int, number: str) -> Person | None:
    """In whose home the card of this number is."""
    row = await connection.fetchrow(sql.card, tenant_id, int(number) if len(number) < 19 else 0)
    return None if row is None else _person(row, [], None, None)


async def by_ref(connection: Connection, tenant_id: int, ref: str) -> Person | None:
    row = await connection.fetchrow(sql.person, tenant_id, ref)
    return None if row is None else _person(row, [], None, None)


async def only_meaning(
    connection: Connection, tenant_id: int, people: Sequence[Person], worker: str, now: datetime
) -> Kind | None:
    """What a worker with the right PIN at this home's telephone must mean, if it can only be one thing: in, where
    they are due with the only person there and have not come yet."""
    if len(people) != 1 or people[0].inside:
        return None
    visits = await connection.fetch(sql.visits_with, tenant_id, [people[0].ref], worker, now)
    awaited = [
        visit
        for visit in visits
        if visit["planned"]
        and _near(visit["planned_start"], visit["planned_start"], now)
        and not any(a["care_worker"] == worker for a in visit["attendances"])
    ]
    return "check_in" if len(awaited) == 1 else None


async def meant(
    connection: Connection, tenant_id: int, worker: str, here: Sequence[str], now: datetime
) -> Kind:
    """In or out, of a worker who only rang: out when they are in, with somebody of `here` or, if that is not known,
    anywhere."""
    last = await connection.fetchrow(sql.last_event, tenant_id, worker, now)
    if last is None:
        return "check_in"
    if here and last["service_user"] and last["service_user"] not in here:
        return "check_in"
    if now - last["occurred_at"] <= AGAIN:
        return "check_out" if last["kind"] == "check_out" else "check_in"
    return "check_out" if last["kind"] == "check_in" else "check_in"


def plain_person(people: Sequence[Person], kind: Kind) -> Person | None:
    """The one it must be, of a worker nobody can ask."""
    inside = [person for person in people if person.inside]
    likely = inside if kind == "check_out" and inside else [p for p in people if not p.inside] or list(people)
    return likely[0] if len(likely) == 1 else None


def task_names(needs: str | None) -> list[str]:
    """The plan's tasks, in the order a worker counts them."""
    return [task.strip() for task in (needs or "").replace("\n", ";").split(";") if task.strip()]


def _person(
    row: Mapping[str, Any], visits: Sequence[Mapping[str, Any]], worker: str | None, zone: ZoneInfo | None
) -> Person:
    planned = next((v["planned_start"] for v in visits if v["planned"] and v["planned_start"]), None)
    return Person(
        ref=row["ref"],
        said=said_person(row["name"]),
        planned=planned.astimezone(zone).strftime("%H:%M") if planned else None,
        inside=any(_inside(visit["attendances"], worker) for visit in visits),
        card=row["card"],
        tasks=len(task_names(row["needs"])),
    )


def _inside(attendances: Sequence[Mapping[str, Any]], worker: str | None) -> bool:
    return any(
        a["care_worker"] == worker and a.get("check_in_at") and not a.get("check_out_at") for a in attendances
    )


def _near(start: datetime | None, end: datetime | None, now: datetime) -> bool:
    return start is not None and end is not None and start - NEAR <= now <= end + NEAR
