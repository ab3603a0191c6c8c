"""What becomes of evidence, and of the visits around, when the plan changes under them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ecm.importing import run_import
from ecm.lock import system
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.processing.desk import DAY, Desk, at

BREAKFAST = {"ref": "breakfast", "service_user_ref": "alice", "start": "09:00", "end": "09:30"}
OF_CAROL = {"care_worker_refs": "carol"}


class Office(Desk):
    """The desk, where plans and people come by import."""

    web: Database

    async def bring(self, kind: str, *rows: dict[str, Any]) -> None:
        report = await run_import(
            self.web, system(1), kind, list(rows), now=self.clock.at, actor="the office"
        )
        assert not report.rejected, report.rejections

    async def bring_plan(self, *visits: dict[str, Any]) -> None:
        common = {"provider_ref": "north", "date": DAY.isoformat()} | OF_CAROL
        await self.bring("visits", *(common | visit for visit in visits))

    async def reasons(self) -> list[str]:
        return [
            row["reason"] for row in await self.rows("SELECT DISTINCT reason FROM event_outcomes ORDER BY 1")
        ]

    async def attend(self, **said: Any) -> None:
        await self.arrive("in", "09:00", **said)
        await self.arrive("out", "09:30", **said)
        await self.settle("09:40")


@pytest.fixture
async def office(database: Addresses) -> AsyncIterator[Office]:
    office = await Office.open(database)
    assert isinstance(office, Office)
    office.web = await Database.connect(database.app, "ecm_web", 1)
    yield office
    await office.web.close()
    await office.close()


async def test_an_attended_visit_that_moves_to_the_evening_leaves_an_unplanned_attendance(
    office: Office,
) -> None:
    await office.bring_plan(BREAKFAST)
    await office.attend()
    await office.bring_plan(BREAKFAST | {"start": "18:00", "end": "18:30"})
    await office.settle("10:00")
    assert await office.state("breakfast") == "planned"
    [unplanned] = await office.rows("SELECT state FROM visits WHERE planned_start IS NULL")
    assert unplanned["state"] == "completed"
    assert await office.reasons() == ["the unplanned visit made from it"]


async def test_an_attended_visit_that_moves_to_another_day_leaves_its_evidence_to_its_neighbour(
    office: Office,
) -> None:
    lunch = {"ref": "lunch", "service_user_ref": "alice", "start": "10:00", "end": "10:30"}
    await office.bring_plan(BREAKFAST, lunch | {"care_worker_refs": "dan"})
    await office.attend()
    assert (await office.state("breakfast"), await office.state("lunch")) == ("completed", "planned")
    await office.bring_plan(BREAKFAST | {"date": "2026-11-26"})
    await office.settle("12:00")
    assert (await office.state("breakfast"), await office.state("lunch")) == ("planned", "completed")
    assert await office.passed("lunch") == ["planned>completed"]


@pytest.mark.parametrize(
    ("said", "breakfast", "alone"),
    [({"person": "alice"}, "missed", 1), ({"person": None}, "completed", 0)],
    ids=["who named Alice too was with Alice", "who named the visit alone was there"],
)
async def test_an_attended_visit_becomes_another_persons(
    office: Office, said: dict[str, Any], breakfast: str, alone: int
) -> None:
    await office.bring_plan(BREAKFAST)
    await office.attend(visit="breakfast", **said)
    await office.bring_plan(BREAKFAST | {"service_user_ref": "bob"})
    await office.settle("12:00")
    assert await office.state("breakfast") == breakfast
    assert await office.value("SELECT count(*) FROM visits WHERE planned_start IS NULL") == alone
    assert "not known" not in str(await office.reasons())


async def test_evidence_whose_visit_went_elsewhere_arrives_again_by_itself(office: Office) -> None:
    """Nobody asked for the events: the visit alone is looked at."""
    await office.plan("breakfast", "09:00", "09:30")
    await office.plan("lunch", "10:00", "10:30", workers=("dan",))
    await office.attend()
    await office.run(
        """UPDATE visits SET planned_start = planned_start + interval '3 days',
             planned_end = planned_end + interval '3 days', window_start = window_start + interval '3 days'
           WHERE ref = 'breakfast'"""
    )
    await office.run(
        "INSERT INTO processing_queue (tenant_id, visit_id) SELECT 1, visit_id FROM visits LIMIT 1"
    )
    await office.settle("12:00")
    assert (await office.state("breakfast"), await office.state("lunch")) == ("planned", "completed")


@pytest.mark.parametrize("imported_again", [False, True])
async def test_nobody_is_merged_with_a_visit_that_was_called_off(
    office: Office, imported_again: bool
) -> None:
    second = {"ref": "second", "service_user_ref": "alice", "start": "09:20", "end": "09:50"}
    third = {"ref": "third", "service_user_ref": "alice", "start": "09:40", "end": "10:10"}
    await office.bring_plan(BREAKFAST, second, third)
    await office.settle("07:00")
    await office.run(
        """WITH made AS (
             INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, made_by, made_at)
             SELECT 1, visit_id, 'cancelled', 'test', 'the office', $1 FROM visits WHERE ref = 'second'
             RETURNING visit_id)
           INSERT INTO processing_queue (tenant_id, visit_id) SELECT 1, visit_id FROM made""",
        office.clock.at,
    )
    await office.settle("07:10")
    if imported_again:
        await office.bring_plan(BREAKFAST | {"end": "09:29"}, second | {"end": "09:51"})
    assert (await office.visit("breakfast"))["next_planned_start"] == at("09:40")
    await office.settle("09:25")
    assert (await office.state("breakfast"), await office.state("second")) == ("late", "cancelled")
    await office.settle("09:41")
    assert (await office.visit("breakfast"))["state_reason"].endswith("(the next visit began)")


async def test_this_mornings_visit_was_at_the_home_where_it_was_this_morning(office: Office) -> None:
    await office.bring_plan(BREAKFAST, BREAKFAST | {"ref": "tea", "start": "16:00", "end": "16:30"})
    await office.attend()
    await office.settle("12:00")
    await office.bring("service-users", {"ref": "alice", "name": "Alice", "lat": "52.7", "lon": "-1.2"})
    await office.settle("12:01")
    assert "location_inside" in await office.codes("breakfast")
    await office.arrive("in", "16:00")
    await office.settle("16:01")
    assert "location_outside" in await office.codes("tea")


async def test_a_check_in_does_not_stand_behind_a_rota(office: Office) -> None:
    await office.bring_plan(BREAKFAST)
    await office.settle("08:00")
    days = ({"ref": f"later {n}", "date": f"2026-12-{n:02}"} for n in range(1, 6))
    await office.bring_plan(*(BREAKFAST | day for day in days))
    await office.arrive("in", "09:01", visit="breakfast")
    await Processor(office.worker, office.clock, batch=1).step()
    assert await office.state("breakfast") == "in_progress"
    await office.settle()
    assert await office.value("SELECT count(*) FROM visits WHERE version = 0") == 0
