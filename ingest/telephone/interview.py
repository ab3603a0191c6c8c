"""One interview by telephone, decided here and nowhere else: what is said, what is asked, and what comes next.

It knows no gateway, no sound and no table of a database. A door hears digits, the conductor looks things up and
records; both come in here as an input, and a Turn comes out: what to say, what to listen for, what is wanted.

    state            asks or wants                        then
    ---------------  -----------------------------------  ----------------------------------------------------------
    welcome          a language, or already the PIN       the PIN, or the worker's number first
    staff            the worker's own number              looked up: the PIN
    finding_staff    whose number that is                 the PIN, or again
    pin              the PIN                              checked: in or out
    checking_pin     whose PIN that is                    in or out; again; the worker's number
    way              in or out: **this is the instant**   which person, if that is not plain
    person           which of several                     the home's code, if there is a card and it is no home's phone
    card             the number on the home's card        looked up
    finding_card     whose home that is                   the code
    code             what the card shows                  it is recorded
    recording        the check-in or check-out kept       said back
    ringing_back     the gateway to ring the home back    a code is told, and the worker hangs up
    waiting          (hung up; the home is rung)          the second phone call answers, or does not
    answered         the code, on the home's phone        it is recorded as answered
    tasks            the numbers of the tasks done        kept, goodbye
    keeping_tasks    the tasks kept                       goodbye
    over             nothing

TABLE holds a row for each state and each input it may meet. At every step 0 or * is help; silence, wrong digits and
help repeat the question, and the third time the phone call ends politely with what was kept. Where a question may be
left out (card, code, tasks), silence or the hash key alone goes on without it.

When it counts. A check-in or check-out is true at the instant the worker chose in or out, by our clock, and is
recorded before it is said back: to hang up later loses nothing. Before it is recorded, to hang up (or to be
silent too long) means

    before the PIN was right        nothing was said, nothing is recorded
    after it, before in or out      nothing, with one exception: from the home's own telephone, with the PIN, by a
                                    worker who is due there and not yet in. That can only mean in, and is taken as such
                                    at the instant of the PIN. Never as out: who was only interrupted would be short
    after in or out                 it is recorded with what is known; whose home it was, the roster may still say
    while the home is rung back     it is recorded without that proof once the ring has failed

A worker who is due at the home is known by the PIN alone; anybody else says who they are first, because a PIN tried
against everybody would be a guess at everybody (ecm/pin_tries.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from ingest.telephone.keyed import understood
from ingest.telephone.turn import (
    HUNG_UP,
    LANGUAGE_OF_DIGIT,
    OTHER_DIGIT,
    TASKS_MAX,
    Caller,
    CheckPin,
    FindCard,
    FindStaff,
    Gather,
    Heard,
    Input,
    Interview,
    KeepTasks,
    Kind,
    Learned,
    Person,
    Record,
    RingBack,
    Say,
    State,
    Turn,
    Want,
)

__all__ = ["HUNG_UP", "Gather", "Heard", "Say", "Turn", "answered", "begun", "hear", "learn", "resumed"]

ASKED_AT_MOST = 3
PEOPLE_OFFERED_MAX = 8
CARD_SECONDS = 20

# ---------------------------------------------------------------- what is kept of an input

Keep: TypeAlias = Callable[[Interview, str, Learned, datetime | None], Interview]


def _language(i: Interview, digits: str, _: Learned, __: datetime | None) -> Interview:
    return replace(i, language=LANGUAGE_OF_DIGIT[digits])


def _staff(i: Interview, _: str, learned: Learned, __: datetime | None) -> Interview:
    return replace(i, staff=learned.staff, named=True)


def _worker(i: Interview, _: str, learned: Learned, __: datetime | None) -> Interview:
    return replace(i, worker=learned.worker, people=learned.people, only=learned.only, at=learned.at)


def _in(i: Interview, _: str, __: Learned, at: datetime | None) -> Interview:
    return _chosen(i, "check_in", at)


def _out(i: Interview, _: str, __: Learned, at: datetime | None) -> Interview:
    return _chosen(i, "check_out", at)


def _chosen(i: Interview, kind: Kind, at: datetime | None) -> Interview:
    assert at is not None
    chosen = replace(i, kind=kind, at=at.isoformat())
    plain = _plainly(chosen)
    return replace(chosen, person=plain, people=tuple(_likely(chosen))[:PEOPLE_OFFERED_MAX])


def _taken_as_in(i: Interview, _: str, __: Learned, ___: datetime | None) -> Interview:
    """At the instant of the PIN, which `at` still is."""
    return replace(i, kind=i.only, person=i.people[0], inferred=True) if i.only else i


def _person(i: Interview, digits: str, _: Learned, __: datetime | None) -> Interview:
    return replace(i, person=i.people[int(digits) - 1])


def _of_card(i: Interview, _: str, learned: Learned, __: datetime | None) -> Interview:
    return replace(i, person=learned.person)


def _code(i: Interview, digits: str, _: Learned, __: datetime | None) -> Interview:
    return replace(i, code=digits)


def _spoken(i: Interview, _: str, learned: Learned, __: datetime | None) -> Interview:
    return replace(i, spoken=learned.spoken)


def _answered(i: Interview, _: str, __: Learned, ___: datetime | None) -> Interview:
    return replace(i, called_back=True)


def _tasks(i: Interview, digits: str, _: Learned, __: datetime | None) -> Interview:
    return replace(i, done_tasks="".join(sorted(set(digits))))


def _plainly(i: Interview) -> Person | None:
    """The person, where there is nothing to ask: the only one, or on leaving the only one they are with."""
    inside = [p for p in i.people if p.inside]
    if i.kind == "check_out" and len(inside) == 1:
        return inside[0]
    likely = _likely(i)
    return likely[0] if len(likely) == 1 else None


def _likely(i: Interview) -> list[Person]:
    """At a home's telephone everybody of that number; elsewhere, on coming, those they are not with already."""
    if i.caller is Caller.HOME or i.kind == "check_out":
        return list(i.people)
    return [p for p in i.people if not p.inside] or list(i.people)


