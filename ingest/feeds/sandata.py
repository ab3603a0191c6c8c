"""Sandata's alternate-EVV records in our words. Both dialects; nothing here waits, reads a clock or knows a database.

    theirs                                       ours
    Visit.Calls[] Time In | Call In              a check event, check_in      (`Punch`; "call" is a visit to some)
                  Time Out | Call Out            a check event, check_out
                  Interim (one dialect)          kept with the record, and neither
    CallType      Telephony / Mobile / FVV       landline / app / token
                  Manual / Other                 manual, with a reason: the least that can be claimed
    CallLatitude, CallLongitude                  the fix, without an accuracy
    OriginatingPhoneNumber                       the cli
    AdjInDateTime, AdjOutDateTime                an entry by hand where no punch says when; beside a punch, a remark:
                                                 evidence is never replaced
    ClientID…, Employee… and their other ids     our references, straight or by a client or employee sent before

Each record carries a `SequenceID`: a higher one than any accepted before is accepted, an equal or lower one is not.
A punch never changes after it was first sent: its id is made from its provider, visit and CallExternalID.

Names and codes are those of public documents. The other dialect says Patient and Staff where this one says Client and
Employee. A worker's PIN and social security numbers are taken out before anything is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ecm.visit.proof import Proof
from ingest.model import EARLIEST, LATEST
from ingest.recorder import same_id
from ingest.row import e164

FEED = "sandata"
BIGGEST_SEQUENCE = 2**63 - 1
TEXT_MAX = 200
NOTE_MAX = 2_000
PUNCHES_MAX = 100
PUNCH_LENGTH_MAX = 16 * 1024
REASON_UNSAID = "other_system"

# What nobody needs to have: matched without regard to case.
SECRET = re.compile(r"ssn|socialsecurity|telephonypin|employeepin|password", re.IGNORECASE)
WITHHELD = "(not kept)"

PROVIDER = ("ProviderID", "ProviderId")
OF_KIND: dict[str, tuple[str, tuple[str, ...]]] = {
    # kind: the id a record is known by, and every id it may be named by in a visit
    "client": (
        "ClientOtherID",
        ("ClientOtherID", "PatientOtherID", "ClientCustomID", "ClientID", "PatientID", "ClientIdentifier",
         "ClientMedicaidID", "PatientMedicaidID"),
    ),
    "employee": (
        "EmployeeOtherID",
        ("EmployeeOtherID", "StaffOtherID", "EmployeeCustomID", "EmployeeID", "StaffID", "EmployeeIdentifier"),
    ),
}  # fmt: skip
PERSON_OF_PUNCH = ("ClientIdentifierOnCall", "PatientIdentifierOnCall")

ASSIGNMENTS = {"timein": "check_in", "callin": "check_in", "timeout": "check_out", "callout": "check_out"}
INTERIM = "interim"
CALL_TYPES = {
    "telephony": "landline",
    "mobile": "app",
    "fvv": "token",
    "manual": "manual",
    "other": "manual",
}
ADJUSTED = (("AdjInDateTime", "check_in"), ("AdjOutDateTime", "check_out"))

# The exceptions we can tell, in the feed's own numbers.
UNKNOWN_CLIENT, UNKNOWN_EMPLOYEE, NO_IN, NO_OUT = 0, 1, 3, 4
UNMATCHED_PHONE, MISSING_SERVICE, MISSING_ID = 15, 23, 45
EXCEPTIONS = {
    UNKNOWN_CLIENT: "unknown client",
    UNKNOWN_EMPLOYEE: "unknown employee",
    NO_IN: "visit without in-call",
    NO_OUT: "visit without out-call",
    UNMATCHED_PHONE: "unmatched client phone number",
    MISSING_SERVICE: "missing service",
    MISSING_ID: "client or employee id missing",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """`exception`: the feed's own number, for a record that is accepted all the same. `wrong`: it is not accepted."""

    words: str
    exception: int | None = None
    wrong: bool = False
    acknowledged: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "exception": self.exception,
            "words": self.words,
            "wrong": self.wrong,
            "acknowledged": self.acknowledged,
        }


@dataclass(frozen=True, slots=True)
class Punch:
    """One check event to be: `event` as on the wire but for its worker and person. `said`: what it was made from."""

    event_id: UUID
    event: dict[str, Any]
    said: dict[str, Any]
    proofs: tuple[Proof, ...] = (Proof.PARTNER,)


