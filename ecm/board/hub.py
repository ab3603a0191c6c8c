"""The hub: everyone who is looking, and the one task per tenant that tells them what changed.

This file alone decides who is told when. It listens first, then reads a snapshot, then streams, so that there
is no gap: a viewer's snapshot may already hold what a frame repeats (rows carry their position, the newer
wins), never the other way round. A notification is only a hint to look now; every POLL_SECONDS it looks anyway.

The hub never writes to the database and never waits for a viewer. Whoever cannot keep up is dropped and comes
back with `resume`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ecm.authorities import has_provider
from ecm.board.cuts import Doorkeeper
from ecm.board.feed import ONE_DAY, Audience, Feed, frames_for
from ecm.board.reading import Head, read_changes, read_day, read_head, read_pulse, sql
from ecm.board.snapshot import Snapshot
from ecm.board.viewers import Board, Viewer, leave, tell, viewers_of, write
from ecm.board.wire import encoded, framed
from ecm.clock import Clock
from ecm.errors import EcmError, NotFound, Unavailable
from ecm.lock import Lock, system
from ecm.store.db import Database

log = logging.getLogger("ecm.board")

CHANNEL = "ecm_board"
POLL_SECONDS = 2.0
HEARTBEAT_SECONDS = 5.0
# Two looks at least this far apart, so that a burst is one write per viewer and not one per row.
COALESCE_SECONDS = 0.004
# Whoever missed more than this is shown everything afresh.
RESUME_LIMIT_ROWS = 3_000
# Days of providers that a server has shown, so that who comes back to one is sent only what it missed.
COVERED_AT_MOST = 1_000
# A read that takes longer means that the database is in trouble, and the board says so.
READ_LIMIT_SECONDS = 15.0


class Hub:
    """`async with hub.watching(tenant_id) as board`, then `await hub.show(board, viewer, ...)`."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._boards: dict[int, Board] = {}
        self._opening = asyncio.Lock()
        self.doorkeeper = Doorkeeper(db, self._boards)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self.doorkeeper.watch())]

    async def stop(self) -> None:
        tasks = [*self._tasks, *(board.task for board in self._boards.values())]
        for task in filter(None, tasks):
            while not task.done():  # a library on the way may have swallowed the first
                task.cancel()
                await asyncio.wait({task}, timeout=1)
        for board in self._boards.values():
            for viewer in board.open:
                viewer.wire.drop()
        self._boards.clear()

    # ------------------------------------------------------------ for one viewer

    async def open(self, tenant_id: int) -> Board:
        """The tenant's board, started when this is its first viewer. Pair with `close`."""
        async with self._opening:
            board = self._boards.get(tenant_id)
            if board is None:
                board = self._boards[tenant_id] = await self._read_board(tenant_id)
                board.look.set()  # what was notified while it was read was not heard
                board.task = asyncio.create_task(self._run(board))
            board.holders += 1
            return board

    def admit(self, board: Board, viewer: Viewer) -> None:
        """From here on it is asked for its session, whatever it is being shown meanwhile."""
        board.open.add(viewer)

    def close(self, board: Board, viewer: Viewer | None) -> None:
        if viewer is not None:
            leave(board, viewer)
            board.open.discard(viewer)
        board.holders -= 1
        if board.holders == 0 and self._boards.get(board.tenant_id) is board:
            del self._boards[board.tenant_id]
            assert board.task is not None
            board.task.cancel()

    def today(self, board: Board) -> date:
        return self._clock.now().astimezone(ZoneInfo(board.zone)).date()

    async def knows(self, board: Board, viewer: Viewer, provider: str) -> bool:
        """Whether the tenant has a provider of that reference, for this viewer to see."""
        async with self._db.locked(viewer.lock) as connection:
            return await has_provider(connection, board.tenant_id, provider)

    def hello(self, board: Board, day: date, actor: dict[str, Any]) -> bytes:
        return _frame(
            type="hello",
            epoch=str(board.epoch),
            position=board.feed.position,
            now=_now(self._clock),
            speed=self._clock.speed,
            zone=board.zone,
            labels=board.labels,
            actor=actor,
            date=day.isoformat(),
        )

    async def show(self, board: Board, viewer: Viewer) -> None:
        """Sends a snapshot of what the viewer asked for, then lets the stream go on from there."""
        async with viewer.turn:
            await self._show(board, viewer)

    async def _show(self, board: Board, viewer: Viewer) -> None:
        leave(board, viewer)
        audience = viewer.audience_on(self.today(board))
        while True:
            epoch, snapshot = board.epoch, self._snapshot(board, audience, viewer.lock)
            async for part in snapshot:
                if not (viewer.wire.write(part) and await viewer.wire.drained()):
                    return
            if epoch == board.epoch and await self._follow(board, viewer, audience, snapshot.position):
                return

    async def resume(
        self, board: Board, viewer: Viewer, epoch: str, position: int, held_date: str | None = None
    ) -> None:
        """Sends what the viewer missed since it held `held_date` (if it says so); or why not, and all of it afresh."""
        async with viewer.turn:
            leave(board, viewer)
            audience = viewer.audience_on(self.today(board))
            reason = _why_not_resume(board, audience, epoch, held_date)
            if reason is None and await self._follow(board, viewer, audience, position):
                return
            viewer.wire.write(_frame(type="resync", reason=reason or "too much has changed since"))
            await self._show(board, viewer)

    async def _follow(self, board: Board, viewer: Viewer, audience: Audience, position: int) -> bool:
        """Brings the viewer from `position` to where the feed is, and joins.

        False when that cannot be done, or would take longer than a snapshot.
        """
        epoch, rows = board.epoch, 0
        while (missed := board.feed.since(position)) is None:
            if audience.provider is not None:
                return False  # what left this one provider is not to be read
            pages = read_changes(self._db, viewer.lock, position, epoch, self.today(board))
            async with aclosing(pages):
                async for head, visits, alerts, whole in pages:
                    rows += len(visits) + len(alerts)
                    if head.epoch != board.epoch or rows > RESUME_LIMIT_ROWS:
                        return False
                    changes = board.feed.changes(visits, alerts, position, whole=whole, known=False)
                    if not (viewer.wire.write(frames_for(audience, changes)) and await viewer.wire.drained()):
                        return True
                    if whole:
                        position = head.position
        if board.epoch != epoch:
            return False
        # No await from here on: what comes next reaches this viewer through its audience.
        viewer.wire.write(frames_for(audience, missed) + self._heartbeat(board))
        viewer.audience = audience
        board.audiences.setdefault(audience, set()).add(viewer)
        return True

    def _snapshot(self, board: Board, audience: Audience, lock: Lock) -> Snapshot:
        """One reading serves everyone who asks for the same, and may see the same, while it is being made."""
        shown = audience, lock.provider_ref
        snapshot = board.snapshots.get(shown)
        if snapshot is None:
            snapshot = board.snapshots[shown] = Snapshot()
            _keep(asyncio.create_task(self._read_snapshot(board, audience, lock, snapshot)))
        return snapshot

    async def _read_snapshot(self, board: Board, audience: Audience, lock: Lock, snapshot: Snapshot) -> None:
        feed = board.feed
        try:
            async with self._db.locked(lock) as connection:
                snapshot.position = (await read_head(connection, board.tenant_id)).position
                async for page in read_day(connection, board.tenant_id, audience, feed):
                    for where, row in page.visits:
                        feed.seen.setdefault(row["id"], where)
                    visits = b",".join([encoded(row) for _, row in page.visits])
                    alerts = b",".join([encoded(alert) for alert in page.alerts])
                    if visits or alerts:
                        snapshot.add(audience.day, visits, alerts, last=False)
                    await asyncio.sleep(0)
            _cover(board, audience)
            snapshot.add(audience.day, b"", b"", last=True)
        except EcmError as error:
            snapshot.fail(error)
        except Exception:
            log.exception("board of tenant %s could not be read", board.tenant_id)
            snapshot.fail(Unavailable())
        finally:
            del board.snapshots[audience, lock.provider_ref]

    # ------------------------------------------------------------ for everyone

    async def _listen(self) -> None:
        """For ever: whatever breaks it off costs quickness and nothing else."""
        while True:
            try:
                await self._hear()
            except Exception:
                log.exception("the board does not hear notifications")
            await asyncio.sleep(1)

    async def _hear(self) -> None:
        async for payload in self._db.listen(CHANNEL):
            if payload == "":
                for board in self._boards.values():
                    board.look.set()
            elif payload.isdecimal() and (heard := self._boards.get(int(payload))):
                heard.look.set()

    async def _run(self, board: Board) -> None:
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + HEARTBEAT_SECONDS
        while self._boards.get(board.tenant_id) is board:
            # Not wait_for: before Python 3.12 it can swallow a cancellation, and the hub would never stop.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await board.look.wait()
            board.look.clear()
            try:
                async with asyncio.timeout(READ_LIMIT_SECONDS) as limit:
                    await self._tell_changes(board, limit)
                board.reading = True
            except Exception as error:
                _stumbled(board, error)
                await asyncio.sleep(0.2 if isinstance(error, EcmError) else 1)
            if loop.time() >= beat_at:
                beat_at = loop.time() + HEARTBEAT_SECONDS
                await self._beat(board)
            await asyncio.sleep(COALESCE_SECONDS)

    async def _tell_changes(self, board: Board, limit: asyncio.Timeout) -> None:
        """`limit` is moved on with each page: a great many changes are no trouble of the database's."""
        feed = board.feed
        pages = read_changes(self._db, system(board.tenant_id), feed.position, board.epoch, self.today(board))
        async with aclosing(pages):
            async for head, visits, alerts, whole in pages:
                board.head = head.position
                if head.epoch != board.epoch or head.position < feed.position:
                    await self._begin_afresh(board, head)
                    return
                changes = feed.changes(visits, alerts, feed.position, whole=whole)
                feed.take(changes, head.position if whole else feed.position)
                tell(board, changes)
                if not whole:
                    await asyncio.sleep(0.02)  # a great many at once: let the sockets drain between pages
                    limit.reschedule(asyncio.get_running_loop().time() + READ_LIMIT_SECONDS)

    async def _begin_afresh(self, board: Board, head: Head) -> None:
        """Another epoch: a restored backup. What anyone holds means nothing any more."""
        board.epoch, board.feed = head.epoch, Feed(head.position, board.zone)
        board.covered.clear()
        for viewer in viewers_of(board):
            self._send_back(board, viewer, "the board began afresh")

    async def _beat(self, board: Board) -> None:
        try:
            async with asyncio.timeout(READ_LIMIT_SECONDS), self._db.tenant(board.tenant_id) as connection:
                board.pulse = await read_pulse(connection, board.tenant_id, self._clock.now())
        except Exception as error:
            _stumbled(board, error)
        write(board, viewers_of(board), self._heartbeat(board))
        self._turn_the_day(board)

    def _turn_the_day(self, board: Board) -> None:
        today = self.today(board)
        late = [v for v in viewers_of(board) if v.day is None and v.audience and v.audience.day != today]
        for viewer in late:
            self._send_back(board, viewer, "a new day")
        if late:
            board.feed.forget_before(min([today, *(a.day for a in board.audiences)]) - ONE_DAY)

    def _send_back(self, board: Board, viewer: Viewer, reason: str) -> None:
        """Takes a viewer out of the stream, says why, and shows it everything afresh."""
        viewer.wire.write(_frame(type="resync", reason=reason))
        leave(board, viewer)
        task = asyncio.create_task(self._show_again(board, viewer))
        _keep(task)

    async def _show_again(self, board: Board, viewer: Viewer) -> None:
        try:
            viewer.wire.write(self.hello(board, viewer.day or self.today(board), {}))
            await self.show(board, viewer)
        except Exception as error:
            _stumbled(board, error)
            viewer.wire.drop()  # it comes back; left as it is, it would wait for a stream that it is not in

    def _heartbeat(self, board: Board) -> bytes:
        """`position` is what its reader holds by now, `head` what the database had when last asked."""
        return _frame(
            type="heartbeat",
            position=board.feed.position,
            head=board.head,
            reading=board.reading,
            now=_now(self._clock),
            **board.pulse,
        )

    async def _read_board(self, tenant_id: int) -> Board:
        async with self._db.tenant(tenant_id) as connection:
            record = await connection.fetchrow(sql.tenant, tenant_id)
            pulse = await read_pulse(connection, tenant_id, self._clock.now())
        if record is None:
            raise NotFound("There is no such board.")
        position, zone = record["position"], record["zone"]
        feed = Feed(position, zone)
        return Board(tenant_id, record["labels"], zone, record["epoch"], feed, head=position, pulse=pulse)