# ---------------------------------------------------------------- where a state leads, when that depends


def _who(i: Interview) -> State:
    """After in or out."""
    if i.person is not None:
        return _where(i)
    return State.PERSON if i.people else State.CARD


def _where(i: Interview) -> State:
    """Once the person is known."""
    if i.caller is not Caller.HOME and i.person is not None and i.person.card and i.code is None:
        return State.CODE
    return _then_record(i)


def _then_record(i: Interview) -> State:
    return State.RINGING_BACK if i.rings_back and i.caller is Caller.HOME else State.RECORDING


def _after_recording(i: Interview) -> State:
    has_tasks = i.person is not None and i.person.tasks > 0
    return State.TASKS if i.kind == "check_out" and has_tasks else State.OVER


def _first(i: Interview) -> State:
    """A PIN alone says who, only where somebody is expected."""
    return State.PIN if i.expecting else State.STAFF


def _only_meaning(i: Interview) -> State:
    """After a right PIN and no choice."""
    return State.RECORDING if i.only else State.OVER


Next: TypeAlias = State | Callable[[Interview], State]


@dataclass(frozen=True, slots=True)
class Row:
    """`says`: prompts before the next state's own question. `keep`: what of the input is kept. `again`: it is the same
    question once more, and counted."""

    to: Next
    says: tuple[str, ...] = ()
    keep: Keep | None = None
    again: bool = False


S, I = State, Input  # noqa: E741 - the table's own shorthand


def _asking(state: State, ends: Row, help_: str) -> dict[Input, Row]:
    """The rows every question shares. `ends`: when it was asked often enough."""
    return {
        I.HELP: Row(state, (help_,), again=True),
        I.SILENCE: Row(state, ("not_heard",), again=True),
        I.WRONG: Row(state, ("not_understood",), again=True),
        I.ENOUGH: ends,
    }


NOTHING_KEPT = Row(S.OVER, ("nothing_recorded", "goodbye"))
GONE = Row(S.OVER)

