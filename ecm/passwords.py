"""Passwords: Argon2id with 19 MiB, two passes, one lane: OWASP's floor, affordable at 07:00."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# One that an administrator made. Somebody ill or away for a few days still gets in; one never used does not lie about.
TEMPORARY_LASTS = timedelta(days=7)

# Somebody's password, hashed, so that an unknown e-mail takes as long to refuse as a known one.
_NOBODY = _hasher.hash(secrets.token_urlsafe(24))

# Each check holds 19 MiB and a core; more at once would only make every check-in beside them wait.
_at_once = asyncio.Semaphore(2)


async def hash_password(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def password_fits(password: str, stored: str | None) -> bool:
    """Whether the password made that hash; with no hash to compare, takes as long and says no."""
    async with _at_once:
        return await asyncio.to_thread(_fits, password, stored)


def is_outdated(stored: str) -> bool:
    """The hash was made under weaker parameters than today's, so make it again at the next sign-in."""
    return _hasher.check_needs_rehash(stored)


def invent_password() -> str:
    """About 96 bits, in groups that can be read out loud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def _fits(password: str, stored: str | None) -> bool:
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
