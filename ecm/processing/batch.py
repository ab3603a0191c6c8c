"""One batch in one transaction, in the order it happens: lock, trace, load, allocate, record, assess, done.

People and workers are locked for the transaction, in sorted order, so two batches never look at one
neighbourhood at once and never deadlock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from ecm.processing import load
from ecm.processing.cases import Found, cases_of
from ecm.processing.claim import Claim, key_columns
from ecm.processing.contracts import Policies
from ecm.processing.halves import traced
from ecm.processing.load import EventKey, PersonKey, StoredEvent, VisitKey, columns
from ecm.processing.neighbourhood import Neighbourhood, Outcome
from ecm.processing.reassess import StaleVersion, reassess
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.visit.clocks import happened_at
from ecm.visit.matching import unplanned_ref
from ecm.visit.model import Amendment
from ecm.visit.policy import DEFAULT
from ecm.visit.stays import LONGEST_STAY, Stay

sql = load_queries(__package__, "processing.sql")

REACH = LONGEST_STAY + timedelta(hours=4)
"""How far a neighbourhood reaches: the longest stay and the matching window."""


@dataclass(slots=True)
class Batch:
    connection: Connection
    policies: Policies
    now: datetime
    work: Claim
    again: set[VisitKey] = field(default_factory=set)
    """Visits to be looked at again, because they lost evidence or their worker's trail changed."""
    arrive_again: set[EventKey] = field(default_factory=set)
    """Events to be settled again: their other half, or their visit, is not where it was."""

    async def run(self) -> None:
        await self._lock()
        await self._trace()
        await self._pass_over_the_cancelled()
        hoods = await self._load()
        touched = await self._allocate(hoods)
        await self._assess(hoods, touched | self.work.asked.keys())
        tenants, ids = columns(self.again - touched)
        event_tenants, event_ids = columns(self.arrive_again)
        await self.connection.execute(sql.done, self.work.todo_ids, tenants, ids, event_tenants, event_ids)

    async def _lock(self) -> None:
        workers = [(a.tenant_id, a.event.care_worker) for a in self.work.arrivals if a.event.care_worker]
        keys = lock_keys(self.work.people(), workers)
        await self.connection.execute(sql.lock_neighbourhoods, keys)

    async def _trace(self) -> None:
        """Those whose person hangs on another event, asked now that no other batch moves it. Raises StaleVersion when
        another batch holds the person found."""
        before = self.work.people()
        arrivals, again = await traced(self.connection, self.work.arrivals)
        self.work = replace(self.work, arrivals=arrivals)
        self.arrive_again |= again
        if found := self.work.people() - before:
            keys = lock_keys(found)
            if not await self.connection.fetchval(sql.try_lock_neighbourhoods, keys):
                raise StaleVersion

    async def _pass_over_the_cancelled(self) -> None:
        """Nobody is merged with a visit that is not to be: the one before is judged without it."""
        if self.work.asked:
            found = await self.connection.fetch(sql.pass_over, *columns(self.work.asked))
            self.again |= {(r["tenant_id"], r["visit_id"]) for r in found}

    # ------------------------------------------------------------------ load

    async def _load(self) -> dict[PersonKey, Neighbourhood]:
        spans = self.work.spans(REACH)
        open_events = await self._open_events(spans)
        wide = self.work.wide_people() | {person for person, _ in open_events}
        keys = self.work.visit_keys() | await self._visits_nearby({p: spans[p] for p in wide})
        visits = await load.visits(self.connection, keys)
        await self.policies.learn(self.connection, (row["contract_id"] for row in visits.values()))
        amendments = await load.amendments(self.connection, keys)
        events = await load.evidence(self.connection, keys, {event for _, event in open_events})
        hoods = self._neighbourhoods(visits, amendments, events)
        homes = await load.homes(self.connection, {person for person, hood in hoods.items() if hood.events})
        for person, home in homes.items():
            hoods[person].home = home
        return hoods

    async def _open_events(
        self, spans: dict[PersonKey, tuple[datetime, datetime]]
    ) -> set[tuple[PersonKey, EventKey]]:
        found = await self.connection.fetch(sql.inexplicit_nearby, *key_columns(spans))
        return {((r["tenant_id"], r["service_user_ref"]), (r["tenant_id"], r["event_id"])) for r in found}

    async def _visits_nearby(self, spans: dict[PersonKey, tuple[datetime, datetime]]) -> set[VisitKey]:
        if not spans:
            return set()
        found = await self.connection.fetch(sql.visits_nearby, *key_columns(spans))
        return {(r["tenant_id"], r["visit_id"]) for r in found}

    def _neighbourhoods(
        self,
        visits: dict[VisitKey, Record],
        amendments: dict[VisitKey, list[Amendment]],
        events: dict[EventKey, StoredEvent],
    ) -> dict[PersonKey, Neighbourhood]:
        """Each event in one neighbourhood: what arrived by the claim's word, the rest where it was settled.

        A link on one of these visits says nothing about an event that is settled elsewhere: a later link may have
        taken it there. When it is made or overruled, its event arrives again. So does one whose visit is another
        person's now: that person's neighbourhood is not loaded.
        """
        hoods: dict[PersonKey, Neighbourhood] = defaultdict(lambda: Neighbourhood(self.policies))
        for (tenant_id, visit_id), row in visits.items():
            person = (tenant_id, row["service_user_ref"])
            hoods[person].visits[visit_id] = row
            for added in amendments.get((tenant_id, visit_id), ()):
                hoods[person].amendments.setdefault(visit_id, []).append(added)
        arriving = {(arrival.tenant_id, arrival.event.event_id) for arrival in self.work.arrivals}
        mine = self.work.people() | hoods.keys()
        for (tenant_id, event_id), stored in events.items():
            if (tenant_id, event_id) in arriving:
                continue
            person = (tenant_id, stored.event.service_user or "")
            if person in mine:
                hoods[person].events[event_id] = stored
            else:
                self.arrive_again.add((tenant_id, event_id))
        for arrival in self.work.arrivals:
            if arrival.person is not None:
                hood = hoods[arrival.tenant_id, arrival.person]
                event_id = arrival.event.event_id
                hood.events[event_id] = StoredEvent(arrival.event, arrival.counted_for)
                hood.arrived.add(event_id)
        return hoods

    # ------------------------------------------------------------------ allocate and record

    async def _allocate(self, hoods: dict[PersonKey, Neighbourhood]) -> set[VisitKey]:
        """Shares evidence out and records what became of it; the visits whose evidence is not what it was."""
        touched: set[VisitKey] = set()
        outcomes = [
            (a.tenant_id, Outcome(a.event, None, a.status, a.reason, False))
            for a in self.work.arrivals
            if a.person is None
        ]
        self.again |= {
            (a.tenant_id, a.counted_for)
            for a in self.work.arrivals
            if a.person is None and a.counted_for is not None
        }
        for (tenant_id, person), hood in hoods.items():
            if hood.events:
                settled = await self._settle(tenant_id, person, hood)
                outcomes += [(tenant_id, outcome) for outcome in settled]
                here, elsewhere = hood.moved(settled)
                touched |= {(tenant_id, v) for v in here}
                self.again |= {(tenant_id, v) for v in elsewhere}
        await self._record(outcomes)
        return touched

    async def _settle(self, tenant_id: int, person: str, hood: Neighbourhood) -> list[Outcome]:
        """One person's events; an attendance nobody planned gets a visit of its own first.

        What lost its visit and did not arrive is not settled here but arrives again: the visit may have moved to
        another day, and what else was planned about the time of the event is not loaded.
        """
        shared = hood.allocate()
        if lost := hood.lost(shared):
            self.arrive_again |= {(tenant_id, event_id) for event_id in lost}
            hood.leave(lost)
            shared = hood.allocate()
        providers = await self._providers(tenant_id, shared.unplanned)
        known = {
            stay: providers[stay.care_worker] for stay in shared.unplanned if stay.care_worker in providers
        }
        if known:
            await self._add_unplanned(tenant_id, person, hood, known)
            shared = hood.allocate()
        return hood.outcomes(shared, shared.unplanned)

    async def _providers(self, tenant_id: int, stays: Iterable[Stay]) -> dict[str | None, str]:
        workers = {stay.care_worker for stay in stays}
        if not workers:
            return {}
        found = await self.connection.fetch(sql.providers_of, *columns((tenant_id, w) for w in workers))
        return {r["care_worker"]: r["provider_ref"] for r in found}

    async def _add_unplanned(
        self, tenant_id: int, person: str, hood: Neighbourhood, known: dict[Stay, str]
    ) -> None:
        stays = list(known)
        found = await self.connection.fetch(
            sql.add_unplanned,
            [tenant_id] * len(stays),
            [unplanned_ref(stay) for stay in stays],
            [person] * len(stays),
            list(known.values()),
            [stay.anchor for stay in stays],
        )
        added = await load.visits(self.connection, {(r["tenant_id"], r["visit_id"]) for r in found})
        await self.policies.learn(self.connection, (row["contract_id"] for row in added.values()))
        hood.visits |= {visit_id: row for (_, visit_id), row in added.items()}

    async def _record(self, outcomes: list[tuple[int, Outcome]]) -> None:
        if not outcomes:
            return
        found = await self.connection.fetch(
            sql.record_outcomes,
            [t for t, _ in outcomes],
            [o.event.event_id for _, o in outcomes],
            [happened_at(o.event, DEFAULT) for _, o in outcomes],
            [o.event.service_user for _, o in outcomes],
            [o.event.care_worker for _, o in outcomes],
            [o.visit_id for _, o in outcomes],
            [o.status for _, o in outcomes],
            [o.reason for _, o in outcomes],
            [o.explicit for _, o in outcomes],
            self.now,
            LONGEST_STAY,
        )
        self.again |= {(r["tenant_id"], r["visit_id"]) for r in found}

    # ------------------------------------------------------------------ assess

    async def _assess(self, hoods: dict[PersonKey, Neighbourhood], wanted: set[VisitKey]) -> None:
        found = [
            Found(row, hood.plan(visit_id), hood.evidence.get(visit_id, ()), hood.amended(visit_id))
            for person, hood in hoods.items()
            for visit_id, row in hood.visits.items()
            if (person[0], visit_id) in wanted
        ]
        cases = await cases_of(self.connection, self.policies, found, touched=wanted)
        await reassess(self.connection, cases, self.work.as_of(self.now), self.now)


def lock_keys(people: Iterable[PersonKey], workers: Iterable[tuple[int, str]] = ()) -> list[int]:
    """What `lock_neighbourhoods` takes: whoever works out these people's visits waits for one another."""
    return [
        *(_lock_key(f"person/{tenant}/{person}") for tenant, person in people),
        *(_lock_key(f"worker/{tenant}/{worker}") for tenant, worker in workers),
    ]


def _lock_key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
