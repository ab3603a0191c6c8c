"""The watcher beside what goes wrong: one visit that cannot be assessed, and two looks at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ecm.processing import rows
from ecm.store.embedded import Addresses
from tests.processing.desk import Desk, at

REFS = tuple(f"visit-{n:02}" for n in range(20))


@pytest.fixture
async def desk(database: Addresses) -> AsyncIterator[Desk]:
    desk = await Desk.open(database)
    for nth, ref in enumerate(REFS):
        await desk.plan(ref, f"09:{nth:02}", "10:30")
    await desk.settle("08:00")
    yield desk
    await desk.close()


class Stopwatch:
    """What the watcher goes by when it puts a visit aside; goes on when told to."""

    now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    stopwatch = Stopwatch()
    monkeypatch.setattr("ecm.overdue.time", stopwatch)
    return stopwatch


def break_one(monkeypatch: pytest.MonkeyPatch, ref: str) -> None:
    def visit(row: Any, *more: Any) -> Any:
        assert row["ref"] != ref, "a bug of ours"
        return whole(row, *more)

    whole = rows.visit
    monkeypatch.setattr(rows, "visit", visit)


async def late(desk: Desk) -> set[str]:
    return {row["ref"] for row in await desk.rows("SELECT ref FROM visits WHERE state = 'late'")}


async def look(desk: Desk) -> None:
    while await desk.watcher.step():
        pass


async def test_one_visit_that_cannot_be_assessed_silences_nobody_elses_alarm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_one(monkeypatch, "visit-07")
    desk.clock.at = at("09:45")
    await look(desk)
    assert await late(desk) == set(REFS) - {"visit-07"}
    put_off = await desk.rows(
        "SELECT v.ref, q.tries, q.last_error FROM processing_queue q JOIN visits v USING (tenant_id, visit_id)"
    )
    assert [tuple(row) for row in put_off] == [("visit-07", 1, "AssertionError")]


async def test_it_is_tried_again_and_rings_once_it_can_be_assessed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stopwatch: Stopwatch
) -> None:
    with monkeypatch.context() as broken:
        break_one(broken, "visit-07")
        desk.clock.at = at("09:45")
        await look(desk)
    await look(desk)
    assert "visit-07" not in await late(desk), "put aside for a second"
    stopwatch.now_s += 1.05
    await look(desk)
    assert await late(desk) == set(REFS)
    assert await desk.passed("visit-07") == ["late", "planned>late"]


async def test_the_next_look_is_not_now_because_of_a_visit_that_was_put_aside(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_one(monkeypatch, "visit-07")
    desk.clock.at = at("09:45")
    await look(desk)
    following = await desk.watcher.next_deadline()
    assert following is not None
    assert following > desk.clock.at


async def test_two_looks_at_once_share_the_visits_between_them(desk: Desk) -> None:
    desk.watcher.batch = 6
    desk.clock.at = at("09:45")
    taken = await asyncio.gather(*(desk.watcher.step() for _ in range(2)))
    assert taken == [6, 6]
    await look(desk)
    assert await late(desk) == set(REFS)
    assert await desk.value("SELECT count(*) FROM transitions WHERE kind = 'late'") == len(REFS)
