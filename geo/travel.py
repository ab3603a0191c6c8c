"""How fast somebody must have gone to be at both fixes. Every doubt is counted in their favour."""

from datetime import datetime
from math import inf
from typing import NamedTuple

from geo.assess import ASSUMED_ACCURACY_M
from geo.earth import distance_m, on_earth
from geo.fix import Fix


class Travel(NamedTuple):
    """`distance_m` is the straight line less both accuracies, never below 0; `seconds` at least 1."""

    distance_m: float
    seconds: float
    km_h: float


def travel(start: Fix, started_at: datetime, end: Fix, ended_at: datetime) -> Travel | None:
    """The least speed between two fixes at two UTC instants, in either order; None if a fix is no place."""
    if not (on_earth(start.lat, start.lon) and on_earth(end.lat, end.lon)):
        return None
    straight = distance_m(start.lat, start.lon, end.lat, end.lon)
    metres = max(0.0, straight - _slack_m(start) - _slack_m(end))
    seconds = max(1.0, abs((ended_at - started_at).total_seconds()))
    return Travel(metres, seconds, metres / seconds * 3.6)


def _slack_m(fix: Fix) -> float:
    accuracy = fix.accuracy_m
    return accuracy if accuracy is not None and 0.0 <= accuracy < inf else ASSUMED_ACCURACY_M
