"""Signing in by password and signing out, by JSON for scripts and by form for the page.

An unknown e-mail takes as long to refuse as a wrong password and is refused in the same words. Each try
counts as failed until it has succeeded, so that a thousand tries at once are no way round the throttle.

A right password is enough for an account that has no second way in. Where there is one (a code; or a passkey, where
the authority asks for two proofs), the sign-in is half done and goes on at `ecm.api.second_step`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from ecm import openings
from ecm.api.session import (
    AccountRow,
    Opened,
    close_session,
    give_cookie,
    open_session_for,
    standing_of,
    take_cookie,
)
from ecm.api.wire import Asked, answers, asks
from ecm.audit.writing import write_down
from ecm.authorities import authority
from ecm.doors import (
    HALF_WAY_COOKIE,
    HOST_HALF_WAY_COOKIE,
    Services,
    actor,
    address_of,
    digest,
    is_known_over_https,
    is_over_https,
    names_foreign_page,
    of_session,
    open_because,
    own_page,
    require_same_origin,
    services,
    token_of,
)
from ecm.errors import NotFound, NotPermitted, NotSignedIn, TooMany, Unavailable
from ecm.identity.assurance import Standing, ToFinish, Way, to_finish
from ecm.passwords import hash_password, is_outdated, password_fits
from ecm.permit import Action, Actor, permit
from ecm.refusals import refused_at
from ecm.store.queries import load_queries

sql = load_queries(__package__, "sign_in.sql")
router = APIRouter(tags=["sign-in"])

SECOND_STEP_LASTS = timedelta(minutes=10)
FINISHES_AT = "/me"
LANDS_ON = {
    "care_worker": "/",
    "coordinator": "/board",
    "manager": "/board",
    "duty_officer": "/board",
    "finance": "/actuals",
    "finance_approver": "/actuals",
    "quality": "/board",
    "administrator": "/board",
    "auditor": "/actuals",
}

SecondWay = Literal["code", "recovery_code", "passkey"]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1000)]


class SignInAsked(Asked):
    email: Email
    password: Password


class SignedIn(BaseModel):
    name: str
    role: str
    provider: str | None = Field(description="The one provider this account sees; null for all.")
    lands_on: str = Field(description="The page this role begins with.")
    expires_at: datetime
    limited: bool = Field(
        False, description="May only finish setting up how to sign in (see /v1/me: to_finish)."
    )

    @classmethod
    def by(cls, opened: Opened) -> SignedIn:
        return cls(
            name=opened.who.name,
            role=opened.who.role,
            provider=opened.who.provider_ref,
            lands_on=lands_on(opened.who),
            expires_at=opened.expires_at,
            limited=opened.who.limited,
        )


class SecondStepNeeded(BaseModel):
    second_step: str = Field(
        description="Goes to /v1/session/second-step with the code. Good for ten minutes."
    )
    ways: list[SecondWay] = Field(description="How to go on; `passkey` is at /v1/session/passkey-options.")


@dataclass(frozen=True, slots=True)
class HalfWay:
    """The password was right, and this account or its authority asks for more."""

    second_step: str
    ways: list[SecondWay]


class Tenant(BaseModel):
    name: str
    zone: str
    labels: dict[str, Any]


class Me(BaseModel):
    kind: str
    name: str
    role: str | None
    provider: str | None
    scopes: list[str]
    may: list[str] = Field(
        description="The actions this account or key may do, at least for its own provider."
    )
    lands_on: str | None
    tenant: Tenant
    signed_in_by: Way | None = None
    limited: bool = Field(False, description="May only finish setting up how to sign in.")
    to_finish: list[ToFinish] = Field(
        [], description="What is left to do before this session is a whole one."
    )
    has_password: bool = Field(False, description="Whether a password opens this account.")


ASKED = {"email": "dana@example.org", "password": "a-long-made-up-phrase"}
SIGNED_IN = {
    "name": "Dana Duty",
    "role": "duty_officer",
    "provider": None,
    "lands_on": "/board",
    "expires_at": "2026-11-21T21:00:00Z",
    "limited": False,
}
HALF_WAY = {"second_step": "made-up-for-this-page", "ways": ["code", "recovery_code"]}
ME = {
    "kind": "account",
    "name": "Dana Duty",
    "role": "duty_officer",
    "provider": None,
    "scopes": [],
    "may": ["read_board", "read_visits"],
    "lands_on": "/board",
    "tenant": {"name": "Example Borough", "zone": "Europe/London", "labels": {}},
    "signed_in_by": "passkey",
    "limited": False,
    "to_finish": [],
    "has_password": False,
}


@router.post(
    "/v1/session",
    status_code=201,
    response_model=SignedIn,
    responses=answers(SIGNED_IN, 401, 403, 429, 503, status=201, Set_Cookie="The session, for a browser.")
    | {
        202: {
            "model": SecondStepNeeded,
            "description": "The password is right; another proof is asked for.",
            "content": {"application/json": {"example": HALF_WAY}},
        }
    },
    openapi_extra=asks(ASKED) | open_because("signing in: the e-mail and the password are looked at inside"),
)
async def begin_session(
    request: Request,
    response: Response,
    asked: SignInAsked,
    door: Annotated[Services, Depends(services)],
) -> SignedIn | Response:
    """Signs an account in; the cookie is its proof from here on. Accounts with a second way in are asked for that."""
    came = await come_by_password(request, door, asked.email, asked.password.get_secret_value())
    if isinstance(came, HalfWay):
        return JSONResponse({"second_step": came.second_step, "ways": came.ways}, 202)
    give_cookie(request, response, came)
    return SignedIn.by(came)


@router.delete(
    "/v1/session", status_code=204, openapi_extra=open_because("whoever is signed in may sign out")
)
async def end_session(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(actor)],
) -> None:
    """Signs out."""
    if who.kind != "account":
        raise NotPermitted("A key has no session; revoke it instead.")
    await close_session(door, who, token_of(request) or "", request)
    take_cookie(response)


@router.get(
    "/v1/me",
    response_model=Me,
    responses=answers(ME),
    openapi_extra=open_because("an account or a key is told who it is"),
)
async def me(door: Annotated[Services, Depends(services)], who: Annotated[Actor, Depends(actor)]) -> Me:
    """Who is asking, and what they may do."""
    way = Way(who.signed_in_by) if who.signed_in_by else None
    left: list[ToFinish] = []
    async with door.web.locked(who.lock) as connection:
        tenant = await authority(connection, who.tenant_id)
        has_password = who.kind == "account" and await connection.fetchval(
            sql.has_password, who.tenant_id, who.id
        )
        if who.limited and way is not None:
            left = to_finish(way, await standing_of(connection, who))
    if tenant is None:
        raise NotFound
    return Me(
        kind=who.kind,
        name=who.name,
        role=who.role or None,
        provider=who.provider_ref,
        scopes=sorted(who.scopes),
        may=[action.value for action in Action if permit(who, action)],
        lands_on=lands_on(who) if who.kind == "account" else None,
        tenant=Tenant(**tenant),
        signed_in_by=way,
        limited=who.limited,
        to_finish=left,
        has_password=has_password,
    )


@router.post("/sign-in", include_in_schema=False)
async def sign_in_by_form(
    request: Request,
    door: Annotated[Services, Depends(services)],
    email: Annotated[str, Form(max_length=254)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    going_to: Annotated[str, Form(alias="next", max_length=2000)] = "",
) -> Response:
    """The page's form: on to the role's page, or back to the form with what went wrong."""
    try:
        came = await come_by_password(request, door, email, password)
    except TooMany as error:
        refused_at(request.url.path, error)
        return _back_to_form("wait", seconds=error.retry_after_seconds or 1)
    except (NotSignedIn, NotPermitted) as error:
        refused_at(request.url.path, error)
        return _back_to_form("failed")
    except Unavailable:
        return _back_to_form("away")
    if isinstance(came, HalfWay):
        return _on_to_second_step(request, came, going_to)
    return go_on(request, came, going_to)


@router.post("/sign-out", include_in_schema=False)
async def sign_out_by_form(request: Request, door: Annotated[Services, Depends(services)]) -> Response:
    """Signs out, also when the session has ended by itself."""
    require_same_origin(request)
    if token := token_of(request):
        with suppress(NotSignedIn):
            await close_session(door, await of_session(door, token), token, request)
    response = RedirectResponse("/", status_code=303)
    take_cookie(response)
    return response


async def come_by_password(request: Request, door: Services, email: str, password: str) -> Opened | HalfWay:
    """Raises NotSignedIn, TooMany, NotPermitted (a foreign page sent it) and DatabaseAway."""
    if names_foreign_page(request):
        raise NotPermitted("Another site's page sent this. Open the service itself and sign in there.")
    email, address = email.strip().lower(), address_of(request)
    door.throttle.admit(email, address, monotonic())
    door.throttle.failed(email, address, monotonic())
    try:
        candidates = await _accounts(door, email)
    except Unavailable:
        door.throttle.withdraw(email, address)
        raise
    for row in candidates or [None]:
        stored = row["password_hash"] if row else None
        if await password_fits(password, stored):
            door.throttle.succeeded(email, address)
            return await _begin(request, door, row, password)
    await _write_failures(door, candidates, address)
    raise NotSignedIn("That e-mail and password do not fit together.")


def lands_on(who: Actor) -> str:
    return FINISHES_AT if who.limited else LANDS_ON.get(who.role, "/")


def go_on(request: Request, opened: Opened, going_to: str) -> Response:
    """To where the person wanted to go, with the session's cookie."""
    wanted = None if opened.who.limited else own_page(going_to)
    response = RedirectResponse(wanted or lands_on(opened.who), status_code=303)
    give_cookie(request, response, opened)
    response.delete_cookie(HALF_WAY_COOKIE)
    response.delete_cookie(HOST_HALF_WAY_COOKIE, secure=True)
    return response


