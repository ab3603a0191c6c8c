"""Settings as an administrator uses them: people, phones and keys made and ended, roles read, the audit searched."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from ecm.notices import Kind, notice
from ecm.permit import KEY_SCOPES, ROLES, Action
from tests.board.stage import Stage
from tests.web.test_every_page import AXE, PHONE, RUN_AXE, TOO_WIDE
from tests.web.test_signing_in import a_device

READ_BY_SCRIPT = (
    "/settings", "/settings/people", "/settings/devices", "/settings/keys", "/settings/sign-in", "/settings/audit",
)  # fmt: skip


async def no_faults(page: Page) -> None:
    await page.evaluate(AXE)
    assert await page.evaluate(TOO_WIDE) + await page.evaluate(RUN_AXE) == []


async def done(stage: Stage, action: str) -> str:
    """What the audit says was done to."""
    subject: str = await stage.owner.fetchval(
        "SELECT subject FROM audit WHERE action = $1 ORDER BY audit_id DESC LIMIT 1", action
    )
    return subject


async def phone(stage: Stage, label: str, *, worker: str | None = "W-K", provider: str = "NOR") -> None:
    await stage.owner.execute(
        "INSERT INTO devices (tenant_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by)"
        " VALUES (1, $1, $2, $3, '{}', $4, 'account 2 Cole Coordinator')",
        provider, worker, label, stage.clock.now(),
    )  # fmt: skip


async def test_somebody_is_added_and_their_password_is_shown_once(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="ada")
    await expect(page.get_by_role("row", name=re.compile("Dana Duty"))).to_contain_text("Can sign in")
    await page.get_by_role("button", name="Add somebody").click()
    asked = page.get_by_role("dialog", name="Add somebody")
    await asked.get_by_role("button", name="Add").click()
    await expect(asked.get_by_role("alert")).to_contain_text("Write the person’s name.")
    await expect(asked.get_by_label("Name")).to_be_focused()
    await asked.get_by_label("Name").fill("Nina New")
    await asked.get_by_label("E-mail address").fill("nina@example.org")
    await asked.get_by_label("Role", exact=True).select_option("coordinator")
    await no_faults(page)
    await asked.get_by_role("button", name="Add").click()
    await expect(asked.get_by_role("alert")).to_contain_text("Choose the provider")
    await asked.get_by_label("Works for").select_option("HAR")
    await asked.get_by_role("button", name="Add").click()

    shown = page.get_by_role("dialog", name="A password for Nina New")
    secret = await shown.locator(".secret").inner_text()
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", secret)
    await page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    await no_faults(page)
    await shown.get_by_label("I have it").check()
    await shown.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("row", name=re.compile("Nina New.*Harbour Homecare"))).to_be_visible()
    assert secret not in await page.content()


async def test_an_e_mail_that_has_an_account_is_said_and_nothing_is_lost(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="ada")
    await page.get_by_role("button", name="Add somebody").click()
    asked = page.get_by_role("dialog")
    await asked.get_by_label("Name").fill("Dana Again")
    await asked.get_by_label("E-mail address").fill("dana@example.org")
    await asked.get_by_label("Role", exact=True).select_option("quality")
    await asked.get_by_role("button", name="Add").click()
    await expect(asked.get_by_role("alert")).to_contain_text("has an account already")
    await expect(asked.get_by_label("Name")).to_have_value("Dana Again")


async def test_a_person_is_given_another_role_a_password_and_is_kept_out(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="ada")

    async def act(button: str) -> None:
        await page.get_by_role("button", name="Change Finn Finance").click()
        await page.get_by_role("button", name=button).click()

    await act("Change role…")
    await page.get_by_label("Role", exact=True).select_option("finance_approver")
    await page.get_by_role("button", name="Change role", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("Finn"))).to_contain_text("Finance, second person")
    assert await done(stage, "role_changed") == "account 3 Finn Finance"

    await act("Make a new password…")
    await page.get_by_role("button", name="Make a new password", exact=True).click()
    await page.get_by_label("I have it").check()
    await page.get_by_role("button", name="Close").click()

    await act("Keep out…")
    await page.get_by_role("button", name="Keep out", exact=True).click()
    await page.get_by_role("button", name=re.compile("Kept out")).click()
    await act("Let in again…")
    await page.get_by_role("button", name="Let in again", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("Finn"))).to_contain_text("Given a password")
    assert await done(stage, "account_enabled") == "account 3 Finn Finance"


async def test_ones_own_account_is_changed_by_somebody_else(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="ada")
    await page.get_by_role("button", name="Change Ada Administrator").click()
    asked = page.get_by_role("dialog", name="Ada Administrator")
    await expect(asked).to_contain_text("another administrator", ignore_case=True)
    await expect(asked.get_by_role("button")).to_have_count(1)


async def test_a_coordinator_enrols_a_phone_by_a_code_on_the_screen(stage: Stage, open_page, picture) -> None:
    await phone(stage, "Rafi’s phone", worker="W-B", provider="HAR")
    page = await open_page(stage, "/settings/devices", who="cole", size=PHONE)
    await expect(page.get_by_text("No phone is enrolled.")).to_be_visible()
    await page.get_by_role("button", name="Enrol a phone").click()
    asked = page.get_by_role("dialog", name="Enrol a phone")
    await expect(asked.get_by_label("Provider").locator("option")).to_have_count(1)
    await asked.get_by_label("Care worker", exact=True).select_option("W-K")
    await asked.get_by_label("What is it called?").fill("Anna’s phone")
    await no_faults(page)
    await asked.get_by_role("button", name="Make the code").click()
    shown = page.get_by_role("dialog", name="Scan this with the phone")
    await expect(shown.get_by_role("img", name="QR code that enrols the phone")).to_be_visible()
    code = (await shown.locator(".secret").inner_text()).replace(" ", "")
    assert re.fullmatch("[A-Z2-9]{10}", code)
    await no_faults(page)
    await picture(page, "settings-devices-code-phone")
    assert await done(stage, "phone_code_made") == "care worker W-K"


async def test_a_lost_phone_is_cut_off_with_the_reason_by_keyboard_alone(stage: Stage, open_page) -> None:
    await phone(stage, "Anna’s phone")
    page = await open_page(stage, "/settings/devices", who="cole")
    await page.get_by_role("button", name="Cut off Anna’s phone of Anna Kowalska").focus()
    await page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name=re.compile("Cut off Anna’s phone"))
    await expect(asked.get_by_label("Why?")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(asked.get_by_role("alert")).to_contain_text("Write why")
    await page.keyboard.type("lost on the bus")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name=re.compile("Anna Kowalska"))).to_contain_text("lost on the bus")


async def test_a_phone_that_somebody_else_just_cut_off_is_shown_as_it_is_now(stage: Stage, open_page) -> None:
    await phone(stage, "Anna’s phone")
    page = await open_page(stage, "/settings/devices", who="cole")
    await page.get_by_role("button", name=re.compile("^Cut off Anna")).click()
    await stage.owner.execute(
        "UPDATE devices SET cut_off_at = now(), cut_off_by = 'account 4', cut_off_reason = 'stolen'"
    )
    asked = page.get_by_role("dialog")
    await asked.get_by_label("Why?").fill("lost")
    await asked.get_by_role("button", name="Cut off").click()
    await expect(asked.get_by_role("alert")).to_contain_text("cut off before")
    await asked.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("row", name=re.compile("Anna Kowalska"))).to_contain_text("stolen")


async def test_a_key_is_shown_once_copied_and_revoked(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/keys", who="ada")
    await expect(page.get_by_text("No system has a key.")).to_be_visible()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Make a key").click()
    asked = page.get_by_role("dialog", name="Make a key")
    await asked.get_by_label("Which system is it for?").fill("Telephone gateway")
    await asked.get_by_role("button", name="Make the key").click()
    await expect(asked.get_by_role("alert")).to_contain_text("Choose what the key may do.")
    await asked.get_by_label(re.compile("^Send check-ins")).check()
    await no_faults(page)
    await asked.get_by_role("button", name="Make the key").click()
    shown = page.get_by_role("dialog", name="The key for Telephone gateway")
    await shown.get_by_role("button", name="Copy").click()
    await expect(shown.get_by_text("Copied.")).to_be_visible()
    key = await page.evaluate("navigator.clipboard.readText()")
    assert key.startswith("ecm_")
    await shown.get_by_label("I have it").check()
    await shown.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Revoke Telephone gateway, key 1").click()
    await page.get_by_role("button", name="Revoke for ever").click()
    await expect(page.get_by_role("row", name=re.compile("Telephone gateway"))).to_contain_text("Revoked")
    assert key not in await page.content()


async def test_the_table_of_roles_says_why_at_each_cell(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/roles", who="otto")
    row = page.get_by_role("row", name=re.compile("^Manage phones"))
    await row.get_by_text("Own provider").first.click()
    await expect(page.locator("#why")).to_contain_text(
        "Coordinator may manage phones for their own provider only."
    )
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#why")).to_contain_text("Manager may manage phones")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#why")).to_contain_text("Duty desk may not manage phones.")
    await page.get_by_label("Show").select_option("finance_approver")
    await expect(page.get_by_role("row", name=re.compile("^Lock a period All"))).to_be_visible()
    await expect(page.locator("td:visible")).to_have_count(len(Action))


async def test_one_role_is_shown_where_there_is_room_for_one_and_all_where_there_is_again(
    stage: Stage, open_page
) -> None:
    page = await open_page(stage, "/settings/roles", who="otto", size=PHONE)
    await expect(page.locator("thead th:visible")).to_have_count(2)
    await page.set_viewport_size({"width": 1366, "height": 768})
    await expect(page.get_by_label("Show")).to_have_value("")
    await expect(page.locator("thead th:visible")).to_have_count(len(ROLES) + len(KEY_SCOPES) + 2)
    await page.get_by_label("Show").select_option("auditor")
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await page.set_viewport_size({"width": 1366, "height": 768})
    await expect(page.get_by_label("Show")).to_have_value("auditor")


async def test_very_many_phones_are_found_by_a_few_letters(stage: Stage, open_page) -> None:
    for n in range(3):
        await stage.owner.execute(
            "INSERT INTO devices (tenant_id, provider_ref, label, public_key, enrolled_at, enrolled_by)"
            " SELECT 1, 'NOR', 'Spare ' || (n + 200 * $1), '{}', now(), 'account 2 Cole'"
            " FROM generate_series(1, 200) n",
            n,
        )
    page = await open_page(stage, "/settings/devices", who="ada")
    await expect(page.get_by_role("row")).to_have_count(101)
    await page.get_by_role("button", name="Show 100 more").click()
    await expect(page.get_by_role("row")).to_have_count(201)
    await page.get_by_label("Find in phones").fill("spare 577")
    await expect(page.get_by_role("row")).to_have_count(2)
    await page.get_by_label("Find in phones").fill("nothing like it")
    await expect(page.get_by_text("Nothing here fits.")).to_be_visible()


async def test_what_needs_doing_leads_to_where_it_is_done(stage: Stage, open_page) -> None:
    await phone(stage, "Anna’s phone")
    await stage.owner.execute("UPDATE devices SET enrolled_at = enrolled_at - interval '30 days'")
    page = await open_page(stage, "/settings", who="ada")
    await expect(page.get_by_text("There is only one administrator")).to_be_visible()
    await no_faults(page)
    await (
        page.get_by_role("listitem").filter(has_text="One phone has been silent").get_by_role("link").click()
    )
    await expect(page.get_by_role("heading", level=1)).to_have_text("Phones")


async def test_what_happened_at_the_doors_is_told_until_somebody_has_seen_it(stage: Stage, open_page) -> None:
    async with stage.app.state.services.web.tenant(1) as connection:
        for _ in range(2):
            await notice(connection, Kind.RECOVERY_CODE_USED, "account 4", stage.clock.now())
    page = await open_page(stage, "/settings", who="ada")
    told = page.get_by_role("listitem").filter(has_text="2 times")
    await page.route(
        "**/v1/notices/*/seen",
        lambda route: route.fulfill(status=503, json={"title": "The database is away."}),
    )
    await told.get_by_role("button", name=re.compile("^Seen")).click()
    await expect(told.get_by_role("alert")).to_have_text("The database is away.")
    await no_faults(page)
    await page.unroute("**/v1/notices/*/seen")
    await told.get_by_role("button", name=re.compile("^Seen")).click()
    await expect(told).to_have_count(0)
    await expect(page.get_by_text("There is only one administrator")).to_be_visible()
    assert await stage.owner.fetchval("SELECT seen_by FROM notices") == "account 5"

    otto = await open_page(stage, "/settings", who="otto")
    await expect(otto.get_by_text("Nothing needs doing.")).to_be_visible()


async def test_the_audit_is_read_looked_through_and_proved(stage: Stage, open_page) -> None:
    await stage.owner.execute(
        "INSERT INTO audit (tenant_id, at, actor, action, subject, reason)"
        " SELECT 1, now(), 'account 1 Dana Duty', 'alert_acknowledged', 'alert ' || n, 'seen'"
        " FROM generate_series(1, 150) n"
    )
    page = await open_page(stage, "/settings/audit", who="otto")
    await expect(page.get_by_role("row")).to_have_count(101)
    await expect(page.get_by_role("row").nth(1)).to_contain_text("alert 150")
    await page.get_by_role("button", name="Show more").click()
    await expect(page.get_by_role("row")).to_have_count(151)
    await page.get_by_role("button", name="alert 77", exact=True).click()
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page).to_have_url(re.compile(r"subject=alert\+77")), "refs alone stand in an address"
    await page.get_by_label("To what").fill("visit 1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing was found.")).to_be_visible()
    await page.get_by_role("button", name="Everything").click()
    await page.get_by_role("button", name="Prove that it is whole").click()
    await expect(page.get_by_text("All 150 entries are as they were written.")).to_be_visible()
    await no_faults(page)

    await stage.owner.execute("UPDATE audit SET reason = 'unseen' WHERE subject = 'alert 42'")
    await page.get_by_role("button", name="Prove that it is whole").click()
    await expect(page.get_by_text("The first bad one is at place 42")).to_be_visible()


async def test_a_care_worker_who_left_holds_nothing_any_more(stage: Stage, open_page) -> None:
    await phone(stage, "Anna’s phone")
    page = await open_page(stage, "/settings/devices", who="cole")
    await page.get_by_role("button", name="Somebody has left…").click()
    asked = page.get_by_role("dialog", name="Which care worker has left?")
    await asked.get_by_label("Care worker", exact=True).select_option("W-K")
    await asked.get_by_label("Why?").fill("left on Friday")
    await asked.get_by_role("button", name="They have left").click()
    told = page.get_by_role("dialog", name=re.compile("Anna Kowalska .* is out"))
    await expect(told).to_contain_text("Phones cut off1", use_inner_text=False)
    await no_faults(page)
    await told.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("row", name=re.compile("Anna Kowalska"))).to_contain_text("Cut off")


async def test_a_leaver_is_out_and_may_come_back(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="ada")
    await page.get_by_role("button", name="Change Finn Finance").click()
    await page.get_by_role("button", name="They have left…").click()
    await page.get_by_label("Why?").fill("left on Friday")
    await page.get_by_role("button", name="They have left", exact=True).click()
    await page.get_by_role("dialog", name="Finn Finance is out").get_by_role("button", name="Close").click()
    await page.get_by_role("button", name=re.compile("^Have left")).click()
    await page.get_by_role("button", name="Change Finn Finance").click()
    await page.get_by_role("button", name="They have come back…").click()
    await page.get_by_role("button", name="They have come back", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("Finn"))).to_contain_text("Can sign in")


async def test_how_people_sign_in_is_changed_by_who_proves_it_is_they(
    stage: Stage, open_page, picture
) -> None:
    stage.url = stage.url.replace("127.0.0.1", "localhost")
    page = await open_page(stage, "/me", who="ada")
    await a_device(page)
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_text("not used yet")).to_be_visible()
    await page.goto("/settings/sign-in")
    await page.get_by_role("button", name="Ask everybody for two…").click()
    await page.get_by_role("button", name="Ask for two").click()
    await page.get_by_role("button", name="Use your passkey").click()
    await expect(page.get_by_text("Asked of everybody")).to_be_visible()

    await page.get_by_role("button", name="Join it…").click()
    asked = page.get_by_role("dialog", name="Join the council’s own sign-in")
    await asked.get_by_role("button", name="Save").click()
    await expect(asked.get_by_role("alert")).to_contain_text("issuer’s address")
    await asked.get_by_label("Issuer").fill("https://sign-in.council.example")
    await asked.get_by_label("Client id").fill("ecm")
    await asked.get_by_label("Client secret").fill("made-up-for-this-test")
    await asked.get_by_label("Group there").fill("ECM Northfield")
    await asked.get_by_role("button", name="Save").click()
    await expect(asked.get_by_role("alert")).to_contain_text("Choose a role for ECM Northfield.")
    await asked.get_by_label("Its role here").select_option("coordinator")
    await asked.get_by_label("For which provider").select_option("NOR")
    await asked.get_by_role("button", name="Add a group").click()
    await no_faults(page)
    await picture(page, "settings-sign-in-join")
    await asked.get_by_label("Group there").last.fill("ECM desk")
    await asked.get_by_label("Its role here").last.select_option("duty_officer")
    await asked.get_by_role("button", name="Save").click()
    await expect(
        page.get_by_role("row", name=re.compile("ECM Northfield Coordinator · Northfield Care"))
    ).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("2. ECM desk Duty desk"))).to_be_visible()
    await no_faults(page)
    await picture(page, "settings-sign-in")
    assert "made-up-for-this-test" not in await page.content()
    await page.get_by_role("button", name="Part from it…").click()
    await page.get_by_role("button", name="Part from it", exact=True).click()
    await expect(page.get_by_text("Not joined")).to_be_visible()


@pytest.mark.parametrize("path", READ_BY_SCRIPT)
async def test_a_section_that_cannot_be_read_says_so_and_tries_again(
    stage: Stage, open_page, path: str
) -> None:
    page = await open_page(stage, "/board", who="ada")
    await page.route(
        "**/v1/**", lambda route: route.fulfill(status=503, json={"title": "The database is away."})
    )
    await page.goto(path)
    await expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    await page.unroute("**/v1/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("could not be read")).to_have_count(0)


@pytest.mark.parametrize(
    ("who", "sections"),
    [
        ("ada", ["What needs doing", "People", "Phones", "Keys of systems", "Signing in", "Roles", "Audit"]),
        ("cole", ["What needs doing", "Phones", "Roles"]),
        ("otto", ["What needs doing", "Roles", "Audit"]),
    ],
)
async def test_everybody_is_offered_what_they_may_open(
    stage: Stage, open_page, who: str, sections: list[str]
) -> None:
    page = await open_page(stage, "/settings", who=who)
    assert await page.locator(".sections a").all_inner_texts() == sections


async def test_others_are_told_that_a_section_is_not_for_them(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/settings/people", who="cole")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("not for your account")
    page = await open_page(stage, "/settings", who="dana")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("not for your account")
    await expect(page.get_by_role("link", name="Settings")).to_have_count(0)
