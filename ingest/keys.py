"""Who sends: the key of a request, looked up once and remembered for a moment.

A revoked key is refused at once, because revoking is told (`forget`, by `ecm.cuts`), and after `KNOWN_S` also where
nobody hears it; a key made a moment ago may be refused for `UNKNOWN_S` if it was tried too early. Requests that arrive
together with a key nobody remembers share one look-up.

A key once found good is asked after every KNOWN_S and never counted: whoever sends made-up keys uses up the look-ups
of the made-up ones only, and whoever has a key keeps the door.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from ecm.errors import NotSignedIn, TooMany
from ecm.keys import LENGTH_MAX, digest
from ecm.permit import Action, Actor, permit
from ecm.store.db import Database
from ecm.store.queries import load_queries
from ingest.limits import Bucket

sql = load_queries(__package__, "keys.sql")

KNOWN_S = 2.0
UNKNOWN_S = 2.0
REMEMBERED_MAX = 10_000
# Look-ups of keys nobody remembers: plenty for every sender of a country, too few to keep the database busy.
LOOK_UPS_PER_S = 500.0


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """`key_id` is None for whoever sends without a key: a phone, a telephone line, a person at a desk."""

    tenant_id: int
    key_id: int | None
    name: str
    may_record: bool

    @property
    def sender(self) -> tuple[int, int | str]:
        """Whose rate and whose room it is."""
        return self.tenant_id, self.key_id if self.key_id is not None else self.name

    @classmethod
    def of(cls, actor: Actor) -> KeyHolder:
        may_record = bool(permit(actor, Action.RECORD_CHECK_EVENT))
        return cls(actor.tenant_id, actor.id if actor.kind == "key" else None, actor.name, may_record)


@dataclass(frozen=True, slots=True)
class Remembered:
    holder: KeyHolder
    until: float


class Keys:
    def __init__(self, db: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._monotonic = monotonic
        self._good: dict[bytes, Remembered] = {}
        self._unknown: dict[bytes, float] = {}  # until when each is taken for unknown
        self._under_way: dict[bytes, asyncio.Future[KeyHolder | None]] = {}
        self._look_ups = Bucket(LOOK_UPS_PER_S, LOOK_UPS_PER_S, monotonic())
        self._forgotten = 0  # how often: what was asked before the last time is not remembered after it

    def remembered(self, authorization: bytes) -> KeyHolder | None:
        """The holder if we know without asking, else None: the hot road. Raises NotSignedIn."""
        sought = _digest(authorization)
        known = self._good.get(sought)
        if known is not None:
            return known.holder if known.until >= self._monotonic() else None
        if self._unknown.get(sought, -inf) >= self._monotonic():
            raise NotSignedIn("the key is unknown or revoked")
        return None

    async def holder(self, authorization: bytes) -> KeyHolder:
        """The holder of `Authorization: Bearer …`. Raises NotSignedIn, TooMany, DatabaseAway."""
        sought = _digest(authorization)
        asking = self._under_way.get(sought)
        if asking is None:
            was_good = sought in self._good
            if not was_good and (wait_s := self._look_ups.take(1, self._monotonic())):
                raise TooMany("too many unknown keys", retry_after_seconds=max(1, round(wait_s)))
            asking = self._under_way[sought] = asyncio.ensure_future(self._ask(sought))
            asking.add_done_callback(lambda done: self._no_longer_under_way(sought, done))
        holder = await asyncio.shield(asking)
        if holder is None:
            raise NotSignedIn("the key is unknown or revoked")
        return holder

    def forget(self, tenant_id: int | None) -> None:
        """Asks anew for every key of a tenant; None: for every key. Its next request waits for the answer."""
        self._forgotten += 1
        self._under_way.clear()
        for sought, known in self._good.items():
            if tenant_id in (None, known.holder.tenant_id):
                self._good[sought] = Remembered(known.holder, -inf)

    def _no_longer_under_way(self, sought: bytes, asking: asyncio.Future[KeyHolder | None]) -> None:
        if self._under_way.get(sought) is asking:
            del self._under_way[sought]

    async def _ask(self, sought: bytes) -> KeyHolder | None:
        forgotten = self._forgotten
        async with self._db.connection() as connection:
            row = await connection.fetchrow(sql.key_holder, sought)
        holder = None
        if row is not None:
            scopes = frozenset(row["scopes"])
            holder = KeyHolder.of(Actor("key", row["tenant_id"], row["key_id"], row["name"], scopes=scopes))
        self._remember(sought, holder, KNOWN_S if forgotten == self._forgotten else -inf)
        return holder

    def _remember(self, sought: bytes, holder: KeyHolder | None, for_s: float) -> None:
        now = self._monotonic()
        if holder is not None:
            if sought not in self._good:
                self._look_ups.give_back(1)
                if len(self._good) >= REMEMBERED_MAX:
                    self._good.clear()
            self._good[sought] = Remembered(holder, now + for_s)
            return
        self._good.pop(sought, None)
        if len(self._unknown) >= REMEMBERED_MAX:
            self._unknown = {key: until for key, until in self._unknown.items() if until >= now}
        if len(self._unknown) >= REMEMBERED_MAX:
            self._unknown.clear()
        self._unknown[sought] = now + UNKNOWN_S


def _digest(authorization: bytes) -> bytes:
    scheme, _, key = authorization.partition(b" ")
    key = key.strip()
    if scheme.lower() != b"bearer" or not 0 < len(key) <= LENGTH_MAX:
        raise NotSignedIn("send Authorization: Bearer and a key")
    return digest(key.decode("utf-8", "surrogateescape"))
