"""PINs of care workers, hashed by the thousand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ecm.pins import hash_pin, pin_fits


async def hashes_of(pins: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """A hash for each care worker's PIN: the stored one where it still fits."""

    def hash_of(worker: str) -> tuple[str, str]:
        kept = stored.get(worker)
        if kept is not None and pin_fits(pins[worker], kept):
            return worker, kept
        return worker, hash_pin(pins[worker])

    def all_of_them() -> dict[str, str]:
        with ThreadPoolExecutor(2) as threads:  # the hasher lets other threads run
            return dict(threads.map(hash_of, pins))

    return await asyncio.to_thread(all_of_them)
