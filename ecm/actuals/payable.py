"""What one visit is paid: `payable` takes plan, assessment and contract rules, and shows its working.

A completed visit's time passes through the stages of STAGES from top to bottom, for each worker apart: a
double-up pays each worker who came. A stage the contract does not speak of leaves no step. Every stage keeps
the order of times: who stayed longer is never paid less. Then one hourly rate makes money of it.

The clock's edges come before the basis, so that "the lesser" compares times that the contract already made
regular and never pays more than the plan. What a visit pays that was not delivered is read from OUTCOMES.
What may not be paid before somebody looked is read from LOOK_FIRST: the line is worked out all the same, but
it never passes in silence on a device's word alone. What is inside the contract's tolerances leaves no finding,
so it needs no look.

All sums are integers: seconds, and pence rounded half up once for each worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from ecm.actuals.line import ActualLine, OneInput, Step, pence, pounds_in_words, time_in_words
from ecm.actuals.look_first import Paid, findings_to_look_at, gaps_to_look_at, turned_away
from ecm.actuals.rules import Basis, Cap, PaymentRules, RoundingMode, RoundingOf
from ecm.actuals.share import Share, length, planned_seconds, seconds_of
from ecm.visit.model import Assessment, Attendance, State, Visit

OUTCOMES: dict[State, tuple[str, str | None]] = {
    # what the visit became: (why it pays nothing, why somebody should look)
    State.MISSED: ("a missed visit pays nothing", None),
    State.CANCELLED: ("a cancelled visit pays nothing", None),
    State.FRUSTRATED: (
        "a frustrated visit pays nothing until it is decided",
        "frustrated: decide what it pays",
    ),
    State.IN_PROGRESS: ("not payable before it has ended", "in_progress: no check-out yet"),
    State.OVERRUNNING: ("not payable before it has ended", "overrunning: no check-out received"),
    State.PLANNED: ("not payable before it has begun", None),
    State.LATE: ("not payable before it has begun", None),
}

NOTHING_SAID: Mapping[str | None, str] = MappingProxyType({})


def payable(
    visit: Visit,
    assessment: Assessment,
    rules: PaymentRules,
    left_saying: Mapping[str | None, str] = NOTHING_SAID,
    *,
    evidence_ruled: bool = False,
) -> ActualLine:
    """The pay line of one visit, from its plan and from its assessment's state, attendances and findings.

    `left_saying`: the reason code a worker of several gave on leaving, by worker. `evidence_ruled`: a person said
    which evidence counts for this visit, or for another one instead.
    """
    steps: list[Step] = []
    shares = _shares(visit, assessment.attendances)
    seconds = amount = 0
    why_look: list[str] = []

    if assessment.state is State.COMPLETED:
        parts = []
        for share in shares:
            worked = _work_out(share, rules)
            steps += worked
            seconds += worked[-1].seconds_after
            amount += worked[-1].pence_after
            parts.append((share, worked[-1].seconds_after))
        if len(shares) > 1:
            steps.append(_sum_of_workers(shares, rules, seconds, amount))
        why_look += findings_to_look_at(Paid(visit, assessment.findings, parts))
        why_look += gaps_to_look_at(visit, assessment.attendances, shares, rules)
        why_look += ["amended: evidence was linked or set aside"] if evidence_ruled else []
        why_look += turned_away(shares, left_saying)
    else:
        words, look = OUTCOMES[assessment.state]
        steps.append(
            Step("outcome", rules.clauses.get("outcome"), {"state": assessment.state.value}, 0, 0, words)
        )
        why_look += [look] if look else []

    planned = planned_seconds(visit)
    return ActualLine(
        state=assessment.state,
        planned_seconds=planned * visit.carers_required,
        actual_seconds=sum(share.seconds for share in shares),
        payable_seconds=seconds,
        amount_pence=amount,
        planned_pence=pence(planned, rules.rate_pence_per_hour) * visit.carers_required,
        steps=tuple(steps),
        exception="; ".join(why_look) or None,
    )


Stage = tuple[Share, dict[str, OneInput], str]
"""What a stage answers: the part after it, what it looked at, and words.

