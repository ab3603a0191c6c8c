"""S12: one fix against one fence, beside the exact geodesic alone; and how far the two differ."""

from __future__ import annotations

import time
from random import Random

from pyproj import Geod

from geo.assess import verdict
from geo.fence import Fence
from geo.fix import Fix
from tests.bench.common import Bench, Comparison, Figure

PAIRS = 20_000
REACH_DEGREES = 0.02  # a couple of kilometres: where a metre decides


async def measure(bench: Bench) -> list[Figure]:
    random = Random(12)
    cases = [_case(random) for _ in range(PAIRS)]
    geod = Geod(ellps="WGS84")

    def exact() -> float:
        began = time.perf_counter()
        for fix, fence in cases:
            geod.inv(fix.lon, fix.lat, fence.lon, fence.lat)
        return (time.perf_counter() - began) / PAIRS

    def ours() -> float:
        began = time.perf_counter()
        for fix, fence in cases:
            verdict(fix, fence)
        return (time.perf_counter() - began) / PAIRS

    exact(), ours()
    rounds = [(exact(), ours()) for _ in range(max(9, bench.rounds))]
    compared = Comparison(tuple(a for a, _ in rounds), tuple(b for _, b in rounds))
    off_m = max(
        abs(_exact_m(geod, fix, fence) - (verdict(fix, fence).distance_m or 0.0)) for fix, fence in cases
    )
    return [
        Figure(
            "S12",
            "verdict of one fix against one fence: times Geod.inv alone",
            compared.ratio,
            "×",
            "less",
            goal=4,
            stretch=2,
            details=f"{1e6 * sorted(compared.candidate)[len(rounds) // 2]:.2f} µs against"
            f" {1e6 * sorted(compared.baseline)[len(rounds) // 2]:.2f}; spread {compared.spread:.0%}",
            noise=compared.noise,
        ),
        Figure(
            "S12",
            "its distance differs from the exact geodesic by at most",
            off_m,
            "m",
            "less",
            goal=0.05,
            stretch=0.05,
            details=f"{PAIRS:,} made-up homes between 49° and 60° north, fixes within some kilometres",
        ),
    ]


def _case(random: Random) -> tuple[Fix, Fence]:
    lat, lon = random.uniform(49, 60), random.uniform(-8, 2)
    near = (random.uniform(-REACH_DEGREES, REACH_DEGREES) for _ in range(2))
    return Fix(lat + next(near), lon + next(near), random.uniform(5, 50)), Fence(lat, lon, 100.0)


def _exact_m(geod: Geod, fix: Fix, fence: Fence) -> float:
    return float(geod.inv(fix.lon, fix.lat, fence.lon, fence.lat)[2])
