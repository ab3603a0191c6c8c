"""The gateway's door: signed or not there, whatever it is sent, and five hundred telephones at once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest

from ecm.errors import DatabaseAway
from ecm.store.embedded import Addresses
from ingest.telephone.conductor import Conductor
from tests.ingest.telephone.conftest import (
    ASH,
    LINE,
    NOW,
    OTHERHAM_LINE,
    PUBLIC,
    Exchange,
    exchange_in,
)

VOICE = {"CallSid": "CA1", "From": ASH, "To": LINE}
PATHS = [
    "/v1/telephone/voice",
    "/v1/telephone/voice/step?step=0",
    "/v1/telephone/voice/status",
    "/v1/telephone/sms",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("given", [None, "", "bm9uc2Vuc2U=", "é"])
async def test_what_the_gateway_did_not_sign_is_not_looked_at(
    exchange: Exchange, path: str, given: str | None
) -> None:
    headers = {} if given is None else {"X-Twilio-Signature": given.encode()}
    answer = await exchange.http.post(path, data=VOICE, headers=headers)
    assert answer.status_code == 403
    assert await exchange.rows("SELECT * FROM phone_calls") == []


async def test_a_signature_of_another_form_or_address_is_none(exchange: Exchange) -> None:
    for path, form in ((PATHS[0], VOICE | {"To": OTHERHAM_LINE}), (PATHS[1] + "0", VOICE), (PATHS[2], VOICE)):
        signed_for = {"X-Twilio-Signature": signature_of(PATHS[0], VOICE)}
        assert (await exchange.post(path, form, **signed_for)).status_code == 403


def signature_of(path: str, form: dict[str, str]) -> str:
    from twilio.request_validator import RequestValidator

    made: str = RequestValidator("a-made-up-token").compute_signature(f"{PUBLIC}{path}", form)
    return made


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_there_is_no_telephone(database: Addresses, path: str) -> None:
    async with exchange_in(database, telephone_auth_token=None) as exchange:
        assert (await exchange.post(path, VOICE)).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"CallSid": ""},
        VOICE | {"CallSid": "x" * 5000},
        VOICE | {"From": "\x00"},
        VOICE | {"To": "sip:+441134960900@gateway.example"},
        VOICE | {"Digits": "1" * 10_000},
        VOICE | {"Digits": "\x00"},
        VOICE | {"Digits": "ä"},
    ],
)
async def test_garbage_with_a_right_signature_costs_nothing(exchange: Exchange, form: dict[str, str]) -> None:
    for path in PATHS:
        assert (await exchange.post(path, form)).status_code == 200, path
    assert await exchange.events() == []


async def test_a_whole_phone_call_over_a_socket(exchange: Exchange) -> None:
    """Real HTTP, and behind a proxy: what we see as 127.0.0.1 is signed as the public address."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(exchange.app, port=0, log_level="error", ws="none", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        exchange = replace(exchange, http=http)
        assert "You are at Mrs A." in await exchange.rings(ASH).keys("4711", "1")
    server.should_exit = True
    await serving
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


async def test_five_hundred_at_once_are_five_hundred_check_ins(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long this machine takes for all of them: else some are told to ask again, as they should be.
    monkeypatch.setattr("ecm.store.db.TURN_PATIENCE_S", 250)
    monkeypatch.setattr("ingest.batch.COMMIT_PATIENCE_S", 250)
    people = range(500)
    for n in people:
        await exchange.run(
            "WITH one AS (INSERT INTO service_users (tenant_id, ref, name) VALUES (1, $1, 'Mr X')) "
            "INSERT INTO service_user_phones VALUES (1, $2, $1)",
            f"SX-{n}",
            f"+44163296{n:04}",
        )
    await exchange.run(
        "INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,"
        " planned_end, window_start, care_worker_refs) SELECT 1, 'VX-' || n, 'SX-' || n, 'P1', '2026-03-02',"
        " 'Europe/London', $1::timestamptz, $1::timestamptz + interval '30 min', $1, ARRAY[$2::text || (104 + n % 3)]"
        " FROM generate_series(0, 499) AS n",
        NOW,
        "CW-",
    )
    pins = ["4711", "5822", "6933"]
    said = await asyncio.gather(*(exchange.rings(f"+44163296{n:04}").keys(pins[n % 3], "1") for n in people))
    assert all("You are at Mr X." in each for each in said)
    events = await exchange.events()
    assert sorted(e["service_user"] for e in events) == sorted(f"SX-{n}" for n in people)


# ---------------------------------------------------------------------- the database is away


async def test_while_the_database_is_away_it_rings_on_and_asks_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    away_for(monkeypatch, "begin", 2)
    beth = exchange.rings(ASH)
    await beth.begin()
    assert "<Say" not in beth.answer, "nobody has answered yet"
    for _ in range(2):
        await beth.step_to(redirect_of(beth.answer), {"From": ASH, "To": LINE})
    assert "Welcome" in beth.heard


async def test_a_choice_keeps_its_instant_while_the_database_is_away(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    beth = exchange.rings(ASH)
    await beth.keys("4711")
    recorder = exchange.app.state.recorder
    away_for(monkeypatch, "record", 2, recorder)
    await beth.key("1")
    assert "One moment" in beth.heard
    for _ in range(2):
        exchange.later(seconds=3)
        await beth.step_to(redirect_of(beth.answer), {})
    assert "You are at Mrs A. It is nine oh two" in beth.heard
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


async def test_at_last_it_says_that_it_cannot_and_what_was_chosen_is_still_kept(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    beth = exchange.rings(ASH)
    await beth.keys("4711")
    away_for(monkeypatch, "record", 5, exchange.app.state.recorder)
    await beth.key("1")
    while "<Redirect" in beth.answer:
        await beth.step_to(redirect_of(beth.answer), {})
    assert "ring again in a few minutes" in beth.heard
    await beth.hang_up()
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


async def test_the_end_of_a_phone_call_is_asked_for_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    away_for(monkeypatch, "hung_up", 1)
    answer = await exchange.post(PATHS[2], {"CallSid": "CA1", "CallStatus": "completed"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def away_for(monkeypatch: pytest.MonkeyPatch, name: str, times: int, of: Any = Conductor) -> None:
    """The next few uses of a method find the database away."""
    left = [times]
    really = getattr(of, name)

    async def sometimes(*args: Any, **how: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise DatabaseAway
        return await really(*args, **how)

    monkeypatch.setattr(of, name, sometimes)


def redirect_of(answer: str) -> str:
    [url] = re.findall(r"<Redirect[^>]*>([^<]+)</Redirect>", answer)
    return unescape(url).removeprefix(PUBLIC)
