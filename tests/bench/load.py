"""Senders of check events: many kept-alive connections in one process that does nothing else.

    --seconds S                    as fast as the answers come (closed loop)
    --seconds S --rate N           N requests a second at their planned instants, whoever is late (open loop);
                                   a latency counts from the planned instant, so that waiting is not left out

Prints {requests, events, per_s, p50_ms, p99_ms, errors} as JSON. Anything but 200 or 201 is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import time
from collections import deque

import uvloop

EVENT = (
    '{"id":"%s","kind":"check_in","occurred_at":"2026-03-02T09:02:11Z","method":"app","care_worker":"CW-104",'
    '"service_user":"SU-2231","visit":"V-90211","fix":{"lat":53.80035,"lon":-1.54922,"accuracy_m":12.0,'
    '"fixed_at":"2026-03-02T09:02:09Z"},"device":{"id":"phone-7","app_version":"1.4.0",'
    '"wall_clock":"2026-03-02T09:02:12Z","monotonic_ms":812331}}'
)


class Ids:
    """UUIDs of version 7: ordered by time, as phones make them."""

    def __init__(self) -> None:
        self.ms = time.time_ns() // 1_000_000
        self.made = 0
        self.mine = secrets.token_hex(5)

    def make(self) -> str:
        self.made += 1
        ms = f"{self.ms + self.made // 10:012x}"
        n = f"{self.made:08x}"
        return f"{ms[:8]}-{ms[8:]}-7{n[:3]}-8{n[3:6]}-{n[6:]}{self.mine}"


class Sender(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.load = load
        self.heard = b""
        self.planned_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, planned_at: float) -> None:
        self.planned_at = planned_at
        self.transport.write(self.load.request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.heard = data = self.heard + data if self.heard else data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        at = data.find(b"content-length: ") + 16
        if len(data) < head_end + 4 + int(data[at : data.index(b"\r", at)]):
            return
        self.heard = b""
        self.load.answered(self, data[9:12])

    def connection_lost(self, error: Exception | None) -> None:
        self.load.lost()


class Load:
    def __init__(self, key: str, per_request: int, rate: float | None) -> None:
        self.head = (
            b"POST /v1/check-events HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %s\r\ncontent-length: " % key.encode()
        )
        self.per_request = per_request
        self.rate = rate
        self.ids = Ids()
        self.latencies: list[float] = []
        self.errors: dict[str, int] = {}
        self.idle: deque[Sender] = deque()
        self.overdue: deque[float] = deque()
        self.until = 0.0

    def request(self) -> bytes:
        if self.per_request == 1:
            body = (EVENT % self.ids.make()).encode()
        else:
            body = ("[" + ",".join(EVENT % self.ids.make() for _ in range(self.per_request)) + "]").encode()
        return self.head + b"%d\r\n\r\n" % len(body) + body

    def answered(self, sender: Sender, status: bytes) -> None:
        now = time.perf_counter()
        if status in (b"201", b"200"):
            self.latencies.append(now - sender.planned_at)
        else:
            self.errors[status.decode()] = self.errors.get(status.decode(), 0) + 1
        if self.overdue:
            sender.send(self.overdue.popleft())
        elif self.rate is None and now < self.until:
            sender.send(now)
        else:
            self.idle.append(sender)

    def lost(self) -> None:
        if time.perf_counter() < self.until:
            self.errors["lost connection"] = self.errors.get("lost connection", 0) + 1

    async def run(self, port: int, connections: int, seconds: float) -> float:
        """Seconds it took."""
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: Sender(self), "127.0.0.1", port) for _ in range(connections)
        ]
        began = time.perf_counter()
        self.until = began + seconds
        if self.rate is None:
            for _, sender in made:
                sender.send(time.perf_counter())
        else:
            self.idle.extend(sender for _, sender in made)
            await self.keep_to_plan(began, seconds, self.rate)
        while len(self.idle) < connections and time.perf_counter() < self.until + 30:
            await asyncio.sleep(0.001)
        took_s = time.perf_counter() - began
        self.until = 0.0
        for transport, _ in made:
            transport.close()
        return took_s

    async def keep_to_plan(self, began: float, seconds: float, rate: float) -> None:
        for nth in range(int(seconds * rate)):
            planned_at = began + nth / rate
            while (wait_s := planned_at - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            if self.idle:
                self.idle.popleft().send(planned_at)
            else:
                self.overdue.append(planned_at)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--key", required=True)
    asked.add_argument("--connections", type=int, default=64)
    asked.add_argument("--seconds", type=float, default=4.0)
    asked.add_argument("--per-request", type=int, default=1)
    asked.add_argument("--rate", type=float)
    options = asked.parse_args()
    load = Load(options.key, options.per_request, options.rate)
    took_s = uvloop.run(load.run(options.port, options.connections, options.seconds))
    latencies = sorted(load.latencies) or [0.0]
    told = {
        "requests": len(load.latencies),
        "events": len(load.latencies) * options.per_request,
        "per_s": len(load.latencies) * options.per_request / took_s,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
        "errors": load.errors,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
