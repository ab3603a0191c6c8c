"""One clock for a whole service. Domain time comes from here and nowhere else.

A scaled clock lets a day pass in minutes, for demonstrations and tests; every process of the service reads the
same scale from the database. Leases, sessions and rate limits are about real machines and use real time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    @property
    def speed(self) -> float: ...

    def now(self) -> datetime: ...

    async def sleep_until(self, at: datetime, *, at_most_seconds: float) -> None:
        """Sleeps in real time until the clock shows `at`, or `at_most_seconds` real seconds at the longest."""


@dataclass(frozen=True, slots=True)
class RealClock:
    speed: float = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, at: datetime, *, at_most_seconds: float) -> None:
        await asyncio.sleep(min(at_most_seconds, max(0.0, (at - self.now()).total_seconds())))


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Shows `starts_at` at the real instant `real_start` and runs `speed` times as fast."""

    starts_at: datetime
    speed: float
    real_start: datetime

    def now(self) -> datetime:
        real_seconds = time.time() - self.real_start.timestamp()
        return self.starts_at + timedelta(seconds=real_seconds * self.speed)

    async def sleep_until(self, at: datetime, *, at_most_seconds: float) -> None:
        await asyncio.sleep(min(at_most_seconds, max(0.0, (at - self.now()).total_seconds() / self.speed)))


class ManualClock:
    """Shows what it was last set to. For tests."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    async def sleep_until(self, at: datetime, *, at_most_seconds: float) -> None:  # noqa: ARG002 - as the others
        self.at = max(self.at, at)
        await asyncio.sleep(0)
