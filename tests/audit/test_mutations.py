"""R18: ten thousand ways to tamper with an audit, each found at the first row it touched.

All of them in memory, over one chain as the database linked it; some hundred again through SQL, as the owner, who may
write what he likes. Each is seeded, so that one which is not found can be played again by its number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from ecm.audit.chain import chained, commitment, verified
from ecm.audit.entry import Entry, Head, Linked, Words
from ecm.audit.verify import head_of, verify
from ecm.store.db import Connection, Database
from tests.audit.book import NOW, erase_about, fill, rows_of

ROWS = 120
IN_MEMORY = 10_000
BY_SQL = 200
TOLD_AT = (40, 80, 118)
"""The places whose heads are kept outside."""
ERASED = (17, 60)
"""The places whose words were erased by right."""


@dataclass
class Book:
    """A copy to tamper with."""

    rows: list[Linked]
    head: Head
    told: dict[int, bytes]
    unlinked: int | None = None

    def entry(self, at: int) -> Entry:
        entry = self.rows[at - 1].entry
        assert entry is not None
        return entry

    def put(self, at: int, entry: Entry | None) -> None:
        self.rows[at - 1] = replace(self.rows[at - 1], entry=entry)

    def tamper(self, place: int, **changes: Any) -> None:
        self.put(place, replace(self.entry(place), **changes))


Tampering = Callable[[Book, int, Random], int]
"""Does its worst at a place, and says which row is the first that is not as it was."""


def another(text: str, chance: Random) -> str:
    """One letter more, less or other."""
    at = chance.randrange(len(text) + 1)
    return chance.choice(
        [text[:at] + "x" + text[at:], text[:at] + text[at + 1 :]] if text[at:] else [text + "x"]
    )


def flipped(some: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(some))
    return some[:at] + bytes([some[at] ^ (1 << chance.randrange(8))]) + some[at + 1 :]


def a_column(book: Book, at: int, chance: Random) -> int:
    name = chance.choice(("actor_ref", "action", "subject_ref", "facts", "at", "audit_id", "commitment"))
    was = getattr(book.entry(at), name)
    if name == "at":
        now: Any = was + timedelta(microseconds=chance.choice((-1, 1, 10**6, 86_400 * 10**6)))
    elif name == "audit_id":
        now = was + chance.choice((-1, 1, 1000))
    elif name == "commitment":
        now = flipped(was, chance)
    else:
        now = another(was, chance)
    book.tamper(at, **{name: now})
    return at


def a_word(book: Book, at: int, chance: Random) -> int:
    name = chance.choice(("actor", "subject", "reason", "origin", "agent"))
    entry = book.entry(at)
    was = getattr(entry.words, name)
    now = chance.choice(("", "Mallory")) if was is None else another(was, chance)
    if was is not None and name in ("reason", "origin", "agent") and chance.random() < 0.3:
        now = None
    book.tamper(at, words=replace(entry.words, **{name: now}))
    return at


def words_and_their_commitment(book: Book, at: int, _chance: Random) -> int:
    entry = book.entry(at)
    words = replace(entry.words, actor="account 9 Mallory")
    salt = entry.salt or bytes(16)
    book.tamper(at, words=words, salt=salt, commitment=commitment(salt, words))
    return at


def the_salt(book: Book, at: int, chance: Random) -> int:
    salt = book.entry(at).salt
    book.tamper(at, salt=flipped(salt, chance) if salt else bytes(16))
    return at


def words_taken_out(book: Book, at: int, _chance: Random) -> int:
    entry = book.entry(at)
    if entry.salt is None:  # erased by right: another's words put there instead
        book.tamper(at, words=replace(entry.words, reason="she never was here"))
    else:
        book.tamper(at, salt=None, words=Words(entry.actor_ref, entry.subject_ref))
    return at


def the_link(book: Book, at: int, chance: Random) -> int:
    book.rows[at - 1] = replace(book.rows[at - 1], hash=flipped(book.rows[at - 1].hash, chance))
    return at


def an_entry_gone(book: Book, at: int, _chance: Random) -> int:
    book.put(at, None)
    return at


def a_row_gone(book: Book, at: int, _chance: Random) -> int:
    del book.rows[at - 1]
    return at


def rows_gone_and_the_rest_moved_up(book: Book, at: int, chance: Random) -> int:
    """Not the last ones: of those, `the_end_cut_off` tells."""
    at, many = min(at, ROWS - 5), chance.randint(1, 5)
    del book.rows[at - 1 : at - 1 + many]
    book.rows[at - 1 :] = [replace(row, seq=row.seq - many) for row in book.rows[at - 1 :]]
    book.head = replace(book.head, seq=book.rows[-1].seq)
    return at


def one_slipped_in(book: Book, at: int, chance: Random) -> int:
    """With a link that fits, and all that come after moved by one: the first of those does not fit it."""
    made = replace(book.entry(at), audit_id=10**6, action=chance.choice(("signed_in", "words_erased")))
    before = Head(at - 1, book.rows[at - 2].hash) if at > 1 else None
    [row] = chained(1, [made], before)
    book.rows[at - 1 :] = [row, *(replace(later, seq=later.seq + 1) for later in book.rows[at - 1 :])]
    book.head = replace(book.head, seq=book.head.seq + 1)
    return at if at in TOLD_AT else at + 1


def two_swapped(book: Book, at: int, chance: Random) -> int:
    other = chance.choice([one for one in range(1, ROWS + 1) if one != at])
    one, two = book.rows[at - 1], book.rows[other - 1]
    book.rows[at - 1] = replace(two, seq=one.seq, hash=chance.choice((one.hash, two.hash)))
    book.rows[other - 1] = replace(one, seq=two.seq, hash=two.hash)
    return min(at, other)


def entries_swapped(book: Book, at: int, chance: Random) -> int:
    other = chance.choice([one for one in range(1, ROWS + 1) if one != at])
    one, two = book.rows[at - 1].entry, book.rows[other - 1].entry
    book.put(at, two)
    book.put(other, one)
    return min(at, other)


def a_number_changed(book: Book, at: int, chance: Random) -> int:
    book.rows[at - 1] = replace(book.rows[at - 1], seq=ROWS + chance.randint(1, 9))
    book.rows.sort(key=lambda row: row.seq)
    return at


def written_anew_from_here(book: Book, at: int, _chance: Random) -> int:
    """Everything fits, head and all: only a head that was told outside knows better."""
    book.tamper(at, action="nothing_happened")
    before = Head(at - 1, book.rows[at - 2].hash) if at > 1 else None
    rest = [row.entry for row in book.rows[at - 1 :] if row.entry]
    book.rows[at - 1 :] = chained(1, rest, before)
    book.head = Head(book.rows[-1].seq, book.rows[-1].hash)
    return min((told for told in TOLD_AT if told >= at), default=0)


def the_end_cut_off(book: Book, at: int, chance: Random) -> int:
    del book.rows[at - 1 :]
    if chance.random() < 0.5:
        book.head = Head(at - 1, book.rows[-1].hash) if at > 1 else Head(0, bytes(32))
        return at if at <= max(TOLD_AT) else 0
    return at


def the_head_moved(book: Book, at: int, _chance: Random) -> int:
    book.head = Head(at - 1, book.rows[at - 2].hash) if at > 1 else Head(0, bytes(32))
    return at


def the_heads_hash(book: Book, _at: int, chance: Random) -> int:
    book.head = replace(book.head, hash=flipped(book.head.hash, chance))
    return book.head.seq


TAMPERINGS: list[Tampering] = [
    a_column,
    a_word,
    words_and_their_commitment,
    the_salt,
    words_taken_out,
    the_link,
    an_entry_gone,
    a_row_gone,
    rows_gone_and_the_rest_moved_up,
    one_slipped_in,
    two_swapped,
    entries_swapped,
    a_number_changed,
    written_anew_from_here,
    the_end_cut_off,
    the_head_moved,
    the_heads_hash,
]


@dataclass
class Found:
    made: int = 0
    missed: list[str] = field(default_factory=list)


async def a_book(web: Database, owner: Connection) -> Book:
    """A morning's entries, some of them erased by right; so there are rows of every kind to tamper with."""
    await fill(web, ROWS - 2)
    for place in ERASED:
        assert await erase_about(web, f"entry {place}", place=place) == [place]
    rows = await rows_of(owner)
    head = await head_of(owner, 1)
    assert head is not None
    assert (len(rows), head.seq) == (ROWS, ROWS)
    told = {row.seq: row.hash for row in rows if row.seq in TOLD_AT}
    assert (await verify(owner, 1, told)).whole
    return Book(rows, head, told)


