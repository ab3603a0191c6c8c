"""What is pressed, while something is said and afterwards: the digits a turn asks for.

A key hushes the voice that asks. Keys pressed while the next turn is worked out count for it. A hash that follows at
once upon a full answer belongs to that answer. What was pressed before they hung up, or while this machine stood still,
counts too: only time in which we could have heard is their silence.
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
# Whoever is called this much too late was busy or standing still, and what came meanwhile has yet to be read.
OVERSLEPT_S = 0.1
HEARING_AGAIN_S = 0.5


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
        if self._keys and self._keys[0] == wanted.finish_key:
            self._keys.popleft()
            return digits
        self._trailing = (wanted.finish_key, asyncio.get_running_loop().time() + TRAILING_S)
        return digits

    async def _next(self, wait_s: float) -> str | None:
        """A key, "" for none in time, None when they are gone."""
        while not self._keys and not self.gone:
            if not await self._stirs(wait_s):
                return ""
            wait_s = min(wait_s, HEARING_AGAIN_S)
        return self._keys.popleft() if self._keys else None

    async def _stirs(self, wait_s: float) -> bool:
        """Whether there is anything, or may be: not when it was silent all the time and we were awake."""
        self._stirred.clear()
        now = asyncio.get_running_loop().time
        until_s = now() + wait_s
        try:
            async with asyncio.timeout_at(until_s):
                await self._stirred.wait()
        except TimeoutError:
            return bool(self._keys) or self.gone or now() - until_s > OVERSLEPT_S
        return True

    def _is_trailing(self, key: str) -> bool:
        trailing, self._trailing = self._trailing, None
        return trailing is not None and key == trailing[0] and asyncio.get_running_loop().time() < trailing[1]
