"""Everything that decides a visit's state lives in this file: one table of states, read from the top.

A state is never moved from by hand. It is worked out from all the evidence each time, so two check-ins that
arrive in the wrong order, or twice, or a day late, end in the same state. The first row of LIFECYCLE whose
facts hold is the state.

MOVES is the other half: the changes of state one may see from one assessment to the next, and by what. It decides
nothing; it is the promise that the diagram in ARCHITECTURE is drawn from, and tests hold the rules to it.
Corrections are not in it. An amendment, or a changed plan, may put a visit into any state that the evidence
then shows: rejecting a check-in takes a visit from in progress back to late. Nor is news in it that unmakes a coming,
by showing that whoever came had left too long before the visit's time: then the visit is what it would be without them.

Not here: when a deadline falls (deadlines), who came when (attending), what is odd about it (verification).
"""

from collections.abc import Callable
from typing import NamedTuple

from ecm.visit.model import State


class Facts(NamedTuple):
    """What the table asks about a visit, at one instant."""

    planned: bool
    """There is a plan, and it is not cancelled."""
    someone_came: bool
    someone_is_in: bool
    officer_says_frustrated: bool
    all_left_frustrated: bool
    """Everybody who came has left, each with a reason the contract counts as frustrated."""
    overrunning_passed: bool
    missed_passed: bool
    late_passed: bool


class Rule(NamedTuple):
    state: State
    when: str
    holds: Callable[[Facts], bool]


LIFECYCLE: tuple[Rule, ...] = (
    Rule(State.FRUSTRATED, "an amendment says care could not be given", lambda f: f.officer_says_frustrated),
    Rule(State.OVERRUNNING, "somebody is in, past the overrunning limit",
         lambda f: f.someone_is_in and f.overrunning_passed),
    Rule(State.IN_PROGRESS, "somebody is in", lambda f: f.someone_is_in),
    Rule(State.FRUSTRATED, "all who came left saying care could not be given", lambda f: f.all_left_frustrated),
    Rule(State.COMPLETED, "all who came have left", lambda f: f.someone_came),
    Rule(State.CANCELLED, "nobody came, and nobody was to", lambda f: not f.planned),
    Rule(State.MISSED, "nobody came by the missed limit", lambda f: f.missed_passed),
    Rule(State.LATE, "nobody came by the late limit", lambda f: f.late_passed),
    Rule(State.PLANNED, "nobody came yet", lambda f: True),  # noqa: ARG005 - the last row holds for all
)  # fmt: skip
"""The first row that holds is the state."""


def state_of(facts: Facts) -> State:
    """The state of a visit with these facts."""
    return next(rule.state for rule in LIFECYCLE if rule.holds(facts))


class Move(NamedTuple):
    """A change of state, and what brings it. `state_from` None: the visit was not there before."""

    state_from: State | None
    state_to: State
    by: str


TIME = "time"
CHECK_IN = "check-in"
CHECK_OUT = "check-out"

MOVES: tuple[Move, ...] = (
    Move(None, State.PLANNED, "planned"),
    Move(None, State.IN_PROGRESS, "unplanned check-in"),
    # time alone
    Move(State.PLANNED, State.LATE, TIME),
    Move(State.PLANNED, State.MISSED, TIME),  # the next visit, or the day cut-off, came before the late limit
    Move(State.LATE, State.MISSED, TIME),
    Move(State.IN_PROGRESS, State.OVERRUNNING, TIME),
    # somebody came; overrunning at once if it is that late already
    Move(State.PLANNED, State.IN_PROGRESS, CHECK_IN),
    Move(State.LATE, State.IN_PROGRESS, CHECK_IN),
    Move(State.MISSED, State.IN_PROGRESS, CHECK_IN),
    Move(State.CANCELLED, State.IN_PROGRESS, CHECK_IN),
    Move(State.COMPLETED, State.IN_PROGRESS, CHECK_IN),  # a second worker, or the same one again
    Move(State.FRUSTRATED, State.IN_PROGRESS, CHECK_IN),  # tried again
    Move(
        State.PLANNED, State.COMPLETED, CHECK_IN
    ),  # the check-in of an early check-out that told nothing alone
    Move(State.LATE, State.COMPLETED, CHECK_IN),
    Move(State.MISSED, State.COMPLETED, CHECK_IN),
    Move(State.CANCELLED, State.COMPLETED, CHECK_IN),
    Move(State.FRUSTRATED, State.COMPLETED, CHECK_IN),
    # everybody left
    Move(State.IN_PROGRESS, State.COMPLETED, CHECK_OUT),
    Move(State.OVERRUNNING, State.COMPLETED, CHECK_OUT),
    Move(State.IN_PROGRESS, State.FRUSTRATED, CHECK_OUT),
    Move(State.OVERRUNNING, State.FRUSTRATED, CHECK_OUT),
    Move(State.OVERRUNNING, State.IN_PROGRESS, CHECK_OUT),  # one of two left; the other is within grace
    # they left too long before the visit's time to have come to it
    Move(State.IN_PROGRESS, State.PLANNED, CHECK_OUT),
    Move(State.IN_PROGRESS, State.LATE, CHECK_OUT),
    Move(State.IN_PROGRESS, State.MISSED, CHECK_OUT),
    Move(State.OVERRUNNING, State.LATE, CHECK_OUT),
    Move(State.OVERRUNNING, State.MISSED, CHECK_OUT),
    # a check-out whose check-in was never received
    Move(State.PLANNED, State.COMPLETED, CHECK_OUT),
    Move(State.LATE, State.COMPLETED, CHECK_OUT),
    Move(State.MISSED, State.COMPLETED, CHECK_OUT),
    Move(State.CANCELLED, State.COMPLETED, CHECK_OUT),
    Move(State.PLANNED, State.FRUSTRATED, CHECK_OUT),
    Move(State.LATE, State.FRUSTRATED, CHECK_OUT),
    Move(State.MISSED, State.FRUSTRATED, CHECK_OUT),
    Move(State.CANCELLED, State.FRUSTRATED, CHECK_OUT),
    # a later check-out says otherwise
    Move(State.COMPLETED, State.FRUSTRATED, CHECK_OUT),
    Move(State.FRUSTRATED, State.COMPLETED, CHECK_OUT),
)
