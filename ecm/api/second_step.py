"""The second step: a code after a right password, and setting one's own up.

A code that is wrong, used, or comes too late is refused in the same words. A secret is kept once its first code was
right, so that nobody is shut out by a QR code they never read.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, StringConstraints

from ecm import openings
from ecm.api.passkeys import Opening
from ecm.api.session import (
    AccountRow,
    Opened,
    finish,
    give_cookie,
    open_session_for,
    person,
    require_own_ways,
    standing_of,
)
from ecm.api.sign_in import SIGNED_IN, SignedIn, go_on
from ecm.api.wire import NO_NUL, Asked, answers, asks
from ecm.audit.writing import write_down
from ecm.doors import (
    Services,
    address_of,
    digest,
    half_way_of,
    names_foreign_page,
    open_because,
    services,
    token_of,
)
from ecm.errors import Conflict, NotFound, NotPermitted, NotSignedIn, TooMany, Unavailable
from ecm.identity import second_step as rules
from ecm.identity.assurance import Way
from ecm.permit import Actor
from ecm.qr import qr_of
from ecm.refusals import refused_at
from ecm.sealing import Unsealable
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection
from ecm.store.queries import load_queries

log = logging.getLogger(__name__)
sql = load_queries(__package__, "second_step.sql")
router = APIRouter(tags=["sign-in"])

SETTING_UP_LASTS = timedelta(minutes=30)
REFUSED = "That code does not fit, was used, or came too late. Begin again if it stays so."

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
Door = Annotated[Services, Depends(services)]
Person = Annotated[Actor, Depends(person)]


class CodeAsked(Asked):
    opening: Opening
    code: Code = Field(description="Of the authenticator app; or, to sign in, a recovery code.")


class SecondStep(BaseModel):
    set_up: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


class QrShown(BaseModel):
    size: int
    path: str = Field(description="Of an SVG whose viewBox is 0 0 size size: its dark modules.")


class NewSecondStep(BaseModel):
    opening: str = Field(description="Goes back with the first code. Good for half an hour.")
    secret: str = Field(description="In base32, for an app that reads no QR code. Shown once.")
    otpauth_url: str
    qr: QrShown


class RecoveryCodes(BaseModel):
    recovery_codes: list[str] = Field(description="Each signs in once. Shown once.")


ASKED = {"opening": "made-up-for-this-page", "code": "123456"}
SECOND_STEP = {"set_up": True, "confirmed_at": "2026-11-21T08:00:00Z", "recovery_codes_left": 10}
NEW_SECOND_STEP = {
    "opening": "made-up-for-this-page",
    "secret": "MADEUPMADEUPMADEUPMADEUPMADEUP",
    "otpauth_url": "otpauth://totp/ecm%20Example%20Borough%3Adana%40example.org?secret=MADEUP",
    "qr": {"size": 45, "path": "M4 4h7v1h-7z"},
}
RECOVERY_CODES = {"recovery_codes": ["made-upme-made-upme"]}


@router.post(
    "/v1/session/second-step",
    status_code=201,
    response_model=SignedIn,
    responses=answers(SIGNED_IN, 401, 403, 429, 503, status=201, Set_Cookie="The session, for a browser."),
    openapi_extra=asks(ASKED) | open_because("signing in: the code is looked at inside"),
)
async def finish_signing_in(request: Request, response: Response, door: Door, asked: CodeAsked) -> SignedIn:
    """The code after the password. Five wrong ones are free, then each try waits; recovery codes never do."""
    opened = await come_by_code(request, door, asked.opening, asked.code)
    give_cookie(request, response, opened)
    return SignedIn.by(opened)


@router.post("/sign-in/code", include_in_schema=False)
async def finish_signing_in_by_form(
    request: Request,
    door: Door,
    code: Annotated[str, Form(max_length=64)] = "",
    by: Annotated[str, Form(max_length=100)] = "",
    going_to: Annotated[str, Form(alias="next", max_length=2000)] = "",
) -> Response:
    """The page's form, for whoever has no script."""
    opening = (half_way_of(request) or "")[: openings.CHARACTERS_MAX]
    try:
        opened = await come_by_code(request, door, opening, code)
    except TooMany as error:
        refused_at(request.url.path, error)
        wrong = "slow"
    except (NotSignedIn, NotPermitted) as error:
        refused_at(request.url.path, error)
        wrong = "code"
    except Unavailable:
        wrong = "away"
    else:
        return go_on(request, opened, going_to)
    again = urlencode({"sign_in": wrong, "by": by, "next": going_to})
    return RedirectResponse(f"/sign-in/code?{again}", status_code=303)


