"""The second step after a password: a code from an authenticator app (RFC 6238), or one of ten recovery codes.

A code is used once: each one's step must be later than the last. Five wrong ones are free, then each further try waits
longer; that is counted for the account, wherever from, because whoever tries codes has its password already. Recovery
codes cannot be guessed and are never slowed, so that nobody can keep their owner out.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from ecm.rotating_code import SECRET_BYTES, step_of
from ecm.throttle import Slowing

STEP_SECONDS = 30
DIGITS = 6
ISSUER = "ecm"

SLOWING = Slowing(free=5, first_s=15, longest_s=900)

RECOVERY_CODES = 10
# No letter that is taken for another, or for a digit, when it is read from paper.
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_GROUPS, RECOVERY_GROUP = 6, 4  # 24 characters, 118 bits: a plain digest of them is enough (112)


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def in_base32(secret: bytes) -> str:
    """As it is typed into an app that has no camera."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth_url(secret: bytes, email: str, tenant: str) -> str:
    """What the QR code says, in the form that authenticator apps read."""
    issuer = f"{ISSUER} {tenant}".strip()
    asked = {"secret": in_base32(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{quote(issuer)}:{quote(email)}?{urlencode(asked, quote_via=quote)}"


def fits(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """The step whose code this is, if it is later than `last_step`; else None."""
    step = step_of(secret, _without_spaces(code), now, STEP_SECONDS, DIGITS)
    return step if step is not None and step > last_step else None


def wait(tries: int, tried_at: datetime | None, now: datetime) -> timedelta | None:
    """How long until the next try may be made after `tries` wrong ones; None: at once."""
    waits_s = SLOWING.wait_s(tries)
    if tried_at is None or not waits_s:
        return None
    left = tried_at + timedelta(seconds=waits_s) - now
    return left if left > timedelta(0) else None


def looks_like_a_code(said: str) -> bool:
    """Rather than like a recovery code."""
    return re.fullmatch(r"[0-9]{1,8}", _without_spaces(said)) is not None


def new_recovery_codes() -> list[str]:
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_digest(said: str) -> bytes:
    """What is kept of a recovery code, however it was typed: spaces, dashes and capitals do not matter."""
    return hashlib.sha256(re.sub(r"[\s-]", "", said).lower().encode()).digest()


def belongs_to(tenant_id: int, account_id: int) -> str:
    """What an account's sealed secret is bound to."""
    return f"second step {tenant_id} {account_id}"


def _new_recovery_code() -> str:
    groups = (
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_GROUP))
        for _ in range(RECOVERY_GROUPS)
    )
    return "-".join(groups)


def _without_spaces(code: str) -> str:
    return re.sub(r"\s", "", code)
