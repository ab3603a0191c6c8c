"""How to get in: written by whoever looks after a home's tags, shown to nobody but the worker at the door.

The code is sealed before it is stored (`ecm.sealing`) and told in the app near the visit only (`ecm.api.today`):
the services' login may write the column and not read it.
Neither the answers here nor the audit hold it: whoever wants to see what is set sets it anew.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, StringConstraints

from ecm.api.homes import Door, audit, home_of
from ecm.api.wire import NO_NUL, Asked, Ref, answers, asks
from ecm.doors import permit_for
from ecm.permit import Action, Actor
from ecm.sealing import key_safe_of
from ecm.sealing_key import require_one_key
from ecm.store.queries import load_queries

sql = load_queries(__package__, "key_safes.sql")
router = APIRouter(tags=["homes"])

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_NUL)]

OfKeySafes = Annotated[Actor, Depends(permit_for(Action.SET_KEY_SAFE))]


class KeySafeAsked(Asked):
    service_user: Ref
    code: Code | None = Field(description="Null when there is none any more.")


class KeySafeSet(BaseModel):
    service_user: str
    key_safe: bool


@router.put(
    "/v1/homes/key-safe",
    response_model=KeySafeSet,
    responses=answers({"service_user": "SU-A", "key_safe": True}, 404, 422),
    openapi_extra=asks({"service_user": "SU-A", "code": "4711, behind the meter"}),
)
async def set_key_safe(request: Request, door: Door, who: OfKeySafes, asked: KeySafeAsked) -> KeySafeSet:
    """Sets or removes the key-safe code of a person's home. It is sealed, and not shown here again."""
    async with door.web.locked(who.lock) as connection:
        now = door.clock.now()
        home = await home_of(connection, who, asked.service_user, now)
        belongs_to = key_safe_of(who.tenant_id, home["ref"])
        await require_one_key(connection, door.sealer)
        sealed = None if asked.code is None else door.sealer.seal_alike(asked.code.encode(), belongs_to)
        await connection.execute(sql.set_key_safe, who.tenant_id, home["ref"], sealed)
        action = "key_safe_removed" if sealed is None else "key_safe_set"
        await audit(connection, request, who, action, f"home of {home['ref']}", now)
    return KeySafeSet(service_user=home["ref"], key_safe=sealed is not None)
