"""From a committed change to its frame at every socket, measured (PROOF S3). Run by hand:

    python -m tests.board.measure_fan_out --sockets 1000 --rate 20 --seconds 10

The server runs in this process and the viewers in another, which shares the machine's clock. Each change carries the
instant just before its commit; a viewer subtracts it from the instant the frame was read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from typing import Any

import uvloop

from tests.board.stage import Stage, staged


def view(url: str, tickets: list[str], ready: Any, answers: Any) -> None:
    uvloop.run(_view(url, tickets, ready, answers))


async def _view(url: str, tickets: list[str], ready: Any, answers: Any) -> None:
    """Raw sockets: the viewers' own parsing must not be what is measured."""
    delays: list[float] = []
    over = asyncio.Event()
    host, port = url.removeprefix("ws://").split(":")

    class Viewer(asyncio.Protocol):
        def __init__(self, ticket: str) -> None:
            self.ticket = ticket
            self.shaken = False
            self.rest = b""
            self.joined = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            transport.write(
                f"GET /board/live?ticket={self.ticket} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )

        def data_received(self, data: bytes) -> None:
            now = time.time()
            if not self.shaken:
                _, _, data = data.partition(b"\r\n\r\n")
                self.shaken = True
                body = b'{"type":"filter"}'
                mask = b"\0\0\0\0"
                self.transport.write(bytes([0x81, 0x80 | len(body)]) + mask + body)
            at = data.find(b'"reason":"at ')
            while at >= 0:
                end = data.index(b'"', at + 13)
                delays.append(now - float(data[at + 13 : end]))
                at = data.find(b'"reason":"at ', end)
            if b'"type":"heartbeat"' in data and not self.joined.done():
                self.joined.set_result(None)
            if b'"reason":"over"' in data:
                over.set()

    loop = asyncio.get_running_loop()
    for start in range(0, len(tickets), 50):
        pairs = [
            await loop.create_connection(lambda t=t: Viewer(t), host, int(port))
            for t in tickets[start : start + 50]
        ]
        await asyncio.gather(*(viewer.joined for _, viewer in pairs))
    ready.set()
    await over.wait()
    await asyncio.sleep(1)  # the others read it too
    answers.put(sorted(delays))


async def measure(addresses: Any, sockets: int, rate: float, seconds: float) -> dict[str, float]:
    async with staged(addresses) as stage:
        visits = [await stage.plan(f"V-{n}", at=f"{6 + n // 60:02}:{n % 60:02}") for n in range(200)]
        tickets = await _tickets(stage, sockets)
        context = multiprocessing.get_context("spawn")
        ready, answers = context.Event(), context.Queue()
        viewers = context.Process(
            target=view, args=(stage.url.replace("http", "ws"), tickets, ready, answers)
        )
        viewers.start()
        await asyncio.to_thread(ready.wait, 120)
        began, sent = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - began) < seconds:
            await asyncio.sleep(max(0.0, sent / rate - elapsed))
            await stage.becomes(visits[sent % 200], state="late", state_reason=f"at {time.time():.6f}")
            sent += 1
        await stage.becomes(visits[0], state_reason="over")
        delays = await asyncio.to_thread(answers.get, True, 30)
        viewers.join()
        return {
            "sockets": sockets, "rate": rate, "changes": sent, "frames": len(delays),
            "missing": sent * sockets - len(delays),
            "p50_ms": round(1000 * delays[len(delays) // 2], 2),
            "p99_ms": round(1000 * delays[int(len(delays) * 0.99)], 2),
            "worst_ms": round(1000 * delays[-1], 2),
        }  # fmt: skip


async def _tickets(stage: Stage, count: int) -> list[str]:
    """Minted straight into the table: asking the door a thousand times is not what is measured."""
    import hashlib

    account = await stage.owner.fetchval("SELECT account_id FROM accounts WHERE role = 'duty_officer'")
    session = hashlib.sha256((await stage.signed_in("dana")).encode()).digest()
    tickets = [f"ticket-{n}" for n in range(count)]
    await stage.owner.executemany(
        "INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)"
        " VALUES (1, $1, $2, $3, now() + interval '10 minutes')",
        [(hashlib.sha256(ticket.encode()).digest(), account, session) for ticket in tickets],
    )
    return tickets


def main() -> None:
    from ecm.store.embedded import EmbeddedPostgres
    from ecm.store.migrate import migrate
    from tests.postgres import server_folder

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    wanted = parser.parse_args()
    with server_folder() as folder:
        server = EmbeddedPostgres(folder)
        try:
            addresses = server.start()
            asyncio.run(migrate(addresses.owner))
            print(json.dumps(uvloop.run(measure(addresses, wanted.sockets, wanted.rate, wanted.seconds))))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
