"""Ringing a number that never answers: the whole interview is the ring."""

from __future__ import annotations

from tests.ingest.telephone.conftest import (
    ASH,
    BETHS_LINE,
    BIRCH,
    NOW,
    Exchange,
)


async def test_beth_rings_her_own_number_and_is_in_then_out(exchange: Exchange) -> None:
    rings = exchange.rings(ASH, BETHS_LINE)
    await rings.begin()
    assert "<Reject />" in rings.answer
    await rings.begin()
    await exchange.rings(ASH, BETHS_LINE).begin()  # to be sure
    exchange.later(minutes=28)
    await exchange.rings(ASH, BETHS_LINE).begin()
    assert await exchange.told() == [
        "CW-104 check_in SU-1 09:02:12 rang_own_number",
        "CW-104 check_in SU-1 09:02:12 rang_own_number",
        "CW-104 check_out SU-1 09:30:12 rang_own_number",
    ]


async def test_next_door_she_is_in_again(exchange: Exchange) -> None:
    await exchange.rings(ASH, BETHS_LINE).begin()
    exchange.later(minutes=30)
    await exchange.rings(BIRCH, BETHS_LINE).begin()
    exchange.later(minutes=30)
    await exchange.rings("anonymous", BETHS_LINE).begin()
    assert [line.split()[1:3] for line in await exchange.told()] == [
        ["check_in", "SU-1"],
        ["check_in", "None"],
        ["check_out", "None"],
    ]
    assert "withheld" in (await exchange.told())[-1]


async def test_she_came_by_app_and_leaves_by_ringing(exchange: Exchange) -> None:
    await exchange.run(
        "WITH e AS (INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method,"
        " care_worker, service_user, body_sha256, body) VALUES (1, $1, $2, 'check_in', $2, 'app', 'CW-104', 'SU-1',"
        " '', '') RETURNING *) INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref,"
        " care_worker_ref, status, reason, explicit, decided_at) SELECT 1, event_id, occurred_at, 'SU-1', 'CW-104',"
        " 'unmatched', '', false, occurred_at FROM e",
        "019aa3f2-7d1e-7000-8000-000000000001",
        NOW,
    )
    exchange.later(minutes=20)
    await exchange.rings(ASH, BETHS_LINE).begin()
    assert (await exchange.told())[-1] == "CW-104 check_out SU-1 09:22:12 rang_own_number"
