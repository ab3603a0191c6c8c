"""How much one sender may send: sizes, and a rate for each key. All generous: a limit here costs evidence time.

Rates run on real, monotonic time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

EVENT_BYTES_MAX = 64 * 1024
ARRAY_BYTES_MAX = 4 * 1024 * 1024
ARRAY_ITEMS_MAX = 500
BODY_PATIENCE_S = 30.0

EVENTS_PER_S = 20_000.0
EVENTS_AT_ONCE = 40_000.0


@dataclass(slots=True)
class Bucket:
    """A token bucket: holds `size` at most, refills by `per_s`. `at`: monotonic seconds."""

    per_s: float
    size: float
    at: float
    spent: float = 0.0

    def take(self, amount: float, now: float) -> float:
        """0 when `amount` was there, else the seconds until it will be; then nothing is taken."""
        self.spent = max(0.0, self.spent - (now - self.at) * self.per_s)
        self.at = now
        if self.spent + amount > self.size:
            return (self.spent + amount - self.size) / self.per_s
        self.spent += amount
        return 0.0

    def give_back(self, amount: float) -> None:
        self.spent = max(0.0, self.spent - amount)


class Rates:
    """A bucket for each sender; those long unused are forgotten, because a full bucket is like a new one."""

    def __init__(
        self,
        per_s: float,
        size: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        senders_max: int = 10_000,
    ) -> None:
        self._per_s = per_s
        self._size = size
        self._monotonic = monotonic
        self._senders_max = senders_max
        self._buckets: dict[tuple[int, int | str], Bucket] = {}

    def take(self, sender: tuple[int, int | str], amount: float = 1.0) -> float:
        """0, or the seconds to wait."""
        now = self._monotonic()
        bucket = self._buckets.get(sender)
        if bucket is None:
            if len(self._buckets) >= self._senders_max:
                refilled_by = now - self._size / self._per_s
                self._buckets = {who: b for who, b in self._buckets.items() if b.at > refilled_by}
            bucket = self._buckets[sender] = Bucket(self._per_s, self._size, now)
        return bucket.take(amount, now)
