"""Names as whoever walks past may read them: enough for those who know the person, and no more."""

from __future__ import annotations

from functools import lru_cache

TITLES = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "lady", "dame", "lord", "sr", "fr"]
)

# The same few thousand people are on the board all day.
NAMES_KEPT = 10_000


@lru_cache(maxsize=NAMES_KEPT)
def short_person(name: str) -> str:
    """'Mr Derek Dobson' -> 'Mr D.'; 'Derek Dobson' -> 'D. D.'; '' -> '?'."""
    words = name.split()
    if not words:
        return "?"
    if words[0].rstrip(".").lower() in TITLES and len(words) > 1:
        return f"{words[0].rstrip('.')} {words[-1][0].upper()}."
    return " ".join(f"{word[0].upper()}." for word in {0: words[0], len(words) - 1: words[-1]}.values())


@lru_cache(maxsize=NAMES_KEPT)
def short_worker(name: str) -> str:
    """'Anna Kowalska' -> 'A. Kowalska': colleagues are known by their surname."""
    words = name.split()
    return f"{words[0][0].upper()}. {words[-1]}" if len(words) > 1 else name
