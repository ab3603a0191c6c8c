"""A care worker's sheet as a manager reads it: questions first, what is usual, too few, and where each stands."""

from __future__ import annotations

import os
from datetime import timedelta
from uuid import UUID

from playwright.async_api import expect

from tests.board.stage import DAY, NOW, Stage
from tests.web.test_every_page import AXE, CONTROL_ROOM, LAPTOP, PHONE, RUN_AXE, TOO_WIDE

WIDE = [("phone", PHONE, "light"), ("laptop", LAPTOP, "dark"), ("laptop", LAPTOP, "light"),
        ("control-room", CONTROL_ROOM, "light"), ("laptop-at-200-percent", (683, 384), "light")]  # fmt: skip


async def four_weeks(stage: Stage, days: int = 26) -> int:
    """Anna is always exactly half an hour, and from the same hand's breadth of the same place."""
    visit = 0
    for n in range(days):
        day = DAY - timedelta(days=n)
        visit = await stage.plan(f"V-{n}", day=day)
        came = NOW.replace(hour=9, minute=0) - timedelta(days=n) + timedelta(seconds=41 * n)
        ends = [UUID(int=2 * n + half + 1) for half in (0, 1)]
        for end, at, kind in zip(
            ends, (came, came + timedelta(minutes=30)), ("check_in", "check_out"), strict=True
        ):
            await stage.owner.execute(
                "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,"
                " lat, lon, accuracy_m, proofs, body_sha256, body)"
                " VALUES (1, $1, $2, $3, $4, 'app', 'W-K', 52.6369, -1.1398, 12, '{signed}', '', '{}')",
                end, at + timedelta(seconds=2), kind, at,
            )  # fmt: skip
            await stage.owner.execute(
                "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, care_worker_ref, visit_id, status,"
                " reason, explicit, decided_at) VALUES (1, $1, $2, 'W-K', $3, 'matched', 'named', true, $2)",
                end, at, visit,
            )  # fmt: skip
        await stage.becomes(
            visit,
            state="completed",
            actual_start=came,
            actual_end=came + timedelta(minutes=30),
            attendances=[
                {
                    "care_worker": "W-K",
                    "check_in_at": came.isoformat(),
                    "check_out_at": (came + timedelta(minutes=30)).isoformat(),
                    "check_in_event": str(ends[0]),
                    "check_out_event": str(ends[1]),
                    "amended": False,
                }
            ],
            findings=[{"code": "location_inside", "event_id": str(end)} for end in ends],
        )
    return visit


async def test_the_questions_stand_first_and_lead_to_their_visits(stage: Stage, open_page, picture) -> None:
    visit = await four_weeks(stage)
    page = await open_page(stage, f"/visits/{visit}", who="cole")
    await page.get_by_role("link", name="Anna Kowalska").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Anna Kowalska")
    await expect(page.get_by_role("note")).to_contain_text("nothing is blocked")
    await expect(page.locator(".summary")).to_contain_text("2 questions to ask. From")
    first = page.locator(".pattern").first
    await expect(first).to_contain_text("Ask about this")
    exact = page.get_by_role("region", name="Stays exactly as planned")
    await expect(exact).to_contain_text("26 of 26 stays were as long as planned, to within 5 seconds.")
    await expect(exact.get_by_role("img")).to_have_attribute("aria-label", "100 %, asked about over 10 %")
    await exact.locator("summary").click()

    faults = []
    await page.evaluate(AXE)
    for view, (width, height), scheme in WIDE:
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(120)
        found = await page.evaluate(TOO_WIDE) + await page.evaluate(RUN_AXE)
        faults += [f"{view} {scheme}: {fault}" for fault in found]
        if not os.environ.get("CI"):
            await picture(page, f"care-worker-{view}-{scheme}", full_page=True)
    assert faults == []

    assert "52.6369" not in await page.content()
    await exact.get_by_role("link").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Mr Derek Dobson")


async def test_few_visits_are_too_few_and_none_says_so(stage: Stage, open_page, picture) -> None:
    await four_weeks(stage, days=3)
    page = await open_page(stage, "/care-workers/W-K", who="cole")
    await expect(page.locator(".pattern .tag")).to_have_text(["Too few to tell"] * 8)
    await expect(page.locator(".summary")).to_contain_text("Too few visits to tell anything.")
    await page.get_by_label("From", exact=True).fill("2026-01-01")
    await page.get_by_label("To", exact=True).fill("2026-01-31")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_text("No visits from Thu, 1 Jan 2026 to Sat, 31 Jan 2026.")).to_be_visible()
    await page.evaluate(AXE)
    assert await page.evaluate(RUN_AXE) == []
    await page.reload()
    await expect(page.get_by_text("No visits from Thu, 1 Jan 2026")).to_be_visible()


async def test_another_providers_worker_and_a_service_that_is_away(stage: Stage, open_page) -> None:
    page = await open_page(stage, "/care-workers/W-B", who="cole")
    await expect(page.get_by_text("There is no such care worker here")).to_be_visible()
    await page.route("**/patterns*", lambda route: route.fulfill(status=503, body="{}"))
    await page.goto("/care-workers/W-K")
    await expect(page.get_by_text("This sheet could not be read")).to_be_visible()
    await page.unroute("**/patterns*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("No visits from")).to_be_visible()
