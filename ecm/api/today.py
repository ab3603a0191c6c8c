"""What a care worker's phone may know: today's visits of the worker who holds it, and nothing older or later.

A phone of one worker shows that worker's day. A shared phone shows nobody's until a PIN has opened it, and sends what
it was given for the PIN with each request. How to get in is told only while the visit is near, and each telling is
written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from ecm import pin_tries
from ecm.api.holder import Unlock, holder, require_not_left
from ecm.api.reads import note_read
from ecm.api.wire import Asked, Id, Ref, answers, asks
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, for_action, open_because, services
from ecm.errors import Left, NotFound, NotPermitted
from ecm.lock import of_its_provider
from ecm.names import short_person
from ecm.permit import Action
from ecm.phone_doors import Phone, held, phone
from ecm.pins import pin_fits
from ecm.sealing import Sealer, Unsealable, key_safe_of
from ecm.store.db import Record
from ecm.store.queries import load_queries
from ecm.unlocking import Unlocking

sql = load_queries(__package__, "today.sql")
router = APIRouter(tags=["app"])

# A night visit that began yesterday is still today's work, until a while after its end: who is in has to leave yet.
NIGHT_STAYS_FOR = timedelta(hours=4)

Door = Annotated[Services, Depends(services)]
OfPhone = Annotated[Phone, Depends(phone)]


class Colleague(BaseModel):
    care_worker: str
    name: str | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None


class VisitToday(BaseModel):
    id: int
    ref: str
    service_user: str
    name: str
    address: str | None
    postcode: str | None
    lat: float | None
    lon: float | None
    fence_m: float | None
    planned_start: datetime | None
    planned_end: datetime | None
    carers_required: int
    time_critical: bool
    cancelled: bool
    state: str
    tasks: list[str] = Field(description="What is to be done, as the plan says it.")
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    colleagues: list[Colleague] = Field(description="Who else is on this visit, and who has come.")
    key_safe: bool = Field(description="Whether there is a code to get in, told near the visit.")
    tags: list[str] = Field(
        description="SHA-256 of each tag's id in the home: a phone can tell one, not make one."
    )


class Today(BaseModel):
    care_worker: str
    name: str
    date: str
    zone: str
    epoch: UUID
    server_time: datetime
    speed: float = Field(description="1, unless the service runs on a clock of its own.")
    desk_phone: str | None
    visits: list[VisitToday]


class PinAsked(Asked):
    care_worker: Ref
    pin: Annotated[str, Field(min_length=1, max_length=20)]


class Unlocked(BaseModel):
    unlock: str = Field(description="Send it as `ECM-Unlock`, and as `unlock` in each event.")
    name: str


class KeySafe(BaseModel):
    code: str


class Epoch(BaseModel):
    epoch: UUID
    server_time: datetime


EPOCH = {"epoch": "0195c8a2-7d1e-4c3a-9b52-6f0d2c4e8a11", "server_time": "2026-11-21T09:02:00Z"}
TODAY: dict[str, Any] = EPOCH | {
    "care_worker": "CW-104",
    "name": "Beth Brook",
    "date": "2026-11-21",
    "zone": "Europe/London",
    "speed": 1.0,
    "desk_phone": "+441134960100",
    "visits": [
        {
            "id": 4711,
            "ref": "V-2026-11-21-204-1",
            "service_user": "SU-204",
            "name": "Alice Archer",
            "address": "1 Madeup Lane",
            "postcode": "ZZ1 1AA",
            "lat": 53.80035,
            "lon": -1.54922,
            "fence_m": 100.0,
            "planned_start": "2026-11-21T09:00:00Z",
            "planned_end": "2026-11-21T09:30:00Z",
            "carers_required": 1,
            "time_critical": False,
            "cancelled": False,
            "state": "planned",
            "tasks": ["medication", "breakfast"],
            "checked_in_at": None,
            "checked_out_at": None,
            "colleagues": [],
            "key_safe": True,
            "tags": [],
        }
    ],
}


@router.get(
    "/v1/app/today",
    response_model=Today,
    responses=answers(TODAY, 403),
    openapi_extra=for_action(Action.READ_VISITS),
)
async def today(
    request: Request, response: Response, door: Door, who: OfPhone, unlock: Unlock = None
) -> Today:
    """The day of the worker who holds this phone."""
    response.headers["Cache-Control"] = "no-store"
    now = door.clock.now()
    worker = holder(door, who, unlock)
    async with door.web.locked(held(who, worker, Action.READ_VISITS)) as connection:
        them = await connection.fetchrow(sql.worker, who.tenant_id, worker, who.provider_ref)
        if them is None or them["left_at"] is not None:
            await require_not_left(connection, worker)
            raise NotFound("This phone's care worker is no longer known.")
        day = now.astimezone(ZoneInfo(them["zone"])).date()
        rows = await connection.fetch(
            sql.visits_of_worker,
            who.tenant_id,
            worker,
            day - timedelta(days=1),
            day,
            now - NIGHT_STAYS_FOR,
            now,
        )
        visits = [row["visit_id"] for row in rows]
        names = {row["ref"]: row["name"] for row in await connection.fetch(sql.names, visits)}
    homes = [row["service_user_ref"] for row in rows if row["knows_the_home"]]
    await note_read(door, who, homes, request, holder=worker)
    return Today(
        care_worker=worker,
        name=them["name"],
        date=day.isoformat(),
        zone=them["zone"],
        epoch=them["epoch"],
        server_time=now,
        speed=door.clock.speed,
        desk_phone=them["desk_phone"],
        visits=[_visit(row, worker, names) for row in rows],
    )


@router.get(
    "/v1/app/epoch",
    response_model=Epoch,
    responses=answers(EPOCH),
    openapi_extra=open_because("an enrolled phone, which signs this: it tells nothing of anybody"),
)
async def epoch(door: Door, who: OfPhone) -> Epoch:
    """Another epoch than before: the service was restored from a copy, and phones send again what they still have."""
    async with door.web.locked(who.lock) as connection:
        found = await connection.fetchval(sql.epoch, who.tenant_id)
    if found is None:
        raise NotFound
    return Epoch(epoch=found, server_time=door.clock.now())


@router.post(
    "/v1/app/unlock",
    response_model=Unlocked,
    responses=answers({"unlock": "kq3v…", "name": "Beth Brook"}, 403, 429),
    openapi_extra=asks({"care_worker": "CW-104", "pin": "4711"})
    | open_because("an enrolled phone, which signs this: the PIN is looked at inside"),
)
async def unlock_phone(response: Response, door: Door, who: OfPhone, asked: PinAsked) -> Unlocked:
    """Opens a shared phone with a worker's PIN, for half a day. Five wrong tries, then wait."""
    response.headers["Cache-Control"] = "no-store"
    real_now = datetime.now(UTC)
    came_from = str(who)
    async with door.web.locked(of_its_provider(who.lock)) as connection:
        await pin_tries.admit(
            connection, who.tenant_id, came_from, asked.care_worker, real_now, expected=True
        )
        them = await connection.fetchrow(sql.worker, who.tenant_id, asked.care_worker, who.provider_ref)
        fits = them is not None and them["pin_hash"] is not None and pin_fits(asked.pin, them["pin_hash"])
        if not fits:
            await pin_tries.failed(
                connection, who.tenant_id, came_from, asked.care_worker, real_now, expected=True
            )
    if not fits or them is None:
        raise NotPermitted("That is not the PIN of that care worker.")
    if them["left_at"] is not None:
        raise Left
    ticket = Unlocking(door.sealer).ticket(who.device_id, asked.care_worker, door.clock.now())
    return Unlocked(unlock=ticket, name=them["name"])


