"""The five kinds of file: their columns, and from a row's cells to the record that is merged.

One model per kind. Its fields are the columns, in their order; a field without a default is required. A blank
cell is None. `given` names the optional columns a row has, because a column that is absent leaves what is
stored as it is, while a blank cell clears it: a file of care workers without PINs must not take their PINs away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from ecm.importing import fields
from ecm.importing.fields import field, noting_field
from ecm.importing.times import span
from ecm.store.rules import ContractRules

Record = dict[str, Any]
"""A value for each column of the kind's staging table but its row number."""

Ref = Annotated[str, BeforeValidator(fields.ref)]
Name = Annotated[str, BeforeValidator(lambda v: fields.text(v, 200))]
Date = Annotated[date, BeforeValidator(fields.local_date)]
Phone = Annotated[str | None, noting_field(fields.phone)]
Count = Annotated[int | None, field(lambda v: fields.whole(v, 1, 4))]
YesNo = Annotated[bool | None, field(fields.yes_no)]
FenceM = Annotated[float | None, field(lambda v: fields.decimal(v, 1, 5000))]


def _json_cell(cell: Any) -> Any:
    """A cell that is JSON, or holds it as text as CSV must."""
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None


class Rowed(BaseModel):
    """One row of a file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def record(self, zone: str, notes: list[str]) -> Record:  # noqa: ARG002 - for those that need them
        """What is staged. Raises ValueError for cells that contradict one another."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Provider(Rowed):
    ref: Ref
    name: Name
    phone: Phone = None
    email: Annotated[str | None, field(lambda v: fields.text(v, 254))] = None


class Contract(Rowed):
    ref: Ref
    provider_ref: Ref
    service: Ref
    valid_from: Date
    rules: Annotated[dict[str, Any], BeforeValidator(_json_cell)]
    valid_to: Date | None = None

    def record(self, zone: str, notes: list[str]) -> Record:
        try:
            ContractRules.model_validate(self.rules)
        except ValidationError as error:
            raise ValueError(reason_of(error, "rules.")) from None
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to: {self.valid_to} is before valid_from {self.valid_from}")
        written = json.dumps(self.rules, sort_keys=True, ensure_ascii=False)
        if "\\u00" in written or not written.isprintable():
            raise ValueError("rules: has a character that cannot be seen")
        return super().record(zone, notes) | {"rules": written}


