"""Whose PIN it is: tried at whoever is due at that telephone, or at the one who said who they are; never at everybody.

How often is ecm/pin_tries.py's to say. A check holds a connection and a core, so there are only so many at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ecm import pin_tries
from ecm.errors import TooMany
from ecm.pins import pin_fits
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ingest.telephone.turn import Input

sql = load_queries(__package__, "telephone.sql")

AT_ONCE = 2


class Pins:
    """`web`: role ecm_web."""

    def __init__(self, web: Database) -> None:
        self._web = web
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def whose(
        self,
        tenant_id: int,
        came_from: str,
        pin: str,
        people: Sequence[str],
        staff: Sequence[str],
        now: datetime,
        *,
        named: bool,
    ) -> tuple[Input, str | None]:
        """PIN_FITS and the worker; else PIN_WRONG, PIN_UNCLEAR, TOO_MANY_HERE or TOO_MANY and None.

        `people`: of the home that rings; `staff`: who it may be instead, `named` by a number they gave.
        """
        async with self._at_once, self._web.tenant(tenant_id) as connection:
            if staff:
                rows = await connection.fetch(sql.workers, tenant_id, list(staff))
            else:
                rows = await connection.fetch(sql.expected_at, tenant_id, list(people), now)
            hashes = {row["ref"]: row["pin_hash"] for row in rows if row["pin_hash"]}
            return await _try(connection, tenant_id, came_from, pin, hashes, named)


async def _try(
    connection: Connection, tenant_id: int, came_from: str, pin: str, hashes: Mapping[str, str], named: bool
) -> tuple[Input, str | None]:
    real_now = datetime.now(UTC)
    counted: list[str | None] = [*sorted(hashes)] if named else [None]
    allowed: list[str | None] = []
    for worker in counted:
        try:
            await pin_tries.admit(connection, tenant_id, came_from, worker, real_now, expected=not named)
        except TooMany:
            continue
        allowed.append(worker)
    if not allowed:
        return (Input.TOO_MANY, None) if named else (Input.TOO_MANY_HERE, None)
    tried = {ref: stored for ref, stored in hashes.items() if not named or ref in allowed}
    fitting = await asyncio.to_thread(_fitting, pin, tried)
    if len(fitting) == 1:
        return Input.PIN_FITS, fitting[0]
    if fitting:  # two providers may number their workers alike: it is right, and no wrong try of either
        return Input.PIN_UNCLEAR, None
    for worker in allowed:
        await pin_tries.failed(connection, tenant_id, came_from, worker, real_now, expected=not named)
    return Input.PIN_WRONG, None


def _fitting(pin: str, hashes: Mapping[str, str]) -> list[str]:
    return [ref for ref, stored in hashes.items() if pin_fits(pin, stored)]
