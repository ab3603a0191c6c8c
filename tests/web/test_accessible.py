"""axe finds nothing on any page, by day and by night, on a desk and on a phone."""

from pathlib import Path

import axe_playwright_python
import pytest

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
PAGES = {
    "sign-in": ("/?sign_in=failed", None, "h1"),
    "board": ("/board", "dana", "tr.need"),
    "visit": ("/visits/14", "dana", ".timeline li"),
    "exceptions": ("/exceptions", "dana", "h1"),
    "actuals": ("/actuals?period=2026-W48", "finn", "h1"),
    "not permitted": ("/board", "finn", "h1"),
    "not found": ("/nowhere", "dana", "h1"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(morning, open_page, scheme):
    found = []
    for name, (path, who, sign) in PAGES.items():
        for size in ((1366, 768), (390, 844)):
            page = await open_page(morning, path, who=who, size=size, color_scheme=scheme)
            await page.locator(sign).first.wait_for()
            await page.wait_for_timeout(150)
            await page.evaluate(AXE)
            answer = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [
                f"{name} {size[0]}: {violation['id']}: {node['html'][:120]}: {node['failureSummary'][:200]}"
                for violation in answer["violations"]
                for node in violation["nodes"][:2]
            ]
            await page.context.close()
    assert found == []


async def test_no_page_is_wider_than_a_phone(morning, open_page):
    wide = []
    for name, (path, who, sign) in PAGES.items():
        page = await open_page(morning, path, who=who, size=(390, 844))
        await page.locator(sign).first.wait_for()
        await page.wait_for_timeout(150)
        over = await page.evaluate(
            "document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll('main *, header *')]"
            ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"
            ".slice(0, 6) : []"
        )
        wide += [f"{name}: {one}" for one in over]
    assert wide == []
