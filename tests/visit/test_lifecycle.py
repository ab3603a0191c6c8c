"""The table of states, and the table of moves it promises."""

from datetime import timedelta

import pytest

from ecm.visit.assess import assess
from ecm.visit.lifecycle import CHECK_IN, CHECK_OUT, LIFECYCLE, MOVES, TIME, Facts, Move, state_of
from ecm.visit.model import CheckEvent, EventKind, Evidence, State, Visit
from ecm.visit.policy import DEFAULT
from tests.visit.story import ALICE, BOB, a_visit, an_event, at

NOTHING = Facts(True, False, False, False, False, False, False, False)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (NOTHING, State.PLANNED),
        (NOTHING._replace(planned=False), State.CANCELLED),
        (NOTHING._replace(late_passed=True), State.LATE),
        (NOTHING._replace(late_passed=True, missed_passed=True), State.MISSED),
        (NOTHING._replace(planned=False, late_passed=True), State.CANCELLED),
        (NOTHING._replace(someone_came=True, someone_is_in=True), State.IN_PROGRESS),
        (
            NOTHING._replace(someone_came=True, someone_is_in=True, overrunning_passed=True),
            State.OVERRUNNING,
        ),
        (NOTHING._replace(someone_came=True, overrunning_passed=True), State.COMPLETED),
        (NOTHING._replace(planned=False, someone_came=True), State.COMPLETED),
        (NOTHING._replace(someone_came=True, all_left_frustrated=True), State.FRUSTRATED),
        (
            NOTHING._replace(someone_came=True, someone_is_in=True, officer_says_frustrated=True),
            State.FRUSTRATED,
        ),
    ],
)
def test_the_first_row_that_holds_is_the_state(facts: Facts, state: State) -> None:
    assert state_of(facts) is state


def test_every_state_has_a_row_and_a_way_in() -> None:
    assert {rule.state for rule in LIFECYCLE} == set(State)
    assert {move.state_to for move in MOVES} | {State.CANCELLED} == set(
        State
    )  # cancelled: by correction only
    assert len(set(MOVES)) == len(MOVES)


A, B = a_visit(), a_visit(carers_required=2, care_workers=(ALICE, BOB))
OFF = a_visit(cancelled=True)
IN, OUT = an_event("in", "09:00"), an_event("out", "09:30", 2)
AGAIN = an_event("in", "09:35", 3)
REFUSED = an_event("out", "09:30", 2, reason_code="refused")
IN_AT_TEN = an_event("in", "09:00", received_at=at("10:10"))
OUT_AGAIN = an_event("out", "09:40", 3)
OUT_AT_TEN = an_event("out", "10:10", 3)
REFUSED_AT_TEN = an_event("out", "10:10", 3, reason_code="refused")
LOOKED_IN = an_event("in", "08:20")
TOO_EARLY = an_event("out", "08:30", 2)


def known_at(received: str) -> CheckEvent:
    """That they left too early, told too late."""
    return an_event("out", "08:30", 2, received_at=at(received))


TURNED_UP_AT_TEN = an_event("in", "08:55", 1, received_at=at("10:10"))
BEFORE_THE_START = an_event("out", "08:58", 2)
BOB_SYNCED = an_event("in", "09:01", 4, BOB, received_at=at("09:47"))

Way = tuple[Visit, list[CheckEvent], str, CheckEvent | None]
"""The visit, what is known before, the time, and what arrives then (None: only time passes)."""

