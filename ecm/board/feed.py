"""Which changes an audience is told of, and in which frames. Pure.

An audience is everybody looking at one date of one provider, or of all of them; who asks for no date follows
today. A change belongs to it when its visit does. Who follows today is shown what still rings as well, whatever
its visit's day: an alarm is not answered by midnight passing. When a visit leaves an audience (it was moved to
another day or provider, yesterday's last open visit was finished, an old alarm was answered), the audience is
told that it is gone, so that what it holds is always what it would be given afresh. To know what left, the feed
remembers where it last saw each visit.

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
# A frame, what is in it, and where its record has the visit's state.
VISIT = (b'{"type":"row","position":%d,"visit":%b}', visit_row, "state")
ALERT = (b'{"type":"alert","position":%d,"alert":%b}', alert_row, "visit_state")


@dataclass(frozen=True, slots=True)
class Audience:
    """`today`: it asked for no date, and is taken along when the day turns."""

    day: date
    provider: str | None = None
    today: bool = False


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a visit shows: its day, its provider, and whether it still shows on the day after.

    `rings_until`: the last day on which who follows today is shown it, whatever its own day.
    """

    day: date
    provider: str
    spills: bool
    rings_until: date | None = None

    def belongs_to(self, audience: Audience) -> bool:
        if audience.provider not in (None, self.provider):
            return False
        if audience.today and self.rings_until is not None and audience.day <= self.rings_until:
            return True
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
        rings_until: datetime | None = record["rings_until"]
        last = None if rings_until is None else rings_until.astimezone(self.zone).date()
        return Whereabouts(day, record["provider_ref"], spills, last)

    def changes(
        self,
        visits: Sequence[Record],
        alerts: Sequence[Record],
        after: int,
        *,
        whole: bool,
        known: bool = True,
    ) -> list[Change]:
        """Changed rows as frames, in order. Unless they are the `whole` of it, a reader still holds `after`.

        `known`: its reader was told all that this feed has seen. One who was away was not: it may hold a visit
        anywhere, and is told of each that shows elsewhere now that it is gone.
        """
        found = [(visit["told_at"], False, visit["visit_id"], visit) for visit in visits]
        found += [(alert["told_at"], True, alert["alert_id"], alert) for alert in alerts]
        found.sort(key=lambda one: one[:3])
        changes = []
        seen = self.seen if known else {}
        for index, (position, is_alert, _, record) in enumerate(found):
            last_of_position = index + 1 == len(found) or found[index + 1][0] > position
            if whole and last_of_position:
                after = position
            what, row, state = ALERT if is_alert else VISIT
            payload = what % (after, encoded(row(record)))
            now, was = self.whereabouts(record, record[state]), seen.get(record["visit_id"])
            changes.append(Change(position, record["visit_id"], now, was, framed(payload), after))
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
        self.seen = {
            visit: where
            for visit, where in self.seen.items()
            if max(where.day, where.rings_until or where.day) >= day
        }


def frames_for(audience: Audience, changes: Iterable[Change]) -> bytes:
    return b"".join([change.frame_for(audience) for change in changes])


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
