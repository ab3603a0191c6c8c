"""Where a postcode is, for homes that come without a position. Optional: it needs a file of open data.

The file is a CSV with a header, such as the ONS Postcode Directory, or Code-Point Open with its coordinates
converted: a postcode (`pcds`, `pcd` or `postcode`), `lat` and `long` (or `lon`). It is read through once for each
import that needs it, so its two million rows never stand in memory.
"""

from __future__ import annotations

import csv
from collections.abc import Set
from pathlib import Path

ATTRIBUTION = (
    "Homes without a position were placed by postcode. Contains OS data © Crown copyright and database right."
    " Contains Royal Mail data © Royal Mail copyright and database right. Source: Office for National Statistics"
    " licensed under the Open Government Licence v.3.0."
)
"""The licence asks for these words wherever the positions are shown."""

_COLUMNS = (("pcds", "postcode", "pcd"), ("lat", "latitude"), ("long", "lon", "longitude"))


def middles(file: Path, wanted: Set[str]) -> list[tuple[str, float, float]]:
    """The wanted postcodes that the file has, as (postcode, lat, lon). Raises OSError, ValueError, csv.Error."""
    compact = {postcode.replace(" ", ""): postcode for postcode in wanted}
    found = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        names = [name.strip().lower() for name in next(rows, [])]
        places = [next((names.index(n) for n in choices if n in names), -1) for choices in _COLUMNS]
        if -1 in places:
            raise ValueError(f"{file.name} needs a postcode, lat and long among its columns")
        code, lat, lon = places
        for row in rows:
            if len(row) > max(places) and (postcode := compact.pop(row[code].replace(" ", "").upper(), None)):
                position = (float(row[lat]), float(row[lon]))
                if abs(position[0]) <= 90:  # 99.999999 stands for a postcode that is nowhere
                    found.append((postcode, *position))
    return found
