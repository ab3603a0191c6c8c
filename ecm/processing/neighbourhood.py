"""One person around a time: the visits, the events and what officers said of them, shared out afresh.

Events that name their visit stay with it and need only that visit. An event that does not name one may belong to
any of the person's visits nearby, and may move when its other half arrives; then all of them are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from ecm.processing import rows
from ecm.processing.contracts import Policies
from ecm.processing.load import NOWHERE, Home, StoredEvent
from ecm.store.db import Record
from ecm.visit.matching import Allocation, allocate
from ecm.visit.model import Amendment, CheckEvent, Visit
from ecm.visit.policy import Policy
from ecm.visit.stays import Stay


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event."""

    event: CheckEvent
    visit_id: int | None
    status: str
    reason: str
    explicit: bool


@dataclass(slots=True)
class Neighbourhood:
    policies: Policies
    home: Home = NOWHERE
    visits: dict[int, Record] = field(default_factory=dict)
    events: dict[UUID, StoredEvent] = field(default_factory=dict)
    amendments: dict[int | None, list[Amendment]] = field(default_factory=dict)
    arrived: set[UUID] = field(default_factory=set)
    evidence: dict[int, tuple[CheckEvent, ...]] = field(default_factory=dict)
    _plans: dict[int, Visit] = field(default_factory=dict)

    def plan(self, visit_id: int) -> Visit:
        """A visit with its home."""
        known = self._plans.get(visit_id)
        if known is None:
            row = self.visits[visit_id]
            places = self.home.located(self.policies.of(row["contract_id"]).fence_m)
            known = self._plans[visit_id] = rows.visit(row, places, self.home.phones)
        return known

    def amended(self, visit_id: int) -> tuple[Amendment, ...]:
        return tuple(self.amendments.get(visit_id, ()))

    def allocate(self) -> Allocation:
        """Shares the events out; the answer is kept as `evidence` and returned."""

        def policy(visit: Visit) -> Policy:
            return self.policies.of(self.visits[visit.visit_id]["contract_id"])

        plans = [self.plan(visit_id) for visit_id in self.visits]
        shared = allocate(plans, [s.event for s in self.events.values()], self.amendments, policy)
        self.evidence = shared.by_visit
        return shared

    def lost(self, shared: Allocation) -> set[UUID]:
        """What counted for a visit and counts for none now, without being half of a stay that just arrived."""
        arrived = {
            event.event_id
            for stay in shared.unplanned
            if any(event.event_id in self.arrived for event in stay.events)
            for event in stay.events
        }
        return {
            event_id
            for event_id, stored in self.events.items()
            if event_id not in self.arrived | arrived
            and stored.visit_id is not None
            and shared.matches[event_id].visit_id is None
            and not shared.matches[event_id].explicit
            and not shared.matches[event_id].rejected
        }

    def leave(self, events: set[UUID]) -> None:
        for event_id in events:
            del self.events[event_id]

    def outcomes(self, shared: Allocation, strangers: tuple[Stay, ...]) -> list[Outcome]:
        """What became of each event that arrived or moved. `strangers`: stays of workers we do not know."""
        unknown = {event.event_id for stay in strangers for event in stay.events}
        found = []
        for event_id, stored in self.events.items():
            match = shared.matches[event_id]
            if event_id not in self.arrived and match.visit_id == stored.visit_id:
                continue
            if match.explicit and match.visit_id is None and not match.rejected:
                continue  # linked to a visit that is not of this neighbourhood, which settles it
            event = stored.event
            if match.visit_id is not None:
                named = match.explicit and self._names(event, match.visit_id)
                found.append(Outcome(event, match.visit_id, "matched", match.reason, named))
            elif match.rejected:
                found.append(Outcome(event, None, "rejected", match.reason, True))
            else:
                reason = "the care worker is not known" if event_id in unknown else match.reason
                found.append(Outcome(event, None, "unmatched", reason, False))
        return found

    def moved(self, outcomes: list[Outcome]) -> tuple[set[int], set[int]]:
        """(visits here whose evidence is not what it was, visits elsewhere that lost evidence)."""
        here: set[int] = set()
        elsewhere: set[int] = set()
        for outcome in outcomes:
            if outcome.visit_id is not None:
                here.add(outcome.visit_id)
            before = self.events[outcome.event.event_id].visit_id
            if before is not None and before != outcome.visit_id:
                (here if before in self.visits else elsewhere).add(before)
        return here, elsewhere

    def _names(self, event: CheckEvent, visit_id: int) -> bool:
        """Whether the event itself, and not its other half, was named or linked to the visit."""
        linked = any(a.event_id == event.event_id for a in self.amendments.get(visit_id, ()))
        return linked or event.visit_ref == self.visits[visit_id]["ref"]
