"""Transaction 3: visits that changed become alerts, and alerts become deliveries to people.

A to-do row says only that a visit may have an alert to raise or to stand down; what to do is decided from the
visit as it now stands. Claiming, deciding and writing are one transaction: whatever kills it, the to-do is
still there, and doing it again ends in the same alerts. Nothing is sent here (alerts.sender does that).
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.rules import (
    TAKES_OVER,
    Action,
    AlertNow,
    Known,
    Raise,
    Reopen,
    StandDown,
    VisitNow,
    concerns,
    decide,
)
from alerts.said import KINDS, Report
from ecm.clock import Clock
from ecm.errors import EcmError
from ecm.settings import Settings
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ecm.visit.model import Crossing, DeadlineKind, Finding, FindingCode, State

sql = load_queries(__package__, "alerts.sql")
log = logging.getLogger(__name__)

PROOF_SECONDS = 5
"""How often, in real time, a worker proves that an alarm would get through."""

TOO_OLD_TO_TELL = timedelta(hours=24)
"""What was due longer ago is history, as when last month's visits are imported: it goes on record, it wakes nobody.
What a phone says is news when we hear it: nobody imports it, and its clock may be days slow."""

TELL_NOBODY = "[]"

VisitKey = tuple[int, int]

_TAKES_OVER = [kind.value for kind in TAKES_OVER], [later.value for later, _ in TAKES_OVER.values()]


class AlertWorker:
    def __init__(
        self, db: Database, clock: Clock, _settings: Settings | None = None, *, batch: int = 1000
    ) -> None:
        self._db = db
        self._clock = clock
        self._batch = batch
        self._proved_at = datetime.min.replace(tzinfo=UTC)
        self._process = f"worker {socket.gethostname()} {os.getpid()}"

    async def step(self) -> bool:
        """Does up to a batch of to-dos. True if there were any. Raises DatabaseAway."""
        try:
            done = await self._attempt(self._batch, [])
        except EcmError:
            raise
        except Exception:
            log.exception("a batch of alerts could not be written; taking its rows one by one")
            done = await self._one_by_one()
        await self._prove_path()
        return done > 0

    async def _attempt(self, limit: int, claimed: list[int]) -> int:
        now = self._clock.now()
        async with self._db.transaction() as connection:
            todos = await connection.fetch(sql.claim, datetime.now(UTC), limit)
            claimed += [todo["todo_id"] for todo in todos]
            if todos:
                await _decide_and_write(connection, todos, now)
            return len(todos)

    async def _one_by_one(self) -> int:
        """Finds the poison row of a failing batch: the others go through, it is put off and reported."""
        done = 0
        for _ in range(self._batch):
            claimed: list[int] = []
            try:
                if not await self._attempt(1, claimed):
                    break
            except EcmError:
                raise
            except Exception as error:
                if not claimed:
                    raise
                async with self._db.transaction() as connection:
                    await _put_off(connection, claimed[0], error)
            done += 1
        return done

    async def _prove_path(self) -> None:
        """Every few seconds: decides a made-up missed visit, and looks whether anything is stuck on the way.

        The proof is left out while something is, so that the board can tell a quiet day from a broken alarm and the
        health page can wake somebody.
        """
        real_now = datetime.now(UTC)
        if (real_now - self._proved_at).total_seconds() < PROOF_SECONDS:
            return
        self._proved_at = real_now
        now = self._clock.now()
        async with self._db.transaction() as connection:
            clear = await connection.fetchval(sql.path_is_clear, real_now, now, max(1.0, self._clock.speed))
            if clear and _would_ring(now):
                await connection.execute(sql.prove_path, self._process, real_now, now)


def _would_ring(now: datetime) -> bool:
    nobody_came = VisitNow("UTC", now, State.MISSED, crossings=(Crossing(DeadlineKind.MISSED, now),))
    return any(
        isinstance(action, Raise) and action.severity == "critical" for action in decide(nobody_came, ())
    )


@dataclass(slots=True)
class _Write:
    """What one batch writes, a row for each alert."""

    contacts: Mapping[int, Sequence[Record]]
    tell_from: datetime
    ladders: dict[tuple[int, str, str], str] = field(default_factory=dict)
    raises: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)


async def _decide_and_write(connection: Connection, todos: Sequence[Record], now: datetime) -> None:
    todo_ids: dict[VisitKey, list[int]] = {}
    for todo in todos:
        todo_ids.setdefault((todo["tenant_id"], todo["visit_id"]), []).append(todo["todo_id"])
    tenants, visit_ids = zip(*todo_ids, strict=True)
    await connection.execute(sql.take_turns, list(tenants))
    visits = await connection.fetch(sql.visits, tenants, visit_ids, KINDS)
    alerts: dict[VisitKey, list[AlertNow]] = {}
    rang: list[tuple[int, int]] = []
    for row in await connection.fetch(sql.known_alerts, tenants, visit_ids):
        stood_down = row["state"] == "stood_down"
        known = AlertNow(row["alert_id"], row["kind"], row["raised_for"], stood_down)
        alerts.setdefault((row["tenant_id"], row["visit_id"]), []).append(known)
        if row["state"] == "open":
            rang.append((row["tenant_id"], row["alert_id"]))
    contacts: dict[int, list[Record]] = {}
    for row in await connection.fetch(sql.contacts, sorted(set(tenants))):
        contacts.setdefault(row["tenant_id"], []).append(row)

    write = _Write(contacts, tell_from=now - TOO_OLD_TO_TELL)
    for visit in visits:
        key = visit["tenant_id"], visit["visit_id"]
        try:
            actions = decide(_visit_now(visit), alerts.get(key, ()))
        except Exception as error:
            log.exception("visit %s of tenant %s could not be decided", key[1], key[0])
            for todo_id in todo_ids.pop(key):
                await _put_off(connection, todo_id, error)
            continue
        _note(write, visit, actions)
    write.done = [todo_id for ids in todo_ids.values() for todo_id in ids]
    raises, changes = _columns(write.raises, 9), _columns(write.changes, 4)
    await connection.execute(
        sql.write, *raises, *changes, now, write.done, *_TAKES_OVER, write.tell_from, KINDS
    )
    if rang:
        await connection.execute(sql.climb_again, *_columns(rang, 2), now, write.tell_from, KINDS)


def _note(write: _Write, visit: Record, actions: Sequence[Action]) -> None:
    """Adds one visit's actions to what the batch writes."""
    for action in actions:
        match action:
            case Raise():
                ladder = _ladder(write, visit["tenant_id"], visit["provider_ref"], action.severity)
                write.raises.append(
                    (
                        visit["tenant_id"],
                        visit["visit_id"],
                        visit["provider_ref"],
                        action.kind,
                        action.raised_for,
                        action.severity,
                        action.reason,
                        ladder if _is_news(action, write.tell_from) else TELL_NOBODY,
                        action.over,
                    )
                )
            case StandDown():
                write.changes.append((visit["tenant_id"], action.alert_id, action.reason, action.taken_over))
            case Reopen():
                write.changes.append((visit["tenant_id"], action.alert_id, None, False))


