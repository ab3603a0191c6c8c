"""From a deadline to a letter, and from a late check-in to the word that it is over, through the real road."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from alerts.sender import Sender
from ecm.overdue import Watcher
from ecm.processing import Processor
from ecm.settings import Settings
from ecm.store.embedded import Addresses
from tests.alerts.gateways import a_mail_server
from tests.alerts.morning import Morning, a_morning, at


async def test_nobody_came_and_then_the_phone_found_signal(database: Addresses) -> None:
    async with a_mail_server() as postbox, a_morning(database) as morning:
        await morning.contact("duty@example.org")
        settings = Settings(smtp_host="127.0.0.1", smtp_port=postbox.port, smtp_starttls=False)
        sender = Sender(morning.db, morning.clock, settings)
        await morning.owner.execute(
            "INSERT INTO processing_queue (tenant_id, visit_id) SELECT tenant_id, visit_id FROM visits"
        )

        for clock in ("09:00", "09:15", "10:00"):
            await pass_time(morning, sender, clock)
        await arrives(morning, "check_in", "09:03", received="10:05")
        await pass_time(morning, sender, "10:05")

        assert [letter["Subject"] for letter in postbox.letters] == [
            "WARNING: late, visit V-1",
            "CRITICAL: missed, visit V-1",
            "Over: missed, visit V-1",
        ]
        assert await morning.told() == [
            ("V-1", "late", "stood_down", "now missed"),
            ("V-1", "missed", "stood_down", "check-in 09:03 received 10:05"),
        ]


async def test_nobody_answered_the_door_and_then_somebody_did(database: Addresses) -> None:
    """An ordinary visit else: nothing about it is late, outside or short."""
    async with a_mail_server() as postbox, a_morning(database) as morning:
        await morning.contact("duty@example.org")
        settings = Settings(smtp_host="127.0.0.1", smtp_port=postbox.port, smtp_starttls=False)
        sender = Sender(morning.db, morning.clock, settings)
        visit = await morning.owner.fetchval("SELECT visit_id FROM visits")
        await arrives(morning, "check_in", "09:02", received="09:02")
        await pass_time(morning, sender, "09:02")
        morning.clock.at = at("09:06")
        await morning.hears_of(visit, "no_reply", at("09:06"))
        await pass_time(morning, sender, "09:06")
        await arrives(morning, "check_out", "09:33", received="09:33")
        await pass_time(morning, sender, "09:33")
        assert [letter["Subject"] for letter in postbox.letters] == [
            "WARNING: no reply, visit V-1",
            "Over: no reply, visit V-1",
        ]
        assert await morning.told() == [("V-1", "no_reply", "stood_down", "care was given after all")]


async def arrives(morning: Morning, kind: str, occurred: str, received: str) -> None:
    await morning.owner.execute(
        "WITH e AS (INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method,"
        " care_worker, visit, body_sha256, body)"
        " VALUES (1, $1, $2, $3, $4, 'app', 'CW-ALICE', 'V-1', '', '') RETURNING event_id)"
        " INSERT INTO processing_queue (tenant_id, event_id) SELECT 1, event_id FROM e",
        uuid4(),
        at(received),
        kind,
        at(occurred),
    )


async def pass_time(morning: Morning, sender: Sender, clock: str) -> None:
    """Until nothing is left to do, a moment after that instant: the watcher waits for receipts on their way."""
    morning.clock.at = at(clock) + timedelta(seconds=0.1)
    steps = (
        Processor(morning.db, morning.clock).step,
        Watcher(morning.db, morning.clock).step,
        morning.alerts.step,
        sender.step,
    )
    while any([await step() for step in steps]):
        pass
