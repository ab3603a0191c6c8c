"""R12: a device whose clock is wrong, by any amount, never makes minutes that nobody can see are doubtful."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecm.visit.assess import assess
from ecm.visit.matching import allocate
from ecm.visit.model import CheckEvent, Evidence, FindingCode, State
from ecm.visit.policy import DEFAULT
from tests.visit.story import a_visit, an_event, at

CAME, LEFT = at("09:00"), at("09:31")
NAIVE_YEARS = {  # Hypothesis draws naive datetimes; each is given its zone where it is used
    year: datetime(year, 1, 1)  # noqa: DTZ001
    for year in (1969, 1970, 2010, 2038, 2110)
}
LIMIT = timedelta(seconds=DEFAULT.clock_skew_seconds)


def by_a_wrong_clock(
    kind: str, true: datetime, error: timedelta, number: int, says: bool = True
) -> CheckEvent:
    """A tap at a true instant, as a device whose clock is wrong by `error` tells it; sent at once."""
    return an_event(kind, true + error, number, received_at=true, wall_clock=true + error if says else None)


def flagged(*events: CheckEvent) -> set[FindingCode]:
    return {finding.code for finding in assess(a_visit(), Evidence(events), DEFAULT, at("22:00")).findings}


@settings(max_examples=300, deadline=None)
@given(st.timedeltas(timedelta(hours=-48), timedelta(hours=48)))
def test_a_wrong_clock_is_flagged_whichever_way_it_is_wrong(error: timedelta) -> None:
    events = by_a_wrong_clock("in", CAME, error, 1), by_a_wrong_clock("out", LEFT, error, 2)
    assert (FindingCode.CLOCK_SKEW in flagged(*events)) is (abs(error) > LIMIT)


@settings(max_examples=300, deadline=None)
@given(st.timedeltas(timedelta(hours=-48), timedelta(hours=48)), st.booleans())
def test_a_clock_that_jumps_during_a_visit_is_flagged(jump: timedelta, says: bool) -> None:
    """Without its wall clock a slow device looks like one that had no signal: then it is late that is found."""
    events = an_event("in", CAME), by_a_wrong_clock("out", LEFT, jump, 2, says)
    found = flagged(*events)
    if jump > LIMIT or (says and -jump > LIMIT):
        assert FindingCode.CLOCK_SKEW in found
    elif -jump > timedelta(minutes=DEFAULT.late_sync_after_minutes):
        assert FindingCode.LATE_SYNC in found


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.datetimes(NAIVE_YEARS[1970], NAIVE_YEARS[2010] - timedelta(seconds=1)),
        st.datetimes(NAIVE_YEARS[2038], NAIVE_YEARS[2110]),
    ),
    st.booleans(),
)
def test_impossible_years_are_flagged_and_count_as_the_moment_of_receipt(told: datetime, says: bool) -> None:
    wrong = told.replace(tzinfo=UTC)
    came = an_event("in", wrong, 1, received_at=CAME, wall_clock=wrong if says else None)
    left = an_event("out", wrong, 2, received_at=LEFT, wall_clock=wrong if says else None)
    allocation = allocate([a_visit()], [left, came], {}, lambda _: DEFAULT)
    seen = assess(a_visit(), Evidence(allocation.by_visit[1]), DEFAULT, at("22:00"))
    assert (seen.state, seen.actual_start, seen.actual_end) == (State.COMPLETED, CAME, LEFT)
    assert [f.code for f in seen.findings].count(FindingCode.CLOCK_SKEW) == 2


@pytest.mark.parametrize("hours", [1, 12, 24, 48])
def test_the_future_is_not_the_past(hours: int) -> None:
    """A check-out from tomorrow is a check-out now: nobody is paid for hours that have not been."""
    left = by_a_wrong_clock("out", LEFT, timedelta(hours=hours), 2, says=False)
    seen = assess(a_visit(), Evidence((an_event("in", CAME), left)), DEFAULT, LEFT)
    assert seen.actual_end == LEFT
    assert seen.deadline_at is None
    assert FindingCode.OVERRAN not in {finding.code for finding in seen.findings}


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(NAIVE_YEARS[1969], NAIVE_YEARS[2110]),
    st.timedeltas(timedelta(days=-3), timedelta(days=3)),
    st.one_of(st.none(), st.datetimes(NAIVE_YEARS[1969], NAIVE_YEARS[2110])),
)
def test_a_time_is_as_sent_or_it_is_flagged_and_never_in_the_future(
    occurred: datetime, drift: timedelta, wall: datetime | None
) -> None:
    event = an_event(
        "in",
        occurred.replace(tzinfo=UTC),
        received_at=CAME + drift,
        wall_clock=wall.replace(tzinfo=UTC) if wall else None,
    )
    seen = assess(a_visit(), Evidence((event,)), DEFAULT, CAME + timedelta(days=4))
    if not seen.attendances:  # of a day before the visit's
        assert FindingCode.STARTED_EARLY in {finding.code for finding in seen.findings}
        return
    (attendance,) = seen.attendances
    assert attendance.check_in_at is not None
    assert attendance.check_in_at <= event.received_at + LIMIT
    if attendance.check_in_at != event.occurred_at:
        assert FindingCode.CLOCK_SKEW in {finding.code for finding in seen.findings}
