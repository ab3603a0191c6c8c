"""What one cell may hold, and what is said of a cell that may not.

Each function takes a cell (text from CSV, any JSON value from JSON, never blank) and gives the value, or raises
ValueError with a reason that says what to do. What is accepted but worth a second look goes into the notes.

The rules a coordinator could argue about:

    dates      2026-11-23 or 23/11/2026, day first; two-digit years and other orders are refused, not guessed
    times      09:00 or 9:00; an end of 24:00 is midnight
    Excel      day numbers (46349), day fractions (0.375), 1.23E+11 and #N/A are refused by name
    phones     read as numbers of REGION and kept as +447700900123. One that lost its leading zero or plus, as
               Excel makes them, can still mean one number only: it is taken, with a note
    PINs       4 to 10 digits, as text: 42 may be 0042 or 00042, so it is refused
    references text, up to 64 characters that can be seen
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, cast

import phonenumbers
from pydantic import BeforeValidator, ValidationInfo

REGION = "GB"

REF_CHARACTERS = 64
KEY_SAFE_CHARACTERS = 200

_EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!"})
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d+", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}(?:\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,20})?", re.ASCII)
_BRITISH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2013\u00a0]+")
_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})", re.ASCII)
_YES = frozenset({"yes", "y", "true", "t", "1"})
_NO = frozenset({"no", "n", "false", "f", "0"})
_EXCEL_EPOCH = date(1899, 12, 30)

Notes = list[str]


def field(parse: Callable[[Any], Any]) -> BeforeValidator:
    """A pydantic validator that leaves None alone: blank cells mean the default."""
    return BeforeValidator(lambda value: None if value is None else parse(value))


def noting_field(parse: Callable[[Any, Notes], Any]) -> BeforeValidator:
    """The same for a parser that may add to the row's notes."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        return None if value is None else parse(value, cast(Notes, info.context))

    return BeforeValidator(validate)


def text(cell: Any, limit: int, *, joiner: str = " ") -> str:
    """One line of text; line breaks within a cell become `joiner`."""
    if not isinstance(cell, str):
        raise ValueError("is not text")
    value: str = cell
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if "\n" in value or "\r" in value or "\t" in value:
        value = joiner.join(part.strip(" ,") for part in re.split(r"[\r\n\t]+", value) if part.strip(" ,"))
    if not value.isprintable():
        value = value.replace("\u00a0", " ")
        _refuse_unprintable(value)
    if value in _EXCEL_ERRORS or (len(value) > 2 and value.strip("#") == ""):
        raise ValueError(f"{value} is an error of the spreadsheet, not a value")
    if len(value) > limit:
        raise ValueError(f"is longer than {limit} characters")
    return value


