"""S16: how long a newcomer waits: for the whole suite (only with --full), and for a demonstration that moves."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.common import Bench, Figure, run

PATIENCE_SECONDS = 120.0
ACCOUNT = re.compile(r"(duty@demo\.example)\s+(\S+)")


async def measure(bench: Bench) -> list[Figure]:
    figures = [await demo()]
    if bench.full:
        figures.append(await suite())
    return figures


async def demo() -> Figure:
    with tempfile.TemporaryDirectory(prefix="ecm-demo-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        env = {name: value for name, value in os.environ.items() if not name.startswith("ECM_")}
        command = [sys.executable, "-m", "ecm", "demo", "--port", str(port), "--data", f"{folder}/data"]
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                introduced, moving = await _until_it_moves(process, port)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await process.communicate()
    return Figure(
        "S16",
        "`ecm demo` in an empty folder, until a visit is in progress",
        moving - began,
        "s",
        "less",
        goal=15,
        stretch=8,
        details=f"it introduces itself after {introduced - began:.1f} s",
    )


async def _until_it_moves(process: asyncio.subprocess.Process, port: int) -> tuple[float, float]:
    assert process.stdout is not None
    said = ""
    while (account := ACCOUNT.search(said)) is None:
        line = await process.stdout.readline()
        assert line, f"the demonstration ended:\n{said}"
        said += line.decode()
    introduced = time.perf_counter()
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers={"origin": url}) as http:
        while True:
            try:
                await http.post("/v1/session", json={"email": account[1], "password": account[2]})
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        while (
            not (await http.get("/v1/visits", params={"state": "in_progress", "limit": 1}))
            .json()
            .get("items")
        ):
            await asyncio.sleep(0.1)
    return introduced, time.perf_counter()


async def suite() -> Figure:
    began = time.perf_counter()
    told = await run([sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"])
    return Figure(
        "S16",
        "the whole test suite (pytest's part of `make test`)",
        time.perf_counter() - began,
        "s",
        "less",
        goal=480,
        stretch=240,
        details=told.strip().splitlines()[-1],
    )
