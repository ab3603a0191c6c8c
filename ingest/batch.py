"""Natural batching: whatever gathered while the last commit ran goes into the next one.

There is no timer. An idle system commits a lone event at once; a busy one fills its batches by itself, because
events queue up while the disk is busy. Nobody is told "created" before the commit that holds the event.

    what happens                                  what the senders of the batch are told
    commit                                        created, exists or conflict, each for itself
    the database is away, full, or silent         Unavailable (503): keep it and send again
    one row is refused (it passed our model but   the batch is halved until the row stands alone; that one is
      not PostgreSQL)                             refused, the others are stored

Batches are written in the order of their ids, so that two writers which meet at the same ids queue up behind one
another instead of locking each other out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from ecm.errors import DatabaseAway, EcmError, StorageFull, Unavailable
from ecm.store.db import Connection, driver_errors, open_connection
from ecm.store.queries import load_queries
from ingest import metrics
from ingest.understand import NotAnEvent, understand

log = logging.getLogger(__name__)
sql = load_queries(__package__, "batch.sql")

ROWS_AT_ONCE = 1_000
WAITING_MAX = 20_000
# Measured: two share the work of one and only make the batches smaller.
WRITERS = 1
COMMIT_PATIENCE_S = 10.0
CONNECT_PATIENCE_S = 5.0
PAUSE_WHILE_AWAY_S = 0.2

# SQLSTATE classes by which PostgreSQL refuses a value: data exception, integrity, too big an index row.
REFUSALS = ("22", "23", "54")
# Serialization failure and deadlock: the other side has finished by now.
WORTH_REPEATING = "40"


class Row(NamedTuple):
    """One event in the order of the type `arriving_event`."""

    tenant_id: int
    event_id: UUID
    received_at: datetime
    kind: str
    occurred_at: datetime
    method: str
    care_worker: str | None
    service_user: str | None
    visit: str | None
    lat: float | None
    lon: float | None
    accuracy_m: float | None
    fixed_at: datetime | None
    cli: str | None
    reason_code: str | None
    device_id: str | None
    wall_clock: datetime | None
    key_id: int | None
    fingerprint: bytes
    body: str
    proofs: str = ""
    """What the door checked itself: words of `ecm.visit.proof.Proof`, a space between."""


class Outcome(NamedTuple):
    """`received_at` is that of the stored event: also when this one merely repeats or contradicts it."""

    status: Literal["created", "exists", "conflict", "refused"]
    received_at: datetime


class Submission:
    """The rows of one request; `done` is fulfilled when each has its outcome, or failed for all of them."""

    __slots__ = ("done", "outcomes", "unanswered")

    def __init__(self, done: asyncio.Future[list[Outcome]], size: int) -> None:
        self.done = done
        self.outcomes: list[Outcome] = [None] * size  # type: ignore[list-item]
        self.unanswered = size

    def answer(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome
        self.unanswered -= 1
        if not self.unanswered and not self.done.done():
            self.done.set_result(self.outcomes)

    def fail(self, error: EcmError) -> None:
        if not self.done.done():  # the sender may have gone, or another row may have failed before
            self.done.set_exception(error)


Waiting: TypeAlias = tuple[Row, Submission, int]


class Batcher:
    """Owns its connections: one for each writer, held for good. `start` before the first `store`, `stop` at the end."""

    def __init__(
        self,
        dsn: str,
        role: str | None,
        *,
        writers: int = WRITERS,
        rows_at_once: int = ROWS_AT_ONCE,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._dsn = dsn
        self._role = role
        self._rows_at_once = rows_at_once
        self._waiting_max = waiting_max
        self._waiting: deque[Waiting] = deque()
        self._news = asyncio.Event()
        self._stopping = False
        self._writers_wanted = writers
        self._writers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns at once: a service may start before its database."""
        self._stopping = False
        self._writers = [asyncio.create_task(self._write_for_ever()) for _ in range(self._writers_wanted)]

    async def stop(self, patience_s: float = COMMIT_PATIENCE_S) -> None:
        """Commits what is queued, for `patience_s` at the longest; what is left then is turned away."""
        self._stopping = True
        self._news.set()
        if self._writers:
            await asyncio.wait(self._writers, timeout=patience_s)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        self._writers = []
        self._turn_away(Unavailable("the service is stopping", retry_after_seconds=2))

    def store(self, rows: Sequence[Row]) -> asyncio.Future[list[Outcome]]:
        """Await it for one outcome a row, each after its commit. Raises, or fails with, Unavailable."""
        if self._stopping:
            raise Unavailable("the service is stopping", retry_after_seconds=2)
        if len(self._waiting) + len(rows) > self._waiting_max:
            raise Unavailable("too much is waiting to be stored", retry_after_seconds=1)
        submission = Submission(asyncio.get_running_loop().create_future(), len(rows))
        self._waiting.extend((row, submission, place) for place, row in enumerate(rows))
        if not rows:
            submission.done.set_result([])
        self._news.set()
        return submission.done

    async def _write_for_ever(self) -> None:
        connection: Connection | None = None
        try:
            while True:
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                if connection is not None and self._waiting:
                    await self._write(connection, self._take())
                elif self._stopping:
                    return
                elif connection is not None:
                    self._news.clear()
                    await self._news.wait()
        finally:
            if connection is not None:
                connection.terminate()

    async def _connect(self) -> Connection | None:
        """None, a pause and everybody turned away while the database is away."""
        try:
            async with driver_errors(), asyncio.timeout(CONNECT_PATIENCE_S):
                connection = await open_connection(self._dsn, self._role)
                await connection.execute("SET plan_cache_mode = force_generic_plan")
                return connection
        except Exception as error:
            if not isinstance(error, EcmError):
                log.exception("the database lets us in no more")
            away = type(error) if isinstance(error, DatabaseAway) else DatabaseAway
            self._turn_away(away(retry_after_seconds=2))
            await asyncio.sleep(0 if self._stopping else PAUSE_WHILE_AWAY_S)
            return None

    def _turn_away(self, error: EcmError) -> None:
        while self._waiting:
            _, submission, _ = self._waiting.popleft()
            submission.fail(error)

    def _take(self) -> list[Waiting]:
        if len(self._waiting) <= self._rows_at_once:
            batch = list(self._waiting)
            self._waiting.clear()
            return batch
        return [self._waiting.popleft() for _ in range(self._rows_at_once)]

    async def _write(self, connection: Connection, batch: list[Waiting]) -> None:
        """Answers every submission of the batch, come what may."""
        same_id: dict[tuple[int, int], list[Waiting]] = {}
        for waiting in batch:
            same_id.setdefault((waiting[0].tenant_id, waiting[0].event_id.int), []).append(waiting)
        try:
            await self._write_in_halves(connection, [same_id[key] for key in sorted(same_id)])
        except BaseException as error:
            if not isinstance(error, EcmError):
                log.error("a batch of %d was not stored", len(batch), exc_info=error)
            away = error if isinstance(error, Unavailable) else Unavailable(retry_after_seconds=2)
            for _, submission, _ in batch:
                submission.fail(away)
            if not isinstance(error, StorageFull):  # whatever state it is in, a new one is better
                connection.terminate()
            if not isinstance(error, Exception):
                raise

    async def _write_in_halves(self, connection: Connection, groups: list[list[Waiting]]) -> None:
        """`groups`: those of one id together. Raises Unavailable when no row is to blame."""
        rows = [group[0][0] for group in groups]
        for tries_left in (2, 1, 0):
            try:
                with metrics.commit_seconds.time():
                    stored = await store(connection, rows)
            except EcmError:
                raise
            except Exception as error:
                if _is_worth_repeating(error) and tries_left:
                    continue
                if not _blames_a_row(error):
                    log.exception("PostgreSQL would not store a batch of %d", len(rows))
                    raise Unavailable(retry_after_seconds=2) from error
                if len(groups) > 1:
                    half = len(groups) // 2
                    await self._write_in_halves(connection, groups[:half])
                    await self._write_in_halves(connection, groups[half:])
                    return
                log.warning("PostgreSQL refused event %s: %s", rows[0].event_id, type(error).__name__)
                stored = [None]
            break
        metrics.batch_rows.observe(len(rows))
        for group, under_this_id in zip(groups, stored, strict=True):
            _answer(group, under_this_id)


