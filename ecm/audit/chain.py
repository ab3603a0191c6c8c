"""How entries hold on to one another, and how the first one that does not is found. Pure.

    commitment = SHA-256(salt, words)                     words: actor, subject, reason, origin, agent
    link       = SHA-256(link before, tenant, seq, id, time, actor's ref, action, subject's ref, facts, commitment)

Each part is a netstring, its length before it, so that no two entries can be the same bytes. The first link holds on
to 32 zero bytes. Times are whole microseconds since 1970.

So each row can be judged by itself and the link stored before it, and what was done to it is found where it was done:

    changed, swapped, renumbered   its link does not fit
    taken out                      its number is missing, or its entry is
    slipped in                     the link of what comes after does not fit, or it has none at all
    words changed                  the commitment does not fit
    words taken out                no later entry says that they were erased
    the end cut off                the head, or a head told to somebody outside, is of more

Who writes the whole chain anew, head and all, is found by a head kept outside and by nothing else: hence the exports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ecm.audit.entry import Entry, Head, Linked, Words, erased_by

NOTHING_BEFORE = bytes(32)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def netstring(said: str | None) -> bytes:
    if said is None:
        return b"-,"
    text = said.encode()
    return b"%d:%b," % (len(text), text)


def commitment(salt: bytes, words: Words) -> bytes:
    said = (words.actor, words.subject, words.reason, words.origin, words.agent)
    return sha256(salt + b"".join(map(netstring, said))).digest()


def link(previous: bytes, tenant_id: int, seq: int, entry: Entry) -> bytes:
    said = (
        str(tenant_id),
        str(seq),
        str(entry.audit_id),
        str((entry.at - _EPOCH) // _MICROSECOND),
        entry.actor_ref,
        entry.action,
        entry.subject_ref,
        entry.facts,
        entry.commitment.hex(),
    )
    return sha256(previous + b"".join(map(netstring, said))).digest()


@dataclass(frozen=True, slots=True)
class FirstBad:
    """`seq` is None for an entry that has no place in the chain."""

    seq: int | None
    audit_id: int | None
    says: str

    def __str__(self) -> str:
        where = "outside the chain" if self.seq is None else f"row {self.seq}"
        return f"{where}: {self.says}"


@dataclass(frozen=True, slots=True)
class Verdict:
    tenant_id: int
    entries: int
    head: Head | None
    first_bad: FirstBad | None

    @property
    def whole(self) -> bool:
        return self.first_bad is None


class Verification:
    """Reads a chain from its beginning, in order, a handful of rows at a time. `outside`: heads kept elsewhere."""

    def __init__(self, tenant_id: int, outside: Mapping[int, bytes] | None = None) -> None:
        self._tenant_id = tenant_id
        self._outside = dict(outside or {})
        self._last = Head(0, NOTHING_BEFORE)
        self._wordless: dict[int, int] = {}  # place, id
        self._unexplained: dict[int, int] = {}
        self._bad: FirstBad | None = None

    @property
    def decided(self) -> bool:
        """A bad row was found: what comes after it proves nothing."""
        return self._bad is not None

    def take(self, rows: Iterable[Linked]) -> None:
        for row in rows:
            if self._bad is None:
                self._bad = self._judged(row)
                self._last = Head(row.seq, row.hash)

    def verdict(self, head: Head | None, unlinked: int | None = None) -> Verdict:
        """Once all rows were taken. `head`: as stored; `unlinked`: the id of an entry that has no place.

        Missing words come last: the entry that says why may be what is bad, or gone.
        """
        bad = self._bad or self._judged_end(head or Head(0, NOTHING_BEFORE))
        if bad is None and unlinked is not None:
            bad = FirstBad(None, unlinked, f"entry {unlinked} was never linked")
        if bad is None and self._unexplained:
            seq, audit_id = min(self._unexplained.items())
            bad = FirstBad(seq, audit_id, "its words are gone, and no entry says that they were erased")
        return Verdict(self._tenant_id, self._last.seq, head, bad)

    def _judged(self, row: Linked) -> FirstBad | None:
        entry, due = row.entry, self._last.seq + 1
        if row.seq != due:
            return FirstBad(due, None, f"it is missing; the next one there is {row.seq}")
        if entry is None:
            return FirstBad(due, row.audit_id, f"its entry, {row.audit_id}, is gone")
        if link(self._last.hash, self._tenant_id, due, entry) != row.hash:
            return FirstBad(due, row.audit_id, "the entry is not the one that was linked here")
        if self._outside.get(due, row.hash) != row.hash:
            return FirstBad(
                due, row.audit_id, "the head told outside was another: it and what is before was written anew"
            )
        if fault := self._fault_of_words(due, entry):
            return FirstBad(due, row.audit_id, fault)
        return self._excused(entry)

    def _fault_of_words(self, seq: int, entry: Entry) -> str | None:
        if entry.salt is not None:
            return (
                None if commitment(entry.salt, entry.words) == entry.commitment else "its words were changed"
            )
        self._wordless[seq] = self._unexplained[seq] = entry.audit_id
        if entry.words != Words(entry.actor_ref, entry.subject_ref):
            return "other words stand where its own were erased"
        return None

    def _excused(self, erasing: Entry) -> FirstBad | None:
        """Rows are read in order: whatever was erased was read before the entry that says so."""
        for seq in sorted(erased_by(erasing)):
            if seq not in self._wordless:
                return FirstBad(seq, None, "its words were erased, and stand there again")
            self._unexplained.pop(seq, None)
        return None

    def _judged_end(self, head: Head) -> FirstBad | None:
        last = self._last
        if head != last:
            seq = last.seq if head.seq == last.seq else min(head.seq, last.seq) + 1
            return FirstBad(seq, None, f"the chain ends at {last.seq}, and its head says otherwise")
        if (told := max(self._outside, default=0)) > last.seq:
            return FirstBad(
                last.seq + 1, None, f"it is missing: head {told} was told outside (or this is an older copy)"
            )
        return None


def verified(
    tenant_id: int,
    rows: Iterable[Linked],
    head: Head | None,
    *,
    outside: Mapping[int, bytes] | None = None,
    unlinked: int | None = None,
) -> Verdict:
    """A whole chain at once."""
    reading = Verification(tenant_id, outside)
    reading.take(rows)
    return reading.verdict(head, unlinked)


def chained(tenant_id: int, entries: Iterable[Entry], before: Head | None = None) -> list[Linked]:
    """Entries linked as the database links them."""
    head = before or Head(0, NOTHING_BEFORE)
    rows = []
    for entry in entries:
        head = replace(head, seq=head.seq + 1, hash=link(head.hash, tenant_id, head.seq + 1, entry))
        rows.append(Linked(head.seq, entry.audit_id, head.hash, entry))
    return rows