@router.get(
    "/v1/app/visits/{visit_id}/key-safe",
    response_model=KeySafe,
    responses=answers({"code": "1234"}, 403, 404),
    openapi_extra=for_action(Action.READ_KEY_SAFE),
)
async def key_safe(
    request: Request, response: Response, door: Door, who: OfPhone, visit_id: Id, unlock: Unlock = None
) -> KeySafe:
    """How to get in: near the visit, to the worker whose visit it is, or who stands in and is checked in at the home.
    Each telling is an entry of the audit, which says which of the two it was."""
    response.headers["Cache-Control"] = "no-store"
    now = door.clock.now()
    worker = holder(door, who, unlock)
    async with door.web.locked(held(who, worker, Action.READ_KEY_SAFE)) as connection:
        row = await connection.fetchrow(sql.key_safe, visit_id, worker, who.provider_ref, now)
        if row is None:
            await require_not_left(connection, worker)
            raise NotFound("No code for this visit can be told to you; if you stand in, ask the office.")
        if row["sealed"] is None:
            raise NotPermitted(
                "The code is told from half an hour before the visit to half an hour after it."
            )
        code = _opened(door.sealer, row["sealed"], who.tenant_id, row["service_user_ref"])
        await write_down(
            connection,
            who.tenant_id,
            f"{who} of {worker}",
            "key_safe_told",
            f"visit {visit_id}",
            now,
            reason=row["because"],
            origin=address_of(request),
        )
    return KeySafe(code=code)


def _opened(sealer: Sealer, sealed: bytes, tenant_id: int, service_user: str) -> str:
    try:
        return sealer.open(sealed, key_safe_of(tenant_id, service_user)).decode()
    except Unsealable:
        raise NotFound("The code cannot be opened any more; ask the office.") from None


# What a phone is told of a home that its worker only says to have been at: people's references can be guessed.
NO_HOME: Mapping[str, Any] = {
    "address": None,
    "postcode": None,
    "lat": None,
    "lon": None,
    "fence_m": None,
    "needs": None,
    "has_key_safe": False,
    "tag_ids": (),
    "care_worker_refs": (),
}


def _visit(row: Record, worker: str, names: Mapping[str, str]) -> VisitToday:
    came: dict[str, dict[str, Any]] = {}
    for attendance in row["attendances"]:
        came[attendance["care_worker"]] = attendance  # the last stay counts
    mine = came.get(worker, {})
    home: Record | Mapping[str, Any] = row if row["knows_the_home"] else NO_HOME
    others = sorted(({*home["care_worker_refs"], *(ref for ref in came if ref)}) - {worker})
    return VisitToday(
        id=row["visit_id"],
        ref=row["ref"],
        service_user=row["service_user_ref"],
        name=row["name"] if row["knows_the_home"] else short_person(row["name"]),
        address=home["address"],
        postcode=home["postcode"],
        lat=home["lat"],
        lon=home["lon"],
        fence_m=home["fence_m"],
        planned_start=row["planned_start"],
        planned_end=row["planned_end"],
        carers_required=row["carers_required"],
        time_critical=row["time_critical"],
        cancelled=row["cancelled"],
        state=row["state"],
        tasks=[task.strip() for task in (home["needs"] or "").replace("\n", ";").split(";") if task.strip()],
        checked_in_at=mine.get("check_in_at"),
        checked_out_at=mine.get("check_out_at"),
        colleagues=[
            Colleague(
                care_worker=ref,
                name=names.get(ref),
                checked_in_at=came.get(ref, {}).get("check_in_at"),
                checked_out_at=came.get(ref, {}).get("check_out_at"),
            )
            for ref in others
        ],
        key_safe=home["has_key_safe"],
        tags=[sha256(tag_id.encode()).hexdigest() for tag_id in home["tag_ids"]],
    )
