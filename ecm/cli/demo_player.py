"""The care workers of a demonstration, in a process of their own: they use nothing but the service's doors."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

from ecm.simulator import play_day

PEOPLE, PROVIDERS = 600, 8


async def play(url: str, key: str, seed: int) -> None:
    """Day after day, until ended. Under this scenario one provider has a bad morning, so there is something to see."""
    while True:
        await play_day(url, key, people=PEOPLE, providers=PROVIDERS, seed=seed, scenario="bad-morning")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(play(sys.argv[1], os.environ["ECM_KEY"], int(sys.argv[2])))
