"""The one door by which the service asks others: whom it never asks, and what nobody can do to it by answering."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from ecm.outgoing import NotAllowed, NotReached, Outgoing, is_public


@dataclass
class Elsewhere:
    """Another's server: it keeps each request's first lines, and answers with these bytes, then closes or not."""

    answer: bytes = b""
    closes: bool = True
    url: str = ""
    asked: list[list[str]] = field(default_factory=list)


@asynccontextmanager
async def elsewhere(answer: bytes, *, closes: bool = True) -> AsyncIterator[Elsewhere]:
    there = Elsewhere(answer, closes)
    serving = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            there.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n"))
            writer.write(there.answer)
            if not there.closes:
                await reader.read()  # until they hang up
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield there
        # Who gave up soon may still stand at the door, and is let in before the last one is.
        reader, last = await asyncio.open_connection(*server.sockets[0].getsockname())
        last.write_eof()
        await reader.read()
        last.close()
        await asyncio.gather(*serving)


def saying(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_what_is_asked_for_comes_back_with_its_status_and_headers() -> None:
    async with elsewhere(saying(b'{"ok": 1}', "X-Said: yes", status="404 Not Found")) as there:
        answer = await Outgoing().request(
            "GET",
            f"{there.url}/a/b?c=d#e",
            headers={"Authorization": "Basic bWFkZTp1cA=="},
            private=True,
            limit_bytes=100,
        )
    assert (answer.status, answer.headers["x-said"], answer.body) == (404, "yes", b'{"ok": 1}')
    [asked] = there.asked
    assert asked[0] == "GET /a/b?c=d HTTP/1.1"
    assert f"Host: {there.url.removeprefix('http://')}" in asked
    assert "Authorization: Basic bWFkZTp1cA==" in asked


async def test_nobody_sends_us_elsewhere() -> None:
    async with elsewhere(saying(b"", "Location: http://127.0.0.1:1/", status="302 Found")) as there:
        answer = await Outgoing().request("GET", there.url, private=True, limit_bytes=100)
    assert (answer.status, len(there.asked)) == (302, 1)


async def test_no_proxy_of_the_environment_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with elsewhere(saying(b"here")) as there:
        answer = await Outgoing().request("GET", there.url, private=True, limit_bytes=100)
    assert answer.body == b"here"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (saying(b"x" * 101), "more than 100 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000, "more than 100 bytes"),
        (saying(gzip.compress(b"x" * 10_000_000)[:90], "Content-Encoding: gzip"), "compressed"),
        (b"", "RemoteProtocolError"),
        (b"not http at all\r\n\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "RemoteProtocolError"),
    ],
    ids=["long", "endless", "compressed", "silent", "nonsense", "half"],
)
async def test_an_answer_that_is_none_is_said_so(answer: bytes, why: str) -> None:
    async with elsewhere(answer) as there:
        with pytest.raises(NotReached, match=why):
            await Outgoing().request("GET", there.url, private=True, limit_bytes=100)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["no head", "no body"])
async def test_who_does_not_answer_is_not_waited_for(answer: bytes) -> None:
    async with asyncio.timeout(30), elsewhere(answer, closes=False) as there:
        with pytest.raises(NotReached, match="too long"):
            await Outgoing(patience_s=0.1).request("GET", there.url, private=True, limit_bytes=100)


async def test_it_took_too_long_whichever_clock_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own goes off first where ours was begun late or the machine stood still between the two."""
    ours = asyncio.timeout
    monkeypatch.setattr("ecm.outgoing.asyncio.timeout", lambda patience_s: ours(patience_s * 100))
    async with elsewhere(b"", closes=False) as there:
        with pytest.raises(NotReached, match="too long"):
            await Outgoing(patience_s=0.1).request("GET", there.url, private=True, limit_bytes=100)


async def test_a_name_is_asked_at_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when looked up for the check and ours when looked up for the connection finds nobody."""
    looked_up: list[Any] = []
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def turncoat(host: Any, port: Any, **more: Any) -> Any:
        looked_up.append(host)
        if host == "turncoat.example":
            host = "127.0.0.1"
        return await real(host, port, **more)

    async with elsewhere(saying(b"ours")) as there:
        port = there.url.rpartition(":")[2]
        monkeypatch.setattr(loop, "getaddrinfo", turncoat)
        with pytest.raises(NotAllowed, match="private"):
            await Outgoing().request("GET", f"https://turncoat.example:{port}/")
        answer = await Outgoing().request("GET", f"http://turncoat.example:{port}/", private=True)
        assert answer.status == 200
    assert looked_up.count("turncoat.example") == 2
    assert f"Host: turncoat.example:{port}" in there.asked[0]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https://user@example.org/",
        "https://:secret@example.org/",
        "https://a..b/",
        f"https://{'a' * 70}.example/",
        "https://exa mple.org/",
        "https://example.org\x00.evil.example/",
        "https://example.org:99999/",
        "https://[fe80::1%25lo]/",
        "https://example.org/\x01",
        "//example.org/",
        "",
    ],
)
async def test_what_is_no_address_is_never_looked_up(url: str) -> None:
    with pytest.raises(NotAllowed, match="not an address"):
        await Outgoing().request("GET", url, private=True)


async def test_plain_http_reaches_this_machine_and_no_other() -> None:
    with pytest.raises(NotAllowed, match="https"):
        await Outgoing().request("GET", "http://10.0.0.1/", private=True)
    with pytest.raises(NotAllowed, match="private"):
        await Outgoing().request("GET", "http://127.0.0.1/")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("::ffff:10.0.0.1", False),
        ("::10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::1", False),
        ("2002:0a00:0001::1", False),
        ("192.0.0.9", False),
        ("192.0.0.170", False),
        ("::1", False),
        ("8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("2001:4860:4860::8888", True),
    ],
)
def test_an_address_is_as_public_as_the_one_it_leads_to(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
