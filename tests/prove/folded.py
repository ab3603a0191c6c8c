"""What folding everything again found: each difference by its kind, as lines of a proof's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.prove.table import Line

KINDS = {
    "to-do": "to-do rows left over",
    "outcome": "events on another visit than all evidence gives",
    "visit": "visits stored otherwise than folded afresh",
    "transition": "transitions doubled, missing or out of line",
    "alert": "alerts missing, doubled or in another state",
}


@dataclass(frozen=True, slots=True)
class Difference:
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Folded:
    """What was read, and every way in which it is not what it must be."""

    visits: int
    events: int
    alerts: int
    differences: tuple[Difference, ...]

    def lines(self) -> list[Line]:
        count = Counter(each.kind for each in self.differences)
        return [Line(meaning, str(count[kind]), "0", count[kind] == 0) for kind, meaning in KINDS.items()]

    def told(self, most: int) -> Iterator[str]:
        yield f"folded again: {self.visits} visits, {self.events} events, {self.alerts} alerts"
        for each in self.differences[:most]:
            yield f"  {each.kind}: {each.what}"
