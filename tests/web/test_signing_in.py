"""Signing in as people do it: a real browser with a passkey in it, at http://localhost, where browsers take one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from playwright.async_api import CDPSession, Page, expect

from ecm.passwords import _hasher
from tests.board.stage import Stage
from tests.web.conftest import Opening
from tests.web.test_every_page import AXE, RUN_AXE, TOO_WIDE

PASSWORD = "a-long-made-up-phrase"
SIZES = {
    "phone": (390, 844),
    "laptop": (1366, 768),
    "control-room": (1920, 1080),
    "at-200-percent": (683, 384),
}

ENROL = """async () => {
    const {make} = await import(`${document.body.dataset.static}/js/passkeys.js`);
    const {ask} = await import(`${document.body.dataset.static}/js/api.js`);
    const {opening, options} = await ask("POST", "/v1/me/passkeys/options");
    return ask("POST", "/v1/me/passkeys", {opening, credential: await make(options), name: "This laptop"});
}"""
# The device of these tests agrees to whatever it is asked: then what the browser offers is quicker than a hand.
NO_OFFER = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
SET_A_CODE_UP = """async () => {
    const {ask} = await import(`${document.body.dataset.static}/js/api.js`);
    return ask("POST", "/v1/me/second-step");
}"""
CONFIRM = """async (said) => {
    const {ask} = await import(`${document.body.dataset.static}/js/api.js`);
    return ask("POST", "/v1/me/second-step/confirmation", said);
}"""


@pytest.fixture
async def door(stage: Stage) -> Stage:
    """Fred, finance's second person, has a password; last week's lines are whole."""
    stage.url = stage.url.replace("127.0.0.1", "localhost")
    await stage.owner.execute(
        "INSERT INTO accounts (tenant_id, email, name, role, password_hash)"
        " VALUES (1, 'fred@example.org', 'Fred Approver', 'finance_approver', $1)",
        _hasher.hash(PASSWORD),
    )
    await stage.owner.execute(
        "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, requested_by, run_at)"
        " VALUES (1, '2026-W47', '2026-11-16', '2026-11-22', '2026-11-23 04:00Z', 'account 3 F.', '2026-11-23 04:00Z')"
    )
    return stage


async def a_device(page: Page) -> tuple[CDPSession, str]:
    """A fingerprint reader, as far as the browser can tell."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    made = await cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return cdp, made["authenticatorId"]


async def reads_well(page: Page, picture: Any, name: str, sizes: Iterable[str] = tuple(SIZES)) -> None:
    """At each size nothing is wider than the screen and axe finds nothing; a picture is taken for people."""
    await page.evaluate(AXE)
    for size in sizes:
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        faults = await page.evaluate(TOO_WIDE)
        if size in ("phone", "laptop"):
            faults += await page.evaluate(RUN_AXE)
        assert faults == [], f"{name}, {size}"
        if not os.environ.get("CI"):
            await picture(page, f"{name}-{size}", full_page=size != "control-room")


