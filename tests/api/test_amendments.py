"""Corrections: added, signed, reasoned, and worked out again by processing."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.api.conftest import (
    ADAMS_CHECK_IN,
    ADAMS_VISIT,
    ALICE_SOMEWHERE,
    BAKER_CHECK_IN,
    BAKER_VISIT,
    NOBODY_SOMEWHERE,
    NOW,
    ZANDER_CHECK_IN,
    ZANDER_VISIT,
    Story,
)

OF_ADAMS = f"/v1/visits/{ADAMS_VISIT}/amendments"
OF_BAKER = f"/v1/visits/{BAKER_VISIT}/amendments"
CHECKED_OUT = {
    "kind": "times",
    "care_worker": "CW-A",
    "check_out_at": "2026-11-21T09:31:00+00:00",
    "reason_code": "forgot_check_out",
    "action_taken": "phoned_worker",
}

EACH_KIND: list[dict[str, Any]] = [
    CHECKED_OUT,
    {"kind": "link", "event_id": str(ALICE_SOMEWHERE), "reason_code": "wrong_person"},
    {"kind": "reject", "event_id": str(ADAMS_CHECK_IN), "reason_code": "test"},
    {"kind": "frustrated", "reason_code": "no_reply", "care_worker": "CW-A"},
    {"kind": "frustrated", "reason_code": "in_hospital"},
    {"kind": "cancelled", "reason_code": "cancelled_by_person", "note": "Rang at eight"},
    {"kind": "note", "reason_code": "other", "note": "Key safe is stiff"},
]


async def todos(story: Story) -> list[tuple[int | None, str | None]]:
    rows = await story.all(
        "SELECT visit_id, event_id FROM processing_queue WHERE tenant_id = 1 ORDER BY todo_id"
    )
    return [(row["visit_id"], row["event_id"] and str(row["event_id"])) for row in rows]


async def count(story: Story, table: str) -> int:
    return int((await story.one(f"SELECT count(*) FROM {table}"))[0])


@pytest.mark.parametrize("said", EACH_KIND, ids=[f"{n}_{one['kind']}" for n, one in enumerate(EACH_KIND)])
async def test_each_kind_is_added_signed_audited_and_put_to_processing(
    story: Story, said: dict[str, Any]
) -> None:
    evidence_before = await story.all("SELECT * FROM check_events ORDER BY event_id")
    visit_before = await story.one("SELECT * FROM visits WHERE visit_id = 1")
    listener = await asyncpg.connect(story.web.dsn)
    heard: asyncio.Queue[str] = asyncio.Queue()
    await listener.add_listener("ecm_work", lambda *said: heard.put_nowait(said[3]))

    answer = await (await story.signed_in("dana")).post(OF_ADAMS, json=said)

    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert added["visit"] == ADAMS_VISIT
    assert (added["made_by"], added["made_at"]) == ("Dana Duty", "2026-11-21T09:16:00Z")
    for name in said.keys() - {"check_out_at"}:
        assert added[name] == said[name]
    row = await story.one("SELECT * FROM amendments")
    assert (row["tenant_id"], row["kind"], row["made_at"]) == (1, said["kind"], NOW)
    event_todo = [(None, said["event_id"])] if "event_id" in said else []
    assert await todos(story) == [*event_todo, (ADAMS_VISIT, None)]
    await asyncio.wait_for(heard.get(), 30)
    await listener.close()
    entry = await story.one("SELECT * FROM audit")
    assert (entry["action"], entry["subject"], entry["reason"]) == (
        f"amended_{said['kind']}",
        "visit 1",
        said["reason_code"],
    )
    assert await story.all("SELECT * FROM check_events ORDER BY event_id") == evidence_before
    assert await story.one("SELECT * FROM visits WHERE visit_id = 1") == visit_before
    shown = (await (await story.signed_in("dana")).get(f"/v1/visits/{ADAMS_VISIT}")).json()
    assert shown["amendments"] == [added]


async def test_a_link_takes_the_event_from_the_visit_it_stood_on_and_both_are_worked_out_again(
    story: Story,
) -> None:
    said = {"kind": "link", "event_id": str(BAKER_CHECK_IN), "reason_code": "wrong_visit"}
    assert (await (await story.signed_in("dana")).post(OF_ADAMS, json=said)).status_code == 201
    assert sorted(await todos(story), key=str) == [
        (ADAMS_VISIT, None),
        (BAKER_VISIT, None),
        (None, str(BAKER_CHECK_IN)),
    ]


async def test_a_visit_whose_evidence_somebody_ruled_on_is_looked_at_before_it_is_paid(story: Story) -> None:
    """The one an event was linked to, and the one it was taken from; set aside later, it stays ruled on."""
    ruled = "amended: evidence was linked or set aside"
    dana = await story.signed_in("dana")

    async def asks_for_a_look() -> list[bool]:
        await story.run("UPDATE visits SET state = 'completed'")
        pages = [(await dana.get(f"/v1/visits/{visit}")).json() for visit in (ADAMS_VISIT, BAKER_VISIT)]
        return [ruled in page["working"]["exception"] for page in pages]

    assert await asks_for_a_look() == [False, False]
    said = {"kind": "link", "event_id": str(BAKER_CHECK_IN), "reason_code": "wrong_visit"}
    assert (await dana.post(OF_ADAMS, json=said)).status_code == 201
    assert await asks_for_a_look() == [True, True]


async def test_a_visit_whose_event_was_set_aside_is_looked_at_before_it_is_paid(story: Story) -> None:
    """By the provider itself, for one: a check-out less makes one long stay of two short ones."""
    cory = await story.signed_in("cory")
    await story.run("UPDATE visits SET state = 'completed'")
    answer = await cory.post(
        f"/v1/check-events/{ADAMS_CHECK_IN}/rejection", json={"reason_code": "duplicate"}
    )
    assert answer.status_code == 201
    adams = (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).json()
    assert "amended: evidence was linked or set aside" in adams["working"]["exception"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason_code": None}, 422),
        ({"reason_code": "because"}, 422),
        ({"kind": "deleted"}, 422),
        ({"check_out_at": None}, 422),
        ({"check_out_at": "2026-11-21T09:31:00"}, 422),
        ({"check_out_at": 1795253460}, 422),
        ({"mistyped": "x"}, 422),
        ({"note": "a" + chr(0)}, 422),
        ({"note": "x" * 2001}, 422),
        ({"check_out_at": "2027-11-21T09:31:00Z"}, 409),
        ({"check_out_at": "0001-01-01T00:00:00+14:00"}, 409),
        ({"check_in_at": "2026-11-21T09:32:00Z"}, 409),
        ({"care_worker": "CW-?"}, 409),
    ],
)
async def test_what_is_not_sense_is_refused_and_nothing_is_added(
    story: Story, change: dict[str, Any], status: int
) -> None:
    said = {name: value for name, value in (CHECKED_OUT | change).items() if value is not None}
    answer = await (await story.signed_in("dana")).post(OF_ADAMS, json=said)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await count(story, "amendments") == await count(story, "audit") == 0
    assert await todos(story) == []


async def test_the_same_key_and_body_again_is_answered_alike_and_adds_nothing(story: Story) -> None:
    dana, headers = await story.signed_in("dana"), {"Idempotency-Key": "one"}
    first = await dana.post(OF_ADAMS, json=CHECKED_OUT, headers=headers)
    again = await dana.post(
        OF_ADAMS, json=CHECKED_OUT | {"check_out_at": "2026-11-21T10:31:00+01:00"}, headers=headers
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert await count(story, "amendments") == await count(story, "audit") == 1
    assert await todos(story) == [(ADAMS_VISIT, None)]


async def test_the_same_key_with_another_body_visit_or_person_is_a_conflict(story: Story) -> None:
    dana, eve = await story.signed_in("dana"), await story.signed_in("eve")
    headers = {"Idempotency-Key": "one"}
    await dana.post(OF_ADAMS, json=CHECKED_OUT, headers=headers)
    answers = [
        await dana.post(OF_ADAMS, json=CHECKED_OUT | {"reason_code": "other"}, headers=headers),
        await dana.post(OF_BAKER, json=CHECKED_OUT, headers=headers),
        await eve.post(OF_ADAMS, json=CHECKED_OUT, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert await count(story, "amendments") == 1


async def test_a_key_used_in_another_authority_is_free_in_ours(story: Story) -> None:
    headers = {"Idempotency-Key": "one"}
    said = {"kind": "cancelled", "reason_code": "other"}
    for who, visit_id in (("zed", ZANDER_VISIT), ("dana", ADAMS_VISIT)):
        browser = await story.signed_in(who)
        answer = await browser.post(f"/v1/visits/{visit_id}/amendments", json=said, headers=headers)
        assert answer.status_code == 201


async def test_the_same_request_ten_times_at_once_adds_one(story: Story) -> None:
    dana, headers = await story.signed_in("dana"), {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(dana.post(OF_ADAMS, json=CHECKED_OUT, headers=headers) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert await count(story, "amendments") == 1
    assert await todos(story) == [(ADAMS_VISIT, None)]


async def test_an_unmatched_event_is_rejected_and_stays_in_the_evidence(story: Story) -> None:
    dana = await story.signed_in("dana")
    path = f"/v1/check-events/{NOBODY_SOMEWHERE}/rejection"
    answer = await dana.post(path, json={"reason_code": "test"}, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 201
    assert (answer.json()["kind"], answer.json()["visit"]) == ("reject", None)
    assert await todos(story) == [(None, str(NOBODY_SOMEWHERE))]
    assert (await dana.get(f"/v1/check-events/{NOBODY_SOMEWHERE}")).status_code == 200

    await story.run("UPDATE event_outcomes SET status = 'rejected' WHERE event_id = $1", NOBODY_SOMEWHERE)
    again = await dana.post(path, json={"reason_code": "test"}, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert (await dana.post(path, json={"reason_code": "test"})).status_code == 409


async def test_rejecting_a_matched_event_names_its_visit_also_when_it_is_sent_again(story: Story) -> None:
    dana, headers = await story.signed_in("dana"), {"Idempotency-Key": "one"}
    path = f"/v1/check-events/{ADAMS_CHECK_IN}/rejection"
    first = await dana.post(path, json={"reason_code": "duplicate"}, headers=headers)
    assert first.json()["visit"] == ADAMS_VISIT
    assert await todos(story) == [(None, str(ADAMS_CHECK_IN)), (ADAMS_VISIT, None)]
    await story.run("UPDATE event_outcomes SET status = 'rejected', visit_id = NULL WHERE visit_id = 1")
    again = await dana.post(path, json={"reason_code": "duplicate"}, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())


@pytest.mark.parametrize(
    ("who", "ours", "theirs"),
    [
        ("cory", 201, 404),
        ("max", 201, 404),
        ("cleo", 404, 201),
        ("zed", 404, 404),
        ("otto", 403, 403),
        ("fay", 403, 403),
        ("ada", 403, 403),
        ("cara", 403, 403),
    ],
)
async def test_a_provider_corrects_its_own_visits_and_no_others(
    story: Story, who: str, ours: int, theirs: int
) -> None:
    browser, said = await story.signed_in(who), {"kind": "cancelled", "reason_code": "other"}
    assert (await browser.post(OF_ADAMS, json=said)).status_code == ours
    assert (await browser.post(OF_BAKER, json=said)).status_code == theirs
    assert (await browser.post(f"/v1/visits/{ZANDER_VISIT}/amendments", json=said)).status_code in (
        403,
        404 if who != "zed" else 201,
    )


@pytest.mark.parametrize(
    ("event_id", "status"),
    [
        (ALICE_SOMEWHERE, 201),
        (ADAMS_CHECK_IN, 201),
        (BAKER_CHECK_IN, 404),
        (NOBODY_SOMEWHERE, 404),
        (ZANDER_CHECK_IN, 404),
    ],
)
async def test_a_provider_links_and_rejects_its_own_workers_events_only(
    story: Story, event_id: object, status: int
) -> None:
    cory = await story.signed_in("cory")
    said = {"kind": "link", "event_id": str(event_id), "reason_code": "wrong_visit"}
    assert (await cory.post(OF_ADAMS, json=said)).status_code == status
    path = f"/v1/check-events/{event_id}/rejection"
    assert (await cory.post(path, json={"reason_code": "test"})).status_code == status


@pytest.mark.parametrize("kind", ["times", "frustrated"])
async def test_a_provider_names_its_own_workers_and_whoever_the_plan_sends(story: Story, kind: str) -> None:
    def said(worker: str) -> dict[str, Any]:
        out = {"check_out_at": CHECKED_OUT["check_out_at"]} if kind == "times" else {}
        return {"kind": kind, "care_worker": worker, "reason_code": "other"} | out

    cory, dana = await story.signed_in("cory"), await story.signed_in("dana")
    assert (await cory.post(OF_ADAMS, json=said("CW-A"))).status_code == 201
    anothers, nobody = [await cory.post(OF_ADAMS, json=said(worker)) for worker in ("CW-B", "CW-?")]
    assert [anothers.status_code, nobody.status_code] == [409, 409]
    assert anothers.json()["detail"] == "No care worker of provider P1 has the reference CW-B."
    assert nobody.json()["detail"] == "No care worker of provider P1 has the reference CW-?."
    assert await count(story, "amendments") == 1

    assert (await dana.post(OF_ADAMS, json=said("CW-B"))).status_code == 201

    await story.run("UPDATE visits SET care_worker_refs = '{CW-A,CW-B}' WHERE visit_id = $1", ADAMS_VISIT)
    assert (await cory.post(OF_ADAMS, json=said("CW-B"))).status_code == 201


async def test_a_provider_cannot_pull_its_workers_event_off_anothers_visit(story: Story) -> None:
    await story.run(
        "UPDATE event_outcomes SET visit_id = 2, status = 'matched' WHERE event_id = $1", ALICE_SOMEWHERE
    )
    cory = await story.signed_in("cory")
    said = {"kind": "link", "event_id": str(ALICE_SOMEWHERE), "reason_code": "wrong_visit"}
    answer = await cory.post(OF_ADAMS, json=said)
    assert answer.status_code == 404
    rejected = await cory.post(f"/v1/check-events/{ALICE_SOMEWHERE}/rejection", json={"reason_code": "test"})
    assert rejected.status_code == 404
    assert await count(story, "amendments") == 0


async def test_rejecting_on_a_visit_needs_the_event_to_be_there(story: Story) -> None:
    dana = await story.signed_in("dana")
    said = {"kind": "reject", "event_id": str(BAKER_CHECK_IN), "reason_code": "test"}
    assert (await dana.post(OF_ADAMS, json=said)).status_code == 409
    said["event_id"] = str(uuid4())
    assert (await dana.post(OF_ADAMS, json=said)).status_code == 404


async def test_the_reasons_to_choose_from_are_for_anybody_signed_in(story: Story) -> None:
    codes = (await (await story.signed_in("cara")).get("/v1/reason-codes")).json()
    assert {"code": "no_reply", "text": "Nobody answered the door"} in codes["reason_codes"]
    assert {"code": "rearranged", "text": "Rearranged the visit"} in codes["actions_taken"]
    assert (await story.at_the_door().get("/v1/reason-codes")).status_code == 401
