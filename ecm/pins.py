"""Care workers' PINs: hashed, and guessed slowly.

A PIN has four digits or little more, so no hash withstands somebody who holds the table: it only keeps PINs out of
sight. Hence far cheaper parameters than a password's, or 2,000 care workers would take minutes.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=1, memory_cost=4096, parallelism=1)


def hash_pin(pin: str) -> str:
    return _hasher.hash(pin)


def pin_fits(pin: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, pin)
    except (VerificationError, InvalidHashError):
        return False
