"""From the telephone to the visit: what an officer finds of each way to ring, after processing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from ecm.processing.processor import Processor
from ecm.rotating_code import code_at
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.ingest.telephone.conftest import (
    A_STRANGER,
    ASH,
    BETHS_LINE,
    BETHS_MOBILE,
    NOW,
    SECRET,
    Exchange,
    exchange_in,
)


@dataclass
class Office:
    """The telephone, and what the visit says of it once processed."""

    exchange: Exchange
    processor: Processor

    async def visit(self, ref: str) -> tuple[str, list[str]]:
        """Its state, and the findings about the telephone and the place."""
        while await self.processor.step():
            pass
        [row] = await self.exchange.rows("SELECT state, findings FROM visits WHERE ref = $1", ref)
        findings: list[Any] = (
            json.loads(row["findings"]) if isinstance(row["findings"], str) else row["findings"]
        )
        about = [
            f"{each['code']}: {each['detail']}"
            for each in findings
            if each["code"].startswith(("location", "cli", "unplanned", "wrong", "leaver"))
        ]
        return row["state"], about


@pytest.fixture
async def office(database: Addresses) -> AsyncIterator[Office]:
    worker = await Database.connect(database.app, role="ecm_worker", size=2)
    async with exchange_in(database) as exchange:
        yield Office(exchange, Processor(worker, exchange.clock))
    await worker.close()


AT_HOME = ("in_progress", ["location_inside: person's own telephone"])
UNKNOWN = "cli_unknown: caller's number is not one of this person's"


async def test_from_the_persons_own_telephone_she_is_at_the_home(office: Office) -> None:
    await office.exchange.rings(ASH).keys("4711", "1")
    assert await office.visit("V-1") == AT_HOME
    office.exchange.later(minutes=30)
    leaves = office.exchange.rings(ASH)
    assert "You are leaving Mrs A." in await leaves.keys("4711", "2")
    assert (await office.visit("V-1"))[0] == "completed"


async def test_by_an_unanswered_ring_too_and_the_next_ring_is_out(office: Office) -> None:
    await office.exchange.rings(ASH, BETHS_LINE).begin()
    assert await office.visit("V-1") == AT_HOME
    office.exchange.later(minutes=30)
    await office.exchange.rings(ASH, BETHS_LINE).begin()
    assert (await office.visit("V-1"))[0] == "completed"


async def test_a_text_says_nothing_of_the_place_and_is_no_unknown_telephone(office: Office) -> None:
    await office.exchange.texts("IN su-1")
    assert await office.visit("V-1") == ("in_progress", ["location_none: no position sent"])


async def test_a_text_that_names_nobody_goes_where_she_was_due(office: Office) -> None:
    assert "The office will see" in await office.exchange.texts("IN")
    assert (await office.visit("V-1"))[0] == "in_progress"


async def test_a_withheld_number_counts_and_proves_no_place(office: Office) -> None:
    await office.exchange.rings("anonymous").keys("104", "4711", "1", "1", "")
    assert await office.visit("V-1") == ("in_progress", ["location_none: no position sent"])


async def test_a_strangers_telephone_counts_and_is_marked(office: Office) -> None:
    await office.exchange.rings(A_STRANGER).keys("104", "4711", "1", "1", "")
    assert await office.visit("V-1") == ("in_progress", ["location_none: no position sent", UNKNOWN])


async def test_the_code_in_the_home_proves_it_from_any_telephone(office: Office) -> None:
    shown = code_at(SECRET, int(NOW.timestamp()) // 60, 60, 6)
    await office.exchange.rings(BETHS_MOBILE).keys("4711", "1", "1", shown)
    assert await office.visit("V-1") == ("in_progress", ["location_inside: the home's code", UNKNOWN])


@pytest.mark.parametrize("way", ["interview", "unanswered", "text"])
async def test_a_leavers_pin_is_taken_and_the_office_sees_whose_it_was(office: Office, way: str) -> None:
    await office.exchange.rows(
        "UPDATE care_workers SET left_at = $1, left_by = 'Cora' WHERE ref = 'CW-104' RETURNING ref",
        NOW - timedelta(days=1),
    )
    if way == "interview":
        await office.exchange.rings(ASH).keys("4711", "1")
    elif way == "unanswered":
        await office.exchange.rings(ASH, BETHS_LINE).begin()
    else:
        await office.exchange.texts("IN su-1")
    state, about = await office.visit("V-1")
    assert (state, "leaver: " in about) == ("in_progress", True)
    [row] = await office.exchange.rows("SELECT proofs FROM check_events")
    assert "left" in row["proofs"]