@router.get("/v1/me/second-step", response_model=SecondStep, responses=answers(SECOND_STEP))
async def read_second_step(door: Door, who: Person) -> SecondStep:
    """Whether a code is asked for after one's password, and how many recovery codes are left."""
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(sql.own_second_step, who.tenant_id, who.id)
    assert row is not None
    return SecondStep(set_up=row["confirmed_at"] is not None, **row)


@router.post(
    "/v1/me/second-step",
    status_code=201,
    response_model=NewSecondStep,
    responses=answers(NEW_SECOND_STEP, status=201),
)
async def begin_second_step(door: Door, who: Person) -> NewSecondStep:
    """A new secret for an authenticator app. It counts once its first code comes to …/confirmation."""
    async with door.web.locked(who.lock) as connection:
        require_own_ways(who, await standing_of(connection, who), datetime.now(UTC))
        account = await connection.fetchrow(sql.own_account, who.tenant_id, who.id)
    assert account is not None
    return await new_app(door, account["email"], account["tenant"], _whose(who))


@router.post(
    "/v1/me/second-step/confirmation",
    status_code=201,
    response_model=RecoveryCodes,
    responses=answers(RECOVERY_CODES, 409, status=201),
    openapi_extra=asks(ASKED),
)
async def confirm_second_step(request: Request, door: Door, who: Person, asked: CodeAsked) -> RecoveryCodes:
    """The first code of a new secret, which takes the place of the one before. Answers ten new recovery codes."""
    now = datetime.now(UTC)
    app = await shown_app(door, asked.opening, asked.code, _whose(who), now)
    async with door.web.locked(who.lock) as connection:
        await connection.fetchrow(sql.own_account, who.tenant_id, who.id)
        require_own_ways(who, await standing_of(connection, who), now)
        codes = await keep_app(connection, door, who, app, now)
        await finish(connection, who, token_of(request) or "", added=True)
        await _audit(connection, request, door, who, "second_step_set_up")
    return RecoveryCodes(recovery_codes=codes)


@router.delete("/v1/me/second-step", status_code=204, responses={404: {}, 409: {}})
async def remove_second_step(request: Request, door: Door, who: Person) -> None:
    """No code is asked for any more. The last strong way in stays."""
    async with door.web.locked(who.lock) as connection:
        await connection.fetchrow(sql.own_account, who.tenant_id, who.id)  # one change of ways in at a time
        require_own_ways(who, await standing_of(connection, who), datetime.now(UTC))
        if not await connection.fetchval(sql.delete_second_step, who.tenant_id, who.id):
            raise NotFound
        if not (await standing_of(connection, who)).has_second_way:
            raise Conflict("That is your last strong way in. Add another one first.")
        await _audit(connection, request, door, who, "second_step_removed")


@router.post(
    "/v1/me/recovery-codes",
    status_code=201,
    response_model=RecoveryCodes,
    responses=answers(RECOVERY_CODES, 409, status=201),
)
async def renew_recovery_codes(request: Request, door: Door, who: Person) -> RecoveryCodes:
    """Ten new recovery codes; those before them open nothing any more."""
    now = datetime.now(UTC)
    async with door.web.locked(who.lock) as connection:
        await connection.fetchrow(sql.own_account, who.tenant_id, who.id)
        standing = await standing_of(connection, who)
        if not standing.has_second_way:
            raise Conflict("Set up a passkey or a code first: there is nothing yet to recover from.")
        require_own_ways(who, standing, now)
        codes = await _new_recovery_codes(connection, who, now)
        await _audit(connection, request, door, who, "recovery_codes_made")
    return RecoveryCodes(recovery_codes=codes)


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app that showed a right code: its secret, and the step of that code, which is used up."""

    secret: bytes
    step: int


async def new_app(door: Services, email: str, authority: str, whose: dict[str, int]) -> NewSecondStep:
    """A secret for somebody's app, which nobody keeps until its first code was shown."""
    secret = rules.new_secret()
    url = rules.otpauth_url(secret, email, authority)
    kept = whose | {"secret": base64.b64encode(secret).decode()}
    return NewSecondStep(
        opening=await openings.open_(door, "second_step_new", kept, SETTING_UP_LASTS),
        secret=rules.in_base32(secret),
        otpauth_url=url,
        qr=QrShown(**asdict(qr_of(url))),
    )


async def shown_app(door: Services, opening: str, code: str, whose: dict[str, int], now: datetime) -> App:
    """The app whose first code this is. Raises Conflict, and lets a code that does not fit be tried again."""
    said = await openings.look(door, "second_step_new", opening)
    if said is None or not whose.items() <= said.items():
        raise Conflict("That took too long, or was used before. Begin again.")
    secret = base64.b64decode(said["secret"])
    step = rules.fits(secret, code, now, last_step=-1)
    if step is None:
        raise Conflict("That code does not fit. Check that the phone's clock is right, and try the next one.")
    if await openings.close(door, "second_step_new", opening) is None:
        raise Conflict("That was used before. Begin again.")
    return App(secret, step)


