"""Where a phone thinks it is. Within one stop the error is a steady bias with a slow wander, not white
noise.

The sizes follow recordings of phones standing still: medians of 1 to 13 m in the open, wanders of 1 to 23 m
indoors, now and then 60 m and more; a cold start's first fix may be 100 m off; the reported accuracy is no
bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from ecm.simulator.chance import drawn
from ecm.simulator.streets import moved


@dataclass(frozen=True, slots=True)
class Setting:
    bias_m: float  # median length of the steady part
    wander_m: float  # standard deviation of the slow part, each axis
    spread: float  # of the bias from stop to stop (sigma of a lognormal)


SETTINGS = {
    Setting(bias_m=4.0, wander_m=1.0, spread=0.7): 50,  # open, under trees
    Setting(bias_m=8.0, wander_m=4.0, spread=0.6): 35,  # indoors
    Setting(bias_m=14.0, wander_m=7.0, spread=0.5): 15,  # narrow streets
}
COLD_START_SHARE = 0.06
COLD_START_M = (25.0, 110.0)
BEYOND_ACCURACY_SHARE = 0.06  # the true error lies outside the reported circle


@dataclass(frozen=True, slots=True)
class Fix:
    lat: float
    lon: float
    accuracy_m: float


class Stop:
    """One phone at one door: its bias holds for the stop, its wander drifts from fix to fix."""

    def __init__(self, rng: Random, lat: float, lon: float) -> None:
        self._rng = rng
        self._lat, self._lon = lat, lon
        self._setting = drawn(rng, SETTINGS)
        length_m = self._setting.bias_m * math.exp(rng.gauss(0, self._setting.spread))
        heading = rng.uniform(0, 2 * math.pi)
        self._bias = length_m * math.cos(heading), length_m * math.sin(heading)
        self._wander = rng.gauss(0, self._setting.wander_m), rng.gauss(0, self._setting.wander_m)

    def fix(self) -> Fix:
        """The next fix of this stop."""
        rng, wander_m = self._rng, self._setting.wander_m
        self._wander = (
            0.7 * self._wander[0] + 0.7 * rng.gauss(0, wander_m),
            0.7 * self._wander[1] + 0.7 * rng.gauss(0, wander_m),
        )
        east_m = self._bias[0] + self._wander[0]
        north_m = self._bias[1] + self._wander[1]
        if rng.random() < COLD_START_SHARE:
            length_m, heading = rng.uniform(*COLD_START_M), rng.uniform(0, 2 * math.pi)
            east_m += length_m * math.cos(heading)
            north_m += length_m * math.sin(heading)
        lat, lon = moved(self._lat, self._lon, east_m, north_m)
        return Fix(round(lat, 7), round(lon, 7), self._accuracy_m(math.hypot(east_m, north_m)))

    def _accuracy_m(self, error_m: float) -> float:
        """What the phone says of itself: usually more than the error, sometimes less, never under 3 m."""
        outside = self._rng.random() < BEYOND_ACCURACY_SHARE
        factor = self._rng.uniform(0.3, 0.9) if outside else self._rng.uniform(1.1, 2.5)
        return round(max(3.0, factor * error_m), 1)
