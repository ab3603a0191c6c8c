"""Passkeys: signing in by one, and one's own list of them.

Wrong, replayed, of another site, of a removed passkey, too late: the sender is told the same; the audit of whoever's
passkey it was says that it failed.
"""

from __future__ import annotations

import base64
import logging
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from ecm import openings
from ecm.api.session import (
    AccountRow,
    finish,
    give_cookie,
    open_session_for,
    person,
    require_own_ways,
    standing_of,
)
from ecm.api.sign_in import SIGNED_IN, SignedIn
from ecm.api.wire import NO_NUL, Asked, Id, Name, answers, asks
from ecm.audit.writing import write_down
from ecm.doors import (
    Services,
    address_of,
    names_foreign_page,
    open_because,
    services,
    site_of,
    token_of,
)
from ecm.errors import Conflict, NotFound, NotPermitted, NotSignedIn
from ecm.identity.assurance import Way
from ecm.identity.passkeys import (
    Holder,
    KeptPasskey,
    NewPasskey,
    NotVerified,
    RelyingParty,
    asserted,
    created,
    creation_options,
    credential_id,
    new_challenge,
    request_options,
)
from ecm.permit import Actor
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

log = logging.getLogger(__name__)
sql = load_queries(__package__, "passkeys.sql")
router = APIRouter(tags=["sign-in"])

CEREMONY_LASTS = timedelta(minutes=5)
PASSKEYS_AT_MOST = 20
REFUSED = "That did not sign you in. Try again, or sign in another way."

Opening = Annotated[
    str,
    StringConstraints(min_length=1, max_length=openings.CHARACTERS_MAX, pattern=NO_NUL),
    Field(description="From the options; good once, for five minutes."),
]
Credential = Annotated[
    dict[str, Any], Field(description="What the browser made: a PublicKeyCredential's toJSON().")
]
Door = Annotated[Services, Depends(services)]
Person = Annotated[Actor, Depends(person)]


class PasskeyAsked(Asked):
    opening: Opening
    credential: Credential


class NewPasskeyAsked(PasskeyAsked):
    name: Name = Field(description="What its owner calls it.")


class PasskeyOptions(BaseModel):
    opening: str = Field(description="Goes back with what the browser makes of the options.")
    options: dict[str, Any] = Field(
        description="For PublicKeyCredential.parseRequestOptionsFromJSON, or parseCreationOptionsFromJSON."
    )


class Passkey(BaseModel):
    id: int
    name: str
    made_at: datetime
    used_at: datetime | None
    backed_up: bool = Field(description="Kept by a service that carries it to its holder's other devices.")


class Passkeys(BaseModel):
    items: list[Passkey]


CREDENTIAL = {
    "id": "bWFkZS11cA",
    "rawId": "bWFkZS11cA",
    "type": "public-key",
    "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": None},
}
ASKED = {"opening": "made-up-for-this-page", "credential": CREDENTIAL}
OPTIONS = {
    "opening": "made-up-for-this-page",
    "options": {"challenge": "bWFkZS11cA", "rpId": "ecm.example.org", "userVerification": "required"},
}
PASSKEY = {
    "id": 3,
    "name": "Dana's laptop",
    "made_at": "2026-11-21T08:00:00Z",
    "used_at": None,
    "backed_up": False,
}
NEW_OPTIONS = {
    "opening": "made-up-for-this-page",
    "options": {
        "rp": {"id": "ecm.example.org", "name": "ecm"},
        "user": {"id": "bWFkZS11cA", "name": "dana@example.org", "displayName": "Dana Duty"},
        "challenge": "bWFkZS11cA",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    },
}


@router.post(
    "/v1/session/passkey-options",
    response_model=PasskeyOptions,
    responses=answers(OPTIONS, 409, 429, 503),
    openapi_extra=open_because("signing in: what anybody's browser needs to show a passkey"),
)
async def begin_passkey(request: Request, door: Door) -> PasskeyOptions:
    """What a browser needs to sign in by a passkey. Nobody says who they are: the passkey will."""
    rp, challenge = relying_party(request), new_challenge()
    door.beginning.take(address_of(request), monotonic())
    opening = await openings.open_(door, "passkey", challenge_kept(challenge), CEREMONY_LASTS)
    return PasskeyOptions(opening=opening, options=request_options(rp, challenge))


