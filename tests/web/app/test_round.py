"""What a care worker can say with the app besides checking in and out, and what lands of it."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial

import pytest
from playwright.async_api import Page, Route, expect

from ecm.rotating_code import belongs_to, code_at
from tests.web.app.conftest import Opening, enrol
from tests.web.app.doorstep import NOW, TAG, Doorstep
from tests.web.app.test_offline import go_to, shell_is_kept


async def test_nobody_opens_the_office_hears_at_once_and_leaving_says_why(
    doorstep: Doorstep, annas: Page
) -> None:
    await annas.get_by_role("button", name="At the door, waiting").click()
    await expect(annas.get_by_text("At the door since 09:0")).to_be_visible()
    await annas.get_by_role("link", name="No reply").click()
    await annas.get_by_label("Knock").check()
    await annas.get_by_label("Ask the neighbours").check()
    await annas.get_by_role("button", name="Tell the office: no reply").click()
    await expect(annas.get_by_text("The office is being alerted")).to_be_visible()
    at_door, no_reply = await doorstep.reports()
    assert (at_door["kind"], no_reply["kind"], no_reply["urgency"]) == ("at_the_door", "no_reply", "now")
    assert no_reply["words"] == "knocked, asked the neighbours"
    assert no_reply["proofs"] == ["signed"]
    await annas.get_by_role("button", name="Leave: no care given").click()
    await expect(annas.get_by_text("No care given").first).to_be_visible()
    await doorstep.until_stored(events=2)
    came, left = await doorstep.events()
    assert (came["kind"], left["kind"], left["reason_code"]) == ("check_in", "check_out", "no_reply")
    assert came["occurred_at"] == at_door["occurred_at"]


async def test_tasks_are_ticked_and_told_at_check_out(doorstep: Doorstep, annas: Page) -> None:
    await annas.locator("#check-in").click()
    await annas.get_by_label("Wash and dress").check()
    await annas.wait_for_timeout(300)
    await annas.reload()
    await go_to(annas, "#/visit/V-1")
    await expect(annas.get_by_label("Wash and dress")).to_be_checked()
    await annas.locator("#check-out").click()
    await annas.get_by_role("button", name="They asked me to go").click()
    await doorstep.until_stored(events=2, reports=1)
    [tasks] = await doorstep.reports()
    assert [(task["name"], task["done"]) for task in tasks["tasks"]] == [
        ("Medication from box, lunch", False), ("Wash and dress", True), ("Drink near", False),
    ]  # fmt: skip
    assert (await doorstep.events())[1]["reason_code"] == "person_asked"


async def test_why_late_in_one_tap(doorstep: Doorstep, annas: Page) -> None:
    await go_to(annas, "#/visit/V-2")
    await annas.get_by_role("link", name="Running late").click()
    await annas.get_by_role("button", name="The visit before took longer").click()
    await doorstep.until_stored(reports=1)
    [late] = await doorstep.reports()
    assert (late["kind"], late["reason_code"]) == ("late_reason", "visit_before_overran")


async def test_a_concern_says_999_first_when_it_is_urgent(doorstep: Doorstep, annas: Page) -> None:
    await go_to(annas, "#/report/V-1")
    await annas.get_by_label("A concern about the person").check()
    await expect(annas.get_by_role("link", name="Ring 999")).to_be_hidden()
    await annas.get_by_label("Now").check()
    await expect(annas.get_by_role("link", name="Ring 999")).to_be_visible()
    await annas.get_by_role("button", name="Save and send").click()
    await expect(annas.get_by_text("Write a few words first.")).to_be_visible()
    await annas.get_by_label("In your own words").fill("A fall in the night; a bruise on the arm")
    await annas.get_by_role("button", name="Save and send").click()
    await doorstep.until_stored(reports=1)
    [concern] = await doorstep.reports()
    assert (concern["kind"], concern["urgency"], concern["service_user_ref"]) == ("concern", "now", "P-A")


async def test_help_is_called_by_holding_or_by_saying_yes(doorstep: Doorstep, annas: Page) -> None:
    await annas.get_by_role("link", name="SOS").click()
    held = annas.get_by_role("button", name="Hold for 2 seconds")
    await held.dispatch_event("pointerdown")
    await annas.wait_for_timeout(700)
    await held.dispatch_event("pointerup")
    await annas.wait_for_timeout(1600)
    assert await doorstep.reports() == []
    await held.dispatch_event("pointerdown")
    await doorstep.until_stored(reports=1)
    await expect(annas.get_by_text("Your office is being alerted")).to_be_visible()
    await annas.get_by_role("link", name="Today").click()
    await annas.get_by_role("link", name="SOS").click()
    await annas.get_by_role("button", name="Hold for 2 seconds").focus()
    await annas.keyboard.press("Enter")
    await expect(annas.get_by_role("button", name="Yes, call for help")).to_be_focused()
    await annas.keyboard.press("Enter")
    await doorstep.until_stored(reports=2)
    for sos in await doorstep.reports():
        assert (sos["kind"], sos["urgency"], sos["accuracy_m"]) == ("sos", "now", 12)


async def test_where_nobody_can_be_alerted_the_app_does_not_say_so(doorstep: Doorstep, annas: Page) -> None:
    await doorstep.owner.execute("UPDATE visits SET cancelled = true")
    await annas.get_by_role("link", name="SOS").click()
    await annas.get_by_role("button", name="Hold for 2 seconds").focus()
    await annas.keyboard.press("Enter")
    await annas.keyboard.press("Enter")
    await expect(annas.get_by_text("nobody could be alerted")).to_be_visible()
    await expect(annas.get_by_text("Your office is being alerted")).to_be_hidden()
    assert "#warning" in await annas.locator(".place.critical use").get_attribute("href")


async def test_a_tag_opens_its_visit_and_stands_in_the_record(doorstep: Doorstep, annas: Page) -> None:
    await annas.goto(f"/t/{TAG}")
    await expect(annas.get_by_role("heading", level=1)).to_have_text("Mrs Amina A.")
    await expect(annas.get_by_text("Tag read in this home")).to_be_visible()
    await annas.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["method"], event["proofs"]) == ("qr", ["signed", "tag_printed"])


async def test_a_tag_opens_the_app_without_a_network_and_keeps_its_whole_address(
    doorstep: Doorstep, annas: Page
) -> None:
    await shell_is_kept(annas)
    await annas.wait_for_function(
        "async () => (await navigator.serviceWorker.getRegistrations()).filter((r) => r.active).length === 2"
    )
    await doorstep.hang_up()
    await annas.goto(f"/t/{TAG}?e=00&c=11")
    await expect(annas.get_by_text("Tag read in this home")).to_be_visible()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    await doorstep.listen()
    await annas.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert event["method"] == "nfc"


async def test_the_code_on_the_card(doorstep: Doorstep, annas: Page) -> None:
    secret = b"twenty bytes of code"
    sealed = doorstep.app.fastapi.state.services.sealer.seal(secret, belongs_to(1, "P-A"))
    await doorstep.owner.execute(
        "INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)"
        " VALUES (1, 'P-A', $1, 'Cole', now())",
        sealed,
    )
    shown = code_at(secret, int(doorstep.clock.now().timestamp()) // 60, 60, 6)
    await go_to(annas, "#/code/V-1")
    await annas.get_by_label("Code on the card").fill("12")
    await annas.get_by_role("button", name="Check in").click()
    await expect(annas.get_by_text("Type the 6 to 8 digits")).to_be_visible()
    await annas.get_by_label("Code on the card").fill(f"{shown[:3]} {shown[3:]}")
    await annas.get_by_role("button", name="Check in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["method"], event["proofs"]) == ("token", ["code_valid", "signed"])


async def test_the_key_safe_is_shown_and_kept_nowhere(doorstep: Doorstep, annas: Page) -> None:
    await go_to(annas, "#/visit/V-1")
    await annas.get_by_role("button", name="Show the key-safe code").click()
    await expect(annas.get_by_text("C1234Y")).to_be_visible()
    await go_to(annas, "#/visit/V-2")
    await expect(annas.get_by_role("button", name="Show the key-safe code")).to_have_count(0)
    assert "C1234Y" not in await annas.evaluate(
        """async () => { let all = JSON.stringify(localStorage);
            for (const name of await caches.keys()) for (const kept of await (await caches.open(name)).keys())
                all += await (await caches.match(kept)).text();
            return all; }"""
    )


async def test_two_on_a_visit_see_each_other(doorstep: Doorstep, annas: Page) -> None:
    await go_to(annas, "#/visit/V-3")
    await expect(annas.get_by_text("With Jo Mensah, not here yet")).to_be_visible()
    await doorstep.owner.execute(
        "UPDATE visits SET attendances = $1 WHERE ref = 'V-3'",
        [{"care_worker": "W-M", "check_in_at": "2026-11-23T11:14:00Z", "check_out_at": None}],
    )
    await annas.reload()
    await expect(annas.get_by_text("With Jo Mensah, here since 11:14")).to_be_visible()


async def test_a_visit_nobody_planned(doorstep: Doorstep, annas: Page) -> None:
    await annas.get_by_role("link", name="Unplanned visit").click()
    await annas.get_by_label("Somebody else").fill("Mr Next Door")
    await annas.get_by_role("button", name="Check in").click()
    await expect(annas.get_by_role("heading", name="Mr Next Door")).to_be_visible()
    await annas.locator("#check-out").click()
    await doorstep.until_stored(events=2)
    came, left = await doorstep.events()
    assert (came["visit"], came["service_user"], left["kind"]) == (None, None, "check_out")
    assert left["occurred_at"] >= came["occurred_at"]


async def test_it_never_refuses_without_a_position(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone(permissions=[], geolocation=None)
    await enrol(page, await doorstep.code())
    await expect(page.get_by_text("You can carry on without it")).to_be_visible()
    await page.get_by_role("button", name="Check in anyway").click()
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["lat"] is None


async def test_what_is_not_taken_is_kept_and_shown(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone(service_workers="block")
    await enrol(page, await doorstep.code())
    answers = iter(["conflict", "rejected"])

    async def turn_away(route) -> None:
        problem = {"type": "/problems/x", "title": "x", "detail": "not understood", "kept": True}
        await route.fulfill(json=[{"id": None, "status": next(answers), "problem": problem}])

    await page.route("**/v1/check-events", turn_away)
    await page.locator("#check-in").click()
    await page.locator("#check-out").wait_for()
    await page.get_by_role("link", name="Today").click()
    await expect(page.get_by_text("To be looked at (1)")).to_be_visible()
    await page.get_by_role("link", name="Show them").click()
    await expect(page.get_by_text("something else is recorded under its number")).to_be_visible()
    await expect(page.get_by_text("The office has a copy to look at.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("something else is recorded under its number")).to_be_visible()


async def test_the_service_stumbles_and_the_record_waits(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone(service_workers="block")
    await enrol(page, await doorstep.code())
    for status in (503, 429, 500):
        await page.route("**/v1/check-events", partial(stumble, status))
        await page.evaluate("dispatchEvent(new Event('online'))")
        if await page.locator("#check-in").count():
            await page.locator("#check-in").click()
        await expect(page.locator("#sending")).to_contain_text("kept")
    await page.unroute_all()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)


async def stumble(status: int, route: Route) -> None:
    await route.fulfill(status=status, json={})


async def test_a_clock_that_is_hours_wrong_is_put_right(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.clock.install(time=time.time() - 5 * 3600)
    await page.goto("/app")
    await enrol(page, await doorstep.code())
    await page.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert abs((event["occurred_at"] - doorstep.clock.now()).total_seconds()) < 60


async def test_a_clock_set_wrong_while_away_shows_beside_the_record(
    doorstep: Doorstep, new_phone: Opening
) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.clock.install()
    await page.goto("/app")
    await enrol(page, await doorstep.code())
    await doorstep.hang_up()
    await page.clock.set_system_time(time.time() + 5 * 3600)
    await page.locator("#check-in").click()
    await page.locator("#check-out").wait_for()
    await doorstep.listen()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert abs(event["wall_clock"] - event["received_at"] - timedelta(hours=5)) < timedelta(minutes=2)
    happened = event["occurred_at"] - (event["wall_clock"] - event["received_at"])
    assert abs(happened - doorstep.clock.now()) < timedelta(minutes=2), "and can be put right by it"


async def test_it_follows_a_service_that_runs_on_a_clock_of_its_own(
    doorstep: Doorstep, new_phone: Opening
) -> None:
    doorstep.clock.speed = 60
    doorstep.clock.at = NOW
    page = await new_phone()
    await page.get_by_label("Code from your office").fill(await doorstep.code())
    await page.get_by_role("button", name="Set up").click()
    await page.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    await page.wait_for_timeout(2500)
    await page.locator("#check-out").click()
    await page.get_by_role("button", name="Everything is done").click()
    await doorstep.until_stored(events=2)
    came, left = await doorstep.events()
    assert left["occurred_at"] - came["occurred_at"] > timedelta(minutes=2)
    for event in (came, left):
        assert timedelta(0) <= event["received_at"] - event["wall_clock"] < timedelta(minutes=2)


async def test_a_wrong_code_is_said_and_a_link_fills_it_in(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone("/app#enrol=WRONGCODE2")
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_text("That code is not known")).to_be_visible()
    code = await doorstep.code()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"/app#enrol={code}")  # the app stands open already, and is not loaded anew
    await expect(page.get_by_label("Code from your office")).to_have_value(code)
    assert not any(code in url for url in asked), "no server and no log on the way sees it"
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_text("Mrs Amina A.").first).to_be_visible()
    assert "enrol" not in page.url
    assert (
        await page.evaluate(
            """() => new Promise((done) => { const asking = indexedDB.open('ecm', 1); asking.onsuccess = () => {
            const phone = asking.result.transaction('keep').objectStore('keep').get('phone');
            phone.onsuccess = () => done(phone.result.key.privateKey.extractable); }; })"""
        )
        is False
    )


@pytest.mark.parametrize(("language", "word"), [("cy", "Heddiw"), ("pl", "Dzisiaj"), ("ro", "Astăzi")])
async def test_it_speaks_the_phones_language(
    doorstep: Doorstep, new_phone: Opening, picture, language: str, word: str
) -> None:
    page = await new_phone(locale=language)
    await page.locator("#enrol-code").fill(await doorstep.code())
    await page.locator("#enrol").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(word)
    await page.locator("#check-in").wait_for()
    await picture(page, f"app-today-{language}")


async def test_a_visit_whose_time_went_by_makes_way_and_can_still_be_recorded(
    doorstep: Doorstep, annas: Page
) -> None:
    doorstep.clock.at += timedelta(hours=2)
    await annas.reload()
    await expect(annas.get_by_role("heading", name="Mr Ernest L.")).to_be_visible()
    await annas.get_by_role("link", name="09:00 Mrs Amina A.").click()
    await annas.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["visit"] == "V-1"


async def test_a_tag_of_another_home_is_not_put_into_this_visits_record(
    doorstep: Doorstep, annas: Page
) -> None:
    await annas.goto(f"/t/{TAG}")
    await expect(annas.get_by_text("Tag read in this home")).to_be_visible()
    await go_to(annas, "#/visit/V-2")
    await expect(annas.get_by_text("Away from the home")).to_be_visible()
    await annas.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["method"] == "app"


async def test_out_by_mistake_and_in_again(doorstep: Doorstep, annas: Page) -> None:
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").click()
    await annas.get_by_role("button", name="Something else").click()
    await annas.get_by_role("link", name="09:00 Mrs Amina A.").click()
    await annas.get_by_role("button", name="Check in again").click()
    await annas.locator("#check-out").wait_for()
    await doorstep.until_stored(events=3)


async def test_the_browser_offers_to_install_it(doorstep: Doorstep, annas: Page) -> None:
    tools = await annas.context.new_cdp_session(annas)
    errors = (await tools.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert [error["errorId"] for error in errors if error["errorId"] != "in-incognito"] == []


async def test_a_tag_is_read_inside_the_app_where_the_browser_can(
    doorstep: Doorstep, new_phone: Opening
) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.add_init_script(SENSES.replace("TAG", f"/t/{TAG}"))
    await page.goto("/app")
    await enrol(page, await doorstep.code())
    await page.get_by_role("link", name="Scan tag").click()
    await page.get_by_role("button", name="Scan the QR code").click()
    await expect(page.get_by_text("Tag read in this home")).to_be_visible()
    await page.get_by_role("link", name="Scan tag").click()
    await page.get_by_role("button", name="Touch the tag").click()
    await expect(page.get_by_text("Tag read in this home")).to_be_visible()
    await page.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["method"], event["proofs"]) == ("nfc", ["signed", "tag_printed"])


SENSES = """
    window.BarcodeDetector = class { async detect() { return [{rawValue: 'https://elsewhere.example.org/menu'},
        {rawValue: location.origin + 'TAG'}]; } };
    navigator.mediaDevices.getUserMedia = async () => document.createElement('canvas').captureStream(5);
    window.NDEFReader = class extends EventTarget { async scan() { setTimeout(() => {
        const told = new Event('reading');
        told.message = {records: [{recordType: 'url', data: new TextEncoder().encode(location.origin + 'TAG')}]};
        this.dispatchEvent(told); }, 50); } };
    HTMLMediaElement.prototype.play = async () => {};
