"""What nobody should pay unseen: a table of findings, and what a completed visit lacks.

A line is worked out all the same; what is said here becomes its `exception`. What is inside the contract's
tolerances leaves no finding, so it needs no look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ecm.actuals.rules import PaymentRules
from ecm.actuals.share import Share, length, planned_seconds
from ecm.visit.model import Attendance, Finding, FindingCode, Visit
from ecm.visit.policy import DEFAULT
from ecm.visit.reasons import explain


class Paid(NamedTuple):
    """A completed visit as it was worked out: each worker's part as recorded, and the seconds paid for it."""

    visit: Visit
    findings: Sequence[Finding]
    parts: Sequence[tuple[Share, int]]


def _always(_: Finding, __: Paid) -> bool:
    return True


def _not_known_to_be_there(late: Finding, paid: Paid) -> bool:
    """A position at the home is a second witness; the hour by itself is the device's word alone."""
    return not any(
        found.code is FindingCode.LOCATION_INSIDE and found.event_id == late.event_id
        for found in paid.findings
        if late.event_id is not None
    )


def _early_minutes_are_paid(_: Finding, paid: Paid) -> bool:
    return any(
        seconds > length([(max(i, share.planned[0]), max(o, share.planned[0])) for i, o in share.stays])
        for share, seconds in paid.parts
        if share.planned is not None
    )


def _somebody_stayed_longer(overran: Finding, paid: Paid) -> bool:
    """Than planned and tolerated. Who began late and stayed as long as planned left late, and that is all."""
    tolerated = planned_seconds(paid.visit) + (overran.limit or 0) * 60
    return any(share.seconds > tolerated for share, _ in paid.parts)


def _nobody_knows_where(tapped: Finding, paid: Paid) -> bool:
    """Of two check-outs the later one may be paid: tapped in the car, half an hour on, if no place says otherwise."""
    return any(
        found.code is FindingCode.LOCATION_NONE and found.care_worker == tapped.care_worker
        for found in paid.findings
    )


def _more_is_paid_than_was_there(short: Finding, paid: Paid) -> bool:
    """Far short of what was bought, that is: a visit of 29 minutes out of 30 may well be paid as 30.

    However the contract draws its limits: a minute out of 30 is far from it under any of them.
    """
    bought_min = planned_seconds(paid.visit) / 60
    nearly_all = bought_min * DEFAULT.short_share_percent / 100
    far = (short.measure or 0) < nearly_all or (short.limit or 0) < bought_min
    return far and any(seconds > share.seconds for share, seconds in paid.parts)


LOOK_FIRST: Mapping[FindingCode, Callable[[Finding, Paid], bool]] = {
    # what was found, and when a person looks at it before it is paid  # because
    FindingCode.CLOCK_SKEW: _always,  # the times are the device's, and its clock is wrong
    FindingCode.LATE_SYNC: _not_known_to_be_there,  # sent hours later, it can say any hour it likes
    FindingCode.MANUAL_ENTRY: _always,  # somebody wrote it down afterwards
    FindingCode.LOCATION_OUTSIDE: _always,  # it happened elsewhere
    FindingCode.LEAVER: _always,  # somebody who no longer works there came, or their PIN was used
    FindingCode.CLI_UNKNOWN: _always,  # the telephone stands for the home, and this is not the home's
    FindingCode.UNPLANNED: _always,  # nobody bought it
    FindingCode.WRONG_WORKER: _always,  # somebody else came, or somebody else's name was used
    FindingCode.SECOND_WORKER_MISSING: _always,  # care for two was given by one, or not given
    FindingCode.STARTED_EARLY: _early_minutes_are_paid,  # nobody bought the minutes before the plan
    FindingCode.OVERRAN: _somebody_stayed_longer,  # extra time is claimed, or the check-out was forgotten
    FindingCode.SHORT: _more_is_paid_than_was_there,  # minutes nobody was there for
    FindingCode.OVERLAP: _always,  # nobody is in two homes at once
    FindingCode.IMPOSSIBLE_TRAVEL: _always,  # nor comes from one to the other in no time
    FindingCode.REPEATED_FIX: _always,  # no two real positions are the same to six places
    FindingCode.DUPLICATE_TAP: _nobody_knows_where,  # the second check-out makes the stay longer
}
# Not here: location_none by itself. How many visits may do without a place is a contract's to say, and the files tell
# it of each line.

EVIDENCE_OF_PLACE = (FindingCode.LOCATION_INSIDE, FindingCode.LOCATION_NONE)
"""Findings that LOOK_FIRST asks after beside its own."""


def findings_to_look_at(paid: Paid) -> list[str]:
    """In the order of LOOK_FIRST, e.g. "location_outside: 400 m from the door ± 12 m, fence 100 m"."""
    found: dict[FindingCode, str] = {}
    for finding in paid.findings:
        look = LOOK_FIRST.get(finding.code)
        if look is not None and finding.code not in found and look(finding, paid):
            found[finding.code] = f"{finding.code.value}: {explain(finding)}".removesuffix(": ")
    return [found[code] for code in LOOK_FIRST if code in found]


def gaps_to_look_at(
    visit: Visit, attendances: Sequence[Attendance], shares: Sequence[Share], rules: PaymentRules
) -> list[str]:
    """What a completed visit lacks, so that nobody pays it unseen."""
    gaps = []
    if any(attendance.check_in_at is None for attendance in attendances):
        gaps.append("no_check_in: not payable yet")
    if any(attendance.check_out_at is None for attendance in attendances):
        gaps.append("no_check_out: not payable yet")
    if any(attendance.amended for attendance in attendances):
        gaps.append("amended: times were corrected")
    if not attendances:
        gaps.append("no attendance recorded")
    if any(
        share.planned and share.stays and max(end for _, end in share.stays) <= share.planned[0]
        for share in shares
    ):
        gaps.append("left before the planned start")
    if len(shares) > visit.carers_required:
        gaps.append(f"{len(shares)} workers came, {visit.carers_required} required")
    if rules.rate_pence_per_hour is None:
        gaps.append("the contract states no hourly rate")
    return gaps


def turned_away(shares: Sequence[Share], left_saying: Mapping[str | None, str]) -> list[str]:
    """Where several came the visit is completed, though one of them says that care could not be given."""
    return [
        f"{share.care_worker or 'a worker not known'} left saying {left_saying[share.care_worker]}"
        for share in shares
        if share.care_worker in left_saying
    ]
