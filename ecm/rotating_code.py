"""The rotating code of a card or token in the home: a time-based one-time code (RFC 6238).

Right for the step in which the visit is said to have happened, one before or one after it, because a cheap token's
clock drifts.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEPS_EITHER_WAY = 1
SECRET_BYTES = 20


def step_of(secret: bytes, code: str, at: datetime, step_seconds: int, digits: int) -> int | None:
    """The step whose code this is, nearest first; None if none of those allowed."""
    if len(code) != digits or not code.isascii() or not code.isdigit():
        return None
    now = int(at.timestamp()) // step_seconds
    for step in sorted(range(now - STEPS_EITHER_WAY, now + STEPS_EITHER_WAY + 1), key=lambda s: abs(s - now)):
        if step >= 0 and hmac.compare_digest(code_at(secret, step, step_seconds, digits), code):
            return step
    return None


def code_at(secret: bytes, step: int, step_seconds: int, digits: int) -> str:
    """What the card shows in that step."""
    totp = TOTP(secret, digits, SHA1(), step_seconds, enforce_key_length=False)  # noqa: S303 - RFC 6238's own
    return totp.generate(step * step_seconds).decode()


def belongs_to(tenant_id: int, service_user: str) -> str:
    """What a card's sealed secret is bound to."""
    return f"code card {tenant_id} {service_user}"