async def test_ten_thousand_tamperings_are_each_found_at_their_first_row(
    web: Database, owner: Connection
) -> None:
    book = await a_book(web, owner)
    found = Found()
    for number in range(IN_MEMORY):
        chance = Random(number)
        tampering = TAMPERINGS[number % len(TAMPERINGS)]
        copy = Book(list(book.rows), book.head, book.told)
        due = tampering(copy, chance.randint(1, ROWS), chance)
        if due == 0:  # after the last head that was told outside: nobody can know yet
            assert tampering in (written_anew_from_here, the_end_cut_off)
            continue
        found.made += 1
        bad = verified(1, copy.rows, copy.head, outside=copy.told, unlinked=copy.unlinked).first_bad
        if bad is None or bad.seq != due:
            found.missed.append(f"{number}, {tampering.__name__}: row {due}, and found {bad}")
    assert found.missed == []
    assert found.made > 0.98 * IN_MEMORY


# ---------------------------------------------------------------------- the same, as the owner of the tables

ENTRY = (
    "UPDATE audit SET {} WHERE audit_id = (SELECT audit_id FROM audit_chain WHERE tenant_id = 1 AND seq = $1)"
)
AT_PLACE = "audit_id = (SELECT audit_id FROM audit_chain WHERE tenant_id = 1 AND seq = $1)"
CUT = "DELETE FROM audit_chain WHERE seq >= $1"

