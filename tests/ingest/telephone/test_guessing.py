"""Mallory guesses PINs: ten thousand times from a thousand numbers, all at once, and from the homes themselves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ingest.telephone.turn import Input
from tests.ingest.telephone.conftest import (
    A_STRANGER,
    ASH,
    BETHS_MOBILE,
    BIRCH,
    NOW,
    Exchange,
)

FIVE = 5
OVER_IN_A_QUARTER = "UPDATE pin_tries SET tried_at = tried_at - interval '16 min'"


async def tries_at(exchange: Exchange, worker: str | None) -> int:
    [row] = await exchange.rows(
        "SELECT count(*) AS n FROM pin_tries WHERE care_worker_ref IS NOT DISTINCT FROM $1", worker
    )
    return int(row["n"])


async def gets_in(exchange: Exchange, cli: str, *keys: str) -> bool:
    return "check in, press 1" in await exchange.rings(cli).keys(*keys)


async def test_ten_thousand_guesses_from_a_thousand_numbers_are_five(exchange: Exchange) -> None:
    """All at Beth, named by her number; each number tries ten PINs. The right one is among the later ones."""
    whose = exchange.conductor.pins.whose
    numbers = [f"+44{2079460000 + n}" for n in range(1000)]
    answers = []
    for n in range(10):
        guesses = [(cli, f"{(4715 + 1000 * n + k) % 10_000:04}") for k, cli in enumerate(numbers)]
        answers += await asyncio.gather(
            *(whose(1, cli, pin, (), ["CW-104"], NOW, named=True) for cli, pin in guesses)
        )
    assert len(answers) == 10_000
    assert {found for found, _ in answers} == {Input.PIN_WRONG, Input.TOO_MANY}
    assert [found for found, _ in answers].count(Input.PIN_WRONG) == FIVE
    assert await tries_at(exchange, "CW-104") == FIVE

    assert await gets_in(exchange, ASH, "4711"), "she is known at the doors she is due at"
    assert await gets_in(exchange, BETHS_MOBILE, "4711"), "and by her own mobile"
    assert await gets_in(exchange, BIRCH, "5822"), "and nobody else of her provider noticed"
    assert await gets_in(exchange, A_STRANGER, "106", "6933")
    assert await gets_in(exchange, A_STRANGER, "207", "7044")
    assert not await gets_in(exchange, A_STRANGER, "104", "4711")
    await exchange.run(OVER_IN_A_QUARTER)
    assert await gets_in(exchange, A_STRANGER, "104", "4711"), (
        "a quarter of an hour later she is known anywhere"
    )


async def test_at_every_worker_of_a_provider_it_is_five_each(exchange: Exchange) -> None:
    workers = ["CW-104", "CW-105", "CW-106"]
    whose = exchange.conductor.pins.whose
    for n in range(60):
        await whose(1, f"+44{2079460000 + n}", "0000", (), [workers[n % 3]], NOW, named=True)
    assert [await tries_at(exchange, worker) for worker in workers] == [FIVE] * 3
    for cli, pin in ((ASH, "4711"), (BIRCH, "5822")):
        assert await gets_in(exchange, cli, pin)


async def test_one_number_cannot_go_through_the_workers_one_by_one(exchange: Exchange) -> None:
    whose = exchange.conductor.pins.whose
    found = [
        (await whose(1, A_STRANGER, "0000", (), [worker], NOW, named=True))[0]
        for worker in ["CW-104", "CW-105", "CW-106", "CW-207"] * 2
    ]
    assert found == [Input.PIN_WRONG] * FIVE + [Input.TOO_MANY] * 3


@pytest.mark.parametrize("named", [True, False])
async def test_a_thousand_at_the_same_moment_are_five(exchange: Exchange, named: bool) -> None:
    """Nobody slips through between the count and the try."""
    whose = exchange.conductor.pins.whose
    found = await asyncio.gather(
        *(whose(1, ASH, "0000", ["SU-1"], ["CW-104"] if named else [], NOW, named=named) for _ in range(300))
    )
    assert [each for each, _ in found].count(Input.PIN_WRONG) == FIVE


async def test_from_the_homes_of_a_provider_each_home_has_five_and_its_workers_another_way(
    exchange: Exchange,
) -> None:
    for cli in (ASH, BIRCH):
        for _ in range(4):
            await exchange.rings(cli).keys("0000", "0001", "0002")
    assert await tries_at(exchange, None) == 2 * FIVE
    for cli, number, pin in ((ASH, "104", "4711"), (BIRCH, "105", "5822")):
        worker = exchange.rings(cli)
        assert "staff number" in await worker.keys(pin), "even the right PIN: it would be one more guess"
        await worker.key(number)
        assert "check in, press 1" in await worker.key(pin)


async def test_through_the_front_door_the_sixth_guess_is_told_to_wait(exchange: Exchange) -> None:
    said = [await exchange.rings(f"+44{2079460000 + n}").keys("104", f"{n:04}") for n in range(6)]
    assert ["not known here" in each for each in said] == [True] * 5 + [False]
    assert "quarter of an hour" in said[5]
    assert await exchange.events() == []


async def test_withheld_numbers_do_not_use_up_each_others_tries(exchange: Exchange) -> None:
    for _ in range(FIVE):
        await exchange.rings("anonymous").keys("105", "0000")
    assert not await gets_in(exchange, "anonymous", "105", "5822")
    assert await gets_in(exchange, "anonymous", "104", "4711")


async def test_two_of_one_number_and_one_pin_are_asked_for_their_mobile(exchange: Exchange) -> None:
    """Birch's worker 104 chose Beth's PIN: neither is told that it is wrong, and neither is shut out by it."""
    await exchange.run(
        "INSERT INTO care_workers (tenant_id, ref, name, provider_ref, pin_hash)"
        " SELECT 1, 'B/104', 'Bea', 'P2', pin_hash FROM care_workers WHERE ref = 'CW-104'"
    )
    beth = exchange.rings(A_STRANGER)
    assert "number of your own mobile" in await beth.keys("104", "4711")
    await beth.key("07700900104")
    assert "check in, press 1" in await beth.key("4711")
    assert await exchange.rows("SELECT * FROM pin_tries") == []


async def test_a_right_pin_is_no_try(exchange: Exchange) -> None:
    for _ in range(7):
        assert await gets_in(exchange, ASH, "4711")
    assert await exchange.rows("SELECT * FROM pin_tries") == []


async def test_tries_are_counted_in_real_time(exchange: Exchange) -> None:
    """A demonstration's clock that runs sixty times as fast must not give sixty times as many."""
    await exchange.rings(ASH).keys("0000")
    [row] = await exchange.rows("SELECT tried_at FROM pin_tries")
    assert abs((datetime.now(UTC) - row["tried_at"]).total_seconds()) < 60
