"""A SIP door on this machine with a conductor of the test's own and a voice that hums."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from ecm.clock import ManualClock
from ingest.telephone.sip.door import SipDoor, Where
from ingest.telephone.sip.voice import Voice
from ingest.telephone.turn import Gather, Heard, Interview, Say, State, Turn
from tests.ingest.telephone.caller import Caller

NOW = datetime(2026, 11, 22, 9, 2, tzinfo=UTC)
# Each worker of a test run has ports of its own.
PAIRS = 600
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
FIRST_PORT = 20_000 + 2 * PAIRS * _WORKER
LAST_PORT = FIRST_PORT + 2 * PAIRS - 1
LOOPBACK = [IPv4Network("127.0.0.0/8")]


class Humming(Voice):
    """A fifth of a second for each piece of a prompt, without a program."""

    async def say(self, language: str, words: str) -> bytes:
        return bytes([0x10 + len(words) % 32]) * 1600


def asks(*keys: str, digits: int = 4, timeout_s: int = 60) -> Turn:
    """`timeout_s`: long unless silence is the story, for the machine may be slow and nobody is silent."""
    return Turn(Interview(State.PIN), tuple(map(Say, keys)), Gather(digits, timeout_s=timeout_s))


SAYS_GOODBYE = Turn(Interview(State.OVER), (Say("goodbye"),), hang_up=True)
RANG_OWN = Turn(Interview(State.OVER, rang_own=True), reject=True)
STORY = (asks("ask_pin"), asks("ask_way", digits=1), SAYS_GOODBYE)


@dataclass
class Script:
    """A conductor that reads its turns from a list and writes down what it is told."""

    turns: tuple[Turn, ...] = STORY
    told: dict[str, list[Any]] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    held: asyncio.Event | None = None
    """Until it is set, nothing is answered."""

    async def begin(self, gateway: str, call_id: str, cli: str | None, dialled: str, now: datetime) -> Turn:
        await self._act()
        self.told.setdefault(call_id, []).append((cli, dialled))
        return self._turn(0)

    async def heard(self, gateway: str, call_id: str, step: int, heard: Heard) -> Turn:
        await self._act()
        self.told[call_id].append(heard.digits)
        return self._turn(step + 1)

    async def hung_up(self, gateway: str, call_id: str) -> None:
        self.ends[call_id] = self.ends.get(call_id, 0) + 1

    @property
    def only(self) -> list[Any]:
        [told] = self.told.values()
        return told

    async def is_told(self, how_much: int) -> None:
        """By the only caller, its ringing included."""
        async with asyncio.timeout(30):
            while len(self.told) != 1 or len(self.only) < how_much:
                await asyncio.sleep(0.01)

    async def ended(self, how_many: int = 1) -> None:
        async with asyncio.timeout(30):
            while sum(self.ends.values()) < how_many:
                await asyncio.sleep(0.01)

    def _turn(self, step: int) -> Turn:
        return replace(self.turns[step], step=step)

    async def _act(self) -> None:
        if self.held is not None:
            await self.held.wait()
        if self.trouble:
            raise self.trouble.pop(0)


@asynccontextmanager
async def opened(script: Script, **where: Any) -> AsyncIterator[SipDoor]:
    place = {
        "host": "127.0.0.1",
        "port": 0,
        "advertised": "127.0.0.1",
        "first_port": FIRST_PORT,
        "last_port": LAST_PORT,
        "peers": LOOPBACK,
        "at_once": 400,
    }
    door = SipDoor(
        Where(**{**place, **where}),
        script,
        Humming(Path("nowhere")),
        ManualClock(NOW),
    )
    await door.start()
    try:
        yield door
    finally:
        await door.stop(grace_s=0)


@asynccontextmanager
async def ringing(script: Script, **where: object) -> AsyncIterator[tuple[SipDoor, Caller]]:
    async with opened(script, **where) as door:
        caller = await Caller.at(door.port)
        try:
            yield door, caller
        finally:
            caller.close()


async def settled(door: SipDoor) -> None:
    async with asyncio.timeout(30):
        while door.busy:
            await asyncio.sleep(0.01)
