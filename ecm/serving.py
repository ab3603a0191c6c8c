"""How the web half is served: uvicorn, its socket class for the board, and each answer in one write.

uvicorn writes the head of an answer, then its body, and the loop hands each to the system at once. Over an event's
receipt of 80 bytes the second system call is a fifth of all the door costs; so what is written in one turn of the
loop leaves together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ecm.board import MESSAGE_BYTES_MAX, BoardProtocol

# More than this is not held back: a long download fills the transport, which says so, and not our memory.
HELD_BYTES_MAX = 64 * 1024


def config(app: Callable[..., Any] | str, host: str, port: int, **more: Any) -> uvicorn.Config:
    """`more`: further settings of uvicorn's, or others than these."""
    ours: dict[str, Any] = {
        "http": OneWrite,
        "ws": BoardProtocol,
        "ws_max_size": MESSAGE_BYTES_MAX,
        "access_log": False,
        "log_level": "warning",
        "log_config": None,  # the process's own, which says of no error what it was about (`ecm.quiet_logs`)
        "timeout_graceful_shutdown": 5,
        "server_header": False,
    }
    return uvicorn.Config(app, host=host, port=port, **ours | more)


class OneWrite(HttpToolsProtocol):
    """uvicorn's HTTP, over a transport that gathers what is written."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = Gathering(transport, self.loop)

    def handle_websocket_upgrade(self) -> None:
        assert isinstance(self.transport, Gathering)
        self.transport = self.transport.beneath
        super().handle_websocket_upgrade()


class Gathering(asyncio.Transport):
    """As much of a transport as uvicorn's HTTP asks for. Reading and flow control stay with the one `beneath`."""

    def __init__(self, beneath: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.beneath = beneath
        self._loop = loop
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if not self._held:
            self._loop.call_soon(self._let_go)
        self._held.append(bytes(data))
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES_MAX:
            self._let_go()

    def is_closing(self) -> bool:
        return self.beneath.is_closing()

    def close(self) -> None:
        """What was written before still leaves."""
        self._let_go()
        self.beneath.close()

    def _let_go(self) -> None:
        if self._held:
            held = b"".join(self._held)
            self._held.clear()
            self._held_bytes = 0
            self.beneath.write(held)