A stage that moves the beginning of the paid time says so as `start` among what it looked at.
"""


def _zero_below(share: Share, rules: PaymentRules) -> Stage | None:
    """Asked of the recorded time, before a plan or a rounding makes more of it. What is under it stays nothing."""
    limit = rules.zero_below_minutes
    if limit is None:
        return None
    inputs: dict[str, OneInput] = {"zero_below_minutes": limit}
    if share.seconds >= limit * 60:
        return share, inputs, f"not under {limit} min"
    return share._replace(stays=(), seconds=0), inputs, f"under {limit} min pays nothing"


def _snap(share: Share, rules: PaymentRules) -> Stage | None:
    """Clock ends a little off the plan count as the plan's."""
    early, late = rules.snap_early_minutes, rules.snap_late_minutes
    if (early is None and late is None) or share.planned is None:
        return None
    early_s, late_s = (early or 0) * 60, (late or 0) * 60

    def snapped(at: int, plan: int) -> int:
        return plan if plan - early_s <= at <= plan + late_s else at

    start, end = share.planned
    stays = tuple((snapped(i, start), max(snapped(i, start), snapped(o, end))) for i, o in share.stays)
    moved = sum(
        a != b for was, now in zip(share.stays, stays, strict=True) for a, b in zip(was, now, strict=True)
    )
    window = f"{early or 0} min before to {late or 0} min after the plan"
    words = f"within {window}: {moved} clock end(s) moved to the plan" if moved else f"not within {window}"
    inputs: dict[str, OneInput] = {
        "early_minutes": early,
        "late_minutes": late,
        "moved": moved,
        "start": stays[0][0],
    }
    return _with_stays(share, stays), inputs, words


def _round_each_end(share: Share, rules: PaymentRules) -> Stage | None:
    """Clock ends fall on the contract's increment of UTC, whose quarters are quarters in every zone."""
    rounding = rules.rounding
    if rounding.mode is RoundingMode.NONE or rounding.of is not RoundingOf.EACH_END:
        return None
    step = rounding.increment_minutes * 60
    begin, finish = {
        RoundingMode.UP: (_down, _up),
        RoundingMode.DOWN: (_up, _down),
        RoundingMode.NEAREST: (_nearest, _nearest),
    }[rounding.mode]
    stays = tuple((begin(i, step), max(begin(i, step), finish(o, step))) for i, o in share.stays)
    words = f"each end {_ROUNDED[rounding.mode]} to {rounding.increment_minutes} min"
    inputs: dict[str, OneInput] = {"increment_minutes": rounding.increment_minutes, "start": stays[0][0]}
    return _with_stays(share, stays), inputs, words


def _basis(share: Share, rules: PaymentRules) -> Stage | None:
    """Which time is paid at all."""
    planned = share.planned_seconds
    inputs: dict[str, OneInput] = {
        "basis": rules.basis.value,
        "recorded_seconds": share.seconds,
        "planned_seconds": planned,
    }
    if rules.basis in (Basis.PLANNED, Basis.LESSER) and planned is None:
        return share, inputs, f"no plan to pay by: recorded {time_in_words(share.seconds)}"
    match rules.basis:
        case Basis.PLANNED:
            seconds, words = planned or 0, "planned time"
            inputs["start"] = share.planned[0] if share.planned else None
        case Basis.LESSER:
            seconds, words = min(planned or 0, share.seconds), "the lesser of planned and recorded time"
        case Basis.CLAIMED:
            seconds, words = share.seconds, "time as claimed"
        case _:
            seconds, words = share.seconds, "recorded time"
    return _paying(share, seconds), inputs, f"{words}: {time_in_words(seconds)}"


def _tolerance(share: Share, rules: PaymentRules) -> Stage | None:
    """Within tolerance pays planned."""
    if rules.tolerance_minutes is None or share.planned is None or share.planned_seconds is None:
        return None
    off = share.seconds - share.planned_seconds
    inputs: dict[str, OneInput] = {"tolerance_minutes": rules.tolerance_minutes, "off_by_seconds": off}
    if abs(off) > rules.tolerance_minutes * 60:
        return share, inputs, f"{time_in_words(off)} off the plan, outside ±{rules.tolerance_minutes} min"
    words = f"{time_in_words(off)} off the plan, within ±{rules.tolerance_minutes} min: planned time"
    inputs["start"] = share.planned[0]
    return _paying(share, share.planned_seconds), inputs, words


def _round_total(share: Share, rules: PaymentRules) -> Stage | None:
    rounding = rules.rounding
    if rounding.mode is RoundingMode.NONE or rounding.of is not RoundingOf.TOTAL:
        return None
    turn = {RoundingMode.UP: _up, RoundingMode.DOWN: _down, RoundingMode.NEAREST: _nearest}[rounding.mode]
    seconds = turn(share.seconds, rounding.increment_minutes * 60)
    words = f"{_ROUNDED[rounding.mode]} to {rounding.increment_minutes} min: {time_in_words(seconds)}"
    return _paying(share, seconds), {"increment_minutes": rounding.increment_minutes}, words


def _minimum(share: Share, rules: PaymentRules) -> Stage | None:
    """A minimum raises time that was worked; it does not make any of nothing."""
    least = rules.minimum_minutes
    if least is None:
        return None
    if share.seconds == 0 or share.seconds >= least * 60:
        return share, {"minimum_minutes": least}, f"the minimum of {least} min does not apply"
    return _paying(share, least * 60), {"minimum_minutes": least}, f"at least {least} min"


