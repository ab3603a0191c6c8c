"""Whatever arrives gets an answer, is kept when a known sender sent it, and never fills the disk."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecm import serving
from ecm.store.embedded import Addresses
from ingest.openapi import describe
from ingest.quarantine import Quarantine
from tests.ingest.conftest import NOW, Door, bearer, event, opened

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "id",
        "kind",
        "occurred_at",
        "method",
        "care_worker",
        "fix",
        "cli",
        "reason_code",
        "note",
        "device",
        "new",
    ]
)


def spoilt(at: int, what: bytes) -> bytes:
    body = json.dumps(event()).encode()
    return body[:at] + what + body[at:]


nearly_events = st.dictionaries(fields, json_values, max_size=4).map(lambda wrong: event() | wrong)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    nearly_events.map(lambda value: json.dumps(value).encode()),
    st.lists(nearly_events | json_values, max_size=4).map(lambda value: json.dumps(value).encode()),
    st.builds(spoilt, st.integers(0, 300), st.binary(max_size=3)),
)


async def test_no_body_whatever_breaks_the_door(database: Addresses) -> None:
    async with opened(database) as door:
        loop = asyncio.get_running_loop()

        @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
        @given(bodies)
        def story(body: bytes) -> None:
            answer = asyncio.run_coroutine_threadsafe(door.post(body), loop).result(30)
            assert answer.status_code in (200, 201, 422)
            answer.json()

        await asyncio.to_thread(story)
        stored, aside = await door.stored(), await door.kept_aside()
        assert stored
        assert aside
        assert len(stored) == len(await door.to_do())


async def test_what_is_no_event_is_kept_aside_with_its_reason(door: Door) -> None:
    answer = await door.post(b"\x00garbage\xff")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["kept"]) == ("/problems/not-understood", True)
    assert problem["errors"][0]["where"] == "body"
    [aside] = await door.kept_aside()
    assert (aside["body"], aside["door"], aside["received_at"]) == (b"\x00garbage\xff", "check-events", NOW)
    assert "not JSON" in aside["reason"]


@pytest.mark.parametrize("depth", [150, 260, 400, 700, 960, 20_000])
async def test_brackets_of_any_depth_cost_nobody_else_of_the_array(door: Door, depth: int) -> None:
    deep = json.dumps(event())[:-1].encode() + b',"new":' + b"[" * depth + b"]" * depth + b"}"
    good = json.dumps(event()).encode()

    alone = await door.post(deep)
    together = await door.post(b"[" + good + b"," + deep + b"]")

    assert alone.status_code in (201, 422)
    first, second = together.json()
    assert first["status"] == "created"
    assert second["status"] == ("exists" if alone.status_code == 201 else "rejected")


async def test_garbage_cannot_fill_the_disk(database: Addresses) -> None:
    async with opened(database) as door:
        door.app._quarantine = Quarantine(door.app._keys._db, bytes_at_once=3 * 1024, bytes_per_s=0.001)

        kept = [(await door.post(b"garbage")).json()["kept"] for _ in range(4)]
        theirs = (await door.post(b"garbage", "stranger")).json()["kept"]

        assert (kept, theirs) == ([True, True, True, False], True)
        assert len(await door.kept_aside()) == 4


@pytest.fixture
async def server(door: Door) -> AsyncIterator[uvicorn.Server]:
    """The door behind real sockets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            serving.config(door.app, "127.0.0.1", 0, lifespan="off", log_level="critical")
        )
        running = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield server
        server.should_exit = True
        await running


@pytest.fixture
def port(server: uvicorn.Server) -> int:
    found: int = server.servers[0].sockets[0].getsockname()[1]
    return found


