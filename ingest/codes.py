"""The rotating code of a card or token in the home: a time-based one-time code (RFC 6238) read at the door.

Right for the step in which the visit is said to have happened, one before or one after it (a cheap token's clock
drifts), and used once. It may be given in the app, keyed in by telephone or texted.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from ecm.sealing import Sealer, Unsealable
from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.visit.proof import Proof
from ingest.home_proof import HomeProof
from ingest.model import CheckEventIn

sql = load_queries(__package__, "codes.sql")

STEPS_EITHER_WAY = 1


async def check(
    connection: Connection,
    sealer: Sealer,
    tenant_id: int,
    event: CheckEventIn,
    service_user: str | None,
    received_at: datetime,
) -> HomeProof:
    """Against the cards of the person the event or its tag names, else of whoever has the telephone."""
    assert event.code is not None
    code = "".join(event.code.split())
    cards = await connection.fetch(sql.cards_for, tenant_id, event.service_user or service_user, event.cli)
    for card in cards:
        try:
            secret = sealer.open(card["sealed_secret"], belongs_to(tenant_id, card["service_user_ref"]))
        except Unsealable:
            continue
        step = step_of(secret, code, event.occurred_at, card["step_seconds"], card["digits"])
        if step is None:
            continue
        used_by = await connection.fetchval(
            sql.use_code, tenant_id, card["card_id"], step, event.id, received_at
        )
        proof = Proof.CODE_VALID if used_by == event.id else Proof.CODE_REPEATED
        return HomeProof((proof,), card["service_user_ref"])
    return HomeProof((Proof.CODE_WRONG,))


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
