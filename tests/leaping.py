"""A loop whose clock goes on only when nobody has anything to do, and then leaps to whatever is due next.

For code that waits and does nothing else: no test of it sleeps, and no stall of the machine is its time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Leaping(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_NeverWaiting(self))

    def time(self) -> float:
        return self.now_s

    def stalls(self, seconds: float) -> None:
        """As if the machine had stood still."""
        self.now_s += seconds


class _NeverWaiting(selectors.DefaultSelector):
    def __init__(self, loop: Leaping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "everybody waits for ever"
        if not ready and timeout:
            self._loop.now_s += timeout
        return ready


def leaping(story: Coroutine[Any, Any, T]) -> T:
    """What the story comes to, run on such a loop of its own."""
    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(story)
