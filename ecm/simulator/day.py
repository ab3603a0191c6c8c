"""One day of a borough: what truly happened at every visit, and what is sent about it and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ecm.simulator.borough import Borough
from ecm.simulator.journeys import Stay, stays_of_day
from ecm.simulator.rates import SCENARIOS
from ecm.simulator.recording import BATCH_MAX, Recorded, Recorder
from ecm.simulator.values import PlannedVisit, local_instant

AFTER_LAST_PLANNED_END = timedelta(minutes=90)  # every default deadline has passed by then
LAST_MINUTE = 23 * 60 + 59


@dataclass(frozen=True, slots=True)
class Submission:
    """One request of one phone: a single body, or the batch of one that was without signal."""

    send_at: datetime
    bodies: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened at one visit. `visit` is None for one that nobody planned."""

    visit: PlannedVisit | None
    service_user_ref: str
    stays: tuple[Stay, ...]
    recorded: tuple[Recorded, ...]
    next_planned_start: datetime | None = None

    @property
    def name(self) -> str:
        return self.visit.ref if self.visit else f"unplanned {self.service_user_ref}"


@dataclass(frozen=True, slots=True)
class Day:
    """Submissions in order of sending; one truth for every visit. `settled_at`: no deadline lies beyond it."""

    borough: Borough
    scenario: str
    submissions: tuple[Submission, ...]
    truths: tuple[Truth, ...]
    settled_at: datetime

    @property
    def event_count(self) -> int:
        return sum(len(each.bodies) for each in self.submissions)


def make_day(borough: Borough, scenario: str = "normal") -> Day:
    """What happens in a borough in one of rates.SCENARIOS; the same for the same arguments. KeyError."""
    rates = SCENARIOS[scenario]
    stays = list(stays_of_day(borough, rates))
    recorder = Recorder(borough, rates, stays)
    recorded = [(stay, tuple(recorder.record(stay))) for stay in stays]
    truths = _truths(borough, recorded)
    submissions = _submissions([each for _, events in recorded for each in events])
    return Day(borough, scenario, submissions, truths, _settled_at(borough, submissions))


def _truths(borough: Borough, recorded: list[tuple[Stay, tuple[Recorded, ...]]]) -> tuple[Truth, ...]:
    at_visit: dict[str, list[tuple[Stay, tuple[Recorded, ...]]]] = {}
    unplanned: list[Truth] = []
    for stay, events in recorded:
        if stay.visit:
            at_visit.setdefault(stay.visit.ref, []).append((stay, events))
        else:
            unplanned.append(Truth(None, stay.service_user_ref, (stay,), events))
    later = _next_starts(borough)
    planned = [
        Truth(
            visit,
            visit.service_user_ref,
            tuple(stay for stay, _ in at_visit.get(visit.ref, ())),
            tuple(event for _, events in at_visit.get(visit.ref, ()) for event in events),
            later[visit.ref],
        )
        for visit in borough.visits
    ]
    return (*planned, *unplanned)


def _next_starts(borough: Borough) -> dict[str, datetime | None]:
    """When each visit's person is next to be visited that day; a cancelled visit is nobody's next."""
    later: dict[str, datetime | None] = {}
    next_of: dict[str, datetime] = {}
    for visit in reversed(borough.visits):
        later[visit.ref] = next_of.get(visit.service_user_ref)
        if not visit.cancelled:
            next_of[visit.service_user_ref] = visit.start
    return later


def _submissions(events: list[Recorded]) -> tuple[Submission, ...]:
    alone = [Submission(event.send_at, (event.body,)) for event in events if event.batch is None]
    kept: dict[str, list[Recorded]] = {}
    for event in events:
        if event.batch is not None:
            kept.setdefault(event.batch, []).append(event)
    together = []
    for batch in kept.values():
        batch.sort(key=lambda event: event.occurred_at)
        for first in range(0, len(batch), BATCH_MAX):
            part = batch[first : first + BATCH_MAX]
            together.append(Submission(part[0].send_at, tuple(event.body for event in part)))
    return tuple(sorted(alone + together, key=lambda each: (each.send_at, each.bodies[0]["id"])))


def _settled_at(borough: Borough, submissions: tuple[Submission, ...]) -> datetime:
    """90 minutes after the last planned end, 23:59 local at the latest, and never before the last is sent."""
    midnight = local_instant(borough.day, LAST_MINUTE)
    if not borough.visits:
        return midnight
    settled_at = min(midnight, max(visit.end for visit in borough.visits) + AFTER_LAST_PLANNED_END)
    return max([settled_at, *(each.send_at for each in submissions[-1:])])
