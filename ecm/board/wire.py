"""Frames to bytes once, bytes to many sockets: what makes a thousand viewers cost little more than one.

A server's WebSocket frames are not masked, so one frame is the same bytes for every viewer. `framed` makes
them; `BoardProtocol`, the server's socket class, lets a viewer write them straight to its transport. Under a
server that does not use that class, `SlowWire` sends the same frames one await at a time.

    uvicorn.Config(app, ws=BoardProtocol, ...)
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from fastapi import WebSocket
from pydantic_core import to_json
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "ecm.wire"
# A viewer with more than this unsent is dropped and reconnects: it never slows the rest. About 1,500 rows, and one
# who reads has none unsent by the next look, even of nine hundred deadlines at once.
UNSENT_LIMIT_BYTES = 1_000_000
DRAIN_LIMIT_SECONDS = 30.0


class Wire(Protocol):
    """The way to one viewer."""

    def write(self, frames: bytes) -> bool:
        """Sends whole frames without waiting. False when the viewer is gone or was dropped for being slow."""

    async def drained(self) -> bool:
        """Waits until little is unsent. False when the viewer is gone, or takes too long."""

    def drop(self) -> None:
        """Cuts the connection at once."""


def encoded(message: Mapping[str, Any]) -> bytes:
    return to_json(message)


def framed(payload: bytes) -> bytes:
    """One final, unmasked text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of frames made by `framed`, in order."""
    at = 0
    while at < len(frames):
        size, head = frames[at + 1], 2
        if size == 126:
            (size,), head = struct.unpack_from("!H", frames, at + 2), 4
        elif size == 127:
            (size,), head = struct.unpack_from("!Q", frames, at + 2), 10
        yield frames[at + head : at + head + size]
        at += head + size


class BoardProtocol(WebSocketsSansIOProtocol):
    """uvicorn's socket, which also hands its transport to the board. Without compression: the frames are shared."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = []

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if scope := getattr(self, "scope", None):  # absent when the handshake was refused
            scope["extensions"][EXTENSION] = FastWire(self)


class FastWire:
    """Writes to the transport itself."""

    def __init__(self, protocol: BoardProtocol) -> None:
        self._protocol = protocol

    def write(self, frames: bytes) -> bool:
        protocol = self._protocol
        transport = protocol.transport
        if protocol.disconnected or protocol.close_sent or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            transport.abort()
            return False
        transport.write(frames)
        return True

    async def drained(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_SECONDS):
                await self._protocol.writable.wait()
            return not self._protocol.disconnected
        self.drop()
        return False

    def drop(self) -> None:
        self._protocol.transport.abort()


class SlowWire:
    """Sends through ASGI, from a task of its own, for servers without BoardProtocol."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue()
        self._unsent_bytes = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._task = asyncio.create_task(self._send())

    def write(self, frames: bytes) -> bool:
        if self._task.done() or self._unsent_bytes > UNSENT_LIMIT_BYTES:
            self.drop()
            return False
        self._unsent.put_nowait(frames)
        self._unsent_bytes += len(frames)
        self._empty.clear()
        return True

    async def drained(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_LIMIT_SECONDS):
                await self._empty.wait()
            return not self._task.done()
        self.drop()
        return False

    def drop(self) -> None:
        self._task.cancel()
        self._empty.set()

    async def _send(self) -> None:
        with suppress(Exception):  # whatever the server says of a viewer who left
            while True:
                frames = await self._unsent.get()
                for payload in payloads(frames):
                    await self._socket.send_text(payload.decode())
                self._unsent_bytes -= len(frames)
                if self._unsent.empty():
                    self._empty.set()
        self._empty.set()


def wire_of(socket: WebSocket) -> Wire:
    fast: Wire | None = socket.scope.get("extensions", {}).get(EXTENSION)
    return fast or SlowWire(socket)
