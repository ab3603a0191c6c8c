"""Who is told how to get into Ms Adams' home: whom the plan sends, or who stands in and is there; and nobody else."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from ecm.doors import Services
from ecm.lock import Lock, held_by
from ecm.sealing import key_safe_of
from tests.api.conftest import ADAMS_CHECK_IN, NOW, Story
from tests.api.test_phones import Caller, alices, shared  # noqa: F401 - fixtures

KEY_SAFE = "/v1/app/visits/1/key-safe"
STANDS_IN = """
UPDATE visits SET care_worker_refs = '{CW-SICK}',
  attendances = jsonb_build_array(jsonb_build_object('care_worker', 'CW-A', 'check_in_at', '2026-11-21T09:02:00Z',
    'check_out_at', NULL, 'check_in_event', $1::text)),
  findings = jsonb_build_array(jsonb_build_object('code', 'location_inside', 'event_id', $1::text))
WHERE tenant_id = 1 AND visit_id = 1"""


@pytest.fixture
async def stands_in(story: Story, alices: Caller) -> Caller:  # noqa: F811
    """Alice is not on the rota any more, and her phone has signed that she is at Ms Adams' home."""
    sealed = story.app.state.services.sealer.seal(b"C1234Y", key_safe_of(1, "SU-A"))
    await story.run(
        "UPDATE service_users SET sealed_key_safe = $1 WHERE tenant_id = 1 AND ref = 'SU-A'", sealed
    )
    await story.run(STANDS_IN, str(ADAMS_CHECK_IN))
    await story.run("UPDATE check_events SET proofs = '{signed}' WHERE event_id = $1", ADAMS_CHECK_IN)
    return alices


async def test_whoever_stands_in_is_told_at_the_door_and_the_audit_says_so(
    story: Story, stands_in: Caller
) -> None:
    assert (await stands_in.ask("GET", KEY_SAFE)).json() == {"code": "C1234Y"}
    [entry] = await story.all("SELECT reason, subject FROM audit WHERE action = 'key_safe_told'")
    assert tuple(entry) == ("not on the rota; checked in at the home", "visit 1")
    story.clock.at = NOW + timedelta(hours=1)
    assert (await stands_in.ask("GET", KEY_SAFE)).status_code == 403, "and only near the visit"


@pytest.mark.parametrize(
    ("weak", "because"),
    [
        ("UPDATE check_events SET proofs = '{}'", "another system said so"),
        ("UPDATE check_events SET proofs = '{signed,shared}'", "a shared phone that no PIN opened"),
        ("UPDATE check_events SET proofs = '{signed,cut_off}'", "a phone that was lost"),
        ("UPDATE visits SET findings = replace(findings::text, 'inside', 'uncertain')::jsonb", "near"),
        ("UPDATE visits SET findings = '[]'", "nothing says where"),
        ("UPDATE visits SET attendances = jsonb_set(attendances, '{0,check_out_at}', '\"2026-11-21T09:10:00Z\"')",
         "out again"),
        ("UPDATE visits SET attendances = replace(attendances::text, 'CW-A', 'CW-B')::jsonb", "another is in"),
        ("UPDATE visits SET provider_ref = 'P2' WHERE visit_id = 1", "another provider's visit"),
        ("UPDATE care_workers SET provider_ref = 'P2' WHERE ref = 'CW-A' AND tenant_id = 1", "left the provider"),
        ("UPDATE visits SET cancelled = true", "called off"),
    ],
)  # fmt: skip
async def test_weak_evidence_of_standing_in_tells_no_code(
    story: Story, stands_in: Caller, weak: str, because: str
) -> None:
    await story.run(weak)
    answer = await stands_in.ask("GET", KEY_SAFE)
    assert answer.status_code == 404, because
    assert "ask the office" in answer.json()["detail"]
    assert await story.all("SELECT 1 FROM audit WHERE action = 'key_safe_told'") == []


async def test_a_shared_phone_that_her_pin_opened_is_as_good(
    story: Story,
    stands_in: Caller,
    shared: Caller,  # noqa: F811
) -> None:
    await story.run("UPDATE check_events SET proofs = '{signed,shared,unlocked}'")
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    ticket = {"ECM-Unlock": opened.json()["unlock"]}
    assert (await shared.ask("GET", KEY_SAFE, **ticket)).status_code == 200


