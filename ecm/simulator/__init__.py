"""A borough's day played against a running service through its real doors, then compared with what happened.

Independent of the service on purpose: nothing here imports its rules. The road, in the order of the files:

    values, names, streets, phones, borough, rounds, columns   who there is and what is planned
    rates, journeys, noise, recording, day                     what happens, and what is sent about it
    service_clock, player                                      sending it, until there is a receipt
    truth, reading, compare, report                            what must have come of it, and what did
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ecm.simulator.borough import Borough, make_borough, small_borough
from ecm.simulator.compare import Difference, compare
from ecm.simulator.day import Day, make_day
from ecm.simulator.player import ImportRefusedError, Log, Player
from ecm.simulator.rates import SCENARIOS
from ecm.simulator.reading import NotReadableError, evidence_waits, read_back
from ecm.simulator.report import Report, report
from ecm.simulator.service_clock import ServiceClock
from ecm.simulator.truth import LATE_SYNC_GRACE
from ecm.simulator.values import ZONE, local_instant

__all__ = [
    "SCENARIOS",
    "Borough",
    "Day",
    "ImportRefusedError",
    "NotReadableError",
    "Progress",
    "Report",
    "make_borough",
    "make_day",
    "play_day",
    "pretty_start",
    "simulate",
    "small_borough",
]

PATIENCE_SECONDS = 120.0
BREATH = timedelta(
    minutes=2
)  # visits beginning sooner than this are left out: they could not be imported in time
SETTLING_TRIES_MAX = 60
SETTLING_PAUSE_SECONDS = 2.0
PROGRESS_SECONDS = 1.0
PRETTY_START_MINUTE = 6 * 60 + 50  # local: the board is still quiet, and the first knock is ten minutes off


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for a terminal. `now` is the service's clock."""

    doing: str
    now: datetime | None = None
    events: int = 0
    sent: int = 0
    acknowledged: int = 0
    failed_tries: int = 0
    trouble: str = ""


Told = Callable[[Progress], None]


async def simulate(
    url: str,
    key: str,
    *,
    people: int = 2500,
    providers: int = 25,
    speed: float | None = None,
    seed: int = 1,
    scenario: str = "normal",
    progress: Told = lambda _: None,
) -> Report:
    """Plays a day of a made-up borough against the service at `url` and compares what it made of it.

    The day and the pace are the service's own; `speed`, if given, must be its speed (ValueError otherwise).
    Raises TimeoutError when no service answers, ImportRefusedError and NotReadableError when it does not serve us.
    """
    async with _service(url, key) as client:
        clock, day, player = await _played(client, speed, seed, scenario, people, providers, progress)
        await _until_settled(clock, day, player.log, progress)
        differences = await _settled_differences(client, clock, day, player.log, progress)
        return report(day, player.log, differences)


async def play_day(
    url: str,
    key: str,
    *,
    people: int = 300,
    providers: int = 6,
    seed: int = 1,
    scenario: str = "normal",
    progress: Told = lambda _: None,
) -> Day:
    """The same without the comparison, for a demonstration: returns once the last event has its receipt.

    Played again it goes on with the rest of the day, or with the next day if no visit is left to begin.
    """
    async with _service(url, key) as client:
        _, day, _ = await _played(client, None, seed, scenario, people, providers, progress)
        return day


def pretty_start(day: date) -> datetime:
    """A good instant to let a demonstration begin: ten minutes before the morning's first visits."""
    return local_instant(day, PRETTY_START_MINUTE)


@asynccontextmanager
async def _service(url: str, key: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, trust_env=False) as client:
        yield client


async def _played(
    client: httpx.AsyncClient,
    speed: float | None,
    seed: int,
    scenario: str,
    people: int,
    providers: int,
    progress: Told,
) -> tuple[ServiceClock, Day, Player]:
    progress(Progress("waiting for the service"))
    clock = ServiceClock(client)
    now = await clock.start(patience_seconds=PATIENCE_SECONDS)
    if speed is not None and abs(speed - clock.speed) > 0.01 * clock.speed:
        raise ValueError(f"the service's clock runs at {clock.speed:g} times, not {speed:g}")
    borough = _what_is_left(now, seed, people, providers)
    player = Player(client, clock, seed=seed)
    await player.bring_borough(borough, lambda doing: progress(Progress(doing, clock.now())))
    day = make_day(borough.starting_after(clock.now()), scenario)
    beside = [
        asyncio.create_task(clock.keep_in_step()),
        asyncio.create_task(_keep_telling(clock, day, player.log, progress)),
    ]
    try:
        await player.play(day.submissions)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    await clock.check()
    return clock, day, player


def _what_is_left(now: datetime, seed: int, people: int, providers: int) -> Borough:
    """Today's visits that have yet to begin; when there are none, tomorrow's."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    borough = make_borough(seed, people, providers, day=today).starting_after(now + BREATH)
    return borough if borough.visits else make_borough(seed, people, providers, day=today + timedelta(days=1))


async def _keep_telling(clock: ServiceClock, day: Day, log: Log, progress: Told) -> None:
    while True:
        progress(_standing("playing the day", clock, day, log))
        await asyncio.sleep(PROGRESS_SECONDS)


async def _until_settled(clock: ServiceClock, day: Day, log: Log, progress: Told) -> None:
    """Waits until the service's clock has passed the last deadline, that of the latest news included."""
    latest_news = max((receipt.received_at for receipt in log.receipts.values()), default=day.settled_at)
    until = max(day.settled_at, latest_news + LATE_SYNC_GRACE) + timedelta(seconds=clock.speed)
    while clock.now() < until:
        progress(_standing(f"waiting for {until:%H:%M} UTC", clock, day, log))
        await clock.sleep_until(min(until, clock.now() + timedelta(seconds=PROGRESS_SECONDS * clock.speed)))
        await clock.check()


async def _settled_differences(
    client: httpx.AsyncClient, clock: ServiceClock, day: Day, log: Log, progress: Told
) -> list[Difference]:
    """Compares; while there are differences, gives the service time to finish what it has in hand."""
    received_on = {
        receipt.received_at.astimezone(zone).date() for receipt in log.receipts.values() for zone in _ZONES
    }
    differences: list[Difference] = []
    for _ in range(SETTLING_TRIES_MAX):
        progress(_standing("comparing", clock, day, log))
        at_work = await evidence_waits(client)
        back = await read_back(client, day.borough.day, received_on)
        before, differences = differences, compare(day, log, back, speed=clock.speed)
        if not differences or (differences == before and not at_work):
            break
        await asyncio.sleep(SETTLING_PAUSE_SECONDS)
    return differences


_ZONES = (UTC, ZoneInfo(ZONE))


def _standing(doing: str, clock: ServiceClock, day: Day, log: Log) -> Progress:
    return Progress(
        doing, clock.now(), day.event_count, log.sent, len(log.receipts), log.failed_tries, log.last_trouble
    )
