"""What is read of the audit by whom, and how its pages follow what is still being written."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ecm.audit.writing import write_down
from tests.api.conftest import NOW, Story
from tests.audit.book import DANA, NINA, erase_about, fill


async def listed(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/v1/audit", params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_an_entry_that_commits_late_is_on_a_later_page_and_not_lost(story: Story) -> None:
    otto = await story.signed_in("otto")
    async with story.web.tenant(1) as slow:
        await write_down(slow, 1, DANA, "began_first", "visit 1", NOW)
        async with story.web.tenant(1) as quick:
            await write_down(quick, 1, DANA, "ended_first", "visit 2", NOW)
        first = await listed(otto, limit=1)
    assert [entry["action"] for entry in first["items"]] == ["ended_first"]
    second = await listed(otto, limit=1, cursor=first["next"])
    assert [entry["action"] for entry in second["items"]] == ["began_first"]
    assert second["items"][0]["id"] < first["items"][0]["id"], "which a page by id would have passed over"


async def test_a_cursor_from_before_there_were_places_loses_nothing(story: Story) -> None:
    otto = await story.signed_in("otto")
    await fill(story.web, 9)
    everything = (await listed(otto))["items"]
    for known in everything:
        rest = (await listed(otto, cursor=str(known["id"])))["items"]
        assert {entry["id"] for entry in everything if entry["id"] > known["id"]} <= {
            entry["id"] for entry in rest
        }
    assert (await listed(otto, cursor=str(everything[-1]["id"])))["items"] == []


@pytest.mark.parametrize(
    ("asked", "actions"),
    [
        ({"action": "alert_acknowledged"}, ["alert_acknowledged"]),
        ({"actor": "account 4"}, ["signed_in", "alert_acknowledged"]),
        ({"subject": "alert 57"}, ["alert_acknowledged"]),
        ({"subject": "visit 1"}, ["entered_by_hand"]),
        ({"subject": "service user SU-A"}, ["address_read", "tag_made"]),
        ({"subject": "service user SU-B"}, ["address_read"]),
        ({"subject": "account 4 Dana Duty"}, []),
        ({"actor": "account 4", "subject": "alert 57"}, ["alert_acknowledged"]),
        ({"from": "2026-11-21", "to": "2026-11-21"}, ["alert_acknowledged"]),
        ({"from": "2026-11-22"}, ["address_read", "tag_made", "entered_by_hand"]),
        ({"to": "2026-11-20"}, ["signed_in"]),
        ({"to": "0001-01-01"}, []),
        ({"from": "9999-12-31", "to": "9999-12-31"}, []),
    ],
)
async def test_the_audit_is_looked_through(story: Story, asked: dict[str, str], actions: list[str]) -> None:
    async with story.web.tenant(1) as connection:
        for who, action, subject, day, facts in [
            (DANA, "signed_in", DANA, 20, {}),
            (DANA, "alert_acknowledged", "alert 57", 21, {}),
            (NINA, "address_read", "several", 22, {"people": ["SU-A", "SU-B"]}),
            (NINA, "tag_made", "tag K7MP2XQR4TBN of SU-A", 22, {}),
            (NINA, "entered_by_hand", "visit 1, check event 019aa3f2-7d1e-7000-8000-00000000000a", 22, {}),
        ]:
            await write_down(connection, 1, who, action, subject, NOW.replace(day=day), facts=facts)
    otto = await story.signed_in("otto")
    assert [entry["action"] for entry in (await listed(otto, **asked))["items"]] == actions


async def test_an_entry_shows_its_place_its_refs_and_its_hash(story: Story) -> None:
    async with story.web.tenant(1) as connection:
        await write_down(
            connection,
            1,
            DANA,
            "noted",
            NINA,
            NOW,
            reason="why",
            origin="192.0.2.7",
            agent="Firefox",
            facts={"n": 1},
        )
    otto = await story.signed_in("otto")
    (entry,) = (await listed(otto))["items"]
    assert len(entry.pop("hash")) == 64
    assert entry == {
        "id": 1,
        "seq": 1,
        "at": "2026-11-21T09:16:00Z",
        "actor": DANA,
        "actor_ref": "account 4",
        "action": "noted",
        "subject": NINA,
        "subject_ref": "account 7",
        "reason": "why",
        "origin": "192.0.2.7",
        "agent": "Firefox",
        "facts": {"n": 1},
        "erased": False,
    }
    await erase_about(story.web, "account 7")
    gone, _ = (await listed(otto))["items"]
    assert (gone["actor"], gone["subject"], gone["reason"], gone["origin"]) == (
        "account 4",
        "account 7",
        None,
        None,
    )
    assert (gone["erased"], gone["facts"]) == (True, {"n": 1})


@pytest.mark.parametrize("bad", [{"cursor": "x"}, {"from": "yesterday"}, {"limit": 0}, {"actor": ""}])
async def test_a_question_that_makes_no_sense_is_refused(story: Story, bad: dict[str, Any]) -> None:
    otto = await story.signed_in("otto")
    assert (await otto.get("/v1/audit", params=bad)).status_code == 422


async def test_the_chain_is_proved_when_somebody_asks(story: Story) -> None:
    otto = await story.signed_in("otto")
    empty = (await otto.get("/v1/audit/verification")).json()
    assert empty == {"whole": True, "entries": 0, "head": None, "first_bad": None, "last_told_outside": None}
    await fill(story.web, 12)
    whole = (await otto.get("/v1/audit/verification")).json()
    assert (whole["whole"], whole["entries"]) == (True, 12)
    assert whole["head"] == (await listed(otto))["items"][-1]["hash"]
    await story.run("UPDATE audit SET action = 'nothing' WHERE audit_id = 7")
    bad = (await otto.get("/v1/audit/verification")).json()
    assert bad["whole"] is False
    assert bad["first_bad"] == {"seq": 7, "id": 7, "says": "the entry is not the one that was linked here"}


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("otto", 200), ("dana", 403), ("max", 403)])
async def test_who_may_have_it_proved(story: Story, who: str, status: int) -> None:
    assert (await (await story.signed_in(who)).get("/v1/audit/verification")).status_code == status
