"""The board under a duty officer's hands: nothing overflows, the focus is never lost, and what went wrong is said."""

import asyncio
import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from ecm.passwords import _hasher
from tests.board.stage import NOW, Stage
from tests.web.test_every_page import TOO_WIDE

LATE = {"state": "late", "state_reason": "no check-in received by 09:15"}
MISSED = {"state": "missed", "state_reason": "no check-in received by 09:00 (60 min after planned start)"}
WIDTHS = (320, 390, 683, 860, 1024, 1280, 1366, 1440, 1536, 1680, 1920, 2560)
# What stands in a cell of the urgent rows and is wider than the cell, or is squeezed to a few letters a line.
SQUEEZED = """() => [...document.querySelectorAll('.needs-table td')].filter((cell) => {
        const words = cell.textContent.trim().length
        return cell.offsetParent && (cell.scrollWidth > cell.clientWidth + 1 || (words > 12 && cell.clientWidth < 75))
    }).map((cell) => `${innerWidth} ${cell.className}: ${cell.clientWidth} px for ${cell.textContent}`)"""
LATER_BY = "(ms) => { const now = performance.now.bind(performance); performance.now = () => now() + ms }"


async def live(page: Page) -> Page:
    await expect(page.locator("#pill")).to_have_class(re.compile("live"), timeout=30_000)
    return page


async def focused(page: Page) -> str:
    return str(
        await page.evaluate("document.activeElement.getAttribute('href') ?? document.activeElement.tagName")
    )


async def test_long_names_fit_at_every_width(stage: Stage, open_page):
    await stage.owner.execute(
        "UPDATE providers SET name = 'Northfield and Upper Wharfedale Domiciliary Care Partnership' WHERE ref = 'NOR'"
    )
    await stage.owner.execute(
        "UPDATE care_workers SET name = 'Anna-Magdalena Kowalska-Featherstonehaugh' WHERE ref = 'W-K'"
    )
    await stage.owner.execute(
        "UPDATE service_users SET area = 'Stoke-sub-Hamdon-with-Llanfairpwllgwyngyll' WHERE ref = 'P-D'"
    )
    kinds = {"V-1": MISSED, "V-2": LATE | {"carers_required": 2}, "V-3": LATE | {"care_worker_refs": []}}
    for n, (ref, how) in enumerate(kinds.items()):
        await stage.alarm(await stage.plan(ref, at=f"0{6 + n}:00", **how))
    missing = [{"code": "second_worker_missing", "measure": 1.0, "limit": 2.0, "unit": ""}]
    pair = await stage.plan(
        "V-4", person="P-A", carers_required=2, workers=("W-K", "W-M"), state="in_progress", actual_start=NOW,
        findings=missing,
    )  # fmt: skip
    await stage.alarm(pair, kind="second_worker_missing")
    page = await live(await open_page(stage, "/board"))
    await expect(page.locator("tr.need")).to_have_count(4)
    await expect(page.locator("tr.need", has_text="nobody rostered")).to_have_count(1)
    faults = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.wait_for_timeout(120)
        faults += await page.evaluate(SQUEEZED)
        faults += await page.evaluate(TOO_WIDE)
    assert faults == []


async def test_whoever_is_signed_out_meanwhile_is_told_and_brought_back(stage: Stage, open_page, monkeypatch):
    monkeypatch.setattr("ecm.board.hub.HEARTBEAT_SECONDS", 0.2)
    page = await live(await open_page(stage, "/board?tier=A"))
    await stage.owner.execute("DELETE FROM sessions")
    await expect(page.get_by_role("alert")).to_contain_text("You were signed out", timeout=30_000)
    assert await page.locator("input[name=next]").get_attribute("value") == "/board?tier=A"


async def test_a_colleagues_link_keeps_its_filters_through_the_door(stage: Stage, open_page):
    hashed = _hasher.hash("a-long-made-up-phrase")
    await stage.owner.execute("UPDATE accounts SET password_hash = $1 WHERE name = 'Dana Duty'", hashed)
    page = await open_page(stage, "/board?provider=HAR#q=rafi+begum", who=None)
    assert await page.locator("input[name=next]").get_attribute("value") == "/board?provider=HAR"
    told: list[str] = []
    page.on("request", lambda request: told.append(f"{request.url} {request.post_data or ''}"))
    await page.get_by_label("E-mail address").fill("dana@example.org")
    await page.get_by_label("Password").fill("a-long-made-up-phrase")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await live(page)
    await expect(page).to_have_url(re.compile(r"/board\?provider=HAR#q=rafi\+begum$"))
    await expect(page.locator("#find")).to_have_value("rafi begum")
    await page.locator("#find").fill("amina")
    await expect(page).to_have_url(re.compile(r"/board\?provider=HAR#q=amina$"))
    await page.reload()
    await expect((await live(page)).locator("#find")).to_have_value("amina")
    assert told
    assert not any("begum" in each or "amina" in each for each in told), "no server and no log is told a name"


