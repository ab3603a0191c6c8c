"""Lays the service's answers beside the truth and names each difference. Judges nothing by itself: truth.py does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecm.simulator.day import Day, Truth
from ecm.simulator.player import Log
from ecm.simulator.reading import Item, ReadBack, instant
from ecm.simulator.truth import Expected, expect, limits_of

TIME_SLACK = timedelta(seconds=61)  # a double tap may count or not; nothing else may move a time
HAIR_REAL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind` is one of KINDS; `expected` and `got` in the words of the wire; `why` tells the story."""

    kind: str
    visit: str
    expected: str
    got: str
    why: str


# What each kind of difference means. The first five make a run fail.
KINDS = {
    "missing": "acknowledged, but the service has no row of it",
    "doubled": "one event, or one stay, counted more than once",
    "refused": "a good event that the service would not take",
    "state": "another state or another actual time than what happened gives",
    "alert_missing": "an alarm that must have been raised was not",
    "alert_unexpected": "an alarm that nothing gave reason for",
    "finding": "short said of a visit that was not, or not said of one that was",
}


def compare(day: Day, log: Log, back: ReadBack, *, speed: float) -> list[Difference]:
    """Every difference, in the order of KINDS and then of visits."""
    found = [
        *_rows(day, log, back),
        *_refusals(day, log),
        *_visits(day, log, back, timedelta(seconds=HAIR_REAL_SECONDS * speed)),
    ]
    order = list(KINDS)
    return sorted(found, key=lambda each: (order.index(each.kind), each.visit))


def _rows(day: Day, log: Log, back: ReadBack) -> Iterable[Difference]:
    """Every acknowledged event has exactly one row."""
    times: Counter[str] = Counter()
    for listing in back.check_events:
        times |= Counter(str(row["id"]) for row in listing)
    for event_id, truth in _events(day).items():
        if event_id in log.receipts and not times[event_id]:
            received = log.receipts[event_id].received_at
            yield Difference(
                "missing", truth.name, "one row", "none", f"event {event_id}, receipt of {received}"
            )
        if times[event_id] > 1:
            yield Difference("doubled", truth.name, "one row", f"{times[event_id]} rows", f"event {event_id}")


def _refusals(day: Day, log: Log) -> Iterable[Difference]:
    events = _events(day)
    for event_id, refusal in log.refusals.items():
        yield Difference("refused", events[event_id].name, "a receipt", str(refusal.status), refusal.detail)


def _events(day: Day) -> dict[str, Truth]:
    return {event.event_id: truth for truth in day.truths for event in truth.recorded}


def _visits(day: Day, log: Log, back: ReadBack, hair: timedelta) -> Iterable[Difference]:
    received = {receipt.event_id: receipt.received_at for receipt in log.receipts.values()}
    limits = {contract.provider_ref: limits_of(contract) for contract in day.borough.contracts}
    found = _Found(back)
    raised = _raised(back)
    for truth in day.truths:
        expected = expect(truth, limits[_provider_of(day, truth)], received, hair)
        visit = found.visit_of(truth)
        if visit is None:
            if truth.visit or expected.care_workers:
                yield Difference("state", truth.name, expected.state, "no such visit", expected.story)
            continue
        yield from _state_differences(truth, expected, visit)
        yield from _alarm_differences(truth, expected, raised.get(str(visit["id"]), set()), visit)
        yield from _finding_differences(truth, expected, visit)
    yield from _nobodys(day, back, found)


def _provider_of(day: Day, truth: Truth) -> str:
    if truth.visit:
        return truth.visit.provider_ref
    return next(each.provider_ref for each in day.borough.service_users if each.ref == truth.service_user_ref)


