"""What digits mean where they are keyed in: every string that can be heard is exactly one input of the table."""

from __future__ import annotations

from collections.abc import Callable

from ingest.telephone.turn import LANGUAGE_OF_DIGIT, OTHER_DIGIT, TASKS_MAX, Heard, Input, Interview, State


def understood(i: Interview, heard: Heard) -> Input:
    if heard.digits is None:
        return Input.HUNG_UP
    if i.state not in MEANS:
        return Input.HUNG_UP  # nobody was asked; whatever was keyed came after the end
    digits = heard.digits
    if digits == "":
        return Input.SILENCE
    if digits == "0" or not digits.strip("*"):
        return Input.HELP
    if not (digits.isascii() and digits.isdigit()):
        return Input.WRONG
    return MEANS[i.state](i, digits)


def _at_welcome(i: Interview, digits: str) -> Input:
    if digits in LANGUAGE_OF_DIGIT:
        return Input.LANGUAGE
    return _as_pin(i, digits) if i.expecting else _as_number(i, digits)


def _as_pin(_: Interview, digits: str) -> Input:
    if digits == OTHER_DIGIT:
        return Input.STAND_IN
    return Input.PIN if 4 <= len(digits) <= 10 else Input.WRONG


def _as_number(_: Interview, digits: str) -> Input:
    return Input.NUMBER if len(digits) <= 15 else Input.WRONG


def _as_way(_: Interview, digits: str) -> Input:
    return {"1": Input.CHECK_IN, "2": Input.CHECK_OUT}.get(digits, Input.WRONG)


def _as_choice(i: Interview, digits: str) -> Input:
    if digits == OTHER_DIGIT:
        return Input.OTHER
    return Input.CHOICE if len(digits) == 1 and 1 <= int(digits) <= len(i.people) else Input.WRONG


def _as_code(_: Interview, digits: str) -> Input:
    return Input.CODE if 6 <= len(digits) <= 8 else Input.WRONG


def _as_answer(i: Interview, digits: str) -> Input:
    return Input.CODE if digits == i.spoken else Input.WRONG


def _as_tasks(i: Interview, digits: str) -> Input:
    listed = min(i.person.tasks if i.person else 0, TASKS_MAX)
    return Input.TASKS if all(1 <= int(digit) <= listed for digit in digits) else Input.WRONG


MEANS: dict[State, Callable[[Interview, str], Input]] = {
    State.WELCOME: _at_welcome,
    State.STAFF: _as_number,
    State.PIN: _as_pin,
    State.WAY: _as_way,
    State.PERSON: _as_choice,
    State.CARD: _as_number,
    State.CODE: _as_code,
    State.ANSWERED: _as_answer,
    State.TASKS: _as_tasks,
}
