"""Every page, at a phone, a laptop and a control room, by day and by night: axe finds nothing, nothing is wider
than the screen, and a picture is taken (build/pictures) for people to look at."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import axe_playwright_python
import pytest

from tests.board.stage import Stage
from tests.postgres import TEMPLATE, Cluster
from tests.web.borough import EXPLAINED
from tests.web.conftest import morning_in

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
PHONE, LAPTOP, CONTROL_ROOM = (390, 844), (1366, 768), (1920, 1080)
PAGES = {
    "sign-in": ("/?sign_in=failed", None, "h1"),
    "board": ("/board", "dana", "tr.need"),
    "visit": (f"/visits/{EXPLAINED}", "dana", ".timeline li"),
    "exceptions": ("/exceptions", "dana", ".event"),
    "actuals": ("/actuals?period=2026-W48", "finn", ".lines"),
    "actuals-not-run": ("/actuals?period=2026-W47", "finn", ".empty"),
    "settings": ("/settings", "ada", ".todo li"),
    "settings-people": ("/settings/people", "ada", ".list td"),
    "settings-devices": ("/settings/devices", "ada", ".list td"),
    "settings-keys": ("/settings/keys", "ada", ".list td"),
    "settings-sign-in": ("/settings/sign-in", "ada", ".card"),
    "settings-roles": ("/settings/roles", "ada", ".roles td"),
    "settings-audit": ("/settings/audit", "otto", ".list td"),
    "me": ("/me", "dana", "#password-title"),
    "not-permitted": ("/board", "finn", "h1"),
    "not-found": ("/nowhere", "dana", "h1"),
}
VIEWS = [
    ("laptop", LAPTOP, "dark", True),
    ("laptop", LAPTOP, "light", True),
    ("control-room", CONTROL_ROOM, "light", False),
    ("laptop-at-200-percent", (683, 384), "light", False),
    ("phone", PHONE, "light", True),
]
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.flatMap(
    (v) => v.nodes.slice(0, 2).map((n) => `${v.id}: ${n.html.slice(0, 120)}: ${n.failureSummary.slice(0, 200)}`))"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('main *, header *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(-5).map((e) => 'too wide: ' + e.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
async def morning(cluster: Cluster) -> AsyncIterator[Stage]:
    """One for all the pages, which are only looked at."""
    database = cluster.create(TEMPLATE)
    async with morning_in(database) as stage:
        yield stage
    cluster.drop(database)


@pytest.mark.parametrize("name", PAGES)
async def test_every_page_is_readable_by_everybody(morning, open_page, picture, name):
    path, who, sign = PAGES[name]
    page = await open_page(morning, path, who=who, size=LAPTOP)
    await page.locator(sign).first.wait_for()
    await page.evaluate(AXE)
    if name == "board":
        await page.locator("#lanes .block").first.wait_for()
    faults = []
    for view, (width, height), scheme, with_axe in VIEWS:
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(120)
        found = await page.evaluate(TOO_WIDE)
        if with_axe:
            found += await page.evaluate(RUN_AXE)
        faults += [f"{view} {scheme}: {fault}" for fault in found]
        if not os.environ.get("CI"):
            await picture(page, f"{name}-{view}-{scheme}", full_page=view == "phone" or name == "visit")
    assert faults == []
