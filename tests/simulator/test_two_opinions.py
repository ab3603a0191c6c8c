"""The service's rules and the simulator's naive second opinion agree about whole days, without a server between them.

The rules are given what the doors would have stored; the phones' messages reach them late and out of order, some
after an outage of the service.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from ecm.simulator import make_borough, make_day
from ecm.simulator.compare import compare
from ecm.simulator.player import Log, Receipt
from ecm.simulator.reading import ReadBack
from ecm.simulator.recording import said_later
from ecm.simulator.values import ZONE
from ecm.store.rules import ContractRules
from ecm.visit.assess import assess
from ecm.visit.matching import allocate
from ecm.visit.model import CheckEvent, EventKind, Evidence, FindingCode, Method, Visit
from ecm.visit.policy import Policy

SUNDAY_CLOCKS_CHANGE = date(2026, 10, 25)
MONDAY = date(2026, 11, 23)
JULY = date(2026, 7, 6)
OUTAGES = ((8 * 60 + 50, 25), (19 * 60, 12))  # local-ish minutes of the day, and how long


@pytest.mark.parametrize("outages", [(), OUTAGES], ids=["service up", "service away twice"])
@pytest.mark.parametrize(
    ("scenario", "on", "seed"),
    [
        ("normal", MONDAY, 1),
        ("bad-morning", JULY, 2),
        ("rural-offline", MONDAY, 3),
        ("rural-offline", SUNDAY_CLOCKS_CHANGE, 4),
    ],
)
def test_the_two_opinions_agree_about_every_visit_of_a_day(scenario, on, seed, outages):
    day = make_day(make_borough(seed, 800, 8, day=on), scenario)
    log, bodies = received(day, seed, outages)
    told = compare(day, log, rules_say(day, log, bodies), speed=1.0)
    assert [f"{each.kind} {each.visit}: {each.expected} / {each.got} / {each.why}" for each in told] == []


def received(day, seed, outages) -> tuple[Log, dict]:
    """Receipts as a service would have given them that was away during the outages."""
    rng = Random(seed)
    midnight = day.submissions[0].send_at.replace(hour=0, minute=0, second=0)
    away = [(midnight + timedelta(minutes=began), timedelta(minutes=length)) for began, length in outages]
    log, bodies = Log(), {}
    for submission in day.submissions:
        at = submission.send_at + timedelta(seconds=rng.uniform(0.01, 0.5))
        for began, length in away:
            if began <= at < began + length:
                at = began + length + timedelta(seconds=rng.uniform(0, 5))
        for body in submission.bodies:
            log.receipts[body["id"]] = Receipt(body["id"], "created", at)
            bodies[body["id"]] = said_later(body, at - submission.send_at)
    log.sent = len(bodies)
    return log, bodies


def rules_say(day, log, bodies, now: datetime | None = None) -> ReadBack:
    borough = day.borough
    person_of_phone = {person.phone: person.ref for person in borough.service_users if person.phone}
    policies = {
        contract.provider_ref: ContractRules.model_validate(contract.rules).policy(contract.ref)
        for contract in borough.contracts
    }
    plans: dict[str, list[Visit]] = {}
    for number, truth in enumerate(day.truths, start=1):
        if truth.visit:
            plans.setdefault(truth.service_user_ref, []).append(planned(number, truth))
    events: dict[str, list[CheckEvent]] = {}
    for body in bodies.values():
        event = stored(body, log.receipts[body["id"]].received_at, person_of_phone)
        events.setdefault(str(event.service_user), []).append(event)
    visits, alerts, rows = [], [], []
    number = len(day.truths)
    for person in borough.service_users:
        mine = plans.get(person.ref, [])
        policy = policies[person.provider_ref]
        shared = allocate(mine, events.get(person.ref, []), {}, lambda _, policy=policy: policy)
        judged = [(visit, shared.by_visit[visit.visit_id]) for visit in mine]
        for stay in shared.unplanned:
            number += 1
            judged.append((unplanned(number, person, on=borough.day), stay.events))
        for visit, evidence in judged:
            say(visit, evidence, policy, now or day.settled_at, visits, alerts, rows)
    return ReadBack(tuple(visits), tuple(alerts), (tuple(rows),))


def say(visit: Visit, evidence, policy: Policy, now: datetime, visits, alerts, rows) -> None:
    found = assess(visit, Evidence(tuple(evidence)), policy, now)
    visits.append(
        {
            "id": visit.visit_id,
            "ref": visit.ref,
            "service_user": visit.service_user,
            "state": found.state.value,
            "state_reason": found.settled_reason,
            "actual": {
                "start": found.actual_start and found.actual_start.isoformat(),
                "end": found.actual_end and found.actual_end.isoformat(),
            },
            "attendances": [{"care_worker": each.care_worker} for each in found.attendances],
            "findings": [{"code": each.code.value} for each in found.findings],
            "crossings": [{"kind": each.kind.value} for each in found.crossings],
        }
    )
    kinds = {each.kind.value for each in found.crossings}
    kinds |= {each.code.value for each in found.findings if each.code is FindingCode.SECOND_WORKER_MISSING}
    alerts += [{"visit": visit.visit_id, "kind": kind} for kind in sorted(kinds)]
    rows += [{"id": str(event.event_id), "visit": visit.visit_id} for event in evidence]


def planned(number: int, truth) -> Visit:
    visit = truth.visit
    return Visit(
        visit_id=number,
        ref=visit.ref,
        service_user=visit.service_user_ref,
        provider=visit.provider_ref,
        local_date=visit.local_date,
        zone=ZONE,
        planned_start=visit.start,
        planned_end=visit.end,
        commissioned_minutes=visit.commissioned_minutes,
        agreed_short=visit.commissioned_minutes < 30,
        carers_required=visit.carers_required,
        care_workers=visit.care_worker_refs,
        time_critical=visit.time_critical,
        cancelled=visit.cancelled,
        next_planned_start=truth.next_planned_start,
    )


def unplanned(number: int, person, *, on: date) -> Visit:
    return Visit(
        visit_id=number,
        ref=f"unplanned-{number}",
        service_user=person.ref,
        provider=person.provider_ref,
        local_date=on,
        zone=ZONE,
        planned_start=None,
        planned_end=None,
    )


def stored(body, received_at: datetime, person_of_phone) -> CheckEvent:
    wall_clock = body.get("device", {}).get("wall_clock")
    return CheckEvent(
        event_id=UUID(body["id"]),
        kind=EventKind(body["kind"]),
        occurred_at=datetime.fromisoformat(body["occurred_at"]),
        received_at=received_at,
        method=Method(body["method"]),
        care_worker=body["care_worker"],
        service_user=body.get("service_user") or person_of_phone[body["cli"]],
        visit_ref=body.get("visit"),
        cli=body.get("cli"),
        reason_code=body.get("reason_code"),
        wall_clock=datetime.fromisoformat(wall_clock) if wall_clock else None,
    )
