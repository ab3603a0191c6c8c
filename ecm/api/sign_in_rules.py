"""What an authority asks of its people before they may come in. An administrator's to say, proved anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from ecm.api.audit import write_down
from ecm.api.wire import Asked, answers, asks
from ecm.doors import Services, address_of, permit_for, services
from ecm.permit import Action, Actor
from ecm.store.queries import load_queries

sql = load_queries(__package__, "sign_in_rules.sql")
router = APIRouter(tags=["sign-in"])

Door = Annotated[Services, Depends(services)]
OfSignIn = Annotated[Actor, Depends(permit_for(Action.MANAGE_SIGN_IN))]

REQUIRED = "A passkey, or a code beside the password. Who has neither may only set one up."


class RulesAsked(Asked):
    second_way_required: bool = Field(description=REQUIRED)


class Rules(BaseModel):
    second_way_required: bool = Field(description=REQUIRED)


RULES = {"second_way_required": True}


@router.get("/v1/sign-in-rules", response_model=Rules, responses=answers(RULES))
async def read_rules(door: Door, who: OfSignIn) -> Rules:
    """What is asked of whoever signs in."""
    async with door.web.locked(who.lock) as connection:
        return Rules(second_way_required=await connection.fetchval(sql.rules, who.tenant_id))


@router.put("/v1/sign-in-rules", response_model=Rules, responses=answers(RULES), openapi_extra=asks(RULES))
async def set_rules(request: Request, door: Door, who: OfSignIn, asked: RulesAsked) -> Rules:
    """Counts from everybody's next sign-in. Nobody is shut out: who has no second way sets one up then."""
    async with door.web.locked(who.lock) as connection:
        required = await connection.fetchval(sql.set_rules, who.tenant_id, asked.second_way_required)
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
