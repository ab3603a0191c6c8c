"""A day of the board being read once, and sent to everyone who asked for it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date

from ecm.board.wire import framed
from ecm.errors import EcmError


class Snapshot:
    """A day's frames while they are being read, for everyone who asked meanwhile. Iterate to send them."""

    def __init__(self) -> None:
        self.position = 0
        self._parts: list[bytes] = []
        self._grown = asyncio.Event()
        self._complete = False
        self._error: EcmError | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises what stopped the reading."""
        sent = 0
        while True:
            while sent < len(self._parts):
                yield self._parts[sent]
                sent += 1
            if self._error is not None:
                raise self._error
            if self._complete:
                return
            await self._grown.wait()

    def add(self, day: date, visits: bytes, alerts: bytes, *, last: bool) -> None:
        """How many parts there will be is not known before the last one, which is the one that equals `parts`."""
        part = len(self._parts) + 1
        payload = (
            b'{"type":"snapshot","position":%d,"date":"%b","part":%d,"parts":%d,"visits":[%b],"alerts":[%b]}'
        )
        parts = part if last else part + 1
        values = (self.position, day.isoformat().encode(), part, parts, visits, alerts)
        self._parts.append(framed(payload % values))
        self._complete = last
        self._wake()

    def fail(self, error: EcmError) -> None:
        self._error = error
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
