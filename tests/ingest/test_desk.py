"""Cory enters by hand what Alice told him: it joins the evidence, visibly so, and replaces nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from ecm.store.embedded import Addresses
from tests.api.conftest import Story, story_in

PATH = "/v1/visits/1/check-events"


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        await told.app.state.door.start()
        yield told
        await told.app.state.door.stop()


def entry(**said: Any) -> dict[str, Any]:
    fields = {
        "id": str(uuid4()),
        "kind": "check_out",
        "occurred_at": "2026-11-21T09:10:00Z",
        "care_worker": "CW-A",
        "reason_code": "forgot_check_out",
        "note": "Told us by telephone",
    }
    return fields | said


async def test_an_entry_is_one_more_event_that_says_whose_hand_wrote_it(story: Story) -> None:
    cory = await story.signed_in("cory")
    said = entry()
    first, again = await cory.post(PATH, json=said), await cory.post(PATH, json=said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"status": "exists"}
    row = await story.one("SELECT * FROM check_events WHERE event_id = $1", said["id"])
    assert (row["method"], row["proofs"], row["visit"], row["key_id"]) == ("manual", ["typed"], "V-A", None)
    assert json.loads(row["body"])["entered_by"] == "Cory Coordinator"
    assert (await story.one("SELECT count(*) AS n FROM processing_queue"))["n"] == 1
    [written_down] = await story.all("SELECT * FROM audit")
    assert (written_down["action"], written_down["reason"]) == ("entered_by_hand", "forgot_check_out")
    assert written_down["subject"] == f"visit 1, check event {said['id']}"


@pytest.mark.parametrize(
    ("who", "said", "status"),
    [
        ("cleo", {}, 404),
        ("fay", {}, 403),
        ("cara", {}, 403),
        ("cory", {"care_worker": "CW-B"}, 409),
        ("dana", {"care_worker": "CW-B"}, 201),
        ("cory", {"occurred_at": "2026-11-21T09:16:01Z"}, 409),
        ("cory", {"reason_code": ""}, 422),
        ("cory", {"reason_code": "banana"}, 422),
        ("cory", {"occurred_at": "1066-10-14T09:00:00Z"}, 422),
        ("cory", {"kind": "nap"}, 422),
        ("cory", {"care_worker": "\x00"}, 422),
    ],
)
async def test_who_may_enter_what(story: Story, who: str, said: dict[str, Any], status: int) -> None:
    answer = await (await story.signed_in(who)).post(PATH, json=entry(**said))
    assert answer.status_code == status, answer.text


async def test_the_same_id_for_something_else_is_a_conflict(story: Story) -> None:
    cory = await story.signed_in("cory")
    said = entry()
    await cory.post(PATH, json=said)
    assert (await cory.post(PATH, json=said | {"kind": "check_in"})).status_code == 409
    assert len(await story.all("SELECT * FROM audit")) == 1


async def test_what_was_recorded_before_its_line_was_written_down_gets_it_at_the_next_try(
    story: Story,
) -> None:
    cory = await story.signed_in("cory")
    said = entry()
    await cory.post(PATH, json=said)
    await story.run("DELETE FROM audit")
    assert (await cory.post(PATH, json=said)).status_code == 200
    assert len(await story.all("SELECT * FROM audit")) == 1


async def test_a_reason_of_spaces_is_none_and_nothing_is_written_down(story: Story) -> None:
    cory = await story.signed_in("cory")
    assert (await cory.post(PATH, json=entry(reason_code=" "))).status_code == 422
    assert await story.all("SELECT * FROM audit WHERE action = 'entered_by_hand'") == []
