"""A home drawn as a polygon, on a small flat map in metres whose origin is the polygon's first corner.

Few homes are drawn. Whoever needs this imports it when one is: its library takes 20 MB of every process.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from shapely import Point, Polygon, make_valid, prepare
from shapely.geometry.base import BaseGeometry

from geo.earth import metres_per_degree, on_earth
from geo.fence import Fence


class Distances(NamedTuple):
    """`beyond_m` the edge, 0 within; `within_m` from the edge, meant only there."""

    beyond_m: float
    within_m: float


def distances(lat: float, lon: float, fence: Fence) -> Distances | None:
    """Of a place on earth; None for a polygon that is no area."""
    area = _area(fence)
    if area is None:
        return None
    point = Point((lon - area.lon) * area.east_m, (lat - area.lat) * area.north_m)
    return Distances(area.shape.distance(point), area.shape.boundary.distance(point))


def is_ring(corners: Sequence[tuple[float, float]]) -> bool:
    """Whether it encloses ground and never crosses itself."""
    return len(set(corners)) >= 3 and bool(Polygon(corners).is_valid)


class _Area(NamedTuple):
    shape: BaseGeometry
    lat: float
    lon: float
    north_m: float
    east_m: float


@lru_cache(maxsize=4096)
def _area(fence: Fence) -> _Area | None:
    assert fence.polygon is not None
    ring = fence.polygon
    if len(ring) < 3 or not all(on_earth(lat, lon) for lat, lon in ring):
        return None
    lat, lon = ring[0]
    north_m, east_m = metres_per_degree(lat)
    shape = make_valid(Polygon([((x - lon) * east_m, (y - lat) * north_m) for y, x in ring]))
    if not shape.area:
        return None
    prepare(shape)
    return _Area(shape, lat, lon, north_m, east_m)
