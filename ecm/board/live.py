"""The board's two doors: a ticket by cookie, and the socket that takes it.

A socket's address ends up in logs and cannot carry a cookie from everywhere, so it carries a ticket: one use,
TICKET_SECONDS, kept as a hash. The ticket is used up before the socket is accepted.

The app puts its hub at `app.state.hub`, started.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, WebSocket, WebSocketDisconnect

from ecm.board.hub import Hub
from ecm.board.reading import sql
from ecm.board.viewers import Board, Viewer
from ecm.board.wire import wire_of
from ecm.doors import Services, digest, permit_for, services, token_of
from ecm.errors import EcmError, NotPermitted, NotSignedIn, NotUnderstood, TooMany
from ecm.permit import Action, Actor, reach
from ecm.refusals import Door, refused, refused_at

TICKET_SECONDS = 60
FIRST_MESSAGE_SECONDS = 5.0
# Each wish is a day read from the database. Ten in a row are a hand on the next-day button, more are no hand.
WISHES_AT_ONCE = 10
WISHES_PER_S = 2.0
# What a page has to say is short. The server's sockets are given the same limit, so that no more is even kept.
MESSAGE_BYTES_MAX = 16 * 1024
PROVIDER_CHARACTERS_MAX = 200
# Days a board can be asked for: each has a day before it and a midnight in any zone.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)

# Close codes of our own: the page signs in again, or tries again later.
MALFORMED = 4400
TOO_FAST = 4429
UNAVAILABLE = 4503

router = APIRouter(tags=["board"])


TICKET = {"ticket": "made-up-for-this-page"}


@router.post(
    "/board/tickets",
    status_code=201,
    responses={201: {"content": {"application/json": {"example": TICKET}}}},
)
async def issue_ticket(
    door: Annotated[Services, Depends(services)],
    actor: Annotated[Actor, Depends(permit_for(Action.READ_BOARD))],
    request: Request,
) -> dict[str, str]:
    """A pass for one socket, within a minute, for as long as this session lasts."""
    if actor.kind != "account":
        raise NotPermitted("The board is for people who are signed in.")
    ticket = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(seconds=TICKET_SECONDS)
    async with door.web.locked(actor.lock) as connection:
        await connection.execute(
            sql.insert_ticket,
            actor.tenant_id,
            digest(ticket),
            actor.id,
            digest(token_of(request) or ""),
            expires_at,
        )
    return {"ticket": ticket}


@router.websocket("/board/live")
async def live(socket: WebSocket, ticket: str = "") -> None:
    """hello, then whatever the first message asks for: `resume` or `filter`."""
    try:
        hub: Hub = socket.app.state.hub
        cuts = hub.doorkeeper.heard
        require_own_origin(socket)
        actor, session = await _use_ticket(socket.app.state.services, ticket)
        provider = reach(actor, Action.READ_BOARD)
        board = await hub.open(actor.lock.tenant_id)
    except EcmError as error:
        refused_at(socket.url.path, error)
        await _close(socket)  # before it is accepted: the browser sees 403
        return
    viewer: Viewer | None = None
    try:
        await socket.accept()
        viewer = Viewer(wire_of(socket), actor.lock, provider, session=session)
        hub.admit(board, viewer)
        if hub.doorkeeper.heard != cuts:  # its ticket may have been taken the moment before
            await hub.doorkeeper.cut(board.tenant_id)
        viewer.wire.write(hub.hello(board, hub.today(board), {"name": actor.name, "role": actor.role}))
        await _converse(socket, hub, board, viewer, limit=provider)
    except (WebSocketDisconnect, TimeoutError):
        pass
    except NotUnderstoodHere:
        refused(Door.BOARD, NotUnderstood.slug)
        await _close(socket, MALFORMED)
    except TooFast:
        refused(Door.BOARD, TooMany.slug)
        await _close(socket, TOO_FAST)
    except EcmError:
        await _close(socket, UNAVAILABLE)
    finally:
        hub.close(board, viewer)
        await _close(socket)


async def _close(socket: WebSocket, code: int = 1000) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # closed already, from this side or the other
        await socket.close(code)


class NotUnderstoodHere(Exception):
    """A message of no known shape."""


class TooFast(Exception):
    """More wishes than a person has."""


class Wishes:
    """How often one socket may ask to be shown something else: WISHES_PER_S, after WISHES_AT_ONCE at once."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=WISHES_AT_ONCE)

    def count(self, now_s: float) -> None:
        """Raises TooFast."""
        latest = self._latest
        if len(latest) == latest.maxlen and now_s - latest[0] < WISHES_AT_ONCE / WISHES_PER_S:
            raise TooFast
        latest.append(now_s)


async def _converse(socket: WebSocket, hub: Hub, board: Board, viewer: Viewer, limit: str | None) -> None:
    async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
        message = await _heard(socket)
    wishes = Wishes()
    while True:
        wishes.count(monotonic())
        match message:
            case {"type": "resume", "epoch": str(epoch), "position": int(position), **rest} if (
                abs(position) < 2**62
            ):
                await _narrow(hub, board, viewer, rest, limit)
                await hub.resume(board, viewer, epoch, position, rest.get("held_date"))
            case {"type": "filter", **rest}:
                await _narrow(hub, board, viewer, rest, limit)
                await hub.show(board, viewer)
            case _:
                raise NotUnderstoodHere
        message = await _heard(socket)


async def _heard(socket: WebSocket) -> dict[str, Any]:
    try:
        text = await socket.receive_text()
        if len(text) > MESSAGE_BYTES_MAX:
            raise NotUnderstoodHere
        message = json.loads(text)
    except (
        ValueError,
        RecursionError,
        KeyError,
    ):  # not JSON, nested without end, bytes where text was expected
        raise NotUnderstoodHere from None
    if not isinstance(message, dict):
        raise NotUnderstoodHere
    return message


async def _narrow(hub: Hub, board: Board, viewer: Viewer, wish: dict[str, Any], limit: str | None) -> None:
    """A viewer may ask for a date and a provider; whoever belongs to a provider gets that one and no other."""
    wanted_day, wanted_provider = wish.get("date"), wish.get("provider")
    try:
        viewer.day = date.fromisoformat(wanted_day) if wanted_day else None
    except (ValueError, TypeError):
        raise NotUnderstoodHere from None
    if viewer.day is not None and not EARLIEST <= viewer.day <= LATEST:
        raise NotUnderstoodHere
    if wanted_provider is not None and not (
        isinstance(wanted_provider, str)
        and wanted_provider.isprintable()
        and len(wanted_provider) <= PROVIDER_CHARACTERS_MAX
    ):
        raise NotUnderstoodHere
    provider = limit or wanted_provider or None
    if provider not in (None, limit) and not await hub.knows(board, viewer, provider):
        raise NotUnderstoodHere  # the server remembers what it was asked for, so it takes no made-up names
    viewer.provider = provider


def require_own_origin(socket: WebSocket) -> None:
    """Browsers say which page opens a socket; only our own may. Other clients say nothing, and need a ticket too."""
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
        raise NotPermitted("This socket was opened by another site's page.")


async def _use_ticket(door: Services, ticket: str) -> tuple[Actor, bytes]:
    """Whose ticket it was, and of which session."""
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.use_ticket, digest(ticket), datetime.now(UTC))
    if row is None:
        raise NotSignedIn("That ticket is unknown, was used, or is too old.")
    actor = Actor(
        "account", row["tenant_id"], row["account_id"], row["name"], row["role"], row["provider_ref"]
    )
    return actor, row["session_sha256"]
