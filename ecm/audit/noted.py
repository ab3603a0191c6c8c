"""Which reading is an entry of its own, and which goes on from one a moment ago. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

ONE_ENTRY_S = 600.0
REMEMBERED = 20_000
"""Readings; some megabytes."""


class Noted:
    """Who read of what within the last minutes: at most so many, and then the oldest are forgotten."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def new(self, who: str, what: Iterable[str], now_s: float) -> list[str]:
        """What this reader did not read lately, in order and each once."""
        return [
            ref for ref in sorted(set(what)) if now_s - self._at.get((who, ref), -ONE_ENTRY_S) >= ONE_ENTRY_S
        ]

    def note(self, who: str, what: Iterable[str], now_s: float) -> None:
        for ref in what:
            self._at[who, ref] = now_s
            self._at.move_to_end((who, ref))
        while len(self._at) > self._most:
            self._at.popitem(last=False)
