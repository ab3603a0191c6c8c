"""Tells a visit's day as a table, and holds the rules to every line of it.

The cast: Mr Davies lives at HOME. ALICE is rostered to his visit, from 09:00 to 09:30 on Monday 2 March 2026
(GMT). BOB may come too; CAROL is rostered to nobody.

    09:15  tick                       -> late         !late
    09:50  sync: in 09:03 at 400 m    -> in_progress  location_outside, late_sync; late stood down
    09:52  Bob out 09:28 by landline  -> completed    ...

Left of the arrow: the time it is, and what we receive. Right of it: the state, then everything that is new:
findings by code, `-code` for one that went, `!kind` for a deadline that passed unmet. After the semicolon (on a
line of its own if it gets long): alarms that were right to ring and are over. Every line must say all that
changed. Between the lines the law of the deadline is held: nothing changes before `deadline_at`, and something
does at it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from ecm.visit.assess import assess, difference
from ecm.visit.model import (
    Amendment,
    AmendmentKind,
    Assessment,
    CheckEvent,
    EventKind,
    Evidence,
    FindingCode,
    Method,
    Place,
    State,
    Visit,
)
from ecm.visit.policy import DEFAULT, Policy
from geo.earth import metres_per_degree
from geo.fence import Fence
from geo.fix import Fix

DAY = date(2026, 3, 2)
ALICE, BOB, CAROL = "alice", "bob", "carol"
MR_DAVIES, MRS_EVANS = "mr-davies", "mrs-evans"
DOOR = (53.7997, -1.5492)
HOME = Place("home", Fence(*DOOR, 100.0))
TELEPHONE = "+441134960123"


def at(hh_mm: str, day: date = DAY) -> datetime:
    """A UTC instant of the day; "25:10" is ten past one the next morning."""
    hours, minutes = hh_mm.split(":")
    return datetime.combine(day, time(), UTC) + timedelta(hours=int(hours), minutes=int(minutes))


def metres_away(metres: float, accuracy_m: float | None = 10.0) -> Fix:
    """A fix so many metres north of the door."""
    return Fix(DOOR[0] + metres / metres_per_degree(DOOR[0])[0], DOOR[1], accuracy_m)


def a_visit(
    start: str | None = "09:00", end: str | None = "09:30", number: int = 1, **changes: object
) -> Visit:
    visit = Visit(
        visit_id=number,
        ref=f"V{number}",
        service_user=MR_DAVIES,
        provider="example-care",
        local_date=DAY,
        zone="Europe/London",
        planned_start=at(start) if start else None,
        planned_end=at(end) if end else None,
        care_workers=(ALICE,),
        places=(HOME,),
        phones=(TELEPHONE,),
    )
    return replace(visit, **changes)


def an_event(
    kind: str, occurred: str | datetime, number: int = 1, worker: str | None = ALICE, **changes: object
) -> CheckEvent:
    """kind: "in" or "out". Received as it happens, at the door, unless changed."""
    when = at(occurred) if isinstance(occurred, str) else occurred
    event = CheckEvent(
        event_id=UUID(int=number),
        kind=EventKind.CHECK_IN if kind == "in" else EventKind.CHECK_OUT,
        occurred_at=when,
        received_at=when,
        method=Method.APP,
        care_worker=worker,
        service_user=MR_DAVIES,
        fix=metres_away(5),
    )
    return replace(event, **changes)


def an_amendment(kind: AmendmentKind, made: str, number: int = 1, **changes: object) -> Amendment:
    return replace(Amendment(number, kind, at(made), "duty officer", "phone call with worker"), **changes)


def codes(assessment: Assessment) -> list[str]:
    return sorted(str(finding.code) for finding in assessment.findings)


LINE = re.compile(
    r"^(?P<now>\d\d:\d\d)\s+(?P<what>.*?)\s*->\s*(?P<state>\w+)\s*(?P<new>[^;]*)(;\s*(?P<over>.*))?$"
)
EVENT = re.compile(
    r"^(sync: )?(?P<who>Alice |Bob |Carol |unknown )?(?P<kind>in|out)( (?P<occurred>\d\d:\d\d))?( at (?P<far>\d+) m)?"
    r"( ± (?P<accuracy>\d+|unknown))?( by (?P<method>\w+))?( because (?P<reason>\w+))?$"
)
AMENDMENT = re.compile(
    r"^amended: ((?P<who>Alice|Bob|Carol) )?(in (?P<start>\d\d:\d\d) ?)?(out (?P<end>\d\d:\d\d))?"
    r"(?P<other>frustrated|cancelled)?$"
)


def tell(
    story: str, visit: Visit | None = None, policy: Policy = DEFAULT, trail: tuple[CheckEvent, ...] = ()
) -> Assessment:
    """Holds the rules to a story; the last line's assessment, for whoever wants to ask more."""
    visit = visit or a_visit()
    evidence, before = Evidence(trail=trail), None
    lines = [line.strip() for line in re.sub(r"\s*\n\s*;", ";", story).strip().splitlines() if line.strip()]
    assert lines, "a story has lines"
    for number, line in enumerate(lines, 1):
        told = LINE.match(line)
        assert told, f"not a line of a story: {line!r}"
        now = at(told["now"])
        evidence = _add(evidence, told["what"], now, number)
        after = assess(visit, evidence, policy, now)
        _holds_until_deadline(visit, evidence, policy, now, after)
        change = difference(before, after)
        new = set[str]()
        if change is not None:
            new |= {str(finding.code) for finding in change.added}
            new |= {f"-{finding.code}" for finding in change.removed}
            new |= {f"!{crossing.kind}" for crossing in change.crossings}
        expected = {word.strip() for word in told["new"].split(",") if word.strip()}
        assert (str(after.state), new) == (told["state"], expected), f"{line}\n   but: {after}"
        over = {
            word.removesuffix(" stood down").strip()
            for word in (told["over"] or "").split(",")
            if word.strip()
        }
        stood_down = _alarms_over(after) - (_alarms_over(before) if before else set())
        assert stood_down == over, f"{line}\n   but stood down: {stood_down}"
        before = after
    assert before is not None
    return before


