"""People who watch the board while check-ins come in, in a process of their own (`tests.bench.scene`)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.bench.services import Web


class Onlookers:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def watch(self, sockets: int) -> None:
        """Each with a ticket of its own; on an empty day, or every one of them is shown all of it."""
        await self._ask(do="watch", sockets=sockets)

    async def send(self, **asked: Any) -> dict[str, Any]:
        """Check-ins of visits `first` …, as tests.bench.scene.Asked says; what it counted. Raises on any error."""
        told = await self._ask(do="send", **asked)
        assert not told["errors"], told["errors"]
        return _still_watched(told)

    async def listen(self, seconds: float) -> dict[str, Any]:
        """[kind, visit, instant] of every row and alert that came on any socket. Raises when one was closed."""
        return _still_watched(await self._ask(do="listen", seconds=seconds))

    async def _ask(self, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the onlookers' process ended")
        told: dict[str, Any] = json.loads(line)
        return told


def _still_watched(told: dict[str, Any]) -> dict[str, Any]:
    lost = told["lost_sockets"]
    assert not lost, f"the board closed {len(lost)} sockets, the first: {lost[0]}"
    return told


@asynccontextmanager
async def onlookers(web: Web) -> AsyncIterator[Onlookers]:
    command = [sys.executable, "-m", "tests.bench.scene", "--port", str(web.port), "--key", web.key]
    command += ["--cookie", web.cookie]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**28
    )
    try:
        yield Onlookers(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
