"""An address stands in histories, in the logs of whoever carries it and in links passed on, and a title beside it in
histories: ours name nobody."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest

from tests.board.stage import Stage
from tests.web.borough import EXPLAINED

PAGES = {
    "/board": "dana",
    f"/visits/{EXPLAINED}": "dana",
    "/care-workers/CW-0": "dana",
    "/exceptions": "dana",
    "/tags": "cory",
    "/actuals?period=2026-W48": "finn",
}
WHOM = """
SELECT name AS said FROM service_users UNION SELECT name FROM care_workers
UNION SELECT address FROM service_users UNION SELECT postcode FROM service_users
UNION SELECT phone FROM care_workers UNION SELECT phone FROM service_user_phones
UNION SELECT lat::text FROM places UNION SELECT lon::text FROM places"""


@pytest.mark.parametrize("path", PAGES)
async def test_what_a_page_asks_for_and_links_to_names_nobody(path: str, morning: Stage, open_page) -> None:
    asked: list[str] = []
    page = await open_page(morning, path, who=PAGES[path])
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await page.wait_for_load_state("networkidle")
    asked += await page.evaluate("[...document.querySelectorAll('a')].map((a) => a.href)")
    names = [row["said"] for row in await morning.owner.fetch(WHOM) if row["said"]]
    assert len(asked) > 3
    asked.append(await page.title())
    assert names, "or this shows nothing"
    told = [(name, unquote_plus(each)) for each in asked for name in names if name in unquote_plus(each)]
    assert [each for each in told if not each[1].startswith(("tel:", "mailto:"))] == []
