"""The loops around the watcher: they hear again, they do not spin, and a process without them does not stay."""

import asyncio
import signal
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import ecm.worker
from ecm.cli import serve
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ecm.worker import Worker
from tests.processing.desk import Desk, at


def worker_of(desk: Desk, tmp_path: Path) -> Worker:
    return Worker(desk.worker, desk.clock, Settings(data_dir=tmp_path))


async def until(happened: asyncio.Event, loop: Any) -> None:
    """Runs the loop until then."""
    task = asyncio.create_task(loop)
    async with asyncio.timeout(30):
        await happened.wait()
    task.cancel()
    await asyncio.wait({task})


async def test_a_deadline_held_up_by_a_backlog_is_looked_at_now_and_then_and_not_all_the_time(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", visit="breakfast")  # and nobody processes it
    desk.clock.at = at("09:20")
    monkeypatch.setattr(ecm.worker, "HELD_SECONDS", 0.1)
    worker = worker_of(desk, tmp_path)
    now = asyncio.get_running_loop().time
    looked_at_s: list[float] = []
    often_enough, step = asyncio.Event(), worker._watcher.step

    async def noted() -> int:
        looked_at_s.append(now())
        if len(looked_at_s) == 5:
            often_enough.set()
        return await step()

    monkeypatch.setattr(worker._watcher, "step", noted)
    await until(often_enough, worker._watch())
    assert all(later - sooner >= 0.099 for sooner, later in pairwise(looked_at_s))
    assert await desk.state("breakfast") == "planned"


async def test_a_crowd_of_deadlines_is_worked_off_to_the_last(desk: Desk, tmp_path: Path) -> None:
    for nth in range(50):
        await desk.plan(f"visit-{nth}", "09:00", "09:30")
    await desk.settle("08:00")
    desk.clock.at = at("09:20")
    worker = worker_of(desk, tmp_path)
    worker._watcher.batch = 7
    task = asyncio.create_task(worker._watch())
    async with asyncio.timeout(60):  # the clock goes on to the next deadlines by itself
        while await desk.value("SELECT count(*) FROM transitions WHERE kind = 'missed'") < 50:
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task})
    kinds = await desk.rows("SELECT kind, count(*) FROM transitions WHERE kind <> 'change' GROUP BY kind")
    assert sorted(map(tuple, kinds)) == [("late", 50), ("missed", 50)]


async def test_a_worker_whose_hearing_broke_off_hears_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecm.worker, "REST_SECONDS", 0.01)
    worker, times = worker_of(desk, tmp_path), 0

    async def breaking(_channel: str) -> AsyncIterator[str]:
        nonlocal times
        times += 1
        assert times > 1, "made for this test"
        yield ""
        await asyncio.sleep(60)

    monkeypatch.setattr(desk.worker, "listen", breaking)
    await until(worker._woken.setdefault("ecm_work", asyncio.Event()), worker._hear("ecm_work"))
    assert times == 2


async def test_a_process_whose_loops_have_ended_stops_and_says_why(
    database: Addresses, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Place:
        async def database(self, *_: Any) -> Any:
            return await Database.connect(database.app, "ecm_worker", 1)

    async def run(_: Worker) -> None:
        raise RuntimeError("the loops ended")

    monkeypatch.setattr(Worker, "run", run)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    async def stays_until_told() -> None:
        async with serve.working(Place(), desk.clock, Settings(data_dir=tmp_path)):  # type: ignore[arg-type]
            await asyncio.wait_for(stopped.wait(), 30)

    try:
        with pytest.raises(RuntimeError, match="the loops ended"):
            await stays_until_told()
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


async def test_a_loop_that_is_busy_at_ten_past_four_leaves_no_step_of_the_night_out(
    desk: Desk, tmp_path: Path
) -> None:
    """The scheduler itself forgets what is a second late."""
    by_the_night = [when for _, trigger, when in worker_of(desk, tmp_path).timetable() if trigger == "cron"]
    assert len(by_the_night) >= 3
    assert all(when["misfire_grace_time"] >= 1800 for when in by_the_night)
