"""Which changes an audience is told of, and in which frames. Pure.

An audience is everybody looking at one date of one provider, or of all of them. A change belongs to it when
its visit does. When a visit leaves an audience (it was moved to another day or provider, or yesterday's last
open visit was finished), the audience is told that it is gone, so that what it holds is always what it would
be given afresh. To know what left, the feed remembers where it last saw each visit.

A frame's `position` is what its reader safely holds once it has applied it: several changes may share one
position, and only the last of them carries it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ecm.board.row import alert_row, visit_row
from ecm.board.wire import encoded, framed

Record = Mapping[str, Any]  # as read by reading.py
OPEN_STATES = frozenset({"late", "in_progress", "overrunning"})
ONE_DAY = timedelta(days=1)
# What one tenant's feed keeps for those who reconnect; whoever missed more reads it from the database.
KEPT_BYTES = 512_000


@dataclass(frozen=True, slots=True)
class Audience:
    day: date
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a visit shows: its day, its provider, and whether it still shows on the day after."""

    day: date
    provider: str
    spills: bool

    def belongs_to(self, audience: Audience) -> bool:
        if audience.provider not in (None, self.provider):
            return False
        return self.day == audience.day or (self.spills and self.day + ONE_DAY == audience.day)


@dataclass(frozen=True, slots=True)
class Change:
    """One changed visit or alert. `was` is None when this feed never saw the visit before.

    `held` is what a reader safely holds once it has applied this.
    """

    position: int
    visit_id: int
    now: Whereabouts
    was: Whereabouts | None
    frame: bytes
    held: int

    def frame_for(self, audience: Audience) -> bytes:
        if self.now.belongs_to(audience):
            return self.frame
        if self.was is None:
            return self._gone() if audience.provider is None else b""
        return self._gone() if self.was.belongs_to(audience) else b""

    def _gone(self) -> bytes:
        return framed(b'{"type":"gone","position":%d,"visit":%d}' % (self.held, self.visit_id))


class Feed:
    """What changed lately on one tenant's board, in order: (`kept_from`, `position`]."""

    def __init__(self, position: int, zone: str) -> None:
        self.position = position
        self.kept_from = position
        self.zone = ZoneInfo(zone)
        self.seen: dict[int, Whereabouts] = {}
        self._kept: deque[Change] = deque()
        self._kept_bytes = 0

    def whereabouts(self, record: Record, state: str) -> Whereabouts:
        day: date = record["local_date"]
        ends = [at for at in (record["planned_end"], record["actual_end"]) if at is not None]
        spills = state in OPEN_STATES or any(at > midnight(day + ONE_DAY, self.zone) for at in ends)
        return Whereabouts(day, record["provider_ref"], spills)

    def remember(self, visit_id: int, where: Whereabouts) -> None:
        self.seen[visit_id] = where

    def changes(
        self, visits: Sequence[Record], alerts: Sequence[Record], after: int, *, whole: bool
    ) -> list[Change]:
        """Changed rows as frames, in order. Unless they are the `whole` of it, a reader still holds `after`."""
        found = [(visit["position"], False, visit["visit_id"], visit) for visit in visits]
        found += [(alert["position"], True, alert["alert_id"], alert) for alert in alerts]
        found.sort(key=lambda one: one[:3])
        changes = []
        for index, (position, is_alert, _, record) in enumerate(found):
            last_of_position = index + 1 == len(found) or found[index + 1][0] > position
            if whole and last_of_position:
                after = position
            changes.append(self._alert(record, after) if is_alert else self._visit(record, after))
        return changes

    def take(self, changes: Iterable[Change], position: int) -> None:
        """Keeps changes for those who reconnect, and moves up to `position`."""
        for change in changes:
            self.seen[change.visit_id] = change.now
            self._kept.append(change)
            self._kept_bytes += len(change.frame)
        self.position = position
        while self._kept_bytes > KEPT_BYTES and self._kept:
            dropped = self._kept.popleft()
            self._kept_bytes -= len(dropped.frame)
            self.kept_from = max(self.kept_from, dropped.position)

    def since(self, position: int) -> list[Change] | None:
        """Changes after a position; None when some of them are no longer kept."""
        if position < self.kept_from:
            return None
        return [change for change in self._kept if change.position > position]

    def forget_before(self, day: date) -> None:
        self.seen = {visit: where for visit, where in self.seen.items() if where.day >= day}

    def _visit(self, record: Record, held: int) -> Change:
        payload = b'{"type":"row","position":%d,"visit":%b}' % (held, encoded(visit_row(record)))
        return self._change(record, record["state"], held, payload)

    def _alert(self, record: Record, held: int) -> Change:
        payload = b'{"type":"alert","position":%d,"alert":%b}' % (held, encoded(alert_row(record)))
        return self._change(record, record["visit_state"], held, payload)

    def _change(self, record: Record, state: str, held: int, payload: bytes) -> Change:
        visit_id = record["visit_id"]
        now = self.whereabouts(record, state)
        return Change(record["position"], visit_id, now, self.seen.get(visit_id), framed(payload), held)


def frames_for(audience: Audience, changes: Iterable[Change]) -> bytes:
    return b"".join([change.frame_for(audience) for change in changes])


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
