"""How fast somebody must have gone, with every doubt in their favour."""

from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from geo.earth import metres_per_degree
from geo.fix import Fix
from geo.travel import travel

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NORTH_M = metres_per_degree(53.8)[0]


def north(metres: float, accuracy_m: float | None = 0.0) -> Fix:
    return Fix(53.8 + metres / NORTH_M, -1.5, accuracy_m)


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "minutes", "km_h"),
    [
        (2_000, 0.0, 1, 120),
        (2_000, 0.0, 2, 60),
        (2_100, 50.0, 1, 120),  # both accuracies come off
        (80, 50.0, 1, 0),  # may well be the same place
        (3_000, None, 1, 60),  # no accuracy: a kilometre each
    ],
)
def test_speed_is_the_least_it_can_have_been(
    metres: float, accuracy_m: float | None, minutes: float, km_h: float
) -> None:
    there = travel(north(0, accuracy_m), NINE, north(metres, accuracy_m), NINE + timedelta(minutes=minutes))
    assert there is not None
    assert there.km_h == pytest.approx(km_h, rel=0.01)
    back = travel(north(metres, accuracy_m), NINE + timedelta(minutes=minutes), north(0, accuracy_m), NINE)
    assert back == there


def test_two_places_at_one_instant_take_a_second() -> None:
    found = travel(north(0), NINE, north(1_000), NINE)
    assert found is not None
    assert (found.seconds, found.km_h) == (1.0, pytest.approx(3_600, rel=0.01))


def test_nobody_travels_to_no_place() -> None:
    assert travel(north(0), NINE, Fix(nan, 0.0, 5.0), NINE) is None
    assert travel(Fix(95.0, 0.0, 5.0), NINE, north(0), NINE) is None
