"""Asking a council's own sign-in: where its doors are, which keys it signs with, and an id token for a code.

It is somebody else's machine and may be slow or gone, so each asking ends within PATIENCE_S, no more than AT_ONCE go on
together, nobody holds the database meanwhile, and what it said of itself is remembered for a while: a sign-in then
costs one asking. That it did not answer is remembered too, for moments, so that a desk trying again and again does not
stand in a queue. What it says is judged by `ecm.identity.oidc`, and by nobody else.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from time import monotonic
from typing import Any

from ecm.identity.oidc import (
    Claims,
    Client,
    Endpoints,
    NotUsable,
    NotVerified,
    UnknownKey,
    description_address,
    endpoints,
    exchange,
    id_token_of,
    read,
)
from ecm.outgoing import Answer, NotAllowed, NotReached, Outgoing

PATIENCE_S = 5.0
AT_ONCE = 16
ANSWER_BYTES_MAX = 256 * 1024
REMEMBERED_S = 600.0
AWAY_REMEMBERED_S = 3.0
# A provider changes its keys now and then. Whoever comes with an unknown one has them read anew, but not all the time.
KEYS_ANEW_S = 30.0


class CouncilAway(Exception):
    """A council's own sign-in does not answer. The text says how, for its administrator and the log: no address."""


@dataclass(slots=True)
class _Known:
    """What an issuer said of itself, and when (monotonic seconds)."""

    at: Endpoints
    keys: Any
    read_s: float


@dataclass(slots=True)
class _Asked:
    """One issuer: one asks it about itself, the others wait for that answer."""

    one: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: _Known | None = None
    away: CouncilAway | NotUsable | None = None
    away_s: float = 0.0


class Councils:
    """Of this process. `private`: an issuer may be in our own network."""

    def __init__(self, outgoing: Outgoing | None = None) -> None:
        self._outgoing = outgoing or Outgoing(patience_s=PATIENCE_S)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[str, _Asked] = {}

    async def endpoints(self, issuer: str, *, private: bool, anew: bool = False) -> Endpoints:
        """Raises CouncilAway, and NotUsable. `anew`: whatever is remembered."""
        return (await self._known(issuer, private, not_before_s=monotonic() if anew else None)).at

    async def claims(
        self,
        client: Client,
        code: str,
        *,
        verifier: str,
        nonce: str,
        redirect_uri: str,
        now: datetime,
        private: bool,
    ) -> Claims:
        """Who came back with `code`. Raises NotVerified, NotUsable, CouncilAway."""
        known = await self._known(client.issuer, private)
        headers, form = exchange(client, known.at, code, verifier, redirect_uri)
        answer = await self._ask("a token", "POST", known.at.token, private, form, headers)
        token = id_token_of(_granted(answer))
        try:
            return read(token, known.keys, client, nonce, now)
        except UnknownKey:
            known = await self._known(client.issuer, private, not_before_s=monotonic() - KEYS_ANEW_S)
            return read(token, known.keys, client, nonce, now)

    async def _known(self, issuer: str, private: bool, not_before_s: float | None = None) -> _Known:
        """What the issuer says of itself, read `not_before_s` (else in the last REMEMBERED_S)."""
        if not_before_s is None:
            not_before_s = monotonic() - REMEMBERED_S
        asked = self._asked.setdefault(issuer, _Asked())
        began_s = monotonic()
        async with asked.one:
            if asked.known is not None and asked.known.read_s >= not_before_s:
                return asked.known
            # Who waited while somebody asked is told what came of it.
            if asked.away is not None and asked.away_s >= max(not_before_s, began_s - AWAY_REMEMBERED_S):
                raise type(asked.away)(*asked.away.args)
            try:
                asked.known, asked.away = await self._describe(issuer, private), None
            except (CouncilAway, NotUsable) as error:
                asked.away, asked.away_s = error, monotonic()
                raise
            return asked.known

    async def _describe(self, issuer: str, private: bool) -> _Known:
        description, keys = "its description", "its keys"
        answer = await self._ask(description, "GET", description_address(issuer), private)
        at = endpoints(issuer, _json(answer, description))
        return _Known(at, _json(await self._ask(keys, "GET", at.keys, private), keys), monotonic())

    async def _ask(
        self,
        what: str,
        method: str,
        url: str,
        private: bool,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        try:
            async with asyncio.timeout(2 * PATIENCE_S), self._at_once:
                return await self._outgoing.request(
                    method, url, body=body, headers=headers, private=private, limit_bytes=ANSWER_BYTES_MAX
                )
        except NotAllowed as error:
            raise NotUsable(f"Asked for {what}, it {error}.") from error
        except NotReached as error:
            raise CouncilAway(f"Asked for {what}, it {error}.") from error
        except TimeoutError as error:
            raise CouncilAway("Too many are signing in at once.") from error


def _json(answer: Answer, what: str) -> Any:
    if answer.status != HTTPStatus.OK:
        raise CouncilAway(f"Asked for {what}, it answered {answer.status}.")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise NotUsable(f"Asked for {what}, it answered no JSON.") from None


def _granted(answer: Answer) -> bytes:
    """The body of an answer to a code that it took. What an error's body says beyond its name is nobody's to repeat."""
    if answer.status == HTTPStatus.OK:
        return answer.body
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise NotUsable("It does not know us: the client id and the secret are to be those it was given.")
    if 400 <= answer.status < 500:
        raise NotVerified("its provider does not take the code")
    raise CouncilAway(f"Given a code, it answered {answer.status}.")
