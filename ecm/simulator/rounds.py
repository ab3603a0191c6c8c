"""The day's plan: packages become wanted visits, wanted visits become rounds, rounds get care workers.

A round is one worker's (or one pair's) visits in one part of the day, each following the last after a drive.
So one worker who runs late makes several people wait, as in life.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from ecm.simulator import names, phones, streets
from ecm.simulator.chance import drawn
from ecm.simulator.values import CareWorker, PlannedVisit, Provider, ServiceUser, local_instant

GRID_MINUTES = 5
DRIVE_KM_H = 22.0
PARKING_MINUTES = 2
CANCELLED_SHARE = 0.01
SPARE_WORKERS_SHARE = 0.08  # on call: they cover for others


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day in local minutes since midnight, and the shift whose workers do it."""

    name: str
    opens: int
    closes: int
    shift: str


PARTS = (
    Part("morning", 7 * 60, 10 * 60 + 45, "early"),
    Part("lunch", 12 * 60, 14 * 60, "early"),
    Part("tea", 16 * 60 + 30, 18 * 60 + 10, "late"),
    Part("evening", 18 * 60 + 20, 21 * 60 + 45, "late"),
    Part("night", 22 * 60, 22 * 60 + 50, "late"),
)

# Which parts of the day a package holds, and how often such a package occurs.
PACKAGES: dict[tuple[str, ...], int] = {
    ("morning",): 40,
    ("morning", "evening"): 24,
    ("morning", "lunch"): 8,
    ("lunch",): 4,
    ("morning", "lunch", "evening"): 11,
    ("morning", "lunch", "tea", "evening"): 11,
    ("morning", "evening", "night"): 2,
}

# (service, minutes) and how often. A visit under 30 minutes is agreed: the package itself commissions it.
SERVICES: dict[str, dict[tuple[str, int], int]] = {
    "morning": {
        ("personal_care", 30): 45,
        ("personal_care", 45): 32,
        ("personal_care", 60): 12,
        ("medication_check", 15): 11,
    },
    "lunch": {("meal", 30): 70, ("meal", 45): 12, ("medication_check", 15): 18},
    "tea": {("meal", 30): 75, ("medication_check", 15): 25},
    "evening": {("personal_care", 30): 65, ("personal_care", 45): 20, ("medication_check", 15): 15},
    "night": {("night_check", 30): 100},
}
TIME_CRITICAL_SHARE = {"medication_check": 0.5}
TIME_CRITICAL_SHARE_ELSE = 0.03


@dataclass(frozen=True, slots=True)
class Wanted:
    person: ServiceUser
    service: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Timed:
    wanted: Wanted
    start_minute: int  # local, since midnight


@dataclass(frozen=True, slots=True)
class Round:
    shift: str
    number: int
    carers: int
    stops: tuple[Timed, ...]


def plan_day(
    seed: int, day: date, providers: tuple[Provider, ...], people: tuple[ServiceUser, ...]
) -> tuple[tuple[CareWorker, ...], tuple[PlannedVisit, ...]]:
    """Care workers enough for the rounds, and the visits in order of their start.

    Packages belong to the person, so rounds are the same each day and so is the work force; only what the day
    itself brings (a cancelled visit) is drawn from the day.
    """
    by_provider: dict[str, list[ServiceUser]] = {provider.ref: [] for provider in providers}
    for person in people:
        if person.has_visits:
            by_provider[person.provider_ref].append(person)

    care_workers: list[CareWorker] = []
    planned: list[PlannedVisit] = []
    for provider in providers:
        rng = Random(f"rounds:{seed}:{provider.ref}")
        rounds = list(_rounds(rng, by_provider[provider.ref]))
        staff = _staff(rng, provider, rounds, hired_already=len(care_workers))
        care_workers += staff.everyone
        for each in rounds:
            planned += _visits_of(rng, day, provider, each, staff.names_of(each))
    return tuple(care_workers), _numbered(Random(f"plan:{seed}:{day}"), day, planned)


def _rounds(rng: Random, people: Iterable[ServiceUser]) -> Iterator[Round]:
    wanted: dict[tuple[str, int], list[Wanted]] = {}
    for person in people:
        for part_name in drawn(rng, PACKAGES):
            service, minutes = drawn(rng, SERVICES[part_name])
            wanted.setdefault((part_name, person.carers_required), []).append(
                Wanted(person, service, minutes)
            )
    for part in PARTS:
        for carers in (1, 2):
            visits = sorted(wanted.get((part.name, carers), ()), key=_along_the_streets)
            for number, stops in enumerate(_split(rng, part, visits)):
                yield Round(part.shift, number, carers, stops)


