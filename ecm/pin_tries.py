"""Guessing PINs: five wrong tries in a quarter of an hour, then wait. Counted in the database, over all processes.

    a PIN is tried               from                                    counted together
    ---------------------------  --------------------------------------  ---------------------------------------------
    at whoever is expected there  a home on the round, the worker's own   that place: nobody elsewhere can use up its
                                  mobile, a phone of the provider         tries
    at one worker, named first    anywhere                                the worker, wherever from: a thousand spoofed
                                                                          numbers have five tries between them
                                                                          that place: a number cannot go through the
                                                                          workers one by one (who withholds it can, with
                                                                          five tries at each)

The two kinds are counted apart. So nobody is locked out: whoever guesses at a worker from afar leaves the tries at the
worker's own doors untouched, and whoever uses up the tries of a home leaves its workers to say who they are first. A
PIN is never tried at everybody of a provider: each such guess would be one at each of them, and five would shut out
all of them.

Tries of one kind at one place, or at one worker, wait for each other, so that a thousand at the same moment are five.
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
    """Raises TooMany, with how long to wait, while a try would be one too many. `now`: real time.

    Nobody else tries at the same place, or worker, until the caller's transaction ends."""
    await connection.execute(sql.one_at_a_time, tenant_id, came_from, worker, expected)
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
