"""No body may fill the memory of the board: every address takes a small one and refuses a larger one early.

The framework reads a whole body before it asks who sends it, so a stranger's gigabyte would be read to its end.
Two doors measure for themselves and are not measured here: check events (`ingest.body`) never come this way, and
imports are spooled to disk (`ecm.importing.door`).
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecm.errors import TooLarge
from ecm.problem import problem

BODY_BYTES_MAX = 256 * 1024
MEASURES_FOR_ITSELF = "/v1/imports/"


class SmallBodies:
    """ASGI middleware. A length that is declared is believed; one that is not is counted as it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(MEASURES_FOR_ITSELF):
            await self._app(scope, receive, send)
        elif _declared_bytes(scope) > BODY_BYTES_MAX:
            refusal = problem(TooLarge(f"This address takes {BODY_BYTES_MAX} bytes."), instance=scope["path"])
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


def _declared_bytes(scope: Scope) -> int:
    """0 when none is declared; a server lets only digits through."""
    return max((int(value) for name, value in scope["headers"] if name == b"content-length"), default=0)


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
