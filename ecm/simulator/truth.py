"""What the service must have made of each visit: a second opinion, worked out naively.

It knows what was sent and, from the receipts, when the service had it. From that follow the state at the
day's end, the actual times, and which alarms must have been raised. It shares no code with the service's own
rules, on purpose: two people who read DOMAIN's table of defaults should arrive at the same answer.

A deadline was missed if nothing that would have met it had been *received* by then. An event received within
a hair's breadth before its deadline may or may not have beaten the alarm, which is right either way; such alarms
are `allowed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from ecm.simulator.day import Truth
from ecm.simulator.recording import Recorded
from ecm.simulator.values import Contract, PlannedVisit, local_instant

CUT_OFF_MINUTE = 23 * 60  # local
LATE_SYNC = timedelta(minutes=5)  # received so long after it occurred: it was kept for want of signal
LATE_SYNC_GRACE = timedelta(minutes=5)
SHORT_UNDER_MINUTES = 30
CLOCKS_AGREE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Limits:
    """A contract's tolerances in minutes, as far as the simulator looks at them."""

    late: int = 15
    time_critical_late: int | None = None
    missed: int = 60
    overrunning: int = 15
    no_check_out: int = 60


SILENT = Limits()


@dataclass(frozen=True, slots=True)
class Expected:
    """`state` as on the wire. The actual times: the answers that are right, none while there is no such time.

    (A phone whose clock is wrong has all from what it said to the truth; these are the ends.) `alarms` must have
    been raised; `allowed` may have been. `short` is None where nobody should say. `care_workers` attended, once each.
    """

    state: str
    actual_start: tuple[datetime, ...]
    actual_end: tuple[datetime, ...]
    alarms: dict[str, str]  # kind: why
    allowed: frozenset[str]
    short: bool | None
    care_workers: frozenset[str]
    story: str


def limits_of(contract: Contract | None) -> Limits:
    said = contract.rules.get("tolerances", {}) if contract else {}
    return Limits(
        late=said.get("late_after_minutes", SILENT.late),
        time_critical_late=said.get("time_critical_late_after_minutes", SILENT.time_critical_late),
        missed=said.get("missed_after_minutes", SILENT.missed),
        overrunning=said.get("overrunning_after_minutes", SILENT.overrunning),
        no_check_out=said.get("no_check_out_after_minutes", SILENT.no_check_out),
    )


def expect(
    truth: Truth, limits: Limits, received: Mapping[str, datetime], hair: timedelta = timedelta(0)
) -> Expected:
    """What must have become of one visit by the end of the day.

    `received`: event id -> received_at, by the service's clock; an event without a receipt never arrived.
    `hair`: an arrival so shortly before its deadline may not have been seen in time to hold the alarm back.
    """
    known = [event for event in truth.recorded if event.event_id in received]
    ins = [event for event in known if event.kind == "check_in"]
    outs = [event for event in known if event.kind == "check_out"]
    came = {event.care_worker_ref for event in ins}
    still_in = came - {event.care_worker_ref for event in outs}
    began = [min(_of(ins, ref), key=lambda event: event.true_at) for ref in sorted(came)]
    left = [] if still_in else [max(_of(outs, ref), key=lambda event: event.true_at) for ref in sorted(came)]
    first_in = min(ins, key=lambda event: event.true_at, default=None)
    last_out = None if still_in else max(outs, key=lambda event: event.true_at, default=None)

    alarms: dict[str, str] = {}
    allowed: set[str] = set()
    if truth.visit and not truth.visit.cancelled:
        for kind, verdict in _alarms(truth.visit, truth.next_planned_start, limits, known, received, hair):
            if verdict.must:
                alarms[kind] = verdict.why
            if verdict.may:
                allowed.add(kind)
    return Expected(
        state=_state(truth, known, still_in),
        actual_start=_answers(began, min),
        actual_end=_answers(left, max),
        alarms=alarms,
        allowed=frozenset(allowed),
        short=_short(truth, first_in, last_out),
        care_workers=frozenset(came),
        story=_story(truth, received),
    )


