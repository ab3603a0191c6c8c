"""The words of every prompt, a table per language, and how values in braces are said.

    spoken("en", Say("checked_in", {"person": "Mrs A", "time": "09:02"}))
        You are at Mrs A. It is nine oh two in the morning. You are checked in.
    pieces(...)     the same, divided: sentences that never change, and words that stand for values. A door with
                    sounds made beforehand plays one sound a piece; `vocabulary` lists every piece there is
    written(...)    for a text message: times as 09:02

Values: `time` is "09:02", local; `person` is a title and an initial, or initials; anything else is digits.
"""

from __future__ import annotations

import re
import string
from types import ModuleType

from ecm.names import TITLES
from ingest.telephone.prompts import cy, en, pl, ro
from ingest.telephone.turn import LANGUAGES, Say

TABLES: dict[str, ModuleType] = {"en": en, "cy": cy, "pl": pl, "ro": ro}

BRACES = re.compile(r"\{(\w+)\}")
MARKS = ".,:; "
HOURS, MINUTES = 24, 60


def spoken(language: str, say: Say) -> str:
    """One prompt as a voice reads it, in its own language if it has one."""
    table = TABLES[say.language or language]
    values = {name: " ".join(_words(table, name, value)) for name, value in say.values.items()}
    return str(table.TEXTS[say.key]).format(**values)


def written(language: str, say: Say) -> str:
    """One prompt as a text message shows it."""
    table = TABLES[language]
    values = {
        name: " ".join(_words(table, name, value)) if name == "person" else value
        for name, value in say.values.items()
    }
    return str(table.TEXTS[say.key]).format(**values)


def pieces(language: str, say: Say) -> tuple[str, ...]:
    """One prompt, divided at its values. Each piece is one of `vocabulary`."""
    table = TABLES[say.language or language]
    found: list[str] = []
    for n, part in enumerate(BRACES.split(table.TEXTS[say.key])):
        found += _words(table, part, say.values[part]) if n % 2 else _fixed(part)
    return tuple(found)


def voice(language: str, say: Say) -> tuple[str, str]:
    """Who reads it, and in which language, as gateways name them: ("Polly.Amy", "en-GB"). The voice a gateway takes
    by itself has neither Welsh nor Romanian, and one without the language says nothing at all."""
    name, locale = TABLES[say.language or language].VOICE
    return str(name), str(locale)


def vocabulary(language: str) -> frozenset[str]:
    """Every piece that this language can ever need."""
    table = TABLES[language]
    return frozenset(
        (
            *(
                piece
                for text in table.TEXTS.values()
                for part in BRACES.split(text)[::2]
                for piece in _fixed(part)
            ),
            *(
                word
                for hour in range(HOURS)
                for minute in range(MINUTES)
                for word in table.clock(hour, minute)
            ),
            *table.DIGITS,
            *(_title(table, title) for title in TITLES),
            *string.ascii_uppercase,
        )
    )


def _fixed(text: str) -> list[str]:
    """A part that never changes, without the marks left over from the value before it. Often nothing."""
    kept = text.lstrip(MARKS).rstrip()
    return [kept] if kept else []


def _words(table: ModuleType, name: str, value: str) -> list[str]:
    if name == "time":
        hour, minute = value.split(":")
        return list(table.clock(int(hour), int(minute)))
    if name == "person":
        return [_title(table, word) for word in value.split()]
    return [table.DIGITS[int(digit)] for digit in value]


def _title(table: ModuleType, word: str) -> str:
    return str(table.TITLES.get(word.lower(), word if len(word) == 1 else word.capitalize()))


assert tuple(TABLES) == LANGUAGES
