"""What the board reads, and how: in one tenant's transaction, the head before the rows.

Positions are handed out in commit order, so rows at or below a head that was read first are all there to be
read. A row that changes between the two reads has moved beyond that head, and is read the next time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ecm.board.feed import Audience, Feed, Record, Whereabouts, midnight
from ecm.board.row import Row, alert_row, instant, visit_row
from ecm.lock import Lock
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries

sql = load_queries("ecm.board", "board.sql")
PAGE_ROWS = 500
_LAST_ID = 2**62


@dataclass(frozen=True, slots=True)
class Head:
    epoch: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a day: rows of visits with where they show, and rows of alerts."""

    visits: list[tuple[Whereabouts, Row]]
    alerts: list[Row]


async def read_head(connection: Connection, tenant_id: int) -> Head:
    record = await connection.fetchrow(sql.head, tenant_id)
    assert record is not None, "a tenant without a board head"
    return Head(record["epoch"], record["position"])


async def read_changes(
    db: Database, lock: Lock, after: int, expected: UUID, today: date
) -> AsyncGenerator[tuple[Head, Sequence[Record], Sequence[Record], bool]]:
    """Pages of changed visits and alerts between `after` and the head, and whether that is the last page.

    A record's `told_at` is the position it is told at: that of its change, or of the alert that brings it along.
    The first page tells whether the epoch is still the `expected` one; when not, nothing follows.
    """
    tenant_id = lock.tenant_id
    async with db.locked(lock) as connection:
        head = await read_head(connection, tenant_id)
        if head.epoch != expected or head.position <= after:
            yield head, [], [], True
            return
        visit_at, alert_at = (after, _LAST_ID), (after, _LAST_ID)
        more = True
        while more:
            upto = (head.position, PAGE_ROWS)
            visits = await connection.fetch(sql.changed_visits, tenant_id, *visit_at, *upto)
            alerts = await connection.fetch(sql.changed_alerts, tenant_id, *alert_at, *upto)
            more = PAGE_ROWS in (len(visits), len(alerts))
            if visits:
                visit_at = (visits[-1]["position"], visits[-1]["visit_id"])
            if alerts:
                alert_at = (alerts[-1]["position"], alerts[-1]["alert_id"])
            told_visits = await _ringing(connection, tenant_id, visits)
            told_alerts = await _ringing(connection, tenant_id, alerts)
            brought = await _brought(connection, tenant_id, told_alerts, today)
            yield head, told_visits + brought[0], told_alerts + brought[1], not more


async def read_day(
    connection: Connection, tenant_id: int, audience: Audience, feed: Feed
) -> AsyncIterator[Page]:
    """What an audience is shown, in pages."""
    which = (audience.day, midnight(audience.day, feed.zone), audience.today, audience.provider)
    ids = [record["visit_id"] for record in await connection.fetch(sql.shown, tenant_id, *which)]
    for start in range(0, len(ids), PAGE_ROWS):
        records = await connection.fetch(sql.visits_by_id, tenant_id, ids[start : start + PAGE_ROWS])
        visits = [
            (feed.whereabouts(r, r["state"]), r) for r in await _ringing(connection, tenant_id, records)
        ]
        shown = {r["visit_id"]: (where, visit_row(r)) for where, r in visits if where.belongs_to(audience)}
        alerts = await connection.fetch(sql.alerts_of_visits, tenant_id, list(shown))
        yield Page(list(shown.values()), [alert_row(alert) for alert in alerts])


async def _ringing(connection: Connection, tenant_id: int, records: Sequence[Record]) -> list[Record]:
    """The records, each told at its own position, with until when its visit rings."""
    if not records:
        return []
    ids = list({record["visit_id"] for record in records})
    until = {r["visit_id"]: r["until"] for r in await connection.fetch(sql.rings, tenant_id, ids)}
    return [
        {**record, "told_at": record["position"], "rings_until": until.get(record["visit_id"])}
        for record in records
    ]


async def _brought(
    connection: Connection, tenant_id: int, alerts: Sequence[Record], today: date
) -> tuple[list[Record], list[Record]]:
    """Visits of another day that a changed alert may bring onto today's board, and what other alerts they have."""
    apart = [alert for alert in reversed(alerts) if alert["rings_until"] and alert["local_date"] != today]
    by = {alert["visit_id"]: alert["told_at"] for alert in apart}  # by the first of them
    if not by:
        return [], []
    known = {alert["alert_id"] for alert in alerts}
    visits = await connection.fetch(sql.visits_by_id, tenant_id, list(by))
    others = await connection.fetch(sql.alerts_of_visits, tenant_id, list(by))
    others = [alert for alert in others if alert["alert_id"] not in known]
    return (
        [{**r, "told_at": by[r["visit_id"]]} for r in await _ringing(connection, tenant_id, visits)],
        [{**r, "told_at": by[r["visit_id"]]} for r in await _ringing(connection, tenant_id, others)],
    )


async def read_pulse(connection: Connection, tenant_id: int, now: datetime) -> dict[str, Any]:
    record = await connection.fetchrow(sql.pulse, tenant_id, now)
    assert record is not None
    return {
        "last_check_in_at": instant(record["last_check_in_at"]),
        "alarm_path_at": instant(record["alarm_path_at"]),
        "processing_behind_s": record["processing_behind_s"] or 0.0,
        "worker_age_s": record["worker_age_s"],
    }
