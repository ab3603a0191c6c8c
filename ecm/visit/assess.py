"""What a visit is, worked out from scratch: the one pure function everything else waits for.

    evidence ──► in order ──► who was there when ──► who came to it ──► deadlines ──► facts ──► state
                                      │                     │               │
                                      └─ verification       └─ timekeeping  └─ crossings, next deadline

The answer depends on nothing but its arguments. It is the same for any order and any repetition of the evidence,
and stays the same until `deadline_at` if nothing arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ecm.visit.attending import Presence, Repeats, Timed, in_order
from ecm.visit.clocks import local_hh_mm
from ecm.visit.coming import Coming
from ecm.visit.deadlines import ALWAYS, Due, crossings, dues, missed, next_change
from ecm.visit.lifecycle import Facts, state_of
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    Assessment,
    Attendance,
    Change,
    DeadlineKind,
    Evidence,
    Finding,
    State,
    Visit,
)
from ecm.visit.policy import Policy
from ecm.visit.reasons import STATES
from ecm.visit.timekeeping import no_check_outs, second_worker, timekeeping, too_early
from ecm.visit.verification import verify, verify_amendments, verify_repeats, verify_road


def assess(visit: Visit, evidence: Evidence, policy: Policy, now: datetime) -> Assessment:
    """Folds all evidence of a visit, as of `now` (UTC), under one contract's tolerances."""
    timed = in_order(evidence.events, policy)
    amendments = evidence.amendments
    coming = Coming(visit, timed, amendments, policy)
    presences = coming.counted
    frustrated_by = _last(amendments, AmendmentKind.FRUSTRATED) if amendments else None
    all_left_frustrated = bool(presences) and all(
        not one.is_in and one.reason_code in policy.frustrated_reasons for one in presences
    )
    cancelled_at = _cancelled_at(visit, amendments)
    found = dues(
        visit, coming, policy, cancelled_at, _frustrated_at(amendments, presences, all_left_frustrated)
    )
    passed = {due.kind for due in found if due.stands and due.at <= now}
    state = state_of(
        Facts(
            planned=visit.planned_start is not None and cancelled_at is None,
            someone_came=bool(presences),
            someone_is_in=any(one.is_in for one in presences),
            officer_says_frustrated=frustrated_by is not None,
            all_left_frustrated=all_left_frustrated,
            overrunning_passed=DeadlineKind.OVERRUNNING in passed,
            missed_passed=DeadlineKind.MISSED in passed,
            late_passed=DeadlineKind.LATE in passed,
        )
    )
    findings: list[Finding] = []
    attended = coming.attended
    if timed:
        looked_at = _bounding(timed, attended.repeats) if attended.repeats else timed
        findings.extend(verify(visit, looked_at, policy))
        findings.extend(verify_repeats(visit, attended.repeats, policy))
        if evidence.trail:
            findings.extend(verify_road(attended.presences, looked_at, evidence.trail, policy))
    if amendments:
        findings.extend(verify_amendments(amendments, attended.unused))
    if coming.others:
        findings.extend(too_early(visit, coming.others, policy))
    if presences:
        findings.extend(timekeeping(visit, presences, state, cancelled_at is not None, policy))
        findings.extend(no_check_outs(visit, found, now, policy))
        findings.extend(second_worker(visit, presences, found, state, now))
    deadline_at, deadline_kind = next_change(found, now)
    attendances = sorted((each for one in presences for each in one.attendances), key=_began)
    starts = [one.check_in_at for one in attendances if one.check_in_at is not None]
    ends = [one.check_out_at for one in attendances if one.check_out_at is not None]
    actual_start = min(starts, default=None)
    actual_end = max(ends) if ends and not any(one.is_in for one in presences) else None
    reason_code = frustrated_by.reason_code if frustrated_by else None
    return Assessment(
        state,
        tuple(attendances),
        actual_start,
        actual_end,
        tuple(findings),
        crossings(found, now),
        deadline_at,
        deadline_kind,
        _reason(state, visit, policy, presences, found, actual_start, actual_end, reason_code),
    )