async def _accounts(door: Services, email: str) -> list[Any]:
    if "\x00" in email:
        return []
    async with door.web.connection() as connection:
        return list(await connection.fetch(sql.accounts_by_email, email))


async def _begin(request: Request, door: Services, row: Any, password: str) -> Opened | HalfWay:
    account = AccountRow.of(row)
    better_hash = await hash_password(password) if is_outdated(row["password_hash"]) else None
    async with door.web.locked(account.actor.lock) as connection:
        if better_hash is not None:
            await connection.execute(
                sql.update_password_hash, account.tenant_id, account.account_id, better_hash
            )
        standing = await standing_of(connection, account.actor)
        recovery_codes = await connection.fetchval(
            sql.recovery_codes_left, account.tenant_id, account.account_id
        )
    ways = second_ways(standing, recovery_codes)
    if not ways:
        return await open_session_for(door, account, Way.PASSWORD, request, old_token=token_of(request))
    proved = digest(better_hash or row["password_hash"]).hex()
    said = {"account": asdict(account), "password": proved}
    return HalfWay(await openings.open_(door, "second_step", said, SECOND_STEP_LASTS), ways)


def second_ways(standing: Standing, recovery_codes: int) -> list[SecondWay]:
    """How to go on after a right password; nothing: it is enough.

    Who has a passkey and no code may do without it (scripts sign in so), unless their authority asks for two proofs,
    or whoever reset their password could come in by it.
    """
    ways: list[SecondWay] = ["code"] if standing.has_code else []
    asked_for = standing.has_code or standing.second_way_required or standing.password_temporary
    if standing.has_passkey and asked_for:
        ways.append("passkey")
    if ways and recovery_codes:
        ways.append("recovery_code")
    return ways


async def _write_failures(door: Services, candidates: list[Any], address: str) -> None:
    for row in candidates:
        async with door.web.tenant(row["tenant_id"]) as connection:
            subject = f"account {row['account_id']} {row['name']}"
            at = door.clock.now()
            await write_down(
                connection, row["tenant_id"], "nobody", "sign_in_failed", subject, at,
                reason="by password", origin=address,
            )  # fmt: skip


def _on_to_second_step(request: Request, came: HalfWay, going_to: str) -> Response:
    said = {"by": ".".join(came.ways)} | ({"next": going_to} if own_page(going_to) else {})
    response = RedirectResponse(f"/sign-in/code?{urlencode(said)}", status_code=303)
    response.set_cookie(
        HOST_HALF_WAY_COOKIE if is_known_over_https(services(request).settings) else HALF_WAY_COOKIE,
        came.second_step,
        max_age=int(SECOND_STEP_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_over_https(request),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _back_to_form(what: str, **more: int) -> Response:
    return RedirectResponse("/?" + urlencode({"sign_in": what, **more}), status_code=303)
