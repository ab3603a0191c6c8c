"""Whether who is looking may still look: asked of every open socket at once when somebody was cut off, and every
SURE_SECONDS anyway.

A socket is opened for a session, of an account with a role and maybe a provider. Where the session has ended (disabled,
left, signed out, too old), or its account may by now see something else than what the socket was opened for, it is
closed: the page comes back with a new ticket, if it may.

It asks by itself, so that no other reading that hangs keeps a socket open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from ecm.board.wire import Wire
from ecm.errors import EcmError
from ecm.lock import Lock
from ecm.store.db import Database
from ecm.store.queries import load_queries

log = logging.getLogger("ecm.board")
sql = load_queries("ecm.board", "board.sql")

SURE_SECONDS = 4.0  # and with the asking itself never more than five
AGAIN_SECONDS = 0.5  # after an asking that failed
ASK_LIMIT_SECONDS = 3.0


class Looking(Protocol):
    """A viewer: the digest of the sign-in that keeps it open, and what it was let in as."""

    @property
    def session(self) -> bytes | None: ...
    @property
    def lock(self) -> Lock | None: ...
    @property
    def wire(self) -> Wire: ...


class Room(Protocol):
    """A board."""

    @property
    def open(self) -> Collection[Looking]: ...


class Doorkeeper:
    """`rooms`: the open boards by tenant, as they are at each asking."""

    def __init__(self, db: Database, rooms: Mapping[int, Room]) -> None:
        self._db = db
        self._rooms = rooms
        self._due: set[int] = set()
        self._news = asyncio.Event()
        self.heard = 0
        """How many cuts there were. Another number than before: who was let in since may have been cut off."""

    async def cut(self, tenant_id: int | None) -> None:
        """As `ecm.cuts` tells it."""
        self.heard += 1
        self._due |= set(self._rooms) if tenant_id is None else {tenant_id}
        self._news.set()

    async def watch(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        sure_at = loop.time() + SURE_SECONDS
        while True:
            again_at = loop.time() + AGAIN_SECONDS if self._due else sure_at
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(sure_at, again_at)):
                    await self._news.wait()
            self._news.clear()
            if loop.time() >= sure_at:
                sure_at = loop.time() + SURE_SECONDS
                self._due |= set(self._rooms)
            due, self._due = [tenant_id for tenant_id in self._due if tenant_id in self._rooms], set()
            asked = await asyncio.gather(*map(self._ask, due))
            self._due |= {tenant_id for tenant_id, answered in zip(due, asked, strict=True) if not answered}

    async def _ask(self, tenant_id: int) -> bool:
        """Whether there was an answer."""
        room = self._rooms.get(tenant_id)  # the last viewer may have gone meanwhile
        watching = [viewer for viewer in room.open if viewer.session is not None] if room else []
        if not watching:
            return True
        try:
            async with asyncio.timeout(ASK_LIMIT_SECONDS):
                standing = await self._standing(tenant_id, {viewer.session for viewer in watching})
        except Exception as error:
            expected = isinstance(error, EcmError | TimeoutError)
            log.warning(
                "board of tenant %s cannot ask who may look: %s",
                tenant_id,
                str(error) or type(error).__name__,
                exc_info=None if expected else error,
            )
            return False
        for viewer in watching:
            now = standing.get(viewer.session)
            if now is None or (
                viewer.lock is not None and now != (viewer.lock.role, viewer.lock.provider_ref)
            ):
                viewer.wire.drop()
        return True

    async def _standing(
        self, tenant_id: int, sessions: Collection[bytes | None]
    ) -> Mapping[bytes | None, tuple[str, str | None]]:
        """Of the sessions that have not ended: the role and the provider of each."""
        async with self._db.tenant(tenant_id) as connection:
            rows = await connection.fetch(sql.standing_sessions, tenant_id, list(sessions), datetime.now(UTC))
        return {row["token_sha256"]: (row["role"], row["provider_ref"]) for row in rows}
