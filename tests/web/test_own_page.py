"""One's own page: a passkey made on this device, a code from an app, sessions ended, and setting up before going on."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.async_api import Page, expect

from ecm.passwords import _hasher
from tests.board.stage import Stage
from tests.web.test_every_page import AXE, PHONE, RUN_AXE, TOO_WIDE
from tests.web.test_signing_in import a_device

PASSWORD = "a-long-made-up-phrase"


@pytest.fixture
async def door(stage: Stage) -> Stage:
    """Dana has a password; passkeys work, because the service is known by a name."""
    stage.url = stage.url.replace("127.0.0.1", "localhost")
    await stage.owner.execute(
        "UPDATE accounts SET password_hash = $1 WHERE name = 'Dana Duty'", _hasher.hash(PASSWORD)
    )
    return stage


async def no_faults(page: Page) -> None:
    await page.evaluate(AXE)
    assert await page.evaluate(TOO_WIDE) + await page.evaluate(RUN_AXE) == []


async def sets_an_app_up(page: Page, button: str = "Set up") -> tuple[pyotp.TOTP, list[str]]:
    await page.get_by_role("button", name=button, exact=True).click()
    await page.get_by_role("button", name="Show the QR code").click()
    asked = page.get_by_role("dialog", name="Scan this with the app")
    app = pyotp.TOTP((await asked.locator(".secret").inner_text()).replace(" ", ""))
    await asked.get_by_label("The six figures").fill("000000" if app.now() != "000000" else "111111")
    await asked.get_by_role("button", name="Finish").click()
    await expect(asked.get_by_role("alert")).to_contain_text("does not fit")
    await no_faults(page)
    await asked.get_by_label("The six figures").fill(app.now())
    await asked.get_by_role("button", name="Finish").click()
    shown = page.get_by_role("dialog", name="Your recovery codes")
    await expect(shown.locator(".codes li")).to_have_count(10)
    codes = await shown.locator(".codes li").all_inner_texts()
    await no_faults(page)
    await page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    await shown.get_by_label("I have them").check()
    await shown.get_by_role("button", name="Close").click()
    return app, codes


async def test_a_passkey_is_made_here_and_the_last_strong_way_in_stays(
    door: Stage, open_page, picture
) -> None:
    page = await open_page(door, "/me", who="dana", size=PHONE)
    await a_device(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dana Duty")
    await page.get_by_role("button", name="Add a passkey").click()
    asked = page.get_by_role("dialog", name="Add a passkey")
    await expect(asked.get_by_label("What do you call it?")).to_have_value(re.compile("Chrome on"))
    await asked.get_by_label("What do you call it?").fill("The desk’s laptop")
    await asked.get_by_role("button", name="Make it").click()
    await expect(page.get_by_text("The desk’s laptop", exact=True)).to_be_visible()
    await expect(page.get_by_text("Only one")).to_be_visible()
    await no_faults(page)
    await picture(page, "me-with-passkey-phone", full_page=True)

    await page.get_by_role("button", name="Remove the passkey The desk’s laptop").click()
    asked = page.get_by_role("dialog", name=re.compile("^Remove the passkey"))
    await expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    await asked.get_by_role("button", name="Remove").click()
    await page.get_by_role("button", name="Use your passkey").click()  # prove again that it is you
    await expect(asked.get_by_role("alert")).to_contain_text("last strong way in")
    await asked.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_text("The desk’s laptop", exact=True)).to_be_visible()


async def test_an_app_is_set_up_and_its_recovery_codes_are_shown_once(door: Stage, open_page) -> None:
    page = await open_page(door, "/me", who="dana")
    _, codes = await sets_an_app_up(page)
    assert len(set(codes)) == 10
    await expect(page.get_by_text("10 recovery codes left")).to_be_visible()
    assert codes[0] not in await page.content()
    await no_faults(page)


async def test_sessions_one_does_not_know_are_ended(door: Stage, open_page) -> None:
    for _ in range(2):
        await door.signed_in("dana")
    page = await open_page(door, "/me", who="dana")
    card = page.get_by_role("region", name="Where you are signed in")
    await expect(card.get_by_role("listitem")).to_have_count(3)
    await expect(card.get_by_role("listitem").first).to_contain_text("Here")
    await card.get_by_role("button", name=re.compile("^End the session")).first.click()
    await page.get_by_role("button", name="End it").click()
    await expect(card.get_by_role("listitem")).to_have_count(2)
    await card.get_by_role("button", name="End all others…").click()
    await page.get_by_role("button", name="End all others", exact=True).click()
    await expect(card.get_by_role("listitem")).to_have_count(1)
    assert await door.owner.fetchval("SELECT count(*) FROM sessions") == 1


async def test_a_password_that_anybody_would_try_is_refused_in_words(door: Stage, open_page) -> None:
    page = await open_page(door, "/me", who="dana")
    card = page.get_by_role("region", name="Password")
    for new, again, said in (
        ("short", "short", "at least 12"),
        ("tidy-lamp-river-9", "tidy-lamp-river-8", "not the same"),
        ("password1234", "password1234", "first that anybody would try"),
        ("tidy-lamp-river-9", "tidy-lamp-river-9", "Changed."),
    ):
        await card.get_by_label("Current password").fill(PASSWORD)
        await card.get_by_label("New password", exact=True).fill(new)
        await card.get_by_label("New password again").fill(again)
        await card.get_by_role("button", name="Change password").click()
        await expect(card.get_by_role("status")).to_contain_text(said)


async def test_whoever_has_not_finished_sees_what_is_left_and_then_goes_on(
    door: Stage, open_page, picture
) -> None:
    await door.signed_in("dana")
    await door.owner.execute("UPDATE tenants SET second_way_required = true")
    page = await open_page(door, "/", who=None)
    await page.get_by_label("E-mail address").fill("dana@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url("**/me")
    await expect(page.get_by_role("region", name="Before you go on")).to_contain_text("Add a passkey")
    await page.goto("/board")
    await page.wait_for_url("**/me")
    await no_faults(page)
    await picture(page, "me-to-finish", full_page=True)
    await expect(page.get_by_role("region", name="What is held about you")).to_have_count(0)
    sessions = page.get_by_role("region", name="Where you are signed in")
    await expect(sessions.get_by_role("listitem")).to_have_count(2)
    await expect(sessions.get_by_role("button")).to_have_count(0)
    await sets_an_app_up(page)
    await page.wait_for_url("**/board")


async def test_what_is_held_is_shown_as_people_say_it_and_once(door: Stage, open_page, picture) -> None:
    page = await open_page(door, "/me", who="dana", size=PHONE)
    card = page.get_by_role("region", name="What is held about you")
    await page.route("**/v1/me/held", lambda route: route.fulfill(status=503, json={"title": "It is away."}))
    await card.get_by_role("button", name="Show what is held").click()
    await expect(card.get_by_role("status")).to_contain_text("It is away.")
    await page.unroute("**/v1/me/held")
    for _ in range(2):
        await card.get_by_role("button", name="Show what is held").click()
        await expect(card.get_by_text("Sessions: 1", exact=True)).to_have_count(1)
    await expect(card.get_by_text("It is away.")).to_have_count(0)
    await card.get_by_text("Account: 1", exact=True).click()
    await expect(card).to_contain_text("dana@example.org")
    await card.get_by_text("Sessions: 1", exact=True).click()
    said = await card.inner_text()
    assert re.search(r"\d\d:\d\d:\d\d", said)
    assert not re.search(r"\d{4}-\d\d-\d\dT", said), "an instant is written as people say it"
    assert not re.search(r"\b(true|false)\b", said)
    await no_faults(page)
    await picture(page, "me-held-phone", full_page=True)
    assert await door.owner.fetchval("SELECT count(*) FROM audit WHERE action = 'own_data_told'") == 2


async def test_a_page_that_cannot_be_read_says_so(door: Stage, open_page) -> None:
    page = await open_page(door, "/board", who="dana")
    await page.route(
        "**/v1/me*", lambda route: route.fulfill(status=503, json={"title": "The database is away."})
    )
    await page.goto("/me")
    await expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    await page.unroute("**/v1/me*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dana Duty")


async def test_how_it_went_at_the_council_is_said_here(door: Stage, open_page) -> None:
    await door.owner.execute(
        "INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts)"
        " VALUES (1, 'https://sign-in.council.example', 'ecm', 'openid', 'groups', false)"
    )
    page = await open_page(door, "/me?council=council_refused", who="dana")
    await expect(page.get_by_role("alert")).to_contain_text("was stopped there")
    await expect(page.get_by_role("region", name="Your council’s own sign-in")).to_contain_text("Not joined")
    await no_faults(page)
    await page.goto("/me?council=joined")
    await expect(page.get_by_role("alert")).to_contain_text("Your account is joined")
    await page.goto("/me?council=made-up")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dana Duty")
    await expect(page.get_by_role("alert")).to_have_count(0)
