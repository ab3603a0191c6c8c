"""A line that rings homes back, with a gateway that speaks the real protocol: a form post with the account's login."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest

from ecm.store.embedded import Addresses
from tests.ingest.telephone.conftest import ASH, BACK_LINE, PUBLIC, TOKEN, Exchange, exchange_in

ACCOUNT = "AC0123456789"


@dataclass
class Gateway:
    """Takes orders as gateways do: 201 with a sid, 401 for another login, 400 for a form that lacks something."""

    status: int = 201
    orders: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        [length] = re.findall(r"content-length: (\d+)", head, re.I)
        order = {
            name: values[0]
            for name, values in parse_qs((await reader.readexactly(int(length))).decode()).items()
        }
        login = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        status = self.status
        if not head.startswith(f"POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json "):
            status = 404
        elif f"authorization: basic {login}".lower() not in head.lower():
            status = 401
        elif not {"To", "From", "Url"} <= order.keys():
            status = 400
        if status == 201:
            self.orders.append(order)
        body = json.dumps({"sid": f"CB{len(self.orders)}", "status": "queued"}).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
async def exchange(database: Addresses, gateway: Gateway) -> AsyncIterator[Exchange]:
    api = f"http://127.0.0.1:{gateway.port}"
    async with exchange_in(database, telephone_account=ACCOUNT, telephone_api_url=api) as made:
        yield made


async def told_the_code(exchange: Exchange) -> tuple[str, str]:
    """Beth checks in on the line that rings back, and hangs up: (her phone call, the code she was told)."""
    beth = exchange.rings(ASH, BACK_LINE)
    await beth.begin()
    await beth.key("1")  # in English
    said = await beth.keys("4711", "1") if not beth.next_step else await key_both(beth)
    assert "ring this telephone back" in said
    assert await exchange.events() == []
    words = re.findall(r"key in (\w+ \w+ \w+ \w+)\.", said)[0].split()
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    await beth.hang_up()
    return beth.sid, "".join(str(numbers.index(word)) for word in words)


async def key_both(beth) -> str:  # type: ignore[no-untyped-def]
    await beth.key("4711")
    said: str = await beth.key("1")
    return said


def rung(exchange: Exchange, gateway: Gateway):  # type: ignore[no-untyped-def]
    """The second phone call, as the gateway makes it: to the address that it was given."""
    [order] = gateway.orders
    assert (order["To"], order["From"]) == (ASH, BACK_LINE)
    second = exchange.rings(order["From"], order["To"])
    return second, order["Url"].removeprefix(PUBLIC), order["StatusCallback"].removeprefix(PUBLIC)


async def test_the_home_answers_with_the_code(exchange: Exchange, gateway: Gateway) -> None:
    _, code = await told_the_code(exchange)
    exchange.later(seconds=30)
    second, url, ended = rung(exchange, gateway)
    assert "ringing back" in await second.step_to(url, {"From": BACK_LINE, "To": ASH})
    assert "not one of the choices" in await second.key("0001" if code != "0001" else "0002")
    assert "You are at Mrs A. It is nine oh two" in await second.key(code)
    await exchange.post(ended, {"CallSid": second.sid, "CallStatus": "completed"})
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 called_back pin"]
    assert {
        row["ended_at"] is not None for row in await exchange.rows("SELECT ended_at FROM phone_calls")
    } == {True}


async def test_it_is_rung_once_however_often_the_end_is_said(exchange: Exchange, gateway: Gateway) -> None:
    sid, _ = await told_the_code(exchange)
    form = {"CallSid": sid, "CallStatus": "completed"}
    await asyncio.gather(*(exchange.post("/v1/telephone/voice/status", form) for _ in range(20)))
    assert len(gateway.orders) == 1


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed", "canceled"])
async def test_nobody_answers_and_it_is_recorded_without(
    exchange: Exchange, gateway: Gateway, status: str
) -> None:
    await told_the_code(exchange)
    _, _, ended = rung(exchange, gateway)
    exchange.later(seconds=40)
    for _ in range(3):
        await exchange.post(ended, {"CallSid": "CB1", "CallStatus": status})
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


@pytest.mark.parametrize("keyed", [[], ["0000"], ["0000", "0000", "0000"]])
async def test_whoever_answers_without_the_code_proves_nothing(
    exchange: Exchange, gateway: Gateway, keyed: list[str]
) -> None:
    await told_the_code(exchange)
    second, url, ended = rung(exchange, gateway)
    await second.step_to(url, {"From": BACK_LINE, "To": ASH})
    for digits in keyed:
        await second.key(digits)
    await exchange.post(ended, {"CallSid": second.sid, "CallStatus": "completed"})
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


@pytest.mark.parametrize("trouble", ["refuses", "is not there"])
async def test_without_a_gateway_it_is_recorded_without(
    exchange: Exchange, gateway: Gateway, trouble: str
) -> None:
    if trouble == "refuses":
        gateway.status = 400
    else:
        ringing = exchange.conductor._ringing
        assert ringing is not None
        ringing._url = "http://127.0.0.1:9/2010-04-01/Accounts/none/Calls.json"
    await told_the_code(exchange)
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


async def test_nobody_ever_says_what_became_of_it(exchange: Exchange, gateway: Gateway) -> None:
    await told_the_code(exchange)
    exchange.later(minutes=11)
    await exchange.conductor.finish_abandoned(1)
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


async def test_where_the_service_cannot_ring_it_asks_for_nothing_more(database: Addresses) -> None:
    async with exchange_in(database) as exchange:
        beth = exchange.rings(ASH, BACK_LINE)
        await beth.begin()
        await beth.key("1")
        assert "You are checked in" in await key_both(beth)


async def test_from_a_mobile_nobody_is_rung_back(exchange: Exchange, gateway: Gateway) -> None:
    await exchange.rings("+447700900104", BACK_LINE).keys("1", "4711", "1", "1", "")
    assert len(await exchange.events()) == 1
    assert gateway.orders == []


async def test_a_stranger_cannot_answer_for_somebody_elses_phone_call(exchange: Exchange) -> None:
    stranger = exchange.rings(BACK_LINE, ASH)
    await stranger.step_to("/v1/telephone/voice?answers_for=CA-none", {})
    assert "<Hangup />" in stranger.answer
