"""What one contract says of pay, as the stages of `payable` read it. Whole minutes and whole pence.

The defaults are those of a contract that is silent: recorded time, to the second, at no rate. Nothing is paid
until a contract names a price. `None` means that the contract has no such rule, so its stage leaves no step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Basis(StrEnum):
    PLANNED = "planned"
    ACTUAL = "actual"
    LESSER = "lesser"
    CLAIMED = (
        "claimed"  # recorded times as corrected by whoever claims them; every correction asks for a look
    )


class RoundingMode(StrEnum):
    NONE = "none"
    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"  # a half goes up


class RoundingOf(StrEnum):
    TOTAL = "total"
    EACH_END = (
        "each_end"  # of the clock; `up` moves ends apart and `down` together, so `up` never costs minutes
    )


class Cap(StrEnum):
    NONE = "none"
    PLANNED = "planned"
    COMMISSIONED = "commissioned"


@dataclass(frozen=True, slots=True)
class Rounding:
    mode: RoundingMode = RoundingMode.NONE
    increment_minutes: int = 1
    of: RoundingOf = RoundingOf.TOTAL


@dataclass(frozen=True, slots=True)
class PaymentRules:
    """`clauses` names where the contract says it: rule name -> clause, e.g. {"rounding": "6.1"}."""

    basis: Basis = Basis.ACTUAL
    snap_early_minutes: int | None = None
    snap_late_minutes: int | None = None
    tolerance_minutes: int | None = None  # within it, planned time is paid
    rounding: Rounding = Rounding()
    minimum_minutes: int | None = None
    zero_below_minutes: int | None = None
    cap: Cap = Cap.NONE
    cap_extra_minutes: int = 0
    rate_pence_per_hour: int | None = None
    clauses: Mapping[str, str] = field(default_factory=dict, hash=False)


DEFAULT = PaymentRules()
