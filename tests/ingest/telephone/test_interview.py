"""The interview's table, walked: every state, every input it may meet, and a hang-up at every place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest.telephone import keyed
from ingest.telephone.interview import (
    ASKED_AT_MOST,
    GATHERS,
    HUNG_UP,
    TABLE,
    WANTS,
    Heard,
    Say,
    Turn,
    answered,
    begun,
    hear,
    learn,
    resumed,
)
from ingest.telephone.turn import (
    Caller,
    CheckPin,
    FindCard,
    FindStaff,
    Input,
    Interview,
    KeepTasks,
    Learned,
    Person,
    Record,
    RingBack,
    State,
)

NOW = datetime(2026, 3, 2, 9, 2, 12, tzinfo=UTC)
ASH = Person("SU-1", "Mrs A", "09:00", tasks=3)
MR_BIRCH, MRS_BIRCH = Person("SU-2", "Mr B"), Person("SU-3", "Mrs B", inside=True)
COLE = Person("SU-4", "Ms C", "09:30", card=True)

# What the conductor may answer to each want.
ANSWERS = {
    FindStaff: {Input.STAFF_KNOWN, Input.STAFF_UNKNOWN},
    CheckPin: {Input.PIN_FITS, Input.PIN_WRONG, Input.PIN_UNCLEAR, Input.TOO_MANY_HERE, Input.TOO_MANY},
    FindCard: {Input.CARD_KNOWN, Input.CARD_UNKNOWN},
    RingBack: {Input.RINGING, Input.NOT_RINGING},
    Record: {Input.RECORDED, Input.NOT_RECORDED},
    KeepTasks: {Input.TASKS_KEPT},
}
# Told of a phone call that waits for another: the home did not answer, or did, and it is recorded.
WAITING_HEARS = {Input.NOT_RINGING, Input.RECORDED}
KEYED = ["", "0", "*", "**", "1", "2", "3", "4", "7", "9", "12", "123", "1*", "4711", "123456", "12345678"]
KEYED += ["1" * 10, "1" * 11, "1" * 16, "x", "٤٧١١", "#"]


def interviews() -> Iterator[Interview]:
    """Each state, in every mood that the table's guards ask about."""
    for state in State:
        for caller in Caller:
            for people in ((), (ASH,), (MR_BIRCH, MRS_BIRCH), (COLE,)):
                for rings_back in (False, True):
                    yield Interview(
                        state,
                        caller=caller,
                        expecting=caller is Caller.HOME,
                        rings_back=rings_back,
                        worker="CW-104",
                        people=people,
                        kind="check_out" if state in AFTER_WAY else None,
                        at=NOW.isoformat(),
                        person=people[0] if people and state in AFTER_WAY else None,
                        spoken="4711",
                    )


AFTER_WAY = list(State)[list(State).index(State.PERSON) :]


def known(i: Interview, found: Input) -> Learned:
    return Learned(
        found, ("CW-104",), "CW-104", i.people, None, COLE if found is Input.CARD_KNOWN else None, "4711",
        NOW.isoformat(),
    )  # fmt: skip


def require_whole(turn: Turn) -> None:
    """A door always knows what to do next: listen, or wait for us, or hang up."""
    assert [turn.gather is not None, bool(turn.wants), turn.hang_up].count(True) == 1
    assert turn.says or turn.wants or turn.hang_up, "a caller never sits in silence"
    assert not turn.reject


def test_every_state_has_a_row_for_everything_it_may_meet_and_for_nothing_else() -> None:
    for state in State:
        heard = {
            keyed.understood(i, each)
            for i in interviews()
            if i.state is state
            for each in [*map(Heard, KEYED), HUNG_UP]
        }
        told: set[Input] = ANSWERS[type(WANTS[state]("1"))] if state in WANTS else set()
        told |= WAITING_HEARS if state is State.WAITING else set()
        enough = {Input.ENOUGH} if any(row.again for row in TABLE[state].values()) else set()
        assert TABLE[state].keys() == heard | told | enough, state
        assert (state in GATHERS) == (state in keyed.MEANS), state


@pytest.mark.parametrize("state", State)
def test_every_row_leads_somewhere_that_a_door_can_carry_on_from(state: State) -> None:
    for i in [i for i in interviews() if i.state is state]:
        for digits in KEYED:
            require_whole(hear(i, Heard(digits), NOW))
        require_whole(hear(i, HUNG_UP, NOW))
        if state in WANTS:
            for found in ANSWERS[type(WANTS[state]("1"))]:
                if found is not Input.RECORDED or i.kind:
                    require_whole(learn(i, known(i, found)))


