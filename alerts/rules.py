"""Which alerts a visit has, how urgent each is, and when it is over. Everything about that is in this file.

`decide` looks at a visit as it now stands and at the alerts it already has, and says what is missing: alerts to
raise, to stand down, to reopen. It asks nothing of how the visit came to be so. Run twice, or for two changes
in one go, or late, it ends in the same alerts; that is what makes the to-do rows safe to repeat.

An alert has a *cause*: a deadline that passed unmet (a crossing), a finding of ALERTING_FINDINGS, or what a care
worker's phone said (`alerts.said`). A crossing
stays true for ever, so it is raised even if the check-in came before we got to it: raised and stood down in
one, told to nobody, and the record is whole. An alert is over when what it says no longer stands (STANDING); it
comes back if that turns out wrong, as when an officer rejects the check-in that had ended it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from alerts.said import NO_REPLY, Report
from ecm.visit.clocks import local_hh_mm
from ecm.visit.model import Crossing, DeadlineKind, Finding, FindingCode, State
from ecm.visit.reasons import explain, explain_crossing

# The severity of each kind of alert is the highest of the columns that apply to the visit. A, B and C are the
# tiers of the person's risk: A cannot wait, C can.
SEVERITIES = """
                         C           B           A           time-critical  double-up
late                     warning     warning     critical    critical       warning
second_worker_missing    warning     warning     critical    critical       warning
missed                   critical    critical    critical    critical       critical
overrunning              information information warning     information    information
no_check_out             warning     warning     warning     warning        warning
short                    information information warning     warning        warning
location_outside         information information warning     information    information
leaver                   warning     warning     warning     warning        warning
"""
LEVELS = ("information", "warning", "critical")

ALERTING_FINDINGS = (
    FindingCode.SHORT,
    FindingCode.LOCATION_OUTSIDE,
    FindingCode.SECOND_WORKER_MISSING,
    FindingCode.LEAVER,
)


@dataclass(frozen=True, slots=True)
class Known:
    """When a worker came or left, and when we heard of it; None heard: somebody established it later."""

    at: datetime
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class VisitNow:
    """A visit as it now stands, as far as alerts depend on it."""

    zone: str
    window_start: datetime
    state: State
    risk_tier: str = "C"
    time_critical: bool = False
    carers_required: int = 1
    crossings: tuple[Crossing, ...] = ()
    findings: tuple[Finding, ...] = ()
    came: Known | None = None
    left: Known | None = None
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertNow:
    alert_id: int
    kind: str
    raised_for: datetime
    stood_down: bool


@dataclass(frozen=True, slots=True)
class Raise:
    """`over`: why it is stood down in the same breath; None leaves it open."""

    kind: str
    raised_for: datetime
    severity: str
    reason: str
    over: str | None = None


@dataclass(frozen=True, slots=True)
class StandDown:
    """`taken_over`: a graver alert of the same visit takes its place, so nobody is told that it is over."""

    alert_id: int
    reason: str
    taken_over: bool = False


@dataclass(frozen=True, slots=True)
class Reopen:
    alert_id: int


Action: TypeAlias = Raise | StandDown | Reopen


def decide(visit: VisitNow, alerts: Iterable[AlertNow]) -> tuple[Action, ...]:
    """What has to be done for the alerts to say what the visit is."""
    actions: list[Action] = []
    causes = _causes(visit)
    known = {(alert.kind, alert.raised_for): alert for alert in alerts}
    for (kind, raised_for), (level, reason, over) in causes.items():
        alert = known.get((kind, raised_for))
        if alert is None:
            actions.append(Raise(kind, raised_for, level, reason, over))
        elif over is not None and not alert.stood_down:
            actions.append(StandDown(alert.alert_id, over, over in _TAKEN_OVER))
        elif over is None and alert.stood_down:
            actions.append(Reopen(alert.alert_id))
    for key, alert in known.items():
        if key not in causes and not alert.stood_down:
            actions.append(StandDown(alert.alert_id, _why_gone(alert.kind, visit)))
    return tuple(actions)


def severity(kind: str, visit: VisitNow) -> str:
    """critical, warning or information."""
    columns = [visit.risk_tier]
    if visit.time_critical:
        columns.append("time-critical")
    if visit.carers_required > 1:
        columns.append("double-up")
    return max((_SEVERITY[kind, column] for column in columns), key=LEVELS.index)


def concerns(min_severity: str, of: str) -> bool:
    """Whether somebody who is told from `min_severity` on is told of an alert of that severity."""
    return LEVELS.index(of) >= LEVELS.index(min_severity)


class _Cause(NamedTuple):
    """`over`: why it is over, if it is."""

    severity: str
    reason: str
    over: str | None = None


def _causes(visit: VisitNow) -> Mapping[tuple[str, datetime], _Cause]:
    """(kind, raised_for) of each alert the visit has had cause for."""
    causes: dict[tuple[str, datetime], _Cause] = {}
    for crossing in visit.crossings:
        stands = STANDING[crossing.kind]
        over = None if stands(visit) else _why_over(crossing.kind, visit)
        level = severity(crossing.kind.value, visit)
        causes[crossing.kind.value, crossing.deadline_at] = _Cause(
            level, explain_crossing(crossing, visit.zone), over
        )
    for finding in visit.findings:
        # Two who came one after the other are found out when both have left; one who never came, by the deadline.
        if finding.code in ALERTING_FINDINGS and not any(kind == finding.code for kind, _ in causes):
            level = severity(finding.code.value, visit)
            causes[finding.code.value, visit.window_start] = _Cause(level, explain(finding))
    for report in visit.reports:
        level = report.severity(cannot_wait=visit.time_critical or visit.risk_tier == "A")
        over = "care was given after all" if report.kind == NO_REPLY and _got_in(visit, report) else None
        causes[report.kind, report.occurred_at] = _Cause(level, report.words, over)
    return causes


def _got_in(visit: VisitNow, report: Report) -> bool:
    """Who left again within minutes, or had left before, says nothing of what happened behind the door."""
    return (
        visit.state is State.COMPLETED
        and visit.left is not None
        and visit.left.at > report.occurred_at
        and not _has(FindingCode.SHORT)(visit)
    )


def _has(code: FindingCode) -> Callable[[VisitNow], bool]:
    return lambda visit: any(finding.code is code for finding in visit.findings)


def _is(state: State) -> Callable[[VisitNow], bool]:
    return lambda visit: visit.state is state


def _overruns_and_may_yet_leave(visit: VisitNow) -> bool:
    return visit.state is State.OVERRUNNING and not _has(FindingCode.NO_CHECK_OUT)(visit)


STANDING: Mapping[DeadlineKind, Callable[[VisitNow], bool]] = {
    # what must hold for an alert of this kind to go on; the later of two takes over from the earlier
    DeadlineKind.LATE: _is(State.LATE),
    DeadlineKind.MISSED: _is(State.MISSED),
    DeadlineKind.SECOND_WORKER_MISSING: _has(FindingCode.SECOND_WORKER_MISSING),
    DeadlineKind.OVERRUNNING: _overruns_and_may_yet_leave,
    DeadlineKind.NO_CHECK_OUT: _has(FindingCode.NO_CHECK_OUT),
}

TAKES_OVER = {
    DeadlineKind.LATE: (DeadlineKind.MISSED, "now missed"),
    DeadlineKind.OVERRUNNING: (DeadlineKind.NO_CHECK_OUT, "still no check-out"),
}


def _why_over(kind: DeadlineKind, visit: VisitNow) -> str:
    """Why what the alert said no longer stands, e.g. "check-in 09:03 received 09:50"."""
    later = TAKES_OVER.get(kind)
    if later and STANDING[later[0]](visit) and any(c.kind is later[0] for c in visit.crossings):
        return later[1]
    if visit.state is State.CANCELLED:
        return "visit cancelled"
    if kind is DeadlineKind.SECOND_WORKER_MISSING:
        return "second care worker checked in" if visit.came else "the visit has changed"
    about_end = kind in (DeadlineKind.OVERRUNNING, DeadlineKind.NO_CHECK_OUT)
    if about_end and visit.left:
        return _heard("check-out", visit.left, visit.zone)
    if not about_end and visit.came:
        return _heard("check-in", visit.came, visit.zone)
    if not about_end and visit.left:
        return _heard("check-out", visit.left, visit.zone)
    if visit.state is State.FRUSTRATED:
        return "attended, care could not be given"
    return "the visit has changed"


def _why_gone(kind: str, visit: VisitNow) -> str:
    """Why an alert's cause itself is gone: only a changed plan or a correction does that."""
    if visit.state is State.CANCELLED:
        return "visit cancelled"
    if kind in (code.value for code in ALERTING_FINDINGS):
        return "later evidence says otherwise"
    return "the plan or the evidence was corrected"


def _heard(what: str, known: Known, zone: str) -> str:
    at = f"{what} {local_hh_mm(known.at, zone)}"
    if known.received_at is None:
        return f"{at} established afterwards"
    return f"{at} received {local_hh_mm(known.received_at, zone)}"


def _read(table: str) -> dict[tuple[str, str], str]:
    head, *lines = table.strip("\n").splitlines()
    cells: dict[tuple[str, str], str] = {}
    for line in lines:
        kind, *levels = line.split()
        cells |= {(kind, column): level for column, level in zip(head.split(), levels, strict=True)}
    assert {kind for kind, _ in cells} == {*DeadlineKind, *ALERTING_FINDINGS}
    assert set(cells.values()) <= set(LEVELS)
    return cells


_SEVERITY = _read(SEVERITIES)
_TAKEN_OVER = {words for _, words in TAKES_OVER.values()}
