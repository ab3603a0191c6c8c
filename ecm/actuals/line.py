"""One payable visit with its working: what finance is shown, stored and exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecm.visit.model import State

OneInput = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Step:
    """One rule at work. Seconds and pence are those after it, `inputs` what it looked at; `words` say it all.

    `care_worker` is set on the steps of one worker's part of a double-up.
    """

    rule: str
    clause: str | None
    inputs: Mapping[str, OneInput]
    seconds_after: int
    pence_after: int
    words: str
    care_worker: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "clause": self.clause,
            "inputs": self.inputs,
            "seconds_after": self.seconds_after,
            "pence_after": self.pence_after,
            "words": self.words,
            "care_worker": self.care_worker,
        }


@dataclass(frozen=True, slots=True)
class ActualLine:
    """Seconds and pence are summed over the workers of a double-up, planned ones too.

    `exception` says why a person should look before this is paid; None lets it pass.
    """

    state: State
    planned_seconds: int
    actual_seconds: int
    payable_seconds: int
    amount_pence: int
    planned_pence: int
    steps: tuple[Step, ...]
    exception: str | None

    @property
    def payable_minutes(self) -> float:
        """For showing; money is worked out from the seconds."""
        return round(self.payable_seconds / 60, 2)


def pence(seconds: int, pence_per_hour: int | None) -> int:
    """What so many seconds cost, half a penny rounded up."""
    return (2 * seconds * (pence_per_hour or 0) + 3600) // 7200


def pounds_in_words(amount_pence: int) -> str:
    return f"£{amount_pence // 100:,}.{amount_pence % 100:02}"


def time_in_words(seconds: int) -> str:
    """1690 -> "28 min 10 s"."""
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"
