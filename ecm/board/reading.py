"""What the board reads, and how: in one tenant's transaction, the head before the rows.

Positions are handed out in commit order, so rows at or below a head that was read first are all there to be
read. A row that changes between the two reads has moved beyond that head, and is read the next time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ecm.board.feed import ONE_DAY, Audience, Feed, Record, Whereabouts, midnight
from ecm.board.row import Row, alert_row, instant, visit_row
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
    db: Database, tenant_id: int, after: int, expected: UUID
) -> AsyncGenerator[tuple[Head, Sequence[Record], Sequence[Record], bool]]:
    """Pages of changed visits and alerts between `after` and the head, and whether that is the last page.

    The first page tells whether the epoch is still the `expected` one; when not, nothing follows.
    """
    async with db.tenant(tenant_id) as connection:
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
            yield head, visits, alerts, not more


async def read_day(
    connection: Connection, tenant_id: int, audience: Audience, feed: Feed
) -> AsyncIterator[Page]:
    """What an audience is shown, in pages: the day before's leftovers, then the day itself."""
    today = midnight(audience.day, feed.zone)
    for day, leftovers in ((audience.day - ONE_DAY, True), (audience.day, False)):
        visit_id, which = 0, (day, audience.provider, leftovers, today)
        while True:
            records = await connection.fetch(sql.visits_of_day, tenant_id, *which, visit_id, PAGE_ROWS)
            yield Page([(feed.whereabouts(r, r["state"]), visit_row(r)) for r in records], [])
            if len(records) < PAGE_ROWS:
                break
            visit_id = records[-1]["visit_id"]
        alerts = await connection.fetch(sql.alerts_of_day, tenant_id, *which)
        for start in range(0, len(alerts), PAGE_ROWS):
            yield Page([], [alert_row(r) for r in alerts[start : start + PAGE_ROWS]])


async def read_pulse(connection: Connection, tenant_id: int, now: datetime) -> dict[str, Any]:
    record = await connection.fetchrow(sql.pulse, tenant_id, now)
    assert record is not None
    return {
        "last_check_in_at": instant(record["last_check_in_at"]),
        "alarm_path_at": instant(record["alarm_path_at"]),
        "processing_behind_s": record["processing_behind_s"] or 0.0,
        "worker_age_s": record["worker_age_s"],
    }
