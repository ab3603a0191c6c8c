"""Setting the service up: its first administrator, made at a page by whoever holds the machine's code.

    code ──► (a passkey's challenge | an authenticator app's secret) ──► POST /v1/setup: everything, or nothing

What comes before the last step keeps nothing but a challenge, so it cannot be left half done; the last is one
transaction, so it cannot be done twice. There is no default password because there is no account before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from ecm import openings, setup_codes
from ecm.api.passkeys import (
    CEREMONY_LASTS,
    NewPasskeyAsked,
    Opening,
    PasskeyOptions,
    challenge_kept,
    keep_passkey,
    new_passkey,
    relying_party,
)
from ecm.api.second_step import NEW_SECOND_STEP, App, Code, NewSecondStep, keep_app, new_app, shown_app
from ecm.api.session import AccountRow, give_cookie, open_session_for
from ecm.api.sign_in import Email, Password
from ecm.api.wire import NO_NUL, Asked, Name, answers, asks
from ecm.audit.writing import write_down
from ecm.authorities import authority
from ecm.doors import Services, address_of, names_foreign_page, open_because, services, site_of, token_of
from ecm.errors import Conflict, NotFound, NotPermitted, NotUnderstood
from ecm.identity.assurance import Way
from ecm.identity.passkeys import (
    Holder,
    NewPasskey,
    creation_options,
    new_challenge,
)
from ecm.lock import system
from ecm.passwords import hash_password
from ecm.store.queries import load_queries
from ecm.weak_passwords import weakness

sql = load_queries(__package__, "setup.sql")
router = APIRouter(tags=["set-up"])

UNKNOWN = "That code is not known, was used, or has run out. `ecm setup-code` on the machine makes another."
DONE = "This service has an administrator already. Sign in, or ask them to let you in."
NOBODYS = {"tenant": 0, "account": 0}  # as an opening of a set-up is

SetupCode = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]
Door = Annotated[Services, Depends(services)]


class WithCode(Asked):
    setup_code: SetupCode = Field(description="As the machine showed it.")


class AboutThem(WithCode):
    name: Name = Field(description="The first administrator's.")
    email: Email


class ByPassword(Asked):
    password: Password
    opening: Opening
    code: Code = Field(description="The first one that the authenticator app shows.")


class SetupAsked(AboutThem):
    authority: Name = Field(description="What the authority is called.")
    passkey: NewPasskeyAsked | None = None
    password: ByPassword | None = Field(
        None, description="With an authenticator app. Give this or a passkey."
    )


class Waiting(BaseModel):
    authority: str
    passkeys: bool = Field(description="Whether a browser would take a passkey for this address.")


class SetUp(BaseModel):
    recovery_codes: list[str] = Field(
        description="Each stands in for the app once. Shown once; none with a passkey."
    )
    lands_on: str


@dataclass(frozen=True, slots=True)
class Proved:
    """The way in that was shown to work: a passkey, or a password's hash with an app."""

    way: Way
    uid: UUID
    passkey: NewPasskey | None = None
    password_hash: str | None = None
    app: App | None = None


ASKED_CODE = {"setup_code": "K7MP2XQR4TBN"}
ABOUT_THEM = ASKED_CODE | {"name": "Ada Administrator", "email": "ada@example.org"}
BY_PASSWORD = {"password": "tidy-lamp-river-9", "opening": "made-up-for-this-page", "code": "123456"}
ASKED = ABOUT_THEM | {"authority": "Example Borough", "password": BY_PASSWORD}
WAITING = {"authority": "Example Borough", "passkeys": True}
OPTIONS = {
    "opening": "made-up-for-this-page",
    "options": {"rp": {"id": "localhost", "name": "ecm"}, "challenge": "bWFkZS11cA"},
}
OPEN = open_because("the first run: the code that the machine showed is looked at inside")
SET_UP = {"recovery_codes": ["made-upme-made-upme"], "lands_on": "/settings"}


@router.post(
    "/v1/setup/code",
    response_model=Waiting,
    responses=answers(WAITING, 403, 404, 409, 429, 503),
    openapi_extra=asks(ASKED_CODE) | OPEN,
)
async def check_code(request: Request, door: Door, asked: WithCode) -> Waiting:
    """Whether this code opens the set-up. It stays good."""
    tenant_id = await _admitted(request, door, asked.setup_code)
    async with door.web.locked(system(tenant_id)) as connection:
        known = await authority(connection, tenant_id)
    assert known is not None
    return Waiting(authority=known["name"], passkeys=site_of(request) is not None)


