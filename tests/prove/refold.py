"""Folds everything again from scratch and holds the stored rows against it: nothing lost, nothing doubled.

The service works on a few people at a time, on what arrived since; here all of a person's evidence is shared out in
one go, by plain loops over all rows, and assessed by `ecm.visit`. However the service came to its rows, by whatever
order, batches, kills and repeats, they must be these:

    stored                must be
    --------------------  ------------------------------------------------------------------------------
    check_events          each with one outcome, on the visit that sharing out all evidence gives it
    visits                the assessment of all their evidence, now
    transitions           of each visit: each crossing once; its changes a chain that ends in its state
    alerts                what `alerts.rules.decide` would leave alone: none to raise, to stand down, to reopen
    to-do rows            none
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from alerts.rules import AlertNow, decide
from alerts.said import KINDS as RINGING
from alerts.worker import _visit_now
from ecm.processing import rows
from ecm.store.db import Connection, Database
from ecm.store.rules import ContractRules
from ecm.visit.assess import assess
from ecm.visit.clocks import happened_at
from ecm.visit.matching import allocate
from ecm.visit.model import Amendment, CheckEvent, EventKind, Evidence, Visit
from ecm.visit.policy import DEFAULT, Policy
from ecm.visit.stays import LONGEST_STAY
from tests.prove.folded import Difference, Folded

Row = Mapping[str, Any]
Person = tuple[int, str]
VisitKey = tuple[int, int]


async def refold(owner: Database, now: datetime) -> Folded:
    """Reads everything in one snapshot and folds it again as of `now`, when nothing is left to be done."""
    async with (
        owner.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        everything = await _read(connection)
    return everything.compared(now)


async def _read(connection: Connection) -> Everything:
    async def table(name: str, order: str) -> list[Row]:
        return [dict(row) for row in await connection.fetch(f"SELECT * FROM {name} ORDER BY {order}")]

    kept = {(row["tenant_id"], row["event_id"]): row for row in await table("reduced_positions", "event_id")}
    return Everything(
        visits=await table("visits", "visit_id"),
        events=[
            dict(row) | {"reduced": kept.get((row["tenant_id"], row["event_id"]))}
            for row in await table("check_events", "event_id")
        ],
        outcomes=await table("event_outcomes", "event_id"),
        amendments=await table("amendments", "amendment_id"),
        contracts=await table("contracts", "contract_id"),
        people=await table("service_users", "ref"),
        places=await table("places", "service_user_ref, label"),
        phones=await table("service_user_phones", "phone, service_user_ref"),
        workers=await table("care_workers", "ref"),
        transitions=await table("transitions", "transition_id"),
        alerts=await table("alerts", "alert_id"),
        reports=await table("reports", "occurred_at, report_id"),
        todos=await table("processing_queue", "todo_id"),
        alert_todos=await table("alert_queue", "todo_id"),
    )


@dataclass(slots=True)
class Everything:
    """All rows of all tables that matter, and the second opinion worked out from them."""

    visits: list[Row]
    events: list[Row]
    outcomes: list[Row]
    amendments: list[Row]
    contracts: list[Row]
    people: list[Row]
    places: list[Row]
    phones: list[Row]
    workers: list[Row]
    transitions: list[Row]
    alerts: list[Row]
    reports: list[Row]
    todos: list[Row]
    alert_todos: list[Row]
    _policies: dict[int, Policy] = field(default_factory=dict)

    def compared(self, now: datetime) -> Folded:
        differences = [*self._todos(), *self._folded(now), *self._transitions(), *self._alerts()]
        return Folded(len(self.visits), len(self.events), len(self.alerts), tuple(differences))

    def _todos(self) -> Iterator[Difference]:
        for row in (*self.todos, *self.alert_todos):
            yield Difference("to-do", f"{row['todo_id']}, tried {row['tries']} times: {row['last_error']}")

    # ------------------------------------------------------------------ evidence and visits

    def _folded(self, now: datetime) -> Iterator[Difference]:
        by_person: dict[Person, list[Visit]] = defaultdict(list)
        for row in self.visits:
            by_person[row["tenant_id"], row["service_user_ref"]].append(rows.visit(_record(row)))
        events = self._events_by_person()
        homes = self._homes()
        known_workers = {(row["tenant_id"], row["ref"]) for row in self.workers}
        self_rows = {_key(row): row for row in self.visits}
        amendments = _grouped(self.amendments, lambda row: (row["tenant_id"], row["visit_id"]))
        outcomes = {(row["tenant_id"], row["event_id"]): row for row in self.outcomes}
        counted: dict[tuple[int, UUID], int | None] = {}
        evidence: dict[VisitKey, tuple[CheckEvent, ...]] = {}
        for person in by_person.keys() | {p for p in events if p[1]}:
            mine = by_person.get(person, [])
            made = {v.visit_id: _amendments(amendments.get((person[0], v.visit_id), ())) for v in mine}
            shared = allocate(
                mine,
                events.get(person, ()),
                made,
                lambda visit, tenant=person[0]: self._policy(self_rows[tenant, visit.visit_id]),
            )
            evidence |= {(person[0], visit_id): held for visit_id, held in shared.by_visit.items()}
            for stay in shared.unplanned:
                if (person[0], stay.care_worker) in known_workers:
                    yield Difference(
                        "outcome", f"the stay of {stay.care_worker} at {stay.anchor} has no visit"
                    )
            for event in events.get(person, ()):
                counted[person[0], event.event_id] = shared.matches[event.event_id].visit_id
        yield from self._outcomes(counted, outcomes)
        trails = self._trails()
        for row in self.visits:
            key = _key(row)
            person = row["tenant_id"], row["service_user_ref"]
            policy = self._policy(row)
            places, phones = homes.get(person, ((), ()))
            visit = rows.visit(_record(row), rows.places(places, policy.fence_m), phones)
            events_here = evidence.get(key, ())
            found = assess(
                visit,
                Evidence(events_here, _amendments(amendments.get(key, ())), tuple(trails(key, events_here))),
                policy,
                now,
            )
            yield from _visit_differences(row, rows.written(found))

    def _outcomes(
        self, counted: Mapping[tuple[int, UUID], int | None], outcomes: Mapping[tuple[int, UUID], Row]
    ) -> Iterator[Difference]:
        for row in self.events:
            key = row["tenant_id"], row["event_id"]
            outcome = outcomes.get(key)
            if outcome is None:
                yield Difference("outcome", f"event {key[1]} has none")
            elif outcome["visit_id"] != counted.get(key):
                yield Difference(
                    "outcome",
                    f"event {key[1]} counts for visit {outcome['visit_id']} ({outcome['reason']}),"
                    f" all evidence gives {counted.get(key)}",
                )

    def _events_by_person(self) -> dict[Person, list[CheckEvent]]:
        """The person an event speaks of: by the officer's last word on it or on the other half of its stay, the visit
        (unless another person is named), the person, the number, the check-in it ends, the roster."""
        people = {(row["tenant_id"], row["ref"]) for row in self.people}
        by_ref = {(row["tenant_id"], row["ref"]): row for row in self.visits}
        by_id = {_key(row): row for row in self.visits}
        numbers: dict[tuple[int, str], list[str]] = defaultdict(list)
        for row in self.phones:
            numbers[row["tenant_id"], row["phone"]].append(row["service_user_ref"])
        ruled = {(a["tenant_id"], a["event_id"]): a for a in self.amendments if a["event_id"] is not None}
        halves = self._other_halves(ruled)
        whose: dict[tuple[int, UUID], str | None] = {}
        # A check-out may follow its check-in, and no check-in follows anybody.
        for row in sorted(self.events, key=lambda row: row["kind"] == "check_out"):
            tenant, key = row["tenant_id"], (row["tenant_id"], row["event_id"])
            half = halves.get(key)
            ruling = ruled.get(key)
            if ruling is None and half is not None:
                ruling = ruled.get((tenant, half["event_id"]))
            if ruling is not None and ruling["kind"] == "reject":
                continue
            visit, said = by_ref.get((tenant, row["visit"])), row["service_user"]
            if (tenant, said) not in people:
                said = None
            if ruling is not None:
                whose[key] = by_id[tenant, ruling["visit_id"]]["service_user_ref"]
            elif visit is not None and said in (None, visit["service_user_ref"]):
                whose[key] = visit["service_user_ref"]
            elif said is not None:
                whose[key] = said
            elif len(numbers[tenant, row["cli"]]) == 1:
                whose[key] = numbers[tenant, row["cli"]][0]
            elif row["care_worker"] is not None and row["service_user"] is None and row["visit"] is None:
                ends = half is not None and row["kind"] == "check_out"
                whose[key] = whose.get((tenant, half["event_id"])) if ends and half else self._rostered(row)
        found: dict[Person, list[CheckEvent]] = defaultdict(list)
        for row in self.events:
            person = whose.get((row["tenant_id"], row["event_id"]))
            if person is not None:
                event = rows.check_event(_record(row), care_worker=row["care_worker"], service_user=person)
                found[row["tenant_id"], person].append(event)
        return found

    def _other_halves(self, ruled: Mapping[tuple[int, UUID], Row]) -> dict[tuple[int, UUID], Row]:
        """Each worker's check-in and the check-out just after it, unless they name different people or visits."""
        of_worker: dict[tuple[int, str], list[tuple[datetime, UUID, Row]]] = defaultdict(list)
        for row in self.events:
            ruling = ruled.get((row["tenant_id"], row["event_id"]))
            if row["care_worker"] is not None and (ruling is None or ruling["kind"] != "reject"):
                of_worker[row["tenant_id"], row["care_worker"]].append((_at(row), row["event_id"], row))
        halves: dict[tuple[int, UUID], Row] = {}
        for taps in of_worker.values():
            for (came_at, _, came), (left_at, _, left) in pairwise(sorted(taps, key=lambda tap: tap[:2])):
                if (
                    (came["kind"], left["kind"]) == ("check_in", "check_out")
                    and left_at - came_at <= LONGEST_STAY
                    and all(
                        came[name] is None or left[name] is None or came[name] == left[name]
                        for name in ("service_user", "visit")
                    )
                ):
                    halves[came["tenant_id"], came["event_id"]] = left
                    halves[left["tenant_id"], left["event_id"]] = came
        return halves

    def _rostered(self, event: Row) -> str | None:
        """Whom the worker was due to see, or to leave, nearest in time."""
        at, reach = _at(event), timedelta(hours=4)
        end = "planned_start" if event["kind"] == "check_in" else "planned_end"
        near = [
            (abs(row[end] - at), row["visit_id"], row["service_user_ref"])
            for row in self.visits
            if row["tenant_id"] == event["tenant_id"] and row["planned_start"] is not None
            and not row["cancelled"] and event["care_worker"] in row["care_worker_refs"]
            and row["planned_start"] - reach <= at <= row["planned_end"] + reach
        ]  # fmt: skip
        return min(near)[2] if near else None

    def _homes(self) -> dict[Person, tuple[list[list[Any]], tuple[str, ...]]]:
        places: dict[Person, list[list[Any]]] = defaultdict(list)
        for row in self.places:
            place = [row[name] for name in ("label", "lat", "lon", "fence_m", "polygon")]
            places[row["tenant_id"], row["service_user_ref"]].append(place)
        phones: dict[Person, list[str]] = defaultdict(list)
        for row in self.phones:
            phones[row["tenant_id"], row["service_user_ref"]].append(row["phone"])
        return {person: (places[person], tuple(phones[person])) for person in {*places, *phones}}

    def _trails(self) -> Any:
        """For a visit and its events: each worker's last event elsewhere before their first check-in here."""
        by_id = {(row["tenant_id"], row["event_id"]): row for row in self.events}
        of_worker: dict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in sorted(self.outcomes, key=lambda row: (row["occurred_at"], row["event_id"])):
            if row["care_worker_ref"] is not None and row["status"] != "rejected":
                of_worker[row["tenant_id"], row["care_worker_ref"]].append(row)

        def trail(key: VisitKey, events: Iterable[CheckEvent]) -> Iterator[CheckEvent]:
            first: dict[str, datetime] = {}
            for event in events:
                if event.kind is EventKind.CHECK_IN and event.care_worker is not None:
                    at = happened_at(event, DEFAULT)
                    first[event.care_worker] = min(at, first.get(event.care_worker, at))
            for worker, began_at in first.items():
                before = [
                    row
                    for row in of_worker[key[0], worker]
                    if began_at - LONGEST_STAY < row["occurred_at"] <= began_at and row["visit_id"] != key[1]
                ]
                if before:
                    row = by_id[key[0], before[-1]["event_id"]]
                    person = before[-1]["service_user_ref"]
                    yield rows.check_event(_record(row), care_worker=worker, service_user=person)

        return trail

    def _policy(self, visit: Row) -> Policy:
        """The contract row in force: the exact service first, then the newest."""
        fit = [
            (c["service"] != "*", c["valid_from"], c["contract_id"], c)
            for c in self.contracts
            if c["tenant_id"] == visit["tenant_id"] and c["provider_ref"] == visit["provider_ref"]
            and c["service"] in (visit["service"], "*") and c["valid_from"] <= visit["local_date"]
            and (c["valid_to"] is None or c["valid_to"] >= visit["local_date"])
        ]  # fmt: skip
        if not fit:
            return DEFAULT
        contract = max(fit, key=lambda each: each[:3])[3]
        number = contract["contract_id"]
        if number not in self._policies:
            rules = ContractRules.model_validate(contract["rules"])
            self._policies[number] = rules.policy(contract["ref"])
        return self._policies[number]

    # ------------------------------------------------------------------ transitions and alerts

    def _transitions(self) -> Iterator[Difference]:
        of_visit = _grouped(self.transitions, _key)
        for row in self.visits:
            passed = of_visit.get(_key(row), [])
            name = row["ref"]
            once = Counter((t["kind"], t["at"]) for t in passed if t["kind"] != "change")
            for (kind, at), times in once.items():
                if times > 1:
                    yield Difference("transition", f"{name}: {kind} due {at} recorded {times} times")
            for crossing in row["crossings"]:
                if (crossing["kind"], rows.time_of(crossing["deadline_at"])) not in once:
                    yield Difference("transition", f"{name}: {crossing} was never recorded")
            changes = sorted((t for t in passed if t["kind"] == "change"), key=lambda t: t["visit_version"])
            state = "planned"
            for change in changes:
                if change["from_state"] != state:
                    yield Difference(
                        "transition", f"{name}: from {change['from_state']} though it was {state}"
                    )
                state = change["to_state"]
            if state != row["state"]:
                yield Difference("transition", f"{name}: is {row['state']}, its changes end in {state}")

    def _alerts(self) -> Iterator[Difference]:
        tiers = {(row["tenant_id"], row["ref"]): row["risk_tier"] for row in self.people}
        received: dict[int, dict[str, str]] = defaultdict(dict)
        for row in self.events:
            received[row["tenant_id"]][str(row["event_id"])] = row["received_at"].isoformat()
        of_visit, said_of = _grouped(self.alerts, _key), _grouped(self.reports, _key)
        for row in self.visits:
            said = [_said(report) for report in said_of.get(_key(row), []) if report["kind"] in RINGING]
            known = [
                AlertNow(a["alert_id"], a["kind"], a["raised_for"], a["state"] == "stood_down")
                for a in of_visit.get(_key(row), [])
            ]
            for (kind, raised_for), times in Counter((a.kind, a.raised_for) for a in known).items():
                if times > 1:
                    yield Difference("alert", f"{row['ref']}: {kind} for {raised_for} raised {times} times")
            tenant = row["tenant_id"]
            as_text = {name: json.dumps(row[name]) for name in ("crossings", "findings", "attendances")}
            beside = {"risk_tier": tiers[tenant, row["service_user_ref"]], "received": received[tenant]}
            visit = dict(row) | as_text | beside | {"reports": json.dumps(said)}
            for action in decide(_visit_now(_record(visit)), known):
                yield Difference("alert", f"{row['ref']}: left undone: {action}")


def _visit_differences(row: Row, folded: rows.Written) -> Iterator[Difference]:
    for column in dataclasses.fields(folded):
        stored, fresh = row[column.name], getattr(folded, column.name)
        if stored != fresh:
            yield Difference("visit", f"{row['ref']}: {column.name} is {stored!r}, folded afresh {fresh!r}")


def _at(event: Row) -> datetime:
    return happened_at(rows.check_event(_record(event), care_worker=None, service_user=None), DEFAULT)


def _amendments(found: Sequence[Row]) -> tuple[Amendment, ...]:
    return tuple(rows.amendment(_record(row)) for row in found)


def _grouped(table: Iterable[Row], key: Any) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in table:
        groups[key(row)].append(row)
    return groups


def _key(row: Row) -> VisitKey:
    return row["tenant_id"], row["visit_id"]


def _record(row: Row) -> Any:
    """The service's readers ask for nothing that a mapping has not."""
    return row


def _said(report: Row) -> list[str | None]:
    return [report["kind"], report["occurred_at"].isoformat(), report["urgency"], report["care_worker_ref"]]