WAYS: dict[tuple[State, State, str], Way] = {
    (State.PLANNED, State.LATE, TIME): (A, [], "09:15", None),
    (State.PLANNED, State.MISSED, TIME): (a_visit(next_planned_start=at("09:05")), [], "09:05", None),
    (State.LATE, State.MISSED, TIME): (A, [], "10:00", None),
    (State.IN_PROGRESS, State.OVERRUNNING, TIME): (A, [IN], "09:45", None),
    (State.PLANNED, State.IN_PROGRESS, CHECK_IN): (A, [], "09:00", IN),
    (State.LATE, State.IN_PROGRESS, CHECK_IN): (A, [], "09:20", an_event("in", "09:20")),
    (State.MISSED, State.IN_PROGRESS, CHECK_IN): (A, [], "10:10", IN_AT_TEN),
    (State.CANCELLED, State.IN_PROGRESS, CHECK_IN): (OFF, [], "09:00", IN),
    (State.COMPLETED, State.IN_PROGRESS, CHECK_IN): (A, [IN, OUT], "09:35", AGAIN),
    (State.FRUSTRATED, State.IN_PROGRESS, CHECK_IN): (A, [IN, REFUSED], "09:35", AGAIN),
    (State.PLANNED, State.COMPLETED, CHECK_IN): (
        A,
        [BEFORE_THE_START],
        "08:59",
        an_event("in", "08:55", received_at=at("08:59")),
    ),
    (State.LATE, State.COMPLETED, CHECK_IN): (
        A,
        [BEFORE_THE_START],
        "09:20",
        an_event("in", "08:55", received_at=at("09:20")),
    ),
    (State.MISSED, State.COMPLETED, CHECK_IN): (A, [BEFORE_THE_START], "10:10", TURNED_UP_AT_TEN),
    (State.CANCELLED, State.COMPLETED, CHECK_IN): (OFF, [BEFORE_THE_START], "10:10", TURNED_UP_AT_TEN),
    (State.IN_PROGRESS, State.PLANNED, CHECK_OUT): (A, [LOOKED_IN], "08:30", TOO_EARLY),
    (State.IN_PROGRESS, State.LATE, CHECK_OUT): (A, [LOOKED_IN], "09:20", known_at("09:20")),
    (State.IN_PROGRESS, State.MISSED, CHECK_OUT): (
        A,
        [an_event("in", "08:20", received_at=at("10:10"))],
        "10:12",
        known_at("10:12"),
    ),
    (State.OVERRUNNING, State.LATE, CHECK_OUT): (A, [LOOKED_IN], "09:50", known_at("09:50")),
    (State.OVERRUNNING, State.MISSED, CHECK_OUT): (A, [LOOKED_IN], "10:10", known_at("10:10")),
    (State.FRUSTRATED, State.COMPLETED, CHECK_IN): (
        B,
        [REFUSED, an_event("out", "08:58", 4, BOB)],
        "09:31",
        an_event("in", "08:50", 5, BOB, received_at=at("09:31")),
    ),
    (State.IN_PROGRESS, State.COMPLETED, CHECK_OUT): (A, [IN], "09:30", OUT),
    (State.OVERRUNNING, State.COMPLETED, CHECK_OUT): (A, [IN], "10:10", OUT_AT_TEN),
    (State.IN_PROGRESS, State.FRUSTRATED, CHECK_OUT): (A, [IN], "09:30", REFUSED),
    (State.OVERRUNNING, State.FRUSTRATED, CHECK_OUT): (A, [IN], "10:10", REFUSED_AT_TEN),
    (State.OVERRUNNING, State.IN_PROGRESS, CHECK_OUT): (
        B,
        [IN, BOB_SYNCED],
        "09:48",
        an_event("out", "09:48", 5),
    ),
    (State.PLANNED, State.COMPLETED, CHECK_OUT): (A, [], "09:10", an_event("out", "09:10")),
    (State.LATE, State.COMPLETED, CHECK_OUT): (A, [], "09:30", OUT),
    (State.MISSED, State.COMPLETED, CHECK_OUT): (A, [], "10:10", OUT_AT_TEN),
    (State.CANCELLED, State.COMPLETED, CHECK_OUT): (OFF, [], "09:30", OUT),
    (State.PLANNED, State.FRUSTRATED, CHECK_OUT): (
        A,
        [],
        "09:10",
        an_event("out", "09:10", reason_code="refused"),
    ),
    (State.LATE, State.FRUSTRATED, CHECK_OUT): (A, [], "09:30", REFUSED),
    (State.MISSED, State.FRUSTRATED, CHECK_OUT): (A, [], "10:10", REFUSED_AT_TEN),
    (State.CANCELLED, State.FRUSTRATED, CHECK_OUT): (OFF, [], "09:30", REFUSED),
    (State.COMPLETED, State.FRUSTRATED, CHECK_OUT): (A, [IN, OUT], "10:10", REFUSED_AT_TEN),
    (State.FRUSTRATED, State.COMPLETED, CHECK_OUT): (A, [IN, REFUSED], "09:40", OUT_AGAIN),
}


@pytest.mark.parametrize(
    "move",
    [move for move in MOVES if move.state_from is not None],
    ids=lambda move: f"{move.state_from}-{move.state_to}-{move.by}",
)
def test_every_move_in_the_table_happens(move: Move) -> None:
    assert move.state_from is not None
    visit, before, when, arrives = WAYS[move.state_from, move.state_to, move.by]
    now = at(when)
    known = Evidence(tuple(before))
    if arrives is None:
        assert assess(visit, known, DEFAULT, now - timedelta(microseconds=1)).state is move.state_from
        assert assess(visit, known, DEFAULT, now).state is move.state_to
    else:
        assert arrives.kind is (EventKind.CHECK_IN if move.by == CHECK_IN else EventKind.CHECK_OUT)
        assert assess(visit, known, DEFAULT, now).state is move.state_from
        assert assess(visit, Evidence((*before, arrives)), DEFAULT, now).state is move.state_to
