"""The words of a visit as frozen values: what was planned, what is said to have happened, what we make of it.

Everything here is plain data. The rules that read it stand in the modules beside it; `assess` folds it all.
People, workers and providers are known by the tenant's own references (strings), visits by our number.
Every datetime is an aware UTC instant; subtract only those. The plan's local facts (`local_date`, `zone`)
ride along because a day cut-off is a local time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from geo.fence import Fence
from geo.fix import Fix


class EventKind(StrEnum):
    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"


class Method(StrEnum):
    APP = "app"
    NFC = "nfc"
    QR = "qr"
    LANDLINE = "landline"
    SMS = "sms"
    TOKEN = "token"  # noqa: S105 - a way of capturing, not a secret
    MANUAL = "manual"


class State(StrEnum):
    PLANNED = "planned"
    LATE = "late"
    IN_PROGRESS = "in_progress"
    OVERRUNNING = "overrunning"
    COMPLETED = "completed"
    MISSED = "missed"
    FRUSTRATED = "frustrated"
    CANCELLED = "cancelled"


class FindingCode(StrEnum):
    LOCATION_INSIDE = "location_inside"
    LOCATION_OUTSIDE = "location_outside"
    LOCATION_UNCERTAIN = "location_uncertain"
    LOCATION_NONE = "location_none"
    STARTED_LATE = "started_late"
    STARTED_EARLY = "started_early"
    SHORT = "short"
    OVERRAN = "overran"
    NO_CHECK_IN = "no_check_in"
    NO_CHECK_OUT = "no_check_out"
    UNPLANNED = "unplanned"
    WRONG_WORKER = "wrong_worker"
    SECOND_WORKER_MISSING = "second_worker_missing"
    OVERLAP = "overlap"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    LATE_SYNC = "late_sync"
    CLOCK_SKEW = "clock_skew"
    MANUAL_ENTRY = "manual_entry"
    DUPLICATE_TAP = "duplicate_tap"
    REPEATED_FIX = "repeated_fix"
    CLI_UNKNOWN = "cli_unknown"
    LEAVER = "leaver"


class DeadlineKind(StrEnum):
    """The instants at which a visit changes if nothing arrives."""

    LATE = "late"
    SECOND_WORKER_MISSING = "second_worker_missing"
    MISSED = "missed"
    OVERRUNNING = "overrunning"
    NO_CHECK_OUT = "no_check_out"


class AmendmentKind(StrEnum):
    LINK = "link"  # this event belongs to this visit
    REJECT = "reject"  # this event is not evidence of any visit
    TIMES = "times"  # a worker's check-in and/or check-out, as somebody established them
    FRUSTRATED = "frustrated"  # the worker attended, care could not be given
    CANCELLED = "cancelled"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Place:
    """One valid place of a person's care. `fence` is None while the place is unlocated."""

    label: str
    fence: Fence | None


@dataclass(frozen=True, slots=True)
class Visit:
    """The plan. `planned_start` is None for an attendance nobody planned."""

    visit_id: int
    ref: str
    service_user: str
    provider: str
    local_date: date
    zone: str
    planned_start: datetime | None
    planned_end: datetime | None
    commissioned_minutes: int | None = None
    agreed_short: bool = False
    carers_required: int = 1
    care_workers: tuple[str, ...] = ()
    time_critical: bool = False
    cancelled: bool = False
    next_planned_start: datetime | None = None
    places: tuple[Place, ...] = ()
    phones: tuple[str, ...] = ()
    cancelled_at: datetime | None = None
    """When we were told of the cancellation: deadlines before it did pass. None: as if it never was planned."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """What stays of a position that has gone (`ecm.reducing`): the findings made of it, by this person's home."""

    service_user: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CheckEvent:
    """One stored piece of evidence. References as sent; `care_worker`, `service_user` as worked out."""

    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    received_at: datetime
    method: Method
    care_worker: str | None = None
    service_user: str | None = None
    visit_ref: str | None = None
    fix: Fix | None = None
    cli: str | None = None
    reason_code: str | None = None
    note: str | None = None
    device_id: str | None = None
    wall_clock: datetime | None = None
    """The device's clock at the moment of sending, for telling how wrong it is."""
    proofs: frozenset[str] = frozenset()
    """What the door checked for itself: words of `ecm.visit.proof.Proof`."""
    reduced: Reduced | None = None
    """Set where the position was there and has gone."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """An added correction: who, when, why. `event_id` for link and reject, times for `times`."""

    amendment_id: int
    kind: AmendmentKind
    made_at: datetime
    made_by: str
    reason_code: str
    action_taken: str | None = None
    note: str | None = None
    event_id: UUID | None = None
    care_worker: str | None = None
    check_in_at: datetime | None = None
    check_out_at: datetime | None = None
    visit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one visit. `trail`: the workers' last event elsewhere before each stay here."""

    events: tuple[CheckEvent, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    trail: tuple[CheckEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked fact: what was measured, against what limit, and about which event or worker."""

    code: FindingCode
    measure: float | None = None
    limit: float | None = None
    unit: str = ""
    event_id: UUID | None = None
    care_worker: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Attendance:
    """One worker's in and out on a visit. Either end may be unknown; `amended` if a correction set it."""

    care_worker: str | None
    check_in_at: datetime | None
    check_out_at: datetime | None
    check_in_event: UUID | None = None
    check_out_event: UUID | None = None
    amended: bool = False


@dataclass(frozen=True, slots=True)
class Crossing:
    """A deadline that passed unmet, as far as could be known at the time: what alarms are raised from.

    It stays true when late evidence arrives: the evidence stands the alarm down, it does not unring it.
    """

    kind: DeadlineKind
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What one assessment has that the one before it had not: the stuff of a transition row.

    `state_from` is None for a visit that was never assessed before, and equals `state_to` where only findings
    or crossings differ. `crossings` are only the new ones.
    """

    state_from: State | None
    state_to: State
    added: tuple[Finding, ...] = ()
    removed: tuple[Finding, ...] = ()
    crossings: tuple[Crossing, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a visit is, worked out from scratch from all its evidence."""

    state: State
    attendances: tuple[Attendance, ...] = ()
    actual_start: datetime | None = None
    actual_end: datetime | None = None
    findings: tuple[Finding, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    deadline_at: datetime | None = None
    deadline_kind: DeadlineKind | None = None
    settled_reason: str = field(default="")
    """Why this state, in the words the board shows, e.g. "no check-in received by 09:15"."""
