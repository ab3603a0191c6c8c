"""R11: the nights the clocks change, leap days and the fifty-third week. Minutes are counted in UTC, exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ecm.visit.assess import assess
from ecm.visit.deadlines import missed
from ecm.visit.model import CheckEvent, Evidence, FindingCode, State, Visit
from ecm.visit.policy import DEFAULT, Policy
from tests.visit.story import a_visit, an_event

LONDON = ZoneInfo("Europe/London")
YEARS = range(2026, 2031)


def last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


SPRING = [last_sunday(year, 3) for year in YEARS]
AUTUMN = [last_sunday(year, 10) for year in YEARS]


def local(day: date, hh_mm: str, fold: int = 0) -> datetime:
    return datetime.combine(day, time.fromisoformat(hh_mm), LONDON).replace(fold=fold).astimezone(UTC)


def planned(day: date, start: datetime, end: datetime) -> Visit:
    return replace(a_visit(), local_date=day, planned_start=start, planned_end=end)


def stayed(start: datetime, end: datetime) -> Evidence:
    return Evidence((an_event("in", start), an_event("out", end, 2)))


def minutes_of(visit: Visit, start: datetime, end: datetime) -> float:
    seen = assess(visit, stayed(start, end), DEFAULT, end)
    assert seen.state is State.COMPLETED
    assert seen.actual_start is not None
    assert seen.actual_end is not None
    return (seen.actual_end - seen.actual_start) / timedelta(minutes=1)


@pytest.mark.parametrize("day", SPRING)
def test_a_night_in_march_is_an_hour_short(day: date) -> None:
    start, end = local(day - timedelta(days=1), "22:00"), local(day, "07:00")
    assert minutes_of(planned(day - timedelta(days=1), start, end), start, end) == 8 * 60


@pytest.mark.parametrize("day", AUTUMN)
def test_a_night_in_october_is_an_hour_long(day: date) -> None:
    start, end = local(day - timedelta(days=1), "22:00"), local(day, "07:00")
    assert minutes_of(planned(day - timedelta(days=1), start, end), start, end) == 10 * 60


@pytest.mark.parametrize("day", AUTUMN)
def test_ten_minutes_to_two_and_ten_past_one_may_be_twenty_minutes_apart(day: date) -> None:
    start, end = local(day, "01:50"), local(day, "01:10", fold=1)
    visit = replace(planned(day, start, end), agreed_short=True, commissioned_minutes=20)
    seen = assess(visit, stayed(start, end), DEFAULT, end)
    assert (seen.actual_end, seen.settled_reason) == (end, "01:50 to 01:10")
    assert minutes_of(visit, start, end) == 20
    assert FindingCode.SHORT not in {finding.code for finding in seen.findings}


@pytest.mark.parametrize("day", SPRING)
def test_five_to_one_and_five_past_two_are_ten_minutes_apart(day: date) -> None:
    start, end = local(day, "00:55"), local(day, "02:05")
    half_an_hour = planned(day, start, start + timedelta(minutes=30))
    seen = assess(half_an_hour, stayed(start, end), DEFAULT, end)
    assert [f.measure for f in seen.findings if f.code is FindingCode.SHORT] == [10, 10]


@pytest.mark.parametrize("day", [*SPRING, *AUTUMN])
def test_late_and_missed_come_after_as_many_minutes_as_on_any_night(day: date) -> None:
    start = local(day, "00:50")
    visit = planned(day, start, start + timedelta(minutes=30))
    first = assess(visit, Evidence(), DEFAULT, start)
    assert first.deadline_at == start + timedelta(minutes=15)
    assert assess(visit, Evidence(), DEFAULT, start + timedelta(minutes=15)).deadline_at == start + timedelta(
        hours=1
    )


@pytest.mark.parametrize("day", [*SPRING, *AUTUMN])
@pytest.mark.parametrize("cut_off", [time(1, 30), time(2, 0), time(23, 0)])
def test_a_day_cut_off_is_one_instant(day: date, cut_off: time) -> None:
    expected = datetime.combine(day, cut_off, LONDON).astimezone(UTC)
    start = expected - timedelta(minutes=20)
    at, why = missed(planned(day, start, start + timedelta(minutes=30)), Policy(day_cut_off=cut_off))
    assert (at, why) == (expected, "end of the day")


@pytest.mark.parametrize("day", [SPRING[0], AUTUMN[0]])
def test_a_weekly_nine_o_clock_stays_nine_o_clock(day: date) -> None:
    for weeks in (-1, 0, 1):
        nine = local(day + timedelta(weeks=weeks), "09:00")
        visit = planned(day + timedelta(weeks=weeks), nine, nine + timedelta(minutes=30))
        assert assess(visit, Evidence(), DEFAULT, nine - timedelta(hours=1)).settled_reason == "due at 09:00"


@pytest.mark.parametrize(
    "day",
    [date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2030, 12, 31)],  # 2026 has a week 53
)
def test_leap_days_and_year_ends_are_days_like_any(day: date) -> None:
    start, end = local(day, "23:45"), local(day + timedelta(days=1), "00:15")
    assert minutes_of(planned(day, start, end), start, end) == 30
    evening = local(day, "22:30")
    assert missed(planned(day, evening, evening + timedelta(minutes=30)), DEFAULT)[0] == local(day, "23:00")


def test_the_answer_does_not_depend_on_how_an_instant_is_written() -> None:
    """The store hands us UTC; a caller who hands us London instants gets the same answer on an ordinary day."""
    nine = local(date(2026, 7, 1), "09:00")
    visit = planned(date(2026, 7, 1), nine, nine + timedelta(minutes=30))
    event: CheckEvent = an_event("in", nine)
    london = replace(event, occurred_at=nine.astimezone(LONDON), received_at=nine.astimezone(LONDON))
    assert assess(visit, Evidence((event,)), DEFAULT, nine) == assess(
        visit, Evidence((london,)), DEFAULT, nine
    )
