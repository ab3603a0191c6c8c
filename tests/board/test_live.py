"""What a board holds is what it would be given afresh: whatever happens, whoever looks, however they reconnect."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import websockets
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ecm.board import MESSAGE_BYTES_MAX
from ecm.board import hub as hub_module
from ecm.board.feed import Audience
from ecm.store.embedded import Addresses
from tests.board.stage import DAY, NOW, Stage, looking, staged, stamp, ticket_of

IN_0903 = [{"care_worker": "W-K", "check_in_at": "2026-11-23T09:03:00Z", "check_out_at": None}]
OUTSIDE = [{"code": "location_outside", "measure": 400.0, "limit": 100.0, "unit": "m"}]
STOOD_DOWN = "check-in 09:03 received late"

# What changes a board: the row it happens to, and what it becomes.
ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "a visit goes late": ("visit", {"state": "late", "state_reason": "no check-in received by 09:15"}),
    "somebody checks in": ("visit", {"state": "in_progress", "actual_start": NOW, "attendances": IN_0903}),
    "a finding is added": ("visit", {"findings": OUTSIDE}),
    "a visit is moved to tomorrow": ("visit", {"local_date": DAY + timedelta(days=1)}),
    "a visit is moved to another provider": ("visit", {"provider_ref": "HAR"}),
    "a visit is cancelled": ("visit", {"state": "cancelled", "cancelled": True}),
    "a visit is planned": ("new visit", {"at": "11:00"}),
    "an alarm is raised": ("new alarm", {"kind": "missed"}),
    "an alarm is acknowledged": ("alarm", {"state": "acknowledged", "owner": "Dana", "acknowledged_at": NOW}),
    "an alarm is released": ("alarm", {"state": "open", "owner": None, "acknowledged_at": None}),
    "an alarm is stood down": (
        "alarm",
        {"state": "stood_down", "stood_down_at": NOW, "stood_down_reason": STOOD_DOWN},
    ),
}


async def happen(stage: Stage, action: str, visit: int, alert: int) -> None:
    what, becomes = ACTIONS[action]
    match what:
        case "visit":
            await stage.becomes(visit, **becomes)
        case "new visit":
            await stage.plan("V-new", **becomes)
        case "alarm":
            await stage.alarm_becomes(alert, **becomes)
        case "new alarm":
            await stage.alarm(visit, **becomes)


@pytest.mark.parametrize("who", ["dana", "cole"])
@pytest.mark.parametrize("action", ACTIONS)
async def test_frames_lead_to_the_same_board_as_looking_afresh(stage: Stage, action: str, who: str):
    visit = await stage.plan("V-1")
    await stage.plan("V-other", person="P-T", provider="HAR", workers=("W-B",))
    alert = await stage.alarm(visit)
    async with looking(stage, who) as page:
        await page.shown()
        before = json.dumps(page.what_it_holds())

        await happen(stage, action, visit, alert)
        await page.reaches(await stage.owner.fetchval("SELECT position FROM board_heads"))

        async with looking(stage, who) as afresh:
            await afresh.shown()
        assert page.what_it_holds() == afresh.what_it_holds()
        assert json.dumps(page.what_it_holds()) != before


async def test_yesterdays_open_visit_is_shown_until_it_is_finished(stage: Stage):
    night = await stage.plan(
        "V-night", at="22:00", minutes=60, day=DAY - timedelta(days=1), state="in_progress"
    )
    over_midnight = await stage.plan(
        "V-over", at="23:30", minutes=60, day=DAY - timedelta(days=1), state="completed"
    )
    await stage.plan("V-done", at="08:00", day=DAY - timedelta(days=1), state="completed")
    async with looking(stage) as page:
        await page.shown()
        assert set(page.visits) == {night, over_midnight}
        await page.reaches(
            await stage.becomes(night, state="completed", actual_end=NOW - timedelta(hours=9, minutes=30))
        )
        assert set(page.visits) == {over_midnight}


async def test_a_row_committed_late_arrives_after_those_that_overtook_it(stage: Stage, database: Addresses):
    slow_visit, quick_visit = await stage.plan("V-slow"), await stage.plan("V-quick", person="P-A")
    slow = await asyncpg.connect(database.owner)
    async with looking(stage) as page:
        await page.shown()
        writing = slow.transaction()
        await writing.start()
        await slow.execute("UPDATE visits SET state = 'late', version = 9 WHERE visit_id = $1", slow_visit)
        position = await stage.becomes(quick_visit, state="late")
        await page.reaches(position)

        later = await stamp(slow, "visits", "visit_id", [slow_visit])
        await writing.commit()
        await page.reaches(later)
        assert later > position
        assert page.visits[slow_visit]["state"] == "late"
    await slow.close()


async def test_whoever_takes_a_position_holds_up_the_next_until_it_commits(stage: Stage, database: Addresses):
    first_visit, second_visit = await stage.plan("V-1"), await stage.plan("V-2", person="P-A")
    slow = await asyncpg.connect(database.owner)
    async with looking(stage) as page:
        await page.shown()
        writing = slow.transaction()
        await writing.start()
        await slow.execute("UPDATE visits SET state = 'late' WHERE visit_id = $1", first_visit)
        await stamp(slow, "visits", "visit_id", [first_visit])
        second = asyncio.create_task(stage.becomes(second_visit, state="late"))
        await asyncio.sleep(0.2)
        assert not second.done()
        await writing.commit()
        await page.reaches(await second)
        assert page.visits[first_visit]["state"] == page.visits[second_visit]["state"] == "late"
    await slow.close()


@pytest.mark.parametrize("kept_bytes", [512_000, 0], ids=["from memory", "from the database"])
async def test_who_was_away_is_sent_what_it_missed_and_nothing_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kept_bytes: int
):
    monkeypatch.setattr("ecm.board.feed.KEPT_BYTES", kept_bytes)
    missed_visit, quiet_visit = await stage.plan("V-1"), await stage.plan("V-2", person="P-A")
    async with looking(stage) as watcher:
        await watcher.shown()
        async with looking(stage) as page:
            await page.shown()
        await stage.becomes(missed_visit, state="late")
        position = await stage.becomes(missed_visit, state="missed")
        alert = await stage.alarm(missed_visit, kind="missed")
        await watcher.reaches(position + 1)

        async with looking(stage) as back:
            back.visits, back.alerts, back.position = page.visits, page.alerts, page.position
            await back.socket.send(
                json.dumps({"type": "resume", "epoch": page.epoch, "position": page.position})
            )
            await back.until("heartbeat")
            assert back.what_it_holds() == watcher.what_it_holds()
            assert back.visits[missed_visit]["state"] == "missed"
            assert alert in back.alerts
            told = [frame for frame in back.log if frame["type"] in ("snapshot", "resync")]
            assert told == []
            assert quiet_visit not in {frame["visit"]["id"] for frame in back.log if frame["type"] == "row"}


MOVES: dict[str, dict[str, Any]] = {
    "to tomorrow": {"local_date": DAY + timedelta(days=1)},
    "to another provider": {"provider_ref": "HAR"},
}


@pytest.mark.parametrize("kept_bytes", [512_000, 0], ids=["from memory", "from the database"])
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("who", ["dana", "cole"])
async def test_who_was_away_while_a_visit_moved_holds_what_it_would_be_given_afresh(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, who: str, move: str, kept_bytes: int
):
    monkeypatch.setattr("ecm.board.feed.KEPT_BYTES", kept_bytes)
    moved, stays = await stage.plan("V-1", state="late"), await stage.plan("V-2", person="P-A")
    await stage.alarm(moved, severity="information")
    async with looking(stage) as watcher:
        await watcher.shown()
        async with looking(stage, who) as page:
            await page.shown()
        await watcher.reaches(await stage.becomes(moved, **MOVES[move]))
        await watcher.reaches(await stage.becomes(stays, state="late"))
        async with looking(stage, who) as back, looking(stage, who) as afresh:
            back.visits, back.alerts, back.position = page.visits, page.alerts, page.position
            await back.socket.send(
                json.dumps({"type": "resume", "epoch": page.epoch, "position": page.position})
            )
            await back.until("heartbeat")
            await afresh.shown()
            assert back.what_it_holds() == afresh.what_it_holds()
            assert set(back.visits) == (
                {stays, moved} if (who, move) == ("dana", "to another provider") else {stays}
            )


async def test_half_a_position_is_not_the_whole_of_it(stage: Stage):
    visits = [await stage.plan(f"V-{n}", at=f"{10 + n}:00") for n in range(3)]
    async with looking(stage) as page:
        await page.shown()
        before = page.position
        position = await stage.becomes(*visits, state="late")
        rows = [await page.until("row") for _ in visits]
        assert [row["position"] for row in rows] == [before, before, position]


async def test_another_epoch_is_answered_with_a_reason_and_the_board_afresh(stage: Stage):
    visit = await stage.plan("V-1")
    async with looking(stage) as page:
        await page.socket.send(json.dumps({"type": "resume", "epoch": "of another life", "position": 1}))
        assert (await page.until("resync"))["reason"] == "the board began afresh"
        await page.until("snapshot")
        assert set(page.visits) == {visit}


@pytest.mark.parametrize(
    ("wish", "held_date", "afresh"),
    [
        ({}, "2026-11-22", True),
        ({"date": "2026-11-24"}, "2026-11-23", True),
        ({}, 7, True),
        ({}, "2026-11-23", False),
        ({"date": "2026-11-24"}, "2026-11-24", False),
    ],
)
async def test_who_comes_back_holding_another_day_is_shown_this_one_afresh(
    stage: Stage, wish: dict[str, str], held_date: object, afresh: bool
):
    await stage.plan("V-1")
    async with looking(stage) as page:
        await page.shown(**wish)
    async with looking(stage) as back:
        resume = {"type": "resume", "epoch": page.epoch, "position": page.position, "held_date": held_date}
        await back.socket.send(json.dumps(resume | wish))
        await back.until("heartbeat")
        assert [f["reason"] for f in back.log if f["type"] == "resync"] == ["a new day"] * afresh
        assert any(frame["type"] == "snapshot" for frame in back.log) == afresh


async def test_a_restored_backup_sends_everyone_the_board_afresh(stage: Stage):
    visit = await stage.plan("V-1")
    async with looking(stage) as page:
        await page.shown()
        await stage.owner.execute("UPDATE board_heads SET epoch = gen_random_uuid(), position = 1")
        await page.until("resync")
        await page.until("snapshot")
        await page.until("heartbeat")
        assert set(page.visits) == {visit}
        assert page.position == 1


async def test_a_lost_notification_costs_two_seconds_and_no_row(stage: Stage):
    visit = await stage.plan("V-1")
    async with looking(stage) as page:
        await page.shown()
        async with stage.owner.transaction():
            await stage.owner.execute("UPDATE board_heads SET position = position + 1")
            await stage.owner.execute(
                "UPDATE visits SET state = 'late', position = (SELECT position FROM board_heads) WHERE visit_id = $1",
                visit,
            )
        await page.until("row")
        assert page.visits[visit]["state"] == "late"


async def test_a_coordinator_sees_their_own_provider_whatever_they_ask_for(stage: Stage):
    ours = await stage.plan("V-ours")
    theirs = await stage.plan("V-theirs", person="P-T", provider="HAR", workers=("W-B",))
    async with looking(stage, "cole") as page:
        await page.shown(provider="HAR")
        assert set(page.visits) == {ours}
        await stage.becomes(theirs, state="late")
        await stage.alarm(theirs, provider_ref="HAR")
        await page.reaches(await stage.becomes(ours, state="late"))
        assert "V-theirs" not in json.dumps(page.log)
        assert set(page.visits) == {ours}
        assert page.alerts == {}


async def test_a_duty_officer_narrows_to_one_provider_and_day(stage: Stage):
    tomorrow = DAY + timedelta(days=1)
    await stage.plan("V-today", person="P-T", provider="HAR", workers=("W-B",))
    there = await stage.plan("V-there", person="P-T", provider="HAR", workers=("W-B",), day=tomorrow)
    await stage.plan("V-elsewhere", day=tomorrow)
    async with looking(stage) as page:
        await page.shown(date=tomorrow.isoformat(), provider="HAR")
        assert set(page.visits) == {there}


async def test_a_new_day_brings_a_new_board(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.1)
    await stage.plan("V-today", state="completed")
    tomorrow = await stage.plan("V-tomorrow", day=DAY + timedelta(days=1))
    async with looking(stage) as page:
        await page.shown()
        stage.clock.at = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)
        assert (await page.until("resync"))["reason"] == "a new day"
        assert (await page.until("snapshot"))["date"] == "2026-11-24"
        assert set(page.visits) == {tomorrow}


async def test_who_asks_faster_than_a_hand_can_is_sent_away_and_a_quick_hand_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ecm.board.live.WISHES_PER_S", 0.001)
    async with looking(stage) as page:
        for ahead in range(10):
            await page.shown(date=(DAY + timedelta(days=ahead)).isoformat())
        await page.socket.send('{"type":"filter"}')
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await page.until("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4429


async def test_what_a_server_remembers_of_filters_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "COVERED_AT_MOST", 3)
    async with looking(stage) as dana, looking(stage, "cole") as cole:
        await cole.shown()
        for ahead in range(9):
            await dana.shown(date=(DAY + timedelta(days=ahead)).isoformat(), provider="HAR")
        (board,) = stage.hub._boards.values()
        assert len(board.covered) == 3
        assert Audience(DAY, "NOR", today=True) in board.covered, "somebody is looking at that one"


@pytest.mark.parametrize("who", ["cara", "finn"])
async def test_who_may_not_see_the_board_gets_no_ticket(stage: Stage, who: str):
    with pytest.raises(Exception, match="403"):
        await ticket_of(stage, who)


async def test_another_sites_page_cannot_open_the_board(stage: Stage):
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with looking(stage, Origin="https://elsewhere.example"):
            pass


async def test_a_socket_that_says_nothing_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ecm.board.live.FIRST_MESSAGE_SECONDS", 0.1)
    async with looking(stage) as page:
        with pytest.raises(websockets.ConnectionClosed):
            await page.next()


@pytest.mark.parametrize(
    "nonsense",
    [
        *("{", "[]", "[" * 100_000, b"bytes", '{"type":"dance"}'),
        *('{"type":"filter","date":"soon"}', '{"type":"filter","date":"0001-01-01"}'),
        *('{"type":"filter","provider":7}', '{"type":"filter","provider":"\\u0000"}'),
        '{"type":"filter","provider":"\\ud800"}',
        '{"type":"filter","provider":"nobody we know"}',
        '{"type":"filter","provider":"NOR","much":"' + "x" * 16_384 + '"}',
        '{"type":"resume","epoch":"EPOCH","position":-1000000000000000000000}',
    ],
    ids=lambda nonsense: str(nonsense)[:60],
)
async def test_nonsense_closes_the_socket_and_disturbs_nobody(stage: Stage, nonsense: str | bytes):
    async with looking(stage) as page, looking(stage) as neighbour:
        await neighbour.shown()
        if isinstance(nonsense, str):
            nonsense = nonsense.replace("EPOCH", page.epoch)
        await page.socket.send(nonsense)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await page.next()
        assert closed.value.rcvd is not None
        too_big = len(nonsense) > MESSAGE_BYTES_MAX  # the server itself does not read on
        assert closed.value.rcvd.code == (1009 if too_big else 4400)
        await neighbour.reaches(await stage.becomes(await stage.plan("V-1"), state="late"))


async def test_a_viewer_who_does_not_read_is_dropped_and_slows_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ecm.board.wire.UNSENT_LIMIT_BYTES", 50_000)
    visits = [await stage.plan(f"V-{n}", at=f"{6 + n // 60:02}:{n % 60:02}") for n in range(200)]
    async with looking(stage) as quick, looking(stage) as slow:
        await slow.shown()
        await quick.shown()
        slow.socket.transport.pause_reading()
        for turn in range(60):
            await quick.reaches(await stage.becomes(*visits, state_reason=f"turn {turn} " + "x" * 400))
            if (
                sum(
                    len(viewers)
                    for board in stage.hub._boards.values()
                    for viewers in board.audiences.values()
                )
                == 1
            ):
                break
        else:
            pytest.fail("the slow viewer is still there")
        slow.socket.transport.resume_reading()
        with pytest.raises(websockets.ConnectionClosed):
            await slow.until("never")


async def test_a_heartbeat_says_what_is_true_of_the_board(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.1)
    await stage.plan("V-1", state="in_progress", actual_start=NOW - timedelta(minutes=3))
    async with looking(stage) as page:
        await page.shown()
        await page.until("heartbeat")
        beat = await page.until("heartbeat")
        assert beat["position"] == beat["head"] == page.position
        assert beat["reading"] is True
        assert beat["last_check_in_at"] == "2026-11-23T09:17:00Z"
        assert beat["processing_behind_s"] == 0
        assert beat["worker_age_s"] < 60


async def test_a_server_without_the_quick_wire_still_tells_everything(database: Addresses):
    async with staged(database, protocol=WebSocketsSansIOProtocol) as stage:
        visit = await stage.plan("V-1")
        async with looking(stage) as page:
            await page.shown()
            await page.reaches(await stage.becomes(visit, state="late"))
            assert page.visits[visit]["state"] == "late"


async def test_a_great_many_changes_at_once_arrive_whole(stage: Stage):
    visits = [await stage.plan(f"V-{n}", at=f"{6 + n // 60:02}:{n % 60:02}") for n in range(10)]
    await stage.owner.execute(
        "INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, window_start)"
        " SELECT 1, 'B-' || n, 'P-D', 'NOR', $1, 'Europe/London', $2 FROM generate_series(1, 1300) n",
        DAY, NOW,
    )  # fmt: skip
    every = [r["visit_id"] for r in await stage.owner.fetch("SELECT visit_id FROM visits")]
    async with looking(stage) as page:
        await page.shown()
        await page.reaches(await stage.becomes(*every, state="late"))
        assert {visit["state"] for visit in page.visits.values()} == {"late"}
        assert len(page.visits) == 1300 + len(visits)


async def test_labels_and_zone_come_with_hello(stage: Stage):
    await stage.owner.execute('UPDATE tenants SET labels = \'{"visit": "call"}\'')
    async with looking(stage) as page:
        hello = page.log[0]
        assert hello["labels"] == {"visit": "call"}
        assert hello["zone"] == "Europe/London"
        assert date.fromisoformat(hello["date"]) == DAY
        assert hello["actor"] == {"name": "Dana Duty", "role": "duty_officer"}