def ref(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(
            f"{value} is a number; write it as text in quotes, because numbers lose leading zeros"
        )
    found = text(value, REF_CHARACTERS)
    if found[0].isdigit() and _SCIENTIFIC.fullmatch(found):
        raise ValueError(f"{found} is a long number shortened by a spreadsheet; format the column as text")
    return found


def worker_ref(value: Any) -> str:
    found = ref(value)
    if ";" in found:
        raise ValueError(f"{found} has a semicolon, which stands between references")
    return found


def refs(value: Any) -> list[str]:
    """`CW1;CW2`, or a JSON list; each once, in the given order."""
    parts = value if isinstance(value, list) else text(value, 10_000).split(";")
    found = [worker_ref(part.strip() if isinstance(part, str) else part) for part in parts if part != ""]
    if "" in found:
        raise ValueError("has an empty reference between its semicolons")
    if len(found) > 8:
        raise ValueError("names more than 8 care workers")
    return list(dict.fromkeys(found))


def whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(float(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{_shown(value)} is not a whole number")
    if not low <= value <= high:
        raise ValueError(f"{_shown(value)} is not between {low} and {high}")
    return value


def decimal(value: Any, low: float, high: float) -> float:
    if isinstance(value, str):
        if "," in value:
            raise ValueError(f"{_shown(value)} has a comma; write a point")
        if not _DECIMAL.fullmatch(value):
            raise ValueError(f"{_shown(value)} is not a number")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{_shown(value)} is not a number")
    if not low <= value <= high:
        raise ValueError(f"{_shown(value)} is not between {low:g} and {high:g}")
    return float(value)


def yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError(f"{_shown(value)} is neither yes nor no")


def choice(value: Any, choices: tuple[str, ...]) -> str:
    for known in choices:
        if isinstance(value, str) and value.lower() == known.lower():
            return known
    raise ValueError(f"{_shown(value)} is none of {', '.join(choices)}")


def local_date(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError(_not_a_date(value))
    return _local_date(value)


@lru_cache(4096)
def _local_date(value: str) -> date:
    if iso := _ISO_DATE.fullmatch(value):
        found = (int(iso[1]), int(iso[2]), int(iso[3]))
    elif british := _BRITISH_DATE.fullmatch(value):
        found = (int(british[3]), int(british[2]), int(british[1]))
    else:
        raise ValueError(_not_a_date(value))
    try:
        on = date(*found)
    except ValueError:
        raise ValueError(f"{value} is no day of the calendar; write YYYY-MM-DD, or DD/MM/YYYY") from None
    if not 2000 <= on.year <= 2100:
        raise ValueError(f"{value} is not between the years 2000 and 2100")
    return on


def clock_time(value: Any) -> time:
    if not isinstance(value, str):
        raise ValueError(_not_a_time(value))
    return _clock_time(value)


@lru_cache(4096)
def _clock_time(value: str) -> time:
    found = _CLOCK.fullmatch(value)
    if found is None:
        raise ValueError(_not_a_time(value))
    try:
        return time(int(found[1]), int(found[2]))
    except ValueError:
        raise ValueError(f"{value} is no time of day; write HH:MM") from None


def end_time(value: Any) -> time | datetime:
    """A time of day, 24:00, or `YYYY-MM-DD HH:MM` where the day must be said."""
    if isinstance(value, str):
        if value in ("24:00", "24:00:00"):
            return time(0, 0)
        day, separator, clock = value.partition("T" if "T" in value else " ")
        if separator:
            return datetime.combine(local_date(day), clock_time(clock.strip()))
    return clock_time(value)


def phone(value: Any, notes: Notes) -> str:
    """E.164. Raises ValueError for what cannot be a telephone number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(
            f"{value} is a number; write it as text in quotes, because numbers lose leading zeros"
        )
    typed = text(value, 40)
    if _SCIENTIFIC.fullmatch(typed):
        raise ValueError(f"{typed} is a long number shortened by a spreadsheet; format the column as text")
    found = _e164(typed)
    if found is None:
        raise ValueError(f"{_shown(typed)} is not a telephone number")
    if not typed.lstrip("(").startswith(("+", "0")):
        notes.append(f"{typed} has no leading zero; taken as {found}")
    return found


def phones(value: Any, notes: Notes) -> list[str]:
    parts = value if isinstance(value, list) else text(value, 10_000).split(";")
    stripped = [part.strip() if isinstance(part, str) else part for part in parts]
    return list(dict.fromkeys(phone(part, notes) for part in stripped if part != ""))


def pin(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is a number; write it as text in quotes, because numbers lose leading zeros")
    if not (value.isascii() and value.isdigit()):
        raise ValueError("is not made of digits only")
    if not 4 <= len(value) <= 10:
        lost = "; leading zeros may be lost, so format the column as text" if len(value) < 4 else ""
        raise ValueError(f"has {len(value)} digits; a PIN has 4 to 10{lost}")
    return value


def postcode(value: Any) -> str:
    """`ls62ab` is LS6 2AB; a postcode of another country stays as written."""
    typed = text(value, 12).upper()
    british = _POSTCODE.fullmatch(typed)
    return f"{british[1]} {british[2]}" if british else typed


def district(postcode: str | None) -> str | None:
    """LS6 of LS6 2AB: what a board may show of an address. None for what is no British postcode."""
    british = _POSTCODE.fullmatch(postcode or "")
    return british[1] if british else None


@lru_cache(16_384)
def _e164(typed: str) -> str | None:
    if not _PHONE.fullmatch(typed):
        return None
    try:
        number = phonenumbers.parse(typed, REGION)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def key_safe(cell: Any) -> str:
    """How to get in. No reason repeats it: a report of an import is read by many."""
    if not isinstance(cell, str) or len(cell) > KEY_SAFE_CHARACTERS or not cell.isprintable():
        raise ValueError(f"is not one line of text of at most {KEY_SAFE_CHARACTERS} characters")
    return cell


def _refuse_unprintable(value: str) -> None:
    for character in value:
        if character == "\ufffd":
            raise ValueError("has a replacement character: letters were lost before this file was made")
        if not character.isprintable():
            raise ValueError(f"has a character that cannot be seen (U+{ord(character):04X})")


def _not_a_date(value: Any) -> str:
    number = str(value).partition(".")[0]
    if re.fullmatch(r"[2-7]\d{4}", number):
        meant = _EXCEL_EPOCH + timedelta(days=int(number))
        return f"{_shown(value)} is Excel's number for {meant}; format the column as text, YYYY-MM-DD"
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2}", str(value)):
        return f"{value} has a two-digit year; write YYYY-MM-DD, or DD/MM/YYYY"
    return f"{_shown(value)} is not a date; write YYYY-MM-DD, or DD/MM/YYYY"


def _not_a_time(value: Any) -> str:
    if re.fullmatch(r"0?\.\d+", str(value)):
        meant = datetime.combine(_EXCEL_EPOCH, time()) + timedelta(minutes=round(float(value) * 1440))
        return f"{_shown(value)} is Excel's number for {meant:%H:%M}; format the column as text, HH:MM"
    return f"{_shown(value)} is not a time of day; write HH:MM"


def _shown(value: Any) -> str:
    """A value fit for a reason: short, on one line, printable."""
    shown = value if isinstance(value, str) else repr(value)
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown[:41])
    return f"{shown[:40]}…" if len(shown) > 40 else shown
