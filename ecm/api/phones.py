"""Care workers' phones: a one-time code from the provider, a key made on the phone, and cutting one off at once.

    coordinator: POST /v1/enrolments ──► code ──► phone: POST /v1/app/enrolment {code, its public key} ──► its id

A phone that was cut off stays in the list, because what it signed before still arrives and names it.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecm.api.homes import QrShown, qr_shown
from ecm.api.wire import NEXT_PAGE, Asked, Limit, Page, Ref, answers, asks, point_to_next
from ecm.audit.writing import write_down
from ecm.authorities import has_provider
from ecm.doors import Services, address_of, open_because, permit_for, services
from ecm.errors import Conflict, NotFound, NotPermitted, NotUnderstood
from ecm.permit import Action, Actor, Scope, permit, reach, require
from ecm.signed import is_public_key
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "phones.sql")
router = APIRouter(tags=["phones"])

# Without the letters and digits that are read for one another. Ten of them: fifty bits for two days.
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 10
CODE_LASTS = timedelta(hours=48)
SILENT_AFTER = timedelta(days=14)
# A phone's id is made of the code it used and its key, so that the same phone asking twice is one phone.
NAMESPACE = UUID("0b8f6f0e-3c52-5d1f-8a44-7e21c90d5a63")

Door = Annotated[Services, Depends(services)]
OfPhones = Annotated[Actor, Depends(permit_for(Action.MANAGE_PHONES))]
DeviceId = Annotated[UUID, Path(examples=["6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11"])]


class EnrolmentAsked(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("care_worker", "provider")
            ]
        }
    )
    care_worker: Ref | None = Field(None, description="Whose phone it will be; none for a phone to share.")
    provider: Ref | None = Field(None, description="Whose phone to share it will be.")
    label: Ref | None = Field(None, description="What the phone is called in lists.")

    @model_validator(mode="after")
    def says_whose(self) -> EnrolmentAsked:
        if self.care_worker is None and self.provider is None:
            raise ValueError("give care_worker, or provider for a phone to share")
        return self


class Enrolment(BaseModel):
    code: str = Field(description="Shown once; good once, for two days.")
    expires_at: datetime
    url: str = Field(description="The code as an address that opens the app; no server sees it.")
    qr: QrShown = Field(description="That address as a QR code, for a screen that the phone is held up to.")


class PublicKey(BaseModel):
    model_config = ConfigDict(extra="ignore")
    kty: str = Field(max_length=10)
    crv: str = Field(max_length=10)
    x: str = Field(max_length=100)
    y: str = Field(max_length=100)


class PhoneAsked(Asked):
    code: Annotated[str, Field(min_length=1, max_length=40)]
    public_key: PublicKey
    label: Ref | None = None


class Enrolled(BaseModel):
    device_id: UUID
    provider: str
    care_worker: str | None
    name: str | None
    shared: bool
    zone: str
    epoch: UUID
    server_time: datetime


class PhoneRow(BaseModel):
    id: UUID
    label: str
    provider: str
    care_worker: str | None
    name: str | None
    enrolled_at: datetime
    enrolled_by: str
    cut_off_at: datetime | None
    cut_off_by: str | None
    cut_off_reason: str | None
    silent: bool = Field(description="In use, its holder's own, and nothing came from it for a fortnight.")


class CutOffAsked(Asked):
    reason: Ref


ENROLMENT = {
    "code": "K7MP2XQR4T",
    "expires_at": "2026-11-23T09:16:00Z",
    "url": "https://ecm.example.org/app#enrol=K7MP2XQR4T",
    "qr": {"size": 41, "path": "M4 4h7v1h-7z"},
}
ENROLLED = {
    "device_id": "6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11",
    "provider": "P1",
    "care_worker": "CW-104",
    "name": "Beth Brook",
    "shared": False,
    "zone": "Europe/London",
    "epoch": "0195c8a2-7d1e-4c3a-9b52-6f0d2c4e8a11",
    "server_time": "2026-11-21T09:16:00Z",
}
PHONE: dict[str, Any] = {
    "id": ENROLLED["device_id"],
    "label": "Beth's phone",
    "provider": "P1",
    "care_worker": "CW-104",
    "name": "Beth Brook",
    "enrolled_at": "2026-11-21T09:16:00Z",
    "enrolled_by": "account 2 Cory Coordinator",
    "cut_off_at": None,
    "cut_off_by": None,
    "cut_off_reason": None,
    "silent": False,
}
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@router.post(
    "/v1/enrolments",
    status_code=201,
    response_model=Enrolment,
    responses=answers(ENROLMENT, 404, 409, 422, status=201),
    openapi_extra=asks({"care_worker": "CW-104", "label": "Beth's phone"}),
)
async def make_enrolment(
    request: Request, response: Response, door: Door, who: OfPhones, asked: EnrolmentAsked
) -> Enrolment:
    """Makes a one-time code for a care worker's phone, or for one to share."""
    response.headers["Cache-Control"] = "no-store"
    base = door.settings.public_url or str(request.base_url)
    return await new_code(door.web, who, asked, base, door.clock.now(), address_of(request))


