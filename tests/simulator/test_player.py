"""The player against a door that fails in every way: each event gets exactly one receipt, under one body."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import httpx
import pytest

from ecm.simulator import ImportRefusedError, columns, make_day, small_borough
from ecm.simulator.player import IN_FLIGHT_MAX, Player
from ecm.simulator.service_clock import ServiceClock
from tests.simulator.fake_service import NO_TROUBLE, TROUBLES, FakeService

MONDAY = date(2026, 11, 23)
SPEED = 30_000.0  # a day in two seconds


@pytest.fixture(scope="module")
def day():
    return make_day(small_borough(5, day=MONDAY, people=80), "rural-offline")


@pytest.fixture(autouse=True)
def hurried_phones(monkeypatch):
    monkeypatch.setattr("ecm.simulator.player.LONGEST_PAUSE_SECONDS", 0.3)


def fake(day, *, seed, troubles=TROUBLES, early=timedelta(minutes=30)) -> FakeService:
    starts_at = day.submissions[0].send_at - early
    return FakeService(starts_at=starts_at, speed=SPEED, seed=seed, troubles=troubles)


async def played(day, url):
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        clock = ServiceClock(client)
        await clock.start(patience_seconds=10)
        player = Player(client, clock, seed=1)
        await player.play(day.submissions)
        return player.log


def assert_each_once(day, log, service):
    everything = {body["id"] for submission in day.submissions for body in submission.bodies}
    assert set(log.receipts) == set(service.kept) == everything
    assert {event_id for event_id, bodies in service.bodies.items() if len(bodies) > 1} == set()
    assert log.refusals == {}
    assert log.sent == len(everything)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_event_is_acknowledged_once_whatever_the_door_does(day, seed):
    service = fake(day, seed=seed)
    async with service.running() as url:
        log = await played(day, url)
    assert_each_once(day, log, service)
    assert min(service.met.values()) > 0
    assert log.failed_tries > 0
    assert max(service.batches) > 1
    assert service.busiest <= IN_FLIGHT_MAX


async def test_a_reply_lost_after_the_commit_is_a_receipt_all_the_same(day):
    service = fake(day, seed=4)
    async with service.running() as url:
        log = await played(day, url)
    assert any(len(said) > 1 for said in service.wall_clocks.values()), "a phone tells its time at each try"
    assert "exists" in {receipt.status for receipt in log.receipts.values()}
    assert {each.event_id: each.received_at.isoformat() for each in log.receipts.values()} == service.kept


async def test_the_service_goes_away_twice_and_comes_back(day):
    service = fake(day, seed=6, troubles=NO_TROUBLE)
    events = sum(len(each.bodies) for each in day.submissions)

    async def until_kept(share):
        async with asyncio.timeout(30):
            while len(service.kept) < share * events:
                await asyncio.sleep(0.005)

    async with service.running() as url:
        playing = asyncio.create_task(played(day, url))
        await until_kept(0.2)
    for share in (0.4, 0.6):
        kept_before = len(service.kept)
        assert not playing.done()
        await asyncio.sleep(0.5)
        assert len(service.kept) == kept_before
        async with service.running():
            await until_kept(share)
    async with service.running():
        log = await playing
    assert_each_once(day, log, service)
    assert log.failed_tries > 0


async def test_nothing_is_sent_before_its_time(day):
    service = fake(day, seed=7, troubles=NO_TROUBLE)
    async with service.running() as url:
        log = await played(day, url)
    due = {body["id"]: each.send_at for each in day.submissions for body in each.bodies}
    rounding = timedelta(microseconds=2 * SPEED)
    early = [each for each in log.receipts.values() if each.received_at < due[each.event_id] - rounding]
    assert early == []


async def test_the_borough_comes_in_through_the_import_door_in_order(day):
    service = fake(day, seed=8, troubles=NO_TROUBLE)
    async with service.running() as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        await Player(client, ServiceClock(client), seed=1).bring_borough(day.borough)
    assert list(service.imported) == list(columns.KINDS)
    for kind, rows in service.imported.items():
        assert rows == day.borough.to_rows(kind)


async def test_an_import_that_is_refused_is_said_so():
    async def refuses(request):
        return httpx.Response(
            422, json={"rejected": 1, "rejections": [{"row": 1, "reason": "no such provider"}]}
        )

    async with httpx.AsyncClient(base_url="http://refuses", transport=httpx.MockTransport(refuses)) as client:
        with pytest.raises(ImportRefusedError, match="no such provider"):
            await Player(client, ServiceClock(client), seed=1).bring_borough(small_borough(day=MONDAY))
