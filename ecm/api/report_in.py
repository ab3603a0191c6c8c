"""What a phone's report says, as it was signed, and how much of it must make sense.

Its id, its kind and its time decide whether it is understood. Any other part that makes no sense is set aside and
stays in the body: a broken position or half a picture must not cost a call for help.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ecm.api.wire import NO_NUL, Instant, Ref

Kind = Literal["at_the_door", "late_reason", "no_reply", "concern", "hazard", "sos", "note", "tasks"]
Urgency = Literal["now", "today", "routine"]

# Twice what the app's box takes, and a task's name as long as a plan's line.
Words = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=NO_NUL)]
TaskName = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]

# Device clocks are believed; only what no calendar sum survives is not.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Where(BaseModel):
    model_config = ConfigDict(extra="ignore")
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)] | None = None


class TaskDone(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: TaskName
    done: bool


class ReportIn(BaseModel):
    """What was signed. Unlisted fields are kept with the body."""

    model_config = ConfigDict(extra="ignore")
    id: UUID
    kind: Kind
    occurred_at: Annotated[Instant, Field(ge=EARLIEST, le=LATEST)]
    visit: Ref | None = None
    service_user: Ref | None = None
    person: Ref | None = None
    """Somebody the plan does not know, as the worker wrote the name."""
    care_worker: Ref | None = None
    urgency: Urgency | None = None
    reason_code: Ref | None = None
    words: Words | None = None
    fix: Where | None = None
    tasks: Annotated[list[TaskDone], Field(max_length=200)] = []
    unlock: Annotated[str, Field(max_length=1000)] | None = None


NEEDED = frozenset(name for name, field in ReportIn.model_fields.items() if field.is_required())


def understood(payload: bytes) -> ReportIn:
    """Raises ValidationError for what a report cannot do without."""
    try:
        return ReportIn.model_validate_json(payload)
    except ValidationError as refusal:
        try:
            said = _storable(json.loads(payload))
        except (ValueError, RecursionError):
            raise refusal from None
        if not isinstance(said, dict):
            raise
    try:
        return ReportIn.model_validate(said)
    except ValidationError as refusal:
        senseless = {error["loc"][0] for error in refusal.errors()}
        if senseless & NEEDED:
            raise
        return ReportIn.model_validate({name: what for name, what in said.items() if name not in senseless})


def _storable(value: Any) -> Any:
    """Without characters that PostgreSQL or UTF-8 refuse, such as half of a picture cut in two."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value
