"""From rows to the words of a visit, and back to JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from ecm.store.db import Record
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    Assessment,
    CheckEvent,
    EventKind,
    Finding,
    FindingCode,
    Method,
    Place,
    Reduced,
    Visit,
)
from geo.fence import Fence
from geo.fix import Fix

_NONE: frozenset[str] = frozenset()
_KINDS = {kind.value: kind for kind in EventKind}
_METHODS = {method.value: method for method in Method}
_AMENDMENTS = {kind.value: kind for kind in AmendmentKind}


@dataclass(frozen=True, slots=True)
class Stored:
    """A visit as last written: its plan's row and the assessment it carries."""

    row: Record

    @property
    def key(self) -> tuple[int, int]:
        return self.row["tenant_id"], self.row["visit_id"]

    @property
    def person(self) -> tuple[int, str]:
        return self.row["tenant_id"], self.row["service_user_ref"]


def check_event(row: Record, *, care_worker: str | None, service_user: str | None) -> CheckEvent:
    """`care_worker` and `service_user` as worked out, the rest as sent."""
    lat, lon = row["lat"], row["lon"]
    return CheckEvent(
        event_id=row["event_id"],
        kind=_KINDS[row["kind"]],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        method=_METHODS[row["method"]],
        care_worker=care_worker,
        service_user=service_user,
        visit_ref=row["visit"],
        fix=None if lat is None or lon is None else Fix(lat, lon, row["accuracy_m"], row["fixed_at"]),
        cli=row["cli"],
        reason_code=row["reason_code"],
        device_id=row["device_id"],
        wall_clock=row["wall_clock"],
        proofs=frozenset(row["proofs"]) if row["proofs"] else _NONE,
        reduced=_reduced(row.get("reduced")),
    )


def _reduced(kept: dict[str, Any] | None) -> Reduced | None:
    """From `{service_user_ref, findings}`, where a position has gone."""
    if kept is None:
        return None
    return Reduced(kept["service_user_ref"], tuple(finding_of(each) for each in kept["findings"]))


def amendment(row: Record) -> Amendment:
    return Amendment(
        amendment_id=row["amendment_id"],
        kind=_AMENDMENTS[row["kind"]],
        made_at=row["made_at"],
        made_by=row["made_by"],
        reason_code=row["reason_code"],
        action_taken=row["action_taken"],
        note=row["note"],
        event_id=row["event_id"],
        care_worker=row["care_worker"],
        check_in_at=row["check_in_at"],
        check_out_at=row["check_out_at"],
    )


def visit(row: Record, places: tuple[Place, ...] = (), phones: tuple[str, ...] = ()) -> Visit:
    return Visit(
        visit_id=row["visit_id"],
        ref=row["ref"],
        service_user=row["service_user_ref"],
        provider=row["provider_ref"],
        local_date=row["local_date"],
        zone=row["zone"],
        planned_start=row["planned_start"],
        planned_end=row["planned_end"],
        commissioned_minutes=row["commissioned_minutes"],
        agreed_short=row["agreed_short"],
        carers_required=row["carers_required"],
        care_workers=tuple(row["care_worker_refs"]),
        time_critical=row["time_critical"],
        cancelled=row["cancelled"],
        cancelled_at=row["cancelled_at"],
        next_planned_start=row["next_planned_start"],
        places=places,
        phones=phones,
    )


def places(rows: Iterable[list[Any]] | None, default_radius_m: float) -> tuple[Place, ...]:
    """From [label, lat, lon, fence_m, polygon]; a place without a position has no fence."""
    return tuple(
        Place(label, _fence(lat, lon, fence_m or default_radius_m, polygon))
        for label, lat, lon, fence_m, polygon in rows or ()
    )


def _fence(lat: float | None, lon: float | None, radius_m: float, polygon: Any) -> Fence | None:
    if lat is None or lon is None:
        return None
    ring = tuple((float(a), float(b)) for a, b in polygon) if polygon else None
    return Fence(lat, lon, radius_m, ring)


@dataclass(frozen=True, slots=True)
class Written:
    """An assessment in the shapes its columns hold."""

    state: str
    state_reason: str
    actual_start: datetime | None
    actual_end: datetime | None
    attendances: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    crossings: list[dict[str, Any]]
    deadline_at: datetime | None
    deadline_kind: str | None


def written(after: Assessment) -> Written:
    return Written(
        state=after.state.value,
        state_reason=after.settled_reason,
        actual_start=after.actual_start,
        actual_end=after.actual_end,
        attendances=[
            {
                "care_worker": a.care_worker,
                "check_in_at": _time(a.check_in_at),
                "check_out_at": _time(a.check_out_at),
                "check_in_event": str(a.check_in_event) if a.check_in_event else None,
                "check_out_event": str(a.check_out_event) if a.check_out_event else None,
                "amended": a.amended,
            }
            for a in after.attendances
        ],
        findings=[finding_json(f) for f in after.findings],
        crossings=[{"kind": c.kind.value, "deadline_at": _time(c.deadline_at)} for c in after.crossings],
        deadline_at=after.deadline_at,
        deadline_kind=after.deadline_kind.value if after.deadline_kind else None,
    )


def stored(row: Record) -> Written:
    return Written(
        state=row["state"],
        state_reason=row["state_reason"],
        actual_start=row["actual_start"],
        actual_end=row["actual_end"],
        attendances=_loads(row["attendances"]),
        findings=_loads(row["findings"]),
        crossings=_loads(row["crossings"]),
        deadline_at=row["deadline_at"],
        deadline_kind=row["deadline_kind"],
    )


# By pydantic's reader and writer, which are three times as quick as the standard library's: each check-in needs both.
def dumps(value: list[dict[str, Any]]) -> str:
    return to_json(value).decode() if value else "[]"


def _loads(text: str) -> list[dict[str, Any]]:
    return from_json(text) if text != "[]" else []


def finding_of(stored: Mapping[str, Any]) -> Finding:
    """From what `finding_json` made."""
    about = stored["event_id"]
    return Finding(
        FindingCode(stored["code"]),
        stored["measure"],
        stored["limit"],
        stored["unit"],
        UUID(about) if about else None,
        stored["care_worker"],
        stored["detail"],
    )


def finding_json(f: Finding) -> dict[str, Any]:
    return {
        "code": f.code.value,
        "measure": _rounded(f.measure),
        "limit": _rounded(f.limit),
        "unit": f.unit,
        "event_id": str(f.event_id) if f.event_id else None,
        "care_worker": f.care_worker,
        "detail": f.detail,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)
