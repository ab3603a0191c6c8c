"""The board as a duty officer sees it: what appears, what moves, who owns it, and what a cut line looks like."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.board.stage import DAY, NOW, Stage
from tests.web.borough import set_the_morning

LATE = {"state": "late", "state_reason": "no check-in received by 09:15"}


async def live(page: Page) -> Page:
    await expect(page.locator("#pill")).to_have_class(re.compile("live"))
    return page


async def test_everyone_due_has_someone(stage: Stage, open_page):
    await stage.plan("V-next", at="09:45")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#needs")).to_contain_text("Everyone due has someone.")
    await expect(page.locator("#needs")).to_contain_text("Next visit 09:45.")


async def test_a_visit_goes_late_is_taken_on_and_is_found_to_be_in_care(stage: Stage, open_page):
    visit = await stage.plan("V-1", at="09:00", carers_required=2)
    page = await live(await open_page(stage, "/board"))

    await stage.becomes(visit, **LATE)
    await stage.alarm(visit)
    row = page.locator("tr.need")
    await expect(row).to_contain_text("Mr D. · Belgrave")
    await expect(row).to_contain_text("tier A · double-up · insulin")
    await expect(row).to_contain_text("no check-in received by 09:15")
    await expect(row.locator(".late-by")).to_have_text("20:00")
    assert await row.get_by_text("Ring").get_attribute("href") == "tel:+447700900101"
    await expect(page.locator("#announcer")).to_contain_text("New: Late, Mr D. Belgrave")
    assert "Dobson" not in await page.content()

    await row.get_by_role("button", name="Acknowledge").click()
    await expect(row).to_contain_text("Dana Duty")
    await row.get_by_role("button", name="Release").click()
    await expect(row.get_by_role("button", name="Acknowledge")).to_be_visible()

    alert = await stage.owner.fetchval("SELECT alert_id FROM alerts")
    await stage.becomes(visit, state="in_progress", state_reason="", actual_start=NOW)
    await stage.alarm_becomes(
        alert, state="stood_down", stood_down_at=NOW, stood_down_reason="check-in 09:03 received late"
    )
    await expect(page.locator("#stood-down")).to_contain_text(
        "stood down 09:20: check-in 09:03 received late"
    )


async def test_the_minutes_late_count_up(stage: Stage, open_page, monkeypatch):
    monkeypatch.setattr("ecm.board.hub.HEARTBEAT_SECONDS", 60)
    await stage.plan("V-1", at="09:00", **LATE)
    page = await live(await open_page(stage, "/board"))
    late_by = page.locator(".late-by")
    await expect(late_by).to_have_text("20:02")


async def test_a_cut_line_says_so_and_comes_back_without_loss(stage: Stage, open_page):
    visit = await stage.plan("V-1", at="09:00")
    await stage.plan("V-2", at="12:00")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#all-count")).to_have_text("2")

    await stage.hang_up()
    await stage.becomes(visit, **LATE)
    banner = page.locator("#not-live")
    await expect(banner).to_contain_text(re.compile(r"NOT LIVE SINCE 09:2\d:\d\d"), timeout=30_000)
    await expect(page.locator("#pill-word")).to_have_text("NOT LIVE")
    await expect(page.locator("tr.need")).to_have_count(0)

    await stage.listen()
    await expect(banner).to_be_hidden(timeout=30_000)
    await expect(page.locator("tr.need")).to_contain_text("Mr D. · Belgrave")


async def test_a_board_nobody_works_for_is_not_live(stage: Stage, open_page):
    await stage.owner.execute("UPDATE heartbeats SET beat_at = now() - interval '5 minutes'")
    page = await open_page(stage, "/board")
    await expect(page.locator("#not-live")).to_contain_text("nothing is working check-ins out just now")


async def test_alarms_that_were_not_proved_for_minutes_are_a_warning_and_not_live(
    stage: Stage, open_page, picture, monkeypatch
):
    monkeypatch.setattr("ecm.board.hub.HEARTBEAT_SECONDS", 0.2)
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#pill-more")).to_contain_text("alarm path proved 09:20")
    warning = page.locator("#unproved")
    await stage.proves_alarms(NOW - timedelta(seconds=110))
    await expect(page.locator("#pill-more")).to_contain_text("alarm path proved 09:18")
    await expect(warning).to_be_hidden()

    await stage.proves_alarms(NOW - timedelta(minutes=110))
    await expect(warning).to_contain_text("Alarms not proved since 07:30")
    await expect(page.locator("#pill-word")).to_have_text("ALARMS NOT PROVED")
    await expect(page.locator("#pill")).not_to_have_class(re.compile("live"))
    await expect(page.locator("#pill")).not_to_contain_text("07:30")
    await expect(page.locator("#announcer")).to_have_text("Warning: alarms not proved since 07:30.")
    await expect(page.locator("#not-live")).to_be_hidden()
    await picture(page, "board-alarms-not-proved")

    await stage.proves_alarms(None)
    await expect(warning).to_contain_text("Alarms were never proved")
    await stage.beat()
    await expect(warning).to_be_hidden()
    await live(page)


async def test_minutes_of_a_simulated_clock_are_not_minutes_of_silence(stage: Stage, open_page):
    type(stage.clock).speed = 60.0
    try:
        await stage.proves_alarms(NOW - timedelta(minutes=20))
        await expect(await live(await open_page(stage, "/board"))).to_have_title(re.compile("Board"))
    finally:
        type(stage.clock).speed = 1.0


async def test_a_simulated_clock_is_named(stage: Stage, open_page):
    type(stage.clock).speed = 60.0
    try:
        page = await open_page(stage, "/board")
        await expect(page.locator("#simulated")).to_contain_text("Simulated clock ×60")
    finally:
        type(stage.clock).speed = 1.0


async def test_filters_live_in_the_address(stage: Stage, open_page):
    await stage.plan("V-1", at="09:00", **LATE)
    await stage.plan("V-2", person="P-T", provider="HAR", workers=("W-B",), at="10:00")
    page = await live(await open_page(stage, "/board?provider=HAR"))
    await expect(page.locator("#all-count")).to_have_text("1")
    await expect(page.locator("tr.need")).to_have_count(0)
    await page.get_by_role("button", name="Clear filters").click()
    await page.keyboard.press("/")
    await page.keyboard.type("dav")
    await expect(page.locator("#all-count")).to_have_text("0")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=re.compile("^Late")).click()
    await expect(page).to_have_url(re.compile(r"/board\?show=late$"))
    await expect(page.locator("#all-count")).to_have_text("1")
    await page.reload()
    await expect(page.locator("#all-count")).to_have_text("1")


async def test_one_worker_running_late_is_one_row(stage: Stage, open_page):
    for n, person in enumerate(("P-A", "P-T", "P-A")):
        visit = await stage.plan(f"V-{n}", person=person, at=f"0{7 + n}:30", workers=("W-M",), **LATE)
        await stage.alarm(visit, severity="warning")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("tr.need").last).to_contain_text("J. Mensah")
    rows = await page.locator("tr.need").count()
    assert rows < 3


async def test_a_call_for_help_stands_before_a_missed_visit_and_says_what_it_is(stage: Stage, open_page):
    missed = await stage.plan("V-1", at="08:00", state="missed", state_reason="no check-in received by 09:00")
    await stage.alarm(missed, kind="missed", severity="critical")
    calling = await stage.plan("V-2", person="P-T", at="09:00", state="in_progress")
    await stage.alarm(calling, kind="sos", severity="critical", reason="care worker W-K asks for help")
    page = await live(await open_page(stage, "/board"))
    row = page.locator(f'tr.need[data-visit="{calling}"]')
    await expect(row).to_contain_text("Asks for help")
    await expect(row).to_contain_text("care worker W-K asks for help")
    assert await page.locator("tr.need").first.get_attribute("data-visit") == str(calling)


async def test_rows_do_not_move_under_the_pointer(stage: Stage, open_page):
    first = await stage.plan("V-1", person="P-T", provider="HAR", workers=("W-B",), at="09:00", **LATE)
    await stage.alarm(first, severity="warning", provider_ref="HAR")
    page = await live(await open_page(stage, "/board"))
    row = page.locator(f'tr.need[data-visit="{first}"]')
    await row.hover()
    before = await row.bounding_box()
    worse = await stage.plan("V-2", at="08:00", state="missed", state_reason="no check-in received by 09:00")
    await expect(page.locator(f'tr.need[data-visit="{worse}"]')).to_be_visible()
    assert (await row.bounding_box())["y"] == before["y"]
    await expect(page.locator("#needs-note")).to_contain_text("order held")
    await page.mouse.move(5, 5)
    await page.wait_for_timeout(5_200)
    assert await page.locator("tr.need").first.get_attribute("data-visit") == str(worse)


async def test_the_board_is_worked_by_keyboard(stage: Stage, open_page):
    visit = await stage.plan("V-1", at="09:00", **LATE)
    await stage.alarm(visit)
    page = await live(await open_page(stage, "/board"))
    await page.locator("tr.need").wait_for()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("acknowledge the row you are in")
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.locator("tr.need")).to_contain_text("Dana Duty")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(rf"/visits/{visit}$"))
    await expect(page.locator("h1")).to_be_visible()


async def test_single_letters_can_be_switched_off_and_stay_off(stage: Stage, open_page):
    await stage.alarm(await stage.plan("V-1", at="09:00", **LATE))
    page = await live(await open_page(stage, "/board"))
    await page.locator("tr.need").wait_for()
    await page.keyboard.press("?")
    await page.get_by_label("Keyboard shortcuts on").uncheck()
    await page.keyboard.press("Escape")
    await page.reload()
    await live(page)
    await page.locator("tr.need a[href^='/visits/']").focus()
    for key in ("a", "m", "n", "j", "/", "?"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).to_have_url(re.compile("/board$"))
    assert not await page.locator("#find").evaluate("(find) => find === document.activeElement")
    await page.wait_for_timeout(300)
    assert await stage.owner.fetchval("SELECT count(*) FROM audit WHERE action LIKE '%acknowledge%'") == 0
    await expect(page.locator("tr.need")).not_to_contain_text("Dana Duty")
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Keyboard shortcuts on").check()
    await page.get_by_role("button", name="Close").click()
    await page.keyboard.press("m")
    await expect(page).to_have_url(re.compile("mine=1"))


async def test_a_coordinator_without_the_right_sees_no_others(stage: Stage, open_page):
    await stage.plan("V-1", at="09:00", **LATE)
    await stage.plan("V-2", person="P-T", provider="HAR", workers=("W-B",), at="10:00", **LATE)
    page = await live(await open_page(stage, "/board", who="cole"))
    await expect(page.locator("#all-count")).to_have_text("1")
    assert "Harbour" not in await page.content()


async def test_another_day_is_shown_when_asked_for(stage: Stage, open_page):
    await stage.plan("V-tomorrow", day=DAY + timedelta(days=1), at="09:00")
    page = await live(await open_page(stage, "/board?date=2026-11-24"))
    await expect(page.locator("#all-count")).to_have_text("1")
    await expect(page.locator("#all-note")).to_have_text("Tue, 24 Nov 2026")


async def test_words_are_the_authoritys_own(stage: Stage, open_page):
    await stage.owner.execute("""UPDATE tenants SET labels = '{"visit": "call", "visits": "calls"}'""")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#all-title")).to_have_text("All calls")


async def test_who_is_not_signed_in_is_asked_to_and_brought_back(stage: Stage, open_page):
    page = await open_page(stage, "/board", who=None)
    await expect(page).to_have_url(re.compile(r"/\?next=/board$"))
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.timeout(120)
async def test_twenty_thousand_visits_stay_quick(stage: Stage, open_page):
    await set_the_morning(stage, visits=20_000, workers=1_000)
    page = await open_page(stage, "/board")
    await expect(page.locator("#all-count")).to_have_text("20,000", timeout=30_000)
    await live(page)
    print(f"20,000 visits shown after {await page.evaluate('performance.now()'):.0f} ms")
    assert await page.locator("#all tr.visit").count() < 60

    await page.evaluate("performance.clearMeasures()")
    some = [
        r["visit_id"]
        for r in await stage.owner.fetch("SELECT visit_id FROM visits WHERE state = 'planned' LIMIT 40")
    ]
    for visit in some:
        await stage.becomes(visit, state="in_progress", actual_start=NOW)
        await page.wait_for_timeout(30)
    renders = await page.evaluate(
        "performance.getEntriesByName('ecm render').map((m) => m.duration).sort((a, b) => a - b)"
    )
    middle = renders[len(renders) // 2]
    print(f"renders {len(renders)}, median {middle:.1f} ms, worst {renders[-1]:.1f} ms")
    assert middle < 16

    await page.locator(".scroller").evaluate("(box) => { box.scrollTop = box.scrollHeight }")
    await expect(page.locator('#all tr[aria-rowindex="20001"]')).to_be_visible()