async def by_password(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("E-mail address").fill("fred@example.org")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def sign_out(page: Page) -> None:
    await page.locator("details.menu summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_fred_enrols_a_passkey_signs_in_by_it_proves_it_again_and_locks_the_week(
    door: Stage, open_page: Opening, picture: Any
) -> None:
    page = await open_page(door, "/?next=/actuals%3Fperiod%3D2026-W47", who=None)
    await page.add_init_script(NO_OFFER)
    await a_device(page)
    await by_password(page)
    await page.wait_for_url("**/actuals?period=2026-W47")
    made = await page.evaluate(ENROL)
    assert made["name"] == "This laptop"

    await sign_out(page)
    await page.goto("/?next=/actuals%3Fperiod%3D2026-W47")
    button = page.get_by_role("button", name="Sign in with a passkey")
    await button.click()
    await page.wait_for_url("**/actuals?period=2026-W47")

    await page.get_by_role("button", name="Lock this period").click()
    asked = page.get_by_role("dialog", name="Lock 2026-W47?")
    await expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    await reads_well(page, picture, "lock", sizes=("laptop", "phone"))
    await asked.get_by_role("button", name="Lock it").click()
    await expect(page.get_by_role("heading", name="Prove again that it is you")).to_be_visible()
    await reads_well(page, picture, "step-up", sizes=("laptop", "phone"))
    await page.get_by_role("button", name="Use your passkey").click()
    await expect(page.get_by_text("Locked", exact=True)).to_be_visible()
    row = await door.owner.fetchrow(
        "SELECT locked_at, locked_by FROM payment_periods WHERE period = '2026-W47'"
    )
    assert row["locked_by"].endswith("Fred Approver")
    ways = await door.owner.fetch("SELECT action, reason FROM audit ORDER BY audit_id")
    assert [tuple(way) for way in ways] == [
        ("signed_in", "by password"),
        ("passkey_added", None),
        ("signed_out", None),
        ("signed_in", "by a passkey"),
        ("stepped_up", "by a passkey"),
        ("period_locked", None),
    ]


async def test_the_browser_offers_the_passkey_itself_and_whoever_turns_back_has_locked_nothing(
    door: Stage, open_page: Opening
) -> None:
    page = await open_page(door, "/", who=None)
    await a_device(page)
    await by_password(page)
    await page.wait_for_url("**/actuals*")
    await page.evaluate(ENROL)
    await page.locator("details.menu summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/actuals*")  # by the browser's own offer: nothing was pressed
    await page.goto("/actuals?period=2026-W47")
    await page.get_by_role("button", name="Lock this period").click()
    await page.get_by_role("button", name="Lock it").click()
    await page.get_by_role("button", name="Turn back").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    assert await door.owner.fetchval("SELECT locked_at FROM payment_periods") is None


async def test_password_and_code_step_by_step(door: Stage, open_page: Opening, picture: Any) -> None:
    page = await open_page(door, "/", who=None)
    await by_password(page, "wrong")
    await expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    await by_password(page)
    await page.wait_for_url("**/actuals*")
    said = await page.evaluate(SET_A_CODE_UP)
    app = pyotp.TOTP(said["secret"])
    kept = await page.evaluate(CONFIRM, {"opening": said["opening"], "code": app.now()})
    await sign_out(page)

    await by_password(page)
    await expect(page.get_by_role("heading", name="One more proof")).to_be_visible()
    await reads_well(page, picture, "sign-in-code")
    await page.get_by_label("The code your authenticator app").fill("000000")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not fit")
    await page.get_by_label("The code your authenticator app").fill(
        app.at(datetime.now(UTC) + timedelta(seconds=30))
    )
    await page.get_by_role("button", name="Go on").click()
    await page.wait_for_url("**/actuals*")
    await sign_out(page)

    await by_password(page)
    await page.get_by_text("I have a recovery code").click()
    await page.get_by_label("One of your recovery codes").fill(kept["recovery_codes"][0].upper())
    await page.get_by_role("button", name="Use it").click()
    await page.wait_for_url("**/me")


async def test_without_any_script_the_password_and_the_code_still_open(
    door: Stage, open_page: Opening
) -> None:
    page = await open_page(door, "/?next=/actuals", who=None, java_script_enabled=False)
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await by_password(page)
    await page.wait_for_url("**/actuals")


async def test_a_browser_without_the_passkey_says_so_and_the_password_stays(
    door: Stage, open_page: Opening
) -> None:
    page = await open_page(door, "/", who=None)
    cdp, device = await a_device(page)
    await cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.locator("#passkey-said")).to_contain_text("No passkey was used")
    await by_password(page)
    await page.wait_for_url("**/actuals*")


async def test_at_a_bare_number_the_page_points_to_where_passkeys_work(
    stage: Stage, open_page: Opening
) -> None:
    page = await open_page(stage, "/", who=None)
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    link = page.get_by_role("link", name="http://localhost")
    assert await link.get_attribute("href") == f"http://localhost:{stage.port}/"


async def test_the_sign_in_page_fits_every_screen(door: Stage, open_page: Opening, picture: Any) -> None:
    page = await open_page(door, "/?sign_in=again&next=/board", who=None)
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await reads_well(page, picture, f"sign-in-passkey-{scheme}")
