"""Actual against planned: who started late or early, stayed too short or too long, and who should have come.

    finding                asked                                                           limit from
    ---------------------  --------------------------------------------------------------  --------------
    unplanned              there was no plan, or it was cancelled                          –
    wrong_worker           somebody came who is not rostered, when anybody is              the plan
    started_late / _early  the first check-in against the planned start                    the contract
    short (two measures)   minutes there under the shortest visit (30, unless the plan     law and contract
                           agrees a shorter one), and under a share of those commissioned
    overran                the last check-out against the planned end                      the contract
    no_check_in            left, and never came                                            –
    no_check_out           came, and has not left by the limit                             the contract
    second_worker_missing  fewer came than the plan asks                                   the plan

A limit is kept when it is reached: 15 minutes late is not late, 30 minutes is not short. The minutes of a visit
for one worker are those with anybody there, so a handover is not short; where two are needed together, each
worker's own minutes are asked. A visit is judged short once all have left, and never when it was frustrated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ecm.visit.attending import Presence
from ecm.visit.deadlines import Due, late_limit
from ecm.visit.model import Attendance, DeadlineKind, Finding, FindingCode, State, Visit
from ecm.visit.policy import Policy

MINUTE = timedelta(minutes=1)


def timekeeping(
    visit: Visit, presences: Sequence[Presence], state: State, cancelled: bool, policy: Policy
) -> Iterator[Finding]:
    """The findings that no clock will change: they stand until more evidence comes."""
    if visit.planned_start is None or cancelled:
        detail = "visit was cancelled" if visit.planned_start is not None else "nobody planned this visit"
        yield Finding(FindingCode.UNPLANNED, detail=detail)
    for presence in presences:
        one = presence.attendance
        if visit.care_workers and one.care_worker not in visit.care_workers:
            who = "care worker not known" if one.care_worker is None else "not the rostered care worker"
            yield _of(FindingCode.WRONG_WORKER, one, detail=who)
        if one.check_in_at is None:
            yield _of(FindingCode.NO_CHECK_IN, one)
    yield from _punctuality(visit, presences, policy)
    if state is State.COMPLETED:
        for worker, minutes in _minutes_there(visit, presences):
            yield from _short(visit, worker, minutes, policy)
        ends = [p.attendance.check_out_at for p in presences if p.attendance.check_out_at is not None]
        if visit.planned_end is not None and ends:
            over = (max(ends) - visit.planned_end) / MINUTE
            if over > policy.overrunning_after_minutes:
                yield Finding(FindingCode.OVERRAN, round(over, 2), policy.overrunning_after_minutes, "min")


def no_check_outs(visit: Visit, found: Iterable[Due], now: datetime, policy: Policy) -> Iterator[Finding]:
    """Who came and has not left, once that is overdue."""
    for due in found:
        if due.kind is DeadlineKind.NO_CHECK_OUT and due.stands and due.at <= now:
            if visit.planned_end is None:
                yield Finding(FindingCode.NO_CHECK_OUT, care_worker=due.care_worker)
            else:
                limit = policy.no_check_out_after_minutes
                yield Finding(
                    FindingCode.NO_CHECK_OUT,
                    None,
                    limit,
                    "min",
                    None,
                    due.care_worker,
                    f"{limit} min after planned end",
                )


def second_worker(
    visit: Visit, presences: Sequence[Presence], found: Iterable[Due], state: State, now: datetime
) -> Iterator[Finding]:
    """Too few came: from the deadline on, or as soon as those who came have left."""
    came, required = len(presences), visit.carers_required
    if came < required and (
        state is State.COMPLETED
        or any(d.kind is DeadlineKind.SECOND_WORKER_MISSING and d.stands and d.at <= now for d in found)
    ):
        yield Finding(FindingCode.SECOND_WORKER_MISSING, came, required)


def _punctuality(visit: Visit, presences: Sequence[Presence], policy: Policy) -> Iterator[Finding]:
    came = [
        (p.attendance.check_in_at, p.attendance) for p in presences if p.attendance.check_in_at is not None
    ]
    if visit.planned_start is None or not came:
        return
    start, first = min(came, key=lambda each: each[0])
    behind = (start - visit.planned_start) / MINUTE
    if behind > (limit := late_limit(visit, policy)):
        yield _of(FindingCode.STARTED_LATE, first, round(behind, 2), limit, "min")
    elif -behind > policy.early_after_minutes:
        yield _of(FindingCode.STARTED_EARLY, first, round(-behind, 2), policy.early_after_minutes, "min")


def _minutes_there(visit: Visit, presences: Sequence[Presence]) -> Iterator[tuple[str | None, float]]:
    """The minutes to hold against the limits, and whose. An attendance with an end unknown has none."""
    known = [
        (p.attendance.check_in_at, p.attendance.check_out_at, p.attendance.care_worker)
        for p in presences
        if p.attendance.check_in_at is not None and p.attendance.check_out_at is not None
    ]
    if visit.carers_required > 1:
        for start, end, worker in known:
            yield worker, (end - start) / MINUTE
    elif known and len(known) == len(presences):
        there, reached = timedelta(0), min(start for start, _, _ in known)
        for start, end, _ in sorted(known, key=lambda each: each[:2]):
            there += max(timedelta(0), end - max(start, reached))
            reached = max(reached, end)
        yield known[0][2] if len(known) == 1 else None, there / MINUTE


def _short(visit: Visit, worker: str | None, minutes: float, policy: Policy) -> Iterator[Finding]:
    expected: float | None = visit.commissioned_minutes
    if expected is None and visit.planned_start is not None and visit.planned_end is not None:
        expected = (visit.planned_end - visit.planned_start) / MINUTE
    # Wales: Regulation and Inspection of Social Care (Wales) Act 2016, s.8; England: NICE QS123.
    shortest: float = policy.short_under_minutes
    agreed = visit.agreed_short and expected is not None
    if agreed and expected is not None:
        shortest = expected
    of = f"{expected:g}" if expected is not None else f"{shortest:g}"
    if minutes < shortest:
        detail = f"{of} agreed" if agreed else of
        yield _minutes(FindingCode.SHORT, minutes, shortest, worker, detail)
    if expected is not None:
        share = expected * policy.short_share_percent / 100
        if minutes < share and share != shortest:
            detail = f"{of} ({policy.short_share_percent} %)"
            yield _minutes(FindingCode.SHORT, minutes, share, worker, detail)


def _minutes(code: FindingCode, minutes: float, limit: float, worker: str | None, detail: str) -> Finding:
    return Finding(code, round(minutes, 2), limit, "min", None, worker, detail)


def _of(
    code: FindingCode,
    one: Attendance,
    measure: float | None = None,
    limit: float | None = None,
    unit: str = "",
    detail: str = "",
) -> Finding:
    return Finding(
        code, measure, limit, unit, one.check_in_event or one.check_out_event, one.care_worker, detail
    )