@pytest.mark.parametrize("state", GATHERS)
@pytest.mark.parametrize("digits", ["0", "xx"])
def test_nobody_is_asked_the_same_for_ever(state: State, digits: str) -> None:
    i = next(i for i in interviews() if i.state is state and i.people == (MR_BIRCH, MRS_BIRCH))
    for _ in range(ASKED_AT_MOST):
        turn = hear(i, Heard(digits), NOW)
        i = turn.interview
    assert i.state is not state


@pytest.mark.parametrize("state", State)
def test_whoever_hangs_up_has_what_they_chose_recorded_and_nothing_else(state: State) -> None:
    for i in [i for i in interviews() if i.state is state]:
        turn = hear(i, HUNG_UP, NOW)
        if state in (State.TASKS, State.OVER):
            assert turn.hang_up  # it was recorded before
        elif state is State.KEEPING_TASKS:
            assert turn.wants == (KeepTasks(),)
        elif state is State.WAITING:
            assert turn.interview == i, "the home is rung now"
        elif state in AFTER_WAY:
            assert turn.wants == (Record(),)
        else:
            assert (turn.hang_up, turn.interview.kind) == (True, None)


@pytest.mark.parametrize("asked", range(ASKED_AT_MOST))
def test_what_was_chosen_is_never_dropped_by_any_road(asked: int) -> None:
    """Once in or out is chosen, the only way to the end is by recording it."""
    told = {*ANSWERS[FindCard], *ANSWERS[RingBack]}
    for i in [replace(i, asked=asked) for i in interviews() if i.kind]:
        if i.state in (State.RECORDING, State.TASKS, State.KEEPING_TASKS, State.OVER):
            continue
        turns = [hear(i, each, NOW) for each in [*map(Heard, KEYED), HUNG_UP]]
        turns += [learn(i, known(i, found)) for found in TABLE[i.state].keys() & told]
        for turn in turns:
            assert turn.interview.state is not State.OVER, i
            assert turn.interview.kind == i.kind


def test_what_can_be_put_down_and_taken_up_again_has_said_nothing_yet() -> None:
    """States kept before they are done: `resumed` must not lose a word."""
    for state, rows in TABLE.items():
        for row in rows.values():
            tos = {row.to} if isinstance(row.to, State) else {row.to(i) for i in interviews() if i.people}
            if tos & {State.RECORDING, State.RINGING_BACK, State.KEEPING_TASKS}:
                assert row.says == (), state


# ---------------------------------------------------------------- stories


def conversation(turn: Turn, *said: str | Learned) -> list[str]:
    """What is heard of us after each thing said; wants as their names."""
    told = []
    for each in said:
        turn = (
            learn(turn.interview, each)
            if isinstance(each, Learned)
            else hear(turn.interview, Heard(each), NOW)
        )
        told.append(
            " ".join([*(say.key for say in turn.says), *(type(want).__name__ for want in turn.wants)])
        )
        require_whole(turn)
    return told


def fits(*people: Person, caller: Caller = Caller.HOME) -> Learned:
    return Learned(Input.PIN_FITS, worker="CW-104", people=people, at=NOW.isoformat())


DONE = Learned(Input.RECORDED)


def test_beth_checks_in_from_mrs_ashs_telephone_in_two_steps() -> None:
    first = begun("en", Caller.HOME, expecting=True)
    assert [say.key for say in first.says][-1] == "ask_pin"
    assert conversation(first, "4711", fits(ASH), "1", DONE) == [
        "CheckPin",
        "ask_way",
        "Record",
        "checked_in goodbye",
    ]


def test_she_hears_whom_she_is_with_and_when() -> None:
    at_way = learn(
        hear(begun("en", Caller.HOME, expecting=True).interview, Heard("4711"), NOW).interview, fits(ASH)
    )
    done = learn(hear(at_way.interview, Heard("1"), NOW).interview, DONE)
    assert done.says[0] == Say("checked_in", {"person": "Mrs A", "time": "09:02"})


def test_the_birches_share_a_telephone() -> None:
    first = begun("en", Caller.HOME, expecting=True)
    assert conversation(
        first, "", "4711", fits(MR_BIRCH, replace(MRS_BIRCH, inside=False)), "1", "3", "2", DONE
    ) == [
        "ask_pin",
        "CheckPin",
        "ask_way",
        "offer_person offer_person ask_other",
        "not_understood offer_person offer_person ask_other",
        "Record",
        "checked_in goodbye",
    ]


def test_who_leaves_is_not_asked_whom_they_are_leaving() -> None:
    first = begun("en", Caller.HOME, expecting=True)
    assert conversation(first, "4711", fits(MR_BIRCH, MRS_BIRCH), "2", DONE)[-2:] == [
        "Record",
        "checked_out goodbye",
    ]