class _Found:
    """The service's visits by our reference; one that nobody planned by the events that made it."""

    def __init__(self, back: ReadBack) -> None:
        self._by_ref = {visit["ref"]: visit for visit in back.visits}
        self._by_id = {str(visit["id"]): visit for visit in back.visits}
        self._of_event = {
            str(row["id"]): str(row["visit"])
            for listing in back.check_events
            for row in listing
            if row.get("visit") is not None
        }

    def visit_of(self, truth: Truth) -> Item | None:
        if truth.visit:
            return self._by_ref.get(truth.visit.ref)
        for event in truth.recorded:
            name = self._of_event.get(event.event_id, "")
            if visit := self._by_id.get(name) or self._by_ref.get(name):
                return visit
        return None


def _raised(back: ReadBack) -> Mapping[str, set[str]]:
    """The kinds of alarm raised about each visit, by the service's number of it; stood down counts as raised."""
    kinds: dict[str, set[str]] = {}
    for alert in back.alerts:
        kinds.setdefault(str(alert["visit"]), set()).add(alert["kind"])
    return kinds


def _state_differences(truth: Truth, expected: Expected, visit: Item) -> Iterable[Difference]:
    def different(want: str, got: str) -> Difference:
        return Difference("state", truth.name, want, got, expected.story)

    if visit["state"] != expected.state:
        yield different(
            expected.state, f"{visit['state']} ({visit.get('state_reason') or 'no reason given'})"
        )
        return
    for end, answers in (("start", expected.actual_start), ("end", expected.actual_end)):
        got = instant((visit.get("actual") or {}).get(end))
        if not _right(got, answers):
            yield different(f"{end} {' or '.join(map(_clock, answers)) or 'open'}", f"{end} {_clock(got)}")
    attended = Counter(each["care_worker"] for each in visit.get("attendances", ()))
    if set(attended) - {None} != expected.care_workers:
        want, got_workers = sorted(expected.care_workers), sorted(map(str, attended))
        yield different(f"workers {', '.join(want) or 'none'}", f"workers {', '.join(got_workers) or 'none'}")
    for ref, times in attended.items():
        if times > 1:
            yield Difference("doubled", truth.name, f"one stay of {ref}", f"{times} stays", expected.story)


def _right(got: datetime | None, answers: tuple[datetime, ...]) -> bool:
    """Between the earliest and the latest: how far a wrong clock is put right depends on how long the news took."""
    if got is None or not answers:
        return got is None and not answers
    return min(answers) - TIME_SLACK <= got <= max(answers) + TIME_SLACK


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}" if at else "open"


def _alarm_differences(
    truth: Truth, expected: Expected, raised: set[str], visit: Item
) -> Iterable[Difference]:
    crossed = {crossing["kind"] for crossing in visit.get("crossings", ())}
    for kind, why in expected.alarms.items():
        if kind not in raised:
            got = "deadline crossed, no alert" if kind in crossed else "nothing"
            yield Difference("alert_missing", truth.name, kind, got, f"{why}; {expected.story}")
    for kind in sorted((raised | crossed) & ALARMS - set(expected.alarms) - expected.allowed):
        yield Difference("alert_unexpected", truth.name, "no such alarm", kind, expected.story)


ALARMS = {"late", "missed", "second_worker_missing", "overrunning", "no_check_out"}


def _finding_differences(truth: Truth, expected: Expected, visit: Item) -> Iterable[Difference]:
    said = any(finding["code"] == "short" for finding in visit.get("findings", ()))
    if expected.short is not None and said != expected.short:
        words = {True: "short", False: "not short"}
        yield Difference("finding", truth.name, words[expected.short], words[said], expected.story)


def _nobodys(day: Day, back: ReadBack, found: _Found) -> Iterable[Difference]:
    """Visits made out of our people's events that no truth asks for."""
    ours = {str(visit["id"]) for truth in day.truths if (visit := found.visit_of(truth))}
    sent = set(_events(day))
    made: set[str] = set()
    for listing in back.check_events:
        for row in listing:
            if str(row["id"]) in sent and row.get("visit") is not None:
                made.add(str(row["visit"]))
    for visit in back.visits:
        if str(visit["id"]) not in ours and {str(visit["id"]), visit["ref"]} & made:
            why = f"{visit['service_user']}: made from an event that belongs to another visit"
            yield Difference("state", visit["ref"], "no such visit", visit["state"], why)
