"""The links: what the database makes and what is worked out from outside are the same, whatever was said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.audit.chain import NOTHING_BEFORE, chained, commitment, link, netstring, verified
from ecm.audit.entry import Entry, Head, Subject, Words, erased_by, written
from ecm.audit.verify import head_of, verify
from ecm.audit.writing import write_down
from ecm.store.db import Connection, Database
from tests.audit.book import DANA, NINA, NOW, erase_about, fill, rows_of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
ENTRIES = st.builds(
    Entry,
    audit_id=st.integers(1, 2**62),
    at=st.integers(-(10**15), 10**16).map(lambda micros: NOW + timedelta(microseconds=micros)),
    actor_ref=TEXT,
    action=TEXT,
    subject_ref=TEXT,
    facts=st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT), max_size=3).map(written),
    commitment=st.binary(min_size=32, max_size=32),
    salt=st.none() | st.binary(min_size=16, max_size=16),
    words=st.builds(
        Words,
        actor=TEXT,
        subject=TEXT,
        reason=st.none() | TEXT,
        origin=st.none() | TEXT,
        agent=st.none() | TEXT,
    ),
)

AS_STORED = """SELECT ecm_link($1, $2, e), ecm_commitment(e)
FROM (SELECT ROW($3::int, $4::bigint, $5::timestamptz, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text,
                 $12::text, $13::text::json, $14::text, $15::bytea, $16::bytea)::audit AS e) one"""


async def test_the_database_and_we_link_alike(owner: Connection) -> None:
    """Hypothesis makes up the entries; the database works out each in one round trip."""
    made: list[tuple[bytes, int, int, Entry]] = []

    @given(st.binary(min_size=32, max_size=32), st.integers(1, 2**62), st.integers(1, 2**30), ENTRIES)
    def make(previous: bytes, seq: int, tenant: int, entry: Entry) -> None:
        made.append((previous, seq, tenant, entry))

    make()
    assert len(made) >= 100
    for previous, seq, tenant, e in made:
        row = await owner.fetchrow(
            AS_STORED,
            previous,
            seq,
            tenant,
            e.audit_id,
            e.at,
            e.words.actor,
            e.action,
            e.words.subject,
            e.words.reason,
            e.words.origin,
            e.actor_ref,
            e.subject_ref,
            e.facts,
            e.words.agent,
            e.salt,
            e.commitment,
        )
        assert row is not None
        assert row[0] == link(previous, tenant, seq, e), e
        assert row[1] == (None if e.salt is None else commitment(e.salt, e.words)), e


@given(st.lists(st.none() | TEXT, max_size=4), st.lists(st.none() | TEXT, max_size=4))
def test_two_rows_of_texts_are_never_the_same_bytes(one: list[str | None], other: list[str | None]) -> None:
    assert (b"".join(map(netstring, one)) == b"".join(map(netstring, other))) == (one == other)


async def test_what_was_written_down_is_linked_in_the_order_of_commits(
    web: Database, owner: Connection
) -> None:
    async with web.tenant(1) as first:
        await write_down(first, 1, DANA, "began_first", "visit 1", NOW)
        async with web.tenant(1) as second:
            await write_down(second, 1, DANA, "ended_first", "visit 2", NOW)
    rows = await rows_of(owner)
    assert [row.entry and row.entry.action for row in rows] == ["ended_first", "began_first"]
    assert [row.seq for row in rows] == [1, 2]
    assert [row.audit_id for row in rows] == [2, 1]
    assert rows == chained(1, [row.entry for row in rows if row.entry])


async def test_a_chain_nobody_touched_is_whole_for_each_authority(web: Database, owner: Connection) -> None:
    await owner.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Other Shire')")
    await fill(web, 40)
    await fill(web, 7, tenant_id=2)
    for tenant_id, entries in ((1, 40), (2, 7)):
        verdict = await verify(owner, tenant_id)
        assert (verdict.whole, verdict.entries) == (True, entries), verdict
        assert verdict.head == await head_of(owner, tenant_id)
    assert (await verify(owner, 3)).whole, "an authority of which nothing was written yet"


async def test_a_transaction_taken_back_leaves_no_gap(web: Database, owner: Connection) -> None:
    await fill(web, 2)
    async with web.tenant(1) as connection:
        await write_down(connection, 1, DANA, "alert_acknowledged", "alert 57", NOW)
        await connection.execute("ROLLBACK; BEGIN")
    await fill(web, 2)
    assert [row.seq for row in await rows_of(owner)] == [1, 2, 3, 4]
    assert (await verify(owner, 1)).whole


# ---------------------------------------------------------------------- refs and words

REFS = [
    (DANA, "account 4"),
    ("account 4 of Mice 9", "account 4"),
    ("key 3 A system", "key 3"),
    ("system 0 command line", "system 0"),
    ("phone 019aa3f2-7d1e-7000-8000-0000000000d1", "phone 019aa3f2-7d1e-7000-8000-0000000000d1"),
    (
        "phone 019aa3f2-7d1e-7000-8000-0000000000d1 of CW-A",
        "phone 019aa3f2-7d1e-7000-8000-0000000000d1 of CW-A",
    ),
    ("nobody", "nobody"),
    ("command line", "command line"),
    ("visit 1", "visit 1"),
    (
        "visit 1, check event 019aa3f2-7d1e-7000-8000-00000000000a",
        "visit 1, check event 019aa3f2-7d1e-7000-8000-00000000000a",
    ),
    ("alert 57", "alert 57"),
    ("care worker CW-A", "care worker CW-A"),
    ("care worker CW-A Alice", "care worker CW-A"),
    ("service user su Ms Adams", "service user su"),
    ("provider amber", "provider amber"),
    ("home of SU-A", "home of SU-A"),
    ("tag K7MP2XQR4TBN of SU-A", "tag K7MP2XQR4TBN of SU-A"),
    ("code card 5 of SU-A", "code card 5 of SU-A"),
    ("period 2026-W47, csv, NHS", "period 2026-W47, csv, NHS"),
    ("tenant 2", "tenant 2"),
    ("passkey 4 Dana's telephone", "passkey 4"),
    ("visits", "visits"),
    ("set-up", "set-up"),
    ("council sign-in", "council sign-in"),
    ("sign-in rules", "sign-in rules"),
    ("sign-in at https://id.example.org/realm", "sign-in at https://id.example.org/realm"),
    ("account 4 Dana Duty: passkey Her telephone", "account 4"),
    ("notice 12", "notice 12"),
    ("period 2026-11", "period 2026-11"),
    ("Dana", ""),
    ("nina new", ""),
    ("", ""),
]


async def test_a_ref_is_a_kind_and_an_id_and_never_a_name(owner: Connection) -> None:
    found = [(said, await owner.fetchval("SELECT ecm_ref_of($1)", said)) for said, _ in REFS]
    assert found == REFS


async def test_a_ref_with_spaces_is_said_as_one(web: Database, owner: Connection) -> None:
    async with web.tenant(1) as connection:
        await write_down(
            connection, 1, DANA, "noted", Subject("service user SU A 1", "Ms Adams"), NOW, facts={"times": 2}
        )
    row = await owner.fetchrow("SELECT subject, subject_ref, facts::text FROM audit")
    assert row is not None
    assert tuple(row) == ("service user SU A 1 Ms Adams", "service user SU A 1", '{"times":2}')


@pytest.mark.parametrize("facts", [{"a": 1.5}, {"a": None}, {"a": True}, {"a": ["x", 1.5]}, {"a": "\0"}])
def test_facts_are_what_is_the_same_text_everywhere(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        written(facts)  # type: ignore[arg-type]


def test_facts_are_written_in_one_way() -> None:
    assert written({"b": 1, "a": ("ä", "b")}) == '{"a":["ä","b"],"b":1}'
    assert written({}) == "{}"


# ---------------------------------------------------------------------- erasing


async def test_what_was_erased_is_gone_and_the_chain_is_whole(web: Database, owner: Connection) -> None:
    await fill(web, 60)
    before = await rows_of(owner)
    about_nina = [
        row.seq for row in before if row.entry and NINA in (row.entry.words.actor, row.entry.words.subject)
    ]
    assert 5 < len(about_nina) < 60
    assert await erase_about(web, "account 7") == about_nina
    assert await erase_about(web, "account 7") == [], "once is enough"
    rows = await rows_of(owner)
    assert "Nina" not in str(rows)
    assert "Mrs Baker" not in str(rows)
    assert len(rows) == 61
    last = rows[-1].entry
    assert last is not None
    assert (last.action, last.words.subject, last.words.reason) == ("words_erased", "account 7", "she asked")
    assert list(erased_by(last)) == about_nina == json.loads(last.facts)["erased"]
    assert [row.hash for row in rows[:60]] == [row.hash for row in before]
    assert (await verify(owner, 1)).whole
    for was, now in zip(before, rows, strict=False):
        assert was.entry
        assert now.entry
        assert (was.entry.actor_ref, was.entry.action, was.entry.facts) == (
            now.entry.actor_ref,
            now.entry.action,
            now.entry.facts,
        )


async def test_one_entry_can_be_erased_alone(web: Database, owner: Connection) -> None:
    await fill(web, 10)
    assert await erase_about(web, "entry 3", place=3) == [3]
    assert [row.seq for row in await rows_of(owner) if row.entry and row.entry.salt is None] == [3]
    assert (await verify(owner, 1)).whole


async def test_the_other_authoritys_words_cannot_be_erased(web: Database, owner: Connection) -> None:
    await fill(web, 3, tenant_id=2)
    async with web.tenant(1) as connection:
        erased = await connection.fetchval(
            "SELECT ecm_erase_words(ARRAY[1, 2, 3], 'Mallory', 'entry', 'why', NULL, now())"
        )
    assert erased == []
    assert all(row.entry and row.entry.salt for row in await rows_of(owner, 2))


def test_erased_words_that_stand_there_again_are_found() -> None:
    def entry(number: int, action: str = "noted", facts: str = "{}") -> Entry:
        said = Words("account 4 Dana Duty", "alert 57")
        salt = bytes([number]) * 16
        return Entry(
            number,
            NOW + timedelta(number),
            "account 4",
            action,
            "alert 57",
            facts,
            commitment(salt, said),
            salt,
            said,
        )

    rows = chained(1, [entry(1), entry(2), entry(3, "words_erased", '{"erased":[2]}')])
    head = Head(3, rows[-1].hash)
    bad = verified(1, rows, head).first_bad
    assert bad is not None
    assert (bad.seq, "again" in bad.says) == (2, True)
    gone = rows[1].entry
    assert gone is not None
    rows[1] = replace(rows[1], entry=replace(gone, salt=None, words=Words("account 4", "alert 57")))
    assert verified(1, rows, head).whole
    assert bytes(32) == NOTHING_BEFORE
