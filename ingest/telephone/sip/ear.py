"""What is pressed, while something is said and afterwards: the digits a turn asks for.

A key hushes the voice that asks. Keys pressed while the next turn is worked out count for it. A hash that follows at
once upon a full answer belongs to that answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ingest.telephone.turn import Gather

# Between two keys of one answer. Shorter than the wait for the first: a PIN has no fixed length, and nobody who entered
# one wants to wait for long.
BETWEEN_KEYS_S = 4.0
TRAILING_S = 2.0
KEYS_MAX = 100


class Ear:
    """`hush`: stops the voice."""

    def __init__(self, hush: Callable[[], None]) -> None:
        self._hush = hush
        self._keys: deque[str] = deque(maxlen=KEYS_MAX)
        self._stirred = asyncio.Event()
        self._trailing: tuple[str, float] | None = None
        self.listening = False
        """Whether a key now stops the voice."""
        self.gone = False

    @property
    def pressed(self) -> bool:
        return bool(self._keys)

    def press(self, key: str) -> None:
        if self._is_trailing(key):
            return
        self._keys.append(key)
        self._stirred.set()
        if self.listening:
            self._hush()

    def hang_up(self) -> None:
        self.gone = True
        self._stirred.set()
        self._hush()

    async def gather(self, wanted: Gather) -> str | None:
        """The digits without their hash, "" for silence; None when they hung up."""
        digits = ""
        while len(digits) < wanted.max_digits:
            key = await self._next(min(BETWEEN_KEYS_S, wanted.timeout_s) if digits else wanted.timeout_s)
            if key is None:
                return None
            if key in ("", wanted.finish_key):
                return digits
            digits += key
        self._trailing = (wanted.finish_key, asyncio.get_running_loop().time() + TRAILING_S)
        return digits

    async def _next(self, wait_s: float) -> str | None:
        """A key, "" for none in time, None when they are gone."""
        if not self._keys and not self.gone:
            self._stirred.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._stirred.wait()
            except TimeoutError:
                return ""
        if self.gone:
            return None
        return self._keys.popleft()

    def _is_trailing(self, key: str) -> bool:
        trailing, self._trailing = self._trailing, None
        return trailing is not None and key == trailing[0] and asyncio.get_running_loop().time() < trailing[1]
