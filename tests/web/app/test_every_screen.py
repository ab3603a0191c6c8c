"""Every screen of the app, by day and by night, in four languages and with text twice as large: axe finds nothing,
nothing is wider than the phone, everything to tap is large enough for a thumb, and a picture is taken of each."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.postgres import TEMPLATE, Cluster
from tests.web.app.conftest import enrol, phones_of
from tests.web.app.doorstep import Doorstep, doorstep_in
from tests.web.test_every_page import AXE, RUN_AXE

TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.classList.contains('unseen'))
    .slice(-3).map((e) => 'too wide: ' + e.outerHTML.slice(0, 100))"""
CROWDED = """() => [...document.querySelectorAll('main *, nav *, header *')]
    .filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !/SELECT|INPUT/.test(e.tagName))
    .slice(-3).map((e) => 'its words run out of it: ' + e.outerHTML.slice(0, 120))"""
TAPPED = (
    "a, button, select, textarea, input:not([type=checkbox]):not([type=radio]), label.choice, .tasks label"
)
TOO_SMALL = """(tapped) => [...document.querySelectorAll(tapped)].filter((e) => !e.closest('.person'))
    .map((e) => [e, e.getBoundingClientRect()])
    .filter(([e, box]) => box.width && (box.height < 47.5 || box.width < 47.5))
    .map(([e, box]) => `too small (${box.width} × ${box.height}): ` + e.outerHTML.slice(0, 100))"""
# A word of a button's or a sentence's that goes on in the next line: its first and last letter stand at other heights.
BROKEN = """() => { const found = []; const range = document.createRange();
    const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = all.nextNode()); ) for (const word of text.data.matchAll(/[^ \\n-]+/g)) {
        range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 1);
        if (new Set(boxes.map((box) => Math.round(box.top))).size > 1) found.push(word[0]); }
    return found; }"""
DATES = {
    "en": "Monday 23 November",
    "cy": "dydd Llun 23 Tachwedd",
    "pl": "23 listopada",
    "ro": "23 noiembrie",
}
SMALL = {"width": 360, "height": 640}
LANGUAGES = ("en", "cy", "pl", "ro")

# what to do first, where to go, what shows that it is there
SCREENS = {
    "today": ("", "#/", "#check-in"),
    "visit": ("", "#/visit/V-1", "#check-in"),
    "visit-of-two": ("", "#/visit/V-3", ".colleagues"),
    "late": ("", "#/late/V-2", ".six"),
    "no-reply": ("", "#/no-reply/V-2", "#tell-office"),
    "no-reply-told": ("no reply", "#/no-reply/V-2", "#leave-no-care"),
    "report": ("", "#/report", "#save-report"),
    "code": ("", "#/code/V-1", "#use-code"),
    "unplanned": ("", "#/unplanned", "#unplanned-in"),
    "scan": ("", "#/scan", "h2"),
    "sos": ("", "#/sos", "#sos-hold"),
    "sos-sure": ("sure", "#/sos", "#sos-yes"),
    "more": ("", "#/more", "#language"),
    "kept": ("check in", "#/kept", ".kept li"),
    "held": ("", "#/held", "#held-save"),
    "checked-in": ("check in", "#/visit/V-1", "#check-out"),
    "leave": ("check in", "#/leave/V-1", ".six"),
    "log-out": ("", "#/log-out", "#log-out"),
    "not-sent": ("not sent", "#/", ".banner.warning"),
}


@pytest.fixture(scope="module")
async def kept_phone(cluster: Cluster, browser: Browser) -> AsyncIterator[Page]:
    """Anna's, for all the screens that are only looked at."""
    database = cluster.create(TEMPLATE)
    async with doorstep_in(database) as doorstep, phones_of(browser, doorstep) as new_phone:
        page = await new_phone()
        await enrol(page, await doorstep.code())
        yield page
    cluster.drop(database)


@pytest.mark.parametrize("name", [name for name, (first, *_) in SCREENS.items() if not first])
async def test_every_screen_serves_everybody(name: str, kept_phone: Page, picture) -> None:
    _, where, sign = SCREENS[name]
    await kept_phone.evaluate("localStorage.removeItem('ecm language')")
    await kept_phone.goto("/app")
    await kept_phone.get_by_text("as of").wait_for()
    await goes(kept_phone, where, sign)
    assert await faults_of(kept_phone, picture, f"app-{name}") == []


@pytest.mark.parametrize("name", [name for name, (first, *_) in SCREENS.items() if first])
async def test_every_screen_serves_everybody_once_something_is_done(
    name: str, doorstep: Doorstep, annas: Page, picture
) -> None:
    first, where, sign = SCREENS[name]
    if first == "check in":
        await annas.locator("#check-in").click()
        await annas.locator("#check-out").wait_for()
        await doorstep.until_stored(events=1)
    if first == "no reply":
        await goes(annas, where, "#tell-office")
        await annas.locator("#tell-office").click()
    if first == "not sent":
        await doorstep.hang_up()
        await annas.locator("#check-in").click()
        await annas.locator("#check-out").wait_for()
    if first == "sure":
        await goes(annas, where, "#sos-hold")
        await annas.locator("#sos-hold").click()
    await goes(annas, where, sign)
    assert await faults_of(annas, picture, f"app-{name}") == []