def _cover(board: Board, audience: Audience) -> None:
    """Remembers that this was shown. Beyond COVERED_AT_MOST, what nobody looks at goes, oldest first."""
    board.covered.pop(audience, None)
    board.covered[audience] = None
    if len(board.covered) > COVERED_AT_MOST:
        oldest = next((known for known in board.covered if known not in board.audiences), audience)
        del board.covered[oldest]


def _stumbled(board: Board, error: Exception) -> None:
    """The board says that it does not read; what went wrong is logged, in full if it should not have been possible."""
    board.reading = False
    expected = isinstance(error, EcmError | TimeoutError)
    words = str(error) or type(error).__name__
    log.warning(
        "board of tenant %s cannot read: %s", board.tenant_id, words, exc_info=None if expected else error
    )


def _why_not_resume(board: Board, audience: Audience, epoch: str, held_date: str | None) -> str | None:
    if epoch != str(board.epoch):
        return "the board began afresh"
    if held_date not in (None, audience.day.isoformat()):
        return "a new day"
    if audience.provider is not None and audience not in board.covered:
        return "this server has not shown that provider yet"
    return None


def _frame(**message: Any) -> bytes:
    return framed(encoded(message))


def _now(clock: Clock) -> str:
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


_kept: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> None:
    """The loop holds tasks only weakly."""
    _kept.add(task)
    task.add_done_callback(_kept.discard)
