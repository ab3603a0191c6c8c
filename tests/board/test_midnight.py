"""Midnight answers no alarm: who follows today is shown what still rings, whatever its visit's day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecm.board import hub as hub_module
from tests.board.stage import DAY, Page, Stage, looking

TOMORROW = DAY + timedelta(days=1)
NIGHT = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
LATE_EVENING = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def quick_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes nothing that a page shows is told by the next heartbeat alone."""
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.1)


async def as_afresh(stage: Stage, page: Page, who: str = "dana", **wish: Any) -> None:
    """The page, once it was told everything, holds what it would be given now."""
    await page.reaches(await stage.owner.fetchval("SELECT position FROM board_heads"))
    async with looking(stage, who) as afresh:
        await afresh.shown(**wish)
    assert page.what_it_holds() == afresh.what_it_holds()


@pytest.mark.parametrize("who", ["dana", "cole"])
async def test_a_visit_found_missed_after_midnight_stays_until_somebody_has_dealt_with_it(
    stage: Stage, who: str
):
    stage.clock.at = NIGHT
    visit = await stage.plan("V-1", at="23:15", state="late")
    async with looking(stage, who) as page:
        await page.shown()
        await page.reaches(await stage.becomes(visit, state="missed"))
        assert page.visits[visit]["state"] == "missed", "its alarm is on its way"
        alert = await stage.alarm(visit, kind="missed", raised_for=NIGHT, raised_at=NIGHT)
        await as_afresh(stage, page, who)
        assert alert in page.alerts

        await stage.alarm_becomes(alert, state="acknowledged", owner="Dana", acknowledged_at=NIGHT)
        await as_afresh(stage, page, who)
        assert page.alerts[alert]["owner"] == "Dana", "it was raised today"

        await stage.becomes(visit, state="cancelled", cancelled=True)
        await stage.alarm_becomes(
            alert, state="stood_down", stood_down_at=NIGHT, stood_down_reason="cancelled"
        )
        await as_afresh(stage, page, who)
        assert page.visits == page.alerts == {}


@pytest.mark.parametrize("who", ["dana", "cole"])
async def test_an_alarm_of_the_evening_rings_on_until_it_is_answered(stage: Stage, who: str):
    stage.clock.at = LATE_EVENING
    visit = await stage.plan("V-1", at="22:00", state="missed")
    alert = await stage.alarm(visit, kind="missed", raised_for=LATE_EVENING, raised_at=LATE_EVENING)
    async with looking(stage, who) as page:
        await page.shown()
        for midnight in (1, 2):
            stage.clock.at = datetime(2026, 11, 23, tzinfo=UTC) + midnight * A_DAY
            assert (await page.until("resync"))["reason"] == "a new day"
            await page.until("snapshot")
            await as_afresh(stage, page, who)
            assert (set(page.visits), set(page.alerts)) == ({visit}, {alert})
        await stage.alarm_becomes(alert, state="acknowledged", owner="Dana", acknowledged_at=NIGHT)
        await as_afresh(stage, page, who)
        assert page.visits == page.alerts == {}
        await stage.alarm_becomes(alert, state="open", owner=None, acknowledged_at=None)
        await as_afresh(stage, page, who)
        assert (set(page.visits), set(page.alerts)) == ({visit}, {alert})


@pytest.mark.parametrize("days_away", [-20, -1, 2, 29])
@pytest.mark.parametrize("who", ["dana", "cole"])
async def test_a_call_for_help_is_shown_with_its_visit_whatever_day_that_is_of(
    stage: Stage, who: str, days_away: int
):
    stage.clock.at = NIGHT
    visit = await stage.plan("V-1", at="22:00", day=TOMORROW + days_away * A_DAY, state="completed")
    earlier = await stage.alarm(
        visit, kind="no_reply", state="acknowledged", raised_at=NIGHT - 30 * A_DAY, raised_for=NIGHT
    )
    async with looking(stage, who) as page, looking(stage, who) as elsewhere:
        await page.shown()
        await elsewhere.shown(date=(TOMORROW + A_DAY).isoformat())
        assert page.visits == {}
        sos = await stage.alarm(visit, kind="sos", raised_for=NIGHT - 30 * HOUR, raised_at=NIGHT)
        await as_afresh(stage, page, who)
        await elsewhere.reaches(page.position)
        assert (set(page.visits), set(page.alerts)) == ({visit}, {earlier, sos})
        assert elsewhere.visits == elsewhere.alerts == {}
        told = [frame["type"] for frame in page.log]
        assert told.index("row") < told.index("alert"), "an alarm of a visit that is not there would not show"


RINGING = [
    # about yesterday's completed visit, at a quarter past midnight: what it is, how long ago raised, shown or not
    ("critical, unanswered", {}, HOUR, True),
    ("critical, unanswered for weeks", {}, 29 * A_DAY, True),
    ("critical, unanswered for longer", {}, 31 * A_DAY, False),
    ("critical, answered yesterday", {"state": "acknowledged"}, HOUR, False),
    ("critical, answered today", {"state": "acknowledged"}, timedelta(minutes=5), True),
    ("a warning of yesterday", {"severity": "warning"}, HOUR, True),
    ("a warning of the day before", {"severity": "warning"}, 25 * HOUR, False),
    ("information", {"severity": "information"}, timedelta(minutes=5), False),
    ("history that was imported", {"raised_for": NIGHT - 2 * A_DAY}, timedelta(minutes=5), False),
]


@pytest.mark.parametrize(("more", "ago", "shown"), [r[1:] for r in RINGING], ids=[r[0] for r in RINGING])
async def test_what_rings_on_today_s_board(stage: Stage, more: dict[str, Any], ago: timedelta, shown: bool):
    stage.clock.at = NIGHT
    visit = await stage.plan("V-1", at="08:00", state="completed")
    async with looking(stage) as page, looking(stage) as own_day:
        await page.shown()
        await own_day.shown(date=DAY.isoformat())
        await stage.alarm(visit, kind="short", raised_at=NIGHT - ago, **{"raised_for": NIGHT - ago} | more)
        await as_afresh(stage, page)
        await as_afresh(stage, own_day, date=DAY.isoformat())
        assert set(page.visits) == ({visit} if shown else set())
        assert set(own_day.visits) == {visit}
