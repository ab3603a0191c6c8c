"""What the board's page does about days: alarms of another day, today by its date, coming back on another day."""

import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests.board.stage import Stage

NIGHT = datetime(2026, 11, 24, 0, 20, tzinfo=UTC)
SOS = {"kind": "sos", "reason": "care worker W-K asks for help", "raised_for": NIGHT, "raised_at": NIGHT}


async def live(page: Page) -> Page:
    await expect(page.locator("#pill")).to_have_class(re.compile("live"), timeout=30_000)
    return page


async def test_a_call_for_help_after_midnight_is_on_the_board_with_the_day_of_its_visit(
    stage: Stage, open_page, picture
):
    await stage.it_is(NIGHT)
    evening = await stage.plan("V-1", at="22:00", state="completed")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#needs")).to_contain_text("Everyone due has someone.")
    await stage.alarm(evening, **SOS)
    row = page.locator(f'tr.need[data-visit="{evening}"]')
    await expect(row).to_contain_text("Asks for help")
    await expect(row).to_contain_text(re.compile(r"Mon,? 23 Nov, 22:00–22:30"))
    listed = page.locator("#all tr.visit .c-time")
    await expect(listed).to_have_text(re.compile(r"Mon,? 23 Nov22:00–22:30"))
    assert await listed.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")
    assert (await page.locator("#all tr.visit").bounding_box())["height"] <= 46, "rows of one height"
    await picture(page, "board-rings-after-midnight")


async def test_today_by_its_date_is_today(stage: Stage, open_page):
    await stage.it_is(NIGHT)
    await stage.alarm(await stage.plan("V-1", at="22:00", state="completed"), **SOS)
    page = await live(await open_page(stage, "/board?date=2026-11-24&tier=A"))
    await expect(page.locator("tr.need")).to_contain_text("Asks for help")
    await expect(page).to_have_url(re.compile(r"/board\?tier=A$"))
    await page.get_by_label("Day").fill("2026-11-25")
    await expect(page).to_have_url(re.compile("date=2026-11-25"))
    await expect(page.locator("tr.need")).to_have_count(0)
    await page.get_by_label("Day").fill("2026-11-24")
    await expect(page.locator("tr.need")).to_contain_text("Asks for help")
    await expect(page).to_have_url(re.compile(r"/board\?tier=A$"))


async def test_a_lid_opened_the_next_morning_shows_that_morning(stage: Stage, open_page):
    """Nothing of yesterday may stand under LIVE, and nothing of this morning may be left out."""
    await stage.plan("V-1", at="17:00")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("#all-note")).to_have_text("Mon, 23 Nov 2026")
    await stage.hang_up()
    await stage.it_is(datetime(2026, 11, 24, 8, 30, tzinfo=UTC))
    for n, at in enumerate(("09:00", "10:00")):
        await stage.plan(f"W-{n}", at=at, day=stage.clock.at.date())
    await expect(page.locator("#not-live")).to_be_visible(timeout=30_000)
    await stage.listen()
    await live(page)
    await expect(page.locator("#all-note")).to_have_text("Tue, 24 Nov 2026")
    await expect(page.locator("#all-count")).to_have_text("2")


async def test_who_looks_at_another_day_comes_back_to_it(stage: Stage, open_page):
    await stage.plan("V-1", day=stage.clock.at.date() + timedelta(days=2), at="09:00")
    page = await live(await open_page(stage, "/board?date=2026-11-25"))
    await stage.hang_up()
    await stage.it_is(datetime(2026, 11, 24, 8, 30, tzinfo=UTC))
    await expect(page.locator("#not-live")).to_be_visible(timeout=30_000)
    await stage.listen()
    await live(page)
    await expect(page.locator("#all-note")).to_have_text("Wed, 25 Nov 2026")
    await expect(page.locator("#all-count")).to_have_text("1")