def _add(evidence: Evidence, what: str, now: datetime, number: int) -> Evidence:
    if what == "tick":
        return evidence
    if said := AMENDMENT.match(what):
        kind = AmendmentKind(said["other"] or "times")
        amendment = Amendment(
            number,
            kind,
            now,
            "duty officer",
            "agreed by telephone",
            care_worker=said["who"].lower() if said["who"] else None,
            check_in_at=at(said["start"]) if said["start"] else None,
            check_out_at=at(said["end"]) if said["end"] else None,
        )
        return replace(evidence, amendments=(*evidence.amendments, amendment))
    told = EVENT.match(what)
    assert told, f"not something that can happen: {what!r}"
    who = (told["who"] or "Alice").strip().lower()
    method = Method(told["method"] or "app")
    accuracy = None if told["accuracy"] == "unknown" else float(told["accuracy"] or 10)
    event = an_event(
        told["kind"],
        at(told["occurred"]) if told["occurred"] else now,
        number,
        None if who == "unknown" else who,
        received_at=now,
        method=method,
        fix=metres_away(float(told["far"] or 5), accuracy) if method is Method.APP else None,
        cli=TELEPHONE if method is Method.LANDLINE else None,
        reason_code=told["reason"],
    )
    return replace(evidence, events=(*evidence.events, event))


def _alarms_over(assessment: Assessment) -> set[str]:
    standing = {
        "late": assessment.state in (State.LATE, State.MISSED),
        "missed": assessment.state is State.MISSED,
        "overrunning": assessment.state is State.OVERRUNNING,
        "no_check_out": FindingCode.NO_CHECK_OUT in {f.code for f in assessment.findings},
        "second_worker_missing": FindingCode.SECOND_WORKER_MISSING in {f.code for f in assessment.findings},
    }
    return {str(c.kind) for c in assessment.crossings if not standing[str(c.kind)]}


def _holds_until_deadline(
    visit: Visit, evidence: Evidence, policy: Policy, now: datetime, after: Assessment
) -> None:
    """The law: constant in [now, deadline_at), another one at deadline_at; constant for good if there is none."""
    until = after.deadline_at
    just_before = until - timedelta(microseconds=1) if until else now + timedelta(days=400)
    assert assess(visit, evidence, policy, just_before) == after, f"changes before {until}"
    if until is not None:
        assert until > now
        changed = assess(visit, evidence, policy, until)
        assert difference(after, changed) is not None, f"nothing changes at {until}"