async def new_code(
    db: Database, who: Actor, asked: EnrolmentAsked, base_url: str, at: datetime, origin: str | None = None
) -> Enrolment:
    """Makes a code and writes down who did. Raises NotFound, NotPermitted."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    now = datetime.now(UTC)
    async with db.locked(who.lock) as connection:
        provider = await _provider_of(connection, who, asked)
        require(who, Action.MANAGE_PHONES, Scope(provider))
        await connection.execute(
            sql.add_enrolment,
            who.tenant_id,
            _digest(code),
            provider,
            asked.care_worker,
            asked.label or "",
            str(who),
            now,
            now + CODE_LASTS,
        )
        subject = f"care worker {asked.care_worker}" if asked.care_worker else f"provider {provider}"
        await write_down(connection, who.tenant_id, str(who), "phone_code_made", subject, at, origin=origin)
    url = f"{base_url.rstrip('/')}/app#enrol={code}"  # behind the #, where no log on the way keeps it
    return Enrolment(code=code, expires_at=now + CODE_LASTS, url=url, qr=qr_shown(url))


@router.post(
    "/v1/app/enrolment",
    status_code=201,
    response_model=Enrolled,
    responses=answers(ENROLLED, 404, 422, 429, status=201),
    openapi_extra=asks({"code": "K7MP2XQR4T", "public_key": KEY})
    | open_because("a phone nobody knows yet: the one-time code is looked at inside"),
)
async def enrol(request: Request, door: Door, asked: PhoneAsked) -> Enrolled:
    """Takes a phone's public key for a one-time code. The code is then used up, but for the same key: a phone that
    never heard the answer asks again, and is told it."""
    address = address_of(request)
    now = datetime.now(UTC)
    digest = _digest(asked.code)
    jwk = asked.public_key.model_dump()
    device_id = uuid5(NAMESPACE, f"{digest.hex()} {jwk['x']} {jwk['y']}")
    async with door.web.connection() as connection:
        code = await connection.fetchrow(sql.enrolment, digest, now)
    if code is not None:
        if not is_public_key(jwk):
            raise NotUnderstood("public_key should be a public key on P-256, as a JWK")
        await _use(door, code, digest, device_id, asked.label or code["label"] or "phone", jwk, address)
    row = await _enrolled(door.web, device_id)
    if row is None:  # fifty bits guard a right one; whoever guesses behind its address must not keep it out
        door.throttle.admit("phone code", address, time.monotonic())
        door.throttle.failed("phone code", address, time.monotonic())
        raise NotFound("That code is not known, was used, or has run out. Ask for a new one.")
    return Enrolled(
        device_id=row["device_id"],
        provider=row["provider_ref"],
        care_worker=row["care_worker_ref"],
        name=row["name"],
        shared=row["care_worker_ref"] is None,
        zone=row["zone"],
        epoch=row["epoch"],
        server_time=door.clock.now(),
    )


async def _use(
    door: Services,
    code: Record,
    digest: bytes,
    device_id: UUID,
    label: str,
    jwk: dict[str, Any],
    address: str,
) -> None:
    """Adds the phone, unless somebody used the code this very moment."""
    tenant_id: int = code["tenant_id"]
    async with door.web.tenant(tenant_id) as connection:
        added = await connection.fetchval(
            sql.enrol, tenant_id, digest, label, jwk, datetime.now(UTC), device_id
        )
        if added is not None:
            subject = f"phone {device_id}"
            await write_down(
                connection, tenant_id, subject, "phone_enrolled", subject, door.clock.now(), origin=address
            )


async def _enrolled(db: Database, device_id: UUID) -> Record | None:
    async with db.connection() as connection:
        tenant_id = await connection.fetchval(sql.tenant_of_phone, device_id)
    if tenant_id is None:
        return None
    async with db.tenant(tenant_id) as connection:
        return await connection.fetchrow(sql.enrolled, tenant_id, device_id)


@router.get(
    "/v1/phones",
    response_model=Page[PhoneRow],
    responses=answers({"items": [PHONE], "next": None}, Link=NEXT_PAGE),
)
async def list_phones(
    request: Request,
    response: Response,
    door: Door,
    who: OfPhones,
    limit: Limit = 100,
    cursor: Annotated[UUID | None, Field(description="`next` of the page before.")] = None,
) -> Page[PhoneRow]:
    """Every phone that is or was enrolled."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_phones,
            who.tenant_id,
            reach(who, Action.MANAGE_PHONES),
            cursor,
            limit,
            door.clock.now() - SILENT_AFTER,
        )
    following = str(rows[-1]["device_id"]) if len(rows) == limit else None
    return Page(items=[_row(row) for row in rows], next=point_to_next(request, response, following))


