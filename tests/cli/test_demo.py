"""`ecm demo` as somebody sees it who has just installed: addresses, sign-ins, a board that moves; and its refusal."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from ecm.store.embedded import Addresses, EmbeddedPostgres
from tests.cli.test_commands import execute, fetch
from tests.ports import free_port
from tests.postgres import server_folder
from tests.prove.service import stop_database

MOVING_WITHIN_SECONDS = 90.0
"""On a machine that does other things too; the goal, 15 s on an idle one, is the benchmark's to hold."""


@pytest.mark.timeout(400)
def test_a_demonstration_moves_and_a_folder_with_real_data_is_refused() -> None:
    with server_folder() as folder:
        with demonstration(folder) as (url, printed):
            began = time.monotonic()
            password = said(printed, r"duty@demo\.example\s+(\S+)")
            board = asyncio.run(first_rows(url, password, began + MOVING_WITHIN_SECONDS))
        assert board["speed"] == 60
        assert board["states"], "nobody checked in"

        with database_in(folder / "demo") as database:
            execute(database, "DELETE FROM scaled_clock")
            [before] = fetch(database, "SELECT count(*) FROM check_events")
        refused = subprocess.run(
            command(folder, free_port()),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert refused.returncode == 1
        assert "real service's data" in refused.stderr
        with database_in(folder / "demo") as database:
            assert fetch(database, "SELECT count(*) FROM check_events") == [before]


async def first_rows(url: str, password: str, until: float) -> dict[str, Any]:
    """Signs in as the duty officer, looks at the board, and waits until a care worker's coming moves it."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        signed_in = await client.post(
            "/v1/session", json={"email": "duty@demo.example", "password": password}
        )
        assert signed_in.status_code == 201, signed_in.text
        page = await client.get("/board")
        assert page.status_code == 200
        assert "text/html" in page.headers["content-type"]
        ticket = (await client.post("/board/tickets", headers={"Origin": url})).json()["ticket"]
    states: list[str] = []
    speed = 0.0
    address = f"{url.replace('http', 'ws')}/board/live?ticket={ticket}"
    async with websockets.connect(address, origin=url, proxy=None) as socket:
        await socket.send(json.dumps({"type": "filter"}))
        while not states:
            async with asyncio.timeout(until - time.monotonic()):
                frame = json.loads(await socket.recv())
            if frame["type"] == "hello":
                speed = frame["speed"]
            if frame["type"] == "row" and frame["visit"]["actual_start"]:
                states.append(frame["visit"]["state"])
    return {"speed": speed, "states": states}


@contextmanager
def demonstration(folder: Path) -> Iterator[tuple[str, Path]]:
    """A demonstration that has said that it is ready; ended as by Ctrl-C."""
    port = free_port()
    printed = folder.parent / "demo.log"
    with printed.open("wb") as log:
        child = subprocess.Popen(command(folder, port), env=environment(), stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        give_up_at = time.monotonic() + 120
        while not (answers(url) and "Sign in as" in printed.read_text()):
            assert child.poll() is None, printed.read_text()
            assert time.monotonic() < give_up_at, printed.read_text()
            time.sleep(0.1)
        yield url, printed
        child.send_signal(signal.SIGINT)
        assert child.wait(60) in (0, 130), printed.read_text()
        assert "Traceback" not in printed.read_text()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
            stop_database(folder / "demo")


def command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "ecm", "demo", "--port", str(port), "--data", str(folder)]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ECM_")}


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def said(printed: Path, pattern: str) -> str:
    found = re.search(pattern, printed.read_text())
    assert found, printed.read_text()
    return found.group(1)


@contextmanager
def database_in(folder: Path) -> Iterator[Addresses]:
    server = EmbeddedPostgres(folder)
    try:
        yield server.start()
    finally:
        server.stop()
