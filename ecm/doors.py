"""Who is at the door: an account by its session cookie, or a system by its key. For every HTTP route.

    @router.get("/v1/visits")
    async def visits(door: Annotated[Services, Depends(services)],
                     actor: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))]): ...

A browser sends its cookie along with any form a foreign page submits, so a request by cookie that changes
anything must also come from our own pages (`Sec-Fetch-Site`, or `Origin` against `Host`). A key is never
sent by accident.

Sessions are about real people at real desks and use real time, also under a scaled clock. One ends at its absolute
limit, and sooner when nobody was there: being asked is being there. A limited one opens only what its owner needs to
finish setting up how they sign in.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from ecm import keys
from ecm.audit.noted import Noted
from ecm.clock import Clock
from ecm.councils import Councils
from ecm.errors import FinishSettingUp, NotPermitted, NotSignedIn
from ecm.identity.passkeys import RelyingParty
from ecm.permit import Action, Actor, require, require_step_up
from ecm.sealing import Sealer, sealer
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.queries import load_queries
from ecm.throttle import Allowance, Throttle

sql = load_queries(__package__, "doors.sql")

SESSION_COOKIE = "ecm_session"
# Over https: no other host of the domain, and nothing unencrypted, can set a cookie of this name.
HOST_COOKIE = f"__Host-{SESSION_COOKIE}"
# Only the page by form needs it: what is half done, where no script carries it. It opens nothing without the code.
HALF_WAY_COOKIE = "ecm_half_way"
HOST_HALF_WAY_COOKIE = f"__Host-{HALF_WAY_COOKIE}"
# What a limited session may ask for, and what is below it.
OPEN_TO_LIMITED = (
    "/v1/session",
    "/v1/me",
    "/v1/me/password",
    "/v1/me/passkeys",
    "/v1/me/second-step",
    "/v1/me/recovery-codes",
)
# What it may look at and no more: who knows a password alone must not sign its owner out.
READ_BY_LIMITED = frozenset({"/v1/me/sessions"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# RFC 3986, of a path and its query.
OF_A_PATH = frozenset(string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@%/?")

# The description of each operation names the action its door asks for (`ecm.api.openapi`), or why it asks for none.
ACTION, OPEN = "x-ecm-action", "x-ecm-public"
ACTION_OF: dict[Callable[..., Any], Action] = {}
"""By what `permit_for` made."""

# Declared so that OpenAPI names both ways in; either one will do, so neither refuses by itself.
_by_cookie = APIKeyCookie(name=SESSION_COOKIE, scheme_name="session", auto_error=False)
_by_key = HTTPBearer(scheme_name="key", auto_error=False)


@dataclass(frozen=True)
class Services:
    """What a route may use. `app.state.services` holds the one of this process."""

    web: Database
    clock: Clock
    settings: Settings
    throttle: Throttle = field(default_factory=Throttle)
    councils: Councils = field(default_factory=Councils)
    noted: Noted = field(default_factory=Noted)
    beginning: Allowance = field(default_factory=Allowance)

    @cached_property
    def sealer(self) -> Sealer:
        return sealer(self.settings.sealing_key, self.settings.data_dir, self.settings.sealing_keys_old)


def services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


async def actor(
    request: Request,
    door: Annotated[Services, Depends(services)],
    _cookie: Annotated[str | None, Depends(_by_cookie)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_by_key)] = None,
) -> Actor:
    """Who asks. Raises NotSignedIn, and NotPermitted for a changing request that a foreign page sent."""
    if bearer is not None:
        return await of_key(door, bearer.credentials)
    token = token_of(request)
    if token is not None:
        if request.method not in SAFE_METHODS:
            require_same_origin(request)
        who = await of_session(door, token)
        if who.limited and not _is_open_to_limited(request.method, request.url.path):
            raise FinishSettingUp
        return who
    raise NotSignedIn


def token_of(request: Request) -> str | None:
    """What the browser holds of its session, if it holds one."""
    return request.cookies.get(HOST_COOKIE) or request.cookies.get(SESSION_COOKIE)


def half_way_of(request: Request) -> str | None:
    """What the browser holds of a sign-in half done, if it holds one."""
    return request.cookies.get(HOST_HALF_WAY_COOKIE) or request.cookies.get(HALF_WAY_COOKIE)


async def actor_or_nobody(request: Request) -> Actor | None:
    """Who is signed in at this browser; None rather than an error, for pages that then show the sign-in."""
    token = token_of(request)
    if token is None:
        return None
    try:
        return await of_session(services(request), token)
    except NotSignedIn:
        return None


def permit_for(action: Action) -> Callable[[Request, Actor], Awaitable[Actor]]:
    """A dependency: the actor, once it may do `action` at all. Narrow the rows by `reach(actor, action)`.

    What changes something by an action of STEP_UP must have been proved again a short while ago.
    """

    async def permitted(request: Request, who: Annotated[Actor, Depends(actor)]) -> Actor:
        require(who, action)
        if request.method not in SAFE_METHODS:
            require_step_up(who, action, datetime.now(UTC))
        return who

    ACTION_OF[permitted] = action
    return permitted


def for_action(action: Action) -> dict[str, str]:
    """Part of `openapi_extra=` for a door that checks for itself."""
    return {ACTION: action.value}


def open_because(why: str) -> dict[str, str]:
    """Part of `openapi_extra=` for a door that asks for no action: who may come in, or why anybody may."""
    return {OPEN: why}


async def of_session(door: Services, token: str) -> Actor:
    """The account behind a session's token. Raises NotSignedIn when it is unknown, idle, expired or disabled."""
    idle = timedelta(minutes=door.settings.session_idle_minutes)
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.session, digest(token), datetime.now(UTC), idle)
    if row is None:
        raise NotSignedIn("That session has ended.")
    return Actor(
        "account",
        row["tenant_id"],
        row["account_id"],
        row["name"],
        row["role"],
        row["provider_ref"],
        stepped_up_at=row["stepped_up_at"],
        signed_in_by=row["signed_in_by"],
        limited=row["limited"],
        care_worker_ref=row["care_worker_ref"] if row["role"] == "care_worker" else None,
    )