def _is_worth_repeating(error: Exception) -> bool:
    return str(getattr(error, "sqlstate", None) or "").startswith(WORTH_REPEATING)


def _blames_a_row(error: Exception) -> bool:
    """Only what is certainly about a value: in doubt the sender keeps the event and tries again."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, ValueError)  # the driver could not encode it
    return str(state).startswith(REFUSALS)


class Stored(NamedTuple):
    """What stands under an id now. `body` is None when it was us who put it there."""

    received_at: datetime
    fingerprint: bytes
    body: str | None


async def store(connection: Connection, rows: list[Row]) -> list[Stored | None]:
    """One commit. Raises DatabaseAway, StorageFull, and whatever else PostgreSQL says of a row."""
    tenants = _array_of_tenants(rows)
    async with driver_errors(), asyncio.timeout(COMMIT_PATIENCE_S):
        answer = await connection.fetchrow(sql.store_events, tenants, rows)
        assert answer is not None
        stored: list[Stored | None] = [Stored(row.received_at, row.fingerprint, None) for row in rows]
        if answer["known"]:
            places = [place - 1 for place in answer["known"]]
            known = await _look_up(connection, tenants, [rows[place] for place in places])
            for place, found in zip(places, known, strict=True):
                stored[place] = found
        return stored


async def _look_up(connection: Connection, tenants: str, rows: list[Row]) -> list[Stored]:
    """In a transaction of its own: its snapshot must be newer than whoever was before us."""
    async with connection.transaction():
        await connection.execute(sql.set_tenants, tenants)
        found = await connection.fetch(
            sql.stored_events, [row.tenant_id for row in rows], [row.event_id for row in rows]
        )
    by_place = {r["place"]: Stored(r["received_at"], r["body_sha256"], r["body"]) for r in found}
    return [by_place[place] for place in range(1, len(rows) + 1)]


def _array_of_tenants(rows: list[Row]) -> str:
    return "{" + ",".join(str(tenant_id) for tenant_id in sorted({row.tenant_id for row in rows})) + "}"


def _answer(group: list[Waiting], stored: Stored | None) -> None:
    """The first of those that came with one id may have created it; the others find it there."""
    for nth, (row, submission, place) in enumerate(group):
        if stored is None:
            outcome = Outcome("refused", row.received_at)
        elif nth == 0 and stored.body is None:
            outcome = Outcome("created", stored.received_at)
        elif _says_the_same(row, stored):
            outcome = Outcome("exists", stored.received_at)
        else:
            outcome = Outcome("conflict", stored.received_at)
        submission.answer(place, outcome)


def _says_the_same(row: Row, stored: Stored) -> bool:
    if row.fingerprint == stored.fingerprint:
        return True
    if stored.body is None:
        return False
    # An older version of this program may have read the stored body otherwise. Read both with today's eyes.
    try:
        return understand(stored.body.encode()).fingerprint == row.fingerprint
    except NotAnEvent:
        return False
