"""An alarm leaves the house once, or twice if somebody died on the way, and never not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import sender as sender_module
from alerts.channels.message import Message, NotDelivered, Undeliverable
from alerts.sender import BACK_OFF_SECONDS, LEASE_SECONDS, TROUBLE_FROM_ATTEMPT, Sender
from ecm.settings import Settings
from ecm.store.embedded import Addresses
from tests.alerts.gateways import a_mail_server
from tests.alerts.morning import Morning, a_morning, at
from tests.alerts.test_alert_worker import SHORT


class Sink:
    """Keeps what it was sent; raises what it was told to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.tried: list[Message] = []
        self.trouble: Exception | None = None

    async def send(self, message: Message) -> None:
        self.tried.append(message)
        if self.trouble:
            raise self.trouble
        self.sent.append(message)

    def said(self) -> list[tuple[str, str, str]]:
        return [(message.address, message.about, message.kind) for message in self.sent]


def a_sender(morning: Morning, sink: Sink, **channels: Any) -> Sender:
    settings = Settings(public_url="https://ecm.example.org/")
    return Sender(morning.db, morning.clock, settings, {"email": sink, **channels})


async def states(morning: Morning) -> list[tuple[Any, ...]]:
    rows = await morning.owner.fetch(
        "SELECT about, state, attempts, last_error FROM deliveries ORDER BY due_at, delivery_id"
    )
    return [tuple(row) for row in rows]


async def late(morning: Morning) -> None:
    await morning.becomes("V-1", "late", "late 09:15")
    await morning.drain()


