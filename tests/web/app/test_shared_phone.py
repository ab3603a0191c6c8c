"""One phone for several people: a PIN says who holds it, with signal and without."""

from __future__ import annotations

import base64
import json
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


# Everything on the phone as text, but for the app's own files: bytes as letters, and what is base64 decoded as well.
ALL_THAT_IS_KEPT = """async () => {
    const found = [];
    const text = (value) => {
        if (value instanceof ArrayBuffer) return text(new Uint8Array(value));
        if (value instanceof Uint8Array) return String.fromCharCode(...value);
        if (value instanceof CryptoKey) return '';
        if (Array.isArray(value) && value.length && value.every((n) => Number.isInteger(n) && n >= 0 && n < 256))
            return String.fromCharCode(...value);
        if (value && typeof value === 'object')
            return Object.entries(value).map(([k, v]) => `${k} ${text(v)}`).join(' ');
        return String(value);
    };
    const add = (where, value) => {
        const plain = text(value);
        found.push(where, plain);
        for (const [part] of plain.matchAll(/[A-Za-z0-9_-]{16,}/g))
            try { found.push(atob(part.replace(/-/g, '+').replace(/_/g, '/'))); } catch { }
    };
    const database = await new Promise((done) => {
        const asked = indexedDB.open('ecm', 1);
        asked.onsuccess = () => done(asked.result);
    });
    for (const name of database.objectStoreNames) {
        const store = database.transaction([name]).objectStore(name);
        const said = (asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); });
        const [keys, values] = [said(store.getAllKeys()), said(store.getAll())];
        add(name, await keys);
        add(name, await values);
    }
    database.close();
    for (const name of await caches.keys())
        if (!name.startsWith('ecm-shell-'))
            for (const request of await (await caches.open(name)).keys()) {
                const kept = await (await caches.match(request)).text();
                add(request.url, kept);
                try { add(request.url, JSON.parse(kept)); } catch { }
            }
    for (const [name, value] of Object.entries(localStorage)) add(name, value);
    for (const [name, value] of Object.entries(sessionStorage)) add(name, value);
    return found.join('\\n');
}"""
ANNAS = ("Amina", "Example Street", "Ernest", "Nobody Planned", "Medication", "Anna Kowalska", "fell twice")


async def records_without_signal(doorstep: Doorstep, page: Page) -> None:
    """An unplanned visit with a name, and a concern in words: both unsent."""
    await doorstep.hang_up()
    await page.get_by_role("link", name="Unplanned visit").click()
    await page.get_by_label("Somebody else").fill("Mr Nobody Planned")
    await page.get_by_role("button", name="Check in").click()
    await page.locator("#check-out").wait_for()


async def test_the_next_holder_finds_nothing_of_the_one_before_and_what_was_unsent_still_goes_out(
    doorstep: Doorstep, shared: Page
) -> None:
    await shell_is_kept(shared)
    await open_as(shared, "W-M", "1188")
    await shared.get_by_text("Ms Vera O.").first.wait_for()
    await lock(shared)
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").click()
    await doorstep.until_stored(events=1)
    await shared.evaluate("() => { location.hash = '#/' }")
    await records_without_signal(doorstep, shared)
    await lock(shared)

    await open_as(shared, "W-M", "1188")

    await shared.get_by_text("not on this phone yet").wait_for()
    kept = await shared.evaluate(ALL_THAT_IS_KEPT)
    assert "W-K" in kept, "the looking looks"
    assert [name for name in ANNAS if name in kept] == []
    await shared.evaluate("() => { location.hash = '#/kept' }")
    await expect(shared.get_by_text("Records of others on this phone: 2")).to_be_visible()
    shown = await shared.locator("body").inner_text()
    assert [name for name in (*ANNAS, "Check-in") if name in shown] == []
    await doorstep.listen()
    await shared.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=2)
    unplanned = next(event for event in await doorstep.events() if event["visit"] is None)
    assert (unplanned["care_worker"], unplanned["proofs"]) == ("W-K", ["shared", "signed", "unlocked"])
    assert "Mr Nobody Planned" in said_in(unplanned["body"])


