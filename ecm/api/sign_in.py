"""Signing in and out, by JSON for scripts and by form for the page.

An unknown e-mail takes as long to refuse as a wrong password and is refused in the same words. Each try
counts as failed until it has succeeded, so that a thousand tries at once are no way round the throttle.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from ecm.api.audit import write_down
from ecm.api.wire import Asked, answers, asks
from ecm.doors import (
    SESSION_COOKIE,
    Services,
    actor,
    address_of,
    digest,
    names_foreign_page,
    of_session,
    open_because,
    require_same_origin,
    services,
)
from ecm.errors import NotFound, NotPermitted, NotSignedIn, TooMany, Unavailable
from ecm.passwords import hash_password, is_outdated, password_fits
from ecm.permit import Action, Actor, permit
from ecm.store.queries import load_queries

sql = load_queries(__package__, "sign_in.sql")
router = APIRouter(tags=["sign-in"])

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


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just begun. `token` goes to the browser and nowhere else."""

    who: Actor
    token: str
    expires_at: datetime


ASKED = {"email": "dana@example.org", "password": "a-long-made-up-phrase"}
SIGNED_IN = {
    "name": "Dana Duty",
    "role": "duty_officer",
    "provider": None,
    "lands_on": "/board",
    "expires_at": "2026-11-21T21:00:00Z",
}
ME = {
    "kind": "account",
    "name": "Dana Duty",
    "role": "duty_officer",
    "provider": None,
    "scopes": [],
    "may": ["read_board", "read_visits"],
    "lands_on": "/board",
    "tenant": {"name": "Example Borough", "zone": "Europe/London", "labels": {}},
}


@router.post(
    "/v1/session",
    status_code=201,
    response_model=SignedIn,
    responses=answers(SIGNED_IN, 401, 403, 429, 503, status=201, Set_Cookie="The session, for a browser."),
    openapi_extra=asks(ASKED) | open_because("signing in: the e-mail and the password are looked at inside"),
)
async def begin_session(
    request: Request,
    response: Response,
    asked: SignInAsked,
    door: Annotated[Services, Depends(services)],
) -> SignedIn:
    """Signs an account in; the cookie `ecm_session` is its proof from here on."""
    opened = await open_session(request, door, asked.email, asked.password.get_secret_value())
    _give_cookie(request, response, opened)
    return SignedIn(
        name=opened.who.name,
        role=opened.who.role,
        provider=opened.who.provider_ref,
        lands_on=LANDS_ON.get(opened.who.role, "/"),
        expires_at=opened.expires_at,
    )


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
    await close_session(door, who, request.cookies[SESSION_COOKIE])
    response.delete_cookie(SESSION_COOKIE)


@router.get(
    "/v1/me",
    response_model=Me,
    responses=answers(ME),
    openapi_extra=open_because("an account or a key is told who it is"),
)
async def me(door: Annotated[Services, Depends(services)], who: Annotated[Actor, Depends(actor)]) -> Me:
    """Who is asking, and what they may do."""
    async with door.web.locked(who.lock) as connection:
        tenant = await connection.fetchrow(sql.tenant, who.tenant_id)
    if tenant is None:
        raise NotFound
    return Me(
        kind=who.kind,
        name=who.name,
        role=who.role or None,
        provider=who.provider_ref,
        scopes=sorted(who.scopes),
        may=[action.value for action in Action if permit(who, action)],
        lands_on=LANDS_ON.get(who.role),
        tenant=Tenant(**tenant),
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
        opened = await open_session(request, door, email, password)
    except TooMany as error:
        return _back_to_form("wait", seconds=error.retry_after_seconds or 1)
    except (NotSignedIn, NotPermitted):
        return _back_to_form("failed")
    except Unavailable:
        return _back_to_form("away")
    onward = going_to if _is_own_page(going_to) else LANDS_ON.get(opened.who.role, "/")
    response = RedirectResponse(onward, status_code=303)
    _give_cookie(request, response, opened)
    return response


@router.post("/sign-out", include_in_schema=False)
async def sign_out_by_form(request: Request, door: Annotated[Services, Depends(services)]) -> Response:
    """Signs out, also when the session has ended by itself."""
    require_same_origin(request)
    if token := request.cookies.get(SESSION_COOKIE):
        with suppress(NotSignedIn):
            await close_session(door, await of_session(door, token), token)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    return response


async def open_session(request: Request, door: Services, email: str, password: str) -> Opened:
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
            return await _begin(door, row, password, address, request.cookies.get(SESSION_COOKIE))
    await _write_failures(door, candidates, address)
    raise NotSignedIn("That e-mail and password do not fit together.")


async def close_session(door: Services, who: Actor, token: str) -> None:
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.delete_session, who.tenant_id, digest(token))
        await write_down(connection, who.tenant_id, str(who), "signed_out", str(who), door.clock.now())


async def _accounts(door: Services, email: str) -> list[Any]:
    if "\x00" in email:
        return []
    async with door.web.connection() as connection:
        return list(await connection.fetch(sql.accounts_by_email, email))


async def _begin(door: Services, row: Any, password: str, address: str, old_token: str | None) -> Opened:
    """A session for the browser, instead of the one it may have had: a copy of that opens nothing any more."""
    if old_token is not None:
        with suppress(NotSignedIn):
            await close_session(door, await of_session(door, old_token), old_token)
    tenant_id, account_id = row["tenant_id"], row["account_id"]
    who = Actor("account", tenant_id, account_id, row["name"], row["role"], row["provider_ref"])
    token = secrets.token_urlsafe(32)
    began_at = datetime.now(UTC)
    expires_at = began_at + timedelta(hours=door.settings.session_hours)
    better_hash = await hash_password(password) if is_outdated(row["password_hash"]) else None
    async with door.web.tenant(tenant_id) as connection:
        await connection.execute(sql.delete_ended_sessions, tenant_id, account_id, began_at)
        await connection.execute(
            sql.insert_session, tenant_id, digest(token), account_id, began_at, expires_at
        )
        if better_hash is not None:
            await connection.execute(sql.update_password_hash, tenant_id, account_id, better_hash)
        await write_down(
            connection, tenant_id, str(who), "signed_in", str(who), door.clock.now(), origin=address
        )
    return Opened(who, token, expires_at)


async def _write_failures(door: Services, candidates: list[Any], address: str) -> None:
    for row in candidates:
        async with door.web.tenant(row["tenant_id"]) as connection:
            subject = f"account {row['account_id']} {row['name']}"
            at = door.clock.now()
            await write_down(
                connection, row["tenant_id"], "nobody", "sign_in_failed", subject, at, origin=address
            )


def _give_cookie(request: Request, response: Response, opened: Opened) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        opened.token,
        expires=opened.expires_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or _is_public_over_https(request),
    )
    response.headers["Cache-Control"] = "no-store"


def _is_public_over_https(request: Request) -> bool:
    """TLS mostly ends before us; what the service is known as says so."""
    return (services(request).settings.public_url or "").lower().startswith("https://")


def _back_to_form(what: str, **more: int) -> Response:
    return RedirectResponse("/?" + urlencode({"sign_in": what, **more}), status_code=303)


def _is_own_page(path: str) -> bool:
    """A path here. `//host` and `/\\host` are other sites to a browser."""
    return path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