async def test_a_refusal_is_said_and_can_be_closed(stage: Stage, open_page):
    await stage.alarm(await stage.plan("V-1", at="09:00", **LATE))
    page = await live(await open_page(stage, "/board"))
    answer = {"title": "Conflict", "detail": "Sam Okafor has taken this on already.", "status": 409}
    await page.route("**/acknowledgement", lambda route: route.fulfill(status=409, json=answer))
    button = page.locator("tr.need").get_by_role("button", name="Acknowledge")
    await button.click()
    await expect(page.locator("#error")).to_contain_text(
        "You did not take this on: Sam Okafor has taken this on already."
    )
    await expect(button).to_be_enabled()
    await page.locator("#error").get_by_role("button", name="Close").click()
    await expect(page.locator("#error")).to_be_hidden()


async def test_a_row_that_is_taken_on_keeps_its_place_and_the_focus(stage: Stage, open_page):
    """Two visits of one late worker are one row; its owner is part of which row it is."""
    first = await stage.plan("V-1", person="P-T", at="08:00", workers=("W-M",), **LATE)
    await stage.alarm(first, severity="warning")
    await stage.alarm(
        await stage.plan("V-2", person="P-T", at="08:30", workers=("W-M",), **LATE), severity="warning"
    )
    await stage.alarm(
        await stage.plan("V-3", person="P-T", at="09:00", workers=("W-K",), **LATE), severity="warning"
    )
    page = await live(await open_page(stage, "/board"))
    row = page.locator("tr.need").first
    await expect(row).to_contain_text("Running late")
    await row.get_by_role("button", name="Acknowledge").focus()
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("Dana Duty")
    await expect(page.locator("tr.need")).to_have_count(2)
    await expect(page.locator("tr.need.settled")).to_have_count(0)
    assert await focused(page) == f"/visits/{first}"


async def test_a_row_that_rises_keeps_the_focus(stage: Stage, open_page):
    await stage.alarm(await stage.plan("V-1", at="08:00", workers=("W-M",), **LATE))
    lower = await stage.plan("V-2", person="P-T", provider="HAR", workers=("W-B",), at="09:00", **LATE)
    await stage.alarm(lower, severity="warning", provider_ref="HAR")
    page = await live(await open_page(stage, "/board"))
    await page.locator(f'tr.need[data-visit="{lower}"] a.name').focus()
    await page.evaluate(LATER_BY, 21_000)  # the order is held for somebody who is there, not for ever
    await stage.owner.execute("UPDATE service_users SET risk_tier = 'A' WHERE ref = 'P-T'")
    await stage.becomes(lower, **MISSED, planned_start=NOW - timedelta(hours=2))
    await expect(page.locator("tr.need").first).to_have_attribute("data-visit", str(lower), timeout=30_000)
    assert await focused(page) == f"/visits/{lower}"


async def test_rows_that_a_filter_leaves_out_are_not_called_settled(stage: Stage, open_page):
    for n, (person, tier) in enumerate((("P-D", "A"), ("P-T", "C"))):
        await stage.alarm(await stage.plan(f"V-{tier}", person=person, at=f"0{8 + n}:00", **MISSED))
    page = await live(await open_page(stage, "/board"))
    await page.locator("tr.need").last.locator("a.name").focus()
    await page.keyboard.press("m")
    await expect(page.locator("tr.need")).to_have_count(0)
    await page.keyboard.press("m")
    await expect(page.locator("tr.need")).to_have_count(2)
    await page.wait_for_timeout(1_200)
    assert await page.locator("#announcer").text_content() == ""  # nothing of it is news


async def test_the_laptops_clock_does_not_matter(stage: Stage, open_page):
    """Ten minutes wrong, before the page has read anything."""
    await stage.alarm(await stage.plan("V-1", at="09:00", **LATE))
    page = await open_page(stage, "/board")
    await page.add_init_script("const right = Date.now; Date.now = () => right() - 600_000")
    await live(page)
    await page.reload()
    await live(page)
    await expect(page.locator(".late-by")).to_have_text(re.compile(r"^20:\d\d$"))
    await expect(page.locator("#clock")).to_have_text(re.compile(r"^09:20:\d\d$"))


