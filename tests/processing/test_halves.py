"""Both halves of a stay go to one person, whatever each names, and in whatever order they arrive."""

from tests.processing.desk import Desk


async def test_a_worker_who_says_only_that_she_leaves_leaves_where_she_is_in(desk: Desk) -> None:
    """At ten Bob's visit begins sooner than Alice's began; but nobody has come to Bob."""
    await desk.plan("alices", "09:00", "10:00")
    await desk.plan("bobs", "10:15", "10:45", person="bob")
    await desk.arrive("in", "09:00", person=None)
    await desk.arrive("out", "10:00", person=None)
    await desk.settle("10:01")
    assert (await desk.state("alices"), await desk.state("bobs")) == ("completed", "planned")
    await desk.settle("12:00")
    assert (await desk.passed("alices"), await desk.state("bobs")) == (["planned>completed"], "missed")


async def test_a_check_out_that_names_nobody_waits_for_its_check_in_to_say_where(desk: Desk) -> None:
    """Alone it is nearest to Alice's end; then the check-in from Bob's arrives."""
    await desk.plan("alices", "09:00", "10:00")
    await desk.plan("bobs", "10:15", "10:45", person="bob")
    await desk.arrive("out", "10:05", person=None)
    await desk.settle()
    assert await desk.state("alices") == "completed"
    await desk.arrive("in", "09:58", person="bob", received="10:10")
    await desk.settle()
    assert (await desk.state("alices"), await desk.state("bobs")) == ("missed", "completed")


async def test_whoever_leaves_a_person_we_do_not_know_is_not_counted_for_somebody_else(desk: Desk) -> None:
    await desk.plan("alices", "09:00", "10:00")
    await desk.arrive("in", "09:00", person="zelda")
    await desk.settle()
    await desk.arrive("out", "10:00", person=None)
    await desk.settle()
    assert await desk.state("alices") in ("planned", "late")


async def test_an_event_that_names_one_person_and_anothers_visit_counts_for_the_person(desk: Desk) -> None:
    await desk.plan("alices", "09:00", "09:30")
    await desk.plan("bobs", "12:00", "12:30", person="bob")
    await desk.arrive("in", "09:00", person="alice", visit="bobs")
    await desk.arrive("out", "09:30", person="alice", visit="bobs")
    await desk.settle("09:31")
    assert (await desk.state("alices"), await desk.state("bobs")) == ("completed", "planned")
    reason = await desk.value("SELECT min(reason) FROM event_outcomes")
    assert reason == "visit bobs is not one of this person's; nearest planned visit"


async def test_a_link_to_another_persons_visit_takes_the_whole_stay(desk: Desk) -> None:
    """Carol named Alice and was with Bob, where she also left; one half is linked, before or after the other comes."""
    await desk.plan("alices", "09:00", "09:30")
    bobs = await desk.plan("bobs", "09:00", "09:30", person="bob")
    came = await desk.arrive("in", "09:00")
    await desk.arrive("out", "09:30")
    await desk.settle("09:31")
    await desk.link(bobs, came)
    await desk.settle("09:35")
    assert (await desk.state("alices"), await desk.state("bobs")) == ("late", "completed")

    evening = await desk.plan("bobs evening", "18:00", "18:30", person="bob")
    await desk.plan("alices evening", "18:00", "18:30")
    came = await desk.arrive("in", "18:00")
    await desk.settle()
    await desk.link(evening, came)
    await desk.settle()
    await desk.arrive("out", "18:30")
    await desk.settle()
    assert (await desk.state("alices evening"), await desk.state("bobs evening")) == ("late", "completed")


async def test_the_check_in_follows_a_check_out_that_is_linked_and_both_come_back_when_it_is_rejected(
    desk: Desk,
) -> None:
    await desk.plan("alices", "09:00", "09:30")
    bobs = await desk.plan("bobs", "09:00", "09:30", person="bob")
    await desk.arrive("in", "09:00")
    left = await desk.arrive("out", "09:30")
    await desk.settle("09:31")
    await desk.link(bobs, left)
    await desk.settle("09:35")
    assert (await desk.state("alices"), await desk.state("bobs")) == ("late", "completed")
    await desk.run(
        """INSERT INTO amendments (tenant_id, visit_id, kind, event_id, reason_code, made_by, made_at)
           VALUES (1, $1, 'reject', $2, 'test', 'the office', $3)""",
        bobs,
        left,
        desk.clock.at,
    )
    await desk.run("INSERT INTO processing_queue (tenant_id, event_id) VALUES (1, $1)", left)
    await desk.settle("09:36")
    assert (await desk.state("alices"), await desk.state("bobs")) == ("in_progress", "late")


async def test_a_rejected_check_in_that_is_linked_after_all_is_in_the_trail_of_the_visit_after_it(
    desk: Desk,
) -> None:
    """What was said of it before is not the event after it."""
    alices = await desk.plan("alices", "09:00", "09:45")
    await desk.plan("bobs", "09:10", "09:55", person="bob")
    event = await desk.arrive("in", "09:05", person="zelda", metres=None)
    await desk.arrive("in", "09:11", person="bob", visit="bobs", metres=None)
    await desk.settle()
    await desk.run(
        """INSERT INTO amendments (tenant_id, kind, event_id, reason_code, made_by, made_at)
           VALUES (1, 'reject', $1, 'test', 'the office', $2)""",
        event,
        desk.clock.at,
    )
    await desk.run("INSERT INTO processing_queue (tenant_id, event_id) VALUES (1, $1)", event)
    await desk.settle()
    assert "overlap" not in await desk.codes("bobs")
    await desk.link(alices, event)
    await desk.settle()
    assert "overlap" in await desk.codes("bobs")