@dataclass(frozen=True, slots=True)
class VisitSaid:
    """`people`, `workers`: how the record names them, most likely first; `provider`: who names them so, "" unsaid."""

    provider: str
    visit_ref: str
    people: tuple[str, ...]
    workers: tuple[str, ...]
    punches: tuple[Punch, ...]
    service: str | None
    cancelled: bool
    acknowledged: frozenset[int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read. `known_as`: every id a client or employee may be named by."""

    kind: str
    record_id: str
    sequence_id: int
    body: Any
    known_as: tuple[str, ...] = ()
    visit: VisitSaid | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def wrong(self) -> bool:
        return any(reason.wrong for reason in self.reasons)


@dataclass(slots=True)
class _Reading:
    said: Mapping[str, Any]
    reasons: list[Reason] = field(default_factory=list)

    def wrong(self, words: str) -> None:
        self.reasons.append(Reason(words, wrong=True))

    def remark(self, words: str) -> None:
        self.reasons.append(Reason(words))


def read(kind: str, sent: Any) -> Record:
    """One record of `kind` (client, employee, visit), whatever was sent. Never raises."""
    if not isinstance(sent, dict):
        return Record(kind, "", 0, sent, reasons=(Reason("a record should be a JSON object", wrong=True),))
    reading = _Reading(without_secrets(sent))
    said = reading.said
    sequence_id = _sequence(reading)
    if kind == "visit":
        own = _text(said, "VisitOtherID") or ""
        if not own:
            reading.wrong("VisitOtherID is missing")
        visit = _visit(reading, own) if own else None
        return Record(
            kind, _within(said, own), sequence_id, said, visit=visit, reasons=tuple(reading.reasons)
        )
    name, names = OF_KIND[kind]
    known_as = _every(said, names)
    if not known_as:
        reading.wrong(f"{name} is missing")
    record_id = _within(said, known_as[0]) if known_as else ""
    return Record(kind, record_id, sequence_id, said, known_as, reasons=tuple(reading.reasons))


def exceptions(
    visit: VisitSaid, *, person_known: bool, worker_known: bool, phones: Iterable[str]
) -> list[Reason]:
    """What the feed's own rules would remark of an accepted visit. `phones`: the person's, in E.164."""
    kinds = {punch.event["kind"] for punch in visit.punches}
    rung_from = {e164(cli) or cli for punch in visit.punches if (cli := punch.event.get("cli"))}
    found = [
        (MISSING_ID, not visit.people or not visit.workers),
        (UNKNOWN_CLIENT, bool(visit.people) and not person_known),
        (UNKNOWN_EMPLOYEE, bool(visit.workers) and not worker_known),
        (NO_IN, not visit.cancelled and "check_in" not in kinds),
        (NO_OUT, not visit.cancelled and "check_out" not in kinds),
        (UNMATCHED_PHONE, person_known and bool(rung_from - set(phones))),
        (MISSING_SERVICE, visit.service is None and not visit.cancelled),
    ]
    return [
        Reason(EXCEPTIONS[number], number, acknowledged=number in visit.acknowledged)
        for number, holds in found
        if holds
    ]


def without_secrets(value: Any) -> Any:
    """The same record with what nobody needs to keep blotted out."""
    if isinstance(value, dict):
        return {
            name: WITHHELD if SECRET.search(name) and inner else without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value


def _visit(reading: _Reading, own: str) -> VisitSaid:
    said = reading.said
    changes = [change for change in _list(said, "VisitChanges") if isinstance(change, dict)]
    change = changes[-1] if changes else {}
    sent = _list(said, "Calls")
    if len(sent) > PUNCHES_MAX:
        reading.wrong(f"a visit may have {PUNCHES_MAX} Calls")
    punches = [
        punch
        for place, each in enumerate(sent[:PUNCHES_MAX], 1)
        if (punch := _punch(reading, own, place, each, change)) is not None
    ]
    by_hand = [
        entry
        for name, kind in ADJUSTED
        if (entry := _adjusted(reading, own, name, kind, change, punches)) is not None
    ]
    on_punch = [_text(each, *PERSON_OF_PUNCH) for each in sent if isinstance(each, dict)]
    people = (*_every(said, OF_KIND["client"][1]), *(each for each in on_punch if each))
    return VisitSaid(
        provider=_provider(said),
        visit_ref=own,
        people=tuple(dict.fromkeys(people)),
        workers=_every(said, OF_KIND["employee"][1]),
        punches=(*punches, *by_hand),
        service=_text(said, "ProcedureCode")
        or next((_text(each, "ProcedureCode") for each in sent if isinstance(each, dict)), None),
        cancelled=said.get("VisitCancelledIndicator") in (True, "true", "True", "1", 1),
        acknowledged=frozenset(_acknowledged(said)),
    )


def _punch(reading: _Reading, own: str, place: int, each: Any, change: Mapping[str, Any]) -> Punch | None:
    where = f"Calls[{place}]"
    if not isinstance(each, dict):
        reading.wrong(f"{where} should be a JSON object")
        return None
    if len(json.dumps(each)) > PUNCH_LENGTH_MAX:
        reading.wrong(f"{where} should be shorter")
        return None
    external_id = _text(each, "CallExternalID")
    if external_id is None:
        reading.wrong(f"{where}: CallExternalID is missing")
        return None
    assignment = _letters(each.get("CallAssignment"))
    if assignment == INTERIM:
        reading.remark(f"{where}: an interim call is kept, and is neither a check-in nor a check-out")
        return None
    kind = ASSIGNMENTS.get(assignment)
    if kind is None:
        reading.wrong(f"{where}: CallAssignment should be Time In, Time Out, Call In or Call Out")
        return None
    at = _instant(each.get("CallDateTime"))
    if at is None:
        reading.wrong(f"{where}: CallDateTime should be a time in UTC, such as 2026-11-23T09:02:00Z")
        return None
    method = CALL_TYPES.get(_letters(each.get("CallType")))
    if method is None:
        reading.wrong(f"{where}: CallType should be Telephony, Mobile, FVV, Manual or Other")
        return None
    event_id = same_id(FEED, _provider(reading.said), own, external_id)
    event = _event(event_id, kind, at, method) | {
        "fix": _fix(each),
        "cli": _text(each, "OriginatingPhoneNumber"),
        "device": _device(each),
    }
    if method == "manual":
        event |= _by_whom(change)
        return Punch(event_id, event, dict(each), (Proof.PARTNER, Proof.TYPED))
    return Punch(event_id, event, dict(each))


def _adjusted(
    reading: _Reading, own: str, name: str, kind: str, change: Mapping[str, Any], punches: list[Punch]
) -> Punch | None:
    """An entry by hand where no punch says when."""
    if reading.said.get(name) in (None, ""):
        return None
    at = _instant(reading.said[name])
    if at is None:
        reading.wrong(f"{name} should be a time in UTC, such as 2026-11-23T09:02:00Z")
        return None
    told = [punch.event["occurred_at"] for punch in punches if punch.event["kind"] == kind]
    if told:
        if at.isoformat() not in told:
            reading.remark(f"{name} is kept; the call counts, because evidence is never replaced")
        return None
    event_id = same_id(FEED, _provider(reading.said), own, name, at.isoformat())
    said = {name: at.isoformat(), "VisitChanges": [dict(change)] if change else []}
    event = _event(event_id, kind, at, "manual") | _by_whom(change)
    return Punch(event_id, event, said, (Proof.PARTNER, Proof.TYPED))


def _event(event_id: UUID, kind: str, at: datetime, method: str) -> dict[str, Any]:
    return {"id": str(event_id), "kind": kind, "occurred_at": at.isoformat(), "method": method}


def _by_whom(change: Mapping[str, Any]) -> dict[str, Any]:
    memo = change.get("ChangeReasonMemo")
    return {
        "reason_code": _text(change, "ReasonCode") or REASON_UNSAID,
        "note": memo[:NOTE_MAX] if isinstance(memo, str) and memo else None,
        "entered_by": _text(change, "ChangeMadeBy"),
    }


def _fix(each: Mapping[str, Any]) -> dict[str, float] | None:
    """What is no number at all is left out; what is no place on earth is set aside later, with a warning."""
    try:
        return {"lat": float(each["CallLatitude"]), "lon": float(each["CallLongitude"])}
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _device(each: Mapping[str, Any]) -> dict[str, str] | None:
    login = _text(each, "MobileLogin")
    return {"id": login} if login else None


def _sequence(reading: _Reading) -> int:
    value = reading.said.get("SequenceID")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= BIGGEST_SEQUENCE:
        return value
    reading.wrong("SequenceID should be a whole number")
    return 0


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) < len("2026-11-23T09:02Z"):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.tzinfo is None or not EARLIEST <= at <= LATEST:
        return None
    return at.astimezone(UTC)


def _acknowledged(said: Mapping[str, Any]) -> Iterable[int]:
    for each in _list(said, "VisitExceptionAcknowledgement"):
        if isinstance(each, dict) and each.get("ExceptionAcknowledged") in (True, "true", "True", 1):
            number = str(each.get("ExceptionID", ""))
            if number.isascii() and number.isdigit() and len(number) < 6:
                yield int(number)


def _provider(said: Mapping[str, Any]) -> str:
    """Two providers' systems may number their visits alike."""
    provider = said.get("ProviderIdentification")
    return (_text(provider, *PROVIDER) if isinstance(provider, dict) else None) or ""


def _within(said: Mapping[str, Any], own: str) -> str:
    provider = _provider(said)
    return f"{provider}/{own}" if provider and own else own


def _every(said: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    found = (_text(said, name) for name in names)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _text(said: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that says something, as text of a bearable length."""
    for name in names:
        value = said.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and 0 < len(value.strip()) <= TEXT_MAX and value != WITHHELD:
            return value.strip()
    return None


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    value = said.get(name)
    return value if isinstance(value, list) else []


def _letters(value: Any) -> str:
    return "".join(c for c in value.lower() if c.isalpha()) if isinstance(value, str) else ""
