"""One's own account and one's council's own sign-in: joined by whoever is signed in to both, and by nobody else.

Who is joined is administrators' to see; here each asks for themselves alone, and so as the service itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from ecm.api.council_visit import Refused, begin_at, remember
from ecm.api.session import person, require_own_ways, standing_of
from ecm.api.wire import answers
from ecm.audit.writing import write_down
from ecm.councils import CouncilAway
from ecm.doors import Services, address_of, open_because, services
from ecm.errors import Conflict, NotFound, NotSignedIn
from ecm.identity.oidc import NotUsable
from ecm.permit import Actor
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "own_council.sql")
router = APIRouter(tags=["sign-in"])

Door = Annotated[Services, Depends(services)]
Person = Annotated[Actor, Depends(person)]


class OwnCouncil(BaseModel):
    offered: bool = Field(description="Whether this authority signs people in at its council.")
    joined_at: datetime | None = Field(description="Since when this account can be reached from there.")


class There(BaseModel):
    url: str = Field(
        description="Where to send the browser. It comes back to /me, with `council` saying how it went."
    )


OWN = {"offered": True, "joined_at": "2026-11-21T08:00:00Z"}
OF_ONESELF = open_because("an account, about itself and its own ways in")
THERE = {"url": "https://sign-in.council.example/authorize?client_id=ecm"}


@router.get("/v1/me/council", response_model=OwnCouncil, responses=answers(OWN), openapi_extra=OF_ONESELF)
async def show_own_council(door: Door, who: Person) -> OwnCouncil:
    """Whether you can sign in at your council."""
    async with door.web.tenant(who.lock.tenant_id) as connection:
        row = await _standing(connection, who)
    return OwnCouncil(offered=row["issuer"] is not None, joined_at=row["joined_at"])


@router.post(
    "/v1/me/council",
    status_code=201,
    response_model=There,
    responses=answers(THERE, 409, 429, status=201, Set_Cookie="What was begun, for this browser."),
    openapi_extra=OF_ONESELF,
)
async def join_own_council(request: Request, response: Response, door: Door, who: Person) -> There:
    """Begins to join your account to your council's own sign-in: you show there that it is you."""
    door.beginning.take(address_of(request), monotonic())
    async with door.web.tenant(who.lock.tenant_id) as connection:
        row = await _standing(connection, who)
        require_own_ways(who, await standing_of(connection, who), datetime.now(UTC))
    if row["joined_at"] is not None:
        raise Conflict("Your account is joined already.")
    try:
        url, token = await begin_at(request, door, who.lock.tenant_id, "join", who, "/me")
    except (Refused, NotUsable) as error:
        raise Conflict(
            "Your council's own sign-in is not set up, or does not do. Ask your administrator."
        ) from error
    except CouncilAway as error:
        # Ours is available: 503 would say that whatever is sent again finds this service well.
        raise Conflict(
            "Your council's own sign-in does not answer just now. Try again in a moment."
        ) from error
    remember(request, response, token)
    return There(url=url)


@router.delete("/v1/me/council", status_code=204, responses={404: {}, 409: {}}, openapi_extra=OF_ONESELF)
async def leave_own_council(request: Request, door: Door, who: Person) -> None:
    """Nobody comes in to your account from your council any more."""
    async with door.web.tenant(who.lock.tenant_id) as connection:
        row = await _standing(connection, who)
        require_own_ways(who, await standing_of(connection, who), datetime.now(UTC))
        if row["joined_at"] is None:
            raise NotFound
        if row["only_way"]:
            raise Conflict("That is your only way in. Add a passkey first.")
        await connection.execute(sql.leave, who.tenant_id, who.id, row["issuer"])
        now, origin = door.clock.now(), address_of(request)
        issuer: Any = row["issuer"]
        await write_down(
            connection, who.tenant_id, str(who), "council_left", str(who), now, reason=issuer, origin=origin
        )


async def _standing(connection: Connection, who: Actor) -> Record:
    row: Record | None = await connection.fetchrow(sql.standing, who.tenant_id, who.id)
    if row is None:
        raise NotSignedIn("That account cannot sign in.")
    return row
