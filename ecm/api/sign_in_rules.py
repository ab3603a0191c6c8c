"""What an authority asks of its people before they may come in, and helping whoever lost their ways in.

Both are an administrator's, proved anew: either one opens doors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, StrictBool

from ecm.api.wire import Asked, Id, answers, asks
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound
from ecm.permit import Action, Actor
from ecm.store.queries import load_queries

sql = load_queries(__package__, "sign_in_rules.sql")
router = APIRouter(tags=["sign-in"])

Door = Annotated[Services, Depends(services)]
OfSignIn = Annotated[Actor, Depends(permit_for(Action.MANAGE_SIGN_IN))]

REQUIRED = "A passkey, or a code beside the password. Who has neither may only set one up."


class RulesAsked(Asked):
    second_way_required: StrictBool = Field(description=REQUIRED)


class Rules(BaseModel):
    second_way_required: bool = Field(description=REQUIRED)


RULES = {"second_way_required": True}


@router.get("/v1/sign-in-rules", response_model=Rules, responses=answers(RULES))
async def read_rules(door: Door, who: OfSignIn) -> Rules:
    """What is asked of whoever signs in."""
    async with door.web.locked(who.lock) as connection:
        required = await connection.fetchval(sql.rules, who.tenant_id)
    if required is None:
        raise NotFound
    return Rules(second_way_required=required)


@router.put("/v1/sign-in-rules", response_model=Rules, responses=answers(RULES), openapi_extra=asks(RULES))
async def set_rules(request: Request, door: Door, who: OfSignIn, asked: RulesAsked) -> Rules:
    """Counts from everybody's next sign-in. Nobody is shut out: who has no second way sets one up then."""
    async with door.web.locked(who.lock) as connection:
        required = await connection.fetchval(sql.set_rules, who.tenant_id, asked.second_way_required)
        if required is None:
            raise NotFound
        action = "second_way_required" if required else "second_way_left_free"
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            action,
            "sign-in rules",
            door.clock.now(),
            origin=address_of(request),
        )
    return Rules(second_way_required=required)


@router.delete("/v1/accounts/{account_id}/second-ways", status_code=204, responses={409: {}})
async def forget_second_ways(request: Request, door: Door, who: OfSignIn, account_id: Id) -> None:
    """For somebody who lost their passkeys, their phone and their recovery codes: they set up new ones by password.

    Give them a new password too, if anybody else may know the one they have.
    """
    if account_id == who.id:
        raise Conflict("That is your own account; another administrator must do it.")
    async with door.web.locked(who.lock) as connection:
        name = await connection.fetchval(sql.forget_ways, who.tenant_id, account_id, datetime.now(UTC))
        if name is None:
            raise NotFound
        subject, origin = f"account {account_id} {name}", address_of(request)
        now = door.clock.now()
        await write_down(
            connection, who.tenant_id, str(who), "second_ways_forgotten", subject, now, origin=origin
        )
