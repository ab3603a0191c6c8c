"""What a simulated day came to: the counts a script reads, and the table a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ecm.simulator.compare import KINDS, Difference
from ecm.simulator.day import Day
from ecm.simulator.player import Log

SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class Report:
    """`sent` and `acknowledged` count events; the rest count differences, each told in `differences`."""

    scenario: str
    seed: int
    day: str
    visits: int
    sent: int
    acknowledged: int
    tries: int
    failed_tries: int
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        counts = self.as_json()
        return counts["sent"] == counts["acknowledged"] and not any(
            counts[key] for key in ("missing", "doubled", "refused", "state_differences", "alerts_missing")
        )

    def as_json(self) -> dict[str, int | str]:
        count = Counter(each.kind for each in self.differences)
        return {
            "visits": self.visits,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "missing": count["missing"],
            "doubled": count["doubled"],
            "state_differences": count["state"],
            "alerts_missing": count["alert_missing"],
            "alerts_unexpected": count["alert_unexpected"],
            "finding_differences": count["finding"],
            "refused": count["refused"],
            "tries": self.tries,
            "failed_tries": self.failed_tries,
            "scenario": self.scenario,
            "seed": self.seed,
            "date": self.day,
        }

    def table(self) -> str:
        """The counts, then the first differences with their stories."""
        return "\n".join((*self._counts(), *self._stories()))

    def _counts(self) -> Iterator[str]:
        for name, value in self.as_json().items():
            yield f"{name.replace('_', ' '):<22}{value:>12}"

    def _stories(self) -> Iterator[str]:
        for kind, meaning in KINDS.items():
            told = [each for each in self.differences if each.kind == kind]
            if not told:
                continue
            yield f"\n{kind.replace('_', ' ')} ({len(told)}): {meaning}"
            for each in told[:SHOWN_MAX]:
                yield f"  {each.visit}: expected {each.expected}, got {each.got}\n      {each.why}"
            if len(told) > SHOWN_MAX:
                yield f"  … and {len(told) - SHOWN_MAX} more"


def report(day: Day, log: Log, differences: list[Difference]) -> Report:
    return Report(
        scenario=day.scenario,
        seed=day.borough.seed,
        day=day.borough.day.isoformat(),
        visits=len(day.truths),
        sent=day.event_count,
        acknowledged=len(log.receipts),
        tries=log.tries,
        failed_tries=log.failed_tries,
        differences=tuple(differences),
    )
