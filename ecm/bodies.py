"""No body may fill the memory of the board, or take for ever: every address takes a small one, soon.

The framework reads a whole body before it asks who sends it, so a stranger's gigabyte would be read to its end.
Three doors measure for themselves and are not measured here: check events (`ingest.body`) never come this way,
imports are spooled to disk (`ecm.importing.door`), and feeds read a body only once they know who sends it
(`ingest.feeds.door`). These two may be long, so their patience begins anew with each part that comes; any other body
has PATIENCE_S in all.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecm.errors import TooLarge
from ecm.problem import problem
from ecm.refusals import refused_at

BODY_BYTES_MAX = 256 * 1024
PATIENCE_S = 30.0
MEASURE_FOR_THEMSELVES = ("/v1/imports/", "/v1/feeds/")


class SmallBodies:
    """ASGI middleware. A length that is declared is believed; one that is not is counted as it comes.

    Who falls silent is told 408 and the connection is closed; who hangs up is told nothing, and it is no error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(MEASURE_FOR_THEMSELVES):
            await self._answered(scope, _patient(receive, in_all=False), send)
        elif _declared_bytes(scope) > BODY_BYTES_MAX:
            too_large = TooLarge(f"This address takes {BODY_BYTES_MAX} bytes.")
            refused_at(scope["path"], too_large)
            refusal = problem(too_large, instance=scope["path"])
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
        else:
            await self._answered(scope, _counted(_patient(receive, in_all=True)), send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            await self._app(scope, receive, send)


def _declared_bytes(scope: Scope) -> int:
    """0 when none is declared. A server lets only digits through, but any number of them, and that is no number."""
    lengths = [value.lstrip(b"0") for name, value in scope["headers"] if name == b"content-length"]
    return max((int(digits[:20] or b"0") for digits in lengths), default=0)


def _patient(receive: Receive, *, in_all: bool) -> Receive:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + PATIENCE_S
    whole = False
    begins_anew = not in_all  # as it begins to wait: what we do between two parts is not their silence

    async def patient() -> Message:
        nonlocal until_s, whole, begins_anew
        if (
            whole
        ):  # what follows a body is only that somebody hung up, and that may take as long as the answer
            return await receive()
        if begins_anew:
            until_s = loop.time() + PATIENCE_S
        try:
            async with asyncio.timeout_at(until_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        begins_anew = not in_all and bool(message.get("body"))
        return message

    return patient


def _counted(receive: Receive) -> Receive:
    received_bytes = 0

    async def counted() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > BODY_BYTES_MAX:
            raise HTTPException(413)  # the only one that reading a body lets through to the error handlers
        return message

    return counted
