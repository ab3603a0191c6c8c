"""What a row of the board says, and to whom it would say too much."""

from __future__ import annotations

from tests.board.stage import Stage, looking

UNPLANNED = {"planned_start": None, "planned_end": None, "state": "in_progress"}


async def test_a_visit_nobody_planned_does_not_tell_what_its_person_needs_nor_where_the_door_is(
    stage: Stage,
) -> None:
    """Anybody's phone can say that it is at anybody's home, and its provider's board has the row."""
    found = [{"code": "location_outside", "measure": 412.5, "limit": 80.0, "unit": "m", "detail": "± 12 m"}]
    await stage.plan("V-1", findings=found)
    await stage.plan("V-2", **UNPLANNED, findings=found)
    async with looking(stage, "cole") as page:
        await page.shown()
        told = {visit["ref"]: visit["needs"] for visit in page.visits.values()}
        placed = {visit["ref"]: visit["findings"][0] for visit in page.visits.values()}
    assert told == {"V-1": "insulin", "V-2": ""}
    assert "412" in placed["V-1"]["text"]
    assert placed["V-2"] == {"code": "location_outside", "severity": "warning", "text": ""}
