"""The spans that are paid together. Weeks, months and days are known by name; a council may name others."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

# ASCII: ٢٠٢٦-11 would be a second name of 2026-11, and a month with two names could be paid twice.
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)

# As for an imported visit: nothing is planned outside, and a run at the ends of the calendar would fail for ever.
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class Period:
    """Local dates, both included."""

    name: str
    starts_on: date
    ends_on: date

    def shares_a_day(self, other: Period) -> bool:
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on


def no_day_twice(period: Period, other: Period) -> str:
    """Why the one cannot be where the other is."""
    days, theirs = (f"{one.starts_on:%d/%m/%Y} to {one.ends_on:%d/%m/%Y}" for one in (period, other))
    return (
        f"Payment period {period.name} ({days}) shares days with {other.name} ({theirs}),"
        " and a visit is paid in one period only."
    )


def period_named(name: str) -> Period | None:
    """`2026-W47` (ISO, Monday to Sunday), `2026-11` or `2026-11-23`; None for a name that says no dates of this age."""
    period = _spelled(name)
    return period if period is not None and FIRST_YEAR <= period.starts_on.year <= LAST_YEAR else None


def _spelled(name: str) -> Period | None:
    try:
        if week := _WEEK.fullmatch(name):
            monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return Period(name, monday, monday + timedelta(days=6))
        if month := _MONTH.fullmatch(name):
            year, number = int(month[1]), int(month[2])
            return Period(name, date(year, number, 1), date(year, number, monthrange(year, number)[1]))
        if _DAY.fullmatch(name):
            day = date.fromisoformat(name)
            return Period(name, day, day)
    except (ValueError, OverflowError):  # week 54, month 13, 30 February; a week that ends in the year 10000
        return None
    return None
