"""Every page at a phone, a laptop and a control room, by day and by night, for people to look at."""

import pytest

SIZES = {"phone": (390, 844), "laptop": (1366, 768), "control-room": (1920, 1080)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_board_has_its_picture_taken(morning, open_page, picture, size, scheme):
    page = await open_page(morning, "/board", size=SIZES[size], color_scheme=scheme)
    await page.locator("#pill.live").wait_for()
    await page.locator("tr.need").first.wait_for()
    await page.wait_for_timeout(300)
    await picture(page, f"board-{size}-{scheme}", full_page=size == "phone")


PAGES = {
    "sign-in": ("/", None, "h1"),
    "visit": ("/visits/14", "dana", ".timeline li"),
    "exceptions": ("/exceptions", "dana", "h1"),
    "actuals": ("/actuals?period=2026-W48", "finn", "h1"),
    "not-permitted": ("/board", "finn", "h1"),
    "not-found": ("/nowhere", "dana", "h1"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
async def test_every_other_page_has_its_picture_taken(morning, open_page, picture, name, size):
    path, who, sign = PAGES[name]
    page = await open_page(morning, path, who=who, size=SIZES[size])
    await page.locator(sign).first.wait_for()
    await page.wait_for_timeout(300)
    await picture(page, f"{name}-{size}", full_page=size != "control-room")
