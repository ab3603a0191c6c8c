"""From stored evidence to a visit's true state, on a real database."""

import time
from datetime import UTC, datetime

import pytest

from tests.processing.desk import Desk, at, minutes


class StandsStill(datetime):
    """Time itself: what is put off stays so, however slow this machine is."""

    @classmethod
    def now(cls, _: object = None) -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_a_planned_visit_is_done_on_time(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:45")
    await desk.settle()
    assert await desk.state("breakfast") == "planned"
    assert (await desk.visit("breakfast"))["deadline_at"] == at("09:15")

    await desk.arrive("in", "09:02", visit="breakfast")
    await desk.settle()
    assert await desk.state("breakfast") == "in_progress"

    await desk.arrive("out", "09:44", visit="breakfast")
    await desk.settle()
    visit = await desk.visit("breakfast")
    assert (visit["state"], visit["actual_start"], visit["actual_end"]) == (
        "completed",
        at("09:02"),
        at("09:44"),
    )
    assert visit["deadline_at"] is None
    assert await desk.codes("breakfast") == {"location_inside"}
    assert await desk.passed("breakfast") == ["planned>in_progress", "in_progress>completed"]


async def test_nobody_came_and_then_the_phone_found_signal(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("09:15")
    assert await desk.state("breakfast") == "late"
    await desk.settle("10:00")
    assert await desk.state("breakfast") == "missed"

    await desk.arrive("in", "09:03", received="10:20", metres=400)
    await desk.settle()
    assert await desk.state("breakfast") == "in_progress"
    assert {"location_outside", "late_sync"} <= await desk.codes("breakfast")

    await desk.arrive("out", "09:28", received="10:20")
    await desk.settle()
    assert await desk.state("breakfast") == "completed"
    assert {"late", "missed"} <= set(await desk.passed("breakfast"))


async def test_a_tick_that_comes_hours_late_finds_every_deadline_that_passed(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("06:00")
    await desk.settle("12:00")
    assert await desk.state("breakfast") == "missed"
    passed = await desk.rows("SELECT kind, at FROM transitions WHERE kind <> 'change' ORDER BY at")
    assert [(r["kind"], r["at"]) for r in passed] == [("late", at("09:15")), ("missed", at("10:00"))]


async def test_a_telephone_check_in_names_neither_visit_nor_person(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.plan("lunch", "12:00", "12:45")
    await desk.arrive("in", "12:04", person=None, cli="+441632960001", method="landline", metres=None)
    await desk.settle()
    assert await desk.state("lunch") == "in_progress"
    assert "location_inside" in await desk.codes("lunch")


async def test_a_check_out_that_arrives_first_goes_where_its_check_in_goes(desk: Desk) -> None:
    """At 10:25 the second visit's end is nearer; the stay began at the first one."""
    await desk.plan("first", "09:00", "09:30")
    await desk.plan("second", "10:30", "11:00")
    await desk.arrive("out", "09:58", received="10:20")
    await desk.settle()
    await desk.arrive("in", "09:20", received="10:21")
    await desk.settle()
    assert (await desk.state("first"), await desk.state("second")) == ("completed", "planned")


async def test_an_attendance_nobody_planned_is_a_visit_of_its_own(desk: Desk) -> None:
    event = await desk.arrive("in", "15:00")
    await desk.settle()
    ref = f"unplanned-{event}"
    assert await desk.state(ref) == "in_progress"
    assert "unplanned" in await desk.codes(ref)
    await desk.arrive("out", "15:40")
    await desk.settle()
    assert await desk.state(ref) == "completed"
    assert await desk.value("SELECT count(*) FROM visits") == 1


async def test_an_unplanned_visit_gives_its_evidence_to_the_plan_that_comes_later(desk: Desk) -> None:
    event = await desk.arrive("in", "15:00")
    await desk.settle()
    await desk.plan("tea", "15:00", "15:30")
    await desk.settle()
    assert (await desk.state("tea"), await desk.state(f"unplanned-{event}")) == ("in_progress", "cancelled")
    await desk.arrive("out", "15:30")
    await desk.settle("16:30")
    assert await desk.state("tea") == "completed"
    assert await desk.passed("tea") == ["planned>in_progress", "in_progress>completed"]
    assert await desk.value("SELECT count(*) FROM event_outcomes WHERE event_id = $1", event) == 1


async def test_an_unknown_person_waits_unmatched_with_the_reason(desk: Desk) -> None:
    event = await desk.arrive("in", "09:00", person="nobody-we-know", worker="carol")
    await desk.settle()
    row = (await desk.rows("SELECT status, reason FROM event_outcomes WHERE event_id = $1", event))[0]
    assert (row["status"], row["reason"]) == ("unmatched", "the person is not known")
    assert await desk.value("SELECT count(*) FROM processing_queue") == 0


async def test_an_officer_links_what_nobody_could_match(desk: Desk) -> None:
    visit_id = await desk.plan("breakfast", "09:00", "09:30")
    event = await desk.arrive("in", "09:01", person="nobody-we-know")
    await desk.settle()
    desk.clock.at = at("09:10")
    await desk.link(visit_id, event)
    await desk.settle("09:11")
    assert await desk.state("breakfast") == "in_progress"
    assert await desk.value("SELECT visit_id FROM event_outcomes WHERE event_id = $1", event) == visit_id


async def test_a_second_worker_who_never_comes_is_found_missing(desk: Desk) -> None:
    await desk.plan("hoist", "09:00", "09:45", carers=2, workers=("carol", "dan"))
    await desk.settle()
    await desk.arrive("in", "09:01", visit="hoist")
    await desk.settle("09:15")
    assert "second_worker_missing" in await desk.codes("hoist")
    assert "second_worker_missing" in await desk.passed("hoist")


async def test_a_worker_in_two_homes_at_once_is_told_of_in_the_later_visit(desk: Desk) -> None:
    """The earlier home's check-in arrives last: the later visit is looked at again."""
    await desk.plan("at alice", "09:00", "09:45")
    await desk.plan("at bob", "09:10", "09:55", person="bob")
    await desk.arrive("in", "09:11", person="bob", visit="at bob", metres=None)
    await desk.settle()
    await desk.arrive("in", "09:05", visit="at alice", received="09:30")
    await desk.settle()
    assert "overlap" in await desk.codes("at bob")


async def test_ticks_and_replays_write_nothing_twice(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    event = await desk.arrive("in", "09:20", visit="breakfast")
    await desk.settle("09:50")
    before = await desk.rows("SELECT kind, at, to_state FROM transitions WHERE kind <> 'change'")
    await desk.run("INSERT INTO processing_queue (tenant_id, event_id) VALUES (1, $1)", event)
    await desk.settle()
    assert await desk.rows("SELECT kind, at, to_state FROM transitions WHERE kind <> 'change'") == before


async def test_a_poison_row_is_put_off_and_stops_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.processing.processor.datetime", StandsStill)
    monkeypatch.setattr("ecm.processing.claim.datetime", StandsStill)
    await desk.plan("good", "09:00", "09:30")
    await desk.plan("bad", "09:00", "09:30", person="bob")
    await desk.run("UPDATE visits SET zone = 'Nowhere/Nothing' WHERE ref = 'bad'")
    await desk.settle()
    assert (await desk.visit("good"))["version"] == 1
    stuck = await desk.rows("SELECT tries, last_error FROM processing_queue")
    assert [r["tries"] for r in stuck] == [1]
    assert stuck[0]["last_error"]


async def test_a_phone_that_believes_it_is_1970_is_kept_placed_by_its_receipt_and_flagged(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    event = await desk.arrive("in", "09:01")
    await desk.run("UPDATE check_events SET occurred_at = '1970-01-01T00:00:30Z' WHERE event_id = $1", event)
    await desk.settle()
    assert await desk.state("breakfast") == "in_progress"
    assert "clock_skew" in await desk.codes("breakfast")


async def test_a_plan_cancelled_after_its_alarm_rang_keeps_the_alarm(desk: Desk) -> None:
    visit_id = await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("09:20")
    await desk.run(
        "UPDATE visits SET cancelled = true, cancelled_at = $2 WHERE visit_id = $1", visit_id, at("09:25")
    )
    await desk.run("INSERT INTO processing_queue (tenant_id, visit_id) VALUES (1, $1)", visit_id)
    await desk.settle("09:30")
    visit = await desk.visit("breakfast")
    assert (visit["state"], [c["kind"] for c in visit["crossings"]]) == ("cancelled", ["late"])


async def test_a_check_in_that_was_on_time_but_waits_behind_a_backlog_rings_no_alarm(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", visit="breakfast")
    desk.clock.at = at("09:20")
    while await desk.watcher.step():
        pass
    assert await desk.passed("breakfast") == []
    await desk.settle()
    assert await desk.state("breakfast") == "in_progress"
    assert await desk.passed("breakfast") == ["planned>in_progress"]


async def test_a_batch_that_is_quicker_than_the_one_before_it_judges_no_deadline_for_it(desk: Desk) -> None:
    """One lane holds Carol's check-in at 09:01; the other has Bob's at 09:20, and is asked about Alice's visit."""
    visit_id = await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", visit="breakfast")
    async with desk.owner.transaction() as slow_lane:
        await slow_lane.execute("SELECT FROM processing_queue FOR UPDATE")
        await desk.arrive("in", "09:20", person="bob", worker="dan")
        await desk.run("INSERT INTO processing_queue (tenant_id, visit_id) VALUES (1, $1)", visit_id)
        assert await desk.processor.step()
        assert await desk.state("breakfast") == "planned"
    await desk.settle()
    assert await desk.passed("breakfast") == ["planned>in_progress"]


async def test_a_row_put_off_after_an_error_holds_no_deadline_back(desk: Desk) -> None:
    visit_id = await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", person="bob")
    await desk.run("UPDATE processing_queue SET tries = 1")
    async with desk.owner.transaction() as somebody_tries_it_again:
        await somebody_tries_it_again.execute("SELECT FROM processing_queue FOR UPDATE")
        await desk.arrive("in", "09:20", person="bob", worker="dan")
        await desk.run("INSERT INTO processing_queue (tenant_id, visit_id) VALUES (1, $1)", visit_id)
        assert await desk.processor.step()
        assert await desk.state("breakfast") == "late"


async def test_a_backlog_that_does_not_move_cannot_silence_the_alarms(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", person="bob", visit=None)
    desk.clock.at = at("09:20")
    desk.watcher._held_since = time.monotonic() - 31
    await desk.watcher.step()
    assert await desk.state("breakfast") == "late"


async def test_whoever_names_a_person_we_do_not_know_is_not_counted_for_somebody_else(desk: Desk) -> None:
    """Carol is due at Alice's, and says that she is at Zelda's, who has yet to be imported."""
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.arrive("in", "09:01", person="zelda")
    await desk.arrive("in", "09:02", person=None, visit="zeldas-breakfast")
    await desk.settle("09:03")
    assert await desk.state("breakfast") == "planned"
    outcomes = await desk.rows("SELECT status, reason FROM event_outcomes ORDER BY occurred_at")
    assert [(o["status"], o["reason"]) for o in outcomes] == [
        ("unmatched", "the person is not known"),
        ("unmatched", "the visit it names is not known"),
    ]


async def test_an_event_linked_to_the_wrong_person_and_then_to_the_right_one_comes_to_rest(
    desk: Desk,
) -> None:
    alices = await desk.plan("breakfast", "09:00", "09:30")
    bobs = await desk.plan("bobs", "09:00", "09:30", person="bob")
    event = await desk.arrive("in", "09:01", person=None, worker="dan", method="landline", metres=None)
    await desk.settle()
    for visit_id, minute in ((alices, "09:05"), (bobs, "09:06")):
        desk.clock.at = at(minute)
        await desk.link(visit_id, event)
        await desk.settle()
    await desk.run("INSERT INTO processing_queue (tenant_id, visit_id) VALUES (1, $1), (1, $2)", alices, bobs)
    for _ in range(4):
        await desk.processor.step()
    assert await desk.value("SELECT count(*) FROM processing_queue") == 0
    assert (await desk.state("breakfast"), await desk.state("bobs")) == ("planned", "in_progress")


async def test_evidence_from_before_a_deadline_that_was_judged_does_not_take_the_visit_back_there(
    desk: Desk,
) -> None:
    """One lane catches up with old evidence of one worker while the watcher has already missed the other."""
    await desk.plan("hoist", "09:00", "09:45", carers=2, workers=("carol", "dan"))
    await desk.settle("08:00")
    await desk.arrive("in", "09:01", visit="hoist", worker="carol", received="09:01")
    await desk.settle("09:16")
    await desk.arrive("in", "09:02", visit="hoist", worker="carol", received="09:16")
    await desk.run(
        "UPDATE check_events SET received_at = $1 WHERE received_at = $2", at("09:03"), at("09:16")
    )
    desk.clock.at = at("09:17")
    await desk.processor.step()
    assert (await desk.passed("hoist")).count("second_worker_missing") == 1
    assert "second_worker_missing" in await desk.codes("hoist")


async def test_a_visit_cancelled_and_made_anew_is_attended_in_its_new_shape(desk: Desk) -> None:
    old = await desk.plan("old", "09:00", "09:30")
    await desk.run("UPDATE visits SET cancelled = true WHERE visit_id = $1", old)
    await desk.plan("new", "09:00", "09:30")
    await desk.settle("08:00")
    await desk.arrive("in", "09:00")
    await desk.arrive("out", "09:30")
    await desk.settle("10:30")
    assert (await desk.state("old"), await desk.state("new")) == ("cancelled", "completed")


async def test_a_pocket_that_taps_between_two_visits_does_not_silence_the_second(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.plan("lunch", "12:00", "12:30")
    await desk.settle("08:00")
    for kind, minute in (("in", "09:00"), ("out", "09:30"), ("out", "11:05")):
        await desk.arrive(kind, minute)
        await desk.settle(minute)
    await desk.settle("13:00")
    assert (await desk.state("breakfast"), await desk.state("lunch")) == ("completed", "missed")
    assert {"late", "missed"} <= set(await desk.passed("lunch"))
    assert (await desk.visit("breakfast"))["actual_end"] == at("09:30")


async def test_a_row_that_failed_all_winter_is_still_put_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.processing.processor.datetime", StandsStill)
    monkeypatch.setattr("ecm.processing.claim.datetime", StandsStill)
    await desk.plan("bad", "09:00", "09:30")
    await desk.run("UPDATE visits SET zone = 'Nowhere/Nothing'")
    await desk.run("UPDATE processing_queue SET tries = 300")
    await desk.settle()
    until = await desk.value("SELECT available_at FROM processing_queue WHERE tries = 301")
    assert until - StandsStill.now() == minutes(60)


async def test_a_new_authority_has_its_board_and_its_visits_are_assessed(desk: Desk) -> None:
    await desk.run("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Other Shire')")
    await desk.run(
        """
        INSERT INTO providers (tenant_id, ref, name) VALUES (2, 'north', 'Northfield Care');
        INSERT INTO service_users (tenant_id, ref, name) VALUES (2, 'zoe', 'Zoe');
        WITH v AS (
          INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,
            planned_end, window_start)
          VALUES (2, 'breakfast', 'zoe', 'north', '2026-11-23', 'Europe/London', '2026-11-23 09:00Z',
            '2026-11-23 09:30Z', '2026-11-23 09:00Z') RETURNING visit_id)
        INSERT INTO processing_queue (tenant_id, visit_id) SELECT 2, visit_id FROM v
        """
    )
    await desk.settle("09:20")
    found = await desk.rows("SELECT state, position FROM visits WHERE tenant_id = 2")
    assert [(r["state"], r["position"] > 0) for r in found] == [("late", True)]


async def test_a_visit_that_could_not_be_written_is_never_taken_for_done(desk: Desk) -> None:
    await desk.plan("breakfast", "09:00", "09:30")
    await desk.run("DELETE FROM board_heads")
    await desk.settle()
    assert (await desk.visit("breakfast"))["version"] == 0
    assert await desk.value("SELECT last_error FROM processing_queue") == "AssertionError"
