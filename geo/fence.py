"""A fence: the area that counts as the home. A circle round the front door, or a polygon."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fence:
    """Centre in WGS84 degrees, radius in metres; `polygon`, when given, is a ring of (lat, lon) and wins."""

    lat: float
    lon: float
    radius_m: float
    polygon: tuple[tuple[float, float], ...] | None = None
