"""The borough as import rows: the column names of the import, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ecm.simulator.values import (
    ZONE,
    CareWorker,
    Contract,
    Place,
    PlannedVisit,
    Provider,
    ServiceUser,
)

Row = dict[str, Any]


def _provider(provider: Provider) -> Row:
    return {"ref": provider.ref, "name": provider.name, "phone": provider.phone, "email": provider.email}


def _contract(contract: Contract) -> Row:
    return {
        "ref": contract.ref,
        "provider_ref": contract.provider_ref,
        "service": contract.service,
        "valid_from": contract.valid_from.isoformat(),
        "valid_to": None,
        "rules": contract.rules,
    }


def _service_user(person: ServiceUser) -> Row:
    return {
        "ref": person.ref,
        "name": person.name,
        "address": person.address,
        "postcode": person.postcode,
        "lat": person.home.lat,
        "lon": person.home.lon,
        "fence_m": person.home.fence_m,
        "phones": person.phone or "",
        "carers_required": person.carers_required,
        "risk_tier": person.risk_tier,
        "funder": person.funder,
        "needs": person.needs,
        "places": [_place(place) for place in person.other_places],
    }


def _place(place: Place) -> Row:
    return {"label": place.label, "lat": place.lat, "lon": place.lon, "fence_m": place.fence_m}


def _care_worker(worker: CareWorker) -> Row:
    return {
        "ref": worker.ref,
        "name": worker.name,
        "provider_ref": worker.provider_ref,
        "phone": worker.phone,
        "pin": worker.pin,
    }


def _visit(visit: PlannedVisit) -> Row:
    return {
        "ref": visit.ref,
        "service_user_ref": visit.service_user_ref,
        "provider_ref": visit.provider_ref,
        "date": visit.local_date.isoformat(),
        "start": _local_hh_mm(visit.start),
        "end": _local_hh_mm(visit.end),
        "service": visit.service,
        "commissioned_minutes": visit.commissioned_minutes,
        "carers_required": visit.carers_required,
        "care_worker_refs": ";".join(visit.care_worker_refs),
        "time_critical": visit.time_critical,
        "cancelled": visit.cancelled,
    }


def _local_hh_mm(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(ZONE)).strftime("%H:%M")


# Import kind: the borough's attribute and its writer. In order: each kind needs those before it.
WRITERS: dict[str, tuple[str, Callable[[Any], Row]]] = {
    "providers": ("providers", _provider),
    "contracts": ("contracts", _contract),
    "service-users": ("service_users", _service_user),
    "care-workers": ("care_workers", _care_worker),
    "visits": ("visits", _visit),
}
KINDS = tuple(WRITERS)
