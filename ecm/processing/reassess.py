"""Assess visits from scratch and write what changed. Where evidence and the passing of time meet.

A case is a visit with all its evidence. Its assessment goes to the visit by compare-and-set on the version; the
difference leaves transition rows, a to-do for the alarms, and a place in the board's order, in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecm.processing import rows
from ecm.processing.rows import Written
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.assess import assess
from ecm.visit.model import Evidence, FindingCode, Visit
from ecm.visit.policy import Policy

sql = load_queries(__package__, "processing.sql")

# Findings that never raise or settle an alarm, so that an ordinary check-in leaves no to-do for the alarms.
QUIET = frozenset(
    {FindingCode.LOCATION_INSIDE.value, FindingCode.LOCATION_NONE.value, FindingCode.LATE_SYNC.value}
)


# Findings that alarms are raised for, each for the visit's planned start: where the plan moved, so must the alarm.
RAISING = frozenset(
    {FindingCode.SHORT.value, FindingCode.LOCATION_OUTSIDE.value, FindingCode.SECOND_WORKER_MISSING.value}
)


class StaleVersion(Exception):
    """Somebody else wrote one of these visits meanwhile; the transaction must be tried again."""


@dataclass(frozen=True, slots=True)
class Case:
    """One visit to assess. `touched`: its plan or evidence changed, so it is written, and shown, even if nothing
    else comes of it."""

    row: Record
    visit: Visit
    evidence: Evidence
    policy: Policy
    touched: bool


@dataclass(frozen=True, slots=True)
class _Rewrite:
    case: Case
    before: Written
    after: Written


async def reassess(connection: Connection, cases: Sequence[Case], as_of: datetime, now: datetime) -> int:
    """Assesses as of one instant, records it as of now, and returns how many visits were written.

    Raises StaleVersion when one was written by somebody else.
    """
    rewrites = [r for r in (_rewrite(case, as_of) for case in cases) if r is not None]
    if not rewrites:
        return 0
    result = await connection.fetchrow(
        sql.write_visits, *_visit_columns(rewrites), now, *_passed_columns(rewrites, as_of)
    )
    assert result is not None
    if result["current"] != len(rewrites):
        raise StaleVersion
    assert result["written"] == len(rewrites), "a tenant without its row in board_heads"
    return len(rewrites)


def _rewrite(case: Case, as_of: datetime) -> _Rewrite | None:
    before = rows.stored(case.row)
    # Time never runs backwards for a visit: a deadline that was judged stays in the past, however old the evidence is.
    judged = max((rows.time_of(c["deadline_at"]) for c in before.crossings), default=as_of)
    after = rows.written(assess(case.visit, case.evidence, case.policy, max(as_of, judged)))
    first = case.row["version"] == 0
    return _Rewrite(case, before, after) if case.touched or first or after != before else None


def _visit_columns(rewrites: list[_Rewrite]) -> tuple[list[Any], ...]:
    table = [
        (
            r.case.row["tenant_id"],
            r.case.row["visit_id"],
            r.case.row["version"],
            r.after.state,
            r.after.state_reason,
            r.after.actual_start,
            r.after.actual_end,
            rows.dumps(r.after.attendances),
            rows.dumps(r.after.findings),
            rows.dumps(r.after.crossings),
            r.after.deadline_at,
            r.after.deadline_kind,
            _concerns_alarms(r),
        )
        for r in rewrites
    ]
    return _transposed(table, 13)


def _passed_columns(rewrites: list[_Rewrite], as_of: datetime) -> tuple[list[Any], ...]:
    return _transposed([row for r in rewrites for row in _passed(r, as_of)], 10)


def _passed(r: _Rewrite, as_of: datetime) -> list[tuple[Any, ...]]:
    """The transition rows of one visit: each deadline that newly passed unmet, then the change itself."""
    key = (r.case.row["tenant_id"], r.case.row["visit_id"])
    version = r.case.row["version"] + 1
    known = {(c["kind"], c["deadline_at"]) for c in r.before.crossings}
    passed: list[tuple[Any, ...]] = [
        (*key, c["kind"], version, rows.time_of(c["deadline_at"]), r.before.state, r.after.state, "", "",
         r.after.state_reason)
        for c in r.after.crossings
        if (c["kind"], c["deadline_at"]) not in known
    ]  # fmt: skip
    codes_before, codes_after = _codes(r.before), _codes(r.after)
    if r.before.state != r.after.state or codes_before != codes_after:
        added = " ".join(sorted(codes_after - codes_before))
        removed = " ".join(sorted(codes_before - codes_after))
        passed.append(
            (
                *key,
                "change",
                version,
                as_of,
                r.before.state,
                r.after.state,
                added,
                removed,
                r.after.state_reason,
            )
        )
    return passed


def _concerns_alarms(r: _Rewrite) -> bool:
    if r.before.crossings or r.after.crossings:
        return True
    before, after = _codes(r.before), _codes(r.after)
    return bool((before ^ after) - QUIET or (r.case.touched and after & RAISING))


def _codes(written: Written) -> set[str]:
    return {f["code"] for f in written.findings}


def _transposed(table: list[tuple[Any, ...]], width: int) -> tuple[list[Any], ...]:
    return tuple(map(list, zip(*table, strict=True))) if table else tuple([] for _ in range(width))
