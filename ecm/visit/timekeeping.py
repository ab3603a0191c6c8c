"""Actual against planned: who started late or early, stayed too short or too long, and who should have come.

    finding                asked                                                           limit from
    ---------------------  --------------------------------------------------------------  --------------
    unplanned              there was no plan, or it was cancelled                          –
    wrong_worker           somebody came who is not rostered, when anybody is              the plan
    started_late / _early  the first check-in against the planned start; and whoever was   the contract
                           there too early to count (`coming`)
    short (two measures)   minutes there under the shortest visit (30, unless the plan     law and contract
                           agrees a shorter one), and under a share of those commissioned
    overran                the last check-out against the planned end                      the contract
    no_check_in            left, and never came; too early to count, if so                 –
    no_check_out           came, and has not left by the limit                             the contract
    second_worker_missing  fewer came than the plan asks; or as many, but not together     the plan

A limit is kept when it is reached: 15 minutes late is not late, 30 minutes is not short. The minutes of a visit
for one worker are those with anybody there, so a handover is not short; where two are needed together, each
worker's own minutes are asked. As many as were needed were *together* if for at least half the visit's time, or half
the stay of those who stayed longest if that is shorter, there were as many in the home: two workers who come one
after the other are each alone with the hoist. A visit is judged short once all have left, and never when it was
frustrated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ecm.visit.attending import Presence
from ecm.visit.coming import commissioned
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
        one = presence.attendances[0]
        if visit.care_workers and one.care_worker not in visit.care_workers:
            who = "care worker not known" if one.care_worker is None else "not the rostered care worker"
            yield _of(FindingCode.WRONG_WORKER, one, detail=who)
        if one.check_in_at is None:
            yield _of(FindingCode.NO_CHECK_IN, one)
    yield from _punctuality(visit, presences, policy)
    if state is State.COMPLETED:
        for worker, minutes in _minutes_there(visit, presences):
            yield from _short(visit, worker, minutes, policy)
        ends = [p.left_at for p in presences if p.left_at is not None]
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
    elif 1 < required <= came and state is State.COMPLETED:
        yield from _not_together(visit, presences)


def too_early(visit: Visit, others: Iterable[Presence], policy: Policy) -> Iterator[Finding]:
    """Who was there before the visit's time, and does not count as having come."""
    start = visit.planned_start
    assert start is not None
    for presence in others:
        one, came_at = presence.attendances[0], presence.came_at
        detail = "too early to be this visit"
        if came_at is None:
            yield _of(FindingCode.NO_CHECK_IN, one, detail=f"checked out {detail}")
        else:
            early, limit = (start - came_at) / MINUTE, policy.early_after_minutes
            yield _of(FindingCode.STARTED_EARLY, one, round(early, 2), limit, "min", detail)


def _not_together(visit: Visit, presences: Sequence[Presence]) -> Iterator[Finding]:
    """Enough came, but not at one time. Where an end is unknown nobody can say."""
    if any(len(presence.lengths()) < len(presence.attendances) for presence in presences):
        return
    required = visit.carers_required
    stays = sorted((sum(presence.lengths(), timedelta(0)) for presence in presences), reverse=True)
    asked = min(stays[required - 1], commissioned(visit) or stays[required - 1])
    together = _together(presences, required)
    if together == timedelta(0) or together * 2 < asked:
        detail = f"together for {together / MINUTE:.0f} min of {asked / MINUTE:.0f}"
        yield Finding(FindingCode.SECOND_WORKER_MISSING, len(presences), required, detail=detail)


def _together(presences: Iterable[Presence], required: int) -> timedelta:
    """For how long at least so many were in the home at once."""
    steps: list[tuple[datetime, int]] = []
    for one in (each for presence in presences for each in presence.attendances):
        if one.check_in_at is not None and one.check_out_at is not None:
            steps += [(one.check_in_at, 1), (one.check_out_at, -1)]
    together, there, since = timedelta(0), 0, datetime.min.replace(tzinfo=UTC)
    for at, step in sorted(steps):
        if there >= required:
            together += at - since
        there, since = there + step, at
    return together


def _punctuality(visit: Visit, presences: Sequence[Presence], policy: Policy) -> Iterator[Finding]:
    came = [(p.came_at, p.attendances[0]) for p in presences if p.came_at is not None]
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
    if visit.carers_required > 1:
        for presence in presences:
            if len(lengths := presence.lengths()) == len(presence.attendances):
                yield presence.care_worker, sum(lengths, timedelta(0)) / MINUTE
        return
    attendances = [each for presence in presences for each in presence.attendances]
    known = [
        (one.check_in_at, one.check_out_at)
        for one in attendances
        if one.check_in_at is not None and one.check_out_at is not None
    ]
    if known and len(known) == len(attendances):
        there, reached = timedelta(0), min(start for start, _ in known)
        for start, end in sorted(known):
            there += max(timedelta(0), end - max(start, reached))
            reached = max(reached, end)
        yield presences[0].care_worker if len(presences) == 1 else None, there / MINUTE


def _short(visit: Visit, worker: str | None, minutes: float, policy: Policy) -> Iterator[Finding]:
    length = commissioned(visit)
    expected = length / MINUTE if length is not None else None
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
