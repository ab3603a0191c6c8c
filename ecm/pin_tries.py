"""Guessing PINs: five wrong tries in a quarter of an hour, then wait. Counted in the database, over all processes.

    came from                                                counted together
    -------------------------------------------------------  -----------------------------------------------------
    somewhere the worker is expected: a home on the round,   that place: nobody elsewhere can use up its tries
    a phone of the provider
    anywhere else                                            the worker, wherever from: a thousand spoofed numbers
                                                             have five tries between them
    anywhere at all                                          the place: it cannot go through the workers one by one

Nobody is locked out: whoever guesses at a worker from afar leaves the tries at the worker's own doors untouched.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from ecm.errors import TooMany
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "pin_tries.sql")

TRIES = 5
WITHIN = timedelta(minutes=15)


async def admit(
    connection: Connection,
    tenant_id: int,
    came_from: str,
    worker: str | None,
    now: datetime,
    *,
    expected: bool,
) -> None:
    """Raises TooMany, with how long to wait, while a try would be one too many. `now`: real time."""
    oldest: datetime | None = await connection.fetchval(
        sql.oldest_of_the_last,
        tenant_id,
        came_from,
        worker,
        expected,
        now - WITHIN,
        TRIES,
    )
    if oldest is not None:
        wait = oldest + WITHIN - now
        raise TooMany(
            "Too many wrong PINs. Wait a little and try again; nothing is locked.",
            retry_after_seconds=max(1, ceil(wait.total_seconds())),
        )


async def failed(
    connection: Connection,
    tenant_id: int,
    came_from: str,
    worker: str | None,
    now: datetime,
    *,
    expected: bool,
) -> None:
    """Writes a wrong try down, in a transaction of the caller's that must commit."""
    await connection.execute(sql.add_try, tenant_id, now, came_from, worker, expected)
