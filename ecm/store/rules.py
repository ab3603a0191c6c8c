"""The rules of one contract as JSON, understood or refused at the edge.

Every key may be left out: a silent contract gets the defaults of `ecm.visit.policy` and `ecm.actuals.rules`.
A key nobody knows is refused, because a misspelt tolerance would otherwise silently mean the default.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ecm.actuals.rules import Basis, Cap, PaymentRules, Rounding, RoundingMode, RoundingOf
from ecm.visit.policy import Policy

Minutes = Annotated[int, Field(strict=True, ge=0, le=1440)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=86_400)]


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self) -> dict[str, Any]:
        """The values that were sent; those left out, or sent as null, keep the default."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


class Tolerances(_Rules):
    """`ecm.visit.policy.Policy`, key for key."""

    late_after_minutes: Minutes | None = None
    time_critical_late_after_minutes: Minutes | None = None
    missed_after_minutes: Minutes | None = None
    missed_at_next_visit: bool | None = None
    day_cut_off: time | None = None
    overrunning_after_minutes: Minutes | None = None
    no_check_out_after_minutes: Minutes | None = None
    early_after_minutes: Minutes | None = None
    short_under_minutes: Minutes | None = None
    short_share_percent: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    match_before_minutes: Minutes | None = None
    match_after_minutes: Minutes | None = None
    fence_m: Annotated[float, Field(gt=0, le=5000)] | None = None
    fix_old_after_minutes: Minutes | None = None
    clock_skew_seconds: Seconds | None = None
    late_sync_after_minutes: Minutes | None = None
    late_sync_grace_minutes: Minutes | None = None
    travel_max_km_h: Annotated[float, Field(gt=0, le=1000)] | None = None
    duplicate_tap_seconds: Seconds | None = None
    frustrated_reasons: frozenset[Annotated[str, Field(min_length=1, max_length=64)]] | None = None

    @field_validator("day_cut_off", mode="before")
    @classmethod
    def _as_hours_and_minutes(cls, value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or len(value) != 5:
            raise ValueError('write the local time as "HH:MM"')
        return time.fromisoformat(value)


class RoundingRule(_Rules):
    mode: RoundingMode | None = None
    increment_minutes: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    of: RoundingOf | None = None


class Payment(_Rules):
    """`ecm.actuals.rules.PaymentRules`, key for key."""

    basis: Basis | None = None
    snap_early_minutes: Minutes | None = None
    snap_late_minutes: Minutes | None = None
    tolerance_minutes: Minutes | None = None
    rounding: RoundingRule | None = None
    minimum_minutes: Minutes | None = None
    zero_below_minutes: Minutes | None = None
    cap: Cap | None = None
    cap_extra_minutes: Minutes | None = None
    rate_pence_per_hour: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    clauses: dict[str, Annotated[str, Field(max_length=100)]] | None = None


class ContractRules(_Rules):
    """One contract row's `rules`. Raises pydantic's ValidationError for what no contract can mean."""

    tolerances: Tolerances = Tolerances()
    payment: Payment = Payment()

    def policy(self, contract: str) -> Policy:
        """The tolerances of the contract called `contract`."""
        return Policy(contract=contract, **self.tolerances.given())

    def payment_rules(self) -> PaymentRules:
        given = self.payment.given()
        if isinstance(rounding := given.get("rounding"), RoundingRule):
            given["rounding"] = Rounding(**rounding.given())
        return PaymentRules(**given)
