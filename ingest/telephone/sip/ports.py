"""Even UDP ports for sound, each lent to one telephone call.

The one given back longest ago is lent next: a straggling packet of a call that ended must not press a key in another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class NoPort(Exception):
    """Every port is in use."""


class Ports:
    def __init__(self, first: int, last: int) -> None:
        self._free = deque(range(first + first % 2, last + 1, 2))

    def __len__(self) -> int:
        return len(self._free)

    @contextmanager
    def lent(self) -> Iterator[int]:
        """Raises NoPort."""
        if not self._free:
            raise NoPort
        port = self._free.popleft()
        try:
            yield port
        finally:
            self._free.append(port)
