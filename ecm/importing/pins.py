"""PINs of care workers, hashed by the thousand.

A PIN has four digits or little more, so no hash withstands somebody who holds the table: it only keeps PINs out of
sight. Hence far cheaper parameters than a password's, or 2,000 care workers would take minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=1, memory_cost=4096, parallelism=1)


async def hashes_of(pins: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """A hash for each care worker's PIN: the stored one where it still fits."""

    def hash_of(worker: str) -> tuple[str, str]:
        kept = stored.get(worker)
        if kept is not None and pin_fits(pins[worker], kept):
            return worker, kept
        return worker, _hasher.hash(pins[worker])

    def all_of_them() -> dict[str, str]:
        with ThreadPoolExecutor(2) as threads:  # the hasher lets other threads run
            return dict(threads.map(hash_of, pins))

    return await asyncio.to_thread(all_of_them)


def pin_fits(pin: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, pin)
    except (VerificationError, InvalidHashError):
        return False
