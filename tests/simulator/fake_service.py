"""A service that is only a door: gives receipts, forgets nothing, and fails in every way a door can."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

TROUBLES = {"none": 60, "503": 12, "500": 6, "429": 4, "hang up before": 8, "hang up after": 10}
NO_TROUBLE = {"none": 1}
SOME_TROUBLE = {"none": 95, "503": 3, "hang up after": 2}


class FakeService:
    """`kept`: event id -> received_at. `bodies`: every body that came under an id,
    without what tells of the sending. `imported`: rows by kind.
    `pages`: what each reading door has to say. `backlogs`: how much waits, at each asking; nothing at the end."""

    def __init__(
        self, *, starts_at: datetime, speed: float, seed: int, troubles: dict[str, int] = TROUBLES
    ) -> None:
        self.kept: dict[str, str] = {}
        self.bodies: dict[str, set[str]] = {}
        self.wall_clocks: dict[str, set[str]] = {}
        self.imported: dict[str, list[dict[str, Any]]] = {}
        self.met: Counter[str] = Counter()
        self.batches: list[int] = []
        self.busiest = 0
        self._starts_at, self._speed, self._began = starts_at, speed, time.monotonic()
        self._rng = Random(seed)
        self._troubles = troubles
        self._open = 0
        self.port = 0
        self.pages: Callable[[], dict[str, list[Any]]] = dict
        self.backlogs: list[int] = []

    def now(self) -> datetime:
        return self._starts_at + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serves on loopback; entered again, on the same port."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(self, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            server.should_exit = server.force_exit = True
            await serving
            listening.close()
            while self._open:  # what was asked before is kept before it is gone
                await asyncio.sleep(0.01)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"]
        if path == "/healthz":
            await _answer(send, 200, {"status": "ok", "now": self.now().isoformat(), "speed": self._speed})
        elif path == "/readyz":
            await _answer(send, 200, {"backlog": {"waiting": self.backlogs.pop(0) if self.backlogs else 0}})
        elif path.startswith("/v1/imports/"):
            rows = json.loads(body)
            self.imported.setdefault(path.rsplit("/", 1)[1], []).extend(rows)
            await _answer(
                send, 200, {"read": len(rows), "new": len(rows), "rejected": 0, "unknown_columns": []}
            )
        elif scope["method"] == "GET":
            asked = dict(parse_qsl(scope["query_string"].decode()))
            await _answer(send, 200, _page(self.pages()[path], asked))
        else:
            self._open += 1
            self.busiest = max(self.busiest, self._open)
            try:
                await self._door(json.loads(body), send)
            finally:
                self._open -= 1

    async def _door(self, said: Any, send: Any) -> None:
        trouble = self._rng.choices(tuple(self._troubles), tuple(self._troubles.values()))[0]
        self.met[trouble] += 1
        await asyncio.sleep(0.001)
        if trouble == "hang up before":
            raise ConnectionAbortedError
        if trouble.isdigit():
            await _answer(send, int(trouble), {"status": int(trouble)}, {"retry-after": "0"})
            return
        bodies = said if isinstance(said, list) else [said]
        receipts = [self._keep(body) for body in bodies]
        if trouble == "hang up after":
            raise ConnectionAbortedError
        if isinstance(said, list):
            self.batches.append(len(said))
            await _answer(send, 200, receipts)
        else:
            await _answer(send, 201 if receipts[0]["status"] == "created" else 200, receipts[0])

    def _keep(self, body: dict[str, Any]) -> dict[str, Any]:
        status = "exists" if body["id"] in self.kept else "created"
        received_at = self.kept.setdefault(body["id"], self.now().astimezone(UTC).isoformat())
        self.wall_clocks.setdefault(body["id"], set()).add(body.get("device", {}).get("wall_clock"))
        for of_the_sending in ("wall_clock", "monotonic_ms"):
            body.get("device", {}).pop(of_the_sending, None)
        self.bodies.setdefault(body["id"], set()).add(json.dumps(body, sort_keys=True))
        return {"id": body["id"], "status": status, "received_at": received_at}


def _page(items: list[Any], asked: dict[str, str]) -> dict[str, Any]:
    first, limit = int(asked.get("cursor", 0)), int(asked["limit"])
    following = str(first + limit) if first + limit < len(items) else None
    return {"items": items[first : first + limit], "next": following}


async def _answer(send: Any, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
    lines = [(b"content-type", b"application/json")]
    lines += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})