async def test_the_services_login_cannot_read_a_code_and_the_function_asks_for_itself(
    story: Story, stands_in: Caller
) -> None:
    asks = "SELECT sealed FROM ecm_key_safe(1, $1, $2, $3)"
    async with story.web.tenant(1) as connection:
        assert await connection.fetchval(asks, "CW-A", "P1", NOW) is not None
        assert await connection.fetchval(asks, "CW-B", "P1", NOW) is None
        assert await connection.fetchval(asks, "CW-A", "P2", NOW) is None
        assert await connection.fetchval(asks, "CW-A", "P1", NOW - timedelta(hours=1)) is None
    async with story.web.tenant(2) as connection:
        assert await connection.fetchval(asks, "CW-A", "P1", NOW) is None, "another authority's visit"
    await story.run("UPDATE care_workers SET left_at = $1, left_by = 'Cory'", NOW)
    async with story.web.tenant(1) as connection:
        assert await connection.fetchval(asks, "CW-A", "P1", NOW) is None, "she has left"
    await story.run("UPDATE care_workers SET left_at = NULL, left_by = NULL")
    for provider, worker in (("=P2", "*"), ("*", "=CW-B"), ("", "")):
        async with story.web.tenant(1) as connection:
            await connection.execute("SELECT set_config('ecm.provider', $1, true)", provider)
            await connection.execute("SELECT set_config('ecm.worker', $1, true)", worker)
            assert await connection.fetchval(asks, "CW-A", "P1", NOW) is None, (provider, worker)
    async with story.web.tenant(1) as connection:
        await connection.execute("SET LOCAL ecm.role = 'coordinator'")
        assert await connection.fetchval(asks, "CW-A", "P1", NOW) is None, "nobody but a phone is told"
    for statement in ("SELECT sealed_key_safe FROM service_users", "SELECT * FROM service_users"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with story.web.tenant(1) as connection:
                await connection.fetch(statement)


async def test_the_functions_that_look_past_the_lock_ask_who_wants_it(story: Story) -> None:
    amber = Lock(1, "P1", None, "coordinator", "account 2")
    sets = "SELECT ecm_set_key_safes(ARRAY['SU-A', 'SU-B'], ARRAY['\\x01', '\\x02']::bytea[])"
    has = "SELECT ecm_has_key_safe($1)"
    for lock in (amber, Lock(1, None, None, "quality", "account 9"), held_by(amber, "CW-A")):
        async with story.web.locked(lock) as connection:
            assert await connection.fetch(sets) == []
    async with story.web.locked(Lock(1, None, None, "import ingest", "key 1")) as connection:
        assert len(await connection.fetch(sets)) == 2
    async with story.web.locked(amber) as connection:
        assert await connection.fetchval(has, "SU-A") is True
        assert await connection.fetchval(has, "SU-B") is None, "Birch's"
    await story.run(
        "INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES (1, now(), 'a', 'b', 'c')"
    )
    for role in ("coordinator", "quality", "auditor", "phone", "read"):
        async with story.web.locked(Lock(1, None, None, role, "account 9")) as connection:
            erases = "SELECT ecm_erase_words('{1}', 'Mallory', 'entry', '', NULL, now())"
            assert await connection.fetchval(erases) == []


async def test_a_process_with_another_key_seals_nothing_and_says_so(story: Story) -> None:
    services: Services = story.app.state.services
    await story.run("INSERT INTO sealing_key (fingerprint, since) VALUES ($1, now())", bytes(16))
    cory = await story.signed_in("cory")
    answer = await cory.put("/v1/homes/key-safe", json={"service_user": "SU-A", "code": "4711"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/another-sealing-key")
    for asked in ({"kind": "ntag424"}, {"kind": "qr"}):
        answer = await cory.post("/v1/tags", json=asked | {"service_user": "SU-A"})
        assert answer.status_code == (503 if asked["kind"] == "ntag424" else 201), "a plain tag needs no key"
    assert (await cory.post("/v1/code-cards", json={"service_user": "SU-A"})).status_code == 503
    told = (await story.at_the_door().get("/readyz")).json()["sealing"]
    assert told["ok"] is False
    assert "ECM_SEALING_KEY" in told["says"]
    await story.run("UPDATE sealing_key SET fingerprint = $1", services.sealer.fingerprint)
    assert (await story.at_the_door().get("/readyz")).json()["sealing"] == {"ok": True, "says": "one key"}