def _is_news(action: Raise, tell_from: datetime) -> bool:
    return action.kind in KINDS or action.raised_for >= tell_from


def _ladder(write: _Write, tenant_id: int, provider: str, severity: str) -> str:
    """Who is told of an alert, and when: frozen into it, so that a later change of contacts rewrites nothing."""
    ladder = write.ladders.get((tenant_id, provider, severity))
    if ladder is None:
        steps = [
            {name: contact[name] for name in ("channel", "address", "after_minutes")}
            for contact in write.contacts.get(tenant_id, ())
            if contact["provider_ref"] in (None, provider) and concerns(contact["min_severity"], severity)
        ]
        ladder = write.ladders[tenant_id, provider, severity] = json.dumps(steps)
    return ladder


def _visit_now(row: Record) -> VisitNow:
    received = row["received"] or {}
    attendances = _listed(row["attendances"])
    return VisitNow(
        zone=row["zone"],
        window_start=row["window_start"],
        state=State(row["state"]),
        risk_tier=row["risk_tier"],
        time_critical=row["time_critical"],
        carers_required=row["carers_required"],
        crossings=tuple(
            Crossing(DeadlineKind(c["kind"]), datetime.fromisoformat(c["deadline_at"]))
            for c in _listed(row["crossings"])
        ),
        findings=tuple(
            Finding(
                FindingCode(f["code"]),
                f.get("measure"),
                f.get("limit"),
                f.get("unit") or "",
                detail=f["detail"],
            )
            for f in _listed(row["findings"])
        ),
        came=_heard(attendances, "check_in", received, first=True),
        left=_heard(attendances, "check_out", received, first=False),
        reports=tuple(
            Report(kind, datetime.fromisoformat(at), urgency, care_worker)
            for kind, at, urgency, care_worker in _listed(row["reports"] or "[]")
        ),
    )


def _listed(text: str) -> list[Any]:
    return json.loads(text) if text != "[]" else []


def _heard(
    attendances: Sequence[Mapping[str, Any]], end: str, received: Mapping[str, str], *, first: bool
) -> Known | None:
    """The first coming or the last leaving, and when we heard of it."""
    ends = [
        (datetime.fromisoformat(stay[f"{end}_at"]), stay[f"{end}_event"])
        for stay in attendances
        if stay[f"{end}_at"]
    ]
    if not ends:
        return None
    at, event = (min if first else max)(ends, key=lambda known: known[0])
    heard = received.get(event) if event else None
    return Known(at, datetime.fromisoformat(heard) if heard else None)


async def _put_off(connection: Connection, todo_id: int, error: Exception) -> None:
    # The kind of error only: its text may hold what a person sent.
    await connection.execute(sql.put_off, todo_id, type(error).__name__, datetime.now(UTC))


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
