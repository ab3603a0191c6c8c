"""What cannot wait leaves first, and no gateway that hangs stands in its way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts import sender as sender_module
from alerts.channels.message import Message
from ecm.settings import Settings
from ecm.store.embedded import Addresses
from ecm.worker import Worker
from tests.alerts.morning import a_morning, at
from tests.alerts.test_sender import Sink, a_sender


class Hanging(Sink):
    """Takes a message and never says so."""

    async def send(self, message: Message) -> None:
        await super().send(message)
        await asyncio.Event().wait()


async def test_a_call_for_help_does_not_stand_behind_gateways_that_hang(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "BATCH", 2)
    async with a_morning(database, "V-1", "V-2") as morning:
        for number in range(4):
            await morning.contact(f"https://{number}.example.org", channel="webhook")
        await morning.contact("duty@example.org", "critical")
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        hanging, sink = Hanging(), Sink()
        sender = a_sender(morning, sink, webhook=hanging)
        lanes = [asyncio.create_task(sender.step()) for _ in range(2)]
        async with asyncio.timeout(30):
            while len(hanging.sent) < 4:
                await asyncio.sleep(0.01)
        number = await morning.becomes("V-2", "in_progress")
        await morning.hears_of(number, "sos", at("09:15"))
        await morning.drain()
        lanes.append(asyncio.create_task(sender.urgent_step()))
        async with asyncio.timeout(30):
            while not sink.sent:
                await asyncio.sleep(0.01)
        assert sink.said() == [("duty@example.org", "raised", "sos")]
        for lane in lanes:
            lane.cancel()
        await asyncio.wait(lanes)


async def test_the_lane_kept_free_takes_only_what_is_critical_and_was_not_tried(database: Addresses) -> None:
    async with a_morning(database, "V-1", "V-2", "V-3") as morning:
        await morning.contact("duty@example.org")
        for ref, state in (("V-1", "late"), ("V-2", "missed"), ("V-3", "missed")):
            await morning.becomes(ref, state, f"{state} 09:15")
        await morning.drain()
        await morning.owner.execute(
            "UPDATE deliveries d SET attempts = 1 FROM alerts a JOIN visits v USING (tenant_id, visit_id)"
            " WHERE a.alert_id = d.alert_id AND v.ref = 'V-2'"
        )
        sink = Sink()
        sender = a_sender(morning, sink)
        assert [await sender.urgent_step(), await sender.urgent_step()] == [True, False]
        assert [message.visit_ref for message in sink.sent] == ["V-3"]


async def test_fresh_before_tried_and_critical_before_the_rest(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "BATCH", 1)
    async with a_morning(database, "V-1", "V-2", "V-3") as morning:
        await morning.contact("duty@example.org")
        for ref, state in (("V-1", "missed"), ("V-2", "late"), ("V-3", "missed")):
            await morning.becomes(ref, state, f"{state} 09:15")
            await morning.drain()
        await morning.owner.execute(
            "UPDATE deliveries d SET attempts = 1, due_at = due_at - interval '1 minute'"
            " FROM alerts a JOIN visits v USING (tenant_id, visit_id)"
            " WHERE a.alert_id = d.alert_id AND v.ref = 'V-1'"
        )
        sink = Sink()
        sender = a_sender(morning, sink)
        while await sender.step():
            pass
        assert [message.visit_ref for message in sink.sent] == ["V-3", "V-2", "V-1"]


async def test_a_worker_keeps_a_lane_free(
    database: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with a_morning(database) as morning:
        worker = Worker(morning.db, morning.clock, Settings(data_dir=tmp_path))
        kept_free = asyncio.Event()

        async def hangs() -> bool:
            return await asyncio.Event().wait()

        async def urgent() -> bool:
            kept_free.set()
            return False

        monkeypatch.setattr(worker._sender, "step", hangs)
        monkeypatch.setattr(worker._sender, "urgent_step", urgent)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(30):
            await kept_free.wait()
        running.cancel()
        await asyncio.wait({running})
