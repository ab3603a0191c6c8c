"""The visit page as an officer reads it: each kind of evidence in plain words, what phones reported on the same line
of time, and an entry by hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

import ingest
from ecm import api
from ecm.sealing import Sealer
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.door import CheckEventsDoor
from tests.board.stage import NOW, Stage, staged
from tests.web.borough import EXPLAINED
from tests.web.test_every_page import AXE, CONTROL_ROOM, LAPTOP, PHONE, RUN_AXE, TOO_WIDE

HOME = "+441632960001"
MOBILE = "+447700900301"
BEGAN = NOW - timedelta(minutes=20)

# method, what the door checked, finding, number that rang -> the title, and the words of who, where and when
KINDS = [
    ("app", "signed", "location_inside", None,
     "app", "signed by the worker's own phone", "the position is at the home", "received as it happened"),
    ("qr", "signed tag_printed", "location_none", None,
     "the printed code in the home", "signed by", "printed tag, which can be copied", "received"),
    ("nfc", "signed tag_fresh", "location_none", None,
     "the tag in the home", "tag checked", "secure tag was tapped", "received"),
    ("nfc", "signed tag_stale", "location_none", None,
     "the tag in the home", "tap kept back", "kept back", "received"),
    ("nfc", "signed tag_forged", "location_none", None,
     "the tag in the home", "tag does not check", "nothing says where", "received"),
    ("landline", "pin", "location_inside", HOME,
     "telephone 01632960001", "PIN by telephone", "the home's telephone", "heard as it happened"),
    ("landline", "pin withheld", "location_none", None,
     "a telephone with its number withheld", "number withheld", "nothing says where", "heard as it happened"),
    ("landline", "rang_own_number", "location_inside", HOME,
     "an unanswered ring", "the worker's own line was rung", "the home's telephone", "heard"),
    ("sms", "registered_mobile", "location_none", MOBILE,
     "text message from 07700900301", "registered mobile", "nothing says where", "a text, which can come late"),
    ("token", "signed code_valid", "location_none", None,
     "the code card in the home", "code checked", "the code shown in the home at that minute", "the code shown"),
    ("app", "partner", "location_inside", None,
     "another system’s app", "told by another system", "the position is at the home", "received"),
    ("manual", "typed", "location_none", None,
     "entered by hand by Cole Coordinator", "No proof", "nothing says where", "“Her daughter rang”"),
]  # fmt: skip


@pytest.fixture
async def stage(database: Addresses) -> AsyncIterator[Stage]:
    """The small cast, with the door that takes evidence."""
    ingest_db = await Database.connect(database.app, role="ecm_ingest", size=1)
    async with staged(database, *api.routers(), *ingest.routers(), pages=True) as stage:
        door = CheckEventsDoor(ingest_db, stage.clock, Sealer.of(bytes(32)))
        stage.app.state.recorder = door.recorder
        await door.start()
        yield stage
        await door.stop()
    await ingest_db.close()


async def with_every_kind(stage: Stage) -> int:
    visit = await stage.plan("V-1")
    findings = []
    for n, (method, proofs, finding, cli, *_) in enumerate(KINDS):
        event, at = UUID(int=n + 1), BEGAN + timedelta(seconds=90 * n)
        fix = (52.6369, -1.1398, 12.0) if method == "app" else (None, None, None)
        said = {"note": "Her daughter rang", "entered_by": "Cole Coordinator"} if method == "manual" else {}
        await stage.owner.execute(
            "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, lat,"
            " lon, accuracy_m, cli, reason_code, proofs, body_sha256, body)"
            " VALUES (1, $1, $2, $3, $4, $5, 'W-K', $6, $7, $8, $9, $10, $11, '', $12)",
            event, at + timedelta(seconds=2), "check_in" if n % 2 == 0 else "check_out", at, method, *fix, cli,
            "forgot_check_out" if said else None, proofs.split(), json.dumps(said),
        )  # fmt: skip
        await stage.owner.execute(
            "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, care_worker_ref, visit_id, status, reason,"
            " explicit, decided_at) VALUES (1, $1, $2, 'W-K', $3, 'matched', 'named its visit', true, $2)",
            event, at, visit,
        )  # fmt: skip
        findings.append(
            {
                "code": finding,
                "event_id": str(event),
                "measure": 18.0,
                "limit": 100.0,
                "unit": "m",
                "detail": "",
            }
            if fix[0]
            else {"code": finding, "event_id": str(event), "detail": ""}
        )
    for n, (kind, urgency, words) in enumerate(
        [("at_the_door", None, None), ("no_reply", "now", "Rang twice"), ("concern", "today", "Very tired"),
         ("hazard", "routine", "Loose rug"), ("sos", "now", None), ("tasks", None, None)]
    ):  # fmt: skip
        await stage.owner.execute(
            "INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, care_worker_ref, provider_ref,"
            " service_user_ref, visit_id, urgency, words, tasks, proofs, body_sha256, body)"
            " VALUES (1, $1, $2, $3, $3, 'W-K', 'NOR', 'P-D', $4, $5, $6, $7, '{signed}', '', '')",
            UUID(int=100 + n), kind, BEGAN + timedelta(minutes=1 + 2 * n), visit, urgency, words,
            [{"name": "medication", "done": True}, {"name": "meal", "done": False}] if kind == "tasks" else [],
        )  # fmt: skip
    await stage.becomes(visit, findings=findings, state="in_progress", actual_start=BEGAN)
    return visit


def line(page: Page, title: str, n: int = 0):
    return page.locator(".timeline li").filter(has=page.locator("b", has_text=title)).nth(n)


async def test_each_kind_of_evidence_reads_in_plain_words(stage: Stage, open_page, picture) -> None:
    visit = await with_every_kind(stage)
    page = await open_page(stage, f"/visits/{visit}", who="cole")
    seen: dict[str, int] = {}
    for n, (*_, title, first, second, third) in enumerate(KINDS):
        whole = f"{'Check-in' if n % 2 == 0 else 'Check-out'}, {title}"
        item = page.locator(".timeline li").filter(has=page.get_by_text(whole, exact=True))
        item = item.nth(seen.setdefault(whole, 0))
        seen[whole] += 1
        for words in (first, second, third):
            await expect(item).to_contain_text(words)
        assert await item.locator(".grades dt").all_text_contents() == ["Who", "Where", "When"]

    faults = []
    await page.evaluate(AXE)
    for view, (width, height), scheme in [
        ("phone", PHONE, "light"), ("laptop", LAPTOP, "dark"), ("laptop", LAPTOP, "light"),
        ("control-room", CONTROL_ROOM, "light"),
    ]:  # fmt: skip
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=scheme)
        await page.wait_for_timeout(120)
        faults += await page.evaluate(TOO_WIDE) + await page.evaluate(RUN_AXE)
        if not os.environ.get("CI"):
            await picture(page, f"visit-evidence-{view}-{scheme}", full_page=True)
    assert faults == []


async def test_what_phones_reported_stands_on_the_same_line_of_time(stage: Stage, open_page) -> None:
    visit = await with_every_kind(stage)
    page = await open_page(stage, f"/visits/{visit}", who="cole")
    await expect(line(page, "No reply at the door")).to_contain_text("urgency: now")
    await expect(line(page, "No reply at the door")).to_contain_text("“Rang twice”")
    await expect(line(page, "Tasks")).to_contain_text("medication: done · meal: not done")
    await expect(line(page, "Called for help")).to_have_class("critical")
    titles = await page.locator(".timeline b").all_text_contents()
    assert titles.index("At the door, waiting") == titles.index("Check-in, app") + 1


async def test_the_page_stands_without_the_reports(stage: Stage, open_page) -> None:
    visit = await stage.plan("V-1")
    page = await open_page(stage, "/exceptions", who="cole")
    await page.route("**/reports", lambda route: route.fulfill(status=503, body="{}"))
    await page.goto(f"/visits/{visit}")
    await expect(page.get_by_text("could not be read just now")).to_be_visible()
    await expect(line(page, "Planned start")).to_be_visible()


async def test_whoever_may_not_read_an_address_sees_no_number_and_no_position(
    stage: Stage, open_page
) -> None:
    visit = await with_every_kind(stage)
    page = await open_page(stage, f"/visits/{visit}", who="finn")
    await expect(line(page, "Check-out, telephone")).to_contain_text("…001")
    everything = await page.content()
    assert not any(secret in everything for secret in (HOME, MOBILE, "52.6369", "-1.1398"))
    await expect(page.get_by_role("button", name="Enter by hand")).to_have_count(0)


async def test_what_somebody_told_the_desk_is_entered_by_hand(stage: Stage, open_page, picture) -> None:
    visit = await stage.plan("V-1")
    page = await open_page(stage, f"/visits/{visit}", who="cole", size=PHONE)
    await page.get_by_role("button", name="Enter by hand").click()
    form = page.get_by_role("dialog", name="Enter by hand")
    await expect(form.get_by_label("Reason").locator("option").nth(2)).to_be_attached()
    await page.evaluate(AXE)
    assert await page.evaluate(RUN_AXE) + await page.evaluate(TOO_WIDE) == []
    if not os.environ.get("CI"):
        await picture(page, "visit-enter-by-hand-phone")

    await form.get_by_label("When").fill("23:59:59")
    await form.get_by_label("Reason").select_option(index=1)
    await form.get_by_label("How do you know?").fill("She rang from the bus")
    await form.get_by_role("button", name="Enter").click()
    await expect(form.get_by_role("alert")).to_contain_text("has not happened yet")
    await form.get_by_label("When").fill("09:04")
    await form.get_by_role("button", name="Enter").click()
    await expect(form).to_have_count(0)

    [entered] = await stage.owner.fetch("SELECT * FROM check_events")
    assert (entered["method"], entered["care_worker"], entered["visit"]) == ("manual", "W-K", "V-1")
    assert entered["occurred_at"] == NOW.replace(hour=9, minute=4)


async def test_a_nights_check_out_by_hand_is_next_morning(stage: Stage, open_page) -> None:
    stage.clock.at += timedelta(days=2)
    visit = await stage.plan("V-night", at="22:00", minutes=9 * 60)
    page = await open_page(stage, f"/visits/{visit}", who="dana")
    await page.get_by_role("button", name="Enter by hand").click()
    form = page.get_by_role("dialog", name="Enter by hand")
    await form.get_by_label("What happened").select_option("check_out")
    await form.get_by_label("When").fill("06:58")
    await form.get_by_label("Reason").select_option(index=1)
    await form.get_by_role("button", name="Enter").click()
    await expect(form).to_have_count(0)
    assert str(await stage.owner.fetchval("SELECT occurred_at FROM check_events")).startswith(
        "2026-11-24 06:58"
    )


async def test_on_a_narrow_phone_the_captured_times_stand_above_their_bar(morning: Stage, open_page) -> None:
    page = await open_page(morning, f"/visits/{EXPLAINED}", size=(320, 640))
    said = page.locator(".time-row", has_text="Captured").locator(".time-said")
    await expect(said).to_have_text(re.compile(r"\d\d:\d\d:\d\d–\d\d:\d\d:\d\d · 30 min"))
    await expect(said).to_be_visible()
    assert await page.evaluate(TOO_WIDE) == []
