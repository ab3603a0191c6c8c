"""A board is shown for as long as the sign-in that asked for it lasts, and no longer."""

import asyncio
from typing import Any

import pytest
import websockets
from prometheus_client import REGISTRY

from ecm.board import hub as hub_module
from tests.board.stage import Stage, looking, ticket_of


async def test_a_ticket_opens_one_socket_and_no_second(stage: Stage):
    ticket = await ticket_of(stage, "dana")
    url = f"{stage.url.replace('http', 'ws')}/board/live?ticket={ticket}"
    turned_away = {"door": "board", "why": "not-signed-in"}
    before = REGISTRY.get_sample_value("ecm_refused_total", turned_away) or 0
    async with websockets.connect(url):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            async with websockets.connect(url):
                pass
    assert REGISTRY.get_sample_value("ecm_refused_total", turned_away) == before + 1


async def test_who_is_signed_out_everywhere_sees_no_more_and_the_others_do(stage: Stage):
    visit = await stage.plan("V-1")
    async with looking(stage, "cole") as gone, looking(stage, "dana") as stays:
        await gone.shown()
        await stays.shown()
        await gone.until("heartbeat")
        await stage.owner.execute(
            "DELETE FROM sessions WHERE account_id = (SELECT account_id FROM accounts WHERE email LIKE 'cole@%')"
        )
        with pytest.raises(websockets.ConnectionClosed):
            await gone.until("never")
        await stays.reaches(await stage.becomes(visit, state="late"))


async def test_signing_out_at_one_browser_closes_its_boards_and_no_other_of_the_same_person(stage: Stage):
    visit = await stage.plan("V-1")
    here, at_home = await stage.signed_in("dana"), await stage.signed_in("dana")
    async with looking(stage, session=here) as gone, looking(stage, session=at_home) as stays:
        await gone.shown()
        await stays.shown()
        await stage.signs_out(here)
        with pytest.raises(websockets.ConnectionClosed):
            await gone.until("never")
        await stays.reaches(await stage.becomes(visit, state="late"))


async def test_a_disabled_account_sees_no_more_even_while_it_is_being_shown_a_snapshot(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    for_ever = asyncio.Event()

    async def slowly(*_: Any) -> Any:
        await for_ever.wait()
        yield

    async with looking(stage, "cole") as gone:
        monkeypatch.setattr(hub_module, "read_day", slowly)
        await gone.socket.send('{"type":"filter"}')
        await asyncio.sleep(0.1)
        await stage.owner.execute("UPDATE accounts SET disabled_at = now() WHERE email LIKE 'cole@%'")
        with pytest.raises(websockets.ConnectionClosed):
            await gone.until("never")
    for_ever.set()


async def test_a_ticket_does_not_survive_the_sign_out(stage: Stage):
    session = await stage.signed_in("dana")
    await stage.signed_in("dana")  # another browser of hers goes on
    ticket = await ticket_of(stage, "dana", session)
    await stage.signs_out(session)
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with websockets.connect(f"{stage.url.replace('http', 'ws')}/board/live?ticket={ticket}"):
            pass


async def test_a_ticket_a_minute_old_opens_nothing(stage: Stage):
    ticket = await ticket_of(stage, "dana")
    await stage.owner.execute("UPDATE socket_tickets SET expires_at = now() - interval '1 second'")
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with websockets.connect(f"{stage.url.replace('http', 'ws')}/board/live?ticket={ticket}"):
            pass


async def test_an_open_board_is_somebody_there_and_an_idle_session_shows_none(stage: Stage):
    async with looking(stage, "dana") as there:
        await there.shown()
        await stage.owner.execute(
            "UPDATE sessions SET seen_at = now() - interval '59 min', idle_until = now() + interval '1 min'"
        )
        assert await stage.hub.doorkeeper._ask(1)
        left = await stage.owner.fetchval("SELECT idle_until - now() FROM sessions")
        assert left.total_seconds() > 59 * 60
        await stage.owner.execute("UPDATE sessions SET idle_until = now()")
        await stage.hub.doorkeeper.cut(1)
        with pytest.raises(websockets.ConnectionClosed):
            await there.until("never")
