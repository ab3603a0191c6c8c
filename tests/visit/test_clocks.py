"""When a thing happened, given that the clock which says so may lie; and what a wall time means in UTC."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from ecm.visit.clocks import FIRST_BELIEVABLE, happened_at, local_hh_mm, skew, utc_of
from ecm.visit.model import CheckEvent
from ecm.visit.policy import DEFAULT
from ecm.visit.reasons import explain
from tests.visit.story import an_event, at

HOURS = timedelta(hours=1)
NINE = at("09:00")


@pytest.mark.parametrize(
    ("event", "taken", "as_told"),
    [
        (an_event("in", NINE), NINE, None),
        (an_event("in", NINE, received_at=at("15:00")), NINE, None),  # no signal is no lie
        (an_event("in", NINE, wall_clock=NINE), NINE, None),
        (an_event("in", at("09:02"), received_at=NINE), at("09:02"), None),  # within the limit: as sent
        (an_event("in", at("09:03"), received_at=NINE), NINE, "later than its receipt: 3 min, limit 120 s"),
        (
            an_event("in", NINE + 48 * HOURS, received_at=NINE),
            NINE,
            "later than its receipt: 2 days, limit 120 s",
        ),
        # a fast clock that said so: the tap was an hour before it was sent, whatever the clock said
        (
            an_event("in", NINE + 47 * HOURS, received_at=NINE, wall_clock=NINE + 48 * HOURS),
            NINE - HOURS,
            "later than its receipt: 47 h 00 min, limit 120 s",
        ),
        (
            an_event("in", NINE - HOURS, received_at=NINE, wall_clock=NINE + HOURS),
            NINE - 2 * HOURS,
            "device clock fast: 60 min, limit 120 s",
        ),
        # a slow clock may be an old envelope: taken as sent, and flagged
        (
            an_event("in", NINE - 48 * HOURS, received_at=NINE, wall_clock=NINE - 48 * HOURS),
            NINE - 48 * HOURS,
            "device clock slow: 2 days, limit 120 s",
        ),
        (
            an_event("in", datetime(1970, 1, 1, tzinfo=UTC), received_at=NINE),
            NINE,
            "impossible year: 20514 days, limit 120 s",
        ),
        (
            an_event("in", datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), received_at=NINE),
            NINE,
            "later than its receipt: 4340 days, limit 120 s",
        ),
    ],
)
def test_a_time_not_taken_as_sent_is_always_flagged(
    event: CheckEvent, taken: datetime, as_told: str | None
) -> None:
    assert happened_at(event, DEFAULT) == taken
    finding = skew(event, DEFAULT)
    assert (explain(finding) if finding else None) == as_told


@pytest.mark.parametrize(
    ("day", "wall", "zone", "utc"),
    [
        (date(2026, 1, 15), time(23), "Europe/London", "2026-01-15 23:00"),
        (date(2026, 7, 15), time(23), "Europe/London", "2026-07-15 22:00"),
        (date(2026, 10, 25), time(1, 30), "Europe/London", "2026-10-25 00:30"),  # twice: the first
        (date(2026, 10, 25), time(23), "Europe/London", "2026-10-25 23:00"),
        (date(2026, 3, 29), time(1, 30), "Europe/London", "2026-03-29 01:30"),  # never: 02:30 BST
        (date(2026, 3, 29), time(0, 59), "Europe/London", "2026-03-29 00:59"),
        (date(2026, 3, 29), time(2, 0), "Europe/London", "2026-03-29 01:00"),
        (date(2028, 2, 29), time(23), "Europe/London", "2028-02-29 23:00"),
        (date(2026, 7, 15), time(23), "America/New_York", "2026-07-16 03:00"),
    ],
)
def test_a_wall_time_is_one_instant_even_in_the_missing_and_the_doubled_hour(
    day: date, wall: time, zone: str, utc: str
) -> None:
    assert utc_of(day, wall, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_people_read_their_own_clock() -> None:
    assert local_hh_mm(datetime(2026, 7, 15, 8, 5, tzinfo=UTC), "Europe/London") == "09:05"
    assert local_hh_mm(datetime(2026, 1, 15, 8, 5, tzinfo=UTC), "Europe/London") == "08:05"


def test_a_device_that_believes_it_is_the_end_of_time_is_still_read() -> None:
    event = an_event("in", "09:00", wall_clock=datetime.max.replace(tzinfo=UTC))
    assert happened_at(event, DEFAULT) == FIRST_BELIEVABLE
