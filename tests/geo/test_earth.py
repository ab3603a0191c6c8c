"""Metres on the ground, held against the exact geodesic."""

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.earth import distance_m, metres_per_degree, on_earth

GEOD = Geod(ellps="WGS84")


def exact_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    return float(GEOD.inv(lon, lat, other_lon, other_lat)[2])


@settings(max_examples=500, deadline=None)
@given(
    st.floats(-75, 75),
    st.floats(-180, 180),
    st.floats(0, 360),
    st.floats(0, 5_000),
)
def test_within_five_kilometres_it_is_right_to_five_centimetres(
    lat: float, lon: float, bearing: float, metres: float
) -> None:
    """S12's second half, from the tropics to the arctic circle and across the date line."""
    other_lon, other_lat, _ = GEOD.fwd(lon, lat, bearing, metres)
    assert distance_m(lat, lon, other_lat, other_lon) == pytest.approx(metres, abs=0.05)


@settings(max_examples=300, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_anywhere_it_is_right_to_a_hundredth(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    exact = exact_m(lat, lon, other_lat, other_lon)
    assert distance_m(lat, lon, other_lat, other_lon) == pytest.approx(exact, rel=0.01, abs=20)


@pytest.mark.parametrize("lat", [0.0, 53.8, -37.8, 70.0])
def test_a_degree_is_as_long_as_it_is(lat: float) -> None:
    north, east = metres_per_degree(lat)
    assert north * 0.001 == pytest.approx(exact_m(lat - 0.0005, 0, lat + 0.0005, 0), abs=0.001)
    assert east * 0.001 == pytest.approx(exact_m(lat, 0, lat, 0.001), abs=0.001)


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (nan, 0), (0, nan), (inf, 0)]
)
def test_some_numbers_are_no_place(lat: float, lon: float) -> None:
    assert not on_earth(lat, lon)
    assert on_earth(0.0, 0.0)
    assert on_earth(-90, 180)
