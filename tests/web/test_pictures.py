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