async def test_a_visit_leads_back_to_the_row_and_the_filters(stage: Stage, open_page):
    first = await stage.plan("V-1", at="08:00", **MISSED)
    second = await stage.plan("V-2", person="P-A", at="08:30", **MISSED)
    for visit in (first, second):
        await stage.alarm(visit)
    page = await live(await open_page(stage, "/board?tier=A"))
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.locator(".visit-head").get_by_role("link", name="Board").click()
    await expect(page).to_have_url(re.compile(r"/board\?tier=A$"))
    await live(page)
    await expect(page.locator(f'tr.need[data-visit="{second}"] a.name')).to_be_focused()


async def test_the_skip_link_and_the_filters_come_before_the_rows(stage: Stage, open_page):
    await stage.alarm(await stage.plan("V-1", at="09:00", **LATE))
    page = await live(await open_page(stage, "/board"))
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    assert (await page.locator(".skip").bounding_box())["y"] >= 0
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator('[data-counter="without_care"]')).to_be_focused()
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("mode", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
async def test_the_board_is_whole_with_the_systems_own_colours_and_without_motion(
    morning, open_page, picture, mode
):
    page = await live(await open_page(morning, "/board", **mode))
    await page.locator("tr.need").first.wait_for()
    assert await page.evaluate("document.getAnimations().length") == 0
    border = "getComputedStyle(document.querySelector('tr.need.critical')).borderLeftStyle"
    assert await page.evaluate(border) == ("solid" if "forced_colors" in mode else "none")
    await picture(page, f"board-{next(iter(mode))}")


async def test_a_slow_line_comes_back_after_a_long_cut(stage: Stage, open_page):
    """Half a minute of silence is reason to cut a line that was open, not one that was opened just now."""
    page = await live(await open_page(stage, "/board"))
    loop = asyncio.get_running_loop()

    def slowly(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        server.on_message(lambda said: loop.call_later(2.5, line.send, said))

    await page.route_web_socket(re.compile("/board/live"), slowly)
    await stage.hang_up()
    await expect(page.locator("#not-live")).to_be_visible(timeout=30_000)
    await page.evaluate(LATER_BY, 31_000)
    await stage.listen()
    await expect(page.locator("#not-live")).to_be_hidden(timeout=30_000)
    await expect(page.locator("#announcer")).to_have_text("Live again.")


async def test_what_was_written_survives_being_signed_out(stage: Stage, open_page):
    visit = await stage.plan("V-1", at="09:00", **LATE)
    page = await open_page(stage, f"/visits/{visit}")
    await page.get_by_label("What to add").select_option("note")
    await page.get_by_label("Reason").select_option(index=1)
    await page.get_by_label("Note").fill("Rang at 09:18: she is at her daughter's.")
    await stage.owner.execute("DELETE FROM sessions")
    await page.get_by_role("button", name="Add to the record").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing was added yet")
    assert await page.get_by_label("Note").input_value() == "Rang at 09:18: she is at her daughter's."
    token = await stage.signed_in("dana")
    await page.context.add_cookies([{"name": "ecm_session", "value": token, "url": stage.url}])
    await page.get_by_role("button", name="Add to the record").click()
    await expect(page.get_by_role("alert")).to_contain_text("Added.")


async def test_every_script_of_a_page_is_asked_for_at_once(stage: Stage, open_page):
    page = await live(await open_page(stage, "/board"))
    loaded = await page.evaluate(
        "performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js')).map((r) => r.name)"
    )
    named = await page.evaluate(
        "[...document.querySelectorAll('[rel=modulepreload]')].map((link) => link.href)"
    )
    assert {url for url in loaded if not url.endswith("/theme.js")} == set(named)


async def test_nothing_is_counted_and_no_time_is_told_before_the_day_was_read(stage: Stage, open_page):
    page = await open_page(stage, "/nowhere")
    await page.route("**/board/tickets", lambda route: route.abort())
    await page.goto("/board")
    await expect(page.locator("#not-live")).to_contain_text(
        "Not all of the day could be read yet", timeout=30_000
    )
    await expect(page.locator("#needs")).to_contain_text("Loading today")
    assert await page.locator(".counter .big").all_text_contents() == ["–"] * 7
    assert await page.locator("#needs-count").text_content() == "–"
    assert await page.locator("#clock").text_content() == "--:--:--"