TABLE: dict[State, dict[Input, Row]] = {
    S.WELCOME: {
        I.HUNG_UP: GONE,
        I.HELP: Row(S.WELCOME, ("help_welcome",), again=True),
        I.SILENCE: Row(_first),
        I.WRONG: Row(_first, ("not_understood",)),
        I.ENOUGH: NOTHING_KEPT,
        I.LANGUAGE: Row(_first, keep=_language),
        I.PIN: Row(S.CHECKING_PIN),
        I.NUMBER: Row(S.FINDING_STAFF),
        I.STAND_IN: Row(S.STAFF),
    },
    S.STAFF: {
        I.HUNG_UP: GONE,
        **_asking(S.STAFF, NOTHING_KEPT, "help_staff"),
        I.NUMBER: Row(S.FINDING_STAFF),
    },
    S.FINDING_STAFF: {
        I.HUNG_UP: GONE,
        I.STAFF_KNOWN: Row(S.PIN, keep=_staff),
        I.STAFF_UNKNOWN: Row(S.STAFF, ("staff_unknown",), again=True),
        I.ENOUGH: NOTHING_KEPT,
    },
    S.PIN: {
        I.HUNG_UP: GONE,
        **_asking(S.PIN, NOTHING_KEPT, "help_pin"),
        I.PIN: Row(S.CHECKING_PIN),
        I.STAND_IN: Row(S.STAFF),
    },
    S.CHECKING_PIN: {
        I.HUNG_UP: GONE,
        I.PIN_FITS: Row(S.WAY, keep=_worker),
        I.PIN_WRONG: Row(S.PIN, ("pin_wrong",), again=True),
        I.ENOUGH: NOTHING_KEPT,
        I.PIN_UNCLEAR: Row(S.STAFF, ("pin_unclear",)),
        I.TOO_MANY_HERE: Row(S.STAFF, ("too_many_here",)),
        I.TOO_MANY: Row(S.OVER, ("too_many", "goodbye")),
    },
    S.WAY: {
        I.HUNG_UP: Row(_only_meaning, keep=_taken_as_in),
        **_asking(S.WAY, Row(_only_meaning, keep=_taken_as_in), "help_way"),
        I.CHECK_IN: Row(_who, keep=_in),
        I.CHECK_OUT: Row(_who, keep=_out),
    },
    S.PERSON: {
        I.HUNG_UP: Row(S.RECORDING),
        **_asking(S.PERSON, Row(S.RECORDING), "help_person"),
        I.CHOICE: Row(_where, keep=_person),
        I.OTHER: Row(S.CARD),
    },
    S.CARD: {
        I.HUNG_UP: Row(S.RECORDING),
        **_asking(S.CARD, Row(S.RECORDING), "help_card"),
        I.SILENCE: Row(S.RECORDING),
        I.NUMBER: Row(S.FINDING_CARD),
    },
    S.FINDING_CARD: {
        I.HUNG_UP: Row(S.RECORDING),
        I.CARD_KNOWN: Row(_where, keep=_of_card),
        I.CARD_UNKNOWN: Row(S.CARD, ("card_unknown",), again=True),
        I.ENOUGH: Row(S.RECORDING),
    },
    S.CODE: {
        I.HUNG_UP: Row(S.RECORDING),
        **_asking(S.CODE, Row(_then_record), "help_code"),
        I.SILENCE: Row(_then_record),
        I.CODE: Row(_then_record, keep=_code),
    },
    S.RECORDING: {
        I.HUNG_UP: Row(S.RECORDING),
        I.RECORDED: Row(_after_recording),
        I.NOT_RECORDED: Row(S.OVER, ("not_recorded", "goodbye")),
    },
    S.RINGING_BACK: {
        I.HUNG_UP: Row(S.RECORDING),
        I.RINGING: Row(S.WAITING, keep=_spoken),
        I.NOT_RINGING: Row(S.RECORDING),
    },
    S.WAITING: {I.HUNG_UP: Row(S.WAITING), I.NOT_RINGING: Row(S.RECORDING), I.RECORDED: Row(S.OVER)},
    S.ANSWERED: {
        I.HUNG_UP: Row(S.RECORDING),
        **_asking(S.ANSWERED, Row(S.RECORDING), "help_answered"),
        I.CODE: Row(S.RECORDING, keep=_answered),
    },
    S.TASKS: {
        I.HUNG_UP: GONE,
        **_asking(S.TASKS, Row(S.OVER, ("goodbye",)), "help_tasks"),
        I.SILENCE: Row(S.OVER, ("goodbye",)),
        I.TASKS: Row(S.KEEPING_TASKS, keep=_tasks),
    },
    S.KEEPING_TASKS: {
        I.HUNG_UP: Row(S.KEEPING_TASKS),
        I.TASKS_KEPT: Row(S.OVER, ("tasks_kept", "goodbye")),
    },
    S.OVER: {I.HUNG_UP: GONE},
}  # fmt: skip

WANTS: dict[State, Callable[[str], Want]] = {
    S.FINDING_STAFF: FindStaff,
    S.CHECKING_PIN: CheckPin,
    S.FINDING_CARD: FindCard,
    S.RECORDING: lambda _: Record(),
    S.RINGING_BACK: lambda _: RingBack(),
    S.KEEPING_TASKS: lambda _: KeepTasks(),
}
"""States that ask the conductor and not the worker; `digits` as heard."""

GATHERS: dict[State, Gather] = {
    S.WELCOME: Gather(15),
    S.STAFF: Gather(15),
    S.PIN: Gather(10),
    S.WAY: Gather(1),
    S.PERSON: Gather(1),
    S.CARD: Gather(9, timeout_s=CARD_SECONDS),
    S.CODE: Gather(8, timeout_s=CARD_SECONDS),
    S.ANSWERED: Gather(4, timeout_s=CARD_SECONDS),
    S.TASKS: Gather(TASKS_MAX, timeout_s=CARD_SECONDS),
}


