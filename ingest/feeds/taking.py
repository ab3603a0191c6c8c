"""A transaction of another system: each record judged by what the database knows, its calls recorded, and kept.

What is recorded is committed before the transaction is, and each call's id is made from what cannot differ
(`sandata.read`). So whoever never got an answer sends the same again: nothing is lost and nothing doubled.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ecm.errors import NotPermitted
from ecm.permit import Actor
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ingest.feeds import sandata
from ingest.feeds.sandata import FEED, Punch, Reason, Record
from ingest.keys import KeyHolder
from ingest.recorder import Recorder

sql = load_queries(__package__, "feeds.sql")

# Few enough that the check-ins of others do not wait for a long feed.
RECORDED_AT_ONCE = 100
OVERTAKEN = "SequenceID should be higher than {highest}, the last one accepted"


_Told = dict[tuple[str, str], str]
"""Our reference, by the provider and its own id."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A record with what the database knows of it."""

    record: Record
    reasons: tuple[Reason, ...]
    our_ref: str | None = None
    new: tuple[tuple[Punch, dict[str, Any]], ...] = ()
    """What is to be recorded: each punch with its whole event."""
    overtaken: bool = False

    @property
    def status(self) -> str:
        return "rejected" if any(reason.wrong for reason in self.reasons) else "accepted"


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look at the database told of a whole transaction."""

    ours: frozenset[str]
    workers: frozenset[str]
    visits: frozenset[str]
    person_told: _Told
    worker_told: _Told
    phones: dict[str, set[str]]
    sequences: dict[str, int]
    before: dict[UUID, Any]

    def person(self, names: Iterable[str], provider: str = "") -> str | None:
        return _first(names, provider, self.ours, self.person_told)

    def worker(self, names: Iterable[str], provider: str = "") -> str | None:
        return _first(names, provider, self.workers, self.worker_told)


def _first(names: Iterable[str], provider: str, ours: frozenset[str], told: _Told) -> str | None:
    every = tuple(names)
    return next((name for name in every if name in ours), None) or next(
        (told[provider, name] for name in every if (provider, name) in told), None
    )


@dataclass(frozen=True, slots=True)
class Taking:
    """`web`: role ecm_web."""

    web: Database
    recorder: Recorder
    who: Actor
    kind: str
    received_at: datetime

    async def take(self, transaction_id: UUID, records: Sequence[Record]) -> None:
        """Records the calls, then keeps the transaction. Raises Unavailable: then the client sends it again."""
        async with self.web.locked(self.who.lock) as connection:
            if not await connection.fetchval(sql.may_record):
                raise NotPermitted
            known = await self._look_up(connection, records)
        judged = await self._record(await asyncio.to_thread(self._judge, records, known))
        async with self.web.locked(self.who.lock) as connection:
            await connection.execute(sql.one_at_a_time, self.who.tenant_id, FEED)
            sequences = await self._sequences(connection, records)
            judged = [_in_order(each, sequences) for each in judged]
            await self._keep(connection, transaction_id, judged)

    async def _look_up(self, connection: Connection, records: Sequence[Record]) -> _Known:
        tenant_id = self.who.tenant_id
        visits = [record.visit for record in records if record.visit is not None]
        people = {name for visit in visits for name in visit.people}
        workers = {name for visit in visits for name in visit.workers}
        if self.kind == "client":
            people = {name for record in records for name in record.known_as}
        elif self.kind == "employee":
            workers = {name for record in records for name in record.known_as}
        ours = frozenset(row["ref"] for row in await connection.fetch(sql.people_known, tenant_id, [*people]))
        of_ours = frozenset(
            row["ref"] for row in await connection.fetch(sql.workers_known, tenant_id, [*workers])
        )
        theirs = {(visit.provider, name) for visit in visits for name in visit.people if name not in ours}
        person_told = await self._told(connection, "client", theirs)
        theirs = {(visit.provider, name) for visit in visits for name in visit.workers if name not in of_ours}
        worker_told = await self._told(connection, "employee", theirs)
        visit_refs = [visit.visit_ref for visit in visits]
        ids = [punch.event_id for visit in visits for punch in visit.punches]
        phones: dict[str, set[str]] = {}
        for row in await connection.fetch(sql.phones_of, tenant_id, [*ours, *person_told.values()]):
            phones.setdefault(row["service_user_ref"], set()).add(row["phone"])
        return _Known(
            ours,
            of_ours,
            frozenset(row["ref"] for row in await connection.fetch(sql.visits_known, tenant_id, visit_refs)),
            person_told,
            worker_told,
            phones,
            await self._sequences(connection, records),
            {
                row["event_id"]: _said_before(row["body"])
                for row in await connection.fetch(sql.events_before, tenant_id, ids)
            },
        )

    async def _told(self, connection: Connection, kind: str, names: set[tuple[str, str]]) -> _Told:
        if not names:
            return {}
        providers, said = zip(*names, strict=True)
        rows = await connection.fetch(
            sql.names_told, self.who.tenant_id, FEED, kind, list(providers), list(said)
        )
        return {(row["provider"], row["said"]): row["our_ref"] for row in rows}

    async def _sequences(self, connection: Connection, records: Sequence[Record]) -> dict[str, int]:
        ids = list({record.record_id for record in records if record.record_id})
        rows = await connection.fetch(sql.sequences, self.who.tenant_id, FEED, self.kind, ids)
        return {row["record_id"]: row["sequence_id"] for row in rows}

    def _judge(self, records: Sequence[Record], known: _Known) -> list[_Judged]:
        every: list[_Judged] = []
        sequences, before = dict(known.sequences), dict(known.before)
        for record in records:
            judged = _in_order(_Judged(record, record.reasons), sequences)
            if record.visit is not None and not judged.overtaken:
                judged = _of_visit(judged, known, before)
            elif self.kind == "client" and record.known_as:
                judged = _of_reference(judged, known.person(record.known_as), sandata.UNKNOWN_CLIENT)
            elif self.kind == "employee" and record.known_as:
                judged = _of_reference(judged, known.worker(record.known_as), sandata.UNKNOWN_EMPLOYEE)
            every.append(judged)
        return every

    async def _record(self, judged: list[_Judged]) -> list[_Judged]:
        """Each new call through the same road as any check event. The committed ones say so; a misfit is told."""
        holder = KeyHolder(self.who.lock.tenant_id, self.who.id, self.who.name, may_record=True)
        todo = [(place, punch, event) for place, each in enumerate(judged) for punch, event in each.new]
        for start in range(0, len(todo), RECORDED_AT_ONCE):
            some = todo[start : start + RECORDED_AT_ONCE]
            outcomes = await asyncio.gather(
                *(self.recorder.record(holder, event, punch.proofs) for _, punch, event in some)
            )
            for (place, punch, _), outcome in zip(some, outcomes, strict=True):
                if not outcome.stored:
                    words = f"call {_name_of(punch)}: {outcome.reason}"
                    each = judged[place]
                    judged[place] = replace(each, reasons=(*each.reasons, Reason(words, wrong=True)))
        return judged

    async def _keep(self, connection: Connection, transaction_id: UUID, judged: list[_Judged]) -> None:
        columns = await asyncio.to_thread(_columns, judged)
        await connection.execute(
            sql.keep,
            self.who.tenant_id,
            transaction_id,
            FEED,
            self.kind,
            self.received_at,
            self.who.id,
            *columns,
        )


def _columns(judged: Sequence[_Judged]) -> list[list[Any]]:
    rows = [
        (
            each.record.record_id,
            each.record.sequence_id,
            each.status,
            json.dumps([reason.as_json() for reason in each.reasons]),
            json.dumps(each.record.known_as),
            each.our_ref,
            json.dumps(each.record.body),
        )
        for each in judged
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _in_order(judged: _Judged, sequences: dict[str, int]) -> _Judged:
    """Overtaken unless its SequenceID is higher than any accepted before; if accepted, it then is the highest."""
    record = judged.record
    if not record.record_id or judged.overtaken:
        return judged
    highest = sequences.get(record.record_id)
    if highest is not None and record.sequence_id <= highest:
        late = Reason(OVERTAKEN.format(highest=highest), wrong=True)
        return replace(judged, reasons=(*judged.reasons, late), overtaken=True)
    if judged.status == "accepted":
        sequences[record.record_id] = record.sequence_id
    return judged


def _of_reference(judged: _Judged, our_ref: str | None, exception: int) -> _Judged:
    if our_ref is not None:
        return replace(judged, our_ref=our_ref)
    unknown = Reason(sandata.EXCEPTIONS[exception], exception)
    return replace(judged, reasons=(*judged.reasons, unknown))


def _of_visit(judged: _Judged, known: _Known, before: dict[UUID, Any]) -> _Judged:
    visit = judged.record.visit
    assert visit is not None
    person, worker = known.person(visit.people, visit.provider), known.worker(visit.workers, visit.provider)
    reasons = [
        *judged.reasons,
        *sandata.exceptions(
            visit,
            person_known=person is not None,
            worker_known=worker is not None,
            phones=known.phones.get(person or "", ()),
        ),
    ]
    new = []
    for punch in visit.punches:
        if punch.event_id in before:
            if before[punch.event_id] != punch.said:
                words = f"call {_name_of(punch)} was sent before and says something else; calls do not change"
                reasons.append(Reason(words, wrong=True))
            continue
        before[punch.event_id] = punch.said
        event = punch.event | {
            "care_worker": worker or next(iter(visit.workers), None),
            "service_user": person or next(iter(visit.people), None),
            "visit": visit.visit_ref if visit.visit_ref in known.visits else None,
            FEED: punch.said,
        }
        new.append((punch, {name: value for name, value in event.items() if value is not None}))
    return replace(judged, reasons=tuple(reasons), our_ref=person, new=tuple(new))


def _name_of(punch: Punch) -> str:
    return str(punch.said.get("CallExternalID", "adjusted"))


def _said_before(body: str) -> Any:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said.get(FEED) if isinstance(said, dict) else None
