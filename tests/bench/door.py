"""The door for check events alone in a web process, with the dispatcher's work and nothing behind it."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ecm.clock import RealClock
from ecm.keys import mint
from ecm.sealing import Sealer
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.batch import WRITERS
from ingest.door import CheckEventsDoor
from tests.bench.common import serving


@asynccontextmanager
async def open_door(addresses: Addresses) -> AsyncIterator[tuple[int, str]]:
    """(port, key) of a door in a process of its own."""
    key, digest = mint()
    connection = await asyncpg.connect(addresses.owner)
    await connection.execute(
        "INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at)"
        " VALUES (1, 'load', '{ingest}', $1, now())",
        digest,
    )
    await connection.close()
    async with serving("tests.bench.door:create", {"BENCH_DSN": addresses.app}) as port:
        yield port, key


def create() -> Any:
    """For uvicorn's --factory. The collector is set as `ecm web` sets it."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    door: CheckEventsDoor | None = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal door
        if scope["type"] == "lifespan":
            await receive()
            db = await Database.connect(os.environ["BENCH_DSN"], "ecm_ingest")
            writers = int(os.environ.get("BENCH_WRITERS", WRITERS))
            door = CheckEventsDoor(
                db, RealClock(), Sealer.of(bytes(32)), writers=writers, events_per_s=1e6, events_at_once=1e7
            )
            await door.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await door.stop()
            await db.close()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["method"] == "POST" and scope["path"] == "/v1/check-events":
            assert door is not None
            await door(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return app
