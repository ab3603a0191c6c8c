"""The service's clock as seen from outside: read now and then from /healthz, carried on in between.

The service may run many times faster than life, and may be away for a while; nothing here waits by our own
clock for something that happens by the service's.

A reading is as good as its round trip was short: at 240 times life, half a second on the way is two minutes of the
day. It is taken as true when it was heard, so that we are behind the service by as much at most and never ahead of it:
no phone seems to know what is yet to happen. A good reading is kept until a better one comes, it has grown as doubtful
itself, or the service's clock plainly shows something else.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import httpx

CHECK_EVERY_SECONDS = 2.0
LONGEST_NAP_SECONDS = 1.0
READINGS_AT_FIRST = 5  # one alone may have met a machine that stood still
DRIFT = 1e-4  # by how much two machines' clocks may part, a second


class ServiceClock:
    """Follows `now` and `speed` of the service behind `client`; a service that is down changes nothing."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._shown: datetime | None = None
        self._read_at = 0.0
        self._doubt_seconds = 0.0  # real seconds by which the reading may be wrong
        self.speed = 1.0

    async def start(self, *, patience_seconds: float) -> datetime:
        """First reading, waiting for the service to come up. TimeoutError if it does not."""
        async with asyncio.timeout(patience_seconds):
            while not await self.check():  # noqa: ASYNC110 - the service is another process
                await asyncio.sleep(0.25)
            for _ in range(READINGS_AT_FIRST - 1):
                await self.check()
        return self.now()

    async def check(self) -> bool:
        """Reads the clock again; False if the service did not answer."""
        asked_at = time.monotonic()
        try:
            answer = await self._client.get("/healthz", timeout=5.0)
            answer.raise_for_status()
            said = answer.json()
            shown, speed = datetime.fromisoformat(said["now"]), float(said["speed"])
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        read_at = time.monotonic()
        doubt_seconds = read_at - asked_at
        if self._shown is not None and speed == self.speed:
            grown = self._doubt_seconds + DRIFT * (read_at - self._read_at)
            apart = abs((shown - self._shown).total_seconds() / speed - (read_at - self._read_at))
            if doubt_seconds > grown and apart <= doubt_seconds + grown:
                return True  # no better than what we have, and not against it
        self._shown, self._read_at, self._doubt_seconds, self.speed = shown, read_at, doubt_seconds, speed
        return True

    def now(self) -> datetime:
        assert self._shown is not None, "start() first"
        return self._shown + timedelta(seconds=(time.monotonic() - self._read_at) * self.speed)

    async def sleep_until(self, at: datetime) -> None:
        """Returns when the service's clock shows `at`, however its speed changes meanwhile."""
        while (left := (at - self.now()).total_seconds() / self.speed) > 0:  # noqa: ASYNC110 - only time passes
            await asyncio.sleep(min(left, LONGEST_NAP_SECONDS))

    async def keep_in_step(self) -> None:
        """Reads the clock every two seconds until cancelled."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            await self.check()
