"""A made-up borough on one day, as frozen values: who buys, who delivers, who is cared for, what is planned.

People, workers, contracts and rounds depend on the seed alone, so that the same borough wakes up every day.
One database holds one seed and one size: another means other people under the same references.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random
from typing import Any

from ecm.simulator import columns, names, phones, streets
from ecm.simulator.chance import drawn
from ecm.simulator.rounds import plan_day
from ecm.simulator.values import CareWorker, Contract, Place, PlannedVisit, Provider, ServiceUser

WITH_VISITS_SHARE = 0.6  # the rest is on the books and has no visit today
DOUBLE_UP_SHARE = 0.08
LANDLINE_SHARE = 0.9
SECOND_PLACE_SHARE = 0.06
SECOND_PLACES = ("daughter's house", "day centre", "back gate", "son's flat")

FUNDERS = {"council": 72, "nhs": 10, "joint": 10, "private": 8}
RISK_TIERS = {"A": 15, "B": 35, "C": 50}
FENCES_M = {100.0: 80, 60.0: 8, 150.0: 8, 250.0: 4}
NEEDS = {
    "": 55,
    "hoist": 8,
    "diabetic": 8,
    "dementia": 10,
    "hard of hearing": 6,
    "speaks Gujarati": 5,
    "speaks Polish": 3,
    "women care workers only": 5,
}

# What the contracts say besides the defaults; providers take them in turn.
CONTRACT_TERMS: tuple[dict[str, Any], ...] = (
    {
        "tolerances": {"time_critical_late_after_minutes": 10},
        "payment": {"basis": "actual", "cap": "planned", "rate_pence_per_hour": 1430},
    },
    {
        "tolerances": {},
        "payment": {
            "basis": "actual",
            "rounding": {"mode": "nearest", "increment_minutes": 5, "of": "total"},
            "cap": "planned",
            "rate_pence_per_hour": 1480,
        },
    },
    {
        "tolerances": {"late_after_minutes": 20},
        "payment": {"basis": "lesser", "tolerance_minutes": 5, "rate_pence_per_hour": 1520},
    },
    {
        "tolerances": {},
        "payment": {
            "basis": "actual",
            "rounding": {"mode": "up", "increment_minutes": 15, "of": "total"},
            "rate_pence_per_hour": 1395,
        },
    },
    {
        "tolerances": {"missed_after_minutes": 45},
        "payment": {"basis": "planned", "rate_pence_per_hour": 1450},
    },
)


@dataclass(frozen=True, slots=True)
class Borough:
    seed: int
    day: date
    providers: tuple[Provider, ...]
    contracts: tuple[Contract, ...]
    service_users: tuple[ServiceUser, ...]
    care_workers: tuple[CareWorker, ...]
    visits: tuple[PlannedVisit, ...]

    def to_rows(self, kind: str) -> list[dict[str, Any]]:
        """The rows of one of columns.KINDS, under the import's column names. KeyError for another kind."""
        values, row = columns.WRITERS[kind]
        return [row(value) for value in getattr(self, values)]

    def starting_after(self, instant: datetime) -> Borough:
        """The same borough without the visits that began at or before `instant`."""
        return replace(self, visits=tuple(visit for visit in self.visits if visit.start > instant))


def make_borough(seed: int, people: int = 2500, providers: int = 25, *, day: date) -> Borough:
    """The borough of a seed on a day: always the same for the same arguments."""
    rng = Random(f"borough:{seed}:{people}:{providers}")
    agencies = tuple(_provider(number) for number in range(providers))
    lots = _lots(rng, agencies)
    service_users = tuple(_service_user(rng, number, lots) for number in range(people))
    care_workers, visits = plan_day(seed, day, agencies, service_users)
    contracts = tuple(_contract(number, agency, day) for number, agency in enumerate(agencies))
    return Borough(seed, day, agencies, contracts, service_users, care_workers, visits)


def small_borough(seed: int = 1, *, day: date, people: int = 60, providers: int = 3) -> Borough:
    """A borough that fits a test or a first look: about 36 people with some 70 visits."""
    return make_borough(seed, people, providers, day=day)


def _provider(number: int) -> Provider:
    name = names.provider_name(number)
    mailbox = name.lower().replace(" ", "-").replace("'", "")
    # The last landlines are the agencies'; people get theirs from the first on.
    phone = phones.landline(16_000 - 1 - number)
    return Provider(f"P{number + 1:02}", name, phone, f"office@{mailbox}.example")


def _contract(number: int, provider: Provider, day: date) -> Contract:
    began = date(day.year if day >= date(day.year, 4, 1) else day.year - 1, 4, 1)
    terms = CONTRACT_TERMS[number % len(CONTRACT_TERMS)]
    return Contract(f"C-{provider.ref}", provider.ref, "*", began, terms)


def _lots(rng: Random, providers: tuple[Provider, ...]) -> list[list[Provider]]:
    """Who works in each neighbourhood: every provider in about three, and nobody's street without one."""
    lots: list[list[Provider]] = [[] for _ in streets.NEIGHBOURHOODS]
    for number, provider in enumerate(providers):
        for lot in {number % len(lots), rng.randrange(len(lots)), rng.randrange(len(lots))}:
            lots[lot].append(provider)
    return [lot or list(providers) for lot in lots]


def _service_user(rng: Random, number: int, lots: list[list[Provider]]) -> ServiceUser:
    door = streets.front_door(rng)
    fence_m = drawn(rng, FENCES_M)
    return ServiceUser(
        ref=f"SU{number + 1:05}",
        name=names.person_name(rng),
        address=door.address,
        postcode=door.postcode,
        home=Place("home", door.lat, door.lon, fence_m),
        other_places=_other_places(rng, door),
        phone=phones.landline(number) if rng.random() < LANDLINE_SHARE else None,
        carers_required=2 if rng.random() < DOUBLE_UP_SHARE else 1,
        risk_tier=drawn(rng, RISK_TIERS),
        funder=drawn(rng, FUNDERS),
        needs=drawn(rng, NEEDS),
        provider_ref=rng.choice(lots[door.neighbourhood]).ref,
        neighbourhood=door.neighbourhood,
        has_visits=rng.random() < WITH_VISITS_SHARE,
    )


def _other_places(rng: Random, door: streets.Spot) -> tuple[Place, ...]:
    if rng.random() >= SECOND_PLACE_SHARE:
        return ()
    lat, lon = streets.moved(door.lat, door.lon, rng.uniform(200, 900), rng.uniform(-900, -200))
    return (Place(rng.choice(SECOND_PLACES), round(lat, 6), round(lon, 6), 100.0),)
