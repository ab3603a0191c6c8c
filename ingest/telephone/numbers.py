"""Telephone numbers as gateways write them, and whose telephone one is."""

from __future__ import annotations

import phonenumbers

from ingest.row import e164
from ingest.telephone.turn import Caller

# What gateways put where a number was withheld: words, and the same words as keyed on a telephone.
WITHHELD = frozenset(
    {"", "anonymous", "restricted", "blocked", "unknown", "unavailable", "private", "withheld", "asserted"}
    | {"266696687", "7378742833", "2562533", "8656696", "86282452253", "464"}
)


def caller_number(received: str | None) -> str | None:
    """E.164, or None for a number that was withheld or is none."""
    plain = (received or "").strip().removeprefix("sip:").partition("@")[0]
    if plain.lower().lstrip("+") in WITHHELD:
        return None
    return e164(plain)


def dialled_number(received: str) -> str | None:
    return e164(received.strip().removeprefix("sip:").partition("@")[0])


def caller(cli: str | None, *, of_home: bool) -> Caller:
    """Whose telephone it is. A home's registered mobile is a home's telephone."""
    if cli is None:
        return Caller.WITHHELD
    if of_home:
        return Caller.HOME
    return Caller.MOBILE if _is_mobile(cli) else Caller.UNKNOWN


def _is_mobile(number: str) -> bool:
    """By the range it is in; the tables leave out ranges that are set aside, such as those for drama."""
    if number.startswith("+447"):
        return not number.startswith("+4470")
    return phonenumbers.number_type(phonenumbers.parse(number)) == phonenumbers.PhoneNumberType.MOBILE
