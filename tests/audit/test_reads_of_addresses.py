"""Where somebody lives is told to nobody without an entry that says to whom; once in ten minutes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecm.audit.noted import ONE_ENTRY_S, Noted
from ecm.store.db import Record
from tests.api.conftest import ADAMS_CHECK_IN, ADAMS_VISIT, ALICE_SOMEWHERE, BAKER_VISIT, Story

READ = "SELECT actor_ref, subject_ref, facts::text AS facts, origin, agent FROM audit WHERE action = 'address_read'"

# who reads what, and the people and things the entry names; None: no entry, for no address was told.
DOORS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("cory", f"/v1/visits/{ADAMS_VISIT}", {"people": ["SU-A"]}),
    ("dana", f"/v1/visits/{BAKER_VISIT}", {"people": ["SU-B"]}),
    ("quin", f"/v1/visits/{ADAMS_VISIT}", None),
    ("cleo", f"/v1/visits/{ADAMS_VISIT}", None),
    ("cory", f"/v1/check-events/{ADAMS_CHECK_IN}", {"people": ["SU-A"]}),
    ("fay", f"/v1/check-events/{ADAMS_CHECK_IN}", None),
    ("cory", "/v1/unmatched", {"things": [f"check event {ALICE_SOMEWHERE}"]}),
    ("ada", "/v1/unmatched", None),
    ("ada", "/v1/quarantine", None),
    ("cory", "/v1/homes", None),
    ("cory", "/v1/visits", None),
]


async def told(story: Story) -> list[Record]:
    return await story.all(READ)


@pytest.mark.parametrize(("who", "path", "named"), DOORS, ids=lambda value: str(value)[:40])
async def test_a_full_address_is_not_told_without_an_entry(
    story: Story, who: str, path: str, named: dict[str, Any] | None
) -> None:
    reader = await story.signed_in(who)
    await reader.get(path, headers={"User-Agent": "Firefox\x01 140" + "x" * 500})
    assert [json.loads(row["facts"]) for row in await told(story)] == ([] if named is None else [named])


async def test_the_entry_says_who_and_from_where(story: Story) -> None:
    cory = await story.signed_in("cory")
    await cory.get(f"/v1/visits/{ADAMS_VISIT}", headers={"User-Agent": "Firefox 140"})
    [row] = await told(story)
    assert (row["actor_ref"], row["subject_ref"]) == ("account 2", "service user SU-A")
    assert (row["origin"], row["agent"]) == ("127.0.0.1", "Firefox 140")


async def test_a_page_that_stays_open_is_one_entry_in_ten_minutes(story: Story) -> None:
    cory, max_ = await story.signed_in("cory"), await story.signed_in("max")
    for _ in range(3):
        await cory.get(f"/v1/visits/{ADAMS_VISIT}")
        await cory.get(f"/v1/check-events/{ADAMS_CHECK_IN}")
    assert len(await told(story)) == 1
    await max_.get(f"/v1/visits/{ADAMS_VISIT}")
    assert len(await told(story)) == 2, "another reader is another entry"


async def test_nothing_is_told_while_it_cannot_be_written_down(story: Story) -> None:
    cory = await story.signed_in("cory")
    await story.run(
        "ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (action <> 'address_read') NOT VALID"
    )
    assert (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).status_code == 500
    await story.run("ALTER TABLE audit DROP CONSTRAINT nothing_more")
    assert (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).status_code == 200
    assert len(await told(story)) == 1, "what failed was not taken for noted"


def test_after_ten_minutes_it_is_noted_again() -> None:
    noted = Noted()
    assert noted.new("cory", ["b", "a", "b"], 0.0) == ["a", "b"]
    noted.note("cory", ["a", "b"], 0.0)
    assert noted.new("cory", ["a", "b", "c"], ONE_ENTRY_S - 1) == ["c"]
    assert noted.new("max", ["a"], 1.0) == ["a"]
    assert noted.new("cory", ["a"], ONE_ENTRY_S) == ["a"]


def test_what_is_remembered_has_an_end_and_then_there_is_an_entry_too_many() -> None:
    noted = Noted(most=2)
    noted.note("cory", ["a", "b"], 0.0)
    noted.note("cory", ["c"], 1.0)
    assert noted.new("cory", ["a", "b", "c"], 2.0) == ["a"]
