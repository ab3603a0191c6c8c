"""The process of `tests.bench.onlookers`: sends check-ins and watches the board, a JSON object a line in and out."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import uvloop

from tests.bench.load import Ids
from tests.bench.plan import HOME
from tests.bench.viewer import Viewer

CONNECTIONS = 64
PATIENCE_SECONDS = 30.0
SAMPLE_SECONDS = 0.25

EVENT = (
    '{"id":"%s","kind":"check_in","occurred_at":"%s","method":"app","care_worker":"C-%d","service_user":"P-%d",'
    '"visit":"B-%d","fix":{"lat":%f,"lon":%f,"accuracy_m":12.0,"fixed_at":"%s"},"device":{"id":"phone-%d",'
    '"app_version":"1.4.0","wall_clock":"%s","monotonic_ms":812331}}'
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Check-ins of visits `first`, … one each, for `seconds` or until there are `count`.

    `rate`: a second, at their planned instants, whoever is late (open loop). Without one: as fast as the board
    keeps up, with at most `in_flight` sent and not yet seen there. `id_less_ref`: visit_id - number in the reference.
    """

    first: int
    count: int
    seconds: float
    rate: float | None = None
    in_flight: int = 2000
    id_less_ref: int = 0


@dataclass(slots=True)
class Run:
    asked: Asked
    began: float
    next: int
    planned_at: dict[int, float] = field(default_factory=dict)
    acknowledged_at: dict[int, float] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    overdue: deque[int] = field(default_factory=deque)
    idle: deque[Sender] = field(default_factory=deque)
    errors: dict[str, int] = field(default_factory=dict)
    samples: list[tuple[float, int, int]] = field(default_factory=list)

    @property
    def unseen(self) -> int:
        """Planned, and not yet on the board."""
        return self.next - self.asked.first - len(self.seen)

    @property
    def all_planned(self) -> bool:
        return self.next - self.asked.first >= self.asked.count

    def take_next(self, planned_at: float) -> int:
        visit, self.next = self.next, self.next + 1
        self.planned_at[visit] = planned_at
        return visit


