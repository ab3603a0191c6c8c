"""Beth's enrolled phone at the door: what it signs counts as hers, and nothing else does."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import asyncpg
import pytest

from ecm.ntag424 import TagKeys, Tap, address_parts
from ecm.ntag424 import belongs_to as tag_of
from ecm.rotating_code import belongs_to as card_of
from ecm.rotating_code import code_at
from ecm.sealing import Sealer
from ecm.unlocking import Unlocking
from tests.ingest.conftest import NOW, SEALER, Door, event
from tests.ingest.phone import Phone, b64
from tests.postgres import execute


@pytest.fixture
async def beth(door: Door) -> Phone:
    phone = Phone()
    await phone.enrol(door.addresses.owner, worker="CW-104")
    return phone


async def proofs_of(door: Door, event_id: str) -> set[str]:
    [row] = await door.rows("SELECT proofs FROM check_events WHERE event_id = $1", UUID(event_id))
    return set(row["proofs"])


async def test_a_signed_event_is_kept_as_it_was_signed_and_graded_as_hers(door: Door, beth: Phone) -> None:
    said = event(care_worker=None)
    item = beth.item(said, wall_clock="2026-03-02T09:02:12Z")

    answer = await door.post(item, **beth.headers)

    assert (answer.status_code, answer.json()["id"]) == (201, said["id"])
    [row] = await door.stored()
    assert (row["care_worker"], row["proofs"]) == ("CW-104", ["signed"])
    assert json.loads(row["body"])["jws"] == item["jws"]
    assert row["wall_clock"] is not None


async def test_sent_again_with_another_moment_of_sending_it_is_the_same_event(
    door: Door, beth: Phone
) -> None:
    item = beth.item(event(), wall_clock="2026-03-02T09:02:12Z")
    first = await door.post(item, **beth.headers)
    again = await door.post(item | {"sending": {"wall_clock": "2026-03-02T17:00:00Z"}}, **beth.headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["received_at"] == first.json()["received_at"]


async def test_a_broken_clock_at_sending_costs_nothing(door: Door, beth: Phone) -> None:
    answer = await door.post(beth.item(event(), wall_clock="yesterday"), **beth.headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("spoilt", ["not signed", "another phone's", "changed", "no algorithm", "critical"])
async def test_what_the_phone_did_not_sign_is_turned_away_and_kept_aside(
    door: Door, beth: Phone, spoilt: str
) -> None:
    said = event()
    thief = Phone(device_id=beth.device_id)
    head, payload, signature = beth.jws(said).split(".")
    item = {
        "not signed": said,
        "another phone's": thief.item(said),
        "changed": {"jws": f"{head}.{b64(json.dumps(said | {'kind': 'check_out'}).encode())}.{signature}"},
        "no algorithm": {
            "jws": f"{b64(json.dumps({'alg': 'none', 'kid': str(beth.device_id)}).encode())}.{payload}."
        },
        "critical": {"jws": beth.jws(said, crit=["b64"])},
    }[spoilt]

    answer = await door.post(item, **beth.headers)

    assert answer.status_code in (401, 422)
    assert await door.stored() == []
    assert len(await door.kept_aside()) == 1


async def test_one_bad_signature_costs_the_others_nothing(door: Door, beth: Phone) -> None:
    items = [beth.item(event()), Phone(device_id=beth.device_id).item(event()), beth.item(event())]
    answer = await door.post(items, **beth.headers)
    assert [result["status"] for result in answer.json()] == ["created", "rejected", "created"]


async def test_a_phone_nobody_enrolled_is_nobody(door: Door) -> None:
    stranger = Phone()
    assert (await door.post(stranger.item(event()), **stranger.headers)).status_code == 401
    assert (await door.post(event(), authorization="Device 7")).status_code == 401


async def test_what_was_signed_before_the_phone_was_cut_off_arrives_marked_and_what_came_after_does_not(
    door: Door, beth: Phone
) -> None:
    await beth.cut_off(door.addresses.owner, "2026-03-02T09:30:00Z")
    before, after = event(), event(occurred_at="2026-03-02T09:30:01Z")

    assert (await door.post(beth.item(before), **beth.headers)).status_code == 201
    assert (await door.post(beth.item(after), **beth.headers)).status_code == 403

    assert await proofs_of(door, before["id"]) == {"signed", "cut_off"}
    assert len(await door.kept_aside()) == 1


async def test_a_shared_phone_says_whose_pin_opened_it(door: Door) -> None:
    shared = Phone()
    await shared.enrol(door.addresses.owner, worker=None)
    unlocking = Unlocking(SEALER)
    hers = event(unlock=unlocking.ticket(shared.device_id, "CW-104", NOW))
    anothers = event(unlock=unlocking.ticket(shared.device_id, "CW-105", NOW))
    forged = event(unlock=Unlocking(Sealer.of(bytes([1]) * 32)).ticket(shared.device_id, "CW-104", NOW))
    nobodys = event()
    for said in (hers, anothers, forged, nobodys):
        assert (await door.post(shared.item(said), **shared.headers)).status_code == 201
    assert await proofs_of(door, hers["id"]) == {"signed", "shared", "unlocked"}
    for said in (anothers, forged, nobodys):
        assert await proofs_of(door, said["id"]) == {"signed", "shared"}


async def test_her_own_phone_does_not_speak_for_another_worker(door: Door, beth: Phone) -> None:
    said = event(care_worker="CW-999")
    await door.post(beth.item(said), **beth.headers)
    assert await proofs_of(door, said["id"]) == {"signed", "shared"}


# ---------------------------------------------------------------------- what is fixed in the home

KEYS = bytes(range(32))
SECRET = b"12345678901234567890"


@pytest.fixture
async def alices_home(door: Door) -> None:
    await execute(
        door.addresses.owner,
        f"""
        INSERT INTO service_users (tenant_id, ref, name) VALUES (1, 'SU-2231', 'Alice'), (1, 'SU-1', 'Arthur');
        INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, sealed_keys, made_by, made_at) VALUES
          (1, 'printed1', 'qr', 'SU-2231', NULL, 'Cora', now()),
          (1, 'secure1', 'ntag424', 'SU-2231', '\\x{SEALER.seal(KEYS, tag_of(1, "secure1")).hex()}', 'Cora', now()),
          (1, 'copied1', 'ntag424', 'SU-2231', '\\x{SEALER.seal(KEYS, tag_of(1, "secure1")).hex()}', 'Cora', now());
        INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at) VALUES
          (1, 'SU-2231', '\\x{SEALER.seal(SECRET, card_of(1, "SU-2231")).hex()}', 'Cora', now());
        """,
    )


def tapped(counter: int, tag: str = "secure1") -> str:
    e, c = address_parts(TagKeys.of(KEYS), Tap(bytes.fromhex("04AABBCCDDEE80"), counter))
    return f"https://ecm.example/t/{tag}?e={e}&c={c}"


@pytest.mark.usefixtures("alices_home")
async def test_a_printed_tag_says_whose_home_it_is(door: Door, beth: Phone) -> None:
    said = event(method="qr", service_user=None, fix=None, tag="https://ecm.example/t/printed1")
    assert (await door.post(beth.item(said), **beth.headers)).status_code == 201
    [row] = await door.stored()
    assert row["service_user"] == "SU-2231"
    assert await proofs_of(door, said["id"]) == {"signed", "tag_printed"}


@pytest.mark.usefixtures("alices_home")
async def test_a_secure_tags_count_only_goes_up_and_is_used_once(door: Door, beth: Phone) -> None:
    first, third, second, copy = (event(method="nfc", tag=tapped(n)) for n in (61, 63, 62, 63))
    forged = event(method="nfc", tag=tapped(64).replace("c=", "c=0"))
    moved = event(method="nfc", tag=tapped(65, "copied1"))
    for said in (first, third, second, copy, forged, moved):
        assert (await door.post(beth.item(said), **beth.headers)).status_code == 201
    found = [
        await proofs_of(door, said["id"]) - {"signed"} for said in (first, third, second, copy, forged, moved)
    ]
    assert found == [
        {"tag_fresh"}, {"tag_fresh"}, {"tag_stale"}, {"tag_repeated"}, {"tag_forged"}, {"tag_forged"},
    ]  # fmt: skip
    again = await door.post(beth.item(first), **beth.headers)
    assert again.status_code == 200


@pytest.mark.usefixtures("alices_home")
async def test_a_tag_of_another_home_is_said_to_be_so(door: Door, beth: Phone) -> None:
    said = event(method="nfc", service_user="SU-1", tag=tapped(61))
    await door.post(beth.item(said), **beth.headers)
    assert "tag_elsewhere" in await proofs_of(door, said["id"])


@pytest.mark.usefixtures("alices_home")
async def test_the_cards_code_counts_for_its_minute_and_once(door: Door, beth: Phone) -> None:
    now = int(NOW.timestamp()) // 60
    showing = [
        event(method="token", code=code_at(SECRET, step, 60, 6)) for step in (now, now, now - 1, now - 3)
    ]
    for said in showing:
        assert (await door.post(beth.item(said), **beth.headers)).status_code == 201
    found = [await proofs_of(door, said["id"]) - {"signed"} for said in showing]
    assert found == [{"code_valid"}, {"code_repeated"}, {"code_valid"}, {"code_wrong"}]


USES = {
    "tag": "INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at) VALUES (1, 'secure1', 61, $1, now())",
    "code": "INSERT INTO used_codes (tenant_id, card_id, step, event_id, used_at)"
    " SELECT 1, card_id, $2, $1, now() FROM code_cards",
}


@pytest.mark.usefixtures("alices_home")
@pytest.mark.parametrize("proved_by", ["tag", "code"])
async def test_sent_twice_at_the_same_moment_it_is_no_repetition(
    door: Door, beth: Phone, proved_by: str
) -> None:
    """The first sending has used it and is about to commit; the second, of the same event, finds it so."""
    step = int(NOW.timestamp()) // 60
    said = (
        event(method="nfc", tag=tapped(61))
        if proved_by == "tag"
        else event(code=code_at(SECRET, step, 60, 6))
    )
    first = await asyncpg.connect(door.addresses.owner)
    used_under = (UUID(said["id"]), step) if proved_by == "code" else (UUID(said["id"]),)
    async with first.transaction():
        await first.execute(USES[proved_by], *used_under)
        second = asyncio.create_task(door.post(beth.item(said), **beth.headers))
        while not await door.rows("SELECT FROM pg_stat_activity WHERE wait_event = 'transactionid'"):
            await asyncio.sleep(0.01)
    assert (await second).status_code == 201
    await first.close()
    assert await proofs_of(door, said["id"]) == {
        "signed",
        "tag_fresh" if proved_by == "tag" else "code_valid",
    }


def test_codes_are_those_of_the_published_vectors() -> None:
    """RFC 6238, appendix B, SHA-1, eight digits."""
    published = {59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 20000000000: "65353130"}
    assert {at: code_at(SECRET, at // 30, 30, 8) for at in published} == published


@pytest.mark.parametrize(
    "nonsense",
    ["", " ", "é", "x" * 200, "https://[", "../../etc/passwd", "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11"],
)
async def test_a_nonsense_tag_costs_nothing(door: Door, beth: Phone, nonsense: str) -> None:
    answer = await door.post(beth.item(event(tag=nonsense)), **beth.headers)
    assert answer.status_code == 201


async def test_made_up_phones_are_looked_up_so_often_and_hold_up_no_real_one(
    door: Door, beth: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = door.app._devices
    assert (await door.post(beth.item(event()), **beth.headers)).status_code == 201
    monkeypatch.setattr(devices, "_monotonic", lambda: devices._look_ups.at)
    devices._look_ups.spent = devices._look_ups.size - 2
    strangers = [await door.post(event(), **Phone().headers) for _ in range(3)]
    assert [answer.status_code for answer in strangers] == [401, 401, 429]
    assert int(strangers[-1].headers["retry-after"]) >= 1
    assert (await door.post(beth.item(event()), **beth.headers)).status_code == 201
