"""Dana takes an alert on and gives it back: whoever was left out meanwhile is told then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.sender import Sender
from ecm.store.embedded import Addresses
from tests.alerts.morning import Morning, a_morning, at
from tests.alerts.test_sender import Sink, a_sender, late, states


async def dana_has_it(morning: Morning, has: bool) -> None:
    """Takes it on, or gives it back, as the desk's door does."""
    await morning.owner.execute(
        "UPDATE alerts SET state = $1, owner = $2", *(("acknowledged", "Dana") if has else ("open", None))
    )
    if not has:
        await morning.queue(1)


async def missed_and_taken_on_past_every_rung(morning: Morning, sender: Sender) -> None:
    for address, after in (("duty@example.org", 0), ("lead@example.org", 10), ("head@example.org", 20)):
        await morning.contact(address, after=after)
    await morning.becomes("V-1", "missed", "missed 10:00")
    await morning.drain()
    await sender.step()
    await dana_has_it(morning, True)
    morning.clock.at += timedelta(minutes=25)
    await sender.step()
    assert [state for _, state, *_ in await states(morning)] == ["sent", "skipped", "skipped"]


async def test_the_rungs_left_out_while_dana_had_it_are_climbed_when_she_gives_it_back(
    database: Addresses,
) -> None:
    async with a_morning(database) as morning:
        sink = Sink()
        sender = a_sender(morning, sink)
        await missed_and_taken_on_past_every_rung(morning, sender)
        await morning.queue(1)
        await morning.drain()
        assert not await sender.step()  # she has it still
        await dana_has_it(morning, False)
        await morning.drain()
        await sender.step()
        assert sorted(sink.said()) == [
            (f"{who}@example.org", "raised", "missed") for who in ("duty", "head", "lead")
        ]
        await morning.queue(1)
        await morning.drain()
        assert not await sender.step()


async def test_what_dana_gives_back_a_week_later_wakes_nobody(database: Addresses) -> None:
    async with a_morning(database) as morning:
        sender = a_sender(morning, Sink())
        await missed_and_taken_on_past_every_rung(morning, sender)
        morning.clock.at += timedelta(days=7)
        await dana_has_it(morning, False)
        await morning.drain()
        assert not await sender.step()


async def test_given_back_while_its_next_rung_was_being_left_out_it_is_climbed(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("lead@example.org", after=10)
        await late(morning)
        await dana_has_it(morning, True)
        morning.clock.at = at("09:25")
        sink = Sink()
        sender = a_sender(morning, sink)
        record = sender._record

        async def after_she_gave_it_back(*said: Any) -> None:
            await dana_has_it(morning, False)
            await morning.drain()
            await record(*said)

        with monkeypatch.context() as patched:
            patched.setattr(sender, "_record", after_she_gave_it_back)
            await sender.step()
        await sender.step()
        assert sink.said() == [("lead@example.org", "raised", "late")]