def _cap(share: Share, rules: PaymentRules) -> Stage | None:
    if rules.cap is Cap.NONE:
        return None
    most = share.planned_seconds if rules.cap is Cap.PLANNED else share.commissioned_seconds
    if most is None:
        return share, {"cap": rules.cap.value}, f"no {rules.cap.value} time to cap at"
    most += rules.cap_extra_minutes * 60
    inputs: dict[str, OneInput] = {"cap": rules.cap.value, "most_seconds": most}
    extra = f" and {rules.cap_extra_minutes} min" if rules.cap_extra_minutes else ""
    if share.seconds <= most:
        return share, inputs, f"not over {rules.cap.value} time{extra}"
    return (
        _paying(share, most),
        inputs,
        f"capped at {rules.cap.value} time{extra}: {time_in_words(most)}",
    )


STAGES: tuple[tuple[str, Callable[[Share, PaymentRules], Stage | None]], ...] = (
    ("zero_below", _zero_below),
    ("snap", _snap),
    ("rounding", _round_each_end),
    ("basis", _basis),
    ("tolerance", _tolerance),
    ("rounding", _round_total),
    ("minimum", _minimum),
    ("cap", _cap),
)


def _work_out(share: Share, rules: PaymentRules) -> list[Step]:
    """One worker's part through every stage, then the rate. Never empty."""
    recorded: dict[str, OneInput] = {"start": _utc(share.stays, 0), "end": _utc(share.stays, -1)}
    steps = [_step(rules, share, "recorded", recorded, f"recorded {time_in_words(share.seconds)}")]
    for rule, stage in STAGES:
        if not share.stays:
            return steps
        if (outcome := stage(share, rules)) is not None:
            share, inputs, words = outcome
            steps.append(_step(rules, share, rule, inputs, words))
    rate = rules.rate_pence_per_hour
    if rate is None:
        words = "the contract states no hourly rate"
    else:
        amount = pounds_in_words(pence(share.seconds, rate))
        words = f"{time_in_words(share.seconds)} at {pounds_in_words(rate)} an hour: {amount}"
    steps.append(_step(rules, share, "rate", {"rate_pence_per_hour": rate}, words))
    return steps


def _step(rules: PaymentRules, share: Share, rule: str, inputs: dict[str, OneInput], words: str) -> Step:
    amount = pence(share.seconds, rules.rate_pence_per_hour)
    return Step(rule, rules.clauses.get(rule), inputs, share.seconds, amount, words, share.care_worker)


def _sum_of_workers(shares: Sequence[Share], rules: PaymentRules, seconds: int, amount: int) -> Step:
    words = f"{len(shares)} workers: {time_in_words(seconds)}, {pounds_in_words(amount)}"
    return Step("workers", rules.clauses.get("workers"), {"workers": len(shares)}, seconds, amount, words)


def _shares(visit: Visit, attendances: Iterable[Attendance]) -> list[Share]:
    """Each worker's stays that have both ends. Two stays of one worker are one part: a plan is paid once."""
    stays: dict[str | None, list[tuple[int, int]]] = {}
    for attendance in attendances:
        of_worker = stays.setdefault(attendance.care_worker, [])
        if attendance.check_in_at is not None and attendance.check_out_at is not None:
            start = seconds_of(attendance.check_in_at)
            of_worker.append((start, max(start, seconds_of(attendance.check_out_at))))
    planned = None
    if visit.planned_start is not None and visit.planned_end is not None:
        planned = (seconds_of(visit.planned_start), seconds_of(visit.planned_end))
    commissioned = visit.commissioned_minutes * 60 if visit.commissioned_minutes is not None else None
    return [
        Share(worker, tuple(sorted(ends)), length(ends), planned, commissioned)
        for worker, ends in stays.items()
    ]


def _with_stays(share: Share, stays: tuple[tuple[int, int], ...]) -> Share:
    return share._replace(stays=stays, seconds=length(stays))


def _paying(share: Share, seconds: int) -> Share:
    return Share(share.care_worker, share.stays, seconds, share.planned, share.commissioned_seconds)


_ROUNDED = {RoundingMode.UP: "rounded up", RoundingMode.DOWN: "rounded down", RoundingMode.NEAREST: "rounded"}


def _up(seconds: int, step: int) -> int:
    return -(-seconds // step) * step


def _down(seconds: int, step: int) -> int:
    return seconds // step * step


def _nearest(seconds: int, step: int) -> int:
    return (2 * seconds + step) // (2 * step) * step


def _utc(stays: Sequence[tuple[int, int]], which: int) -> int | None:
    """The first start or the last end, in seconds since 1970."""
    if not stays:
        return None
    return stays[0][0] if which == 0 else max(end for _, end in stays)
