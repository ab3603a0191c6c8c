"""What a row of the board says, and to whom it would say too much."""

from __future__ import annotations

from tests.board.stage import Stage, looking

UNPLANNED = {"planned_start": None, "planned_end": None, "state": "in_progress"}


async def test_a_visit_nobody_planned_does_not_tell_what_its_person_needs(stage: Stage) -> None:
    """Anybody's phone can say that it is at anybody's home, and its provider's board has the row."""
    await stage.plan("V-1")
    await stage.plan("V-2", **UNPLANNED)
    async with looking(stage, "cole") as page:
        await page.shown()
        told = {visit["ref"]: visit["needs"] for visit in page.visits.values()}
    assert told == {"V-1": "insulin", "V-2": ""}