"""


async def test_a_reader_hears_where_they_are_and_what_was_saved(doorstep: Doorstep, annas: Page) -> None:
    await annas.locator("#check-in").focus()
    await annas.keyboard.press("Enter")
    await expect(annas.get_by_role("heading", level=1, name="Mrs Amina A.")).to_be_focused()
    await expect(annas.get_by_role("status").first).to_contain_text("Checked in 09:0")
    await expect(annas.locator("#status")).to_have_attribute("aria-live", "polite")
    await annas.get_by_label("Wash and dress").focus()
    await annas.keyboard.press("Space")
    await expect(annas.get_by_label("Wash and dress")).to_be_checked()
    await expect(annas.get_by_label("Wash and dress")).to_be_focused()


async def test_a_phone_whose_answer_was_lost_is_set_up_with_the_same_code(
    doorstep: Doorstep, new_phone: Opening
) -> None:
    page = await new_phone()

    async def answer_gets_lost(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/v1/app/enrolment", answer_gets_lost, times=1)
    await page.get_by_label("Code from your office").fill(await doorstep.code())
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_text("Nothing was used up")).to_be_visible()
    await page.get_by_role("button", name="Set up").click()
    await page.get_by_text("as of").wait_for()
    await page.locator("#check-in").click()
    await doorstep.until_stored(events=1)
