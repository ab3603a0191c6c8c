"""One viewer of the board, as light as it can be: raw bytes in, visits' numbers and instants out.

A server's frames are not masked, so every viewer hears the same bytes: what one has read, the others look up.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import struct
import time
from array import array
from collections.abc import Callable

SEEN = re.compile(
    rb'\{"type":"(?:row","position":\d+,"visit":\{"id":(\d+)|alert","position":\d+,"alert":\{"id":\d+,"visit":(\d+))'
)
HEAD_BYTES = 120
CACHED_BYTES = 65_536
CACHED_MANY = 200

CLOSE, PING, PONG = 0x88, 0x89, 0x8A

Frames = tuple[tuple[int, ...], int]
_read: dict[bytes, Frames] = {}


class Viewer(asyncio.Protocol):
    """`heard`: the visits of the frames that came, as visit for a row and -visit for an alert; `heard_at` beside it."""

    def __init__(self, ticket: str, tell: Callable[[tuple[int, ...]], None] | None) -> None:
        self._ticket = ticket
        self._tell = tell
        self._open = False
        self._unread = b""
        self.lost: str | None = None
        """Why the board closed this socket, once it has."""
        self._closed_for = "without a word"
        self.heard = array("q")
        self.heard_at = array("d")
        self.shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def forget(self) -> None:
        self.heard, self.heard_at = array("q"), array("d")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            f"GET /board/live?ticket={self._ticket} HTTP/1.1\r\nhost: board\r\nupgrade: websocket\r\n"
            f"connection: Upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._unread:
            data = self._unread + data
        if not self._open:
            self._unread = data = self._shake_hands(data)
            if not self._open:
                return
        found = _read.get(data) or self._read_afresh(data)
        visits, used = found
        self._unread = data[used:] if used < len(data) else b""
        for visit in visits:
            self.heard.append(visit)
            self.heard_at.append(now)
        if visits and self._tell is not None:
            self._tell(visits)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = f"{self._closed_for}{f', {error!r}' if error else ''}"
        if not self.shown.done():
            self.shown.set_exception(RuntimeError("the board closed a socket"))

    def _write(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined]

    def _shake_hands(self, data: bytes) -> bytes:
        """What follows the server's answer, once that is whole; until then all of it."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return data
        assert data.startswith(b"HTTP/1.1 101"), data[:200]
        self._open = True
        self._say(0x81, b'{"type":"filter"}')
        return data[end + 4 :]

    def _say(self, opcode: int, message: bytes) -> None:
        """A short frame. A client's are masked; here with a mask of zeroes."""
        self._write(struct.pack("!BB4x", opcode, 0x80 | len(message)) + message)

    def _answer(self, opcode: int, message: bytes) -> None:
        """As browsers do: whoever answers no ping is taken for gone after twice twenty seconds."""
        if opcode == PING:
            self._say(PONG, message)
        elif opcode == CLOSE:
            self._closed_for = f"{int.from_bytes(message[:2], 'big')} {message[2:].decode()}"

    def _read_afresh(self, data: bytes) -> Frames:
        """(visits of the frames, bytes read); half a frame at the end is not read."""
        visits: list[int] = []
        at, everyone_hears_it = 0, len(data) < CACHED_BYTES
        while at + 2 <= len(data):
            size, head = data[at + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                size = int.from_bytes(data[at + 2 : at + head], "big")
            if at + head + size > len(data) or len(data) < at + head:
                break
            if data[at] in (PING, CLOSE):
                self._answer(data[at], data[at + head : at + head + size])
                everyone_hears_it = False
            payload = data[at + head : at + head + min(size, HEAD_BYTES)]
            if found := SEEN.match(payload):
                visits.append(int(found[1]) if found[1] else -int(found[2]))
            elif payload.startswith(b'{"type":"heartbeat"') and not self.shown.done():
                self.shown.set_result(None)  # which follows the snapshot's last part
            at += head + size
        frames = tuple(visits), at
        if everyone_hears_it:
            if len(_read) > CACHED_MANY:
                _read.clear()
            _read[data] = frames
        return frames