@router.post(
    "/v1/session/passkey",
    status_code=201,
    response_model=SignedIn,
    responses=answers(SIGNED_IN, 401, 403, 409, 503, status=201, Set_Cookie="The session, for a browser."),
    openapi_extra=asks(ASKED) | open_because("signing in: the passkey is looked at inside"),
)
async def begin_session_by_passkey(
    request: Request, response: Response, door: Door, asked: PasskeyAsked
) -> SignedIn:
    """Signs in whoever holds the passkey; the cookie is their proof from here on."""
    if names_foreign_page(request):
        raise NotPermitted("Another site's page sent this. Open the service itself and sign in there.")
    said = await openings.close(door, "passkey", asked.opening)
    row = said and await prove(door, request, said, asked.credential)
    if not row:
        raise NotSignedIn(REFUSED)
    opened = await open_session_for(
        door, AccountRow.of(row), Way.PASSKEY, request, old_token=token_of(request)
    )
    give_cookie(request, response, opened)
    return SignedIn.by(opened)


@router.get("/v1/me/passkeys", response_model=Passkeys, responses=answers({"items": [PASSKEY]}))
async def list_passkeys(door: Door, who: Person) -> Passkeys:
    """One's own passkeys."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_passkeys, who.tenant_id, who.id)
    return Passkeys(items=[_passkey(row) for row in rows])


@router.post("/v1/me/passkeys/options", response_model=PasskeyOptions, responses=answers(NEW_OPTIONS, 409))
async def begin_new_passkey(request: Request, door: Door, who: Person) -> PasskeyOptions:
    """What a browser needs to make a passkey for whoever is signed in."""
    rp, challenge = relying_party(request), new_challenge()
    async with door.web.locked(who.lock) as connection:
        require_own_ways(who, await standing_of(connection, who), datetime.now(UTC))
        holder = await connection.fetchrow(sql.holder, who.tenant_id, who.id)
        known = await connection.fetch(sql.list_passkeys, who.tenant_id, who.id)
    assert holder is not None
    options = creation_options(rp, Holder(**holder), [row["credential_id"] for row in known], challenge)
    kept = challenge_kept(challenge) | {"tenant": who.tenant_id, "account": who.id}
    return PasskeyOptions(
        opening=await openings.open_(door, "passkey_new", kept, CEREMONY_LASTS), options=options
    )


@router.post(
    "/v1/me/passkeys",
    status_code=201,
    response_model=Passkey,
    responses=answers(PASSKEY, 409, status=201),
    openapi_extra=asks(ASKED | {"name": "Dana's laptop"}),
)
async def add_passkey(request: Request, door: Door, who: Person, asked: NewPasskeyAsked) -> Passkey:
    """Keeps a passkey that the browser has just made. It signs in from here on, and finishes setting up."""
    made, _ = await new_passkey(request, door, asked, {"tenant": who.tenant_id, "account": who.id})
    now = datetime.now(UTC)
    async with door.web.locked(who.lock) as connection:
        await connection.fetchrow(sql.holder, who.tenant_id, who.id)
        require_own_ways(who, await standing_of(connection, who), now)
        if len(await connection.fetch(sql.list_passkeys, who.tenant_id, who.id)) >= PASSKEYS_AT_MOST:
            raise Conflict(f"{PASSKEYS_AT_MOST} passkeys are the most there may be. Remove one first.")
        row = await keep_passkey(connection, who, made, asked.name, now)
        await finish(connection, who, token_of(request) or "", added=True)
        await _audit(connection, request, door, who, "passkey_added", row["name"])
    return _passkey(row)


@router.delete("/v1/me/passkeys/{passkey_id:int}", status_code=204, responses={409: {}})
async def remove_passkey(request: Request, door: Door, who: Person, passkey_id: Id) -> None:
    """Ends one of one's own passkeys. The last strong way in stays."""
    now = datetime.now(UTC)
    async with door.web.locked(who.lock) as connection:
        await connection.fetchrow(sql.holder, who.tenant_id, who.id)  # one change of ways in at a time
        standing = await standing_of(connection, who)
        require_own_ways(who, standing, now)
        row = await connection.fetchrow(sql.revoke_passkey, who.tenant_id, who.id, passkey_id, now)
        if row is None:
            raise NotFound
        if not (await standing_of(connection, who)).has_second_way:
            raise Conflict("That is your last strong way in. Add another one first.")
        await _audit(connection, request, door, who, "passkey_removed", row["name"])