async def keep_app(connection: Connection, door: Services, who: Actor, app: App, now: datetime) -> list[str]:
    """In place of the one before. Returns new recovery codes, in place of those before."""
    await require_one_key(connection, door.sealer)
    sealed = door.sealer.seal(app.secret, rules.belongs_to(who.tenant_id, who.id))
    await connection.execute(sql.delete_second_step, who.tenant_id, who.id)
    await connection.execute(sql.insert_second_step, who.tenant_id, who.id, sealed, now, app.step)
    return await _new_recovery_codes(connection, who, now)


def _whose(who: Actor) -> dict[str, int]:
    return {"tenant": who.tenant_id, "account": who.id}


async def come_by_code(request: Request, door: Services, opening: str, code: str) -> Opened:
    """Ends what a right password began. Raises NotSignedIn, TooMany, NotPermitted (a foreign page sent it)."""
    if names_foreign_page(request):
        raise NotPermitted("Another site's page sent this. Open the service itself and sign in there.")
    said = await openings.look(door, "second_step", opening)
    account = said and AccountRow(**said["account"])
    if not said or not account or not await _is_still_the_password(door, account, said["password"]):
        raise NotSignedIn(REFUSED)
    way = await prove_code(door, request, account, code)
    if not way or await openings.close(door, "second_step", opening) is None:
        raise NotSignedIn(REFUSED)
    return await open_session_for(door, account, way, request, old_token=token_of(request))


async def _is_still_the_password(door: Services, account: AccountRow, proved: str) -> bool:
    """Whoever changed it meanwhile shut out who came half way by the one before."""
    async with door.web.locked(account.actor.lock) as connection:
        stored = await connection.fetchval(sql.password_now, account.tenant_id, account.account_id)
    return stored is not None and digest(stored).hex() == proved


async def prove_code(
    door: Services, request: Request, account: AccountRow, code: str, *, recovery: bool = True
) -> Way | None:
    """What `code` proves beside a right password; None: nothing. Each code once.

    Raises TooMany, with how long to wait, for a code of the app after too many wrong ones. Recovery codes never wait.
    """
    who, now = account.actor, datetime.now(UTC)
    way: Way | None = None
    async with door.web.locked(who.lock) as connection:
        if rules.looks_like_a_code(code):
            way = Way.PASSWORD_TOTP if await _fits(connection, door, who, code, now) else None
        elif recovery and await connection.fetchval(
            sql.use_recovery_code, who.tenant_id, who.id, rules.recovery_digest(code), now
        ):
            way = Way.RECOVERY
            await _audit(connection, request, door, who, "recovery_code_used")
        if way is None:
            at, origin = door.clock.now(), address_of(request)
            await write_down(
                connection, who.tenant_id, "nobody", "sign_in_failed", str(who), at,
                reason="by a code", origin=origin,
            )  # fmt: skip
    return way


async def _fits(connection: Connection, door: Services, who: Actor, code: str, now: datetime) -> bool:
    kept = await connection.fetchrow(sql.kept_secret, who.tenant_id, who.id)
    if kept is None:
        return False
    left = rules.wait(kept["tries"], kept["tried_at"], now)
    if left is not None:
        raise TooMany(
            "Too many wrong codes. Wait a little, or use a recovery code or a passkey; nothing is locked.",
            retry_after_seconds=max(1, round(left.total_seconds())),
        )
    try:
        secret = door.sealer.open(kept["sealed_secret"], rules.belongs_to(who.tenant_id, who.id))
    except Unsealable:
        log.warning(
            "the code secret of %s was sealed with another key; recovery codes still open", who.lock.who
        )
        return False
    step = rules.fits(secret, code, now, kept["last_step"])
    if step is None:
        await connection.execute(sql.note_wrong, who.tenant_id, who.id, now)
        return False
    await connection.execute(sql.note_right, who.tenant_id, who.id, step)
    return True


async def _new_recovery_codes(connection: Connection, who: Actor, now: datetime) -> list[str]:
    codes = rules.new_recovery_codes()
    digests = [rules.recovery_digest(code) for code in codes]
    await connection.execute(sql.delete_recovery_codes, who.tenant_id, who.id)
    await connection.execute(sql.insert_recovery_codes, who.tenant_id, who.id, digests, now)
    return codes


async def _audit(connection: Any, request: Request, door: Services, who: Actor, action: str) -> None:
    origin = address_of(request)
    await write_down(connection, who.tenant_id, str(who), action, str(who), door.clock.now(), origin=origin)
