"""R6 on a real database: the same evidence in any order, in any batches, twice, ends in the same rows.

One day of two people: a visit on time, a late one, a missed one whose phone found signal hours later, a double-up
whose second worker came late, a telephone call that names nobody, a double tap, and a visit nobody planned.
Only the order in which the worker gets to see it differs; when it happened and when it was received do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from ecm.store.embedded import Addresses
from tests.processing.desk import at
from tests.processing.town import Town

ORDERS = int(os.environ.get("ECM_TEST_ORDERS", "40"))

PLANS = """
    breakfast  alice  08:00  08:30  carol      1
    lunch      alice  12:00  12:45  carol      1
    tea        alice  17:00  17:30  dan        1
    hoist      bob    09:00  09:45  carol,dan  2
    supper     bob    19:00  19:30  dan        1
"""
EVIDENCE = """
    in   08:02  received 08:02  carol  alice  breakfast
    in   08:02  received 08:03  carol  alice  breakfast
    out  08:31  received 08:31  carol  alice  breakfast
    in   09:01  received 09:01  carol  bob    hoist
    in   09:20  received 09:20  dan    bob    hoist
    out  09:46  received 09:46  carol  bob    hoist
    out  09:44  received 09:50  dan    bob    hoist
    in   12:05  received 15:30  carol  alice  -
    out  12:51  received 15:30  carol  alice  -
    in   14:10  received 14:10  dan    bob    -
    out  14:45  received 14:45  dan    bob    -
    in   17:20  received 17:20  dan    -      -      +441632960001
    out  17:41  received 17:41  dan    -      -      +441632960001
    in   19:01  received 19:01  dan    bob    supper
"""
STATES = {
    "breakfast": "completed",
    "lunch": "completed",
    "tea": "completed",
    "hoist": "completed",
    "supper": "overrunning",
    "unplanned": "completed",
}


@pytest.fixture
def town(database: Addresses) -> Iterator[Town]:
    town = Town(database)
    yield town
    town.close()


def test_batches_and_repeats_change_no_row_at_all(town: Town) -> None:
    first = the_day(town, Random(0), shuffled=False, batches=(500, 500))
    assert {name: visit["state"] for name, visit in first["visits"].items()} == STATES
    assert {("lunch", "missed"), ("tea", "late"), ("hoist", "second_worker_missing")} <= {
        (name, kind) for name, kind, *_ in first["alerts"]
    }
    for seed in range(ORDERS // 4):
        assert the_day(town, Random(seed), shuffled=False, batches=(1, 5)) == first, f"order {seed}"


def test_evidence_in_any_order_ends_in_the_same_visits_and_alerts(town: Town) -> None:
    """What was rung on the way, because the news that was on time was still to be read, must be stood down."""
    first = the_day(town, Random(0), shuffled=False, batches=(500, 500))
    for seed in range(ORDERS):
        other = the_day(town, Random(seed), shuffled=True, batches=(1, 6))
        assert (other["visits"], other["outcomes"]) == (first["visits"], first["outcomes"]), f"order {seed}"
        assert set(first["crossings"]) <= set(other["crossings"]), f"order {seed}"
        assert set(first["alerts"]) <= set(other["alerts"]), f"order {seed}"
        for *_, state in set(other["alerts"]) - set(first["alerts"]):
            assert state == "stood_down", f"order {seed}"


def the_day(town: Town, rng: Random, *, shuffled: bool, batches: tuple[int, int]) -> dict[str, Any]:
    """`shuffled`: in an order that no queue would give, in two places at once. Anything may come twice."""
    town.begin()
    town.plan(*plans())
    town.settle()
    told = [line.split() for line in EVIDENCE.strip().splitlines()]
    events = [
        town.store(
            kind,
            at(happened),
            at(received),
            worker=worker,
            person=None if person == "-" else person,
            visit=None if visit == "-" else visit,
            cli=number[0] if number else None,
            method="landline" if number else "app",
            metres=None if number else 5,
        )
        for kind, happened, _, received, worker, person, visit, *number in told
    ]
    town.clock.at = at("23:30")
    if shuffled:
        town.arrive_again(rng.sample(events, len(events)))
    town.arrive_again_too(rng.choices(events, k=rng.randrange(8)))
    while town.waiting():
        if shuffled and rng.random() < 0.3:
            town.process_in_two_places(rng.randint(1, 4), rng.randint(1, 4))
        else:
            town.process(rng.randint(*batches))
        if rng.random() < 0.3:
            town.decide_alerts()
    town.settle()
    return town.end()


def plans() -> list[dict[str, Any]]:
    table = [line.split() for line in PLANS.strip().splitlines()]
    return [
        {
            "ref": ref,
            "service_user_ref": person,
            "start": start,
            "end": end,
            "care_worker_refs": workers.split(","),
            "carers_required": int(carers),
        }
        for ref, person, start, end, workers, carers in table
    ]