def said_in(body: str) -> str:
    """What was signed."""
    payload = json.loads(body)["jws"].split(".")[1]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


async def test_who_comes_back_finds_their_own_again(doorstep: Doorstep, shared: Page) -> None:
    await shell_is_kept(shared)
    await open_as(shared, "W-K", "4711")
    await records_without_signal(doorstep, shared)
    await lock(shared)
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-out").wait_for()
    await expect(shared.get_by_text("Mr Nobody Planned").first).to_be_visible()
    await shared.reload()
    await open_as(shared, "W-K", "4711")
    await expect(shared.get_by_text("Mr Nobody Planned").first).to_be_visible()


async def test_a_lost_database_loses_no_sealed_record(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "4711")
    await records_without_signal(doorstep, shared)
    await shared.evaluate(
        "new Promise((done, failed) => { const asking = indexedDB.deleteDatabase('ecm');"
        " asking.onsuccess = done; asking.onerror = failed; })"
    )
    await shared.goto("about:blank")
    await doorstep.listen()
    await shared.goto("/app")
    await expect(shared.get_by_text("Records found and kept: 1")).to_be_visible()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert event["proofs"] == ["shared", "signed", "unlocked"]
    assert "Mr Nobody Planned" in said_in(event["body"])


AS_AN_OLDER_APP_KEPT_IT = """async () => {
    const beside = (name) => import(new URL(name, document.querySelector('script[type=module]').src).href);
    const [{ opened }, { everything }, { transact }, { copy }] =
        await Promise.all(['sealed.js', 'outbox.js', 'store.js', 'mirror.js'].map(beside));
    const records = await Promise.all((await everything()).map(opened));
    const older = records.map(({ sealed, shared, whose, ...record }) => record);
    await transact('readwrite', (store) => Promise.all(older.map((record) => store('outbox').put(record))));
    await Promise.all(older.map(copy));
}"""


async def test_what_an_older_app_left_open_is_sealed_at_the_next_opening(
    doorstep: Doorstep, shared: Page
) -> None:
    await shell_is_kept(shared)
    await open_as(shared, "W-K", "4711")
    await records_without_signal(doorstep, shared)
    await shared.evaluate(AS_AN_OLDER_APP_KEPT_IT)
    assert "Nobody Planned" in await shared.evaluate(ALL_THAT_IS_KEPT)
    await shared.reload()
    await shared.get_by_label("Your PIN").wait_for()
    assert "Nobody Planned" not in await shared.evaluate(ALL_THAT_IS_KEPT)
    await doorstep.listen()
    await shared.evaluate("dispatchEvent(new Event('online'))")
    await doorstep.until_stored(events=1)


async def test_who_has_left_is_shown_nothing_and_can_still_record(doorstep: Doorstep, shared: Page) -> None:
    await open_as(shared, "W-K", "4711")
    await shared.locator("#check-in").wait_for()
    await doorstep.owner.execute(
        "UPDATE care_workers SET left_at = $1, left_by = 'Cole' WHERE ref = 'W-K'", doorstep.clock.now()
    )
    await shared.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await shared.get_by_label("Your PIN").wait_for()
    assert "Amina" not in await shared.evaluate(ALL_THAT_IS_KEPT)
    await open_as(shared, "W-K", "4711")
    await expect(shared.get_by_text("this care worker has left")).to_be_visible()
    await shared.get_by_role("button", name="Carry on without PIN").click()
    await shared.get_by_role("link", name="Unplanned visit").click()
    await shared.get_by_label("Somebody else").fill("Mrs Amina A.")
    await shared.get_by_role("button", name="Check in").click()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert event["proofs"] == ["left", "shared", "signed"]
