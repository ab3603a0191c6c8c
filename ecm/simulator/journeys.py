"""What care workers truly do: each follows the rota from door to door, and lost minutes travel along.

Nothing here knows of phones or check-ins; that is recording.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from ecm.simulator.borough import Borough
from ecm.simulator.chance import drawn
from ecm.simulator.rates import FRUSTRATED_REASONS, Rates
from ecm.simulator.values import CareWorker, PlannedVisit, ServiceUser, local_instant

UNPLANNED_BETWEEN = 9 * 60, 19 * 60  # local minutes since midnight
HOUR_LATE = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Stay:
    """One worker's true time at one home. `visit` is None when nobody planned it.

    `frustrated_reason`: why no care could be given, though the worker came.
    """

    visit: PlannedVisit | None
    service_user_ref: str
    care_worker_ref: str
    arrived_at: datetime
    left_at: datetime
    frustrated_reason: str | None = None


def stays_of_day(borough: Borough, rates: Rates) -> Iterator[Stay]:
    """Every stay of the day, worker by worker. Who never came has none."""
    lottery = _Lottery(borough, rates)
    for worker in borough.care_workers:
        visits = lottery.rota.get(worker.ref)
        if visits:
            rng = Random(f"journey:{borough.seed}:{borough.day}:{worker.ref}")
            yield from _journey(rng, rates, worker, visits, lottery)
    yield from _unplanned(borough, rates)


class _Lottery:
    """What is decided for a visit as a whole, before any worker sets out."""

    def __init__(self, borough: Borough, rates: Rates) -> None:
        self.rota: dict[str, list[PlannedVisit]] = {}
        self.nobody_comes: set[str] = set()
        self.stays_away: set[tuple[str, str]] = set()  # (visit, worker): the second of a double-up
        self.frustrated: dict[str, str] = {}
        self.cover: dict[str, str] = {}  # visit: the other worker
        rng = Random(f"lottery:{borough.seed}:{borough.day}")
        spares = _spares(borough)
        for visit in borough.visits:
            if visit.cancelled:
                continue
            for ref in visit.care_worker_refs:
                self.rota.setdefault(ref, []).append(visit)
            if rng.random() < rates.never_came:
                self.nobody_comes.add(visit.ref)
            if rng.random() < rates.frustrated:
                self.frustrated[visit.ref] = drawn(rng, FRUSTRATED_REASONS)
            if visit.carers_required > 1 and rng.random() < rates.second_never_came:
                self.stays_away.add((visit.ref, visit.care_worker_refs[-1]))
            if visit.carers_required == 1 and rng.random() < rates.covered_by_another:
                self.cover[visit.ref] = rng.choice(spares[visit.provider_ref])
        self.stuck_workers = _stuck(rng, borough) if rates.stuck_provider else frozenset()


def _spares(borough: Borough) -> dict[str, list[str]]:
    rostered = {ref for visit in borough.visits for ref in visit.care_worker_refs}
    spares: dict[str, list[str]] = {}
    for worker in borough.care_workers:
        if worker.ref not in rostered:
            spares.setdefault(worker.provider_ref, []).append(worker.ref)
    return spares


def _stuck(rng: Random, borough: Borough) -> frozenset[str]:
    """The workers of one provider of more than the usual size, so that a bad morning is seen."""
    sizes: dict[str, int] = {}
    for visit in borough.visits:
        sizes[visit.provider_ref] = sizes.get(visit.provider_ref, 0) + 1
    larger = sorted(sizes, key=lambda ref: (-sizes[ref], ref))[: max(1, len(sizes) // 2)]
    provider_ref = rng.choice(larger) if larger else None
    return frozenset(worker.ref for worker in borough.care_workers if worker.provider_ref == provider_ref)


def _journey(
    rng: Random, rates: Rates, worker: CareWorker, visits: list[PlannedVisit], lottery: _Lottery
) -> Iterator[Stay]:
    held_up_at = rng.randrange(len(visits)) if rng.random() < rates.held_up_rounds else None
    stuck_from, stuck_until = (
        _stuck_between(rng, rates, visits[0]) if worker.ref in lottery.stuck_workers else (None, None)
    )
    free_at: datetime | None = None
    previous: PlannedVisit | None = None
    for number, visit in enumerate(visits):
        ready_at = visit.start + timedelta(minutes=rng.triangular(-9, 11, 0))
        arrived_at = (
            ready_at
            if free_at is None or previous is None
            else max(ready_at, free_at + _drive(rng, previous, visit))
        )
        if number == held_up_at:
            arrived_at += timedelta(minutes=rng.uniform(*rates.held_up_minutes))
        if stuck_from and stuck_until and stuck_from <= arrived_at < stuck_until:
            arrived_at = stuck_until + timedelta(minutes=rng.uniform(0, 10))
        if arrived_at - visit.start >= HOUR_LATE and rng.random() < rates.abandoned_when_hour_late:
            continue  # the office told them to skip it
        if visit.ref in lottery.nobody_comes or (visit.ref, worker.ref) in lottery.stays_away:
            continue
        reason = lottery.frustrated.get(visit.ref)
        left_at = arrived_at + _length(
            rng, rates, visit, behind=arrived_at - visit.start, frustrated=reason is not None
        )
        who = lottery.cover.get(visit.ref, worker.ref)
        yield Stay(visit, visit.service_user_ref, who, _whole(arrived_at), _whole(left_at), reason)
        if who == worker.ref:
            free_at, previous = left_at, visit


def _stuck_between(rng: Random, rates: Rates, first: PlannedVisit) -> tuple[datetime, datetime]:
    began, ended = (local_instant(first.local_date, minute) for minute in rates.stuck_minutes)
    return began, ended - timedelta(minutes=rng.uniform(0, 30))


def _drive(rng: Random, previous: PlannedVisit, visit: PlannedVisit) -> timedelta:
    """About the gap the rota leaves; after a long gap, no more than a quarter of an hour."""
    planned = min(visit.start - previous.end, timedelta(minutes=15))
    return planned * rng.uniform(0.6, 1.1)


def _length(
    rng: Random, rates: Rates, visit: PlannedVisit, *, behind: timedelta, frustrated: bool
) -> timedelta:
    planned = visit.end - visit.start
    if frustrated:
        return timedelta(minutes=rng.uniform(3, 9))
    if rng.random() < rates.overstayed:
        return planned + timedelta(minutes=rng.uniform(20, 50))
    if rng.random() < rates.hurried:
        return planned * rng.uniform(0.55, 0.95)
    if behind > timedelta(minutes=20):
        return planned * rng.uniform(0.8, 1.05)
    return planned * rng.uniform(1.0, 1.12)


def _unplanned(borough: Borough, rates: Rates) -> Iterator[Stay]:
    """Somebody on the books, with no visit today, is looked in upon."""
    rng = Random(f"unplanned:{borough.seed}:{borough.day}")
    visited = {visit.service_user_ref for visit in borough.visits}
    quiet = [
        person for person in borough.service_users if person.ref not in visited and not person.has_visits
    ]
    spares = _spares(borough)
    wanted = round(len(borough.visits) * rates.unplanned_per_hundred_visits / 100)
    for person in rng.sample(quiet, min(wanted, len(quiet))):
        minute = rng.randrange(*UNPLANNED_BETWEEN)
        arrived_at = local_instant(borough.day, minute) + timedelta(seconds=rng.randrange(60))
        if arrived_at > borough.visits[0].start:
            yield _looked_in(rng, person, rng.choice(spares[person.provider_ref]), arrived_at)


def _looked_in(rng: Random, person: ServiceUser, worker_ref: str, arrived_at: datetime) -> Stay:
    return Stay(
        None, person.ref, worker_ref, arrived_at, _whole(arrived_at + timedelta(minutes=rng.uniform(31, 50)))
    )


def _whole(instant: datetime) -> datetime:
    """To the second: what a phone would say."""
    return instant.replace(microsecond=0)