@router.post(
    "/v1/phones/{device_id}/cut-off",
    response_model=PhoneRow,
    responses=answers(PHONE, 404, 409),
    openapi_extra=asks({"reason": "lost on the bus"}),
)
async def cut_off(
    request: Request, door: Door, who: OfPhones, device_id: DeviceId, asked: CutOffAsked
) -> PhoneRow:
    """Keeps a phone out from this moment on. What it signed before still arrives, marked."""
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(sql.phone, who.tenant_id, device_id)
        if row is None or not permit(who, Action.MANAGE_PHONES, Scope(row["provider_ref"])):
            raise NotFound  # another provider's is answered as one that is not there
        if row["cut_off_at"] is not None:
            raise Conflict("That phone was cut off before.")
        now = door.clock.now()
        await connection.execute(sql.cut_off, who.tenant_id, device_id, now, str(who), asked.reason)
        await _audit(connection, request, who, "phone_cut_off", f"phone {device_id}", now, asked.reason)
        row = await connection.fetchrow(sql.phone, who.tenant_id, device_id)
        assert row is not None
    return _row(row)


async def _provider_of(connection: Connection, who: Actor, asked: EnrolmentAsked) -> str:
    require(
        who, Action.MANAGE_PHONES, Scope(asked.provider)
    )  # another's is not there to be seen, which tells nobody why
    if asked.care_worker is None:
        assert asked.provider is not None
        if not await has_provider(connection, who.tenant_id, asked.provider):
            raise NotFound("There is no such provider.")
        return asked.provider
    worker = await connection.fetchrow(sql.worker_provider, who.tenant_id, asked.care_worker)
    of_worker: str | None = worker and worker["provider_ref"]
    if worker is None or of_worker is None or who.provider_ref not in (None, of_worker):
        raise NotFound("There is no such care worker.")
    if worker["left_at"] is not None:
        raise Conflict("That care worker has left.")
    if asked.provider not in (None, of_worker):
        raise NotPermitted("That care worker works for another provider.")
    return of_worker


def _digest(code: str) -> bytes:
    """However it was typed: spaces, hyphens and small letters do not matter."""
    return sha256("".join(c for c in code.upper() if c.isalnum()).encode()).digest()


def _row(row: Record) -> PhoneRow:
    return PhoneRow(
        id=row["device_id"],
        label=row["label"],
        provider=row["provider_ref"],
        care_worker=row["care_worker_ref"],
        name=row["name"],
        enrolled_at=row["enrolled_at"],
        enrolled_by=row["enrolled_by"],
        cut_off_at=row["cut_off_at"],
        cut_off_by=row["cut_off_by"],
        cut_off_reason=row["cut_off_reason"],
        silent=row["silent"],
    )


async def _audit(
    connection: Connection,
    request: Request,
    who: Actor,
    action: str,
    subject: str,
    at: datetime,
    reason: str | None,
) -> None:
    await write_down(
        connection, who.tenant_id, str(who), action, subject, at, reason=reason, origin=address_of(request)
    )
