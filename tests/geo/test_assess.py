"""Inside, outside or uncertain, at each edge of the rule."""

from __future__ import annotations

import timeit
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.assess import ASSUMED_ACCURACY_M, Verdict, Whereabouts, best, verdict
from geo.earth import metres_per_degree
from geo.fence import Fence
from geo.fix import Fix

DOOR = (53.7997, -1.5492)
NORTH_M, EAST_M = metres_per_degree(DOOR[0])
CIRCLE = Fence(*DOOR, 100.0)
INSIDE, OUTSIDE, UNCERTAIN = Whereabouts.INSIDE, Whereabouts.OUTSIDE, Whereabouts.UNCERTAIN


def spot(east_m: float, north_m: float) -> tuple[float, float]:
    return DOOR[0] + north_m / NORTH_M, DOOR[1] + east_m / EAST_M


def fix(east_m: float, north_m: float, accuracy_m: float | None) -> Fix:
    return Fix(*spot(east_m, north_m), accuracy_m)


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "code"),
    [
        (0, 0, INSIDE),
        (89.9, 10, INSIDE),
        (90.1, 10, UNCERTAIN),
        (109.9, 10, UNCERTAIN),
        (110.1, 10, OUTSIDE),
        (99.9, 0, INSIDE),
        (100.1, 0, OUTSIDE),
        (0, 100, INSIDE),
        (0, 101, UNCERTAIN),
        (5_000, 4_901, UNCERTAIN),
        (5_000, 4_899, OUTSIDE),
    ],
)
def test_the_whole_disc_must_be_within_or_beyond(metres: float, accuracy_m: float, code: Whereabouts) -> None:
    found = verdict(fix(0, metres, accuracy_m), CIRCLE)
    assert found.code is code
    assert found.distance_m == pytest.approx(metres, abs=0.05)
    assert (found.accuracy_m, found.radius_m) == (accuracy_m, 100.0)


@pytest.mark.parametrize("accuracy_m", [None, -1.0, inf, nan])
def test_no_accuracy_is_never_inside_and_outside_only_beyond_a_kilometre(accuracy_m: float | None) -> None:
    assert verdict(fix(0, 0, accuracy_m), CIRCLE)[2:] == (None, 100.0)
    assert verdict(fix(0, 0, accuracy_m), CIRCLE).code is UNCERTAIN
    assert verdict(fix(0, ASSUMED_ACCURACY_M + 99, accuracy_m), CIRCLE).code is UNCERTAIN
    assert verdict(fix(0, ASSUMED_ACCURACY_M + 101, accuracy_m), CIRCLE).code is OUTSIDE


@pytest.mark.parametrize(
    "garbage", [Fix(nan, 0, 5), Fix(0, nan, 5), Fix(90.5, 0, 5), Fix(0, 200, 5), Fix(inf, 0, 5)]
)
def test_garbage_is_never_inside_and_proves_nothing(garbage: Fix) -> None:
    assert verdict(garbage, CIRCLE) == Verdict(UNCERTAIN, None, 5, 100.0)
    assert verdict(garbage, SQUARE).code is UNCERTAIN
    assert verdict(fix(0, 0, 5), Fence(nan, nan, 100.0)).code is UNCERTAIN


def test_null_island_is_far_away_and_nothing_else() -> None:
    assert verdict(Fix(0.0, 0.0, 5.0), CIRCLE).code is OUTSIDE
    assert verdict(Fix(0.0, 0.0, 5.0), Fence(0.0, 0.0, 100.0)).code is INSIDE


def polygon(*corners: tuple[float, float]) -> Fence:
    return Fence(*DOOR, 50.0, tuple(spot(*corner) for corner in corners))


SQUARE = polygon((0, 0), (200, 0), (200, 200), (0, 200))
L_SHAPE = polygon((0, 0), (200, 0), (200, 50), (50, 50), (50, 200), (0, 200))