def relying_party(request: Request) -> RelyingParty:
    """The site, as passkeys know it. Raises Conflict where a browser would take none."""
    rp = site_of(request)
    if rp is None:
        raise Conflict("Passkeys work by https (ECM_PUBLIC_URL), or on this machine at http://localhost.")
    return rp


async def new_passkey(
    request: Request, door: Services, asked: PasskeyAsked, whose: dict[str, int]
) -> tuple[NewPasskey, dict[str, Any]]:
    """What a browser made of the options it was given, and what was kept with those. Raises Conflict."""
    rp = relying_party(request)
    said = await openings.close(door, "passkey_new", asked.opening)
    if said is None or not whose.items() <= said.items():
        raise Conflict("That took too long, or was used before. Begin again.")
    try:
        return created(rp, _challenge(said), asked.credential), said
    except NotVerified as error:
        log.info("a new passkey was not taken: %s", error)
        raise Conflict("The browser's answer could not be taken. Begin again.") from None


async def keep_passkey(
    connection: Connection, who: Actor, made: NewPasskey, name: str, now: datetime
) -> Record:
    """Raises Conflict when somebody has it already."""
    row: Record | None = await connection.fetchrow(
        sql.insert_passkey,
        who.tenant_id,
        who.id,
        made.credential_id,
        made.public_key,
        made.sign_count,
        made.backed_up,
        made.aaguid,
        name,
        now,
    )
    if row is None:
        raise Conflict("That passkey is known already. Use another one.")
    return row


async def prove(
    door: Services, request: Request, said: dict[str, Any], credential: dict[str, Any]
) -> Record | None:
    """Whose passkey `credential` proves for the challenge that was kept (`said`); None if nobody's.

    A count that goes back proves nothing either: somebody may hold a copy.
    """
    rp = relying_party(request)
    row: Record | None = None
    try:
        async with door.web.connection() as connection:
            row = await connection.fetchrow(sql.passkey, credential_id(credential))
        if row is None:
            return None
        kept = KeptPasskey(row["uid"], row["public_key"], row["sign_count"])
        proof = asserted(rp, _challenge(said), credential, kept)
    except NotVerified as error:
        log.info("a passkey was refused: %s", error)
        if row is not None:
            await _write_refused(door, request, row, "sign_in_failed")
        return None
    if proof.cloned:
        await _write_refused(door, request, row, "passkey_count_went_back")
        return None
    async with door.web.locked(AccountRow.of(row).actor.lock) as connection:
        used = await connection.fetchval(
            sql.use_passkey,
            row["tenant_id"],
            row["passkey_id"],
            proof.sign_count,
            proof.backed_up,
            datetime.now(UTC),
        )
    return row if used is not None else None


async def own_credentials(door: Services, who: Actor) -> list[bytes]:
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_passkeys, who.tenant_id, who.id)
    return [row["credential_id"] for row in rows]


def challenge_kept(challenge: bytes) -> dict[str, Any]:
    return {"challenge": base64.b64encode(challenge).decode()}


async def _write_refused(door: Services, request: Request, row: Record, action: str) -> None:
    account = AccountRow.of(row)
    subject, at = str(account.actor), door.clock.now()
    async with door.web.locked(account.actor.lock) as connection:
        await write_down(
            connection, account.tenant_id, "nobody", action, subject, at, reason="by a passkey",
            origin=address_of(request),
        )  # fmt: skip


async def _audit(
    connection: Any, request: Request, door: Services, who: Actor, action: str, name: str
) -> None:
    subject, at = f"{who}: passkey {name}", door.clock.now()
    await write_down(connection, who.tenant_id, str(who), action, subject, at, origin=address_of(request))


def _challenge(said: dict[str, Any]) -> bytes:
    return base64.b64decode(said["challenge"])


def _passkey(row: Record) -> Passkey:
    return Passkey(
        id=row["passkey_id"],
        name=row["name"],
        made_at=row["made_at"],
        used_at=row["used_at"],
        backed_up=row["backed_up"],
    )
