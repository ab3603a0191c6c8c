"""Somebody is cut off while their board is open: it closes at once, and within seconds if nobody heard of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets

from ecm.board import cuts as board_cuts
from ecm.board import hub as hub_module
from ecm.board.hub import Board
from ecm.cuts import CHANNEL
from ecm.errors import DatabaseAway
from tests.board.stage import Page, Stage, looking

COLE = "WHERE email = 'cole@example.org'"
DISABLED = f"UPDATE accounts SET disabled_at = now() {COLE}"


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_cuts, "SURE_SECONDS", 600.0)


async def closes(page: Page) -> None:
    with pytest.raises(websockets.ConnectionClosed):
        await page.until("never")


@pytest.mark.usefixtures("never_by_itself")
@pytest.mark.parametrize(
    "change",
    [
        DISABLED,
        "DELETE FROM sessions WHERE account_id = (SELECT account_id FROM accounts WHERE email LIKE 'cole@%')",
        f"UPDATE accounts SET role = 'care_worker' {COLE}",
        f"UPDATE accounts SET role = 'duty_officer', provider_ref = NULL {COLE}",
        f"UPDATE accounts SET provider_ref = 'HAR' {COLE}",
    ],
    ids=["disabled", "signed out", "a lower role", "a higher role", "another provider"],
)
async def test_a_disabled_accounts_socket_closes_by_being_told(stage: Stage, change: str) -> None:
    async with looking(stage, "cole") as gone, looking(stage, "dana") as stays:
        await gone.shown()
        await stays.shown()
        await stage.owner.execute(change)
        await closes(gone)
        await stays.until("heartbeat", 8)
        assert {viewer.lock.role for viewer in viewers(stage) if viewer.lock} == {"duty_officer"}


@pytest.mark.usefixtures("never_by_itself")
async def test_what_is_no_cut_closes_nothing(stage: Stage) -> None:
    async with looking(stage, "cole") as page:
        await page.shown()
        await stage.owner.execute(f"UPDATE accounts SET password_hash = 'another' {COLE}")
        await stage.owner.execute("SELECT pg_notify('ecm_cut', '1'), pg_notify('ecm_cut', 'nonsense')")
        await page.until("heartbeat", 8)
        assert len(viewers(stage)) == 1


async def test_with_nobody_to_hear_it_the_socket_closes_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_cuts, "SURE_SECONDS", 0.2)
    await stage.restarts_the_hub()
    await stage.cuts.stop()
    async with looking(stage, "cole") as gone:
        await gone.shown()
        await stage.owner.execute(DISABLED)
        await closes(gone)


def test_the_sure_half_takes_five_seconds_at_most() -> None:
    assert board_cuts.SURE_SECONDS + board_cuts.AGAIN_SECONDS < 5


async def test_a_board_that_nobody_looks_at_any_more_is_asked_of_nothing(stage: Stage) -> None:
    async with looking(stage, "cole"):
        pass
    assert await stage.hub.doorkeeper._ask(1)


@pytest.mark.usefixtures("never_by_itself")
async def test_what_was_said_while_the_listener_was_down_is_asked_when_it_is_back(stage: Stage) -> None:
    async with looking(stage, "cole") as gone:
        await gone.shown()
        killed = await stage.owner.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND query LIKE 'LISTEN%{CHANNEL}%'"
        )
        assert killed == 1
        await stage.owner.execute(DISABLED)
        await closes(gone)


@pytest.mark.usefixtures("never_by_itself")
async def test_whoever_was_cut_off_between_ticket_and_socket_is_shown_nothing_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = stage.hub.open

    async def slowly(tenant_id: int) -> Board:
        board = await opened(tenant_id)
        heard = stage.hub.doorkeeper.heard
        await stage.owner.execute(DISABLED)
        while stage.hub.doorkeeper.heard == heard:
            await asyncio.sleep(0.01)
        return board

    monkeypatch.setattr(stage.hub, "open", slowly)
    with pytest.raises(websockets.ConnectionClosed):
        async with looking(stage, "cole") as page:
            await page.until("never")


@pytest.mark.usefixtures("never_by_itself")
async def test_a_reading_that_hangs_keeps_no_socket_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.05)
    hangs = asyncio.Event()

    async def hanging(*_: Any) -> Any:
        hangs.set()
        await asyncio.Event().wait()

    async with looking(stage, "cole") as gone:
        await gone.shown()
        monkeypatch.setattr(hub_module, "read_pulse", hanging)
        await hangs.wait()
        await stage.owner.execute(DISABLED)
        await closes(gone)


@pytest.mark.usefixtures("never_by_itself")
async def test_an_asking_that_failed_is_repeated(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_cuts, "AGAIN_SECONDS", 0.05)
    standing, failures = stage.hub.doorkeeper._standing, iter([DatabaseAway(), KeyError("a bug")])

    async def failing(*asked: Any) -> Any:
        for failure in failures:
            raise failure
        return await standing(*asked)

    monkeypatch.setattr(stage.hub.doorkeeper, "_standing", failing)
    async with looking(stage, "cole") as gone:
        await gone.shown()
        await stage.owner.execute(DISABLED)
        await closes(gone)


def viewers(stage: Stage) -> list[Any]:
    return [viewer for board in stage.hub._boards.values() for viewer in board.open]
