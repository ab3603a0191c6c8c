"""Whose presence counts as somebody's having come to the visit, and from when that was known.

Evidence gets onto a visit by a name, a link or by being near. That alone does not feed anybody: a worker who taps
tomorrow's visit today, or looks in at twenty to eleven, was not there for lunch at twelve. The first row that
fits a worker's presence, taken as a whole, decides:

    the worker                                                          counts
    ------------------------------------------------------------------  ----------------------------------------
    was linked here, or amended, by the office                          yes: it is what they say it is
    was last known to be there before the matching window opened        no: it is another day's or another visit
    is in                                                               yes, until they leave before the time
    left, no check-in known, before the planned start                   only to say why care could not be given
    left no more than the early limit before the planned start          yes
    left earlier, to say why care could not be given                    yes: that is for the office to answer
    left earlier, but stayed their time (the share under which a visit  yes: the visit was given early. Never if
    is short), and no more than the missed limit before the start       it is time-critical
    left earlier                                                        no

What does not count meets no deadline and makes no state: the visit is planned, then late, then missed, and says so
in time, because an alarm too many costs a telephone call and one too few costs a meal. The evidence stays, with its
findings (`started_early`, `no_check_in`), and the office may link it. An unplanned visit has no time to be early for.

Alarms ask what was known at an instant: a worker who is in meets a deadline; news that they had left an hour
before it does not unmeet it then, but lets it fall due when the news came. `by` folds what was known by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ecm.visit.attending import Attended, Presence, Timed, attending, known, linked_at, window_opens
from ecm.visit.model import Amendment, Visit
from ecm.visit.policy import Policy

MOST_NEWS = 50
"""At how many instants we look back to when a presence ceased to count: a bound on what one telephone can cost."""


class Coming:
    """Everybody's presence on a visit; `counted` those who came to it, `others` those whose presence is not that."""

    __slots__ = ("_amendments", "_plain", "_policy", "_timed", "_visit", "attended", "counted", "others")

    def __init__(
        self, visit: Visit, timed: Sequence[Timed], amendments: Sequence[Amendment], policy: Policy
    ) -> None:
        self._visit, self._timed, self._amendments, self._policy = visit, timed, amendments, policy
        self.attended: Attended = attending(visit, timed, amendments, policy)
        self._plain = _nothing_is_early(visit, timed, policy)
        self.counted: list[Presence] = self.attended.presences
        self.others: list[Presence] = []
        if not self._plain:
            self.counted = [each for each in self.attended.presences if counts(visit, each, policy)]
            self.others = [each for each in self.attended.presences if not counts(visit, each, policy)]

    def by(self, at: datetime) -> list[Presence]:
        """Who had come, by what was known at `at`."""
        if self._plain:
            return [each for each in self.counted if each.known_at <= at]
        linked = linked_at(self._amendments)
        timed = [tap for tap in self._timed if known(tap, linked) <= at]
        amendments = [each for each in self._amendments if each.made_at <= at]
        seen = attending(self._visit, timed, amendments, self._policy).presences
        return [each for each in seen if counts(self._visit, each, self._policy)]

    def first_after(self, at: datetime) -> datetime | None:
        """When we first knew of somebody's coming, given that it was after `at`."""
        if self._plain:
            return min((each.known_at for each in self.counted if each.known_at > at), default=None)
        return next((news for news in self._news_after(at) if self.by(news)), None)

    def gone_after(self, at: datetime, grace: timedelta) -> datetime | None:
        """`grace` after news came, later than `at`, that who had come did not count; unless other news came by then."""
        if self._plain:
            return None
        for news in self._news_after(at):
            if not self.by(news) and not self.by(news + grace):
                return news + grace
        return None

    def _news_after(self, at: datetime) -> Sequence[datetime]:
        linked = linked_at(self._amendments)
        news = {known(tap, linked) for tap in self._timed} | {each.made_at for each in self._amendments}
        later = sorted(each for each in news if each > at)
        return later if len(later) <= MOST_NEWS else [*later[:MOST_NEWS], later[-1]]


def counts(visit: Visit, presence: Presence, policy: Policy) -> bool:
    """The table above."""
    start, opens, came_at = visit.planned_start, window_opens(visit, policy), presence.came_at
    if start is None or opens is None or presence.vouched:
        return True
    last = presence.attendances[-1]
    there_until = last.check_in_at if presence.is_in else last.check_out_at
    assert there_until is not None
    if there_until < opens:
        return False
    if presence.is_in:
        return True
    frustrated = presence.reason_code in policy.frustrated_reasons
    if came_at is None:
        return there_until >= start or frustrated
    if frustrated or there_until >= start - timedelta(minutes=policy.early_after_minutes):
        return True
    if visit.time_critical or there_until < start - timedelta(minutes=policy.missed_after_minutes):
        return False
    expected = commissioned(visit)
    share = timedelta(0) if expected is None else expected * policy.short_share_percent / 100
    return sum(presence.lengths(), timedelta(0)) >= share


def commissioned(visit: Visit) -> timedelta | None:
    """How long the visit is to be, if anybody said."""
    if visit.commissioned_minutes is not None:
        return timedelta(minutes=visit.commissioned_minutes)
    if visit.planned_start is None or visit.planned_end is None:
        return None
    return visit.planned_end - visit.planned_start


def _nothing_is_early(visit: Visit, timed: Iterable[Timed], policy: Policy) -> bool:
    """Whether everything counts, whatever part of it was known: nearly always, and quick to see."""
    start, opens = visit.planned_start, window_opens(visit, policy)
    if start is None or opens is None:
        return True
    return all(at >= start if is_out else at >= opens for at, is_out, _, _ in timed)
