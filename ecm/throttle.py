"""Guessing passwords is made slow, and nobody is ever locked out.

Failures are counted for each pair of e-mail and address, so that guessing from elsewhere cannot slow the
person it is aimed at. After a few free tries each further one waits twice as long as the last, up to a
minute: a guesser gets some 1,440 tries a day, and a person who mistyped waits seconds. A try counts as failed from
the moment it is admitted until it is found right, so a thousand at once are no more than five.

A provider's whole office may stand behind one address, and a guesser among them. So an address that fails a
great deal is slowed too, but only a little, and in two queues that do not wait for one another:

| an e-mail that, from this address,      | waits for its own failures | and for those of the address        |
| --------------------------------------- | -------------------------- | ----------------------------------- |
| has signed in before                    | yes                        | no                                  |
| has failed before, and never signed in  | yes                        | of e-mails that failed before       |
| was never tried                         | has none                   | of e-mails that were never tried    |

Who tries one list of e-mails again and again therefore holds up nobody who has not failed; who tries an e-mail
after another holds up only those who never signed in from there. A right password is no failure of anybody's.

Counts are kept in this process and forgotten after a quarter of an hour without a failure; a restart
forgets all.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from ecm.errors import TooMany


@dataclass(frozen=True, slots=True)
class Slowing:
    """`free` failures cost nothing; the next waits `first_s`, then twice that, up to `longest_s`."""

    free: int
    first_s: float
    longest_s: float

    def wait_s(self, failures: int) -> float:
        if failures < self.free:
            return 0.0
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - self.free, 30))


OF_PAIR = Slowing(free=5, first_s=1, longest_s=60)
OF_ADDRESS = Slowing(free=100, first_s=0.1, longest_s=3)
FORGET_AFTER_S = 900
REMEMBERED_AT_MOST = 20_000


@dataclass(slots=True)
class _Count:
    failures: int
    last_s: float


class Throttle:
    """Times are seconds of any one steadily running clock, given by the caller."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()
        self._at_home: OrderedDict[tuple[str, str], None] = OrderedDict()  # who signed in from where

    def admit(self, email: str, address: str, now_s: float) -> None:
        """Raises TooMany, with how long to wait, while a try would come too early."""
        wait_s = self._left_s((email, address), OF_PAIR, now_s)
        if (email, address) not in self._at_home:
            wait_s = max(wait_s, self._left_s(self._queue(email, address, now_s), OF_ADDRESS, now_s))
        if wait_s > 0:
            raise TooMany(
                "Too many sign-ins failed here. Wait a little and try again; nothing is locked.",
                retry_after_seconds=ceil(wait_s),
            )

    def failed(self, email: str, address: str, now_s: float) -> None:
        for who in (self._queue(email, address, now_s), (email, address)):
            count = self._known(who, now_s) or _Count(0, now_s)
            count.failures, count.last_s = count.failures + 1, now_s
            self._counts[who] = count
            self._counts.move_to_end(who)
        while len(self._counts) > REMEMBERED_AT_MOST:
            self._counts.popitem(last=False)

    def succeeded(self, email: str, address: str) -> None:
        """What was counted as `failed` when this try began was none."""
        count = self._counts.pop((email, address), None)
        if count is not None and (queue := self._counts.get(_queue(address, count.failures > 1))) is not None:
            queue.failures -= 1
        self._at_home[email, address] = None
        self._at_home.move_to_end((email, address))
        while len(self._at_home) > REMEMBERED_AT_MOST:
            self._at_home.popitem(last=False)

    def withdraw(self, email: str, address: str) -> None:
        """What was counted as `failed` when this try began was no try: nobody could look."""
        count = self._counts.get((email, address))
        if count is None:
            return
        if (queue := self._counts.get(_queue(address, count.failures > 1))) is not None:
            queue.failures -= 1
        count.failures -= 1
        if not count.failures:
            del self._counts[email, address]

    def _queue(self, email: str, address: str, now_s: float) -> tuple[str, ...]:
        return _queue(address, self._known((email, address), now_s) is not None)

    def _left_s(self, who: tuple[str, ...], slowing: Slowing, now_s: float) -> float:
        count = self._known(who, now_s)
        return 0.0 if count is None else count.last_s + slowing.wait_s(count.failures) - now_s

    def _known(self, who: tuple[str, ...], now_s: float) -> _Count | None:
        count = self._counts.get(who)
        return count if count is not None and now_s - count.last_s < FORGET_AFTER_S else None


def _queue(address: str, failed_before: bool) -> tuple[str, ...]:
    """Where an address's failures of one sort are counted."""
    return (address, "failed before", "") if failed_before else (address, "never tried", "")


class Allowance:
    """How often one address may begin something that is kept for it: a great many at once, then so many a second.

    An office of hundreds opens the page at seven and nobody notices; a machine that begins without end is held to what
    retention clears away. Times are seconds of any one steadily running clock.
    """

    def __init__(self, at_once: int = 300, per_s: float = 5.0) -> None:
        self._at_once, self._per_s = at_once, per_s
        self._full_at: OrderedDict[str, float] = OrderedDict()  # when each has its whole allowance again

    def take(self, address: str, now_s: float) -> None:
        """Raises TooMany, with how long to wait."""
        full_at = max(self._full_at.pop(address, now_s), now_s) + 1 / self._per_s
        wait_s = full_at - now_s - self._at_once / self._per_s
        if wait_s > 0:
            self._full_at[address] = full_at - 1 / self._per_s
            raise TooMany("Too many sign-ins were begun here.", retry_after_seconds=ceil(wait_s))
        self._full_at[address] = full_at
        while len(self._full_at) > REMEMBERED_AT_MOST:
            self._full_at.popitem(last=False)
