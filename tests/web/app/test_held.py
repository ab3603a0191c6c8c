"""Anna asks on her phone what is held about her, reads it, takes it with her, and the phone keeps none of it."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import Page

from tests.web.app.doorstep import Doorstep


async def test_she_reads_what_is_held_about_her_and_takes_it_with_her(
    doorstep: Doorstep, annas: Page, tmp_path: Path
) -> None:
    await annas.get_by_role("link", name="More").click()
    await annas.get_by_role("link", name="What is held about me").click()
    await annas.get_by_text("Who you are").click()
    await annas.get_by_text("Your phones · 1", exact=True).click()
    shown = await annas.locator("main").inner_text()
    assert "Anna" in shown

    async with annas.expect_download() as saving:
        await annas.get_by_role("button", name="Save as a file").click()
    await (await saving.value).save_as(tmp_path / "held.json")
    saved = json.loads((tmp_path / "held.json").read_text())
    assert saved["parts"]["care_worker"][0]["name"].startswith("Anna")
    assert saved["parts"]["visits"]


async def test_without_a_signal_it_says_so_and_asks_again(doorstep: Doorstep, annas: Page) -> None:
    await doorstep.hang_up()
    await annas.goto(f"{annas.url.partition('#')[0]}#/held")
    await annas.get_by_text("This needs the service").wait_for()
    await doorstep.listen()
    await annas.get_by_role("button", name="Try again").click()
    await annas.locator("#held-save").wait_for()