def test_tasks_are_asked_for_once_it_is_recorded() -> None:
    first = begun("en", Caller.HOME, expecting=True)
    said = ["4711", fits(replace(ASH, inside=True)), "2", DONE, "13", Learned(Input.TASKS_KEPT)]
    assert conversation(first, *said)[-3:] == ["checked_out ask_tasks", "KeepTasks", "tasks_kept goodbye"]


def test_a_withheld_number_is_taken_and_told_so() -> None:
    first = begun("en", Caller.WITHHELD, expecting=False)
    known_staff = Learned(Input.STAFF_KNOWN, staff=("CW-104",))
    said = ["", "104", known_staff, "4711", fits(COLE), "1", "123456", DONE]
    assert conversation(first, *said) == [
        "ask_staff",
        "FindStaff",
        "ask_pin",
        "CheckPin",
        "caller_withheld ask_way",
        "ask_code",
        "Record",
        "checked_in goodbye",
    ]


def test_a_worker_with_no_round_names_the_home_by_its_card_or_not_at_all() -> None:
    first = begun("en", Caller.MOBILE, expecting=True, staff=("CW-104",))
    upto = ["4711", fits(), "1"]
    card = [Learned(Input.CARD_UNKNOWN), "7", Learned(Input.CARD_KNOWN, person=COLE), "", DONE]
    assert conversation(first, *upto, "8", *card)[2:] == [
        "ask_card",
        "FindCard",
        "card_unknown ask_card",
        "FindCard",
        "ask_code",
        "Record",
        "checked_in goodbye",
    ]
    assert conversation(first, *upto, "", DONE)[3:] == ["Record", "checked_in_somewhere goodbye"]


def test_too_many_wrong_pins_at_a_home_leave_its_workers_another_way() -> None:
    first = begun("en", Caller.HOME, expecting=True)
    assert conversation(first, "1111", Learned(Input.TOO_MANY_HERE), "104")[1:] == [
        "too_many_here ask_staff",
        "FindStaff",
    ]


def test_a_home_is_rung_back_and_answers_with_the_code() -> None:
    first = begun("en", Caller.HOME, expecting=True, rings_back=True)
    turn = first
    for each in ("4711", fits(ASH), "1", Learned(Input.RINGING, spoken="4831")):
        turn = (
            learn(turn.interview, each)
            if isinstance(each, Learned)
            else hear(turn.interview, Heard(each), NOW)
        )
    assert (turn.says, turn.hang_up) == ((Say("ring_back", {"digits": "4831"}),), True)

    second = answered(turn.interview, "CA1")
    assert conversation(second, "0000", "4831", DONE) == [
        "not_understood ask_answered",
        "Record",
        "checked_in goodbye",
    ]
    assert hear(second.interview, Heard("4831"), NOW).interview.called_back
    assert not hear(second.interview, HUNG_UP, NOW).interview.called_back


@pytest.mark.parametrize(("digit", "language"), [("1", "en"), ("2", "cy"), ("3", "pl"), ("4", "ro")])
def test_a_digit_at_the_welcome_changes_the_language(digit: str, language: str) -> None:
    turn = hear(begun("en", Caller.HOME, expecting=True).interview, Heard(digit), NOW)
    assert turn.interview.language == language


def test_hanging_up_after_the_pin_counts_only_where_it_can_mean_one_thing() -> None:
    at_way = replace(
        learn(Interview(State.CHECKING_PIN, caller=Caller.HOME), fits(ASH)).interview, only="check_in"
    )
    later = NOW.replace(minute=40)
    turn = hear(at_way, HUNG_UP, later)
    assert turn.wants == (Record(),)
    assert (turn.interview.kind, turn.interview.at, turn.interview.inferred) == (
        "check_in",
        NOW.isoformat(),
        True,
    )
    assert hear(replace(at_way, only=None), HUNG_UP, later).interview.kind is None


def test_too_long_a_silence_after_the_pin_is_as_hanging_up_and_is_said() -> None:
    at_way = learn(Interview(State.CHECKING_PIN, caller=Caller.HOME), fits(ASH)).interview
    in_the_end = hear(replace(at_way, only="check_in", asked=ASKED_AT_MOST - 1), Heard(""), NOW)
    assert in_the_end.wants == (Record(),)
    nothing = hear(replace(at_way, asked=ASKED_AT_MOST - 1), Heard(""), NOW)
    assert [say.key for say in nothing.says] == ["nothing_recorded", "goodbye"]


def test_a_pin_does_not_show_itself() -> None:
    assert "4711" not in repr(hear(begun("en", Caller.HOME, expecting=True).interview, Heard("4711"), NOW))


def test_an_interview_put_down_wants_the_same_again() -> None:
    assert resumed(Interview(State.RECORDING)).wants == (Record(),)
