"""What a sender may say of one check-in or check-out, as it stands on the wire.

Only `id`, `kind`, `occurred_at` and `method` (and the reason of a manual entry) decide whether an event is
understood. Every other field is taken when it can be and set aside, with a warning, when it cannot
(`ingest.understand`): no setting and no broken sensor keeps a care worker from recording a visit. Fields not
listed here are kept with the body.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

# Device clocks lie, 1970 and 2038 included, and are believed here; only what no calendar sum survives is not.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

SHORTEST_TIME = len("2026-03-02T09:02Z")


def _refuse_bare_numbers(value: Any) -> Any:
    """Pydantic would read 1772442120 as seconds since 1970, and guess the unit."""
    if isinstance(value, str) and len(value) >= SHORTEST_TIME:
        return value
    raise ValueError("should be a time with an offset, such as 2026-03-02T09:02:11Z")


Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(_refuse_bare_numbers)]
Reference = Annotated[str, Field(min_length=1, max_length=200)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]

_AS_SENT = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True, coerce_numbers_to_str=True)


class CheckFix(BaseModel):
    """Where the device says it was: WGS84 degrees; `accuracy_m` is its own 68 % radius in metres."""

    model_config = _AS_SENT

    lat: Annotated[Degrees, Field(ge=-90, le=90)]
    lon: Annotated[Degrees, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)] | None = None
    fixed_at: Instant | None = None


class CheckDevice(BaseModel):
    """The sending device. Its last three fields tell of the sending, not of the visit.

    They differ at every try of the same event, so they are no part of what makes two bodies the same
    (`exclude`: see `ingest.understand.fingerprint`).
    """

    model_config = _AS_SENT

    id: Reference | None = None
    app_version: Reference | None = None
    wall_clock: Annotated[Instant | None, Field(exclude=True)] = None
    monotonic_ms: Annotated[float | None, Field(exclude=True, allow_inf_nan=False)] = None
    last_contact_at: Annotated[Instant | None, Field(exclude=True)] = None


class CheckEventIn(BaseModel):
    """One check-in or check-out. The sender makes `id` before its first try and repeats it at every other."""

    model_config = _AS_SENT

    id: UUID
    kind: Literal["check_in", "check_out"]
    occurred_at: Annotated[Instant, Field(description="When it happened, by the sender's clock.")]
    method: Literal["app", "nfc", "qr", "landline", "sms", "token", "manual"]
    care_worker: Annotated[Reference | None, Field(description="The tenant's own reference.")] = None
    service_user: Annotated[Reference | None, Field(description="The tenant's own reference.")] = None
    visit: Annotated[Reference | None, Field(description="The tenant's own reference.")] = None
    fix: CheckFix | None = None
    cli: Annotated[Reference | None, Field(description="The number that called, best as E.164.")] = None
    reason_code: Annotated[Reference | None, Field(description="Required when `method` is `manual`.")] = None
    note: Annotated[str, Field(max_length=10_000)] | None = None
    tag: Annotated[Reference | None, Field(description="The address a tag in the home gave, as read.")] = None
    code: Annotated[Reference | None, Field(description="What the code card in the home showed.")] = None
    unlock: Annotated[
        Annotated[str, Field(max_length=1_000)] | None,
        Field(description="What a shared phone was given for the worker's PIN."),
    ] = None
    device: CheckDevice | None = None


REQUIRED = frozenset(name for name, field in CheckEventIn.model_fields.items() if field.is_required())
