"""To-dos claimed, and each arrived event traced to its person.

The person an event speaks of, by the first of these that answers:

    1. an officer's link: of the event, or of the other half of its stay
    2. the visit it names, unless that is one of another person whom it names too
    3. the person it names
    4. the number it rang from
    5. the check-in it ends, or the worker's own roster at that time

The first four are read here; what hangs on another event in `ecm.processing.halves`. An event that names nobody we know
waits unmatched, with its reason, until an officer links it or an import makes it understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ecm.processing import rows
from ecm.processing.load import PersonKey, VisitKey
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.clocks import happened_at
from ecm.visit.model import CheckEvent
from ecm.visit.policy import DEFAULT

sql = load_queries(__package__, "processing.sql")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event to be settled. `visit_id` is the visit it names or is linked to, if there is one."""

    tenant_id: int
    event: CheckEvent
    person: str | None
    visit_id: int | None
    counted_for: int | None
    """The visit it counted towards until now, when it is being settled again."""
    status: str = "unmatched"
    reason: str = ""
    names_nobody: bool = False
    """It was sent without a person and without a visit. One it names that we do not know is nobody else's."""
    said_person: str | None = None
    ruling: str | None = None
    """What an officer said of it: link, reject or nothing."""
    before: tuple[str | None, bool] | None = None
    """Whose it was until now, and whether it was rejected."""

    @property
    def explicit(self) -> bool:
        return self.visit_id is not None

    @property
    def waits_for_roster(self) -> bool:
        """It says who, but not where."""
        return self.names_nobody and self.ruling is None

    @property
    def is_changed(self) -> bool:
        return self.before != (self.person, self.status == "rejected")

    def at_person(self, person: str, visit_id: int | None = None) -> Arrival:
        event = replace(self.event, service_user=person)
        return replace(self, person=person, visit_id=visit_id, event=event, status="", reason="")

    @property
    def at(self) -> datetime:
        """When it happened, as far as its clock can be believed: where the neighbourhood is looked for."""
        return happened_at(self.event, DEFAULT)


@dataclass(frozen=True, slots=True)
class Claim:
    """The to-dos of one batch: events that arrived, and visits that asked to be looked at again."""

    todo_ids: list[int]
    arrivals: list[Arrival]
    asked: dict[VisitKey, PersonKey]
    asked_around: dict[VisitKey, datetime]
    others_wait_since: datetime | None = None
    """The receipt of the oldest evidence that another batch holds, or that nobody has claimed yet."""

    def as_of(self, now: datetime) -> datetime:
        """The instant to assess at: the latest receipt among the arrivals, but not after evidence that still waits.

        A deadline that passed since then is the watcher's to judge, which gives up waiting for whatever is stuck.
        """
        latest = max((a.event.received_at for a in self.arrivals), default=now)
        return min(now, latest, self.others_wait_since or now)

    def people(self) -> set[PersonKey]:
        return {(a.tenant_id, a.person) for a in self.arrivals if a.person} | set(self.asked.values())

    def wide_people(self) -> set[PersonKey]:
        """Those whose event did not name its visit: any visit nearby may be meant."""
        return {(a.tenant_id, a.person) for a in self.arrivals if a.person and not a.explicit}

    def visit_keys(self) -> set[VisitKey]:
        return {(a.tenant_id, a.visit_id) for a in self.arrivals if a.visit_id is not None} | set(self.asked)

    def spans(self, reach: timedelta) -> dict[PersonKey, tuple[datetime, datetime]]:
        """For each person, the time around what is asked."""
        instants: list[tuple[PersonKey, datetime]] = [
            ((a.tenant_id, a.person), a.at) for a in self.arrivals if a.person
        ]
        instants += [(person, self.asked_around[key]) for key, person in self.asked.items()]
        spans: dict[PersonKey, tuple[datetime, datetime]] = {}
        for person, at in instants:
            since, until = spans.get(person, (at, at))
            spans[person] = (min(since, at), max(until, at))
        return {p: (_minus(since, reach), _plus(until, reach)) for p, (since, until) in spans.items()}


async def claim(connection: Connection, limit: int) -> Claim:
    """Up to `limit` to-dos, held until the transaction ends."""
    found = await connection.fetch(sql.claim, datetime.now(UTC), limit)
    arrivals = [_arrival(row) for row in found if row["event_id"] is not None]
    asked = [row for row in found if row["event_id"] is None and row["visit_id"] is not None]
    return Claim(
        todo_ids=[row["todo_id"] for row in found],
        arrivals=list({(a.tenant_id, a.event.event_id): a for a in arrivals}.values()),
        asked={(r["tenant_id"], r["visit_id"]): (r["tenant_id"], r["service_user_ref"]) for r in asked},
        asked_around={(r["tenant_id"], r["visit_id"]): r["window_start"] for r in asked},
        others_wait_since=found[0]["others_wait_since"] if found else None,
    )


def _arrival(row: Record) -> Arrival:
    person, visit_id, status, reason = _person(row)
    event = rows.check_event(row, care_worker=row["care_worker"], service_user=person)
    before = None
    if row["earlier_status"] is not None:
        before = row["earlier_service_user"], row["earlier_status"] == "rejected"
    return Arrival(
        row["tenant_id"],
        event,
        person,
        visit_id,
        row["counted_for"],
        status,
        reason,
        names_nobody=row["service_user"] is None and row["visit"] is None,
        said_person=row["service_user"],
        ruling=row["ruling"],
        before=before,
    )


def _person(row: Record) -> tuple[str | None, int | None, str, str]:
    """(person, visit_id, status and reason if there is no person)."""
    if row["ruling"] == "reject":
        return None, None, "rejected", "set aside by an officer"
    if row["ruling"] == "link" and row["ruled_service_user"]:
        return row["ruled_service_user"], row["ruled_visit_id"], "", ""
    named = row["known_service_user"]
    if row["visit_id"] is not None and named in (None, row["service_user_ref"]):
        return row["service_user_ref"], row["visit_id"], "", ""
    if row["known_service_user"] is not None:
        return row["known_service_user"], None, "", ""
    numbers: list[str] = row["cli_service_users"] or []
    if len(numbers) == 1:
        return numbers[0], None, "", ""
    return None, None, "unmatched", _why_nobody(row, numbers)


def _why_nobody(row: Record, numbers: list[str]) -> str:
    if numbers:
        return "several people share the number it rang from"
    if row["service_user"] is not None:
        return "the person is not known"
    if row["visit"] is not None:
        return "the visit it names is not known"
    if row["cli"] is not None:
        return "the number it rang from is not known"
    return "it names no person and no visit"


_EARLIEST, _LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def _minus(at: datetime, reach: timedelta) -> datetime:
    return max(at, _EARLIEST) - reach


def _plus(at: datetime, reach: timedelta) -> datetime:
    return min(at, _LATEST) + reach


def key_columns(spans: dict[PersonKey, tuple[datetime, datetime]]) -> tuple[list[object], ...]:
    items: Iterable[tuple[PersonKey, tuple[datetime, datetime]]] = spans.items()
    table = [(t, person, since, until) for (t, person), (since, until) in items]
    return tuple(list(c) for c in zip(*table, strict=True)) if table else ([], [], [], [])