@pytest.mark.parametrize(
    ("fence", "where", "accuracy_m", "code", "beyond_m"),
    [
        (SQUARE, (100, 100), 99, INSIDE, 0),
        (SQUARE, (100, 100), 101, UNCERTAIN, 0),
        (SQUARE, (-20, 100), 19, OUTSIDE, 20),
        (SQUARE, (-20, 100), 21, UNCERTAIN, 20),
        (SQUARE, (230, 240), 49, OUTSIDE, 50),
        (SQUARE, (100, 100), None, UNCERTAIN, 0),
        (SQUARE, (1_190, 100), None, UNCERTAIN, 990),
        (SQUARE, (1_210, 100), None, OUTSIDE, 1_010),
        (L_SHAPE, (100, 100), 40, OUTSIDE, 50),  # in the bend of the L, not in the L
        (L_SHAPE, (25, 100), 20, INSIDE, 0),
    ],
)
def test_a_polygon_is_judged_from_its_edge(
    fence: Fence, where: tuple[float, float], accuracy_m: float | None, code: Whereabouts, beyond_m: float
) -> None:
    found = verdict(fix(*where, accuracy_m), fence)
    assert found.code is code
    assert found.distance_m == pytest.approx(beyond_m, abs=0.1)
    assert found.radius_m == 0


@pytest.mark.parametrize(
    "corners", [[], [(0, 0)], [(0, 0), (10, 0)], [(0, 0), (10, 0), (20, 0)], [(nan, 0)] * 4]
)
def test_a_polygon_that_is_no_area_is_read_as_its_circle(corners: list[tuple[float, float]]) -> None:
    assert verdict(fix(0, 30, 10), polygon(*corners)) == verdict(fix(0, 30, 10), Fence(*DOOR, 50.0))


def test_a_polygon_drawn_across_itself_still_holds_its_areas() -> None:
    bow_tie = polygon((0, 0), (200, 200), (200, 0), (0, 200))
    assert verdict(fix(30, 100, 10), bow_tie).code is INSIDE
    assert verdict(fix(100, 30, 10), bow_tie).code is OUTSIDE


def test_the_best_of_several_places_counts() -> None:
    far = Fence(*spot(5_000, 0), 100.0)
    near = Fence(*spot(0, 105), 100.0)
    assert best(fix(0, 0, 10), []) is None
    assert best(fix(0, 0, 10), [far, near, CIRCLE]) == (2, verdict(fix(0, 0, 10), CIRCLE))
    chosen = best(fix(0, 0, 10), [far, near])
    assert chosen is not None
    assert (chosen[0], chosen[1].code) == (1, UNCERTAIN)
    nearest = best(fix(2_000, 0, 10), [far, CIRCLE])
    assert nearest is not None
    assert (nearest[0], nearest[1].code) == (1, OUTSIDE)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 3_000), st.floats(0, 500), st.floats(0, 500), st.floats(10, 1_000))
def test_a_worse_accuracy_never_makes_a_verdict_surer(
    metres: float, accuracy_m: float, worse_m: float, radius_m: float
) -> None:
    fence = Fence(*DOOR, radius_m)
    sure, unsure = (verdict(fix(0, metres, a), fence).code for a in (accuracy_m, accuracy_m + worse_m))
    assert unsure in (sure, UNCERTAIN)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(0, 3_000), min_size=2, max_size=8), st.floats(0, 500))
def test_farther_is_never_better(metres: list[float], accuracy_m: float) -> None:
    rank = [INSIDE, UNCERTAIN, OUTSIDE]
    codes = [rank.index(verdict(fix(0, m, accuracy_m), CIRCLE).code) for m in sorted(metres)]
    assert all(one <= other for one, other in pairwise(codes))


def test_a_verdict_costs_no_more_than_four_bare_geodesics() -> None:
    """S12. Interleaved, median of seven; the goal is loose so that a busy machine does not cry wolf."""
    here, geod = fix(40, 40, 12), Geod(ellps="WGS84")
    rounds = [
        (
            timeit.timeit(lambda: verdict(here, CIRCLE), number=5_000),
            timeit.timeit(lambda: geod.inv(*DOOR[::-1], here.lon, here.lat), number=5_000),
        )
        for _ in range(7)
    ]
    ratio = sorted(mine / bare for mine, bare in rounds)[3]
    assert ratio <= 4, f"{ratio:.1f} times a bare geodesic"
