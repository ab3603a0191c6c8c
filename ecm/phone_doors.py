"""A care worker's enrolled phone at the door: every request signed with the key that never leaves the phone.

    Authorization: Device <id>
    ECM-Proof: <compact JWS of {"m": method, "p": path and query, "b": base64url SHA-256 of the body, "at": now}>

Nothing on the phone is worth stealing without its key, nothing is sent by a browser by itself, and a request that is
copied is good for minutes and for that request only. Check events and reports do without: each carries its own
signature, so that what a phone signed before it was cut off still arrives.

Times here are real ones. A phone whose clock is wrong is told the time and may put it right.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from ecm.doors import Services, services
from ecm.errors import EcmError, NotSignedIn
from ecm.lock import Lock, held_by
from ecm.notices import Kind, notice
from ecm.permit import PHONE, Action, Actor, Scope, require
from ecm.signed import checks, taken_apart
from ecm.store.queries import load_queries

sql = load_queries(__package__, "phone_doors.sql")

SCHEME = "device "
AGE_AT_MOST = timedelta(minutes=5)

_by_phone = APIKeyHeader(name="ECM-Proof", scheme_name="phone", auto_error=False)


class ClockWrong(EcmError):
    """This phone's clock is wrong; the answer's Date header has the time."""

    status, slug = 401, "clock-wrong"


class CutOff(EcmError):
    """This phone was cut off. What it signed before is still taken."""

    status, slug = 401, "cut-off"


@dataclass(frozen=True, slots=True)
class Phone:
    """`care_worker` is None for a shared phone: who holds it, its PIN says."""

    tenant_id: int
    device_id: UUID
    provider_ref: str
    care_worker: str | None
    label: str
    public_key: dict[str, Any]
    cut_off_at: datetime | None

    @property
    def lock(self) -> Lock:
        """What the database is told of this phone."""
        return Lock(self.tenant_id, self.provider_ref, self.care_worker, PHONE, f"phone {self.device_id}")

    def __str__(self) -> str:
        """As the audit names it."""
        return f"phone {self.device_id}"


async def named_phone(request: Request, door: Services) -> Phone:
    """The phone a request names, cut off or not. Raises NotSignedIn when there is none."""
    authorization = request.headers.get("authorization", "")
    if not authorization.lower().startswith(SCHEME):
        raise NotSignedIn("send Authorization: Device and the id this phone was given")
    try:
        device_id = UUID(authorization[len(SCHEME) :].strip())
    except ValueError:
        raise NotSignedIn("send Authorization: Device and the id this phone was given") from None
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.device, device_id)
    if row is None:
        raise NotSignedIn("this phone is not enrolled")
    return Phone(*row)


async def phone(
    request: Request,
    door: Annotated[Services, Depends(services)],
    proof: Annotated[str | None, Depends(_by_phone)] = None,
) -> Phone:
    """Who asks. Raises CutOff, ClockWrong, NotSignedIn for a phone that is unknown or did not sign this request."""
    named = await named_phone(request, door)
    jws = taken_apart(proof or "")
    signed = jws is not None and jws.key_id == str(named.device_id) and checks(jws, named.public_key)
    if named.cut_off_at is not None:
        if signed:
            await _say_it_is_still_used(door, named)
        raise CutOff
    if jws is None or not signed:
        raise NotSignedIn("this request is not signed by this phone")
    said = _said(jws.payload)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    body = base64.urlsafe_b64encode(sha256(await request.body()).digest()).rstrip(b"=").decode()
    if (said.get("m"), said.get("p"), said.get("b")) != (request.method, path, body):
        raise NotSignedIn("this signature is of another request")
    _require_recent(said.get("at"))
    return named


def held(phone: Phone, worker: str, action: Action) -> Lock:
    """What the database is told of `worker` at this phone. Raises NotPermitted unless a phone may do `action`."""
    who = Actor("phone", phone.tenant_id, 0, phone.label, PHONE, phone.provider_ref, care_worker_ref=worker)
    require(who, action, Scope(care_worker_refs=frozenset({worker})))
    return held_by(phone.lock, worker)


async def _say_it_is_still_used(door: Services, named: Phone) -> None:
    async with door.web.locked(named.lock) as connection:
        await notice(connection, Kind.CUT_OFF_PHONE_USED, f"phone {named.device_id}", door.clock.now())


def _said(payload: bytes) -> dict[str, Any]:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _require_recent(at: Any) -> None:
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(at)
    except (TypeError, ValueError):
        raise NotSignedIn("the signature should say when it was made") from None
    if abs(age) > AGE_AT_MOST:
        raise ClockWrong
