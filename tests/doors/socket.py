"""A page's socket to the board, in process: what is sent and what comes, as text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

SOON_SECONDS = 30.0


class Refused(Exception):
    """The socket was closed before it was accepted."""


class Socket:
    """`heard`: every frame so far."""

    def __init__(self) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: list[str] = []
        self.closed: int | None = None

    async def says(self, **message: Any) -> None:
        await self._to_app.put({"type": "websocket.receive", "text": json.dumps(message)})

    async def until(self, kind: str, holding: str = "") -> None:
        """Reads until a frame of that kind with those words in it, or until it is closed."""
        async with asyncio.timeout(SOON_SECONDS):
            while self.closed is None:
                frame = await self._next()
                if frame is None:
                    return
                said = json.loads(frame)
                if said["type"] == kind and holding in frame and said.get("part") == said.get("parts"):
                    return

    async def rest(self) -> None:
        """Reads whatever has been sent by now."""
        for _ in range(50):  # what was written is sent by a task of its own
            await asyncio.sleep(0)
            while not self._from_app.empty() and self.closed is None:
                await self._next()

    async def _next(self) -> str | None:
        message = await self._from_app.get()
        if message["type"] == "websocket.close":
            self.closed = message.get("code", 1000)
            return None
        text: str = message["text"]
        self.heard.append(text)
        return text


@asynccontextmanager
async def socket(app: ASGIApp, ticket: str) -> AsyncIterator[Socket]:
    """A socket that was accepted. Raises Refused."""
    one = Socket()
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/board/live",
        "raw_path": b"/board/live",
        "query_string": f"ticket={ticket}".encode(),
        "root_path": "",
        "headers": [(b"host", b"ecm.test"), (b"origin", b"http://ecm.test")],
        "client": ("127.0.0.1", 1),
        "server": ("ecm.test", 80),
        "subprotocols": [],
        "extensions": {},
    }
    one._to_app.put_nowait({"type": "websocket.connect"})
    task = asyncio.ensure_future(app(scope, one._to_app.get, one._from_app.put))
    try:
        async with asyncio.timeout(SOON_SECONDS):
            if (await one._from_app.get())["type"] != "websocket.accept":
                raise Refused
        yield one
    finally:
        one._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(task, SOON_SECONDS)