class Sender(asyncio.Protocol):
    """One connection, one check-in at a time."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._heard = b""
        self.visit = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, visit: int) -> None:
        self.visit = visit
        self.transport.write(self._scene.request(visit))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._heard = data = self._heard + data if self._heard else data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        at = data.find(b"content-length: ") + 16
        if len(data) < head_end + 4 + int(data[at : data.index(b"\r", at)]):
            return
        self._heard = b""
        self._scene.acknowledged(self, data[9:12])


class Scene:
    def __init__(self, port: int, key: str, cookie: str) -> None:
        self._port = port
        self._cookie = cookie
        self._ids = Ids()
        self._viewers: list[Viewer] = []
        self._run: Run | None = None
        self._head = (
            b"POST /v1/check-events HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %s\r\ncontent-length: " % key.encode()
        )

    async def watch(self, sockets: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._port}"
        headers = {"origin": url, "cookie": f"ecm_session={self._cookie}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            for nth in range(sockets):
                answer = await http.post("/board/tickets")
                answer.raise_for_status()
                await self._seat(Viewer(answer.json()["ticket"], self.seen if nth == 0 else None))
        return {"sockets": len(self._viewers)}

    async def _seat(self, viewer: Viewer) -> None:
        await asyncio.get_running_loop().create_connection(lambda: viewer, "127.0.0.1", self._port)
        await asyncio.wait_for(viewer.shown, PATIENCE_SECONDS)
        self._viewers.append(viewer)

    async def listen(self, seconds: float) -> dict[str, Any]:
        for viewer in self._viewers:
            viewer.forget()
        wall_less_monotonic = time.time() - time.perf_counter()
        await asyncio.sleep(seconds)
        came = [
            ("row" if visit > 0 else "alert", abs(visit), at + wall_less_monotonic)
            for viewer in self._viewers
            for visit, at in zip(viewer.heard, viewer.heard_at, strict=True)
        ]
        return {"came": came, "lost_sockets": self._lost()}

    async def send(self, **asked: Any) -> dict[str, Any]:
        for viewer in self._viewers:
            viewer.forget()
        run = Run(Asked(**asked), time.perf_counter(), asked["first"])
        connect = asyncio.get_running_loop().create_connection
        made = [await connect(lambda: Sender(self), "127.0.0.1", self._port) for _ in range(CONNECTIONS)]
        run.idle.extend(sender for _, sender in made)
        self._run, run.began = run, time.perf_counter()
        sampling = asyncio.create_task(self._sample(run))
        if run.asked.rate is None:
            self._go_on(run)
            await asyncio.sleep(run.asked.seconds)
        else:
            await self._keep_to_plan(run, run.asked.rate)
        sent_seconds, seen_by_then = time.perf_counter() - run.began, len(run.seen)
        give_up_at = time.perf_counter() + PATIENCE_SECONDS
        while run.unseen > sum(run.errors.values()) and time.perf_counter() < give_up_at:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)  # the other viewers hear the last frame a moment after the first one
        sampling.cancel()
        for transport, _ in made:
            transport.close()
        return self._told(run, sent_seconds, seen_by_then)

    async def _keep_to_plan(self, run: Run, rate: float) -> None:
        for nth in range(min(run.asked.count, int(run.asked.seconds * rate))):
            planned_at = run.began + nth / rate
            while (wait_s := planned_at - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            visit = run.take_next(planned_at)
            if run.idle:
                run.idle.popleft().send(visit)
            else:
                run.overdue.append(visit)
                await asyncio.sleep(0)

    async def _sample(self, run: Run) -> None:
        while True:
            run.samples.append((round(time.perf_counter() - run.began, 3), run.unseen, len(run.seen)))
            await asyncio.sleep(SAMPLE_SECONDS)

    # ---------------------------------------------------------------- what is heard

    def acknowledged(self, sender: Sender, status: bytes) -> None:
        run = self._run
        assert run is not None
        if status == b"201":
            run.acknowledged_at[sender.visit] = time.perf_counter()
        else:
            run.errors[status.decode()] = run.errors.get(status.decode(), 0) + 1
        if run.overdue:
            sender.send(run.overdue.popleft())
            return
        run.idle.append(sender)
        if run.asked.rate is None:
            self._go_on(run)

    def seen(self, visits: tuple[int, ...]) -> None:
        if (run := self._run) is not None:
            run.seen.update([visit - run.asked.id_less_ref for visit in visits if visit > 0])
            if run.asked.rate is None:
                self._go_on(run)

    def _go_on(self, run: Run) -> None:
        """Closed loop: whoever is free sends, while not too many are under way."""
        now = time.perf_counter()
        if now > run.began + run.asked.seconds:
            return
        while run.idle and run.unseen < run.asked.in_flight and not run.all_planned:
            run.idle.popleft().send(run.take_next(now))

    def request(self, visit: int) -> bytes:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = (EVENT % (self._ids.make(), at, visit, visit, visit, *HOME, at, visit, at)).encode()
        return self._head + b"%d\r\n\r\n" % len(body) + body

    # ---------------------------------------------------------------- what came of it

    def _told(self, run: Run, sent_seconds: float, seen_by_then: int) -> dict[str, Any]:
        after_receipt, after_plan, never_seen = [], [], 0
        for viewer in self._viewers:
            first: dict[int, float] = {}
            for visit, at in zip(viewer.heard, viewer.heard_at, strict=True):
                if visit > 0:
                    first.setdefault(visit - run.asked.id_less_ref, at)
            never_seen += sum(visit not in first for visit in run.acknowledged_at)
            after_receipt += [1000 * (first[v] - at) for v, at in run.acknowledged_at.items() if v in first]
            after_plan += [1000 * (first[v] - at) for v, at in run.planned_at.items() if v in first]
        return {
            "planned": run.next - run.asked.first,
            "acknowledged": len(run.acknowledged_at),
            "sent_seconds": sent_seconds,
            "seen_while_sending": seen_by_then,
            "never_seen": never_seen,
            "errors": run.errors,
            "lost_sockets": self._lost(),
            "after_receipt_ms": _summary(after_receipt),
            "after_plan_ms": _summary(after_plan),
            "samples": run.samples,
        }

    def _lost(self) -> list[str]:
        return [viewer.lost for viewer in self._viewers if viewer.lost is not None]


def _summary(values: list[float]) -> dict[str, float]:
    values = sorted(values) or [0.0]
    return {"p50": values[len(values) // 2], "p99": values[int(len(values) * 0.99)], "max": values[-1]}


async def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--key", required=True)
    asked.add_argument("--cookie", required=True)
    options = asked.parse_args()
    scene = Scene(options.port, options.key, options.cookie)
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        match told.pop("do"):
            case "watch":
                answer = await scene.watch(**told)
            case "send":
                answer = await scene.send(**told)
            case _:
                answer = await scene.listen(**told)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
