"""No signal, no battery, no storage: what was shown as saved is never lost, and nothing is stored twice."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests.web.app.conftest import Opening, enrol
from tests.web.app.doorstep import NOW, Doorstep
from tests.web.app.handset import Handset

EVENTS = 20
APART = timedelta(minutes=24)
KILLED_AFTER = {7, 13}
VISITS = ["V-1", *(f"V-{n + 4}" for n in range(9))]


async def shell_is_kept(page: Page) -> None:
    """The service worker has everything it needs."""
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function(
        """async () => { const names = await caches.keys(); const shell = names.find((n) => n.startsWith('ecm-shell-'));
           return shell && (await (await caches.open(shell)).keys()).length > 20; }"""
    )


async def go_to(page: Page, where: str) -> None:
    await page.evaluate("(where) => { location.hash = where }", where)


async def ids_on(page: Page) -> list[str]:
    return await page.evaluate(
        """() => new Promise((done) => { const asking = indexedDB.open('ecm', 1); asking.onsuccess = () => {
            const all = asking.result.transaction('outbox').objectStore('outbox').getAllKeys();
            all.onsuccess = () => { asking.result.close(); done(all.result); }; }; })"""
    )


async def test_eight_hours_offline_and_killed_twice_lose_none_of_twenty(
    doorstep: Doorstep, handset: Handset
) -> None:
    page = await handset.start()
    await enrol(page, await doorstep.code())
    await shell_is_kept(page)
    await doorstep.hang_up()

    began = datetime.now(UTC)
    passed = timedelta()
    await reopened_at(handset, began, kill=True)
    page = handset.page
    for n in range(EVENTS):
        visit, leaving = VISITS[n // 2], n % 2 == 1
        await go_to(page, f"#/visit/{visit}")
        await page.locator("#check-out" if leaving else "#check-in").click()
        if visit == "V-1" and leaving:  # 24 minutes of 45
            await page.get_by_role("button", name="Everything is done").click()
        if leaving:
            await expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
        else:
            await page.locator("#check-out").wait_for()
        passed += APART
        if n + 1 in KILLED_AFTER:
            await reopened_at(handset, began + passed, kill=True)
            page = handset.page
        else:
            await page.clock.fast_forward(int(APART.total_seconds() * 1000))
        await go_to(page, "#/")
        await expect(page.locator("#sending")).to_contain_text("kept")

    doorstep.clock.at = NOW + passed
    await doorstep.listen()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=EVENTS, seconds=40)
    await expect(page.locator("#sending")).to_contain_text("Sent", timeout=30_000)

    events = await doorstep.events()
    assert len(events) == EVENTS
    assert [event["kind"] for event in events] == ["check_in", "check_out"] * (EVENTS // 2)
    assert [event["visit"] for event in events] == [visit for visit in VISITS for _ in range(2)]
    assert {tuple(event["proofs"]) for event in events} == {("signed",)}
    assert events[-1]["occurred_at"] - events[0]["occurred_at"] > timedelta(hours=7, minutes=30)
    for n, event in enumerate(events):
        assert abs(event["occurred_at"] - (NOW + n * APART)) < timedelta(minutes=3), (
            "its own time, not that of sending"
        )
    stored = {str(event["event_id"]) for event in events}
    assert stored <= set(await ids_on(page))


async def reopened_at(handset: Handset, at: datetime, *, kill: bool) -> None:
    """The browser dies and is opened again, without a network, when it is `at`."""
    if kill:
        await handset.kill()
    await handset.start(None)
    await handset.context.clock.install(time=at)
    await handset.page.goto(f"{handset.url}/app")
    await handset.page.locator("main section").first.wait_for()


async def test_killed_while_saving_it_is_there_or_was_never_shown(
    doorstep: Doorstep, handset: Handset
) -> None:
    dice = random.Random(22)
    page = await handset.start()
    await enrol(page, await doorstep.code())
    await shell_is_kept(page)
    await doorstep.hang_up()
    shown: list[str] = []
    for visit in VISITS[:6]:
        await go_to(page, f"#/visit/{visit}")
        await page.locator("#check-in").wait_for()
        await page.evaluate("document.getElementById('check-in').click()")
        await asyncio.sleep(dice.uniform(0, 0.05))
        if await page.locator("#check-out").count():
            shown.append(visit)
        await handset.kill()
        page = await handset.start()
        await page.locator("main section").first.wait_for()
    kept = len(await ids_on(page))
    assert kept >= len(shown)
    await doorstep.listen()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator("#sending")).to_contain_text("Sent" if kept else "All sent", timeout=30_000)
    events = await doorstep.events()
    assert len(events) == kept
    assert set(shown) <= {event["visit"] for event in events}


async def test_a_lost_database_is_said_and_what_was_signed_still_goes_out(
    doorstep: Doorstep, annas: Page
) -> None:
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    await annas.evaluate(
        "new Promise((done, failed) => { const asking = indexedDB.deleteDatabase('ecm');"
        " asking.onsuccess = done; asking.onerror = failed; })"
    )
    await annas.goto("about:blank")
    await doorstep.listen()
    assert await doorstep.events() == []
    await annas.goto("/app")
    await expect(annas.get_by_text("This phone's storage was cleared")).to_be_visible()
    await expect(annas.get_by_text("Records found and kept: 1")).to_be_visible()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["visit"], event["proofs"]) == ("V-1", ["signed"])
    await enrol(annas, await doorstep.code())


async def test_a_code_half_typed_outlives_what_is_told_above_it(doorstep: Doorstep, annas: Page) -> None:
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    await go_to(annas, "#/log-out")
    await annas.get_by_role("button", name="Log out; they are still sent").click()
    code = await doorstep.code()
    await annas.get_by_label("Code from your office").fill(code)
    await expect(annas.locator("strong", has_text="not yet sent")).to_be_visible()
    await doorstep.listen()
    await annas.evaluate("dispatchEvent(new Event('online'))")
    await expect(annas.locator("strong", has_text="not yet sent")).to_have_count(0)
    await expect(annas.get_by_label("Code from your office")).to_have_value(code)


async def test_a_lost_second_copy_costs_nothing(doorstep: Doorstep, annas: Page) -> None:
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    await annas.evaluate("caches.delete('ecm-unsent')")
    await doorstep.listen()
    await annas.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)


async def test_logging_out_keeps_and_sends_what_was_not_sent(doorstep: Doorstep, annas: Page) -> None:
    await shell_is_kept(annas)
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    await go_to(annas, "#/log-out")
    await expect(annas.get_by_text("still sent after you log out")).to_be_visible()
    await annas.get_by_role("button", name="Log out; they are still sent").click()
    await expect(annas.get_by_role("heading", name="Set up this phone")).to_be_visible()
    await expect(annas.get_by_role("main").get_by_text("not yet sent (1)")).to_be_visible()
    left = await annas.evaluate(
        """() => new Promise((done) => { const asking = indexedDB.open('ecm', 1); asking.onsuccess = () => {
            const all = asking.result.transaction('keep').objectStore('keep').getAllKeys();
            all.onsuccess = () => done(all.result); }; })"""
    )
    assert not {"phone", "day", "vault"} & set(left)
    await annas.reload()
    await doorstep.listen()
    await annas.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["proofs"] == ["signed"]


async def test_a_service_restored_from_a_copy_gets_again_what_it_lost(
    doorstep: Doorstep, annas: Page
) -> None:
    await annas.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    await expect(annas.locator("#sending")).to_contain_text("Sent")
    [before] = await doorstep.events()
    await doorstep.owner.execute("TRUNCATE check_events CASCADE")
    await doorstep.owner.execute("UPDATE board_heads SET epoch = gen_random_uuid()")
    await annas.reload()
    await doorstep.until_stored(events=1)
    [after] = await doorstep.events()
    assert (after["event_id"], after["occurred_at"]) == (before["event_id"], before["occurred_at"])


async def test_a_phone_that_was_cut_off_still_delivers_and_shows_nobody(
    doorstep: Doorstep, annas: Page
) -> None:
    await shell_is_kept(annas)
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    doorstep.clock.at += timedelta(minutes=5)
    await doorstep.cut_off()
    await doorstep.listen()
    await annas.reload()
    await expect(annas.get_by_role("heading", name="Phone cut off")).to_be_visible()
    assert "Amina" not in await annas.locator("body").inner_text()
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["proofs"] == ["cut_off", "signed"]
    await annas.reload()
    await expect(annas.get_by_role("heading", name="Phone cut off")).to_be_visible()


async def test_the_browser_sends_by_itself_when_the_app_is_closed(doorstep: Doorstep, annas: Page) -> None:
    await shell_is_kept(annas)
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await annas.locator("#check-out").wait_for()
    context = annas.context
    other = await context.new_page()
    await annas.close()
    await doorstep.listen()
    tools = await context.new_cdp_session(other)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def registered(said: dict) -> None:
        for one in said["registrations"]:
            if one["scopeURL"].endswith("/app") and not found.done():
                found.set_result(one["registrationId"])

    tools.on("ServiceWorker.workerRegistrationUpdated", registered)
    await tools.send("ServiceWorker.enable")
    await tools.send(
        "ServiceWorker.dispatchSyncEvent",
        {"origin": doorstep.url, "registrationId": await found, "tag": "ecm-send", "lastChance": False},
    )
    await doorstep.until_stored(events=1)
    assert (await doorstep.events())[0]["proofs"] == ["signed"]


async def test_a_full_disk_is_said_and_the_record_goes_out_from_memory(
    doorstep: Doorstep, annas: Page
) -> None:
    await annas.evaluate(
        """() => { const full = () => { throw new DOMException('full', 'QuotaExceededError'); };
            IDBObjectStore.prototype.put = full; Cache.prototype.put = async () => full(); }"""
    )
    await doorstep.hang_up()
    await annas.locator("#check-in").click()
    await expect(annas.get_by_role("alert").get_by_text("its storage is full")).to_be_visible()
    for where in ("#/", "#/kept", "#/log-out"):
        await go_to(annas, where)
        await expect(annas.locator("main section, main ul").first).to_be_visible()
        assert "Saved on this phone" not in await annas.locator("body").inner_text(), where
    await doorstep.listen()
    await annas.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)
    await expect(annas.locator("#alarm")).to_be_hidden()


async def test_the_day_is_sealed_and_gone_after_a_day(doorstep: Doorstep, new_phone: Opening) -> None:
    page = await new_phone("/app/manifest.webmanifest")
    await page.clock.install()
    await page.goto("/app")
    await enrol(page, await doorstep.code())
    kept = await page.evaluate(KEPT)
    assert "day" in kept
    assert "Amina" not in kept["day"]
    assert "Example Street" not in kept["day"]
    await shell_is_kept(page)
    await doorstep.hang_up()
    await page.clock.fast_forward("25:00:00")
    await expect(page.get_by_text("not on this phone yet")).to_be_visible()
    assert "day" not in await page.evaluate(KEPT)


KEPT = """() => new Promise((done) => { const asking = indexedDB.open('ecm', 1); asking.onsuccess = () => {
    const keep = asking.result.transaction('keep').objectStore('keep');
    const found = {};
    keep.openCursor().onsuccess = ({ target: { result: at } }) => {
        if (!at) return done(found);
        const bytes = at.value.sealed && new Uint8Array(at.value.sealed.data);
        found[at.key] = bytes ? new TextDecoder('latin1').decode(bytes) : String(at.value);
        at.continue();
    }; }; })"""
