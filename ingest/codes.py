"""The code of a card or token in the home, at the door: right for its moment, and used once (`ecm.rotating_code`).

It may be given in the app, keyed in by telephone or texted.
"""

from __future__ import annotations

from datetime import datetime

from ecm.rotating_code import belongs_to, step_of
from ecm.sealing import Sealer, Unsealable
from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.visit.proof import Proof
from ingest.home_proof import HomeProof
from ingest.model import CheckEventIn

sql = load_queries(__package__, "codes.sql")


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
        await connection.execute(sql.use_code, tenant_id, card["card_id"], step, event.id, received_at)
        used_by = await connection.fetchval(sql.code_used_by, tenant_id, card["card_id"], step)
        proof = Proof.CODE_VALID if used_by == event.id else Proof.CODE_REPEATED
        return HomeProof((proof,), card["service_user_ref"])
    return HomeProof((Proof.CODE_WRONG,))
