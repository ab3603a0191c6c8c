"""A session lasts while somebody is there, reaches as far as how its owner came, and ends at once when it is to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ecm.doors import HOST_COOKIE, SESSION_COOKIE
from ecm.identity.assurance import Standing, Way, proofs, steps_up, to_finish
from tests.api.conftest import ORIGIN, PASSWORD, Story
from tests.identity.conftest import (
    DANA,
    a_browser,
    a_device,
    by_passkey,
    next_code,
    signed_in,
    stepped_up,
    with_code,
    with_passkey,
)

LONG_ENOUGH = "another-long-made-up-phrase"


# ---------------------------------------------------------------------- what each way in is worth


@pytest.mark.parametrize(
    ("way", "temporary", "required", "left"),
    [
        (Way.PASSKEY, True, True, []),
        (Way.OIDC, True, True, []),
        (Way.PASSWORD_TOTP, False, True, []),
        (Way.PASSWORD_TOTP, True, False, ["password"]),
        (Way.PASSWORD, False, False, []),
        (Way.PASSWORD, True, False, ["password"]),
        (Way.PASSWORD, False, True, ["second_way"]),
        (Way.PASSWORD, True, True, ["password", "second_way"]),
        (Way.RECOVERY, False, False, ["second_way"]),
        (Way.RECOVERY, True, False, ["password", "second_way"]),
    ],
)
def test_what_is_left_to_finish_is_read_off_the_table(
    way: Way, temporary: bool, required: bool, left: list[str]
) -> None:
    assert to_finish(way, Standing(temporary, required, False, False)) == left


def test_only_two_proofs_prove_it_again() -> None:
    assert {way for way in Way if steps_up(way)} == {way for way in Way if proofs(way) == 2}


# ---------------------------------------------------------------------- how long


async def test_a_session_ends_when_nobody_was_there_for_an_hour(story: Story) -> None:
    browser = await signed_in(story)
    began = await story.one(
        "SELECT idle_until - seen_at AS idle, expires_at - created_at AS lasts FROM sessions"
    )
    assert (began["idle"], began["lasts"]) == (timedelta(hours=1), timedelta(hours=12))
    await story.run("UPDATE sessions SET idle_until = now()")
    answer = await browser.get("/v1/me")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed-in")


async def test_being_asked_is_being_there_and_is_written_once_a_minute(story: Story) -> None:
    browser = await signed_in(story)
    await browser.get("/v1/me")
    first = await story.one("SELECT seen_at, xmin::text FROM sessions")
    await browser.get("/v1/me")
    assert await story.one("SELECT seen_at, xmin::text FROM sessions") == first
    await story.run(
        "UPDATE sessions SET seen_at = now() - interval '50 min', idle_until = now() + interval '10 min'"
    )
    await browser.get("/v1/me")
    row = await story.one("SELECT idle_until > now() + interval '59 minutes' AS moved FROM sessions")
    assert row["moved"]


async def test_nobodys_presence_outlasts_the_absolute_limit(story: Story) -> None:
    browser = await signed_in(story)
    await story.run("UPDATE sessions SET expires_at = now()")
    assert (await browser.get("/v1/me")).status_code == 401


async def test_what_went_idle_is_swept_at_the_next_sign_in(story: Story) -> None:
    await signed_in(story)
    await story.run("UPDATE sessions SET idle_until = now()")
    await signed_in(story)
    assert (await story.one("SELECT count(*) FROM sessions"))[0] == 1


async def test_whoever_left_is_out_with_the_next_request(story: Story) -> None:
    browser = await signed_in(story)
    await story.run("UPDATE accounts SET left_at = now() WHERE name = 'Dana Duty'")
    assert (await browser.get("/v1/me")).status_code == 401
    assert (await a_browser(story).post("/v1/session", json=DANA)).status_code == 401


# ---------------------------------------------------------------------- the cookie


async def test_over_https_the_cookie_has_a_name_no_other_host_can_set(story: Story) -> None:
    browser = await signed_in(story)
    assert set(browser.cookies) == {HOST_COOKIE}
    (cookie,) = browser.cookies.jar
    assert (cookie.path, cookie.secure, cookie.domain_specified) == ("/", True, False)
    assert (await browser.delete("/v1/session")).status_code == 204
    assert (await browser.get("/v1/me")).status_code == 401


async def test_no_script_and_no_foreign_page_has_the_cookie_and_no_body_the_token(story: Story) -> None:
    browser = a_browser(story)
    answer = await browser.post("/v1/session", json=DANA)
    (cookie,) = browser.cookies.jar
    assert cookie.value not in answer.text
    assert cookie.value not in (await browser.get("/v1/me")).text
    assert cookie.value not in (await browser.get("/v1/me/sessions")).text
    given = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(given)


async def test_a_session_from_before_the_name_changed_still_stands(story: Story) -> None:
    token = (await signed_in(story)).cookies[HOST_COOKIE]
    before = a_browser(story)
    before.cookies.set(SESSION_COOKIE, token)
    assert (await before.get("/v1/me")).status_code == 200
    assert (await before.post("/sign-out")).status_code == 303
    assert (await before.get("/v1/me")).status_code == 401


async def test_a_cookie_planted_by_another_host_is_not_preferred_to_ours(story: Story) -> None:
    eve = (await signed_in(story, "eve")).cookies[HOST_COOKIE]
    dana = await signed_in(story)
    dana.cookies.set(SESSION_COOKIE, eve)
    assert (await dana.get("/v1/me")).json()["name"] == "Dana Duty"


# ---------------------------------------------------------------------- limited


async def test_a_password_that_an_administrator_made_is_only_good_to_make_ones_own(story: Story) -> None:
    ada = await signed_in(story, "ada")
    dana = await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'")
    temporary = (await ada.post(f"/v1/accounts/{dana['account_id']}/password")).json()["password"]
    browser = a_browser(story)
    answer = await browser.post("/v1/session", json=DANA | {"password": temporary})
    assert (answer.status_code, answer.json()["limited"], answer.json()["lands_on"]) == (201, True, "/me")
    assert (await browser.get("/v1/me")).json()["to_finish"] == ["password"]
    for method, path in (("GET", "/v1/visits"), ("POST", "/board/tickets"), ("GET", "/v1/reason-codes")):
        closed = await browser.request(method, path)
        assert (closed.status_code, closed.json()["type"]) == (403, "/problems/finish-setting-up"), path
    changed = await browser.post("/v1/me/password", json={"current": temporary, "new": LONG_ENOUGH})
    assert changed.status_code == 204
    assert (await browser.get("/v1/visits")).status_code == 200
    assert (await browser.get("/v1/me")).json()["limited"] is False
    again = await a_browser(story).post("/v1/session", json=DANA | {"password": LONG_ENOUGH})
    assert again.json()["limited"] is False


async def test_a_password_that_nobody_made_their_own_opens_nothing_after_seven_days(story: Story) -> None:
    ada = await signed_in(story, "ada")
    dana = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))["account_id"]
    made = (await ada.post(f"/v1/accounts/{dana}/password")).json()
    left = datetime.fromisoformat(made["password_until"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    asked = DANA | {"password": made["password"]}
    assert (await a_browser(story).post("/v1/session", json=asked)).status_code == 201
    await story.run("UPDATE accounts SET password_until = now() WHERE name = 'Dana Duty'")
    late = await a_browser(story).post("/v1/session", json=asked)
    wrong = await a_browser(story).post("/v1/session", json=asked | {"password": "another"})
    assert (late.status_code, late.json()) == (401, wrong.json()), "and it says no more than that"
    listed = (await ada.get("/v1/accounts")).json()["items"]
    assert [one["name"] for one in listed if one["password_until"]] == ["Dana Duty"]
    again = (await ada.post(f"/v1/accounts/{dana}/password")).json()
    browser = a_browser(story)
    await browser.post("/v1/session", json=DANA | {"password": again["password"]})
    own = {"current": again["password"], "new": LONG_ENOUGH}
    assert (await browser.post("/v1/me/password", json=own)).status_code == 204
    kept = await story.one("SELECT password_temporary, password_until FROM accounts WHERE name = 'Dana Duty'")
    assert tuple(kept) == (False, None), "one's own is good until one changes it"


async def test_a_limited_session_sees_no_page_but_its_own(story: Story) -> None:
    await story.run("UPDATE accounts SET password_temporary = true WHERE name = 'Dana Duty'")
    browser = a_browser(story)
    form = await browser.post("/sign-in", data=DANA | {"next": "/visits/1"})
    assert form.headers["location"] == "/me"
    for path in ("/", "/board", "/visits/1"):
        page = await browser.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/me"), path
    out = await browser.post("/sign-out")
    assert out.headers["location"] == "/"


async def test_who_knows_a_password_alone_sees_where_its_owner_is_signed_in_and_ends_nothing_there(
    story: Story,
) -> None:
    dana, thief = await signed_in(story), a_browser(story)
    await story.run("UPDATE tenants SET second_way_required = true WHERE tenant_id = 1")
    await thief.post("/v1/session", json=DANA)
    listed = (await thief.get("/v1/me/sessions")).json()["items"]
    assert len(listed) == 2
    for path in ("/v1/me/sessions", *(f"/v1/me/sessions/{one['id']}" for one in listed)):
        refused = await thief.delete(path)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/finish-setting-up"), path
    assert (await dana.get("/v1/visits")).status_code == 200
    assert (await thief.delete("/v1/session")).status_code == 204, "their own they may leave"


async def test_where_two_proofs_are_required_a_password_alone_is_for_setting_up_the_other(
    story: Story,
) -> None:
    await story.run("UPDATE tenants SET second_way_required = true WHERE tenant_id = 1")
    browser = await signed_in(story)
    assert (await browser.get("/v1/me")).json()["to_finish"] == ["second_way"]
    assert (await browser.get("/v1/visits")).status_code == 403
    device = a_device()
    await with_passkey(browser, device)
    assert (await browser.get("/v1/visits")).status_code == 200
    half = await a_browser(story).post("/v1/session", json=DANA)
    assert (half.status_code, half.json()["ways"]) == (202, ["passkey"])
    assert (await by_passkey(a_browser(story), device)).json()["limited"] is False


async def test_once_there_is_a_second_way_nobody_sets_up_another_by_the_password_alone(story: Story) -> None:
    await story.run("UPDATE accounts SET password_temporary = true WHERE name = 'Dana Duty'")
    thief, dana = await signed_in(story), await signed_in(story)
    begun = (await thief.post("/v1/me/passkeys/options")).json()
    await with_passkey(dana, a_device())
    asked = {"opening": begun["opening"], "credential": a_device().create(begun["options"]), "name": "mine"}
    assert (await thief.post("/v1/me/passkeys", json=asked)).status_code == 401
    assert (await dana.get("/v1/me")).json()["to_finish"] == ["password"]


async def test_a_temporary_password_and_a_required_second_way_are_both_finished(story: Story) -> None:
    await story.run("UPDATE tenants SET second_way_required = true WHERE tenant_id = 1")
    await story.run(
        "UPDATE accounts SET password_temporary = true WHERE email IN ('dana@example.org', 'eve@example.org')"
    )
    asked = {"current": PASSWORD, "new": LONG_ENOUGH}
    dana = await signed_in(story)
    await with_code(dana)
    assert (await dana.get("/v1/me")).json()["to_finish"] == ["password"]
    await dana.post("/v1/me/password", json=asked)
    assert (await dana.get("/v1/visits")).status_code == 200
    eve = await signed_in(story, "eve")
    await eve.post("/v1/me/password", json=asked)
    assert (await eve.get("/v1/me")).json()["to_finish"] == ["second_way"]
    await with_passkey(eve, a_device())
    assert (await eve.get("/v1/visits")).status_code == 200


async def test_whoever_resets_a_password_cannot_come_in_past_a_passkey(story: Story) -> None:
    await with_passkey(await signed_in(story), a_device())
    await story.run("UPDATE accounts SET password_temporary = true WHERE name = 'Dana Duty'")
    half = await a_browser(story).post("/v1/session", json=DANA)
    assert (half.status_code, half.json()["ways"]) == (202, ["passkey"])


async def test_the_rules_are_an_administrators_to_set_who_has_proved_it_again(story: Story) -> None:
    ada, device = await signed_in(story, "ada"), a_device()
    assert (await ada.get("/v1/sign-in-rules")).json() == {"second_way_required": False}
    asked = {"second_way_required": True}
    assert (await ada.put("/v1/sign-in-rules", json=asked)).json()["type"] == "/problems/step-up-needed"
    await with_passkey(ada, device)
    await stepped_up(ada, device)
    assert (await ada.put("/v1/sign-in-rules", json=asked)).json() == asked
    dana = await signed_in(story)
    assert (await dana.get("/v1/me")).json()["limited"]
    assert (await story.one("SELECT second_way_required FROM tenants WHERE tenant_id = 2"))[0] is False
    assert await story.all("SELECT FROM audit WHERE action = 'second_way_required'")


async def test_whoever_lost_every_way_in_is_helped_by_an_administrator_who_proves_it_again(
    story: Story,
) -> None:
    dana, lost = await signed_in(story), a_device()
    await with_passkey(dana, lost)
    await story.run("UPDATE sessions SET stepped_up_at = now()")
    await with_code(dana)
    danas = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))["account_id"]
    ada, device = await signed_in(story, "ada"), a_device()
    path = f"/v1/accounts/{danas}/second-ways"
    assert (await ada.delete(path)).json()["type"] == "/problems/step-up-needed"
    await with_passkey(ada, device)
    await stepped_up(ada, device)
    assert (await ada.delete(path)).status_code == 204
    assert (await dana.get("/v1/me")).status_code == 401
    assert (await by_passkey(a_browser(story), lost)).status_code == 401
    assert (await a_browser(story).post("/v1/session", json=DANA)).status_code == 201
    assert (await ada.delete("/v1/accounts/999999/second-ways")).status_code == 404
    adas = (await story.one("SELECT account_id FROM accounts WHERE name = 'Ada Administrator'"))["account_id"]
    assert (await ada.delete(f"/v1/accounts/{adas}/second-ways")).status_code == 409
    assert await story.all("SELECT FROM audit WHERE action = 'second_ways_forgotten'")


# ---------------------------------------------------------------------- proved again


@pytest.fixture
async def week(story: Story) -> str:
    """A payment period that has ended, its lines whole. It is 21 November 2026."""
    await story.run(
        "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, requested_by, run_at)"
        " VALUES (1, '2026-W46', '2026-11-09', '2026-11-15', '2026-11-16Z', 'account 7 Fay Finance', '2026-11-16Z')"
    )
    return "2026-W46"


async def locked(browser: httpx.AsyncClient, week: str) -> httpx.Response:
    return await browser.post(f"/v1/actuals/{week}/lock")


async def test_fred_proves_it_again_and_locks_the_week(story: Story, week: str) -> None:
    fred, device = await signed_in(story, "fred"), a_device()
    none_yet = await fred.post("/v1/session/step-up-options")
    assert none_yet.status_code == 409
    await with_passkey(fred, device)
    assert (await locked(fred, week)).json()["type"] == "/problems/step-up-needed"
    before = fred.cookies[HOST_COOKIE]
    assert (await stepped_up(fred, device)).status_code == 204
    assert fred.cookies[HOST_COOKIE] != before
    thief = a_browser(story)
    thief.cookies.set(HOST_COOKIE, before, domain="ecm.test")
    assert (await thief.get("/v1/me")).status_code == 401, "a copy from before is worth nothing"
    answer = await locked(fred, week)
    assert answer.status_code == 200
    assert answer.json()["locked_at"] == "2026-11-21T09:16:00Z"
    row = await story.one("SELECT locked_by FROM payment_periods")
    assert row["locked_by"].endswith("Fred Approver")
    (entry,) = await story.all("SELECT * FROM audit WHERE action = 'period_locked'")
    assert (entry["subject"], entry["origin"]) == ("period 2026-W46", "127.0.0.1")
    assert (await locked(fred, week)).status_code == 409, "locked already"
    fay = await signed_in(story, "fay")
    assert (await fay.post(f"/v1/actuals/{week}/runs")).status_code == 409


async def test_a_proof_is_good_for_ten_minutes(story: Story, week: str) -> None:
    fred, device = await signed_in(story, "fred"), a_device()
    await with_passkey(fred, device)
    await stepped_up(fred, device)
    await story.run("UPDATE sessions SET stepped_up_at = stepped_up_at - interval '10 min 1 s'")
    assert (await locked(fred, week)).json()["type"] == "/problems/step-up-needed"


async def test_password_and_code_prove_it_and_neither_alone_does(story: Story, week: str) -> None:
    fred = await signed_in(story, "fred")
    app, recovery_codes = await with_code(fred)
    wrong = [
        {"password": PASSWORD, "code": "000000"},
        {"password": "wrong", "code": next_code(app)},
        {"password": PASSWORD, "code": recovery_codes[0]},
    ]
    for asked in wrong:
        answer = await fred.post("/v1/session/step-up", json=asked)
        assert (answer.status_code, answer.json()["detail"]) == (403, "That did not prove it. Try again.")
    right = {"password": PASSWORD, "code": next_code(app)}
    assert (await fred.post("/v1/session/step-up", json=right)).status_code == 204
    assert (await locked(fred, week)).status_code == 200


async def test_somebody_elses_passkey_proves_nothing(story: Story) -> None:
    fred, eve, freds, eves = (
        await signed_in(story, "fred"),
        await signed_in(story, "eve"),
        a_device(),
        a_device(),
    )
    await with_passkey(fred, freds)
    await with_passkey(eve, eves)
    assert (await stepped_up(fred, eves)).status_code == 403
    eves_options = (await eve.post("/v1/session/step-up-options")).json()
    asked = {"opening": eves_options["opening"], "credential": freds.get(eves_options["options"])}
    assert (await fred.post("/v1/session/step-up", json=asked)).status_code == 403


async def test_a_sign_ins_challenge_is_no_step_up(story: Story) -> None:
    fred, device = await signed_in(story, "fred"), a_device()
    await with_passkey(fred, device)
    said = (await fred.post("/v1/session/passkey-options")).json()
    asked = {"opening": said["opening"], "credential": device.get(said["options"])}
    assert (await fred.post("/v1/session/step-up", json=asked)).status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("run_at = NULL", 409),
        ("requested_at = '2026-11-17Z'", 409),
        ("running_since = '2026-11-17Z'", 409),
        ("starts_on = '2026-11-16', ends_on = '2026-11-22'", 409),
        (
            "requested_by = 'account ' || (SELECT account_id FROM accounts WHERE email LIKE 'fred@%') || ' F.'",
            403,
        ),
        ("requested_by = NULL", 200),
    ],
)
async def test_only_a_whole_period_that_somebody_else_asked_for_is_locked(
    story: Story, week: str, change: str, status: int
) -> None:
    fred = await story.signed_in("fred")
    await story.run(f"UPDATE payment_periods SET {change}")
    await story.run("UPDATE sessions SET stepped_up_at = now()")
    assert (await fred.post(f"{ORIGIN}/v1/actuals/{week}/lock")).status_code == status


async def test_only_the_second_person_of_finance_locks(story: Story, week: str) -> None:
    for who in ("fay", "ada", "otto", "max", "dana"):
        browser = await story.signed_in(who)
        await story.run("UPDATE sessions SET stepped_up_at = now()")
        assert (await locked(browser, week)).status_code == 403, who
    fred = await story.signed_in("fred")
    await story.run("UPDATE sessions SET stepped_up_at = now()")
    assert (await locked(fred, "2026-W01")).status_code == 404


# ---------------------------------------------------------------------- ending them


async def test_dana_sees_where_she_is_signed_in_and_ends_it(story: Story) -> None:
    here = await signed_in(story)
    there = a_browser(story, "192.0.2.7", **{"User-Agent": "A browser at home"})
    assert (await there.post("/v1/session", json=DANA)).status_code == 201
    elsewhere = await signed_in(story)
    eve = await signed_in(story, "eve")
    listed = (await here.get("/v1/me/sessions")).json()["items"]
    assert [one["current"] for one in listed].count(True) == 1
    (known,) = [one for one in listed if one["agent"] == "A browser at home"]
    assert (known["origin"], known["signed_in_by"], known["current"]) == ("192.0.2.7", "password", False)
    assert (await eve.delete(f"/v1/me/sessions/{known['id']}")).status_code == 404
    assert (await here.delete(f"/v1/me/sessions/{known['id']}")).status_code == 204
    assert (await there.get("/v1/me")).status_code == 401
    assert (await elsewhere.get("/v1/me")).status_code == 200
    assert (await here.delete("/v1/me/sessions")).status_code == 204
    assert (await elsewhere.get("/v1/me")).status_code == 401
    assert (await here.get("/v1/me")).status_code == 200
    assert (await eve.get("/v1/me")).status_code == 200
    assert datetime.fromisoformat(known["seen_at"]) <= datetime.now(UTC)


async def test_a_key_has_no_ways_in_of_its_own(story: Story) -> None:
    system = await story.with_key("read")
    for path in ("/v1/me/sessions", "/v1/me/passkeys", "/v1/me/second-step"):
        assert (await system.get(path)).status_code == 403
