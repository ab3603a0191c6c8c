"""Anna's round: set up with a code, checked in at the door, checked out, and every record signed by her phone."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.web.app.doorstep import Doorstep


async def test_a_check_in_is_saved_signed_and_sent(doorstep: Doorstep, annas: Page) -> None:
    await expect(annas.get_by_text("At the home", exact=False).first).to_be_visible()
    await annas.get_by_role("button", name="Check in").click()
    await expect(annas.get_by_role("main").get_by_text("Checked in 09:0")).to_be_visible()
    await doorstep.until_stored(events=1)
    [event] = await doorstep.events()
    assert (event["kind"], event["method"], event["care_worker"], event["visit"]) == (
        "check_in", "app", "W-K", "V-1",
    )  # fmt: skip
    assert event["proofs"] == ["signed"]
    assert event["accuracy_m"] == 12
    await expect(annas.locator("#sending")).to_contain_text("Sent 09:0")
