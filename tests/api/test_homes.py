"""Cory puts tags and code cards into the homes he visits; what they then prove, the door finds."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from ecm.doors import Services
from ecm.ntag424 import TagKeys, Tap, address_parts
from ecm.qr import qr_of
from ecm.rotating_code import code_at
from ecm.sealing import key_safe_of
from ecm.store.embedded import Addresses
from ingest.keys import KeyHolder
from tests.api.conftest import NOW, Story, story_in

KEYS = {"meta": "00112233445566778899AABBCCDDEEFF", "file": "F" * 32}


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        await told.app.state.door.start()
        yield told
        await told.app.state.door.stop()


async def made(who: httpx.AsyncClient, path: str = "/v1/tags", **said: Any) -> dict[str, Any]:
    answer = await who.post(path, json={"service_user": "SU-A"} | said)
    assert answer.status_code == 201, answer.text
    thing: dict[str, Any] = answer.json()
    return thing


async def proofs_of(story: Story, **said: Any) -> set[str]:
    """What the door finds of an event that read this tag or this code."""
    event = {"id": str(uuid4()), "kind": "check_in", "occurred_at": NOW.isoformat(), "method": "app"} | said
    recorded = await story.app.state.recorder.record(KeyHolder(1, None, "a phone", may_record=True), event)
    return set(recorded.proofs)


async def test_a_printed_tag_names_its_home_on_paper_by_an_initial_and_an_area(story: Story) -> None:
    cory = await story.signed_in("cory")
    tag = await made(cory, kind="qr", label="hall")
    assert (tag["short_name"], tag["area"], tag["label"], tag["keys"]) == ("Ms A.", "North", "hall", None)
    assert tag["url"] == f"http://ecm.test/t/{tag['id']}"
    assert tag["qr"] == {"size": qr_of(tag["url"]).size, "path": qr_of(tag["url"]).path}
    [listed] = (await cory.get("/v1/tags")).json()["items"]
    assert listed.items() <= tag.items()
    for said in (tag, listed):
        assert "Madeup Lane" not in str(said)
        assert "Adams" not in str(said)
    assert await proofs_of(story, tag=tag["url"]) == {"tag_printed"}
    assert (await story.one("SELECT subject FROM audit"))["subject"] == f"tag {tag['id']} of SU-A"


async def test_a_secure_tags_keys_are_shown_once_and_its_taps_check(story: Story) -> None:
    cory = await story.signed_in("cory")
    tag = await made(cory, kind="ntag424")
    keys = TagKeys(bytes.fromhex(tag["keys"]["meta"]), bytes.fromhex(tag["keys"]["file"]))
    e, c = address_parts(keys, Tap(bytes.fromhex("04AABBCCDDEE80"), 7))
    assert await proofs_of(story, tag=f"{tag['url']}?e={e}&c={c}") == {"tag_fresh"}
    assert await proofs_of(story, tag=f"{tag['url']}?e={e}&c={c[:-1]}{'1' if c[-1] == '0' else '0'}") == {
        "tag_forged"
    }
    written = parse_qs(urlsplit(tag["template"]).query)
    assert (len(written["e"][0]), len(written["c"][0])) == (len(e), len(c))
    everything = (await cory.get("/v1/tags")).text + str(await story.all("SELECT * FROM tags"))
    assert tag["keys"]["file"].lower() not in everything.lower()


async def test_keys_that_were_given_are_not_said_again(story: Story) -> None:
    cory = await story.signed_in("cory")
    tag = await made(cory, kind="ntag424", keys=KEYS, uid="04AABBCCDDEE80")
    assert tag["keys"] is None
    keys = TagKeys(bytes.fromhex(KEYS["meta"]), bytes.fromhex(KEYS["file"]))
    e, c = address_parts(keys, Tap(bytes.fromhex("04AABBCCDDEE80"), 1))
    assert await proofs_of(story, tag=f"{tag['url']}?e={e}&c={c}") == {"tag_fresh"}
    e, c = address_parts(keys, Tap(bytes.fromhex("04AABBCCDDEE81"), 2))
    assert await proofs_of(story, tag=f"{tag['url']}?e={e}&c={c}") == {"tag_forged"}, (
        "another tag of these keys"
    )


async def test_a_retired_tag_proves_nothing_and_stays_on_record(story: Story) -> None:
    cory = await story.signed_in("cory")
    tag = await made(cory, kind="nfc")
    path = f"/v1/tags/{tag['id']}/retirement"
    first, again = [await cory.post(path, json={"reason": "moved house"}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 409)
    assert first.json()["retired_at"] is not None
    assert (await cory.get("/v1/tags")).json()["items"] == []
    assert len((await cory.get("/v1/tags?retired=true")).json()["items"]) == 1
    assert await proofs_of(story, tag=tag["url"]) == {"tag_forged"}
    [entry] = await story.all("SELECT reason FROM audit WHERE action = 'tag_retired'")
    assert entry["reason"] == "moved house"


async def test_a_code_cards_secret_is_shown_once_and_its_codes_check(story: Story) -> None:
    cory = await story.signed_in("cory")
    card = await made(cory, "/v1/code-cards", step_seconds=30, digits=8)
    secret = base64.b32decode(card["secret"])
    said = parse_qs(urlsplit(card["otpauth"]).query)
    assert (said["secret"], said["period"], said["digits"]) == ([card["secret"]], ["30"], ["8"])
    assert "Adams" not in card["otpauth"]
    assert card["qr"]["path"] == qr_of(card["otpauth"]).path
    code = code_at(secret, int(NOW.timestamp()) // 30, 30, 8)
    assert await proofs_of(story, code=code, service_user="SU-A") == {"code_valid"}
    [listed] = (await cory.get("/v1/code-cards")).json()["items"]
    assert listed == {name: card[name] for name in listed}
    assert {"secret", "otpauth", "qr"}.isdisjoint(listed)

    path = f"/v1/code-cards/{card['id']}/retirement"
    first, again = [await cory.post(path, json={"reason": "lost"}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 409)
    code = code_at(secret, int(NOW.timestamp()) // 30 + 1, 30, 8)
    assert await proofs_of(story, code=code, service_user="SU-A") == {"code_wrong"}


async def test_homes_say_which_have_nothing_yet(story: Story) -> None:
    cory, ada = await story.signed_in("cory"), await story.signed_in("ada")
    await made(cory, kind="qr")
    await made(cory, "/v1/code-cards")
    mine = (await cory.get("/v1/homes")).json()["items"]
    shown = {"service_user": "SU-A", "short_name": "Ms A.", "area": "North"}
    assert mine == [shown | {"tags": 1, "code_cards": 1, "key_safe": False}]
    first = (await ada.get("/v1/homes?limit=1")).json()
    second = (await ada.get(f"/v1/homes?limit=1&cursor={first['next']}")).json()
    assert [home["service_user"] for home in first["items"] + second["items"]] == ["SU-A", "SU-B"]


@pytest.mark.parametrize(
    ("who", "service_user", "status"),
    [
        ("cory", "SU-A", 201),
        ("max", "SU-A", 201),
        ("ada", "SU-B", 201),
        ("cory", "SU-B", 404),
        ("cory", "nobody", 404),
        ("dana", "SU-A", 403),
        ("fay", "SU-A", 403),
        ("cara", "SU-A", 403),
        ("otto", "SU-A", 403),
    ],
)
async def test_who_may_put_something_into_whose_home(
    story: Story, who: str, service_user: str, status: int
) -> None:
    asking = await story.signed_in(who)
    for path, body in (("/v1/tags", {"kind": "qr"}), ("/v1/code-cards", {})):
        answer = await asking.post(path, json=body | {"service_user": service_user})
        assert answer.status_code == status, answer.text
    if status == 403:
        for path in ("/v1/tags", "/v1/code-cards", "/v1/homes"):
            assert (await asking.get(path)).status_code == 403


async def test_another_providers_homes_are_not_there(story: Story) -> None:
    cory, cleo = await story.signed_in("cory"), await story.signed_in("cleo")
    tag, card = await made(cory, kind="qr"), await made(cory, "/v1/code-cards")
    for path in (f"/v1/tags/{tag['id']}/retirement", f"/v1/code-cards/{card['id']}/retirement"):
        assert (await cleo.post(path, json={"reason": "mischief"})).status_code == 404
    for path in ("/v1/tags", "/v1/code-cards"):
        assert (await cleo.get(path)).json()["items"] == []


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "barcode"},
        {"kind": "qr", "keys": KEYS},
        {"kind": "ntag424", "keys": {"meta": "00", "file": "00"}},
        {"kind": "ntag424", "keys": KEYS | {"master": "0" * 32}},
        {"kind": "ntag424", "uid": "04"},
        {"kind": "qr", "service_user": "\x00"},
        {"kind": "qr", "label": "x" * 61},
        {"kind": "qr", "label": ""},
        {},
    ],
)
async def test_what_makes_no_tag_is_refused(story: Story, said: dict[str, Any]) -> None:
    cory = await story.signed_in("cory")
    assert (await cory.post("/v1/tags", json={"service_user": "SU-A"} | said)).status_code == 422


def test_a_qr_code_is_drawn_as_it_was_made() -> None:
    """Each dark module of the maker's matrix, and no other, lies under the path."""
    import re

    import segno

    text = "https://ecm.example.org/t/K7MP2XQR4TBN"
    drawn = qr_of(text)
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawn.path):
        dark |= {(int(x) + step - 4, int(y) - 4) for step in range(int(width))}
    matrix = [
        list(row) for row in segno.make(text, error="q", micro=False, boost_error=False).matrix_iter(border=0)
    ]
    assert dark == {(x, y) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
    assert drawn.size == len(matrix) + 8


async def test_a_key_safe_is_sealed_and_only_its_being_there_is_shown(story: Story) -> None:
    cory = await story.signed_in("cory")
    answer = await cory.put(
        "/v1/homes/key-safe", json={"service_user": "SU-A", "code": " 4711 behind the meter "}
    )
    assert answer.json() == {"service_user": "SU-A", "key_safe": True}
    [home] = (await cory.get("/v1/homes")).json()["items"]
    assert home["key_safe"] is True

    sealed = (
        await story.one("SELECT sealed_key_safe FROM service_users WHERE tenant_id = 1 AND ref = 'SU-A'")
    )[0]
    assert b"4711" not in sealed
    services: Services = story.app.state.services
    assert services.sealer.open(sealed, key_safe_of(1, "SU-A")) == b"4711 behind the meter"
    entry = await story.one("SELECT * FROM audit WHERE action = 'key_safe_set'")
    assert entry["subject"] == "home of SU-A"
    assert "4711" not in str(dict(entry))


async def test_a_key_safe_that_is_gone_is_taken_away(story: Story) -> None:
    cory = await story.signed_in("cory")
    for code, known in (("4711", True), (None, False)):
        answer = await cory.put("/v1/homes/key-safe", json={"service_user": "SU-A", "code": code})
        assert answer.json()["key_safe"] is known
    assert (
        await story.one("SELECT sealed_key_safe FROM service_users WHERE tenant_id = 1 AND ref = 'SU-A'")
    )[0] is None


@pytest.mark.parametrize(
    ("who", "said", "status"),
    [
        ("cory", {"service_user": "SU-B", "code": "1"}, 404),
        ("cory", {"service_user": "SU-A", "code": " "}, 422),
        ("cory", {"service_user": "SU-A"}, 422),
        ("cory", {"service_user": "SU-A", "code": "1" * 201}, 422),
        ("fay", {"service_user": "SU-A", "code": "1"}, 403),
        ("otto", {"service_user": "SU-A", "code": "1"}, 403),
    ],
)
async def test_nobody_else_sets_a_key_safe(story: Story, who: str, said: dict[str, Any], status: int) -> None:
    browser = await story.signed_in(who)
    assert (await browser.put("/v1/homes/key-safe", json=said)).status_code == status
    assert await story.all("SELECT 1 FROM service_users WHERE sealed_key_safe IS NOT NULL") == []
