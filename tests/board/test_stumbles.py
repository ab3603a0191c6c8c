"""What goes wrong in the hub itself costs a moment at most: never a frame, and never the stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ecm.board import hub as hub_module
from ecm.board import reading as reading_module
from ecm.board.viewers import Board, Viewer
from ecm.board.wire import FastWire
from tests.board.stage import Stage, looking


class Stumble(Exception):
    """Made for this test."""


async def test_a_viewer_who_cannot_be_written_to_costs_nobody_else_a_frame(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await stage.plan("V-1")
    async with looking(stage) as one, looking(stage) as other:
        await one.shown()
        await one.until("heartbeat")
        await other.shown()
        await other.until("heartbeat")
        broken = next(iter(_viewers(stage))).wire
        write = FastWire.write

        def stumbling(self: FastWire, frames: bytes) -> bool:
            if self is broken:
                raise Stumble
            return write(self, frames)

        monkeypatch.setattr(FastWire, "write", stumbling)
        await stage.becomes(visit, state="late")
        told = await asyncio.gather(one.until("row", 1), other.until("row", 1), return_exceptions=True)
        assert [isinstance(frame, dict) for frame in told].count(True) == 1
        assert broken not in {viewer.wire for viewer in _viewers(stage)}


async def test_a_pulse_that_cannot_be_read_stops_neither_the_heart_nor_the_stream(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.05)
    visit = await stage.plan("V-1")
    async with looking(stage) as page:
        await page.shown()
        await page.until("heartbeat")

        async def stumbling(*_: Any) -> Any:
            raise Stumble

        monkeypatch.setattr(hub_module, "read_pulse", stumbling)
        for _ in range(3):
            await page.until("heartbeat")
        await stage.becomes(visit, state="late")
        await page.until("row")
        assert page.visits[visit]["state"] == "late"


async def test_more_changes_than_can_be_read_in_the_time_of_one_reading_arrive_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "READ_LIMIT_SECONDS", 0.2)
    monkeypatch.setattr(reading_module, "PAGE_ROWS", 2)
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.2)  # which tells how far it came
    visits = [await stage.plan(f"V-{n}", at=f"{10 + n // 6}:{n % 6}0") for n in range(30)]
    async with looking(stage) as page:
        await page.shown()
        await page.until("heartbeat")
        position = await stage.becomes(*visits, state="late")
        await page.reaches(position)
        assert {page.visits[visit]["state"] for visit in visits} == {"late"}


async def test_a_change_that_commits_while_the_board_is_being_opened_shows_without_waiting_for_the_poll(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 60)
    read_board = stage.hub._read_board
    visit = await stage.plan("V-1")

    async def slowly(tenant_id: int) -> Board:
        board = await read_board(tenant_id)
        await stage.becomes(visit, state="late")
        await asyncio.sleep(0.1)  # the notification comes and finds no board
        return board

    monkeypatch.setattr(stage.hub, "_read_board", slowly)
    board = await stage.hub.open(1)
    async with asyncio.timeout(30):
        while board.feed.position < board.head or board.head == 0 or visit not in board.feed.seen:
            await asyncio.sleep(0.01)
    stage.hub.close(board, None)


async def test_a_hub_whose_hearing_broke_off_hears_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 60)
    listen, times = stage.hub._db.listen, 0

    async def breaking(channel: str) -> AsyncIterator[str]:
        nonlocal times
        times += 1
        if times == 1:
            raise Stumble
        async for payload in listen(channel):
            yield payload

    monkeypatch.setattr(stage.hub._db, "listen", breaking)
    await stage.hub.stop()
    await stage.hub.start()
    visit = await stage.plan("V-1")
    async with looking(stage) as page:
        await page.shown()
        await page.until("heartbeat")
        async with asyncio.timeout(30):
            while times < 2:
                await asyncio.sleep(0.01)
        await stage.becomes(visit, state="late")
        await page.until("row")


def _viewers(stage: Stage) -> set[Viewer]:
    return {
        viewer for board in stage.hub._boards.values() for many in board.audiences.values() for viewer in many
    }
