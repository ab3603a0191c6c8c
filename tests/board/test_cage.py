"""A socket of one provider stays with that provider, also when every check of the application says yes.

One feed serves all providers, so row-level security stands behind the snapshots only; behind the frames stands what the
socket was opened for.
"""

import json
from datetime import timedelta

import pytest
import websockets

from ecm.board import live
from tests.board.stage import DAY, Stage, looking


@pytest.fixture
def every_check_says_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "reach", lambda *_: None)


@pytest.mark.usefixtures("every_check_says_yes")
async def test_a_coordinators_board_holds_their_own_provider_and_no_other(stage: Stage):
    ours = await stage.plan("V-ours")
    theirs = await stage.plan("V-theirs", person="P-T", provider="HAR", workers=("W-B",))
    async with looking(stage, "cole") as page:
        await page.shown()
        assert set(page.visits) == {ours}
        await stage.becomes(theirs, state="late")
        await stage.alarm(theirs, provider_ref="HAR")
        await page.reaches(await stage.becomes(ours, state="late"))
        held = {"type": "resume", "epoch": page.epoch, "position": 0, "held_date": DAY.isoformat()}
        await page.socket.send(json.dumps(held))
        await page.until("heartbeat")
        await page.shown(date=(DAY + timedelta(days=1)).isoformat())
        await page.shown(date=DAY.isoformat())
        assert set(page.visits) == {ours}
        assert "V-theirs" not in json.dumps(page.log)
        assert page.alerts == {}


@pytest.mark.usefixtures("every_check_says_yes")
async def test_a_coordinator_who_asks_for_another_provider_asks_for_one_that_is_not_there(stage: Stage):
    async with looking(stage, "cole") as page:
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await page.shown(provider="HAR")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == live.MALFORMED


async def test_two_who_look_at_the_same_are_each_shown_it_under_their_own_lock(stage: Stage):
    """At the same moment, so that one reading would serve both."""
    ours = await stage.plan("V-ours")
    async with looking(stage, "cole") as cole, looking(stage, "dana") as dana:
        for page in (dana, cole):
            await page.socket.send(json.dumps({"type": "filter", "provider": "NOR"}))
        for page in (dana, cole):
            await page.until("snapshot")
            await page.until("heartbeat")
            assert set(page.visits) == {ours}


async def test_a_borrowed_worker_has_a_name_on_the_board_of_whoever_borrows_them(stage: Stage):
    lent = await stage.plan("V-lent", workers=("W-K", "W-B"))
    async with looking(stage, "cole") as page:
        await page.shown()
        names = [worker["name"] for worker in page.visits[lent]["workers"]]
        assert names == ["A. Kowalska", "R. Begum"]
