"""Alice's sheet: what her check-ins have in common, told to those who may read her visits, and no position with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.api.conftest import Story

PATH = "/v1/care-workers/CW-A/patterns"
HOME = (53.812345, -1.543210)


async def worked(story: Story, days: int = 24, worker: str = "CW-A", provider: str = "P1") -> None:
    """A visit a day, each exactly as long as planned and from exactly the same place; newest yesterday."""
    for n in range(1, days + 1):
        start = datetime(2026, 11, 21, 9, tzinfo=UTC) - timedelta(days=n)
        ends = [UUID(int=1000 * (1 + (provider == "P2")) + 2 * n + half) for half in (0, 1)]
        times = [start + timedelta(seconds=37 * n), start + timedelta(minutes=30, seconds=37 * n)]
        attendance = {
            "care_worker": worker,
            "check_in_at": times[0].isoformat(),
            "check_out_at": times[1].isoformat(),
            "check_in_event": str(ends[0]),
            "check_out_event": str(ends[1]),
            "amended": False,
        }
        visit = await story.one(
            "INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone,"
            " planned_start, planned_end, window_start, care_worker_refs, state, attendances, findings)"
            " OVERRIDING SYSTEM VALUE VALUES (1, $9, $1, 'SU-A', $2, $3, 'Europe/London', $4, $5,"
            " $4, $6, 'completed', $7, $8) RETURNING visit_id",
            f"V-{provider}-{n}",
            provider,
            start.date(),
            start,
            start + timedelta(minutes=30),
            [worker],
            [attendance],
            [{"code": "location_inside", "event_id": str(end)} for end in ends],
            1000 * (1 + (provider == "P2")) + n,
        )
        for end, at, kind in zip(ends, times, ("check_in", "check_out"), strict=True):
            await story.run(
                "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,"
                " lat, lon, accuracy_m, proofs, body_sha256, body)"
                " VALUES (1, $1, $2, $3, $4, 'app', $5, $6, $7, 12, '{signed}', '', '{}')",
                end, at + timedelta(seconds=2), kind, at, worker, *HOME,
            )  # fmt: skip
            await story.run(
                "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, care_worker_ref, visit_id, status,"
                " reason, explicit, decided_at) VALUES (1, $1, $2, $3, $4, 'matched', 'named', true, $2)",
                end, at, worker, visit["visit_id"],
            )  # fmt: skip


def by_code(sheet: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {found["code"]: found for found in sheet["patterns"]}


async def test_the_sheet_asks_about_what_stands_out_and_names_the_visits(story: Story) -> None:
    await worked(story)
    cory = await story.signed_in("cory")
    sheet = (await cory.get(PATH)).json()
    assert (sheet["name"], sheet["provider_name"], sheet["visits"], sheet["events"]) == (
        "Alice", "Amber Home Care", 24, 48,
    )  # fmt: skip
    assert (sheet["since"], sheet["until"], sheet["whole"]) == ("2026-10-25", "2026-11-21", True)
    assert "nothing is blocked" in sheet["notice"]
    found = by_code(sheet)
    assert {code for code, one in found.items() if one["verdict"] == "ask"} == {
        "repeated_fixes",
        "exact_durations",
    }
    exact = found["exact_durations"]
    assert (exact["count"], exact["sample"], exact["share"]) == (24, 24, 1.0)
    assert [visit["ref"] for visit in exact["visits"]][:2] == ["V-P1-1", "V-P1-2"]
    assert found["manual_share"]["verdict"] == "usual"


async def test_no_position_leaves_the_server(story: Story) -> None:
    await worked(story)
    for who in ("cory", "otto"):
        text = (await (await story.signed_in(who)).get(PATH)).text
        assert not any(part in text for part in ("53.81", "1.5432", '"lat"'))


async def test_a_few_visits_are_too_few_to_tell(story: Story) -> None:
    await worked(story, days=3)
    sheet = (await (await story.signed_in("cory")).get(PATH)).json()
    assert {one["verdict"] for one in sheet["patterns"]} == {"too_few"}


@pytest.mark.parametrize(
    ("span", "visits"),
    [
        ("since=2026-11-18&until=2026-11-19", 2),
        ("since=2026-11-20", 1),
        ("until=2026-11-01", 5),
        ("since=2026-11-19&until=2026-11-18", 0),
        ("until=9999-12-31", 0),
        ("until=0001-01-01", 0),
        ("since=0001-01-01", 24),
        ("since=9999-12-31", 0),
    ],
)
async def test_a_span_is_of_local_dates(story: Story, span: str, visits: int) -> None:
    await worked(story)
    answer = await (await story.signed_in("cory")).get(f"{PATH}?{span}")
    assert (answer.status_code, answer.json()["visits"]) == (200, visits), answer.text


async def test_a_provider_reads_of_its_own_workers_and_visits(story: Story) -> None:
    await worked(story, days=3)
    await worked(story, days=2, worker="CW-A", provider="P2")
    cory, cleo, dana = [await story.signed_in(who) for who in ("cory", "cleo", "dana")]
    assert (await cory.get(PATH)).json()["visits"] == 3
    assert (await cleo.get(PATH)).status_code == 404
    assert (await dana.get(PATH)).json()["visits"] == 5
    assert (await (await story.signed_in("cara")).get(PATH)).status_code == 403
    assert (await story.at_the_door().get(PATH)).status_code == 401


async def test_another_authoritys_worker_of_the_same_reference_is_somebody_else(story: Story) -> None:
    await worked(story, days=3)
    zed = await story.signed_in("zed")
    assert (await zed.get(PATH)).json()["name"] == "Zoe"
    assert (await zed.get(PATH)).json()["visits"] == 0


@pytest.mark.parametrize("ref", ["nobody", "a/b", "CW-A/x", "%00", "é" * 200, "x" * 201])
async def test_nobody_of_that_reference(story: Story, ref: str) -> None:
    answer = await (await story.signed_in("dana")).get(f"/v1/care-workers/{quote(ref, safe='%')}/patterns")
    assert answer.status_code in (404, 422)


async def test_a_reference_may_have_a_slash(story: Story) -> None:
    await story.run(
        "INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES (1, 'A/7', 'Ann', 'P1')"
    )
    answer = await (await story.signed_in("dana")).get("/v1/care-workers/A%2F7/patterns")
    assert answer.json()["name"] == "Ann"


async def test_a_time_an_officer_wrote_is_not_the_workers(story: Story) -> None:
    await worked(story)
    await story.run(
        "UPDATE visits SET attendances = jsonb_set(attendances, '{0,amended}', 'true') WHERE ref LIKE 'V-P1-%'"
    )
    sheet = (await (await story.signed_in("cory")).get(PATH)).json()
    assert by_code(sheet)["exact_durations"]["sample"] == 0
