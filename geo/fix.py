"""A fix: where a device thinks it is, and how wrong it may be."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fix:
    """WGS84 degrees; `accuracy_m` is the device's own 68 % radius in metres, None when it gave none."""

    lat: float
    lon: float
    accuracy_m: float | None = None
    fixed_at: datetime | None = None
