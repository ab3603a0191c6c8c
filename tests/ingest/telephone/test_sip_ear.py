"""What an ear makes of keys, silence and a machine that stands still; told by a clock that leaps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from ingest.telephone.sip.ear import BETWEEN_KEYS_S, TRAILING_S, Ear
from ingest.telephone.turn import Gather
from tests.leaping import Leaping, leaping

PIN, WAY = Gather(4, timeout_s=8), Gather(1, timeout_s=8)
LONG = Gather(10, timeout_s=8)


def told(story: Callable[[Ear], Awaitable[list[str | None]]]) -> list[str | None]:
    async def begins() -> list[str | None]:
        return await story(Ear(lambda: None))

    return leaping(begins())


def pressed(ear: Ear, keys: str) -> None:
    for key in keys:
        ear.press(key)


def loop() -> Leaping:
    return cast(Leaping, asyncio.get_running_loop())


def test_a_short_answer_ends_by_itself_and_silence_is_told() -> None:
    async def story(ear: Ear) -> list[str | None]:
        pressed(ear, "47")
        short, after_s = await ear.gather(LONG), loop().time()
        assert after_s == pytest.approx(BETWEEN_KEYS_S)
        silence = await ear.gather(LONG)
        assert loop().time() - after_s == pytest.approx(LONG.timeout_s)
        return [short, silence]

    assert told(story) == ["47", ""]


@pytest.mark.parametrize("stall_s", [1.0, 5.0, 60.0])
def test_a_key_that_came_while_the_machine_stood_still_came_in_time(stall_s: float) -> None:
    async def story(ear: Ear) -> list[str | None]:
        gathering = asyncio.create_task(ear.gather(PIN))
        await asyncio.sleep(0)
        for number, key in enumerate("4711"):
            if number == 2:
                loop().stalls(stall_s)
                await asyncio.sleep(0.01)  # and only then is read what came meanwhile
            ear.press(key)
            await asyncio.sleep(0.2)
        return [await gathering]

    assert told(story) == ["4711"]


@pytest.mark.parametrize("apart_s", [0.0, 0.3, TRAILING_S - 0.1])
def test_a_hash_upon_a_full_answer_belongs_to_it_however_soon_it_comes(apart_s: float) -> None:
    async def story(ear: Ear) -> list[str | None]:
        async def types() -> None:
            pressed(ear, "4711")
            if apart_s:
                await asyncio.sleep(apart_s)
            pressed(ear, "#2")

        typing = asyncio.create_task(types())
        answers = [await ear.gather(PIN), await ear.gather(WAY)]
        await typing
        return answers

    assert told(story) == ["4711", "2"]


def test_a_hash_that_comes_later_is_an_answer() -> None:
    async def story(ear: Ear) -> list[str | None]:
        pressed(ear, "4711")
        first = await ear.gather(PIN)
        await asyncio.sleep(TRAILING_S + 0.1)
        pressed(ear, "#")
        return [first, await ear.gather(WAY)]

    assert told(story) == ["4711", ""]


def test_who_presses_and_hangs_up_in_one_moment_has_answered() -> None:
    async def story(ear: Ear) -> list[str | None]:
        gathering = asyncio.create_task(ear.gather(WAY))
        await asyncio.sleep(1)
        ear.press("1")
        ear.hang_up()
        return [await gathering, await ear.gather(WAY)]

    assert told(story) == ["1", None]


def test_who_hangs_up_half_way_has_not() -> None:
    async def story(ear: Ear) -> list[str | None]:
        gathering = asyncio.create_task(ear.gather(PIN))
        await asyncio.sleep(1)
        pressed(ear, "47")
        ear.hang_up()
        return [await gathering]

    assert told(story) == [None]