class Place(BaseModel):
    """One more valid place of a person's care."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, BeforeValidator(lambda v: fields.text(v, 64))]
    lat: Annotated[float, BeforeValidator(lambda v: fields.decimal(v, -90, 90))]
    lon: Annotated[float, BeforeValidator(lambda v: fields.decimal(v, -180, 180))]
    fence_m: FenceM = None
    polygon: list[tuple[float, float]] | None = None

    @model_validator(mode="after")
    def _ring_encloses_ground(self) -> Place:
        if self.polygon is None:
            return self
        if any(not (-90 <= lat <= 90 and -180 <= lon <= 180) for lat, lon in self.polygon):
            raise ValueError("polygon: a corner is not [lat, lon] in degrees")
        from geo.polygon import is_ring

        if len(self.polygon) > 500 or not is_ring(self.polygon):
            raise ValueError("polygon: is not a ring of 3 to 500 corners that never crosses itself")
        return self


class ServiceUser(Rowed):
    ref: Ref
    name: Name
    address: Annotated[str | None, field(lambda v: fields.text(v, 500, joiner=", "))] = None
    postcode: Annotated[str | None, field(fields.postcode)] = None
    area: Annotated[str | None, field(lambda v: fields.text(v, 64))] = None
    lat: Annotated[float | None, field(lambda v: fields.decimal(v, -90, 90))] = None
    lon: Annotated[float | None, field(lambda v: fields.decimal(v, -180, 180))] = None
    fence_m: FenceM = None
    phones: Annotated[list[str] | None, noting_field(fields.phones)] = None
    carers_required: Count = None
    risk_tier: Annotated[str | None, field(lambda v: fields.choice(v, ("A", "B", "C")))] = None
    funder: Annotated[
        str | None, field(lambda v: fields.choice(v, ("council", "nhs", "joint", "private")))
    ] = None
    needs: Annotated[str | None, field(lambda v: fields.text(v, 2000))] = None
    places: Annotated[list[Place] | None, field(_json_cell)] = None
    key_safe: Annotated[str | None, field(fields.key_safe)] = None

    def record(self, zone: str, notes: list[str]) -> Record:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon: one is given and the other is not")
        if self.lat == 0 and self.lon == 0:
            notes.append("lat and lon are 0, 0, in the sea off Africa; is the place really known?")
        labels = [place.label for place in self.places or []]
        if "home" in labels:
            raise ValueError("places: the home is lat and lon of the row itself")
        if len(set(labels)) < len(labels):
            raise ValueError("places: two places have the same label")
        return super().record(zone, notes) | {
            "district": fields.district(self.postcode),
            "places": json.dumps([place.model_dump(mode="json") for place in self.places or []]),
        }


class CareWorker(Rowed):
    ref: Annotated[str, BeforeValidator(fields.worker_ref)]
    name: Name
    provider_ref: Ref
    phone: Phone = None
    pin: Annotated[str | None, field(fields.pin)] = None


class Visit(Rowed):
    ref: Ref
    service_user_ref: Ref
    provider_ref: Ref
    date: Date
    start: Annotated[time, BeforeValidator(fields.clock_time)]
    end: Annotated[time | datetime, BeforeValidator(fields.end_time)]
    service: Annotated[str | None, field(fields.ref)] = None
    commissioned_minutes: Annotated[int | None, field(lambda v: fields.whole(v, 1, 1440))] = None
    carers_required: Count = None
    care_worker_refs: Annotated[list[str] | None, field(fields.refs)] = None
    time_critical: YesNo = None
    cancelled: YesNo = None

    def record(self, zone: str, notes: list[str]) -> Record:
        planned_start, planned_end, more = span(self.date, self.start, self.end, zone)
        notes.extend(more)
        return {
            "ref": self.ref,
            "service_user_ref": self.service_user_ref,
            "provider_ref": self.provider_ref,
            "local_date": self.date,
            "planned_start": planned_start,
            "planned_end": planned_end,
            "service": self.service,
            "commissioned_minutes": self.commissioned_minutes,
            "carers_required": self.carers_required,
            "care_worker_refs": self.care_worker_refs,
            "time_critical": self.time_critical,
            "cancelled": self.cancelled,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    model: type[Rowed]
    columns: frozenset[str]
    required: frozenset[str]


def _kind(model: type[Rowed]) -> Kind:
    columns = model.model_fields
    return Kind(model, frozenset(columns), frozenset(name for name in columns if columns[name].is_required()))


KINDS = {
    "providers": _kind(Provider),
    "contracts": _kind(Contract),
    "service-users": _kind(ServiceUser),
    "care-workers": _kind(CareWorker),
    "visits": _kind(Visit),
}
"""In the order in which a new installation imports them: each needs those before it."""


def record_of(kind: Kind, cells: Mapping[str, Any], zone: str, notes: list[str]) -> Record:
    """The record of a row, with `given`. Raises ValueError with the reason, naming the column."""
    filled: dict[str, Any] = {}
    for name, value in cells.items():
        if isinstance(value, str):
            value = value.strip()
        if value is not None and value != "":
            filled[name] = value
    try:
        found = kind.model.model_validate(filled, context=notes)
    except ValidationError as error:
        raise ValueError(reason_of(error)) from None
    return found.record(zone, notes) | {"given": [name for name in cells if name not in kind.required]}


def reason_of(error: ValidationError, prefix: str = "") -> str:
    """All that is wrong, as `column: reason; column: reason`."""
    reasons = []
    for found in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        where = ".".join(str(part) for part in found["loc"])
        why = found["msg"].removeprefix("Value error, ")
        if found["type"] == "missing":
            why = "is empty or missing"
        elif found["type"] == "extra_forbidden":
            why = "is not known"
        reasons.append(f"{prefix}{where}: {why}" if where else f"{prefix}{why}")
    return "; ".join(reasons)
