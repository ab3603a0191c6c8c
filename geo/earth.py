"""Metres between two points on the ground, by the ellipsoid's own radii at their middle latitude.

Within a few kilometres this agrees with the exact geodesic to a millimetre or so and costs a handful of
multiplications. Beyond half a degree the curve matters more than the flattening, so the haversine takes over
(right to 0.6 %); at that distance nobody asks for metres.
"""

from math import asin, cos, hypot, isfinite, radians, sin, sqrt

SEMI_MAJOR_AXIS_M = 6_378_137.0  # WGS84
FLATTENING = 1 / 298.257223563
ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)
MEAN_RADIUS_M = 6_371_008.8
NEARBY_DEGREES = 0.5

_HALF_DEGREE = radians(0.5)
_DEGREE = radians(1.0)
_MERIDIAN = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) * _DEGREE


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Metres between two points given in WGS84 degrees."""
    north, east = other_lat - lat, other_lon - lon
    if not (-NEARBY_DEGREES < north < NEARBY_DEGREES and -NEARBY_DEGREES < east < NEARBY_DEGREES):
        if not -180.0 <= east <= 180.0:  # neighbours on either side of the date line
            return distance_m(lat, lon + (360.0 if east > 0 else -360.0), other_lat, other_lon)
        return _far_m(lat, lon, other_lat, other_lon)
    middle = (lat + other_lat) * _HALF_DEGREE
    s = sin(middle)
    w = 1.0 - ECCENTRICITY_SQUARED * s * s
    root = sqrt(w)
    return hypot(
        north * _MERIDIAN / (w * root), east * SEMI_MAJOR_AXIS_M * _DEGREE * sqrt(1.0 - s * s) / root
    )


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long one degree north and one degree east are at a latitude: the scale of a small local map."""
    s = sin(radians(lat))
    w = 1.0 - ECCENTRICITY_SQUARED * s * s
    root = sqrt(w)
    return _MERIDIAN / (w * root), SEMI_MAJOR_AXIS_M * _DEGREE * cos(radians(lat)) / root


def on_earth(lat: float, lon: float) -> bool:
    """False for what no receiver can mean: not a number, beyond a pole, round the world twice."""
    return isfinite(lat) and isfinite(lon) and -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0


def _far_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    up, along = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    h = sin(up) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(along) ** 2
    return 2 * MEAN_RADIUS_M * asin(min(1.0, sqrt(h)))
