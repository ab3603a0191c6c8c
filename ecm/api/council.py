"""Signing in at one's own council: sent there, sent back, and in with the role that one's groups have here.

    /sign-in/council        begins, and sends the browser to the provider
    /sign-in/council/back   where the provider sends it back, with a code or a reason

What is kept between the two is `ecm.api.council_visit`, who somebody is here `ecm.api.council_people`. The other ways
in stay as they are: a provider that is away keeps nobody from a passkey.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from ecm.api.council_people import account_of
from ecm.api.council_visit import (
    BACK,
    Council,
    Purpose,
    Refused,
    begin_at,
    begun,
    council_of,
    forget,
    noticed_if_away,
    remember,
)
from ecm.api.session import give_cookie, open_session_for, step_up
from ecm.api.sign_in import go_on
from ecm.audit.writing import write_down
from ecm.authorities import of_council
from ecm.councils import CouncilAway
from ecm.doors import Services, address_of, of_session, own_page, services, token_of
from ecm.errors import NotSignedIn, TooMany, Unavailable
from ecm.identity.assurance import Way
from ecm.identity.oidc import Claims, NotUsable, NotVerified, is_afresh
from ecm.permit import Actor
from ecm.refusals import Door as RefusedAt
from ecm.refusals import refused
from ecm.store.queries import load_queries

log = logging.getLogger(__name__)
sql = load_queries(__package__, "council.sql")
router = APIRouter(include_in_schema=False)

CODE_CHARACTERS_MAX = 4096

Door = Annotated[Services, Depends(services)]


@router.get("/sign-in/council")
async def go_there(
    request: Request, door: Door, tenant: str = "", next: str = "", again: str = ""
) -> Response:
    """`again`: whoever is signed in shows once more that it is they."""
    purpose: Purpose = "step_up" if again else "sign_in"
    try:
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
            raise Refused("council_again", "another page's picture or script asked, and nobody went there")
        door.beginning.take(address_of(request), monotonic())
        who = await _signed_in(request, door) if again else None
        tenant_id = await _which(door, tenant) if who is None else who.lock.tenant_id
        url, token = await begin_at(request, door, tenant_id, purpose, who, next)
    except (Refused, NotUsable, CouncilAway, TooMany, Unavailable) as error:
        return _not_in(error, purpose, next, tenant)
    response = RedirectResponse(url, 303)
    remember(request, response, token)
    return response


@router.get(BACK)
async def come_back(
    request: Request, door: Door, code: str = "", state: str = "", iss: str = "", error: str = ""
) -> Response:
    """In, or back to the sign-in page with what went wrong."""
    try:
        kept = await begun(request, door, state)
    except (Refused, Unavailable) as failed:
        return _not_in(failed, "sign_in", "")  # the cookie stays: what it names may still come back
    onward: str = kept["next"]
    purpose: Purpose = kept["purpose"]
    try:
        _require_same_issuer(kept, iss)
        if error or not 0 < len(code) <= CODE_CHARACTERS_MAX:
            raise Refused(
                "council_refused" if error == "access_denied" else "council_failed", "sent back without"
            )
        council = await council_of(door, kept["tenant"], kept["issuer"])
        async with noticed_if_away(door, council.tenant_id):
            claims = await door.councils.claims(
                council.client,
                code,
                verifier=kept["verifier"],
                nonce=kept["nonce"],
                redirect_uri=kept["redirect_uri"],
                now=datetime.now(UTC),
                private=door.settings.oidc_private,
            )
        if purpose == "step_up":
            response = await _stepped_up(request, door, council, claims, kept)
        elif purpose == "join":
            response = await _joined(request, door, council, claims, kept)
        else:
            account = await account_of(request, door, council, claims)
            opened = await open_session_for(door, account, Way.OIDC, request, old_token=token_of(request))
            response = go_on(request, opened, onward)
    except (Refused, NotVerified, NotUsable, CouncilAway, NotSignedIn, Unavailable) as failed:
        response = _not_in(failed, purpose, onward, str(kept["tenant"]))
    forget(response)
    return response


# ---------------------------------------------------------------------- there


async def _which(door: Services, tenant: str) -> int:
    """The authority that is named, or the only one there is. Raises Refused."""
    async with door.web.connection() as connection:
        tenant_id = await of_council(connection, tenant)
    if tenant_id is None:
        raise Refused("council_none")
    return tenant_id


async def _signed_in(request: Request, door: Services) -> Actor:
    token = token_of(request)
    if token is None:
        raise Refused("again")
    try:
        return await of_session(door, token)
    except NotSignedIn:
        raise Refused("again") from None


# ---------------------------------------------------------------------- and back


def _require_same_issuer(kept: dict[str, Any], said: str) -> None:
    """RFC 9207: whoever sends somebody back says who they are, so that one provider is not taken for another."""
    if said != kept["issuer"] and (said or kept["names_itself"]):
        raise Refused("council_failed", "sent back by another issuer")


async def _stepped_up(
    request: Request, door: Services, council: Council, claims: Claims, kept: dict[str, Any]
) -> Response:
    """The same person, at the same session, having shown it since they were sent there. Raises Refused, NotSignedIn."""
    who = await _still_there(request, door, council, claims, kept)
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.subject, council.tenant_id, council.client.issuer, claims.subject)
    if row is None or row["account_id"] != who.id:
        raise Refused("council_failed", "somebody else came back")
    opened = await step_up(door, who, token_of(request) or "", Way.OIDC, request)
    response = RedirectResponse(own_page(kept["next"]) or "/", 303)
    give_cookie(request, response, opened)
    return response


async def _joined(
    request: Request, door: Services, council: Council, claims: Claims, kept: dict[str, Any]
) -> Response:
    """From here on whoever the provider calls so is this account. Raises Refused: somebody is joined already."""
    who = await _still_there(request, door, council, claims, kept)
    issuer, now = council.client.issuer, door.clock.now()
    async with door.web.tenant(who.lock.tenant_id) as connection:
        joined = await connection.fetchval(
            sql.join_account, who.tenant_id, issuer, claims.subject, who.id, now
        )
        if joined is None:
            raise Refused("council_taken", "that subject, or this account, is joined already")
        origin = address_of(request)
        await write_down(
            connection, who.tenant_id, str(who), "council_joined", str(who), now, reason=issuer, origin=origin
        )
    return RedirectResponse(_with(own_page(kept["next"]) or "/me", council="joined"), 303)


async def _still_there(
    request: Request, door: Services, council: Council, claims: Claims, kept: dict[str, Any]
) -> Actor:
    """Who began it, at the same session, having shown the provider since that it is they. Raises Refused."""
    who = await _signed_in(request, door)
    if (who.tenant_id, who.id) != (council.tenant_id, kept["account"]):
        raise Refused("council_failed", "somebody else is signed in here meanwhile")
    if not is_afresh(claims, datetime.fromtimestamp(kept["begun_at"], UTC)):
        raise Refused("council_failed", "the provider did not ask afresh, or does not say so")
    return who


def _not_in(error: Exception, purpose: Purpose, onward: str, tenant: str = "") -> Response:
    """Back to the sign-in page, which says it in words; whoever is signed in stays where they were."""
    if isinstance(error, Refused):
        said = error.said
    elif isinstance(error, TooMany):
        said = "wait"
    elif isinstance(error, Unavailable):
        said = "away"
    elif isinstance(error, CouncilAway):
        said = "council_away"
    else:
        said = "council_failed"
    if isinstance(error, Refused | NotVerified | TooMany):
        refused(RefusedAt.SIGN_IN, error.slug if isinstance(error, TooMany) else NotSignedIn.slug)
    log.warning("a sign-in at a council's own did not succeed: %s", error)
    page = own_page(onward)
    if purpose != "sign_in" and said != "again":
        where = _with(page or "/me", **{"step_up" if purpose == "step_up" else "council": said})
        response = RedirectResponse(where, 303)
    else:
        at = {"sign_in": said, "next": page or "", "tenant": tenant if tenant.isdigit() else ""}
        response = RedirectResponse("/?" + urlencode({name: one for name, one in at.items() if one}), 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _with(page: str, **said: str) -> str:
    return f"{page}{'&' if urlsplit(page).query else '?'}{urlencode(said)}"
