"""English (United Kingdom)."""

from __future__ import annotations

VOICE = ("Polly.Amy", "en-GB")

TEXTS = {
    "welcome": "Welcome to visit check-in.",
    "for_this_language": "For English, press {digits}, then hash.",
    "ask_pin": "Key in your PIN, then hash.",
    "ask_staff": "Key in your staff number, or the number of your own mobile, then hash.",
    "ask_way": "To check in, press 1. To check out, press 2.",
    "offer_person": "For {person}, press {digits}.",
    "offer_person_at": "For {person}, at {time}, press {digits}.",
    "ask_other": "For somebody else, press {digits}.",
    "ask_card": "Key in the number of the card in the home, then hash. If there is none, press hash.",
    "ask_code": "Key in the code that the card in the home shows now, then hash. If there is none, press hash.",
    "ask_answered": "This is visit check-in, ringing back. Key in the code you were told.",
    "ask_tasks": "Key in the numbers of the tasks you have done, from 1 to {digits}, then hash. Or hang up now.",
    "help_welcome": "Your PIN is the number your office gave you. Press the hash key after it.",
    "help_staff": "Your staff number is on your badge or your rota. Your own mobile number will do as well.",
    "help_pin": "Your PIN is the number your office gave you. If you are not expected here today, press 9, then hash.",
    "help_way": "Press 1 when you arrive and 2 when you leave. The time counts from when you press it.",
    "help_person": "Press the number that was said for the person you are visiting.",
    "help_card": "The number is printed on the card. Your time is already kept.",
    "help_code": "The card shows a new code every minute. Your time is already kept.",
    "help_answered": "Whoever was checking in a moment ago was told four digits. Anybody else may hang up.",
    "help_tasks": "The numbers are those of the care plan. Your time is already recorded.",
    "not_heard": "Nothing was heard.",
    "not_understood": "That was not one of the choices.",
    "nothing_recorded": "Nothing was recorded. Please ring again, or tell your office.",
    "goodbye": "Goodbye.",
    "staff_unknown": "That number is not known.",
    "pin_wrong": "That PIN is not known here. If you are not expected here today, press 9, then hash.",
    "pin_unclear": "More than one person here has that PIN.",
    "too_many_here": "There were too many wrong PINs from this telephone.",
    "too_many": "There were too many wrong PINs. Try again in a quarter of an hour, or tell your office.",
    "card_unknown": "That card is not known.",
    "caller_mobile": "You are ringing from a mobile. Your visit is recorded, and marked so.",
    "caller_unknown": "This is not a telephone of the person's home. Your visit is recorded, and marked so.",
    "caller_withheld": "Your number is withheld. Your visit is recorded, and marked so.",
    "ring_back": "We ring this telephone back now. Hang up, answer it, and key in {digits}. Once more: {digits}.",
    "checked_in": "You are at {person}. It is {time}. You are checked in.",
    "checked_in_somewhere": "It is {time}. You are checked in. Your office will see whose home it is.",
    "checked_out": "You are leaving {person}. It is {time}. You are checked out.",
    "checked_out_somewhere": "It is {time}. You are checked out. Your office will see whose home it is.",
    "not_recorded": "That could not be recorded. Please tell your office.",
    "tasks_kept": "The tasks are noted.",
    "try_again": "One moment, please.",
    "away": "The service cannot be reached just now. Please ring again in a few minutes, or tell your office.",
    "sms_in": "Checked in at {person}, {time}.",
    "sms_in_somewhere": "Checked in, {time}. The office will see whose home it is.",
    "sms_out": "Checked out at {person}, {time}.",
    "sms_out_somewhere": "Checked out, {time}. The office will see whose home it is.",
    "sms_unknown_mobile": "This mobile is not registered with us, so nothing was recorded. Please ask your office.",
    "sms_unclear": "Nothing was recorded. Text IN when you arrive and OUT when you leave.",
    "sms_several": "Several people have this mobile. Add your PIN: IN, a space, your PIN. Nothing was recorded.",
    "sms_not_recorded": "That could not be recorded. Please tell your office.",
}

TITLES: dict[str, str] = {}

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty")
_PARTS = (
    (5, "at night"),
    (12, "in the morning"),
    (18, "in the afternoon"),
    (22, "in the evening"),
    (24, "at night"),
)


def clock(hour: int, minute: int) -> tuple[str, ...]:
    """9:02: nine, oh two, in the morning."""
    past = "o'clock" if minute == 0 else f"oh {_number(minute)}" if minute < 10 else _number(minute)
    return _number((hour + 11) % 12 + 1), past, next(part for until, part in _PARTS if hour < until)


def _number(n: int) -> str:
    if n < 20:
        return (*DIGITS, *_TEENS)[n]
    return f"{_TENS[n // 10]} {DIGITS[n % 10]}" if n % 10 else _TENS[n // 10]
