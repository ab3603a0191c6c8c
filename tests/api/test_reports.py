"""What Alice's phone says beside her check-ins arrives once, is hers, and reaches whoever reads the visit."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Story
from tests.api.test_phones import Caller, alices, shared

__all__ = ["alices", "shared"]


def report(**said: Any) -> dict[str, Any]:
    fields = {"id": str(uuid4()), "kind": "no_reply", "occurred_at": "2026-11-21T09:06:00Z", "visit": "V-A"}
    return fields | said


async def told(caller: Caller, *payloads: Any) -> Any:
    items = [caller.phone.item(payload) for payload in payloads]
    return await caller.at.post("/v1/reports", json=items, headers=caller.phone.headers)


async def test_a_report_is_kept_once_and_stands_with_its_visit(story: Story, alices: Caller) -> None:
    said = report(words="Knocked and rang", urgency="now", tasks=[{"name": "medication", "done": False}])
    first, again = await told(alices, said), await told(alices, said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()[0]["status"] == "exists"
    assert again.json()[0]["received_at"] == first.json()[0]["received_at"]
    cory, cleo = await story.signed_in("cory"), await story.signed_in("cleo")
    [shown] = (await cory.get("/v1/visits/1/reports")).json()
    assert (shown["kind"], shown["words"], shown["care_worker"], shown["proofs"]) == (
        "no_reply", "Knocked and rang", "CW-A", ["signed"],
    )  # fmt: skip
    assert (await cleo.get("/v1/visits/1/reports")).status_code == 404
    [reduced] = (await (await story.signed_in("fay")).get("/v1/visits/1/reports")).json()
    assert (reduced["kind"], reduced["words"]) == ("no_reply", None)
    assert [row["visit_id"] for row in await story.all("SELECT visit_id FROM alert_queue")] == [1]


async def test_a_call_for_help_that_names_no_visit_finds_the_workers_nearest(
    story: Story, alices: Caller
) -> None:
    answer = await told(alices, report(kind="sos", visit=None))
    assert answer.status_code == 201
    assert (await story.one("SELECT visit_id FROM reports"))["visit_id"] == 1


async def test_a_call_for_help_rings_though_no_visit_is_near_or_known(story: Story, alices: Caller) -> None:
    await story.run(
        "UPDATE visits SET window_start = window_start - interval '9 days', local_date = local_date - 9"
    )
    answer = await told(alices, report(kind="sos", visit="V-nobody-knows"), report(kind="note", visit=None))
    assert [one["detail"] for one in answer.json()] == ["", ""]
    rows = await story.all("SELECT kind, visit_id, service_user_ref FROM reports ORDER BY kind DESC")
    assert [tuple(row) for row in rows] == [("sos", 1, None), ("note", None, None)]
    assert [row["visit_id"] for row in await story.all("SELECT visit_id FROM alert_queue")] == [1]


async def test_a_call_for_help_from_a_phone_two_days_slow_is_placed_where_its_worker_is(
    story: Story, alices: Caller
) -> None:
    await story.run(
        "INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, window_start,"
        " care_worker_refs) OVERRIDING SYSTEM VALUE VALUES (1, 9, 'V-C', 'SU-A', 'P1', '2026-11-19', 'Europe/London',"
        " '2026-11-19T09:06Z', '{CW-A}')"
    )
    await told(alices, report(kind="sos", visit=None, occurred_at="2026-11-19T09:06:00Z"))
    await told(alices, report(kind="concern", visit=None, occurred_at="2026-11-19T09:06:00Z"))
    rows = await story.all("SELECT kind, visit_id FROM reports ORDER BY kind")
    assert [tuple(row) for row in rows] == [("concern", 9), ("sos", 1)]


async def test_a_call_for_help_from_a_phone_whose_clock_was_lost_rings(story: Story, alices: Caller) -> None:
    answer = await told(alices, report(kind="sos", visit=None, occurred_at="1970-01-01T00:03:00Z"))
    assert answer.json()[0]["detail"] == ""
    assert [row["visit_id"] for row in await story.all("SELECT visit_id FROM alert_queue")] == [1]


async def test_a_call_for_help_of_a_worker_without_visits_rings_beside_the_providers_nearest(
    story: Story, alices: Caller
) -> None:
    await story.run("UPDATE visits SET care_worker_refs = '{}'")
    await told(alices, report(kind="sos", visit=None))
    assert (await story.one("SELECT visit_id FROM reports"))["visit_id"] == 1


async def test_where_nobody_can_be_told_the_phone_says_so(story: Story, alices: Caller) -> None:
    await story.run("UPDATE visits SET cancelled = true")
    answer = await told(alices, report(kind="sos", visit=None))
    assert answer.json()[0]["detail"] == "nobody could be told: ring the office, or 999"


async def test_a_visit_of_another_provider_is_not_named(story: Story, alices: Caller) -> None:
    await told(alices, report(visit="V-B"))
    assert (await story.one("SELECT visit_id FROM reports"))["visit_id"] is None


@pytest.mark.parametrize("field", ["kind", "occurred_at", "id"])
async def test_one_bad_report_costs_the_others_nothing(alices: Caller, field: str) -> None:
    answer = await told(alices, report(), report() | {field: "nonsense"}, report())
    assert [one["status"] for one in answer.json()] == ["created", "rejected", "created"]


async def test_what_another_key_signed_is_turned_away(alices: Caller) -> None:
    from tests.ingest.phone import Phone

    thief = Phone(device_id=alices.phone.device_id)
    answer = await alices.at.post("/v1/reports", json=thief.item(report()), headers=alices.phone.headers)
    assert answer.json()[0]["status"] == "rejected"
    nobody = await alices.at.post("/v1/reports", json=thief.item(report()))
    assert nobody.status_code == 401


async def test_the_same_id_for_something_else_is_a_conflict(alices: Caller) -> None:
    said = report()
    await told(alices, said)
    assert (await told(alices, said | {"words": "other"})).json()[0]["status"] == "conflict"


async def test_a_cut_off_phone_still_delivers_what_it_signed_before(story: Story, alices: Caller) -> None:
    cory = await story.signed_in("cory")
    await cory.post(f"/v1/phones/{alices.phone.device_id}/cut-off", json={"reason": "lost"})
    answer = await told(alices, report(), report(occurred_at="2026-11-21T09:16:01Z"))
    assert [one["status"] for one in answer.json()] == ["created", "rejected"]
    assert (await story.one("SELECT proofs FROM reports"))["proofs"] == ["cut_off", "signed"]


async def test_a_shared_phone_says_whether_a_pin_opened_it(story: Story, shared: Caller) -> None:
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    hers = report(care_worker="CW-A", occurred_at="2026-11-21T09:16:00Z")
    await told(shared, hers | {"unlock": opened.json()["unlock"]}, report(care_worker="CW-A"))
    found = {tuple(row["proofs"]) for row in await story.all("SELECT proofs FROM reports")}
    assert found == {("shared", "signed", "unlocked"), ("shared", "signed")}


async def test_a_long_concern_is_taken_whole(story: Story, alices: Caller) -> None:
    words = "She was on the floor. " * 181  # as much as the app's box takes
    answer = await told(alices, report(kind="concern", urgency="now", words=words[:4000]))
    assert answer.json()[0]["status"] == "created"
    assert (await story.one("SELECT words FROM reports"))["words"] == words[:4000]


@pytest.mark.parametrize(
    ("spoilt", "column", "kept"),
    [
        ({"fix": {"lat": 91, "lon": 0}}, "lat", None),
        ({"urgency": "at once"}, "urgency", None),
        ({"words": "found her \ud83d"}, "words", "found her \ufffd"),
        ({"words": "found \x00 her"}, "words", "found \ufffd her"),
        ({"tasks": [{"name": "x" * 3000, "done": True}]}, "tasks", []),
        ({"visit": 17}, "care_worker_ref", "CW-A"),
    ],
    ids=["no such place", "unknown urgency", "half a picture", "a NUL", "a long task", "a number"],
)
async def test_a_part_that_makes_no_sense_does_not_cost_a_call_for_help(
    story: Story, alices: Caller, spoilt: dict[str, Any], column: str, kept: Any
) -> None:
    answer = await told(alices, report(kind="sos") | spoilt)
    assert [one["status"] for one in answer.json()] == ["created"]
    assert (await story.one("SELECT * FROM reports"))[column] == kept


async def test_a_time_that_no_calendar_knows_costs_the_others_nothing(alices: Caller) -> None:
    answer = await told(alices, report(occurred_at="0001-01-01T00:00:00+14:00"), report(kind="sos"))
    assert [one["status"] for one in answer.json()] == ["rejected", "created"]


@pytest.mark.parametrize("kind", ["concern", "hazard"])
async def test_what_somebody_must_hear_rings_though_no_visit_is_near(
    story: Story, alices: Caller, kind: str
) -> None:
    await story.run(
        "UPDATE visits SET window_start = window_start - interval '9 days', local_date = local_date - 9"
    )
    answer = await told(alices, report(kind=kind, urgency="now", visit=None))
    assert answer.json()[0]["detail"] == ""
    assert [row["visit_id"] for row in await story.all("SELECT visit_id FROM alert_queue")] == [1]


async def test_a_concern_about_somebody_rings_beside_a_visit_of_theirs(story: Story, alices: Caller) -> None:
    await story.run(
        "INSERT INTO service_users (tenant_id, ref, name) VALUES (1, 'SU-C', 'Mr Cole');"
        "INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, window_start)"
        " OVERRIDING SYSTEM VALUE VALUES"
        " (1, 9, 'V-C', 'SU-C', 'P1', '2026-11-19', 'Europe/London', '2026-11-19T09:00Z')"
    )
    await told(alices, report(kind="concern", urgency="now", visit=None, service_user="SU-C"))
    row = await story.one("SELECT visit_id, service_user_ref FROM reports")
    assert tuple(row) == (9, "SU-C")


async def test_a_concern_about_somebody_the_plan_does_not_know_is_not_said_of_another(
    story: Story, alices: Caller
) -> None:
    await told(alices, report(kind="concern", urgency="now", visit=None, person="Mr Nobody Planned"))
    row = await story.one("SELECT visit_id, service_user_ref FROM reports")
    assert tuple(row) == (1, None)


@pytest.mark.parametrize("kind", ["sos", "no_reply", "concern", "hazard"])
async def test_sent_again_it_is_told_again_that_nobody_heard(story: Story, alices: Caller, kind: str) -> None:
    await story.run("UPDATE visits SET cancelled = true")
    said = report(kind=kind, visit=None, urgency="now")
    first, again = [(await told(alices, said)).json()[0] for _ in range(2)]
    assert (first["status"], again["status"]) == ("created", "exists")
    assert first["detail"] == again["detail"] == "nobody could be told: ring the office, or 999"
