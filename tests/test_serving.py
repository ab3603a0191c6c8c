"""What is written in one turn leaves in one write, and nothing of it is lost on the way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from ecm import serving
from ecm.serving import HELD_BYTES_MAX, Gathering

DOWNLOAD = [bytes([65 + n % 26]) * 50_000 for n in range(40)]
ENDLESS_BYTES = 500_000_000


class Beneath(asyncio.Transport):
    """A transport that remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
async def beneath() -> Beneath:
    return Beneath()


@pytest.fixture
async def gathering(beneath: Beneath) -> Gathering:
    return Gathering(beneath, asyncio.get_running_loop())


async def test_head_and_body_leave_in_one_write(gathering: Gathering, beneath: Beneath) -> None:
    gathering.write(b"head ")
    gathering.write(b"body")
    assert beneath.written == []
    await asyncio.sleep(0)
    assert beneath.written == [b"head body"]


async def test_the_next_answer_leaves_by_itself(gathering: Gathering, beneath: Beneath) -> None:
    gathering.write(b"one")
    await asyncio.sleep(0)
    gathering.write(b"two")
    await asyncio.sleep(0)
    assert beneath.written == [b"one", b"two"]


async def test_a_download_is_not_held_back(gathering: Gathering, beneath: Beneath) -> None:
    for _ in range(10):
        gathering.write(bytes(HELD_BYTES_MAX // 3))
    assert sum(map(len, beneath.written)) >= 2 * HELD_BYTES_MAX


async def test_what_was_written_leaves_before_the_end(gathering: Gathering, beneath: Beneath) -> None:
    gathering.write(b"goodbye")
    gathering.close()
    await asyncio.sleep(0)
    assert (beneath.written, beneath.closed, gathering.is_closing()) == ([b"goodbye"], True, True)


async def test_answers_come_whole_and_in_order(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /download HTTP/1.1\r\nhost: a\r\n\r\nGET /small HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    async with asyncio.timeout(30):
        heard = await reader.read(-1)
    writer.close()
    download, _, small = heard.rpartition(b"HTTP/1.1 200 OK")
    assert download.endswith(b"\r\n\r\n" + b"".join(DOWNLOAD))
    assert small.endswith(b"\r\n\r\nsmall")


@pytest.mark.parametrize(
    "lengths",
    [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4, 5",
        "content-length: +4",
        "transfer-encoding: chunked, identity",
        "transfer-encoding : chunked",
    ],
)
async def test_a_message_of_two_lengths_is_none_and_nothing_hides_behind_it(port: int, lengths: str) -> None:
    """What a proxy takes for one request's body must never be another request to us."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    hidden = "0\r\n\r\nGET /small HTTP/1.1\r\nhost: a\r\n\r\n"
    writer.write(f"POST /small HTTP/1.1\r\nhost: a\r\n{lengths}\r\n\r\n{hidden}".encode())
    async with asyncio.timeout(10):
        heard = await reader.read(-1)
    writer.close()
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b"small" not in heard


@pytest.mark.parametrize(
    ("proxies", "seen"), [(None, "192.0.2.7"), ("192.0.2.1", "127.0.0.1"), ("127.0.0.1", "192.0.2.7")]
)
async def test_who_somebody_is_said_to_be_is_believed_of_the_proxy_that_was_named(
    monkeypatch: pytest.MonkeyPatch, proxies: str | None, seen: str
) -> None:
    """ASVS 4.1.3: else anybody would choose the address that the throttle and the audit know them by."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if proxies is not None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = b"x-forwarded-for: 198.51.100.1, 192.0.2.7\r\nx-real-ip: 203.0.113.5\r\n"
        writer.write(b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" + said + b"\r\n")
        async with asyncio.timeout(10):
            heard = await reader.read(-1)
        writer.close()
    assert heard.rpartition(b"\r\n\r\n")[2].decode() == seen


async def test_a_reader_who_stops_reading_holds_up_the_writer(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as lazy:
        lazy.sendall(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
        written = -1
        async with asyncio.timeout(30):
            while not 0 < written == Endless.written:
                written = Endless.written
                await asyncio.sleep(0.3)
        assert written < ENDLESS_BYTES / 10, "as much as the kernel holds, and not all of it"


class Endless:
    written = 0


async def app(scope: Any, receive: Any, send: Any) -> None:
    """/download has a length and many pieces; /endless goes on until its reader leaves; /who says who asks."""
    await receive()
    who = scope["client"][0].encode()
    bodies = {"/download": DOWNLOAD, "/small": [b"small"], "/who": [who]}.get(scope["path"])
    size = sum(map(len, bodies)) if bodies else 1_000_000_000
    headers = [(b"content-length", b"%d" % size)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if bodies:
        for n, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": n < len(bodies)})
        return
    while Endless.written < ENDLESS_BYTES:
        await send({"type": "http.response.body", "body": bytes(50_000), "more_body": True})
        Endless.written += 50_000


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port at which the app is served as the service is."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(serving.config(app, "127.0.0.1", 0, lifespan="off", log_level="critical"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        server.force_exit = True
        await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served() as found:
        yield found
