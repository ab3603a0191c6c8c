"""A passkey opens the door to whoever holds it, at our page, now; and nothing else about it does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from ecm.identity.passkeys import RelyingParty
from tests.api.conftest import Story
from tests.identity.authenticator import Authenticator, other_challenge
from tests.identity.conftest import a_browser, a_device, by_passkey, signed_in, stepped_up, with_passkey


async def test_dana_adds_a_passkey_and_signs_in_by_it_without_saying_who_she_is(story: Story) -> None:
    device = a_device()
    await with_passkey(await signed_in(story), device, "Dana's laptop")
    browser = a_browser(story)
    answer = await by_passkey(browser, device)
    assert answer.status_code == 201
    assert answer.json()["name"] == "Dana Duty"
    assert answer.json()["lands_on"] == "/board"
    assert "__Host-ecm_session=" in answer.headers["set-cookie"]
    assert "; Secure" in answer.headers["set-cookie"]
    me = (await browser.get("/v1/me")).json()
    assert (me["signed_in_by"], me["limited"]) == ("passkey", False)
    (listed,) = (await browser.get("/v1/me/passkeys")).json()["items"]
    assert listed["name"] == "Dana's laptop"
    assert listed["used_at"] is not None
    entries = await story.all("SELECT action FROM audit ORDER BY audit_id")
    assert [row["action"] for row in entries] == ["signed_in", "passkey_added", "signed_in"]


LIES: dict[str, dict[str, Any]] = {
    "another site's page": {"origin": "https://ecm.test.elsewhere.example"},
    "our page unencrypted": {"origin": "http://ecm.test"},
    "a passkey for another site": {"rp_id": "elsewhere.example"},
    "another challenge": {"challenge": other_challenge()},
    "a registration's words": {"type": "webauthn.create"},
    "nobody verified": {"verified": False},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "somebody else's handle": {"user_handle": bytes_to_base64url(uuid4().bytes)},
    "a handle that is none": {"user_handle": 7},
    "a count that stands still": {"count": 3},
    "a count that goes back": {"count": 1},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_proof_with_anything_wrong_is_refused_in_the_same_words(story: Story, lie: str) -> None:
    device = a_device(count=None)
    await with_passkey(await signed_in(story), device)
    device.count = 3
    assert (await by_passkey(a_browser(story), device, count=3)).status_code == 201
    answer = await by_passkey(a_browser(story), device, **LIES[lie])
    assert answer.status_code == 401
    assert answer.json()["detail"] == "That did not sign you in. Try again, or sign in another way."
    assert "set-cookie" not in answer.headers
    (entry,) = await story.all("SELECT * FROM audit WHERE actor = 'nobody'")
    told = "passkey_count_went_back" if "count" in lie else "sign_in_failed"
    assert (entry["action"], entry["origin"]) == (told, "127.0.0.1")
    assert entry["subject"].endswith("Dana Duty")
    assert (await by_passkey(a_browser(story), device, count=9)).status_code == 201, "she herself comes in"


async def test_an_authenticator_that_keeps_no_count_is_never_a_copy(story: Story) -> None:
    device = a_device(count=None)
    await with_passkey(await signed_in(story), device)
    assert [(await by_passkey(a_browser(story), device)).status_code for _ in range(3)] == [201, 201, 201]


async def test_an_answer_that_was_overheard_opens_nothing(story: Story) -> None:
    device = a_device()
    await with_passkey(await signed_in(story), device)
    browser, thief = a_browser(story), a_browser(story, "192.0.2.7")
    said = (await browser.post("/v1/session/passkey-options")).json()
    asked = {"opening": said["opening"], "credential": device.get(said["options"])}
    assert (await browser.post("/v1/session/passkey", json=asked)).status_code == 201
    assert (await thief.post("/v1/session/passkey", json=asked)).status_code == 401
    fresh = (await thief.post("/v1/session/passkey-options")).json()["opening"]
    assert (await thief.post("/v1/session/passkey", json=asked | {"opening": fresh})).status_code == 401


async def test_a_passkey_of_nobody_and_rubbish_are_refused_alike(story: Story) -> None:
    browser = a_browser(story)
    assert (await by_passkey(browser, a_device())).status_code == 401
    for rubbish in ({}, {"rawId": 7}, {"rawId": "!"}, {"rawId": "AA", "response": None}):
        opening = (await browser.post("/v1/session/passkey-options")).json()["opening"]
        answer = await browser.post("/v1/session/passkey", json={"opening": opening, "credential": rubbish})
        assert answer.status_code == 401


@pytest.mark.parametrize("lie", ["origin", "rp_id", "challenge", "verified"])
async def test_a_new_passkey_with_anything_wrong_is_not_kept(story: Story, lie: str) -> None:
    browser, device = await signed_in(story), a_device()
    said = (await browser.post("/v1/me/passkeys/options")).json()
    lies = {
        "origin": "https://elsewhere.example",
        "rp_id": "x.test",
        "challenge": other_challenge(),
        "verified": False,
    }
    asked = {
        "opening": said["opening"],
        "name": "x",
        "credential": device.create(said["options"], **{lie: lies[lie]}),
    }
    assert (await browser.post("/v1/me/passkeys", json=asked)).status_code == 409
    assert await story.all("SELECT * FROM passkeys") == []


async def test_a_passkey_begun_by_dana_is_not_kept_for_eve(story: Story) -> None:
    dana, eve, device = await signed_in(story), await signed_in(story, "eve"), a_device()
    said = (await dana.post("/v1/me/passkeys/options")).json()
    asked = {"opening": said["opening"], "credential": device.create(said["options"]), "name": "x"}
    assert (await eve.post("/v1/me/passkeys", json=asked)).status_code == 409
    assert (await dana.post("/v1/me/passkeys", json=asked)).status_code == 409, "and it was used up"


async def test_the_same_passkey_is_not_kept_twice(story: Story) -> None:
    dana, eve, device = await signed_in(story), await signed_in(story, "eve"), a_device()
    await with_passkey(dana, device)
    said = (await eve.post("/v1/me/passkeys/options")).json()
    asked = {"opening": said["opening"], "credential": device.create(said["options"]), "name": "mine too"}
    assert (await eve.post("/v1/me/passkeys", json=asked)).status_code == 409


async def test_a_removed_passkey_opens_nothing_and_the_last_one_stays(story: Story) -> None:
    browser, first, second = await signed_in(story), a_device(), a_device()
    old = await with_passkey(browser, first)
    refused = await browser.post("/v1/me/passkeys/options")
    assert refused.json()["type"] == "/problems/step-up-needed", "a browser left open gives nobody a way in"
    assert (await stepped_up(browser, first)).status_code == 204
    assert (await browser.delete(f"/v1/me/passkeys/{old}")).status_code == 409
    await with_passkey(browser, second, "phone")
    assert (await browser.delete(f"/v1/me/passkeys/{old}")).status_code == 204
    assert (await browser.delete(f"/v1/me/passkeys/{old}")).status_code == 404
    assert (await by_passkey(a_browser(story), first)).status_code == 401
    assert (await by_passkey(a_browser(story), second)).status_code == 201
    (left,) = (await browser.get("/v1/me/passkeys")).json()["items"]
    assert left["name"] == "phone"


async def test_one_cannot_touch_anothers_passkey(story: Story) -> None:
    device = a_device()
    danas = await with_passkey(await signed_in(story), device)
    eve = await signed_in(story, "eve")
    assert (await eve.delete(f"/v1/me/passkeys/{danas}")).status_code == 404
    assert (await eve.get("/v1/me/passkeys")).json() == {"items": []}
    assert (await by_passkey(a_browser(story), device)).status_code == 201


async def test_a_disabled_accounts_passkey_opens_nothing(story: Story) -> None:
    device = a_device()
    await with_passkey(await signed_in(story), device)
    for kept_out in ("disabled_at = now()", "disabled_at = NULL, left_at = now()"):
        await story.run(f"UPDATE accounts SET {kept_out} WHERE name = 'Dana Duty'")
        assert (await by_passkey(a_browser(story), device)).status_code == 401
    await story.run("UPDATE accounts SET left_at = NULL")
    assert (await by_passkey(a_browser(story), device)).status_code == 201


async def test_a_foreign_page_cannot_sign_a_browser_in(story: Story) -> None:
    device = a_device()
    await with_passkey(await signed_in(story), device)
    browser = a_browser(story, Origin="https://elsewhere.example")
    assert (await by_passkey(browser, device)).status_code == 403


@pytest.mark.parametrize(
    ("public_url", "host", "origin"),
    [
        ("https://ecm.example.org", "anything", "https://ecm.example.org"),
        ("https://ecm.example.org:8443/", "anything", "https://ecm.example.org:8443"),
        ("https://ECM.example.org:443", "anything", "https://ecm.example.org"),
        ("http://ecm.example.org", "localhost", None),
        ("http://localhost:8000", "anything", "http://localhost:8000"),
        (None, "localhost:8000", "http://localhost:8000"),
        (None, "localhost", "http://localhost"),
        (None, "127.0.0.1:8000", None),
        (None, "ecm.example.org", None),
        (None, "localhost.elsewhere.example", None),
        (None, "localhost:port", None),
        (None, "", None),
    ],
)
def test_the_site_is_what_the_service_is_known_as_or_this_machine(
    public_url: str | None, host: str, origin: str | None
) -> None:
    found = RelyingParty.of(public_url, host)
    assert (found and found.origin) == origin


async def test_where_a_browser_takes_no_passkeys_the_service_says_so(story: Story) -> None:
    story.app.state.services.settings.public_url = None
    answer = await a_browser(story).post("/v1/session/passkey-options")
    assert answer.status_code == 409
    assert "http://localhost" in answer.json()["detail"]


def test_a_device_of_the_tests_tells_no_truth_it_is_not_asked_for() -> None:
    """The lies above are lies: what they change is what is sent."""
    device = Authenticator("https://ecm.test", "ecm.test")
    options = {"challenge": other_challenge()}
    honest, lying = device.get(options), device.get(options, origin="https://elsewhere.example")
    assert honest["response"]["clientDataJSON"] != lying["response"]["clientDataJSON"]
