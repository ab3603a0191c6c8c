"""One phone for several people: a PIN says who holds it, with signal and without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.web.app.conftest import Opening
from tests.web.app.doorstep import Doorstep
from tests.web.app.test_offline import shell_is_kept


@pytest.fixture
async def shared(doorstep: Doorstep, new_phone: Opening) -> Page:
    page = await new_phone()
    await page.get_by_label("Code from your office").fill(await doorstep.code(None))
    await page.get_by_role("button", name="Set up").click()
    await page.get_by_label("Your PIN").wait_for()
    return page


async def open_as(page: Page, worker: str, pin: str) -> None:
    await page.get_by_label("Your care worker number").fill(worker)
    await page.get_by_label("Your PIN").fill(pin)
    await page.get_by_role("button", name="Open").click()


async def lock(page: Page) -> None:
    await page.evaluate("() => { location.hash = '#/more' }")
    await page.get_by_role("button", name="Lock").click()
    await page.get_by_label("Your PIN").wait_for()


async def test_a_pin_opens_it_and_stands_in_the_record(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "0000")
    await expect(shared.get_by_text("That is not the PIN")).to_be_visible()
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["care_worker"], event["proofs"]) == ("W-K", ["shared", "signed", "unlocked"])
    await lock(shared)
    assert "Amina" not in await shared.locator("body").inner_text()
    await open_as(shared, "W-M", "1188")
    await expect(shared.get_by_text("Ms Vera O.").first).to_be_visible()
    assert "Amina" not in await shared.locator("body").inner_text()


async def test_the_same_pin_opens_it_again_where_there_is_no_signal(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").wait_for()
    await shell_is_kept(shared)
    await lock(shared)
    await doorstep.hang_up()
    await open_as(shared, "W-K", "0000")
    await expect(shared.get_by_text("That is not the PIN")).to_be_visible()
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").click()
    await shared.locator("#check-out").wait_for()
    await doorstep.listen()
    await shared.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["proofs"] == ["shared", "signed", "unlocked"]


async def test_without_signal_and_without_pin_a_visit_is_recorded_as_what_it_is(
    doorstep: Doorstep, shared: Page
) -> None:
    await shell_is_kept(shared)
    await doorstep.hang_up()
    await open_as(shared, "W-M", "1188")
    await expect(shared.get_by_text("your PIN cannot be checked here")).to_be_visible()
    await shared.get_by_role("button", name="Carry on without PIN").click()
    await shared.get_by_role("link", name="Unplanned visit").click()
    await shared.get_by_label("Somebody else").fill("Ms Vera O.")
    await shared.get_by_role("button", name="Check in").click()
    await shared.locator("#check-out").wait_for()
    await doorstep.listen()
    await shared.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["care_worker"], event["proofs"]) == ("W-M", ["shared", "signed"])


async def test_left_alone_it_locks(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.clock.install()
    await page.goto("/app")
    await page.get_by_label("Code from your office").fill(await doorstep.code(None))
    await page.get_by_role("button", name="Set up").click()
    await open_as(page, "W-K", "4711")
    await page.locator("#check-in").wait_for()
    await page.clock.fast_forward("06:00")
    await page.get_by_label("Your PIN").wait_for()


async def test_a_number_without_its_pin_shows_nobody(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").wait_for()
    await shell_is_kept(shared)
    await lock(shared)
    await doorstep.hang_up()
    await open_as(shared, "W-K", "0000")
    await shared.get_by_role("button", name="Carry on without PIN").click()
    await expect(shared.get_by_text("not on this phone yet")).to_be_visible()
    assert "Amina" not in await shared.locator("body").inner_text()
    await shared.reload()
    assert "Amina" not in await shared.locator("body").inner_text()


async def test_when_the_half_day_is_over_the_pin_is_asked_again(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").wait_for()
    doorstep.clock.at += timedelta(hours=13)
    await shared.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await shared.get_by_label("Your PIN").wait_for()


async def test_who_forgot_the_pin_records_the_visit_all_the_same(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-M", "0000")
    await expect(shared.get_by_text("That is not the PIN")).to_be_visible()
    await shared.get_by_role("button", name="Carry on without PIN").click()
    await shared.get_by_role("link", name="Unplanned visit").click()
    await shared.get_by_label("Somebody else").fill("Ms Vera O.")
    await shared.get_by_role("button", name="Check in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["care_worker"], event["proofs"]) == ("W-M", ["shared", "signed"])


async def test_without_the_pin_nobody_reads_whom_a_colleague_visited(
    doorstep: Doorstep, shared: Page
) -> None:
    await open_as(shared, "W-K", "4711")
    await shared.get_by_role("link", name="Unplanned visit").click()
    await shared.get_by_label("Somebody else").fill("Mr Nobody Planned")
    await shared.get_by_role("button", name="Check in").click()
    await shared.locator("#check-out").wait_for()
    await doorstep.until_stored(events=1)
    await lock(shared)
    await open_as(shared, "W-K", "0000")
    await shared.get_by_role("button", name="Carry on without PIN").click()
    await shared.locator("#check-out").wait_for()
    assert "Nobody Planned" not in await shared.locator("body").inner_text()


async def test_a_day_left_on_a_locked_phone_is_gone_after_a_day(
    doorstep: Doorstep, new_phone: Opening
) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.clock.install()
    await page.goto("/app")
    await page.get_by_label("Code from your office").fill(await doorstep.code(None))
    await page.get_by_role("button", name="Set up").click()
    await open_as(page, "W-K", "4711")
    await page.locator("#check-in").wait_for()
    kept = """() => new Promise((done) => {
        const asked = indexedDB.open('ecm', 1);
        asked.onsuccess = () => {
            const keys = asked.result.transaction(['keep']).objectStore('keep').getAllKeys();
            keys.onsuccess = () => done(keys.result.includes('day'));
        };
    })"""
    await lock(page)
    assert await page.evaluate(kept)
    await page.clock.fast_forward("25:00:00")
    await page.reload()
    await page.get_by_label("Your PIN").wait_for()
    assert not await page.evaluate(kept)
