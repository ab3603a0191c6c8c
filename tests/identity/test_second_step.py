"""A code after the password: right by the standard, used once, guessed slowly, and nobody locked out for good."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import log2

import pyotp
import pytest

from ecm.doors import HOST_HALF_WAY_COOKIE
from ecm.identity import second_step
from tests.api.conftest import PASSWORD, Story
from tests.identity.conftest import (
    DANA,
    a_browser,
    a_device,
    next_code,
    signed_in,
    stepped_up,
    with_code,
    with_passkey,
)

SECRET = b"12345678901234567890"

# RFC 6238, appendix B (SHA-1), its eight digits cut to the six that apps show.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("at", "code"), VECTORS)
def test_the_standards_own_codes_fit(at: int, code: str) -> None:
    assert second_step.fits(SECRET, code, datetime.fromtimestamp(at, UTC), last_step=-1) == at // 30


def test_somebody_elses_authenticator_shows_the_codes_we_take() -> None:
    secret, now = second_step.new_secret(), datetime.now(UTC)
    app = pyotp.TOTP(second_step.in_base32(secret))
    for steps, right in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        step = second_step.fits(secret, app.at(now + timedelta(seconds=30 * steps)), now, last_step=-1)
        assert (step is not None) == right


def test_an_app_reads_our_qr_code_as_we_mean_it() -> None:
    secret = second_step.new_secret()
    read = pyotp.parse_uri(second_step.otpauth_url(secret, "dana@example.org", "Example & Borough"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.name, read.issuer) == ("dana@example.org", "ecm Example & Borough")
    assert read.byte_secret() == secret
    assert (read.digits, read.interval) == (6, 30)


def test_a_step_no_later_than_the_last_is_used_up() -> None:
    now = datetime.fromtimestamp(59, UTC)
    assert second_step.fits(SECRET, "287082", now, last_step=0) == 1
    assert second_step.fits(SECRET, "287082", now, last_step=1) is None


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 0), (4, 0), (5, 15), (6, 30), (7, 60), (11, 900), (1000, 900)]
)
def test_five_wrong_codes_are_free_and_then_each_waits_longer(tries: int, seconds: int) -> None:
    now = datetime.now(UTC)
    left = second_step.wait(tries, now, now)
    assert left == (timedelta(seconds=seconds) if seconds else None)
    assert second_step.wait(tries, now - timedelta(seconds=seconds), now) is None


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    codes = second_step.new_recovery_codes()
    assert len(set(codes)) == 10
    typed = f" {codes[0].upper().replace('-', ' ')}\t"
    assert second_step.recovery_digest(typed) == second_step.recovery_digest(codes[0])
    assert not any(second_step.looks_like_a_code(code) for code in codes)
    assert second_step.looks_like_a_code("123 456")


def test_a_recovery_code_is_long_enough_for_a_plain_digest_to_be_kept() -> None:
    """ASVS 6.5.2: below 112 bits it would have to be a slow and salted one."""
    for code in second_step.new_recovery_codes():
        assert len(code.replace("-", "")) * log2(len(second_step.RECOVERY_ALPHABET)) >= 112


async def test_dana_sets_a_code_up_and_is_asked_for_it_from_then_on(story: Story) -> None:
    app, codes = await with_code(await signed_in(story))
    assert len(codes) == 10
    browser = a_browser(story)
    half = await browser.post("/v1/session", json=DANA)
    assert half.status_code == 202
    assert half.json()["ways"] == ["code", "recovery_code"]
    assert "set-cookie" not in half.headers
    assert (await browser.get("/v1/me")).status_code == 401, "half a sign-in opens nothing"
    opening = half.json()["second_step"]
    whole = await browser.post("/v1/session/second-step", json={"opening": opening, "code": next_code(app)})
    assert whole.status_code == 201
    assert whole.json()["name"] == "Dana Duty"
    assert (await browser.get("/v1/me")).json()["signed_in_by"] == "password_totp"
    assert (await browser.get("/v1/me/second-step")).json()["recovery_codes_left"] == 10


async def test_the_secret_is_nowhere_in_the_database(story: Story) -> None:
    app, codes = await with_code(await signed_in(story))
    row = await story.one("SELECT sealed_secret FROM second_steps")
    assert app.byte_secret() not in row["sealed_secret"]
    kept = await story.all("SELECT code_sha256 FROM recovery_codes")
    assert {row["code_sha256"] for row in kept} == {second_step.recovery_digest(code) for code in codes}


async def test_a_secret_whose_first_code_never_came_asks_for_nothing(story: Story) -> None:
    browser = await signed_in(story)
    said = (await browser.post("/v1/me/second-step")).json()
    wrong = await browser.post(
        "/v1/me/second-step/confirmation", json={"opening": said["opening"], "code": "000000"}
    )
    assert wrong.status_code == 409
    assert (await a_browser(story).post("/v1/session", json=DANA)).status_code == 201
    eve = await signed_in(story, "eve")
    hers = {"opening": said["opening"], "code": pyotp.TOTP(said["secret"]).now()}
    assert (await eve.post("/v1/me/second-step/confirmation", json=hers)).status_code == 409


async def half_way(story: Story, address: str = "127.0.0.1") -> tuple[object, str]:
    browser = a_browser(story, address)
    opening = (await browser.post("/v1/session", json=DANA)).json()["second_step"]
    return browser, opening


async def test_a_code_opens_once(story: Story) -> None:
    app, _ = await with_code(await signed_in(story))
    code = next_code(app)
    for expected in (201, 401):
        browser, opening = await half_way(story)
        answer = await browser.post("/v1/session/second-step", json={"opening": opening, "code": code})
        assert answer.status_code == expected


async def test_the_same_code_twenty_times_at_once_is_one_sign_in(story: Story) -> None:
    app, _ = await with_code(await signed_in(story))
    await story.run("DELETE FROM sessions")
    tries = [await half_way(story) for _ in range(20)]
    code = next_code(app)
    answers = await asyncio.gather(
        *(browser.post("/v1/session/second-step", json={"opening": o, "code": code}) for browser, o in tries)
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] == 1
    assert statuses[201] + statuses[401] + statuses[429] == 20
    assert (await story.one("SELECT count(*) FROM sessions"))[0] == 1


async def test_fifty_guesses_at_the_same_moment_are_five(story: Story) -> None:
    await with_code(await signed_in(story))
    browser, opening = await half_way(story)
    answers = await asyncio.gather(
        *(
            browser.post("/v1/session/second-step", json={"opening": opening, "code": f"{n:06}"})
            for n in range(50)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 45}


async def test_guessing_is_slowed_wherever_from_and_dana_still_comes_in(story: Story) -> None:
    dana = await signed_in(story)
    app, recovery_codes = await with_code(dana)
    for n in range(5):
        browser, opening = await half_way(story, f"192.0.2.{n}")
        guess = await browser.post("/v1/session/second-step", json={"opening": opening, "code": "000000"})
        assert guess.status_code == 401
    browser, opening = await half_way(story, "192.0.2.99")
    right = {"opening": opening, "code": next_code(app)}
    slowed = await browser.post("/v1/session/second-step", json=right)
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["retry-after"]) <= 15
    recovered = await browser.post("/v1/session/second-step", json=right | {"code": recovery_codes[0]})
    assert recovered.status_code == 201, "a recovery code never waits"
    await story.run("UPDATE second_steps SET tried_at = tried_at - interval '15 seconds'")
    browser, opening = await half_way(story)
    again = {"opening": opening, "code": next_code(app)}
    assert (await browser.post("/v1/session/second-step", json=again)).status_code == 201
    row = await story.one("SELECT tries FROM second_steps")
    assert row["tries"] == 0


async def test_a_recovery_code_opens_once_and_only_to_set_up_anew(story: Story) -> None:
    app, codes = await with_code(await signed_in(story))
    browser, opening = await half_way(story)
    answer = await browser.post("/v1/session/second-step", json={"opening": opening, "code": codes[3]})
    assert answer.status_code == 201
    assert (answer.json()["limited"], answer.json()["lands_on"]) == (True, "/me")
    me = (await browser.get("/v1/me")).json()
    assert (me["limited"], me["to_finish"], me["may"]) == (True, ["second_way"], [])
    closed = await browser.get("/v1/visits")
    assert (closed.status_code, closed.json()["type"]) == (403, "/problems/finish-setting-up")
    used, opening = await half_way(story)
    again = await used.post("/v1/session/second-step", json={"opening": opening, "code": codes[3]})
    assert again.status_code == 401

    new_app, new_codes = await with_code(browser)
    assert (await browser.get("/v1/visits")).status_code == 200, "whole again"
    assert not set(new_codes) & set(codes)
    browser, opening = await half_way(story)
    old = {"opening": opening, "code": next_code(app)}
    assert (await browser.post("/v1/session/second-step", json=old)).status_code == 401, "the lost phone"
    new = {"opening": opening, "code": next_code(new_app)}
    assert (await browser.post("/v1/session/second-step", json=new)).status_code == 201
    actions = {row["action"] for row in await story.all("SELECT action FROM audit")}
    assert {"recovery_code_used", "second_step_set_up", "sign_in_failed"} <= actions


async def test_taking_the_code_away_needs_a_fresh_proof_and_another_way_in(story: Story) -> None:
    browser, device = await signed_in(story), a_device()
    app, _ = await with_code(browser)
    refused = await browser.delete("/v1/me/second-step")
    assert refused.json()["type"] == "/problems/step-up-needed"
    proof = {"password": DANA["password"], "code": next_code(app)}
    assert (await browser.post("/v1/session/step-up", json=proof)).status_code == 204
    assert (await browser.delete("/v1/me/second-step")).status_code == 409, "it is the last strong way in"
    await with_passkey(browser, device)
    assert (await browser.delete("/v1/me/second-step")).status_code == 204
    assert (await browser.delete("/v1/me/second-step")).status_code == 404
    assert (await a_browser(story).post("/v1/session", json=DANA)).status_code == 201


async def test_recovery_codes_are_made_again_and_the_old_ones_end(story: Story) -> None:
    browser, device = await signed_in(story), a_device()
    assert (await browser.post("/v1/me/recovery-codes")).status_code == 409, "nothing to recover from"
    await with_passkey(browser, device)
    await stepped_up(browser, device)
    _, old = await with_code(browser)
    new = (await browser.post("/v1/me/recovery-codes")).json()["recovery_codes"]
    assert len(new) == 10
    for code, status in ((old[0], 401), (new[0], 201)):
        stranger, opening = await half_way(story)
        answer = await stranger.post("/v1/session/second-step", json={"opening": opening, "code": code})
        assert answer.status_code == status


async def test_a_secret_sealed_with_another_key_leaves_the_recovery_codes(story: Story) -> None:
    app, codes = await with_code(await signed_in(story))
    await story.run("UPDATE second_steps SET sealed_secret = '\\x00'")
    browser, opening = await half_way(story)
    code = {"opening": opening, "code": next_code(app)}
    assert (await browser.post("/v1/session/second-step", json=code)).status_code == 401
    recovery = {"opening": opening, "code": codes[0]}
    assert (await browser.post("/v1/session/second-step", json=recovery)).status_code == 201


async def test_the_form_asks_for_the_code_without_any_script(story: Story) -> None:
    app, _ = await with_code(await signed_in(story))
    browser = a_browser(story)
    half = await browser.post("/sign-in", data=DANA | {"next": "/visits/1"})
    assert half.status_code == 303
    assert half.headers["location"] == "/sign-in/code?by=code.recovery_code&next=%2Fvisits%2F1"
    (cookie,) = browser.cookies.jar
    assert (cookie.name, cookie.path, cookie.secure) == (HOST_HALF_WAY_COOKIE, "/", True)
    assert (await browser.get("/v1/me")).status_code == 401
    wrong = await browser.post("/sign-in/code", data={"code": "000000", "by": "code", "next": "/visits/1"})
    assert wrong.headers["location"] == "/sign-in/code?sign_in=code&by=code&next=%2Fvisits%2F1"
    right = await browser.post("/sign-in/code", data={"code": next_code(app), "next": "/visits/1"})
    assert right.headers["location"] == "/visits/1"
    assert (await browser.get("/v1/me")).json()["name"] == "Dana Duty"
    assert HOST_HALF_WAY_COOKIE not in browser.cookies
    nowhere = await a_browser(story).post("/sign-in/code", data={"code": "123456"})
    assert "sign_in=code" in nowhere.headers["location"]


async def test_half_a_sign_in_is_good_for_ten_minutes(story: Story) -> None:
    app, _ = await with_code(await signed_in(story))
    browser, opening = await half_way(story)
    await story.run("UPDATE openings SET expires_at = now()")
    late = {"opening": opening, "code": next_code(app)}
    assert (await browser.post("/v1/session/second-step", json=late)).status_code == 401


async def test_whoever_came_half_way_by_a_password_that_was_changed_meanwhile_comes_no_further(
    story: Story,
) -> None:
    dana = await signed_in(story)
    app, codes = await with_code(dana)
    thief = a_browser(story)
    half_way = (await thief.post("/v1/session", json=DANA)).json()["second_step"]
    changed = {"current": PASSWORD, "new": "another-long-made-up-phrase"}
    assert (await dana.post("/v1/me/password", json=changed)).status_code == 204
    for code in (codes[0], app.at(datetime.now(UTC) + timedelta(seconds=30))):
        asked = {"opening": half_way, "code": code}
        assert (await thief.post("/v1/session/second-step", json=asked)).status_code == 401
    left = await story.one("SELECT count(*) FROM recovery_codes WHERE used_at IS NULL")
    assert left[0] == 10, "nothing was used up by it"
