"""Signing in at one's own council: sent there, sent back, and in with the role that one's groups have here.

    /sign-in/council        begins, and sends the browser to the provider
    /sign-in/council/back   where the provider sends it back, with a code or a reason

What was begun is kept sealed (`ecm.openings`) for the browser that began it: a cookie names it, the provider carries a
`state` that has to fit, and it is used up once. A code therefore opens nothing in another browser, nor twice.

Somebody is who their provider's issuer and subject say. An e-mail address joins nobody to an account: whoever runs a
provider could write anybody's. An account is made where the authority wants that, and its role follows the groups at
each sign-in. Whoever has no group that has a role here does not come in, and is signed out where a group had let them
in. The other ways in stay as they are: a provider that is away keeps nobody from a passkey.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from ecm import openings
from ecm.api.audit import write_down
from ecm.api.session import AccountRow, give_cookie, open_session_for, step_up
from ecm.api.sign_in import go_on
from ecm.councils import CouncilAway
from ecm.doors import Services, address_of, is_known_over_https, is_over_https, of_session, services, token_of
from ecm.errors import NotSignedIn, Unavailable
from ecm.identity.assurance import Way
from ecm.identity.oidc import (
    Claims,
    Client,
    NoRole,
    NotUsable,
    NotVerified,
    Rule,
    begin,
    is_afresh,
    role_for,
)
from ecm.permit import Actor
from ecm.sealing import Unsealable
from ecm.store.db import Connection
from ecm.store.queries import load_queries

log = logging.getLogger(__name__)
sql = load_queries(__package__, "council.sql")
router = APIRouter(include_in_schema=False)

LASTS = timedelta(minutes=10)
COOKIE = "ecm_council"
HOST_COOKIE = f"__Host-{COOKIE}"
BACK = "/sign-in/council/back"
AT_HOME = ("localhost", "127.0.0.1", "::1")
CODE_CHARACTERS_MAX = 4096

Purpose = Literal["sign_in", "step_up"]
Door = Annotated[Services, Depends(services)]


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


@router.get("/sign-in/council")
async def go_there(
    request: Request, door: Door, tenant: str = "", next: str = "", again: str = ""
) -> Response:
    """`again`: whoever is signed in shows once more that it is they."""
    purpose: Purpose = "step_up" if again else "sign_in"
    try:
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
            raise Refused("council_again", "another page's picture or script asked, and nobody went there")
        who = await _signed_in(request, door) if again else None
        council = await council_of(door, await _which(door, tenant) if who is None else who.tenant_id)
        redirect_uri = way_back(request)
        at = await door.councils.endpoints(council.client.issuer, private=door.settings.oidc_private)
        begun = begin(council.client, at, redirect_uri, afresh=purpose == "step_up")
        kept = {
            "tenant": council.tenant_id,
            "issuer": council.client.issuer,
            "names_itself": at.names_itself,
            "state": begun.state,
            "nonce": begun.nonce,
            "verifier": begun.verifier,
            "redirect_uri": redirect_uri,
            "next": next[:2000],
            "account": who.id if who else None,
            "begun_at": datetime.now(UTC).timestamp(),
        }
        token = await openings.open_(door, "oidc", kept, LASTS)
    except (Refused, NotUsable, CouncilAway, Unavailable) as error:
        return _not_in(error, purpose, next)
    response = RedirectResponse(begun.url, 303)
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(
        HOST_COOKIE if is_known_over_https(door.settings) else COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_over_https(request),
    )
    return response


@router.get(BACK)
async def come_back(
    request: Request, door: Door, code: str = "", state: str = "", iss: str = "", error: str = ""
) -> Response:
    """In, or back to the sign-in page with what went wrong."""
    try:
        kept = await _begun(request, door, state)
    except (Refused, Unavailable) as failed:
        return _not_in(failed, "sign_in", "")  # the cookie stays: what it names may still come back
    onward: str = kept["next"]
    purpose: Purpose = "step_up" if kept["account"] is not None else "sign_in"
    try:
        _require_same_issuer(kept, iss)
        if error or not 0 < len(code) <= CODE_CHARACTERS_MAX:
            raise Refused(
                "council_refused" if error == "access_denied" else "council_failed", "sent back without"
            )
        council = await council_of(door, kept["tenant"], kept["issuer"])
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
        else:
            account = await _account(request, door, council, claims)
            opened = await open_session_for(door, account, Way.OIDC, request, old_token=token_of(request))
            response = go_on(request, opened, onward)
    except (Refused, NotVerified, NotUsable, CouncilAway, NotSignedIn, Unavailable) as failed:
        response = _not_in(failed, purpose, onward)
    response.delete_cookie(COOKIE)
    response.delete_cookie(HOST_COOKIE, secure=True)
    return response


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


# ---------------------------------------------------------------------- there


async def _which(door: Services, tenant: str) -> int:
    """The authority that is named, or the only one there is. Raises Refused."""
    if tenant.isascii() and tenant.isdigit() and len(tenant) < 10:
        return int(tenant)
    async with door.web.connection() as connection:
        rows = await connection.fetch(sql.councils)
    if len(rows) != 1:
        raise Refused("council_none")
    return int(rows[0]["tenant_id"])


async def _signed_in(request: Request, door: Services) -> Actor:
    token = token_of(request)
    if token is None:
        raise Refused("again")
    try:
        return await of_session(door, token)
    except NotSignedIn:
        raise Refused("again") from None


# ---------------------------------------------------------------------- and back


async def _begun(request: Request, door: Services, state: str) -> dict[str, Any]:
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


def _require_same_issuer(kept: dict[str, Any], said: str) -> None:
    """RFC 9207: whoever sends somebody back says who they are, so that one provider is not taken for another."""
    if said != kept["issuer"] and (said or kept["names_itself"]):
        raise Refused("council_failed", "sent back by another issuer")


async def _account(request: Request, door: Services, council: Council, claims: Claims) -> AccountRow:
    """Who came, with the role their groups have now. Raises Refused."""
    tenant_id, issuer = council.tenant_id, council.client.issuer
    refused: Refused | None = None
    async with door.web.tenant(tenant_id) as connection:
        await connection.execute(sql.one_at_a_time, tenant_id, issuer, claims.subject)
        row = await connection.fetchrow(sql.subject, tenant_id, issuer, claims.subject)
        known = None if row is None else AccountRow.of(row)
        granted = role_for(claims, await _rules(connection, tenant_id))
        if isinstance(granted, NoRole):
            refused = Refused("council_no_role", granted.reason)
        elif row is not None and row["kept_out"]:
            refused = Refused("council_no_account", "the account is disabled")
        if refused is not None:
            await _write_refusal(connection, request, door, council, known, str(refused))
            if known is not None:
                await connection.execute(sql.end_sessions, tenant_id, known.account_id)
        else:
            assert not isinstance(granted, NoRole)
            if known is None:
                known = await _made(connection, request, door, council, claims, granted.rule)
            elif (known.role, known.provider_ref) != (granted.rule.role, granted.rule.provider_ref):
                known = await _followed(connection, request, door, known, granted.rule)
    if refused is not None:  # said only now, so that what was written down stays
        raise refused
    if known is None:
        raise Refused("council_no_account", "nobody here is joined to that subject")
    return known


async def _rules(connection: Connection, tenant_id: int) -> list[Rule]:
    rows = await connection.fetch(sql.rules, tenant_id)
    return [Rule(row["group_name"], row["role"], row["provider_ref"]) for row in rows]


async def _made(
    connection: Connection, request: Request, door: Services, council: Council, claims: Claims, rule: Rule
) -> AccountRow | None:
    """An account for whoever came first, where the authority wants one made; None where not."""
    tenant_id, now = council.tenant_id, door.clock.now()
    row = None
    if council.makes_accounts and claims.email is not None:
        row = await connection.fetchrow(
            sql.insert_account, tenant_id, claims.email, claims.name, rule.role, rule.provider_ref
        )
    if row is None:
        why = (
            "no account is made for whoever comes"
            if not council.makes_accounts
            else "their e-mail is not free"
        )
        await _write_refusal(connection, request, door, council, None, why)
        return None
    made = AccountRow.of(row)
    joined = await connection.fetchval(
        sql.join_account, tenant_id, council.client.issuer, claims.subject, made.account_id, now
    )
    assert joined is not None, "nobody else could join it: the subject is locked and the account is new"
    reason = f"{rule.role}, by group {rule.group}"
    await write_down(
        connection,
        tenant_id,
        "council sign-in",
        "account_created",
        str(made.actor),
        now,
        reason=reason,
        origin=address_of(request),
    )
    return made


async def _followed(
    connection: Connection, request: Request, door: Services, known: AccountRow, rule: Rule
) -> AccountRow:
    """The role that the groups say now, written down."""
    row = await connection.fetchrow(
        sql.follow_role, known.tenant_id, known.account_id, rule.role, rule.provider_ref
    )
    await write_down(
        connection,
        known.tenant_id,
        "council sign-in",
        "role_changed",
        str(known.actor),
        door.clock.now(),
        reason=f"{known.role} to {rule.role}, by group {rule.group}",
        origin=address_of(request),
    )
    return AccountRow.of(row)


async def _write_refusal(
    connection: Connection,
    request: Request,
    door: Services,
    council: Council,
    known: AccountRow | None,
    why: str,
) -> None:
    subject = "somebody of the council's own sign-in" if known is None else str(known.actor)
    await write_down(
        connection,
        council.tenant_id,
        "nobody",
        "sign_in_failed",
        subject,
        door.clock.now(),
        reason=why,
        origin=address_of(request),
    )


async def _stepped_up(
    request: Request, door: Services, council: Council, claims: Claims, kept: dict[str, Any]
) -> Response:
    """The same person, at the same session, having shown it since they were sent there. Raises Refused, NotSignedIn."""
    token = token_of(request)
    who = await _signed_in(request, door)
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.subject, council.tenant_id, council.client.issuer, claims.subject)
    same = (who.tenant_id, who.id) == (council.tenant_id, kept["account"])
    if not same or row is None or row["account_id"] != who.id:
        raise Refused("council_failed", "somebody else came back")
    if not is_afresh(claims, datetime.fromtimestamp(kept["begun_at"], UTC)):
        raise Refused("council_failed", "the provider did not ask afresh, or does not say so")
    assert token is not None
    opened = await step_up(door, who, token, Way.OIDC, request)
    response = RedirectResponse(_own_page(kept["next"]) or "/", 303)
    give_cookie(request, response, opened)
    return response


def _not_in(error: Exception, purpose: Purpose, onward: str) -> Response:
    """Back to the sign-in page, which says it in words; whoever is signed in stays where they were."""
    if isinstance(error, Refused):
        said = error.said
    elif isinstance(error, Unavailable):
        said = "away"
    elif isinstance(error, CouncilAway):
        said = "council_away"
    else:
        said = "council_failed"
    log.warning("a sign-in at a council's own did not succeed: %s", error)
    page = _own_page(onward)
    if purpose == "step_up" and said != "again":
        joint = "&" if page and urlsplit(page).query else "?"
        response = RedirectResponse(f"{page or '/'}{joint}{urlencode({'step_up': said})}", 303)
    else:
        response = RedirectResponse(
            "/?" + urlencode({"sign_in": said} | ({"next": page} if page else {})), 303
        )
    response.headers["Cache-Control"] = "no-store"
    return response


def _own_page(path: str) -> str | None:
    """A path here; the sign-in page checks it once more."""
    own = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and path.isascii()
    return path if own else None