def difference(old: Assessment | None, new: Assessment) -> Change | None:
    """What `new` has that `old` had not, or None if a transition row would say nothing."""
    if old is None:
        return Change(None, new.state, new.findings, (), new.crossings)
    if old.state is new.state and old.findings == new.findings and old.crossings == new.crossings:
        return None
    found_before, found_now = set(old.findings), set(new.findings)
    added = tuple(finding for finding in new.findings if finding not in found_before)
    removed = tuple(finding for finding in old.findings if finding not in found_now)
    crossed = tuple(crossing for crossing in new.crossings if crossing not in old.crossings)
    gone = any(crossing not in new.crossings for crossing in old.crossings)
    if old.state is new.state and not (added or removed or crossed or gone):
        return None
    return Change(old.state, new.state, added, removed, crossed)


def _bounding(timed: Sequence[Timed], repeats: Iterable[Repeats]) -> list[Timed]:
    """The taps that some attendance begins or ends with."""
    idle = {tap[2] for each in repeats for tap in each.taps}
    return [tap for tap in timed if tap[2] not in idle]


def _began(attendance: Attendance) -> tuple[datetime, str]:
    at = attendance.check_in_at or attendance.check_out_at
    assert at is not None
    return at, attendance.care_worker or ""


def _last(amendments: Iterable[Amendment], kind: AmendmentKind) -> Amendment | None:
    made = [amendment for amendment in amendments if amendment.kind is kind]
    return max(made, key=lambda a: (a.made_at, a.amendment_id)) if made else None


def _first_made_at(amendments: Iterable[Amendment], kind: AmendmentKind) -> datetime | None:
    return min((amendment.made_at for amendment in amendments if amendment.kind is kind), default=None)


def _cancelled_at(visit: Visit, amendments: Sequence[Amendment]) -> datetime | None:
    by_plan = (visit.cancelled_at or ALWAYS) if visit.cancelled else None
    by_amendment = _first_made_at(amendments, AmendmentKind.CANCELLED) if amendments else None
    return min(filter(None, (by_plan, by_amendment)), default=None)


def _frustrated_at(
    amendments: Sequence[Amendment], presences: Sequence[Presence], all_left_frustrated: bool
) -> datetime | None:
    """When we knew that care could not be given."""
    said = _first_made_at(amendments, AmendmentKind.FRUSTRATED) if amendments else None
    if all_left_frustrated:
        left = max(one.left_known_at for one in presences if one.left_known_at is not None)
        return min(said, left) if said else left
    return said


def _reason(
    state: State,
    visit: Visit,
    policy: Policy,
    presences: Sequence[Presence],
    found: Iterable[Due],
    start: datetime | None,
    end: datetime | None,
    reason_code: str | None,
) -> str:
    """Why this state, in the words the board shows."""
    words = STATES[state].text
    zone = visit.zone
    match state:
        case State.PLANNED if visit.planned_start is not None:
            return words.format(at=local_hh_mm(visit.planned_start, zone))
        case State.LATE:
            return words.format(at=local_hh_mm(_at(found, DeadlineKind.LATE), zone))
        case State.MISSED:
            at, why = missed(visit, policy)
            return words.format(at=local_hh_mm(at, zone), detail=why)
        case State.IN_PROGRESS if start is not None:
            return words.format(at=local_hh_mm(start, zone))
        case State.OVERRUNNING:
            return words.format(at=local_hh_mm(_at(found, DeadlineKind.OVERRUNNING), zone))
        case State.COMPLETED:
            left = local_hh_mm(end, zone) if end is not None else "no check-out received"
            if start is None:
                return f"checked out at {left}, no check-in received"
            return words.format(start=local_hh_mm(start, zone), end=left)
        case State.FRUSTRATED:
            code = reason_code or next((one.reason_code for one in presences if one.reason_code), "")
            return words.format(detail=code.replace("_", " ") if code else "no reason given")
        case State.CANCELLED:
            planned = visit.planned_start is not None
            return words.format(detail="cancelled" if planned else "its evidence belongs elsewhere")
    raise AssertionError(state)


def _at(found: Iterable[Due], kind: DeadlineKind) -> datetime:
    return min(due.at for due in found if due.kind is kind and due.stands)
