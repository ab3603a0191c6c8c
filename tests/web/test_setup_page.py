"""The first run, in a real browser: from the code the machine showed to an administrator who can let others in."""

from __future__ import annotations

import os
import re

import pyotp
import pytest
from playwright.async_api import Page, expect

from ecm import setup_codes
from tests.board.stage import Stage
from tests.web.test_every_page import AXE, PHONE, RUN_AXE, TOO_WIDE, VIEWS
from tests.web.test_signing_in import a_device

PASSWORD = "tidy-lamp-river-9"


@pytest.fixture
async def fresh(stage: Stage) -> Stage:
    """A service in which nobody has ever administered anything."""
    await stage.owner.execute("DELETE FROM accounts WHERE role = 'administrator'")
    return stage


async def code_for(stage: Stage) -> str:
    return await setup_codes.new_code(stage.app.state.services.web)


def at_localhost(stage: Stage, path: str) -> str:
    return f"http://localhost:{stage.port}{path}"


async def looks_right(page: Page, picture, name: str) -> None:
    """At every size, by day and by night: nothing too wide, nothing axe finds, and a picture of it."""
    faults = []
    await page.evaluate(AXE)
    for view, (width, height), scheme, with_axe in VIEWS:
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(120)
        faults += await page.evaluate(TOO_WIDE) + (await page.evaluate(RUN_AXE) if with_axe else [])
        if not os.environ.get("CI"):
            await picture(page, f"{name}-{view}-{scheme}", full_page=view == "phone")
    assert faults == []


async def who_they_are(page: Page) -> None:
    await page.get_by_label("What is the authority called?").fill("Made-up Shire")
    await page.get_by_label("Your name").fill("Ada First")
    await page.get_by_label("Your e-mail address").fill("first@example.org")
    await page.keyboard.press("Enter")


async def keep_the_codes(page: Page) -> list[str]:
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = await page.locator(".codes li").all_inner_texts()
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_role("alert")).to_contain_text("Keep the codes first")
    await page.get_by_label("I have them").check()
    await page.get_by_role("button", name="Begin").click()
    await page.wait_for_url("**/settings")
    return codes


async def test_every_page_leads_to_the_set_up_until_somebody_administers(fresh: Stage, open_page) -> None:
    page = await open_page(fresh, "/", who=None)
    for path in ("/", "/board", "/actuals", "/settings/people", "/visits/1", "/me"):
        await page.goto(path)
        await expect(page).to_have_url(re.compile("/setup$"))
    for path, status in (("/healthz", 200), ("/app", 200)):
        answer = await page.request.get(path, max_redirects=0)
        assert answer.status == status
    await page.goto("/setup")
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_label("E-mail address")).to_be_visible(), "who has an account is not shut out"
    dana = await open_page(fresh, "/board", who="dana")
    await expect(dana.get_by_text("Dana Duty").first).to_be_visible()


async def test_set_up_with_a_passkey_and_come_in_again(fresh: Stage, open_page, picture) -> None:
    code = await code_for(fresh)
    asked: list[str] = []
    page = await open_page(fresh, "/app", who=None)
    await a_device(page)
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    await page.goto(at_localhost(fresh, f"/setup#{code}"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who you are")
    assert not any(code in said for said in asked), "in no address that a log could keep"
    assert code not in page.url
    await looks_right(page, picture, "setup-who")
    await who_they_are(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("How you sign in")
    await looks_right(page, picture, "setup-how")
    await page.get_by_role("button", name="Make a passkey").click()
    await page.wait_for_url("**/settings")
    await expect(page.get_by_role("heading", level=1)).to_have_text("What needs doing")
    await expect(page.get_by_text("There is only one administrator")).to_be_visible()
    await page.goto(at_localhost(fresh, "/setup"))
    await expect(page).to_have_url(re.compile("/board$")), "it is over, for good"
    kept = await fresh.owner.fetchrow(
        "SELECT name, role, password_hash FROM accounts WHERE email LIKE 'first@%'"
    )
    assert tuple(kept) == ("Ada First", "administrator", None)


async def test_set_up_with_a_password_and_an_app_on_a_phone_by_keyboard(
    fresh: Stage, open_page, picture
) -> None:
    code = await code_for(fresh)
    page = await open_page(fresh, "/setup", who=None, size=PHONE)
    await expect(page.get_by_label("The code")).to_be_focused()
    await looks_right(page, picture, "setup")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Write the code")
    await page.keyboard.type("GUESSED12345")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not known, was used, or has run out")
    await page.get_by_label("The code").fill(f"{code[:4]}-{code[4:8]}-{code[8:]}".lower())
    await page.keyboard.press("Enter")
    await who_they_are(page)
    await expect(page.get_by_text("Passkeys need the service to be opened by https")).to_be_visible()
    await page.get_by_label("Password", exact=True).fill("passwordpassword")
    await page.get_by_label("Password again").fill("passwordpassword")
    await page.keyboard.press("Enter")
    await finish_with_app(page)
    await expect(page.get_by_role("alert")).to_contain_text("again and again")
    await page.get_by_role("button", name="Back to the password").click()
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password again").fill(PASSWORD + "x")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not the same")
    await page.get_by_label("Password again").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    await looks_right(page, picture, "setup-app")
    await finish_with_app(page)
    await expect(page.locator(".codes li")).to_have_count(10)
    await looks_right(page, picture, "setup-codes")
    assert len(set(await keep_the_codes(page))) == 10
    assert await fresh.owner.fetchval("SELECT name FROM tenants WHERE tenant_id = 1") == "Made-up Shire"


async def finish_with_app(page: Page) -> None:
    secret = (await page.locator(".secret").inner_text()).replace(" ", "")
    await page.get_by_label("The six figures").fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Finish").click()


async def test_somebody_who_was_quicker_is_said(fresh: Stage, open_page) -> None:
    page = await open_page(fresh, f"/setup#{await code_for(fresh)}", who=None)
    await who_they_are(page)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password again").fill(PASSWORD)
    await fresh.owner.execute("UPDATE accounts SET role = 'administrator' WHERE name = 'Dana Duty'")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("has an administrator already")