def _along_the_streets(wanted: Wanted) -> tuple[int, int, float]:
    """Street by street: a snake through strips of about 400 m, so that neighbours share a round."""
    strip = math.floor(wanted.person.home.lat * 250)
    lon = wanted.person.home.lon
    return wanted.person.neighbourhood, strip, lon if strip % 2 else -lon


def _split(rng: Random, part: Part, visits: list[Wanted]) -> Iterator[tuple[Timed, ...]]:
    stops: list[Timed] = []
    minute = 0
    for wanted in visits:
        if stops:
            minute += _drive_minutes(stops[-1].wanted.person, wanted.person)
        if not stops or minute + wanted.minutes > part.closes:
            if stops:
                yield tuple(stops)
            stops = []
            minute = part.opens + GRID_MINUTES * rng.randrange(4)
        stops.append(Timed(wanted, minute))
        minute += wanted.minutes
    if stops:
        yield tuple(stops)


def _drive_minutes(a: ServiceUser, b: ServiceUser) -> int:
    km = streets.distance_m((a.home.lat, a.home.lon), (b.home.lat, b.home.lon)) / 1000
    return GRID_MINUTES * math.ceil((km / DRIVE_KM_H * 60 + PARKING_MINUTES) / GRID_MINUTES)


@dataclass(frozen=True, slots=True)
class Staff:
    """A provider's workers. Those of a shift stand in order; a pair takes two places."""

    everyone: tuple[CareWorker, ...]
    by_shift: dict[tuple[str, int], tuple[CareWorker, ...]]

    def names_of(self, a_round: Round) -> tuple[str, ...]:
        first = a_round.number * a_round.carers
        team = self.by_shift[a_round.shift, a_round.carers][first : first + a_round.carers]
        return tuple(worker.ref for worker in team)


def _staff(rng: Random, provider: Provider, rounds: list[Round], *, hired_already: int) -> Staff:
    everyone: list[CareWorker] = []

    def hire(count: int) -> tuple[CareWorker, ...]:
        hired = []
        for _ in range(count):
            number = hired_already + len(everyone)
            pin = f"{rng.randrange(10_000, 100_000)}"
            worker = CareWorker(
                f"W{number + 1:04}", names.person_name(rng), provider.ref, phones.mobile(number), pin
            )
            hired.append(worker)
            everyone.append(worker)
        return tuple(hired)

    by_shift = {}
    for shift in ("early", "late"):
        for carers in (1, 2):
            numbers = [each.number for each in rounds if each.shift == shift and each.carers == carers]
            by_shift[shift, carers] = hire(carers * (max(numbers, default=-1) + 1))
    hire(max(1, round(SPARE_WORKERS_SHARE * len(everyone))))
    return Staff(tuple(everyone), by_shift)


def _visits_of(
    rng: Random, day: date, provider: Provider, a_round: Round, care_worker_refs: tuple[str, ...]
) -> Iterator[PlannedVisit]:
    for stop in a_round.stops:
        wanted = stop.wanted
        start = local_instant(day, stop.start_minute)
        yield PlannedVisit(
            ref="",
            service_user_ref=wanted.person.ref,
            provider_ref=provider.ref,
            local_date=day,
            start=start,
            end=start + timedelta(minutes=wanted.minutes),
            service=wanted.service,
            commissioned_minutes=wanted.minutes,
            carers_required=a_round.carers,
            care_worker_refs=care_worker_refs,
            time_critical=rng.random() < TIME_CRITICAL_SHARE.get(wanted.service, TIME_CRITICAL_SHARE_ELSE),
            cancelled=False,
        )


def _numbered(rng: Random, day: date, planned: list[PlannedVisit]) -> tuple[PlannedVisit, ...]:
    planned.sort(key=lambda visit: (visit.start, visit.service_user_ref))
    return tuple(
        replace(visit, ref=f"V{day:%y%m%d}-{number:05}", cancelled=rng.random() < CANCELLED_SHARE)
        for number, visit in enumerate(planned, start=1)
    )
