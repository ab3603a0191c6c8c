"""One visit to a council's own sign-in, from being sent there to coming back: what it is begun with, and whose it is.

What was begun is kept sealed (`ecm.openings`) for the browser that began it: a cookie names it, the provider carries a
`state` that has to fit, and it is used up once. A code therefore opens nothing in another browser, nor twice.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import Request, Response

from ecm import openings
from ecm.councils import CouncilAway
from ecm.doors import Services, is_known_over_https, is_over_https, services
from ecm.identity.oidc import Client, NotUsable, begin
from ecm.notices import Kind, notice
from ecm.permit import Actor
from ecm.sealing import Unsealable
from ecm.store.queries import load_queries

sql = load_queries(__package__, "council.sql")

LASTS = timedelta(minutes=10)
COOKIE = "ecm_council"
HOST_COOKIE = f"__Host-{COOKIE}"
BACK = "/sign-in/council/back"
AT_HOME = ("localhost", "127.0.0.1", "::1")

Purpose = Literal["sign_in", "step_up", "join"]


class Refused(Exception):
    """What the sign-in page says (`ecm.web.pages`), by its name; `why` is for the log, and names nobody."""

    def __init__(self, said: str, why: str = "") -> None:
        super().__init__(why or said)
        self.said = said


@dataclass(frozen=True, slots=True)
class Council:
    """How one authority's people sign in."""

    tenant_id: int
    client: Client
    makes_accounts: bool


async def begin_at(
    request: Request, door: Services, tenant_id: int, purpose: Purpose, who: Actor | None, onward: str
) -> tuple[str, str]:
    """Where to send the browser, and what it has to remember. Raises Refused, NotUsable, CouncilAway, Unavailable."""
    council = await council_of(door, tenant_id)
    redirect_uri = way_back(request)
    async with noticed_if_away(door, tenant_id):
        at = await door.councils.endpoints(council.client.issuer, private=door.settings.oidc_private)
    sent = begin(council.client, at, redirect_uri, afresh=purpose != "sign_in")
    kept = {
        "purpose": purpose,
        "tenant": tenant_id,
        "account": who.id if who else None,
        "issuer": council.client.issuer,
        "names_itself": at.names_itself,
        "state": sent.state,
        "nonce": sent.nonce,
        "verifier": sent.verifier,
        "redirect_uri": redirect_uri,
        "begun_at": datetime.now(UTC).timestamp(),
        "next": onward[:2000],
    }
    return sent.url, await openings.open_(door, "oidc", kept, LASTS)


def remember(request: Request, response: Response, token: str) -> None:
    """What was begun belongs to this browser."""
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(
        HOST_COOKIE if is_known_over_https(services(request).settings) else COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_over_https(request),
    )


async def begun(request: Request, door: Services, state: str) -> dict[str, Any]:
    """What this browser began, once. Raises Refused, and uses nothing up for a state that does not fit."""
    token = request.cookies.get(HOST_COOKIE) or request.cookies.get(COOKIE)
    if token is None:
        raise Refused("council_again", "no sign-in was begun in this browser")
    kept = await openings.look(door, "oidc", token)
    if kept is None:
        raise Refused("council_again", "what was begun is used up, or too old")
    if not secrets.compare_digest(kept["state"].encode(), state.encode("utf-8", "surrogateescape")):
        raise Refused("council_again", "the state is that of another sign-in")
    if await openings.close(door, "oidc", token) is None:
        raise Refused("council_again", "what was begun is used up, or too old")
    return kept


@asynccontextmanager
async def noticed_if_away(door: Services, tenant_id: int) -> AsyncIterator[None]:
    """Whoever administers is told that their council's sign-in does not answer, wherever somebody found it out."""
    try:
        yield
    except CouncilAway:
        async with door.web.tenant(tenant_id) as connection:
            await notice(connection, Kind.COUNCIL_SIGN_IN_AWAY, "the council's sign-in", door.clock.now())
        raise


def forget(response: Response) -> None:
    """What was begun is used up."""
    response.delete_cookie(COOKIE)
    response.delete_cookie(HOST_COOKIE, secure=True)


async def council_of(door: Services, tenant_id: int, issuer: str | None = None) -> Council:
    """How an authority's people sign in. Raises Refused (not so, or by another issuer meanwhile) and NotUsable."""
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.provider, tenant_id)
    if row is None or issuer not in (None, row["issuer"]):
        raise Refused("council_none")
    sealed = row["sealed_client_secret"]
    try:
        secret = None if sealed is None else door.sealer.open(sealed, secret_of(tenant_id)).decode()
    except Unsealable:
        raise NotUsable("The secret was sealed with another key; set it once more.") from None
    client = Client(row["issuer"], row["client_id"], secret, row["scopes"], row["groups_claim"])
    return Council(tenant_id, client, row["makes_accounts"])


def secret_of(tenant_id: int) -> str:
    """What the sealed client secret belongs to."""
    return f"oidc client {tenant_id}"


def way_back(request: Request) -> str:
    """Where the provider sends people back to: an address it was told of. Never what a request says of itself, except
    on this machine. Raises Refused."""
    public_url = services(request).settings.public_url
    if public_url:
        return public_url.rstrip("/") + BACK
    if request.url.hostname in AT_HOME:
        return str(request.base_url).rstrip("/") + BACK
    raise Refused("council_none", "ECM_PUBLIC_URL is not set, so nobody can be sent back")