@router.post(
    "/v1/setup/passkey-options",
    response_model=PasskeyOptions,
    responses=answers(OPTIONS, 403, 404, 409, 429, 503),
    openapi_extra=asks(ABOUT_THEM) | OPEN,
)
async def begin_passkey(request: Request, door: Door, asked: AboutThem) -> PasskeyOptions:
    """What a browser needs to make the first administrator's passkey."""
    await _admitted(request, door, asked.setup_code)
    challenge, uid = new_challenge(), uuid4()
    options = creation_options(relying_party(request), Holder(uid, asked.email, asked.name), [], challenge)
    kept = challenge_kept(challenge) | NOBODYS | {"uid": str(uid)}
    return PasskeyOptions(
        opening=await openings.open_(door, "passkey_new", kept, CEREMONY_LASTS), options=options
    )


@router.post(
    "/v1/setup/second-step",
    response_model=NewSecondStep,
    responses=answers(NEW_SECOND_STEP, 403, 404, 409, 429, 503),
    openapi_extra=asks(ABOUT_THEM) | OPEN,
)
async def begin_second_step(request: Request, door: Door, asked: AboutThem) -> NewSecondStep:
    """A secret for the first administrator's authenticator app."""
    await _admitted(request, door, asked.setup_code)
    return await new_app(door, asked.email, "", NOBODYS)


@router.post(
    "/v1/setup",
    status_code=201,
    response_model=SetUp,
    responses=answers(
        SET_UP, 403, 404, 409, 422, 429, 503, status=201, Set_Cookie="The session, for a browser."
    ),
    openapi_extra=asks(ASKED) | OPEN,
)
async def set_up(request: Request, response: Response, door: Door, asked: SetupAsked) -> SetUp:
    """Names the authority, makes its first administrator, and signs them in. Everything or nothing."""
    tenant_id = await _admitted(request, door, asked.setup_code)
    if asked.passkey is not None and asked.password is None:
        proved = await _by_passkey(request, door, asked.passkey)
    elif asked.password is not None and asked.passkey is None:
        proved = await _by_password(door, asked, asked.password)
    else:
        raise NotUnderstood("Give a passkey, or a password with the app's code: one of them.")
    account, codes = await _make(request, door, tenant_id, asked, proved)
    opened = await open_session_for(door, account, proved.way, request, old_token=token_of(request))
    give_cookie(request, response, opened)
    return SetUp(recovery_codes=codes, lands_on="/settings")


async def _admitted(request: Request, door: Services, code: str) -> int:
    """The authority to set up. Raises NotPermitted, Conflict (done), NotFound (the code), TooMany."""
    if names_foreign_page(request):
        raise NotPermitted("Another site's page sent this. Open the service itself and set it up there.")
    address = address_of(request)
    door.throttle.admit("setup code", address, monotonic())
    async with door.web.connection() as connection:
        tenant_id = await setup_codes.waiting_tenant(connection)
        if tenant_id is None:
            raise Conflict(DONE)
        if await setup_codes.is_open(connection, code):
            return tenant_id
    door.throttle.failed("setup code", address, monotonic())
    raise NotFound(UNKNOWN)


async def _by_passkey(request: Request, door: Services, asked: NewPasskeyAsked) -> Proved:
    made, said = await new_passkey(request, door, asked, NOBODYS)
    return Proved(Way.PASSKEY, UUID(said["uid"]), passkey=made)


async def _by_password(door: Services, asked: SetupAsked, by: ByPassword) -> Proved:
    password = by.password.get_secret_value()
    if wrong := weakness(password, asked.name, asked.email, asked.authority):
        raise Conflict(f"Choose another password. {wrong}")
    app = await shown_app(door, by.opening, by.code, NOBODYS, datetime.now(UTC))
    return Proved(Way.PASSWORD_TOTP, uuid4(), password_hash=await hash_password(password), app=app)


async def _make(
    request: Request, door: Services, tenant_id: int, asked: SetupAsked, proved: Proved
) -> tuple[AccountRow, list[str]]:
    """All of it in one transaction; and recovery codes, which stand in for an app beside a password.

    Raises Conflict, NotFound when somebody was quicker.
    """
    now = datetime.now(UTC)
    codes: list[str] = []
    async with door.web.locked(system(tenant_id)) as connection:
        await connection.execute(sql.name_authority, tenant_id, asked.authority)
        if await setup_codes.waiting_tenant(connection) != tenant_id:
            raise Conflict(DONE)
        if not await setup_codes.use(connection, asked.setup_code):
            raise NotFound(UNKNOWN)
        row = await connection.fetchrow(
            sql.insert_administrator,
            tenant_id,
            asked.email.strip().lower(),
            asked.name,
            proved.password_hash,
            proved.uid,
        )
        if row is None:
            raise Conflict("That e-mail has an account already. Use another one for the administrator.")
        account = AccountRow.of(row)
        if asked.passkey is not None and proved.passkey is not None:
            await keep_passkey(connection, account.actor, proved.passkey, asked.passkey.name, now)
        if proved.app is not None:
            codes = await keep_app(connection, door, account.actor, proved.app, now)
        await write_down(
            connection,
            tenant_id,
            "set-up",
            "service_set_up",
            str(account.actor),
            door.clock.now(),
            reason=proved.way.value,
            origin=address_of(request),
        )
    return account, codes
