"""What a borough is made of, as frozen values. Degrees are WGS84, fences metres, instants aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

ZONE = "Europe/London"


@dataclass(frozen=True, slots=True)
class Provider:
    ref: str
    name: str
    phone: str | None
    email: str


@dataclass(frozen=True, slots=True)
class Contract:
    ref: str
    provider_ref: str
    service: str
    valid_from: date
    rules: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    label: str
    lat: float
    lon: float
    fence_m: float


@dataclass(frozen=True, slots=True)
class ServiceUser:
    ref: str
    name: str
    address: str
    postcode: str
    home: Place
    other_places: tuple[Place, ...]
    phone: str | None
    carers_required: int
    risk_tier: str
    funder: str
    needs: str
    provider_ref: str
    neighbourhood: int
    has_visits: bool


@dataclass(frozen=True, slots=True)
class CareWorker:
    ref: str
    name: str
    provider_ref: str
    phone: str | None
    pin: str


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """`start` and `end` are aware UTC instants; `care_worker_refs` has as many names as `carers_required`."""

    ref: str
    service_user_ref: str
    provider_ref: str
    local_date: date
    start: datetime
    end: datetime
    service: str
    commissioned_minutes: int
    carers_required: int
    care_worker_refs: tuple[str, ...]
    time_critical: bool
    cancelled: bool


def local_instant(day: date, local_minute: int) -> datetime:
    """The UTC instant of a local time of day, minutes since midnight. Not for hours when clocks change."""
    hour, minute = divmod(local_minute, 60)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
