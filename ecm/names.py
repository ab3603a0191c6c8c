"""How a person is named where anybody may see or hear it: a title and an initial.

The whole name is on the visit's page.
"""

from __future__ import annotations

import string
import unicodedata
from functools import lru_cache

TITLES = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "lady", "dame", "lord", "sr", "fr"]
)

# The same few thousand people are on the board all day.
NAMES_KEPT = 10_000


@lru_cache(maxsize=NAMES_KEPT)
def short_person(name: str) -> str:
    """'Mr Derek Dobson' -> 'Mr D.'; 'Derek Dobson' -> 'D. D.'; '' -> '?'."""
    title, initials = _parts(name)
    if title:
        return f"{title} {initials[-1]}."
    return " ".join(f"{initial}." for initial in initials) or "?"


def said_person(name: str) -> str:
    """For a voice: 'Mrs A', or 'A A'; letters of the English alphabet. '' where there is nothing to say."""
    title, initials = _parts(name)
    letters = [letter for initial in initials if (letter := _plain(initial))]
    return " ".join([title, *letters[-1:]] if title else letters)


def _parts(name: str) -> tuple[str, list[str]]:
    """(title or "", initials of the first and the last name)."""
    words = name.split()
    if len(words) > 1 and words[0].rstrip(".").lower() in TITLES:
        return words[0].rstrip("."), [words[-1][0].upper()]
    return "", [words[n][0].upper() for n in sorted({0, len(words) - 1})] if words else []


def _plain(letter: str) -> str:
    """Ś is said S; what has no such letter is not said."""
    base = unicodedata.normalize("NFKD", letter.replace("Ł", "L").replace("Ø", "O"))[:1]
    return base if base in string.ascii_uppercase else ""


@lru_cache(maxsize=NAMES_KEPT)
def short_worker(name: str) -> str:
    """'Anna Kowalska' -> 'A. Kowalska': colleagues are known by their surname."""
    words = name.split()
    return f"{words[0][0].upper()}. {words[-1]}" if len(words) > 1 else name
