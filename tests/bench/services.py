"""The service as an operator runs it, `ecm web` and `ecm worker`, in processes of their own beside the measuring."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import httpx

from ecm.api.accounts import create_account, create_key
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.bench.common import answering

UP_SECONDS = 30.0
EMAIL = "duty@bench.example"


@dataclass(frozen=True, slots=True)
class Web:
    """`pid` for its memory; `key` to send events with, `cookie` of a duty officer who is signed in."""

    port: int
    pid: int
    key: str
    cookie: str


@asynccontextmanager
async def ecm_web(addresses: Addresses) -> AsyncIterator[Web]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    db = await Database.connect(addresses.app, "ecm_web", 1)
    try:
        now = datetime.now(UTC)
        name = f"{port}.{EMAIL}"
        password = await create_account(db, 1, name, "Dana Duty", "duty_officer", None, now)
        key = await create_key(db, 1, f"load {port}", ["ingest"], now)
    finally:
        await db.close()
    async with _ecm("web", addresses, "--port", str(port)) as process:
        await answering(port, process)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            answer = await http.post("/v1/session", json={"email": name, "password": password})
        assert answer.status_code == 201, answer.text
        yield Web(port, process.pid, key, answer.cookies["ecm_session"])


@asynccontextmanager
async def ecm_worker(addresses: Addresses) -> AsyncIterator[int]:
    """Its process id, once its heart beats."""
    connection = await asyncpg.connect(addresses.owner)
    try:
        await connection.execute("DELETE FROM heartbeats")
        async with _ecm("worker", addresses) as process:
            async with asyncio.timeout(UP_SECONDS):
                while not await connection.fetchval("SELECT count(*) FROM heartbeats"):
                    assert process.returncode is None, "the worker stopped before its heart beat"
                    await asyncio.sleep(0.05)
            yield process.pid
    finally:
        await connection.close()


@asynccontextmanager
async def _ecm(command: str, addresses: Addresses, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECM_")}
    env["ECM_APP_DATABASE_URL"] = addresses.app
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "ecm", command, *more, env=env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()