async def of_key(door: Services, key: str) -> Actor:
    """The system behind an API key. Raises NotSignedIn when it is unknown or revoked."""
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.key, keys.digest(key))
    if row is None:
        raise NotSignedIn("That key is not known, or was revoked.")
    return Actor("key", row["tenant_id"], row["key_id"], row["name"], scopes=frozenset(row["scopes"]))


def _is_open_to_limited(method: str, path: str) -> bool:
    if path in READ_BY_LIMITED:
        return method in SAFE_METHODS
    return path in OPEN_TO_LIMITED or path.startswith(tuple(f"{open_}/" for open_ in OPEN_TO_LIMITED[2:]))


def digest(token: str) -> bytes:
    """What the database keeps of a session's token: who reads the table cannot sign in with it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def require_same_origin(request: Request) -> None:
    """Raises NotPermitted unless our own page sent this. Hosts are compared: TLS may end before us."""
    if not came_from_own_page(request):
        raise NotPermitted("This came from another site's page. Open the service itself and try again.")


def came_from_own_page(request: Request) -> bool:
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def address_of(request: Request) -> str:
    """Where the request came from, for the throttle and the audit."""
    return request.client.host if request.client else "unknown"


def is_over_https(request: Request) -> bool:
    """TLS mostly ends before us; what the service is known as says so."""
    return request.url.scheme == "https" or is_known_over_https(services(request).settings)


def is_known_over_https(settings: Settings) -> bool:
    return (settings.public_url or "").lower().startswith("https://")


def own_page(path: str) -> str | None:
    """Where somebody wanted to go, if that is a path here other than the first page; never another site's address.

    `//host` and `/\\host` are other sites to a browser.
    """
    here = path.startswith("/") and not path.startswith("//") and path != "/"
    return path if here and set(path) <= OF_A_PATH else None


def site_of(request: Request) -> RelyingParty | None:
    """The site as passkeys know it; None where a browser would take none."""
    return RelyingParty.of(services(request).settings.public_url, request.headers.get("host", ""))


def names_foreign_page(request: Request) -> bool:
    """The request says that it comes from elsewhere. A script says nothing and signs in with its password."""
    says_where = "origin" in request.headers or "sec-fetch-site" in request.headers
    return says_where and not came_from_own_page(request)
