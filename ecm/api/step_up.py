"""Proving again that it is you, before something that cannot be taken back (`ecm.permit.STEP_UP`).

By a passkey, or by password and code. The session goes on under another token, so that a copy taken before is worth
nothing. A recovery code does not do: it is for coming back in.
"""

from __future__ import annotations

from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from ecm import openings
from ecm.api.passkeys import (
    CEREMONY_LASTS,
    PasskeyAsked,
    challenge_kept,
    own_credentials,
    prove,
    relying_party,
)
from ecm.api.second_step import Code, prove_code
from ecm.api.session import AccountRow, give_cookie, person, standing_of, step_up
from ecm.api.sign_in import Password
from ecm.api.wire import Asked, answers, asks
from ecm.doors import Services, services, token_of
from ecm.errors import Conflict, StepUpNeeded
from ecm.identity.assurance import Way, steps_up
from ecm.identity.passkeys import new_challenge, request_options
from ecm.passwords import password_fits
from ecm.permit import Actor
from ecm.store.queries import load_queries

sql = load_queries(__package__, "step_up.sql")
router = APIRouter(tags=["sign-in"])

REFUSED = "That did not prove it. Try again."

StepUpWay = Literal["passkey", "code", "council"]
Door = Annotated[Services, Depends(services)]
Person = Annotated[Actor, Depends(person)]


class ByPasswordAndCode(Asked):
    password: Password
    code: Code = Field(description="Of the authenticator app.")


class StepUpOptions(BaseModel):
    ways: list[StepUpWay] = Field(
        description="`council`: at the page where one signs in by the council's own sign-in."
    )
    opening: str | None = Field(description="Goes back with the passkey's answer, where there is a passkey.")
    options: dict[str, Any] | None = Field(description="For PublicKeyCredential.parseRequestOptionsFromJSON.")


OPTIONS = {
    "ways": ["passkey", "code"],
    "opening": "made-up-for-this-page",
    "options": {"challenge": "bWFkZS11cA", "rpId": "ecm.example.org", "userVerification": "required"},
}
ASKED = {"password": "a-long-made-up-phrase", "code": "123456"}


@router.post("/v1/session/step-up-options", response_model=StepUpOptions, responses=answers(OPTIONS, 409))
async def begin_step_up(request: Request, door: Door, who: Person) -> StepUpOptions:
    """How whoever is signed in may prove again that it is they."""
    async with door.web.locked(who.lock) as connection:
        standing = await standing_of(connection, who)
    ways: list[StepUpWay] = ["code"] if standing.has_code else []
    if who.signed_in_by == Way.OIDC:
        ways.append("council")
    opening = options = None
    if standing.has_passkey:
        rp, challenge = relying_party(request), new_challenge()
        options = request_options(rp, challenge, await own_credentials(door, who))
        kept = challenge_kept(challenge) | {"tenant": who.tenant_id, "account": who.id}
        opening = await openings.open_(door, "step_up", kept, CEREMONY_LASTS)
        ways.insert(0, "passkey")
    if not ways:
        raise Conflict("You have no second way in yet. Set up a passkey or a code on your own page first.")
    return StepUpOptions(ways=ways, opening=opening, options=options)


@router.post(
    "/v1/session/step-up",
    status_code=204,
    responses={
        204: {
            "headers": {
                "Set-Cookie": {"description": "The session's new token.", "schema": {"type": "string"}}
            }
        },
        409: {},
        429: {},
    },
    openapi_extra=asks(ASKED),
)
async def prove_again(
    request: Request, response: Response, door: Door, who: Person, asked: PasskeyAsked | ByPasswordAndCode
) -> None:
    """Proves again that it is you, for ten minutes; the session goes on under another token."""
    if isinstance(asked, PasskeyAsked):
        way = await _by_passkey(request, door, who, asked)
    else:
        way = await _by_password_and_code(request, door, who, asked)
    if way is None or not steps_up(way):
        raise StepUpNeeded(REFUSED)
    give_cookie(request, response, await step_up(door, who, token_of(request) or "", way, request))


async def _by_passkey(request: Request, door: Services, who: Actor, asked: PasskeyAsked) -> Way | None:
    said = await openings.close(door, "step_up", asked.opening)
    if said is None or (said["tenant"], said["account"]) != (who.tenant_id, who.id):
        return None
    row = await prove(door, request, said, asked.credential)
    theirs = row is not None and (row["tenant_id"], row["account_id"]) == (who.tenant_id, who.id)
    return Way.PASSKEY if theirs else None


async def _by_password_and_code(
    request: Request, door: Services, who: Actor, asked: ByPasswordAndCode
) -> Way | None:
    # Whoever found a browser left open must not guess at leisure, from wherever: the account is slowed, no address.
    mine = f"account {who.tenant_id} {who.id}"
    door.throttle.admit(mine, mine, monotonic())
    door.throttle.failed(mine, mine, monotonic())
    async with door.web.locked(who.lock) as connection:
        stored = await connection.fetchval(sql.own_password, who.tenant_id, who.id)
    if not await password_fits(asked.password.get_secret_value(), stored):
        return None
    door.throttle.succeeded(mine, mine)
    account = AccountRow(who.tenant_id, who.id, who.name, who.role, who.provider_ref)
    return await prove_code(door, request, account, asked.code, recovery=False)
