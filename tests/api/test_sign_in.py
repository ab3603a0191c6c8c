"""Coming in and going out, and what keeps others from doing it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import httpx
import pytest
from argon2 import PasswordHasher

from ecm.doors import SESSION_COOKIE, digest
from ecm.errors import DatabaseAway
from ecm.passwords import hash_password, is_outdated, password_fits
from ecm.throttle import Slowing
from tests.api.conftest import ORIGIN, PASSWORD, Story

DANA = {"email": "dana@example.org", "password": PASSWORD}
ELSEWHERE = "https://elsewhere.example"


async def test_dana_signs_in_sees_who_she_is_and_signs_out(story: Story) -> None:
    browser = story.at_the_door()
    answer = await browser.post("/v1/session", json=DANA | {"email": "Dana@Example.org"})
    assert answer.status_code == 201
    assert answer.json()["name"] == "Dana Duty"
    assert answer.json()["lands_on"] == "/board"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"

    me = (await browser.get("/v1/me")).json()
    assert me["role"] == "duty_officer"
    assert me["tenant"]["name"] == "Example Borough"
    assert "amend_visit" in me["may"]
    assert "manage_keys" not in me["may"]

    token = browser.cookies[SESSION_COOKIE]
    assert (await browser.delete("/v1/session")).status_code == 204
    again = story.at_the_door()
    again.cookies.set(SESSION_COOKIE, token)
    assert (await again.get("/v1/me")).status_code == 401
    entries = await story.all("SELECT action, origin FROM audit ORDER BY audit_id")
    assert [tuple(entry) for entry in entries] == [("signed_in", "127.0.0.1"), ("signed_out", "127.0.0.1")]


async def test_over_https_the_cookie_is_for_https_only(story: Story) -> None:
    transport = httpx.ASGITransport(story.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://ecm.test") as browser:
        answer = await browser.post("/v1/session", json=DANA)
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_the_database_holds_no_token_that_would_open_the_door(story: Story) -> None:
    browser = story.at_the_door()
    await browser.post("/v1/session", json=DANA)
    token = browser.cookies[SESSION_COOKIE]
    row = await story.one("SELECT * FROM sessions")
    assert row["token_sha256"] == digest(token)
    assert token.encode() not in row["token_sha256"]


async def test_a_wrong_password_and_an_unknown_email_are_refused_in_the_same_words(story: Story) -> None:
    browser = story.at_the_door()
    wrong = await browser.post("/v1/session", json=DANA | {"password": "wrong"})
    unknown = await browser.post("/v1/session", json=DANA | {"email": "nobody@example.org"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in wrong.headers
    account_id = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))[0]
    failures = await story.all("SELECT subject, reason FROM audit WHERE action = 'sign_in_failed'")
    assert [tuple(row) for row in failures] == [(f"account {account_id} Dana Duty", "by password")]


async def test_a_disabled_account_cannot_sign_in_and_its_session_ends(story: Story) -> None:
    browser = await story.signed_in("dana")
    await story.run("UPDATE accounts SET disabled_at = now() WHERE name = 'Dana Duty'")
    assert (await browser.get("/v1/me")).status_code == 401
    assert (await story.at_the_door().post("/v1/session", json=DANA)).status_code == 401


async def test_an_expired_session_is_no_session(story: Story) -> None:
    browser = await story.signed_in("dana")
    assert (await browser.get("/v1/me")).status_code == 200
    await story.run("UPDATE sessions SET expires_at = $1", datetime.now(UTC))
    answer = await browser.get("/v1/me")
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/not-signed-in"


async def test_signing_in_again_sweeps_what_has_expired(story: Story) -> None:
    await story.signed_in("dana")
    await story.run("UPDATE sessions SET expires_at = now() - interval '1 minute'")
    await story.at_the_door().post("/v1/session", json=DANA)
    assert (await story.one("SELECT count(*) FROM sessions"))[0] == 1


async def test_a_revoked_key_and_a_made_up_key_open_nothing(story: Story) -> None:
    system = await story.with_key("read")
    assert (await system.get("/v1/me")).json()["kind"] == "key"
    await story.run("UPDATE api_keys SET revoked_at = now()")
    assert (await system.get("/v1/me")).status_code == 401
    assert (await story.at_the_door(Authorization="Bearer ecm_made-up").get("/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 200),
        ({"Origin": ELSEWHERE}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ORIGIN + ".elsewhere.example"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": ELSEWHERE, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
async def test_a_foreign_page_cannot_use_danas_cookie(
    story: Story, headers: dict[str, str], status: int
) -> None:
    browser = await story.signed_in("dana")
    answer = await browser.post("/v1/alerts/1/acknowledgement", headers=headers)
    assert answer.status_code == status
    assert (await story.one("SELECT count(*) FROM alert_actions"))[0] == (status == 200)


async def test_a_request_that_says_nothing_of_its_page_cannot_use_a_cookie(story: Story) -> None:
    browser = await story.signed_in("dana")
    del browser.headers["Origin"]
    assert (await browser.post("/v1/alerts/1/acknowledgement")).status_code == 403
    assert (await browser.get("/v1/me")).status_code == 200


async def test_a_foreign_page_cannot_sign_a_browser_in_as_somebody_else(story: Story) -> None:
    browser = story.at_the_door(Origin=ELSEWHERE)
    assert (await browser.post("/v1/session", json=DANA)).status_code == 403
    form = await browser.post("/sign-in", data=DANA)
    assert form.headers["location"] == "/?sign_in=failed"
    assert "set-cookie" not in form.headers


async def test_a_script_with_a_password_needs_no_page(story: Story) -> None:
    browser = story.at_the_door()
    del browser.headers["Origin"]
    assert (await browser.post("/v1/session", json=DANA)).status_code == 201


@pytest.mark.parametrize(
    ("who", "lands_on"),
    [("dana", "/board"), ("fay", "/actuals"), ("quin", "/board"), ("ada", "/board")],
)
async def test_the_form_leads_each_role_to_its_page(story: Story, who: str, lands_on: str) -> None:
    answer = await story.at_the_door().post(
        "/sign-in", data={"email": f"{who}@example.org", "password": PASSWORD}
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == lands_on
    assert SESSION_COOKIE in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("/visits/4711?x=1", "/visits/4711?x=1"),
        ("/board?from=09:15&who=a@b,c~d'(e)", "/board?from=09:15&who=a@b,c~d'(e)"),
        ("/", "/board"),
        ("//elsewhere.example", "/board"),
        ("/\\elsewhere.example", "/board"),
        ("https://elsewhere.example", "/board"),
        ("/a\r\nb", "/board"),
    ],
)
async def test_the_form_leads_back_to_our_pages_only(story: Story, asked: str, goes_to: str) -> None:
    answer = await story.at_the_door().post("/sign-in", data=DANA | {"next": asked})
    assert answer.headers["location"] == goes_to


async def test_the_form_says_failed_and_the_way_out_always_works(story: Story) -> None:
    browser = story.at_the_door()
    failed = await browser.post("/sign-in", data=DANA | {"password": "wrong"})
    assert failed.headers["location"] == "/?sign_in=failed"
    assert (await browser.post("/sign-in", data={})).headers["location"] == "/?sign_in=failed"
    unstorable = await browser.post("/sign-in", data=DANA | {"email": "dana" + chr(0) + "@example.org"})
    assert unstorable.headers["location"] == "/?sign_in=failed"
    out = await browser.post("/sign-out")
    assert out.status_code == 303
    assert out.headers["location"] == "/"


async def test_guessing_is_slowed_and_dana_is_not_locked_out_elsewhere(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.api.sign_in.monotonic", lambda: 1_000.0)
    guesser = story.at_the_door()
    statuses = [
        (await guesser.post("/v1/session", json=DANA | {"password": f"guess {n}"})).status_code
        for n in range(7)
    ]
    assert statuses == [401, 401, 401, 401, 401, 429, 429]
    refused = await guesser.post("/v1/session", json=DANA)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    form = await guesser.post("/sign-in", data=DANA)
    assert form.headers["location"] == "/?sign_in=wait&seconds=1"

    elsewhere = httpx.ASGITransport(story.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url=ORIGIN) as browser:
        assert (await browser.post("/v1/session", json=DANA)).status_code == 201


async def test_fifty_guesses_at_the_same_moment_are_five(story: Story) -> None:
    guesser = story.at_the_door()
    answers = await asyncio.gather(
        *(guesser.post("/v1/session", json=DANA | {"password": f"guess {n}"}) for n in range(50))
    )
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 45}


async def test_a_try_that_nobody_could_look_at_is_no_guess(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr("ecm.api.sign_in._accounts", AsyncMock(side_effect=DatabaseAway))
        statuses = {(await story.at_the_door().post("/v1/session", json=DANA)).status_code for _ in range(10)}
    assert statuses == {503}
    assert (await story.at_the_door().post("/v1/session", json=DANA)).status_code == 201


async def test_a_weaker_hash_is_made_again_at_the_next_sign_in(story: Story) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert is_outdated(weak)
    await story.run("UPDATE accounts SET password_hash = $1 WHERE name = 'Dana Duty'", weak)
    assert (await story.at_the_door().post("/v1/session", json=DANA)).status_code == 201
    stored = (await story.one("SELECT password_hash FROM accounts WHERE name = 'Dana Duty'"))[0]
    assert not is_outdated(stored)
    assert await password_fits(PASSWORD, stored)


async def test_the_same_email_in_two_authorities_opens_the_one_its_password_fits(story: Story) -> None:
    await story.run(
        "INSERT INTO accounts (tenant_id, email, name, role, password_hash)"
        " VALUES (2, 'dana@example.org', 'Dana Too', 'auditor', $1)",
        await hash_password("another-made-up-one"),
    )
    ours = await story.at_the_door().post("/v1/session", json=DANA)
    theirs = await story.at_the_door().post("/v1/session", json=DANA | {"password": "another-made-up-one"})
    assert (ours.json()["name"], theirs.json()["name"]) == ("Dana Duty", "Dana Too")


async def test_signing_in_again_ends_what_the_browser_had(story: Story) -> None:
    browser = story.at_the_door()
    await browser.post("/v1/session", json=DANA)
    copied = browser.cookies[SESSION_COOKIE]
    assert (await browser.post("/v1/session", json=DANA)).status_code == 201
    assert browser.cookies[SESSION_COOKIE] != copied
    thief = story.at_the_door()
    thief.cookies.set(SESSION_COOKIE, copied)
    assert (await thief.get("/v1/me")).status_code == 401
    assert (await browser.get("/v1/me")).status_code == 200


async def test_behind_a_proxy_that_ends_tls_the_cookie_is_for_https_only_too(story: Story) -> None:
    story.app.state.services.settings.public_url = "https://ecm.example.org"
    answer = await story.at_the_door().post("/v1/session", json=DANA)
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_an_office_of_a_hundred_signs_in_rightly_and_nobody_waits(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.throttle.OF_ADDRESS", Slowing(free=3, first_s=60, longest_s=60))
    for _ in range(6):
        assert (await story.at_the_door().post("/v1/session", json=DANA)).status_code == 201