# ---------------------------------------------------------------- the three lines that read the table, and theirs


def begun(
    language: str, caller: Caller, *, expecting: bool, staff: tuple[str, ...] = (), rings_back: bool = False
) -> Turn:
    """The first turn of an interview that somebody rang for. `expecting`: a PIN alone says who, of those due at this
    home, or of `staff`, whose own mobile it is."""
    i = Interview(State.WELCOME, language, caller, expecting=expecting, rings_back=rings_back, staff=staff)
    return _enter(i, (), "")


def answered(waiting: Interview, answers_for: str) -> Turn:
    """The first turn of the phone call that rang a home back. `waiting`: the interview it is for."""
    return _enter(replace(waiting, state=State.ANSWERED, asked=0, answers_for=answers_for), (), "")


def resumed(interview: Interview) -> Turn:
    """What was wanted when an interview was put down in the middle of a step."""
    return _enter(interview, (), "")


def hear(interview: Interview, heard: Heard, at: datetime) -> Turn:
    """What follows from what a door heard. `at`: now, aware, in the local zone: the instant a choice is true."""
    digits = heard.digits or ""
    return _take(interview, understood(interview, heard), digits, NOTHING, at)


def learn(interview: Interview, learned: Learned) -> Turn:
    """What follows from what the conductor found."""
    return _take(interview, learned.input, "", learned, None)


NOTHING = Learned(Input.SILENCE)


def _take(i: Interview, said: Input, digits: str, learned: Learned, at: datetime | None) -> Turn:
    rows = TABLE[i.state]
    row = rows[said]
    if row.again and i.asked + 1 >= ASKED_AT_MOST:
        said, row = Input.ENOUGH, rows[Input.ENOUGH]
    kept = row.keep(i, digits, learned, at) if row.keep else i
    to = row.to(kept) if callable(row.to) else row.to
    asked = i.asked + 1 if row.again else i.asked if to in WANTS else 0
    return _enter(replace(kept, state=to, asked=asked), _before(i, said, row, kept), digits)


def _before(i: Interview, said: Input, row: Row, kept: Interview) -> tuple[Say, ...]:
    """What is said of the input, ahead of the next question."""
    says = tuple(Say(key) for key in row.says)
    if said is Input.ENOUGH and i.state is State.WAY and kept.kind is None:
        says += tuple(Say(key) for key in NOTHING_KEPT.says)
    if said is Input.PIN_FITS and i.caller is not Caller.HOME:
        says += (Say(f"caller_{i.caller.value}"),)
    if said is Input.RECORDED and i.state is State.RECORDING:
        says += _read_back(kept)
        if _after_recording(kept) is State.OVER:
            says += (Say("goodbye"),)
    if said is Input.RINGING:
        says += (Say("ring_back", {"digits": kept.spoken or ""}),)
    return says


def _read_back(i: Interview) -> tuple[Say, ...]:
    done = "checked_in" if i.kind == "check_in" else "checked_out"
    if i.person is None or not i.person.said:
        return (Say(f"{done}_somewhere", {"time": i.local_time}),)
    return (Say(done, {"person": i.person.said, "time": i.local_time}),)


def _enter(i: Interview, says: tuple[Say, ...], digits: str) -> Turn:
    if i.state in WANTS:
        return Turn(i, says, wants=(WANTS[i.state](digits),))
    if i.state in (State.OVER, State.WAITING):
        return Turn(i, says, hang_up=True)
    return Turn(i, says + _question(i), GATHERS[i.state])


def _question(i: Interview) -> tuple[Say, ...]:
    if i.state is State.WELCOME:
        others = [
            Say("for_this_language", {"digits": digit}, language)
            for digit, language in LANGUAGE_OF_DIGIT.items()
            if language != i.language
        ]
        first = "ask_pin" if i.expecting else "ask_staff"
        return (Say("welcome"), *(others if i.asked == 0 else ()), Say(first))
    if i.state is State.PERSON:
        offers = [_offer(n, p) for n, p in enumerate(i.people, 1)]
        return (*offers, Say("ask_other", {"digits": OTHER_DIGIT}))
    if i.state is State.TASKS:
        return (Say("ask_tasks", {"digits": str(min(i.person.tasks if i.person else 0, TASKS_MAX))}),)
    return (Say(f"ask_{i.state.value}"),)


def _offer(n: int, person: Person) -> Say:
    if person.planned is None:
        return Say("offer_person", {"person": person.said, "digits": str(n)})
    return Say("offer_person_at", {"person": person.said, "time": person.planned, "digits": str(n)})
