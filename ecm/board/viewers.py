"""Who is looking at a tenant's board, and telling them. The hub (`ecm.board.hub`) decides when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from ecm.board.feed import Audience, Change, Feed, frames_for
from ecm.board.snapshot import Snapshot
from ecm.board.wire import Wire
from ecm.lock import NOBODY, Lock

log = logging.getLogger("ecm.board")


@dataclass(eq=False, slots=True)
class Viewer:
    """One socket. `day` is None while it follows today. `session`: the digest of the sign-in that keeps it open.

    `lock`: whom it was opened for, for as long as it is open. `provider`: what it asked for within that.
    """

    wire: Wire
    lock: Lock
    provider: str | None = None
    day: date | None = None
    audience: Audience | None = None
    session: bytes | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one showing at a time

    def audience_on(self, today: date) -> Audience:
        """One feed serves all providers, so row-level security stands behind no frame: here it is that a socket of one
        provider gets that one and no other, whatever it asked for, and one of a care worker gets none."""
        only = self.lock.provider_ref if self.lock.care_worker_ref is None else NOBODY
        return Audience(self.day or today, self.provider if only is None else only, self.day is None)


Shown = tuple[Audience, str | None]
"""What a snapshot holds, and the one provider whose rows it was read under; None for all."""


@dataclass(eq=False, slots=True)
class Board:
    """One tenant's live board in this process."""

    tenant_id: int
    labels: dict[str, Any]
    zone: str
    epoch: UUID
    feed: Feed
    look: asyncio.Event = field(default_factory=asyncio.Event)
    open: set[Viewer] = field(
        default_factory=set
    )  # every socket, also one that is just being shown a snapshot
    audiences: dict[Audience, set[Viewer]] = field(default_factory=dict)
    holders: int = 0
    reading: bool = True
    head: int = 0
    snapshots: dict[Shown, Snapshot] = field(default_factory=dict)
    covered: dict[Audience, None] = field(default_factory=dict)  # in the order they were shown
    task: asyncio.Task[None] | None = None
    pulse: dict[str, Any] = field(default_factory=dict)


def leave(board: Board, viewer: Viewer) -> None:
    audience, viewer.audience = viewer.audience, None
    if audience is None:
        return
    viewers = board.audiences.get(audience, set())
    viewers.discard(viewer)
    if not viewers:
        board.audiences.pop(audience, None)


def viewers_of(board: Board) -> list[Viewer]:
    return [viewer for viewers in board.audiences.values() for viewer in viewers]


def tell(board: Board, changes: list[Change]) -> None:
    for audience, viewers in list(board.audiences.items()):
        frames = frames_for(audience, changes)
        if not frames:
            continue
        write(board, viewers, frames)


def write(board: Board, viewers: Iterable[Viewer], frames: bytes) -> None:
    """To each of them. Who cannot be written to leaves, and costs nobody else a frame."""
    for viewer in list(viewers):
        try:
            written = viewer.wire.write(frames)
        except Exception:
            log.exception("a viewer of tenant %s could not be written to", board.tenant_id)
            viewer.wire.drop()
            written = False
        if not written:
            leave(board, viewer)