async def test_a_phone_nobody_has_set_up(new_phone, picture) -> None:
    page = await new_phone()
    await page.locator("#enrol").wait_for()
    assert await faults_of(page, picture, "app-enrol") == []


async def test_a_shared_phone_nobody_has_opened(doorstep: Doorstep, new_phone, picture) -> None:
    page = await new_phone()
    await page.get_by_label("Code from your office").fill(await doorstep.code(None))
    await page.get_by_role("button", name="Set up").click()
    await page.locator("#open").wait_for()
    assert await faults_of(page, picture, "app-unlock") == []


async def test_a_phone_that_was_cut_off(doorstep: Doorstep, new_phone, picture) -> None:
    page = await new_phone()
    await enrol(page, await doorstep.code())
    await doorstep.cut_off()
    await page.reload()
    await page.get_by_role("heading", name="Phone cut off").wait_for()
    assert await faults_of(page, picture, "app-cut-off") == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_on_a_small_phone_the_title_takes_one_line_of_buttons_and_no_word_breaks(
    language: str, doorstep: Doorstep, new_phone, picture
) -> None:
    await doorstep.owner.execute("DELETE FROM visits WHERE ref NOT IN ('V-1', 'V-2')")
    page = await new_phone()
    await page.set_viewport_size(SMALL)
    await enrol(page, await doorstep.code())
    await page.evaluate("(tag) => localStorage.setItem('ecm language', tag)", language)
    await speaks(page, language)
    for where, sign in [
        ("#/", "#check-in"),
        ("#/visit/V-1", "#check-in"),
        ("#/late/V-2", ".six"),
        ("#/sos", "#sos-hold"),
    ]:
        await goes(page, where, sign)
        assert await page.evaluate("document.getElementById('top').offsetHeight") < 76, where
        assert await page.evaluate(BROKEN) == [], where
    await goes(page, "#/late/V-2", ".six")
    last = await page.locator(".six .button").last.bounding_box()
    assert last["y"] + last["height"] < SMALL["height"], "all six reasons are seen at once"
    await goes(page, "#/", "#check-in")
    said = await page.locator("main > .small").inner_text()
    assert DATES[language] in said


async def test_with_the_phones_own_text_twice_as_large_help_stays_under_the_thumb(
    annas: Page, picture
) -> None:
    await annas.set_viewport_size(SMALL)
    tools = await annas.context.new_cdp_session(annas)
    await tools.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    for language in LANGUAGES:
        await speaks(annas, language)
        assert await annas.evaluate(TOO_WIDE) + await annas.evaluate(CROWDED) == []
        box = await annas.locator(".tabs .sos").bounding_box()
        assert box["y"] + box["height"] <= SMALL["height"]
        assert box["height"] >= 48
        assert await annas.evaluate("document.getElementById('tabs').offsetHeight") < SMALL["height"] / 4, (
            language
        )
    if not os.environ.get("CI"):
        await picture(annas, "app-today-phones-own-text-twice-as-large")


async def goes(page: Page, where: str, sign: str) -> None:
    await page.evaluate("(where) => { location.hash = where }", where)
    await page.locator(sign).first.wait_for()


async def faults_of(page: Page, picture, name: str) -> list[str]:
    await page.evaluate(AXE)
    faults: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(60)
        faults += [f"{scheme}: {fault}" for fault in await page.evaluate(RUN_AXE)]
        if not os.environ.get("CI"):
            await picture(page, f"{name}-{scheme}")
    faults += await page.evaluate(TOO_SMALL, TAPPED)
    for language in LANGUAGES:
        await page.evaluate("(tag) => localStorage.setItem('ecm language', tag)", language)
        await speaks(page, language)
        for size in ("106.25%", "212.5%"):
            await page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
            found = await page.evaluate(TOO_WIDE) + await page.evaluate(CROWDED)
            faults += [f"{language} at {size}: {fault}" for fault in found]
    if not os.environ.get("CI"):
        await picture(page, f"{name}-twice-as-large", full_page=True)
    return faults


async def speaks(page: Page, language: str) -> None:
    """As the choice under More does, on the screen that is open."""
    version = await page.evaluate("document.body.dataset.version")
    await page.evaluate(
        """async ([version, tag]) => {
            (await import(`/static/${version}/app/words.js`)).choose(tag);
            (await import(`/static/${version}/app/frame.js`)).refresh();
        }""",
        [version, language],
    )