async def test_it_is_sent_once_and_says_no_more_than_it_must(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        sink = Sink()
        sender = a_sender(morning, sink)
        assert [await sender.step(), await sender.step()] == [True, False]
        [message] = sink.sent
        assert message.subject == "WARNING: late, visit V-1"
        assert message.text.splitlines()[1:] == [
            "no check-in received by 09:15", "Raised 09:15.", "https://ecm.example.org/visits/1",
        ]  # fmt: skip
        assert "Davies" not in f"{message.subject}{message.text}{message.as_json()}"
        assert await states(morning) == [("raised", "sent", 1, None)]


async def test_what_a_finding_says_of_a_place_stays_in_the_house(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org", "information")
        outside = {
            "code": "location_outside",
            "measure": 400,
            "limit": 100,
            "unit": "m",
            "detail": "(daughter's flat)",
        }
        await morning.becomes("V-1", "in_progress", findings=[outside])
        await morning.drain()
        sink = Sink()
        await a_sender(morning, sink).step()
        assert [(message.subject, message.reason) for message in sink.sent] == [
            ("INFORMATION: location outside, visit V-1", "")
        ]


async def test_the_ladder_climbs_until_somebody_takes_it_on(database: Addresses) -> None:
    async with a_morning(database) as morning:
        for address, after in (("duty@example.org", 0), ("lead@example.org", 10), ("head@example.org", 20)):
            await morning.contact(address, after=after)
        await late(morning)
        sink = Sink()
        sender = a_sender(morning, sink)
        await sender.step()
        morning.clock.at = at("09:24")
        await sender.step()
        assert len(sink.sent) == 1
        morning.clock.at = at("09:25")
        await sender.step()
        assert sink.said()[1:] == [("lead@example.org", "raised", "late")]
        await morning.owner.execute(
            "UPDATE alerts SET state = 'acknowledged', owner = 'Dana', acknowledged_at = now()"
        )
        morning.clock.at = at("09:35")
        await sender.step()
        assert len(sink.sent) == 2
        assert (await states(morning))[2] == ("raised", "skipped", 1, "somebody has taken the alert on")


async def test_an_alert_that_is_over_is_not_sent_and_who_was_told_hears_that_it_is_over(
    database: Addresses,
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.contact("lead@example.org", after=10)
        await late(morning)
        sink = Sink()
        sender = a_sender(morning, sink)
        await sender.step()
        came = await morning.heard_of("09:03", received="09:20")
        await morning.becomes("V-1", "in_progress", "late 09:15", attendances=[came])
        await morning.drain()
        morning.clock.at = at("09:40")
        await sender.step()
        assert sink.said() == [
            ("duty@example.org", "raised", "late"),
            ("duty@example.org", "stood_down", "late"),
        ]
        assert sink.sent[1].text.splitlines()[:2] == [
            "Over: late, visit V-1",
            "check-in 09:03 received 09:20",
        ]


async def test_over_while_it_was_being_sent_still_says_that_it_is_over(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)

        class Slow(Sink):
            async def send(self, message: Message) -> None:
                await super().send(message)
                if message.about == "raised":
                    await morning.becomes("V-1", "in_progress", "late 09:15")
                    await morning.drain()

        sink = Slow()
        sender = a_sender(morning, sink)
        while await sender.step():
            pass
        assert sink.said() == [
            ("duty@example.org", "raised", "late"),
            ("duty@example.org", "stood_down", "late"),
        ]


async def test_who_heard_only_of_late_hears_when_the_missed_that_took_over_is_over(
    database: Addresses,
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.contact("lead@example.org", after=10)
        sink = Sink()
        sender = a_sender(morning, sink)
        for clock, state, crossed in (
            ("09:15", "late", 1), ("09:25", "late", 1), ("10:00", "missed", 2), ("10:05", "in_progress", 2),
        ):  # fmt: skip
            morning.clock.at = at(clock)
            await morning.becomes("V-1", state, *("late 09:15", "missed 10:00")[:crossed])
            await morning.drain()
            while await sender.step():
                pass
        assert sink.said()[:3] == [
            ("duty@example.org", "raised", "late"),
            ("lead@example.org", "raised", "late"),
            ("duty@example.org", "raised", "missed"),
        ]
        assert sorted(sink.said()[3:]) == [
            ("duty@example.org", "stood_down", "missed"), ("lead@example.org", "stood_down", "missed"),
        ]  # fmt: skip


async def test_it_rings_is_over_rings_again_and_is_over_again(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        sink = Sink()
        sender = a_sender(morning, sink)
        for minute, state in enumerate(("missed", "in_progress", "missed", "in_progress")):
            morning.clock.at = at(f"10:0{minute}")
            await morning.becomes("V-1", state, "missed 10:00")
            await morning.drain()
            while await sender.step():
                pass
        assert [message.about for message in sink.sent] == ["raised", "stood_down"] * 2
        assert len({message.id for message in sink.sent}) == 4  # or a receiver would drop the second ringing


async def test_it_is_one_and_the_same_message_however_often_it_is_tried(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        sink = Sink()
        sink.trouble = NotDelivered("taken, but the answer was lost")
        sender = a_sender(morning, sink)
        for _ in range(3):
            assert await sender.step()
            morning.clock.at += timedelta(hours=1)
        assert len({message.id for message in sink.tried}) == 1


async def test_a_restored_backup_sends_nothing_under_an_id_that_was_used_before_it(
    database: Addresses,
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        sink = Sink()
        for _ in range(2):  # the numbers are handed out again
            await late(morning)
            await a_sender(morning, sink).step()
            await morning.owner.execute(
                "DELETE FROM deliveries; DELETE FROM alerts; UPDATE board_heads SET epoch = gen_random_uuid();"
                "ALTER TABLE deliveries ALTER delivery_id RESTART; ALTER TABLE alerts ALTER alert_id RESTART"
            )
        first, second = (message.id for message in sink.sent)
        assert (first.split(".")[1:], first != second) == (second.split(".")[1:], True)


async def test_a_gateway_that_is_away_all_night_is_tried_until_it_takes_the_page(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        sink = Sink()
        sink.trouble = NotDelivered("busy")
        sender = a_sender(morning, sink)
        last = BACK_OFF_SECONDS[-1]
        for attempt, pause in enumerate((*BACK_OFF_SECONDS, *(last for _ in range(36))), 1):  # twelve hours
            assert await sender.step()
            assert await states(morning) == [("raised", "pending", attempt, "busy")]
            failing = await morning.owner.fetchval("SELECT details ->> 'page_failing_at' FROM heartbeats")
            assert (failing is not None) == (attempt >= TROUBLE_FROM_ATTEMPT)
            morning.clock.at += timedelta(seconds=pause - 1)
            assert not await sender.step()
            morning.clock.at += timedelta(seconds=1)
        sink.trouble = None
        assert await sender.step()
        assert sink.said() == [("duty@example.org", "raised", "late")]
        assert await morning.owner.fetchval("SELECT details ->> 'page_failing_at' FROM heartbeats") is None


async def test_tried_too_often_to_be_counted_it_is_tried_still(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        await morning.owner.execute("UPDATE deliveries SET attempts = 32767")
        sink = Sink()
        await a_sender(morning, sink).step()
        assert len(sink.sent) == 1


@pytest.mark.parametrize("why", ["mere information", "somebody has taken it on"])
async def test_what_nobody_need_get_up_for_is_given_up_in_the_end(database: Addresses, why: str) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org", "information")
        if why == "mere information":
            await morning.becomes("V-1", "completed", findings=[SHORT])
            await morning.drain()
        else:
            await late(morning)
        sink = Sink()
        sink.trouble = NotDelivered("busy")
        sender = a_sender(morning, sink)
        for pause in BACK_OFF_SECONDS:
            assert await sender.step()
            morning.clock.at += timedelta(seconds=pause)
        if why != "mere information":
            await morning.owner.execute("UPDATE alerts SET state = 'acknowledged', owner = 'Dana'")
        assert await sender.step()
        assert await states(morning) == [("raised", "failed", len(BACK_OFF_SECONDS) + 1, "busy")]
        assert await morning.owner.fetchval("SELECT details ->> 'delivery_error' FROM heartbeats") == "busy"
        morning.clock.at += timedelta(days=1)
        assert not await sender.step()


async def test_one_refused_or_broken_address_costs_the_others_nothing(database: Addresses) -> None:
    async with a_morning(database) as morning:
        gone, broken = Sink(), Sink()
        gone.trouble, broken.trouble = Undeliverable("no such person"), RuntimeError("a bug")
        for address, channel in (
            ("a", "gone"),
            ("b", "carrier pigeon"),
            ("c", "broken"),
            ("d@example.org", "email"),
        ):
            await morning.contact(address, channel=channel)
        await late(morning)
        sink = Sink()
        await a_sender(morning, sink, gone=gone, broken=broken).step()
        assert sink.said() == [("d@example.org", "raised", "late")]
        found = [(state, error) for _, state, _, error in await states(morning)]
        assert sorted(found, key=str) == [
            ("pending", "RuntimeError"),
            ("pending", "no such person"),
            ("pending", "there is no channel named carrier pigeon"),
            ("sent", None),
        ]


async def test_a_page_that_was_refused_is_trouble_at_once_and_tried_on(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        sink = Sink()
        sink.trouble = Undeliverable("the mail server refuses this address")
        sender = a_sender(morning, sink)
        await sender.step()
        failing = "SELECT details ->> 'page_failing_at' FROM heartbeats"
        assert await morning.owner.fetchval(failing) is not None
        for _ in range(72):  # a day of it
            morning.clock.at += timedelta(seconds=BACK_OFF_SECONDS[-1])
            assert await sender.step()
        sink.trouble = None
        morning.clock.at += timedelta(seconds=BACK_OFF_SECONDS[-1])
        await sender.step()
        assert sink.said() == [("duty@example.org", "raised", "late")]
        assert await morning.owner.fetchval(failing) is None


async def test_mere_information_that_was_refused_is_given_up_at_once(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org", "information")
        await morning.becomes("V-1", "completed", findings=[SHORT])
        await morning.drain()
        sink = Sink()
        sink.trouble = Undeliverable("no such person")
        await a_sender(morning, sink).step()
        assert await states(morning) == [("raised", "failed", 1, "no such person")]


async def test_two_senders_share_the_work(database: Addresses) -> None:
    async with a_morning(database) as morning:
        for number in range(20):
            await morning.contact(f"person{number}@example.org")
        await late(morning)
        sink = Sink()
        await asyncio.gather(*(a_sender(morning, sink).step() for _ in range(3)))
        assert len(sink.sent) == 20
        assert {state for _, state, _, _ in await states(morning)} == {"sent"}


class Killed(BaseException):
    """As a kill: nobody catches it."""


QUERIES = ("claim", "hold_alert", "record", "tell_it_is_over")
STOPS = [
    *(f"before {name}" for name in QUERIES),
    *(f"after {name}" for name in QUERIES[:-1]),
    "before the server is asked",
    "after the server took it",
    "before the end of recording",
]


@pytest.mark.parametrize("stop", STOPS)
async def test_killed_anywhere_between_due_and_taken_it_arrives_once_or_twice(
    database: Addresses, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    async with a_mail_server() as postbox, a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await late(morning)
        settings = Settings(smtp_host="127.0.0.1", smtp_port=postbox.port, smtp_starttls=False)

        with monkeypatch.context() as patched:
            sender = Sender(morning.db, morning.clock, settings)
            dies_at(stop, sender, patched)
            with pytest.raises(Killed):
                await sender.step()

        sender = Sender(morning.db, morning.clock, settings)
        await sender.step()
        await the_lease_ends(morning)
        while await sender.step():
            pass
        assert 1 <= len(postbox.letters) <= 2
        assert len({letter["Message-ID"] for letter in postbox.letters}) == 1
        assert [state for _, state, _, _ in await states(morning)] == ["sent"]


def dies_at(stop: str, sender: Sender, patched: pytest.MonkeyPatch) -> None:
    when, _, where = stop.partition(" ")
    if where in QUERIES:
        patched.setattr(sender_module, "sql", DyingQueries(where, after=when == "after"))
    elif where == "the end of recording":
        real_transaction, opened = sender._db.transaction, []

        class Transaction:
            async def __aenter__(self) -> Any:
                opened.append(self)
                self._real = real_transaction()
                return await self._real.__aenter__()

            async def __aexit__(self, *error: Any) -> Any:
                if len(opened) == 2:  # all is written, nothing is committed
                    await self._real.__aexit__(Killed, Killed(), None)
                    raise Killed
                return await self._real.__aexit__(*error)

        patched.setattr(sender._db, "transaction", Transaction)
    else:
        email = sender._channels["email"]
        real_send = email.send

        async def send(message: Message) -> None:
            if when == "after":
                await real_send(message)
            raise Killed

        patched.setattr(email, "send", send)


class DyingQueries:
    """The real queries until the named one, where the process dies: before it, or at the next one after it."""

    def __init__(self, stop: str, *, after: bool) -> None:
        self._stop, self._after, self._ran = stop, after, False
        self._real = sender_module.sql

    def __getattr__(self, name: str) -> str:
        if self._ran or (name == self._stop and not self._after):
            raise Killed
        self._ran = name == self._stop
        return getattr(self._real, name)


async def the_lease_ends(morning: Morning) -> None:
    """As LEASE_SECONDS of real time would."""
    rows = await morning.owner.fetch("SELECT leased_until FROM deliveries WHERE leased_until IS NOT NULL")
    soon = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
    assert all(row[0] <= soon for row in rows)
    await morning.owner.execute("UPDATE deliveries SET leased_until = now() - interval '1 second'"
                                " WHERE leased_until IS NOT NULL")  # fmt: skip
