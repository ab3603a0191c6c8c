"""Sessions: begun by whatever way in, proved anew, finished, ended. Each way has its own door; they meet here.

    opened = await open_session_for(door, account, Way.PASSKEY, request, old_token=token_of(request))
    give_cookie(request, response, opened)

Real time throughout: a session is about a real person at a real desk.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from ecm.audit.writing import write_down
from ecm.doors import (
    HOST_COOKIE,
    SESSION_COOKIE,
    Services,
    actor,
    address_of,
    digest,
    is_known_over_https,
    is_over_https,
    of_session,
    services,
)
from ecm.errors import NotPermitted, NotSignedIn, StepUpNeeded
from ecm.identity.assurance import Standing, ToFinish, Way, to_finish
from ecm.permit import Actor
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "session.sql")

AGENT_CHARACTERS_MAX = 200
# Who has a second way in and changes one must have proved a short while ago that it is they.
OWN_WAYS_STEP_UP = timedelta(minutes=10)

SIGNED_IN_BY = {
    Way.PASSKEY: "by a passkey",
    Way.OIDC: "by the council's own sign-in",
    Way.PASSWORD_TOTP: "by password and code",
    Way.PASSWORD: "by password",
    Way.RECOVERY: "by password and recovery code",
}


@dataclass(frozen=True, slots=True)
class AccountRow:
    """Whose session it will be. Whoever gives one has seen the proof."""

    tenant_id: int
    account_id: int
    name: str
    role: str
    provider_ref: str | None

    @classmethod
    def of(cls, row: Any) -> AccountRow:
        return cls(row["tenant_id"], row["account_id"], row["name"], row["role"], row["provider_ref"])

    @property
    def actor(self) -> Actor:
        return Actor("account", self.tenant_id, self.account_id, self.name, self.role, self.provider_ref)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just begun or renewed. `token` goes to the browser and nowhere else."""

    who: Actor
    token: str
    expires_at: datetime


async def open_session_for(
    door: Services, account: AccountRow, way: Way, request: Request, *, old_token: str | None
) -> Opened:
    """A session for the browser, instead of the one it may have had: a copy of that opens nothing any more.

    It is limited where `way` is not enough for this account (`ecm.identity.assurance`). Raises NotSignedIn for an
    account that is disabled or has left.
    """
    if old_token is not None:
        with suppress(NotSignedIn):
            await close_session(door, await of_session(door, old_token), old_token, request)
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    expires_at = now + timedelta(hours=door.settings.session_hours)
    address = address_of(request)
    async with door.web.locked(account.actor.lock) as connection:
        limited = bool(to_finish(way, await standing_of(connection, account.actor)))
        who = replace(account.actor, signed_in_by=way.value, limited=limited)
        await connection.execute(sql.delete_ended_sessions, who.tenant_id, who.id, now)
        await connection.execute(
            sql.insert_session,
            who.tenant_id,
            digest(token),
            who.id,
            now,
            expires_at,
            now + idle_span(door),
            way.value,
            limited,
            address,
            agent_of(request),
        )
        reason = SIGNED_IN_BY[way] + (", to finish setting up" if limited else "")
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "signed_in",
            str(who),
            door.clock.now(),
            reason=reason,
            origin=address,
            agent=agent_of(request),
        )
    return Opened(who, token, expires_at)


async def step_up(door: Services, who: Actor, token: str, way: Way, request: Request) -> Opened:
    """The session of `token`, proved anew by `way`, under another token. Raises NotSignedIn when it ended meanwhile."""
    new_token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.delete_tickets, who.tenant_id, digest(token))
        expires_at = await connection.fetchval(
            sql.renew_session, who.tenant_id, digest(token), digest(new_token), now, now + idle_span(door)
        )
        if expires_at is None:
            raise NotSignedIn("That session has ended.")
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "stepped_up",
            str(who),
            door.clock.now(),
            reason=SIGNED_IN_BY[way],
            origin=address_of(request),
            agent=agent_of(request),
        )
    return Opened(replace(who, stepped_up_at=now), new_token, expires_at)


async def finish(connection: Connection, who: Actor, token: str, *, added: bool) -> list[ToFinish]:
    """After a second way was `added`, or a password changed: what is still to finish. In the caller's transaction.

    Whoever came by a password or a recovery code and has set up a second way since, counts as having come by both. And
    nobody else who came only so far goes on to set up a way of their own.
    """
    if added:
        await connection.execute(sql.end_other_limited, who.tenant_id, who.id, digest(token))
    if not who.limited:
        return []
    way = Way.PASSWORD_TOTP if added else Way(who.signed_in_by)
    left = to_finish(way, await standing_of(connection, who))
    await connection.execute(sql.finish_session, who.tenant_id, digest(token), way.value, bool(left))
    return left


def require_own_ways(who: Actor, standing: Standing, now: datetime) -> None:
    """Raises StepUpNeeded where a found browser could give a stranger a way in of their own."""
    if who.limited or not standing.has_second_way:
        return
    if who.stepped_up_at is None or now - who.stepped_up_at > OWN_WAYS_STEP_UP:
        raise StepUpNeeded("To change how you sign in, prove again that it is you.")


async def close_session(door: Services, who: Actor, token: str, request: Request) -> None:
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.delete_session, who.tenant_id, digest(token))
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "signed_out",
            str(who),
            door.clock.now(),
            origin=address_of(request),
            agent=agent_of(request),
        )


async def person(who: Annotated[Actor, Depends(actor)]) -> Actor:
    """A dependency: whoever is signed in. Raises NotPermitted for a key, which has no ways in of its own."""
    if who.kind != "account":
        raise NotPermitted("This is for people who are signed in.")
    return who


async def standing_of(connection: Connection, who: Actor) -> Standing:
    """Raises NotSignedIn for an account that is kept out."""
    row = await connection.fetchrow(sql.standing_of_account, who.tenant_id, who.id)
    if row is None:
        raise NotSignedIn("That account cannot sign in.")
    return Standing(**row)


def give_cookie(request: Request, response: Response, opened: Opened) -> None:
    """Under the name that no other host can set, wherever the service is known by https."""
    response.set_cookie(
        HOST_COOKIE if is_known_over_https(services(request).settings) else SESSION_COOKIE,
        opened.token,
        expires=opened.expires_at,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_over_https(request),
    )
    response.headers["Cache-Control"] = "no-store"


def take_cookie(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE)
    response.delete_cookie(HOST_COOKIE, secure=True)


def idle_span(door: Services) -> timedelta:
    return timedelta(minutes=door.settings.session_idle_minutes)


def agent_of(request: Request) -> str | None:
    """What the browser calls itself, short and on one line, so that people know their own sessions again."""
    said = "".join(c for c in request.headers.get("user-agent", "") if c.isprintable())
    return said[:AGENT_CHARACTERS_MAX] or None
