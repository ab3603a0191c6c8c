"""Setting the service up: its first administrator, made at a page by whoever holds the machine's code.

    code ──► (a passkey's challenge | an authenticator app's secret) ──► POST /v1/setup: everything, or nothing

What comes before the last step keeps nothing but a challenge, so it cannot be left half done; the last is one
transaction, so it cannot be done twice. There is no default password because there is no account before.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from ecm import openings, setup_codes
from ecm.api.audit import write_down
from ecm.api.passkeys import CEREMONY_LASTS, Credential, Opening, challenge_kept, relying_party
from ecm.api.second_step import NEW_SECOND_STEP, SETTING_UP_LASTS, Code, NewSecondStep, QrShown
from ecm.api.session import AccountRow, give_cookie, open_session_for
from ecm.api.sign_in import Email, Password
from ecm.api.wire import NO_NUL, Asked, Name, answers, asks
from ecm.doors import Services, address_of, names_foreign_page, open_because, services, site_of, token_of
from ecm.errors import Conflict, NotFound, NotPermitted, NotUnderstood
from ecm.identity import second_step as rules
from ecm.identity.assurance import Way
from ecm.identity.passkeys import (
    Holder,
    NewPasskey,
    NotVerified,
    created,
    creation_options,
    new_challenge,
)
from ecm.lock import system
from ecm.passwords import hash_password
from ecm.qr import qr_of
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.weak_passwords import weakness

log = logging.getLogger(__name__)
sql = load_queries(__package__, "setup.sql")
router = APIRouter(tags=["set-up"])

UNKNOWN = "That code is not known, was used, or has run out. `ecm setup-code` on the machine makes another."
DONE = "This service has an administrator already. Sign in, or ask them to let you in."
NO_TENANT = {"tenant": 0, "account": 0}  # an opening of a set-up is nobody's

SetupCode = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL)]
Door = Annotated[Services, Depends(services)]


class WithCode(Asked):
    setup_code: SetupCode = Field(description="As the machine showed it.")


class AboutThem(WithCode):
    name: Name = Field(description="The first administrator's.")
    email: Email


class ByPasskey(Asked):
    opening: Opening
    credential: Credential
    name: Name = Field(description="What its owner calls it.")


class ByPassword(Asked):
    password: Password
    opening: Opening
    code: Code = Field(description="The first one that the authenticator app shows.")


class SetupAsked(AboutThem):
    authority: Name = Field(description="What the authority is called.")
    passkey: ByPasskey | None = None
    password: ByPassword | None = Field(
        None, description="With an authenticator app. Give this or a passkey."
    )


class Waiting(BaseModel):
    authority: str
    passkeys: bool = Field(description="Whether a browser would take a passkey for this address.")


class PasskeyOptions(BaseModel):
    opening: str = Field(description="Goes back with what the browser makes of the options. Five minutes.")
    options: dict[str, Any] = Field(description="For PublicKeyCredential.parseCreationOptionsFromJSON.")


class SetUp(BaseModel):
    recovery_codes: list[str] = Field(
        description="Each stands in for the app once. Shown once; none with a passkey."
    )
    lands_on: str


@dataclass(frozen=True, slots=True)
class Proved:
    """The way in that was shown to work: a passkey, or a password's hash with an app's secret and its used step."""

    way: Way
    uid: UUID
    passkey: NewPasskey | None = None
    passkey_name: str = ""
    password_hash: str | None = None
    secret: bytes = b""
    step: int = 0


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
        name = await connection.fetchval(sql.authority, tenant_id)
    return Waiting(authority=name, passkeys=site_of(request) is not None)


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
    kept = challenge_kept(challenge) | NO_TENANT | {"uid": str(uid)}
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
    secret = rules.new_secret()
    url = rules.otpauth_url(secret, asked.email, "")
    kept = NO_TENANT | {"secret": base64.b64encode(secret).decode()}
    return NewSecondStep(
        opening=await openings.open_(door, "second_step_new", kept, SETTING_UP_LASTS),
        secret=rules.in_base32(secret),
        otpauth_url=url,
        qr=QrShown(**asdict(qr_of(url))),
    )


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
    if (asked.passkey is None) == (asked.password is None):
        raise NotUnderstood("Give a passkey, or a password with the app's code: one of them.")
    proved = await (_by_passkey(request, door, asked) if asked.passkey else _by_password(door, asked))
    # They stand in for the app beside a password; a passkey needs none, and has no password to stand beside.
    codes = rules.new_recovery_codes() if asked.password else []
    account = await _make(request, door, tenant_id, asked, proved, codes)
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


async def _by_passkey(request: Request, door: Services, asked: SetupAsked) -> Proved:
    assert asked.passkey is not None
    site = relying_party(request)
    said = await openings.close(door, "passkey_new", asked.passkey.opening)
    if said is None or "uid" not in said:
        raise Conflict("That took too long, or was used before. Begin again; nothing was kept.")
    try:
        made = created(site, base64.b64decode(said["challenge"]), asked.passkey.credential)
    except NotVerified as error:
        log.info("the first passkey was not taken: %s", error)
        raise Conflict("The browser's answer could not be taken. Begin again; nothing was kept.") from None
    return Proved(Way.PASSKEY, UUID(said["uid"]), passkey=made, passkey_name=asked.passkey.name)


async def _by_password(door: Services, asked: SetupAsked) -> Proved:
    assert asked.password is not None
    password = asked.password.password.get_secret_value()
    if wrong := weakness(password, asked.name, asked.email, asked.authority):
        raise Conflict(f"Choose another password. {wrong}")
    said = await openings.look(door, "second_step_new", asked.password.opening)
    if said is None or said["tenant"] != NO_TENANT["tenant"]:
        raise Conflict("That took too long, or was used before. Begin again; nothing was kept.")
    secret = base64.b64decode(said["secret"])
    step = rules.fits(secret, asked.password.code, datetime.now(UTC), last_step=-1)
    if step is None:
        raise Conflict("That code does not fit. Check that the phone's clock is right, and try the next one.")
    await openings.close(door, "second_step_new", asked.password.opening)
    return Proved(
        Way.PASSWORD_TOTP, uuid4(), password_hash=await hash_password(password), secret=secret, step=step
    )


async def _make(
    request: Request, door: Services, tenant_id: int, asked: SetupAsked, proved: Proved, codes: list[str]
) -> AccountRow:
    """All of it in one transaction. Raises Conflict, NotFound when somebody was quicker."""
    now = datetime.now(UTC)
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
        await _keep_way(connection, door, account, proved, now)
        digests = [rules.recovery_digest(code) for code in codes]
        await connection.execute(sql.insert_recovery_codes, tenant_id, account.account_id, digests, now)
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
    return account


async def _keep_way(
    connection: Connection, door: Services, account: AccountRow, proved: Proved, now: datetime
) -> None:
    ids = account.tenant_id, account.account_id
    if proved.passkey is None:
        await require_one_key(connection, door.sealer)
        sealed = door.sealer.seal(proved.secret, rules.belongs_to(*ids))
        await connection.execute(sql.insert_second_step, *ids, sealed, now, proved.step)
        return
    made = proved.passkey
    kept = await connection.fetchval(
        sql.insert_passkey,
        *ids,
        made.credential_id,
        made.public_key,
        made.sign_count,
        made.backed_up,
        made.aaguid,
        proved.passkey_name,
        now,
    )
    if kept is None:
        raise Conflict("That passkey is known already. Use another one.")
