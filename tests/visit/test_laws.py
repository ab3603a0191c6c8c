"""Laws that hold for any visit and any evidence, not only for those we thought of."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecm.visit.assess import assess, difference
from ecm.visit.lifecycle import CHECK_IN, CHECK_OUT, MOVES, TIME
from ecm.visit.matching import allocate
from ecm.visit.model import CheckEvent, Crossing, EventKind, Evidence, State, Visit
from ecm.visit.policy import DEFAULT, Policy
from tests.visit.days import MORNING, amendments, events, known_from, minutes, visits

NOBODY_CAME = (State.PLANNED, State.LATE, State.MISSED, State.CANCELLED)
A_MICROSECOND = timedelta(microseconds=1)
calm = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def default(visit: Visit) -> Policy:
    return DEFAULT


@settings(calm, max_examples=100)
@given(st.data(), st.integers(0, 2**32))
def test_order_and_repetition_of_evidence_change_nothing(data: st.DataObject, seed: int) -> None:
    """R6, a thousand orders: 100 days, 10 shuffles of each with duplicates."""
    planned = data.draw(visits(3))
    evidence = [
        CheckEvent(**{**_fields(e), "event_id": type(e.event_id)(int=100 * v.visit_id + e.event_id.int)})
        for v in planned
        for e in data.draw(events(v, 4))
    ]
    made = {planned[0].visit_id: data.draw(amendments(planned[0], evidence)), None: []}
    now = known_from(evidence, made[planned[0].visit_id], MORNING)

    def told(
        said: list[CheckEvent], plans: list[Visit], corrections: dict[int | None, list[object]]
    ) -> object:
        shared = allocate(plans, said, corrections, default)  # type: ignore[arg-type]
        trail = tuple(reversed(said)) if said and seed % 2 else tuple(said)
        found = {
            v.visit_id: assess(
                v,
                Evidence(shared.by_visit[v.visit_id], tuple(corrections.get(v.visit_id, ())), trail),  # type: ignore[arg-type]
                DEFAULT,
                now,
            )
            for v in sorted(plans, key=lambda v: v.visit_id)
        }
        return shared.by_visit, shared.unplanned, shared.unmatched, shared.matches, found

    first = told(evidence, planned, made)  # type: ignore[arg-type]
    shuffle = random.Random(seed)
    for _ in range(10):
        said = evidence + shuffle.choices(evidence, k=len(evidence)) if evidence else []
        plans = list(planned)
        corrections = {key: list(value) for key, value in made.items()}
        for each in (said, plans, *corrections.values()):
            shuffle.shuffle(each)
        assert told(said, plans, corrections) == first  # type: ignore[arg-type]


@calm
@given(st.data(), minutes)
def test_nothing_changes_before_the_deadline_and_something_does_at_it(
    data: st.DataObject, wait: timedelta
) -> None:
    (visit,) = data.draw(visits())
    said = data.draw(events(visit))
    made = data.draw(amendments(visit, said))
    evidence = Evidence(tuple(said), tuple(made))
    now = known_from(said, made, MORNING) + wait
    for _ in range(8):  # a visit has at most so many deadlines in a row
        here = assess(visit, evidence, DEFAULT, now)
        if here.deadline_at is None:
            assert here.deadline_kind is None
            assert assess(visit, evidence, DEFAULT, now + timedelta(days=400)) == here
            return
        assert here.deadline_at > now
        assert assess(visit, evidence, DEFAULT, here.deadline_at - A_MICROSECOND) == here
        halfway = now + (here.deadline_at - now) / 2
        assert assess(visit, evidence, DEFAULT, halfway) == here
        there = assess(visit, evidence, DEFAULT, here.deadline_at)
        assert difference(here, there) is not None
        now = here.deadline_at
    raise AssertionError("a visit that never settles")


@calm
@given(st.data(), st.lists(minutes, max_size=6))
def test_a_deadline_that_passed_unmet_stays_passed(data: st.DataObject, ticks: list[timedelta]) -> None:
    """With time, and with every event that arrives later: an alarm that was right to ring is not unrung."""
    (visit,) = data.draw(visits())
    said = data.draw(events(visit))
    assert visit.planned_start is not None
    looked = {e.received_at for e in said} | {visit.planned_start + tick for tick in ticks}
    passed: set[Crossing] = set()
    for now in sorted(looked):
        known = tuple(e for e in said if e.received_at <= now)
        after = assess(visit, Evidence(known), DEFAULT, now)
        assert passed <= set(after.crossings)
        passed = set(after.crossings)
        assert all(crossing.deadline_at <= now for crossing in passed)
        assert len({crossing.kind for crossing in passed}) == len(passed)
    at_the_end = assess(
        visit, Evidence(tuple(said)), DEFAULT, max(looked, default=MORNING) + timedelta(days=30)
    )
    assert passed <= set(at_the_end.crossings)


@calm
@given(st.data())
def test_a_state_only_moves_as_the_table_of_moves_says(data: st.DataObject) -> None:
    (visit,) = data.draw(visits())
    said = sorted(data.draw(events(visit)), key=lambda e: (e.received_at, e.event_id))
    now, sofar = MORNING, []
    allowed = {(move.state_from, move.state_to, move.by) for move in MOVES}
    for event in [*said, None]:
        until = event.received_at if event else now + timedelta(days=1)
        while True:
            here = assess(visit, Evidence(tuple(sofar)), DEFAULT, now)
            if here.deadline_at is None or here.deadline_at > until:
                break
            now = here.deadline_at
            there = assess(visit, Evidence(tuple(sofar)), DEFAULT, now)
            assert there.state is here.state or (here.state, there.state, TIME) in allowed
        if event is None:
            return
        now = max(now, until)
        before = assess(visit, Evidence(tuple(sofar)), DEFAULT, now)
        sofar.append(event)
        after = assess(visit, Evidence(tuple(sofar)), DEFAULT, now)
        by = CHECK_IN if event.kind is EventKind.CHECK_IN else CHECK_OUT
        move = (before.state, after.state, by)
        unmade = bool(before.attendances) and not after.attendances and after.state in NOBODY_CAME
        assert after.state is before.state or move in allowed or unmade, move


@calm
@given(st.data())
def test_every_event_is_answered_for_once(data: st.DataObject) -> None:
    """Evidence always gets in: each event is on one visit, or unplanned, or unmatched with a reason."""
    planned = data.draw(visits(3))
    said = data.draw(events(planned[1], 6))
    made = data.draw(amendments(planned[2], said))
    shared = allocate(planned, said, {planned[2].visit_id: made}, default)
    placed = [e.event_id for held in shared.by_visit.values() for e in held]
    placed += [e.event_id for stay in shared.unplanned for e in stay.events]
    placed += [e.event_id for e, reason in shared.unmatched if reason]
    assert sorted(placed) == sorted(e.event_id for e in said)
    assert set(shared.matches) == set(placed)


def _fields(event: CheckEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in CheckEvent.__slots__}
