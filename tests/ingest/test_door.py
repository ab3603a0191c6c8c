"""The table of answers in API.md, row by row, and what is in the database after each."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ecm.permit import Actor
from ingest.keys import KeyHolder
from tests.ingest.conftest import NOW, Door, event, opened

RECEIVED_AT = "2026-03-02T09:02:12.418203Z"


async def test_a_check_in_is_stored_with_its_to_do_and_gets_a_receipt(door: Door) -> None:
    sent = event(cli="0113 496 0121", device={"id": "phone-7", "wall_clock": "2026-03-02T09:02:12+00:00"})

    answer = await door.post(sent)

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"id": sent["id"], "status": "created", "received_at": RECEIVED_AT}
    [stored] = await door.stored()
    assert json.loads(stored["body"]) == sent
    assert (stored["tenant_id"], stored["event_id"], stored["received_at"]) == (1, UUID(sent["id"]), NOW)
    assert (stored["kind"], stored["method"], stored["care_worker"]) == ("check_in", "app", "CW-104")
    assert (stored["lat"], stored["lon"], stored["accuracy_m"]) == (53.80035, -1.54922, 12.0)
    assert (stored["cli"], stored["device_id"]) == ("+441134960121", "phone-7")
    assert stored["wall_clock"] == NOW.replace(microsecond=0)
    assert await door.to_do() == [{"tenant_id": 1, "event_id": UUID(sent["id"])}]


async def test_the_same_again_gets_the_same_receipt_and_changes_nothing(door: Door) -> None:
    sent = event()
    first = await door.post(sent)
    door.clock.at = NOW.replace(hour=11)

    again = await door.post(sent)
    reordered = await door.post(json.dumps(dict(reversed(sent.items())), indent=3).encode())
    in_an_array = await door.post([sent])

    assert first.status_code == 201
    assert (again.status_code, reordered.status_code, in_an_array.status_code) == (200, 200, 200)
    receipt = {"id": sent["id"], "status": "exists", "received_at": RECEIVED_AT}
    assert (again.json(), reordered.json(), in_an_array.json()) == (receipt, receipt, [receipt])
    assert len(await door.stored()) == len(await door.to_do()) == 1
    assert await door.kept_aside() == []


async def test_a_retry_may_tell_of_another_moment_of_sending(door: Door) -> None:
    sent = event(device={"id": "phone-7", "wall_clock": "2026-03-02T09:02:12Z", "monotonic_ms": 5})
    await door.post(sent)

    later = {"id": "phone-7", "wall_clock": "2026-03-02T09:07:40Z", "monotonic_ms": 328_005}
    again = await door.post(sent | {"device": later})

    assert (again.status_code, again.json()["status"]) == (200, "exists")


@pytest.mark.parametrize(
    "other",
    [
        {"occurred_at": "2026-03-02T08:32:11Z"},
        {"kind": "check_out"},
        {"care_worker": "CW-999"},
        {"fix": {"lat": 53.80035, "lon": -1.54923, "accuracy_m": 12.0}},
        {"note": "on time"},
        {"unlisted": 1},
        {"fix": {"lat": 91, "lon": 0}},
        {"device": {"id": "phone-8"}},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_another_body_under_a_known_id_is_a_conflict_and_is_kept_aside(door: Door, other: Any) -> None:
    sent = event()
    await door.post(sent)

    answer = await door.post(sent | other)

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"], problem["kept"]) == ("/problems/conflict", 409, True)
    [stored] = await door.stored()
    assert json.loads(stored["body"]) == sent
    [aside] = await door.kept_aside()
    assert (aside["event_id"], aside["received_at"]) == (UUID(sent["id"]), NOW)
    assert json.loads(aside["body"]) == sent | other
    assert "another body" in aside["reason"]


async def test_one_bad_item_never_costs_the_others(door: Door) -> None:
    known = event()
    await door.post(known)
    fresh, twin, bad = event(kind="check_out"), event(), event(kind="teleport")
    door.clock.at = NOW.replace(hour=10)

    answer = await door.post([fresh, bad, known, known | {"note": "x"}, 7, twin, twin])

    assert answer.status_code == 200
    results = answer.json()
    assert [r["status"] for r in results] == [
        "created", "rejected", "exists", "conflict", "rejected", "created", "exists",
    ]  # fmt: skip
    assert [r["id"] for r in results[:1] + results[2:4]] == [fresh["id"], known["id"], known["id"]]
    assert (results[2]["received_at"], results[5]["received_at"]) == (
        RECEIVED_AT,
        "2026-03-02T10:02:12.418203Z",
    )
    assert results[1]["problem"]["type"] == "/problems/not-understood"
    assert results[1]["problem"]["errors"][0]["where"] == "kind"
    assert results[3]["problem"]["type"] == "/problems/conflict"
    assert {str(row["event_id"]) for row in await door.stored()} == {known["id"], fresh["id"], twin["id"]}
    assert len(await door.to_do()) == 3
    assert [json.loads(row["body"]) for row in await door.kept_aside()] == [bad, 7, known | {"note": "x"}]


async def test_an_array_of_nothing_but_new_events_is_created(door: Door) -> None:
    sent = [event() for _ in range(500)]

    answer = await door.post(sent)

    assert answer.status_code == 201
    assert [r["id"] for r in answer.json()] == [s["id"] for s in sent]
    assert len(await door.stored()) == 500
    assert (await door.post([])).json() == []


async def test_the_stored_body_is_the_text_as_sent_also_from_an_array(door: Door) -> None:
    odd = (
        '{ "id":"0195C8A2-7D1E-7C3A-9B52-6F0D2C4E8A11" ,"kind":"check_in", "n":1.00,\n'
        ' "method":"nfc","occurred_at":"2026-03-02T10:02:11+01:00"}'
    )

    answer = await door.post(f" [\n{odd}\n] ".encode())

    assert answer.json()[0]["id"] == "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11"
    [stored] = await door.stored()
    assert stored["body"] == odd
    assert stored["occurred_at"] == NOW.replace(second=11, microsecond=0)


@pytest.mark.parametrize(
    ("key", "headers", "status", "kind"),
    [
        (None, {}, 401, "/problems/not-signed-in"),
        (None, {"authorization": "Bearer"}, 401, "/problems/not-signed-in"),
        (None, {"authorization": "Basic Z2F0ZXdheTp4"}, 401, "/problems/not-signed-in"),
        (None, {"authorization": "Bearer ecm_nobody"}, 401, "/problems/not-signed-in"),
        (None, {"authorization": "Bearer " + "x" * 5_000}, 401, "/problems/not-signed-in"),
        ("leaver", {}, 401, "/problems/not-signed-in"),
        ("reader", {}, 403, "/problems/not-permitted"),
    ],
)
async def test_who_may_not_send_is_told_so_and_leaves_nothing(
    door: Door, key: str | None, headers: dict[str, str], status: int, kind: str
) -> None:
    for body in (event(), b"garbage"):
        answer = await door.post(body, key, **headers)
        assert (answer.status_code, answer.json()["type"]) == (status, kind)
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert await door.stored() == await door.kept_aside() == []


async def test_a_revoked_key_is_refused_after_two_seconds_though_nobody_heard_of_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await door.post(event())).status_code == 201
    await door.as_owner("UPDATE api_keys SET revoked_at = now() WHERE name = 'gateway'")
    now = door.app._keys._monotonic() + 2.1
    monkeypatch.setattr(door.app._keys, "_monotonic", lambda: now)

    assert (await door.post(event())).status_code == 401


async def test_two_tenants_may_use_one_id(door: Door) -> None:
    ours = event()
    theirs = event(id=ours["id"], care_worker="their own")

    assert (await door.post(ours)).status_code == 201
    assert (await door.post(theirs, "stranger")).status_code == 201

    assert [(r["tenant_id"], r["care_worker"]) for r in await door.stored()] == [
        (1, "CW-104"),
        (2, "their own"),
    ]


async def test_who_sends_too_fast_waits(database: Any) -> None:
    async with opened(database, events_per_s=0.5, events_at_once=3) as door:
        assert (await door.post([event(), event()])).status_code == 201
        assert (await door.post(event())).status_code == 201

        answer = await door.post(event())

        assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many")
        assert answer.headers["retry-after"] == "2"
        assert (await door.post(event(), "stranger")).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(event(note="x" * 70_000)).encode(),
        json.dumps([event() for _ in range(501)]).encode(),
        b"[" + b" " * 4_200_000 + b"]",
        b" " * 70_000 + b"{}",
    ],
    ids=["event", "items", "array", "spaces"],
)
async def test_what_is_too_large_is_not_taken(door: Door, body: bytes) -> None:
    answer = await door.post(body)

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert await door.stored() == []


async def test_an_item_that_is_too_large_is_rejected_alone(door: Door) -> None:
    answer = await door.post([event(note="x" * 70_000), event()])

    assert [r["status"] for r in answer.json()] == ["rejected", "created"]
    assert answer.json()[0]["problem"]["status"] == 413
    assert [len(row["body"]) for row in await door.kept_aside()] == [65_536]


async def test_processing_is_told_once_a_batch(door: Door) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(door.addresses.owner)
    await listener.add_listener("ecm_work", lambda *args: heard.append(args[3]))
    sent = [event() for _ in range(3)]

    await door.post(sent)
    await door.post(sent)
    await listener.execute("SELECT 1")

    assert heard == [""]
    await listener.close()


def test_whoever_may_record_by_the_table_may_record_here() -> None:
    assert KeyHolder.of(Actor("key", 1, 1, "gateway", scopes=frozenset({"ingest"}))).may_record
    assert not KeyHolder.of(Actor("key", 1, 1, "reader", scopes=frozenset({"read"}))).may_record
    assert KeyHolder.of(Actor("account", 1, 9, "Alice", "care_worker", "P-1")).key_id is None
