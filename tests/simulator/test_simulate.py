"""A whole run: wait for the service, import, play, wait for the last deadline, read back page by page, compare."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from ecm.simulator import make_borough, make_day, play_day, pretty_start, simulate, small_borough
from ecm.simulator.player import Log, Receipt
from tests.simulator.fake_service import NO_TROUBLE, SOME_TROUBLE, FakeService
from tests.simulator.test_two_opinions import rules_say

MONDAY = date(2026, 11, 23)
SPEED = 20_000.0
PEOPLE, PROVIDERS, SEED = 240, 4, 9


@pytest.fixture
def service(monkeypatch):
    """A door that fails now and then, with the service's own rules behind it."""
    monkeypatch.setattr("ecm.simulator.player.LONGEST_PAUSE_SECONDS", 0.3)
    monkeypatch.setattr("ecm.simulator.SETTLING_PAUSE_SECONDS", 0.05)
    fake = FakeService(
        starts_at=datetime(2026, 11, 23, 0, 5, tzinfo=UTC), speed=SPEED, seed=1, troubles=SOME_TROUBLE
    )
    fake.said = None
    fake.pages = lambda: pages(fake)
    return fake


@cache
def the_day():
    return make_day(make_borough(SEED, PEOPLE, PROVIDERS, day=MONDAY), "bad-morning")


def pages(fake):
    """What the service's own rules say of what was kept. Each page of each list is asked for by itself."""
    assert fake.now() > the_day().settled_at, "compared before the last deadline had passed"
    kept = frozenset(fake.kept.items())
    if fake.said is None or fake.said[0] != kept:
        fake.said = kept, said_of(fake)
    return dict(fake.said[1])


def said_of(fake):
    day = the_day()
    bodies = {body["id"]: body for each in day.submissions for body in each.bodies}
    receipts = {each: Receipt(each, "created", datetime.fromisoformat(at)) for each, at in fake.kept.items()}
    back = rules_say(day, Log(receipts=receipts), {each: bodies[each] for each in receipts}, fake.now())
    return {
        "/v1/visits": list(back.visits),
        "/v1/alerts": list(back.alerts),
        "/v1/check-events": list(back.check_events[0]),
    }


async def run(url, told=None, **more):
    return await simulate(
        url,
        "a key",
        people=PEOPLE,
        providers=PROVIDERS,
        seed=SEED,
        scenario="bad-morning",
        progress=told.append if told is not None else lambda _: None,
        **more,
    )


async def test_a_service_that_keeps_its_word_comes_out_clean(service):
    told = []
    async with service.running() as url:
        came_to = await run(url, told, speed=SPEED)
    counts = came_to.as_json()
    assert came_to.differences == ()
    assert came_to.passed
    assert counts["sent"] == counts["acknowledged"] > 250
    assert counts["visits"] > 150
    assert counts["failed_tries"] > 0
    doings = [progress.doing for progress in told]
    assert doings[0] == "waiting for the service"
    assert doings[-1] == "comparing"
    assert "playing the day" in doings


async def test_a_service_that_forgets_a_visits_evidence_does_not(service):
    async with service.running() as url:
        whole = service.pages

        def forgetful():
            said = whole()
            said["/v1/check-events"] = said["/v1/check-events"][1:]
            return said

        service.pages = forgetful
        came_to = await run(url)
    assert came_to.as_json()["missing"] == 1
    assert not came_to.passed


async def test_a_service_that_is_still_at_work_is_given_time(service):
    service.backlogs = [1, 1, 1, 1]
    async with service.running() as url:
        whole = service.pages

        def catching_up():
            said = whole()
            if service.backlogs:
                said["/v1/check-events"] = said["/v1/check-events"][1:]
            return said

        service.pages = catching_up
        came_to = await run(url)
    assert came_to.differences == ()


async def test_another_speed_than_the_services_is_said_before_anything_is_sent(service):
    async with service.running() as url:
        with pytest.raises(ValueError, match="runs at 20000 times, not 60"):
            await run(url, speed=60)
    assert service.imported == {}


async def test_late_at_night_a_demonstration_plays_the_next_day():
    service = FakeService(
        starts_at=datetime(2026, 11, 23, 23, 30, tzinfo=UTC), speed=SPEED, seed=1, troubles=NO_TROUBLE
    )
    async with service.running() as url:
        day = await play_day(url, "a key", people=40, providers=2)
    assert day.borough.day == MONDAY + timedelta(days=1)
    assert len(service.kept) == day.event_count > 0


def test_a_pretty_start_is_shortly_before_the_first_visit():
    for on in (MONDAY, date(2026, 7, 6)):
        first = small_borough(day=on).visits[0].start
        assert timedelta(0) < first - pretty_start(on) <= timedelta(minutes=30)