async def exchange(port: int, *sent: bytes, pause_s: float = 0.05) -> bytes:
    """What the door says to these bytes: one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = asyncio.create_task(one_answer(reader))
    with suppress(ConnectionError):  # it may have heard enough before the end, and closed
        for part in sent:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
    async with asyncio.timeout(30):
        answer = await heard
    writer.close()
    return answer


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    with suppress(ConnectionError):
        while not is_whole(heard) and (more := await reader.read(65536)):
            heard += more
    return heard


def is_whole(answer: bytes) -> bool:
    head, ends, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"^content-length: *(\d+)", head, re.I | re.M)
    return bool(ends and length and len(body) >= int(length[1]))


def head(key: str, *lines: str) -> bytes:
    more = "".join(f"{line}\r\n" for line in lines)
    auth = bearer(key)["authorization"]
    return f"POST /v1/check-events HTTP/1.1\r\nhost: door\r\nauthorization: {auth}\r\n{more}\r\n".encode()


async def test_a_body_in_pieces_is_one_body(door: Door, port: int) -> None:
    body = json.dumps(event()).encode()
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:40], body[40:])]

    by_length = await exchange(
        port, head(door.cast.gateway, f"content-length: {len(body)}"), body[:7], body[7:]
    )
    by_chunks = await exchange(
        port, head(door.cast.gateway, "transfer-encoding: chunked"), *chunks, b"0\r\n\r\n"
    )

    assert by_length.startswith(b"HTTP/1.1 201")
    assert by_chunks.startswith(b"HTTP/1.1 200")


async def test_half_a_body_stores_nothing(door: Door, server: uvicorn.Server, port: int) -> None:
    body = json.dumps(event()).encode()

    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(door.cast.gateway, f"content-length: {len(body)}") + body[:-5])
    async with asyncio.timeout(30):
        while not server.server_state.tasks:
            await asyncio.sleep(0.01)
        writer.close()
        while server.server_state.tasks:
            await asyncio.sleep(0.01)

    assert await door.stored() == await door.kept_aside() == []


async def test_a_length_that_lies_gains_nothing(door: Door, port: int) -> None:
    body = json.dumps(event()).encode()

    too_short = await exchange(port, head(door.cast.gateway, "content-length: 10"), body)
    too_long = await exchange(port, head(door.cast.gateway, "content-length: 99999999999"))
    nonsense = await exchange(port, head(door.cast.gateway, "content-length: -5"), body)

    assert too_short.startswith((b"HTTP/1.1 422", b"HTTP/1.1 400"))
    assert too_long.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in too_long
    assert nonsense.startswith(b"HTTP/1.1 400")
    assert await door.stored() == []


async def test_who_falls_silent_half_way_is_told_to_send_again(
    door: Door, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.body.BODY_PATIENCE_S", 0.2)
    body = json.dumps(event()).encode()

    heard = await exchange(port, head(door.cast.gateway, f"content-length: {len(body)}"), body[:-5])

    assert heard.startswith(b"HTTP/1.1 503")
    assert b"retry-after" in heard
    assert await door.stored() == await door.kept_aside() == []


async def test_an_endless_body_is_cut_off(door: Door, port: int) -> None:
    chunk = b"10000\r\n" + b'{"note": "' + b"x" * (0x10000 - 10) + b"\r\n"

    heard = await exchange(port, head(door.cast.gateway, "transfer-encoding: chunked"), *[chunk] * 3)

    assert heard.startswith(b"HTTP/1.1 413")


def test_openapi_tells_of_every_answer_with_examples() -> None:
    document = describe(
        {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/v1/visits": {}}}
    )

    operation = document["paths"]["/v1/check-events"]["post"]
    assert set(operation["responses"]) >= {"200", "201", "401", "403", "409", "413", "422", "429", "503"}
    assert document["paths"]["/v1/visits"] == {}
    assert every_reference_leads_somewhere(document)


async def test_openapis_examples_are_accepted(door: Door) -> None:
    content = describe({})["paths"]["/v1/check-events"]["post"]["requestBody"]["content"]["application/json"]

    answers = [await door.post(example["value"]) for example in content["examples"].values()]

    assert [answer.status_code for answer in answers] == [201, 201, 200]


def every_reference_leads_somewhere(document: dict[str, Any]) -> bool:
    names = set(document["components"]["schemas"])
    text = json.dumps(document)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    return used <= names and bool(used)
