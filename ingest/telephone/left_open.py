"""Phone calls whose end nobody tells us: the gateway's word for it was lost, or it was never told where to say it.

Somebody who chose in or out and hung up is recorded all the same, soon after a phone call can last no longer, and
whether or not anybody rings after them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ecm.errors import EcmError
from ecm.store.db import Database
from ecm.store.queries import load_queries
from ingest.telephone.conductor import Conductor

sql = load_queries(__package__, "telephone.sql")
log = logging.getLogger(__name__)

LOOKED_FOR_EVERY_S = 60.0


async def finish_left_open(ingest: Database, conductor: Conductor) -> None:
    """Once, for every authority. `ingest`: role ecm_ingest, which knows them all. Raises Unavailable."""
    async with ingest.connection() as connection:
        rows = await connection.fetch(sql.tenants)
    for row in rows:
        await conductor.finish_abandoned(row["tenant_id"])


@asynccontextmanager
async def finishing_left_open(ingest: Database, conductor: Conductor) -> AsyncIterator[None]:
    """Looks for them every minute, until left."""
    looking = asyncio.create_task(_keep_looking(ingest, conductor), name="phone calls left open")
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def _keep_looking(ingest: Database, conductor: Conductor) -> None:
    while True:
        await asyncio.sleep(LOOKED_FOR_EVERY_S)
        try:
            await finish_left_open(ingest, conductor)
        except EcmError as error:
            log.warning("phone calls left open could not be looked for: %s", error)
        except Exception:
            log.exception("phone calls left open could not be finished")
