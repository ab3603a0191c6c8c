"""A made-up borough: nine neighbourhoods somewhere in the English Midlands, with streets that exist nowhere.

The postcode area ZX is not used by the Royal Mail, so no address here is anybody's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from ecm.simulator.chance import listed

METRES_PER_DEGREE = 111_320.0
CENTRE_LAT, CENTRE_LON = 52.6370, -1.1300

NEIGHBOURHOODS = (  # name, metres east and north of the centre
    ("Oldmarket", 0, 0),
    ("Fernleigh", 1_900, 900),
    ("Saffron Vale", -300, -2_400),
    ("Highmoor", -700, 2_600),
    ("Weavers Reach", -2_300, 400),
    ("Knightsholm", 2_600, -1_500),
    ("Abbots Lea", -1_900, -1_700),
    ("Canal Side", 1_100, 2_700),
    ("Thornby End", 3_300, 1_400),
)
SPREAD_M = 550.0

STREET_FIRST = listed(
    """
    Heron Tinderbox Plumtree Candlewick Lapwing Mulberry Ropewalk Starling Bellfounder Cobnut Damson
    Eiderdown Foxglove Gingerbread Hopscotch Inkwell Jackdaw Kingcup Ladysmock Moonraker Nutmeg Otter
    Periwinkle Quince Ribbonmaker Skylark
    """
)
STREET_LAST = listed("Walk Close Lane Rise Gardens Street Mews Croft Way Terrace")


@dataclass(frozen=True, slots=True)
class Spot:
    """A front door: where it stands (WGS84 degrees), what it is called, which neighbourhood it belongs to."""

    lat: float
    lon: float
    address: str
    postcode: str
    neighbourhood: int


def front_door(rng: Random) -> Spot:
    number = rng.randrange(len(NEIGHBOURHOODS))
    name, east_m, north_m = NEIGHBOURHOODS[number]
    lat, lon = moved(
        CENTRE_LAT, CENTRE_LON, east_m + rng.gauss(0, SPREAD_M), north_m + rng.gauss(0, SPREAD_M)
    )
    street = f"{rng.choice(STREET_FIRST)} {rng.choice(STREET_LAST)}"
    letters = rng.choice("ABDEFGHJLN") + rng.choice("PQRSTUWXYZ")
    return Spot(
        round(lat, 6),
        round(lon, 6),
        f"{rng.randint(1, 180)} {street}, {name}",
        f"ZX{number + 1} {rng.randint(1, 9)}{letters}",
        number,
    )


def moved(lat: float, lon: float, east_m: float, north_m: float) -> tuple[float, float]:
    """The point so many metres east and north. Flat-earth arithmetic: good enough within a borough."""
    return (
        lat + north_m / METRES_PER_DEGREE,
        lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(lat))),
    )


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two (lat, lon) points, flat-earth as above."""
    north_m = (b[0] - a[0]) * METRES_PER_DEGREE
    east_m = (b[1] - a[1]) * METRES_PER_DEGREE * math.cos(math.radians(a[0]))
    return math.hypot(north_m, east_m)