def _of(events: list[Recorded], care_worker_ref: str) -> list[Recorded]:
    return [event for event in events if event.care_worker_ref == care_worker_ref]


def _answers(ends: list[Recorded], chosen: Callable[..., datetime]) -> tuple[datetime, ...]:
    """The first or last of each worker's own, however each of their clocks is believed."""
    readings = [{event.occurred_at, event.true_at} for event in ends]
    return tuple(sorted({chosen(each) for each in product(*readings)})) if readings else ()


def _state(truth: Truth, known: list[Recorded], still_in: set[str]) -> str:
    if truth.visit and truth.visit.cancelled:
        return "cancelled"
    if not known:
        return "missed"
    if still_in:
        return "overrunning" if truth.visit else "in_progress"
    if any(event.reason_code for event in known):
        return "frustrated"
    return "completed"


def _short(truth: Truth, first_in: Recorded | None, last_out: Recorded | None) -> bool | None:
    """Under 30 minutes, or under an agreed shorter time. Not asked of double-ups, nor without care."""
    if not truth.visit or truth.visit.carers_required > 1 or not first_in or not last_out:
        return None
    if any(event.reason_code or event.occurred_at != event.true_at for event in truth.recorded):
        return None
    limit_minutes = min(SHORT_UNDER_MINUTES, truth.visit.commissioned_minutes)
    minutes = (last_out.occurred_at - first_in.occurred_at).total_seconds() / 60
    if minutes >= limit_minutes and minutes < 0.8 * truth.visit.commissioned_minutes:
        return None  # under a share of what was commissioned: another rule
    return minutes < limit_minutes


@dataclass(frozen=True, slots=True)
class Verdict:
    must: bool
    may: bool
    why: str = ""


NO = Verdict(False, False)


def _alarms(
    visit: PlannedVisit,
    next_planned_start: datetime | None,
    limits: Limits,
    known: list[Recorded],
    received: Mapping[str, datetime],
    hair: timedelta,
) -> list[tuple[str, Verdict]]:
    late_minutes = limits.late
    if visit.time_critical and limits.time_critical_late is not None:
        late_minutes = limits.time_critical_late
    late_at = visit.start + timedelta(minutes=late_minutes)
    missed_at = missed_deadline(visit, next_planned_start, limits)

    heard: dict[
        str, datetime
    ] = {}  # worker: when the service first knew that they came; a check-out says so too
    arrivals: dict[str, datetime] = {}  # worker: when it first had their check-in
    leavings: dict[str, datetime] = {}
    floors: dict[str, datetime] = {}  # worker: no alarm about their check-out before this
    for event in sorted(known, key=lambda event: received[event.event_id]):
        at = received[event.event_id]
        heard.setdefault(event.care_worker_ref, at)
        if event.kind == "check_out":
            leavings.setdefault(event.care_worker_ref, at)
        elif event.care_worker_ref not in arrivals:
            arrivals[event.care_worker_ref] = at
            if at - event.occurred_at > LATE_SYNC:
                floors[event.care_worker_ref] = at + LATE_SYNC_GRACE
    first_heard = min(heard.values(), default=None)

    late = _unmet(late_at, first_heard, hair, "word")
    if missed_at <= late_at:
        late = Verdict(False, True)  # gone from planned to missed in one step
    return [
        ("late", late),
        ("missed", _unmet(missed_at, first_heard, hair, "word")),
        ("second_worker_missing", _either(_second(visit, late_at, heard, hair), _apart(visit, known))),
        ("overrunning", _open_too_long(visit, limits.overrunning, arrivals, leavings, floors, hair)),
        ("no_check_out", _open_too_long(visit, limits.no_check_out, arrivals, leavings, floors, hair)),
    ]


def missed_deadline(visit: PlannedVisit, next_planned_start: datetime | None, limits: Limits) -> datetime:
    """An hour after the start, or when the person's next visit begins, or 23:00 local: whichever is first."""
    deadlines = [visit.start + timedelta(minutes=limits.missed)]
    if next_planned_start and next_planned_start > visit.start:
        deadlines.append(next_planned_start)
    cut_off = local_instant(visit.local_date, CUT_OFF_MINUTE)
    if visit.start < cut_off:
        deadlines.append(cut_off)
    return min(deadlines)