# What is done at place $1, and the first bad row: 0 is that place itself, else as much later; None says none.
STATEMENTS: list[tuple[list[str], int]] = [
    ([ENTRY.format("at = at + interval '1 microsecond'")], 0),
    ([ENTRY.format("actor_ref = 'account 9'")], 0),
    ([ENTRY.format("action = action || ' '")], 0),
    ([ENTRY.format("subject_ref = 'visit 99'")], 0),
    ([ENTRY.format("""facts = '{"erased":[1]}'""")], 0),
    ([ENTRY.format("commitment = sha256('')")], 0),
    ([ENTRY.format("actor = 'account 9 Mallory'")], 0),
    ([ENTRY.format("subject = 'alert 58'")], 0),
    ([ENTRY.format("reason = coalesce(reason, '') || 'x'")], 0),
    ([ENTRY.format("origin = '203.0.113.9'")], 0),
    ([ENTRY.format("agent = 'Mosaic'")], 0),
    ([ENTRY.format("salt = uuid_send(gen_random_uuid())")], 0),
    (
        [
            ENTRY.format(
                "actor = actor_ref, subject = subject_ref, reason = NULL, origin = NULL, agent = NULL, salt = NULL"
            )
        ],
        0,
    ),
    ([ENTRY.format("actor = 'x', salt = uuid_send(gen_random_uuid())"), "UPDATE audit SET commitment = "
      "ecm_commitment(audit) WHERE salt IS NOT NULL"], 0),
    ([f"DELETE FROM audit WHERE {AT_PLACE}"], 0),
    (["DELETE FROM audit_chain WHERE seq = $1"], 0),
    ([f"DELETE FROM audit WHERE {AT_PLACE}", "DELETE FROM audit_chain WHERE seq = $1"], 0),
    (["UPDATE audit_chain SET hash = sha256('') WHERE seq = $1"], 0),
    (["UPDATE audit_chain SET seq = 1000 WHERE seq = $1"], 0),
    (["UPDATE audit_heads SET seq = $1 - 1"], 0),
    (["UPDATE audit_heads SET hash = sha256('')"], -1),
    (["DELETE FROM audit_heads"], 1),
    ([CUT], 0),
    ([CUT, "UPDATE audit_heads SET seq = $1 - 1, hash = coalesce((SELECT hash FROM audit_chain WHERE seq = $1 - 1),"
      " decode(repeat('00', 32), 'hex'))"], 0),
]  # fmt: skip


async def test_two_hundred_of_them_by_sql_are_found_too(web: Database, owner: Connection) -> None:
    book = await a_book(web, owner)
    missed = []
    for number in range(BY_SQL):
        chance = Random(number)
        statements, where = STATEMENTS[number % len(STATEMENTS)]
        place = chance.choice([one for one in range(1, max(TOLD_AT) + 1) if one not in ERASED])
        due = {0: place, -1: ROWS, 1: 1}[where]
        transaction = owner.transaction()
        await transaction.start()
        try:
            for statement in statements:
                await owner.execute(statement, *([place] if "$1" in statement else []))
            bad = (await verify(owner, 1, book.told)).first_bad
        finally:
            await transaction.rollback()
        if bad is None or bad.seq != due:
            missed.append(f"{number}, place {place}: {statements}, and found {bad}")
    assert missed == []
    assert (await verify(owner, 1, book.told)).whole


async def test_an_entry_that_came_past_the_chain_is_found(web: Database, owner: Connection) -> None:
    await fill(web, 5)
    async with owner.transaction():
        await owner.execute("ALTER TABLE audit DISABLE TRIGGER chained")
        await owner.execute(
            "INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES (1, now(), 'x', 'y', 'z')"
        )
        await owner.execute("ALTER TABLE audit ENABLE TRIGGER chained")
    bad = (await verify(owner, 1)).first_bad
    assert bad is not None
    assert (bad.seq, bad.audit_id) == (None, 6)
    assert str(bad) == "outside the chain: entry 6 was never linked"


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_each_tampering_tampers(tampering: Tampering) -> None:
    """The test of the test: what changes nothing would be found by nobody."""
    words = Words("account 4 Dana Duty", "alert 57", "why", "192.0.2.7", "Firefox")
    committed = commitment(bytes(16), words)
    entries = [
        Entry(n, NOW + timedelta(n), "account 4", f"act{n}", "alert 57", "{}", committed, bytes(16), words)
        for n in range(1, ROWS + 1)
    ]
    rows = chained(1, entries)
    copy = Book(list(rows), Head(ROWS, rows[-1].hash), {})
    tampering(copy, 9, Random(1))
    assert (copy.rows, copy.head) != (rows, Head(ROWS, rows[-1].hash))
