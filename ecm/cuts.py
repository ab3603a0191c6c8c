"""Hearing at once that somebody was cut off: a leaver, a key, a phone, a sign-in, another role.

    cuts = Cuts(db)
    cuts.on_cut(forget)     # told the tenant's number; None when anything may have been missed
    await cuts.start()

The database says it (the triggers `tell_cut`), whoever made the change, and says nothing but whose authority it is.
This is only the quick half: whoever keeps something by heart also asks again by itself, every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ecm.store.db import Database

log = logging.getLogger(__name__)

CHANNEL = "ecm_cut"
PAUSE_SECONDS = 1.0

OnCut = Callable[[int | None], Awaitable[None]]


class Cuts:
    """Callbacks are run one after another and should not wait for anything themselves."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._callbacks: list[OnCut] = []
        self._listener: asyncio.Task[None] | None = None

    def on_cut(self, callback: OnCut) -> None:
        self._callbacks.append(callback)

    async def start(self) -> None:
        self._listener = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        listener, self._listener = self._listener, None
        while (
            listener is not None and not listener.done()
        ):  # a library on the way may have swallowed the first
            listener.cancel()
            await asyncio.wait({listener}, timeout=1)

    async def _listen(self) -> None:
        """For ever: whatever breaks it off costs quickness and nothing else."""
        while True:
            try:
                async for payload in self._db.listen(CHANNEL):
                    await self._tell(int(payload) if payload.isdecimal() else None)
            except Exception:
                log.exception("cuts are not heard")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _tell(self, tenant_id: int | None) -> None:
        for callback in self._callbacks:
            try:
                await callback(tenant_id)
            except Exception:
                log.exception("a cut was not taken in")