def _unmet(deadline: datetime, came_at: datetime | None, hair: timedelta, what: str) -> Verdict:
    if came_at is None:
        return Verdict(True, True, f"no {what} was ever received, due by {deadline:%H:%M:%S} UTC")
    why = f"first {what} received {came_at:%H:%M:%S}, due by {deadline:%H:%M:%S} UTC"
    return Verdict(came_at > deadline, came_at > deadline - hair, why)


def _second(visit: PlannedVisit, due_at: datetime, heard: dict[str, datetime], hair: timedelta) -> Verdict:
    """One worker in by the limit, the other not. If neither was, it is a late visit first."""
    if visit.carers_required < 2 or not heard:
        return NO
    first, *others = sorted(heard.values())
    second = others[0] if others else None
    verdict = _unmet(due_at, second, hair, "word of the second worker")
    if first <= due_at - hair:
        return verdict
    return Verdict(False, verdict.may)


def _apart(visit: PlannedVisit, known: list[Recorded]) -> Verdict:
    """As many came as were wanted together, and were together for less than half of it.

    Phones' clocks may be a little wrong, so a minute either way may or may not be said.
    """
    came: dict[str, datetime] = {}
    left: dict[str, datetime] = {}
    for event in sorted(known, key=lambda event: event.true_at):
        if event.kind == "check_in":
            came.setdefault(event.care_worker_ref, event.true_at)
        else:
            left[event.care_worker_ref] = event.true_at
    if visit.carers_required < 2 or len(came) < visit.carers_required or came.keys() != left.keys():
        return NO
    stays = sorted((left[ref] - came[ref] for ref in came), reverse=True)
    asked = min(stays[visit.carers_required - 1], visit.end - visit.start)
    together = max(timedelta(0), min(left.values()) - max(came.values()))
    why = f"together for {together} of {asked}"
    if len(came) > visit.carers_required or any(event.reason_code for event in known):
        return Verdict(False, True, why)
    return Verdict(2 * together < asked - CLOCKS_AGREE, 2 * together < asked + CLOCKS_AGREE, why)


def _either(one: Verdict, other: Verdict) -> Verdict:
    return Verdict(one.must or other.must, one.may or other.may, one.why if one.must else other.why)


def _open_too_long(
    visit: PlannedVisit,
    limit_minutes: int,
    arrivals: dict[str, datetime],
    leavings: dict[str, datetime],
    floors: dict[str, datetime],
    hair: timedelta,
) -> Verdict:
    """Somebody was in and had not been heard to leave by the limit after the planned end.

    A check-in that came late from a phone without signal buys its check-out some minutes more. Somebody who
    only just came in, long after the plan, may or may not be said to overrun at once.
    """
    due_at = visit.end + timedelta(minutes=limit_minutes)
    verdicts = []
    for ref, came_in in arrivals.items():
        deadline = max(due_at, floors.get(ref, due_at))
        unmet = _unmet(deadline, leavings.get(ref), hair, f"check-out of {ref}")
        plainly_in = came_in <= due_at - LATE_SYNC_GRACE or ref in floors or ref not in leavings
        verdicts.append(unmet if plainly_in else Verdict(False, True))
    must = [verdict for verdict in verdicts if verdict.must]
    return Verdict(bool(must), any(each.may for each in verdicts), must[0].why if must else "")


def _story(truth: Truth, received: Mapping[str, datetime]) -> str:
    """What was sent about the visit, in a line a person can check."""
    if not truth.recorded:
        return "nobody came" if truth.visit and not truth.visit.cancelled else "cancelled"
    parts = []
    for event in sorted(truth.recorded, key=lambda event: event.occurred_at):
        had = received.get(event.event_id)
        word = "in" if event.kind == "check_in" else "out"
        when = f"received {had:%H:%M:%S}" if had else "never received"
        parts.append(
            f"{event.care_worker_ref} {word} {event.occurred_at:%H:%M:%S} by {event.body['method']}, {when}"
        )
    return "; ".join(parts)
