"""Is this fix at the home? Inside, outside or uncertain, with the metres that say so. Never a bare yes or no.

The rule is DOMAIN's, read with the device's own accuracy as a disc round the fix:

    inside      the whole disc is within the fence:   distance + accuracy <= radius
    outside     the whole disc is beyond the fence:   distance - accuracy >  radius
    uncertain   anything else

A polygon is judged the same way, measured from its edge. What we decided beside that:

* A device that gives no accuracy (or a negative or infinite one) is given the benefit of a kilometre: it is
  never inside, and outside only when farther than that beyond the fence.
* Coordinates nobody can stand at (not a number, beyond a pole) are uncertain at no distance: they never count
  as inside, and are no proof of absence either. (0, 0) is a place in the sea, and simply far away.
* A home with several places is judged by its best verdict.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import inf
from typing import NamedTuple

from geo.earth import distance_m, on_earth
from geo.fence import Fence
from geo.fix import Fix

ASSUMED_ACCURACY_M = 1_000.0


class Whereabouts(StrEnum):
    INSIDE = "inside"
    OUTSIDE = "outside"
    UNCERTAIN = "uncertain"


class Verdict(NamedTuple):
    """`distance_m` from the door, or beyond the edge of a polygon (0 within); None when nobody can tell.

    `radius_m` is how far still counts: the circle's radius, 0 for a polygon. `accuracy_m` as the device gave.
    """

    code: Whereabouts
    distance_m: float | None
    accuracy_m: float | None
    radius_m: float


def verdict(fix: Fix, fence: Fence) -> Verdict:
    """One fix against one fence. Never raises: a fence that is no area is read as its circle."""
    lat, lon, accuracy = fix.lat, fix.lon, fix.accuracy_m
    given = accuracy is not None and 0.0 <= accuracy < inf
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0 and on_earth(fence.lat, fence.lon)):
        return Verdict(Whereabouts.UNCERTAIN, None, accuracy if given else None, fence.radius_m)
    if fence.polygon is not None and (drawn := _of_polygon(fix, fence, accuracy if given else None)):
        return drawn
    radius = fence.radius_m
    distance = distance_m(lat, lon, fence.lat, fence.lon)
    if not given:
        far = distance - ASSUMED_ACCURACY_M > radius
        return Verdict(Whereabouts.OUTSIDE if far else Whereabouts.UNCERTAIN, distance, None, radius)
    assert accuracy is not None
    if distance + accuracy <= radius:
        return Verdict(Whereabouts.INSIDE, distance, accuracy, radius)
    if distance - accuracy > radius:
        return Verdict(Whereabouts.OUTSIDE, distance, accuracy, radius)
    return Verdict(Whereabouts.UNCERTAIN, distance, accuracy, radius)


def best(fix: Fix, fences: Iterable[Fence]) -> tuple[int, Verdict] | None:
    """The best verdict over several valid places, with the place's index; None when there is no fence."""
    chosen: tuple[int, Verdict] | None = None
    for index, fence in enumerate(fences):
        found = verdict(fix, fence)
        if chosen is None or _rank(found) < _rank(chosen[1]):
            chosen = index, found
    return chosen


_ORDER = {Whereabouts.INSIDE: 0, Whereabouts.UNCERTAIN: 1, Whereabouts.OUTSIDE: 2}


def _rank(found: Verdict) -> tuple[int, float]:
    return _ORDER[found.code], inf if found.distance_m is None else found.distance_m - found.radius_m


def _of_polygon(fix: Fix, fence: Fence, accuracy_m: float | None) -> Verdict | None:
    """None for a polygon that is no area."""
    from geo.polygon import distances

    found = distances(fix.lat, fix.lon, fence)
    if found is None:
        return None
    slack = ASSUMED_ACCURACY_M if accuracy_m is None else accuracy_m
    if found.beyond_m > slack:
        return Verdict(Whereabouts.OUTSIDE, found.beyond_m, accuracy_m, 0.0)
    if accuracy_m is not None and found.beyond_m == 0.0 and found.within_m >= accuracy_m:
        return Verdict(Whereabouts.INSIDE, 0.0, accuracy_m, 0.0)
    return Verdict(Whereabouts.UNCERTAIN, found.beyond_m, accuracy_m, 0.0)
