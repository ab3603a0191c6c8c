"""Visits become late and missed, and whoever should know is told: once, whatever happens to the worker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import worker as worker_module
from alerts.worker import AlertWorker
from ecm.store.embedded import Addresses
from tests.alerts.morning import Morning, a_morning, at

SHORT = {"code": "short", "measure": 17, "limit": 30, "unit": "min", "detail": "30 min"}


async def test_late_then_missed_then_the_phone_found_signal(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        assert await morning.told() == [("V-1", "late", "open", None)]

        morning.clock.at = at("10:00")
        await morning.becomes("V-1", "missed", "late 09:15", "missed 10:00")
        await morning.drain()
        assert await morning.told() == [
            ("V-1", "late", "stood_down", "now missed"),
            ("V-1", "missed", "open", None),
        ]

        came = await morning.heard_of("09:03", received="10:05")
        await morning.becomes("V-1", "in_progress", "late 09:15", "missed 10:00", attendances=[came])
        await morning.drain()
        assert (await morning.told())[1] == ("V-1", "missed", "stood_down", "check-in 09:03 received 10:05")


async def test_the_reason_and_the_ladder_are_frozen_when_it_rings(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.contact("lead@example.org", "critical", after=10)
        await morning.contact("willow@example.org", "information", after=5, provider="P-01")
        await morning.contact("beacon@example.org", "information", provider="P-02")
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        await morning.owner.execute("DELETE FROM alert_contacts")
        row = await morning.owner.fetchrow("SELECT * FROM alerts")
        assert (row["reason"], row["severity"], row["raised_at"]) == (
            "no check-in received by 09:15", "warning", at("09:15"),
        )  # fmt: skip
        assert [(step["address"], step["after_minutes"]) for step in row["ladder"]] == [
            ("duty@example.org", 0), ("willow@example.org", 5),
        ]  # fmt: skip
        assert await morning.deliveries() == [
            ("late", "raised", "duty@example.org", "09:15", "pending"),
            ("late", "raised", "willow@example.org", "09:20", "pending"),
        ]


async def test_history_goes_on_record_and_wakes_nobody(database: Addresses) -> None:
    """Last week's visits are imported; and an officer rejects one of last week's check-ins."""
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org", "information")
        morning.clock.at = at("10:00") + timedelta(hours=24)
        await morning.becomes("V-1", "missed", "missed 10:00")
        await morning.drain()
        assert len(await morning.deliveries()) == 1  # to the minute a day ago: it is told still

        morning.clock.at += timedelta(minutes=1)
        await morning.owner.execute("DELETE FROM deliveries; DELETE FROM alerts")
        for state in ("missed", "in_progress", "missed"):
            await morning.becomes("V-1", state, "missed 10:00", findings=[SHORT])
            await morning.drain()
        assert await morning.told() == [("V-1", "short", "open", None), ("V-1", "missed", "open", None)]
        assert await morning.deliveries() == []
        assert {row["ladder"] for row in await morning.owner.fetch("SELECT ladder::text FROM alerts")} == {
            "[]"
        }


async def test_an_alert_of_last_week_that_was_told_of_comes_back_in_silence(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.becomes("V-1", "missed", "missed 10:00")
        await morning.drain()
        await morning.becomes("V-1", "in_progress", "missed 10:00")
        await morning.drain()
        await morning.owner.execute("UPDATE deliveries SET state = 'skipped'")
        morning.clock.at += timedelta(days=7)
        await morning.becomes("V-1", "missed", "missed 10:00")
        await morning.drain()
        assert await morning.told() == [("V-1", "missed", "open", None)]
        assert {state for *_, state in await morning.deliveries()} == {"skipped"}


async def test_who_was_told_that_it_rang_is_told_that_it_is_over(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("told@example.org")
        await morning.contact("maybe@example.org")
        await morning.contact("later@example.org", after=30)
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        await morning.owner.execute("""
            UPDATE deliveries SET state = 'sent', attempts = 1, sent_at = now() WHERE address LIKE 'told%';
            UPDATE deliveries SET attempts = 1 WHERE address LIKE 'maybe%'
        """)
        await morning.becomes("V-1", "in_progress", "late 09:15")
        await morning.drain()
        over = [(row[2], row[4]) for row in await morning.deliveries() if row[1] == "stood_down"]
        assert sorted(over) == [("maybe@example.org", "pending"), ("told@example.org", "pending")]


async def test_a_rejected_check_in_rings_again(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.becomes("V-1", "missed", "missed 10:00")
        await morning.drain()
        await morning.owner.execute("UPDATE deliveries SET state = 'sent', attempts = 1, sent_at = now()")
        await morning.becomes("V-1", "in_progress", "missed 10:00")
        await morning.drain()
        await morning.becomes("V-1", "missed", "missed 10:00")
        await morning.drain()
        assert await morning.told() == [("V-1", "missed", "open", None)]
        assert [(about, state) for _, about, _, _, state in await morning.deliveries()] == [
            ("raised", "pending"), ("stood_down", "pending"),
        ]  # fmt: skip


async def test_an_acknowledged_alert_keeps_its_owner_when_it_is_over(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        await morning.owner.execute(
            "UPDATE alerts SET state = 'acknowledged', owner = 'Dana', acknowledged_at = now()"
        )
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        assert await morning.told() == [("V-1", "late", "acknowledged", None)]
        await morning.becomes("V-1", "in_progress", "late 09:15")
        await morning.drain()
        assert await morning.owner.fetchval("SELECT owner FROM alerts WHERE state = 'stood_down'") == "Dana"


async def test_every_change_of_an_alert_takes_the_boards_next_place(database: Addresses) -> None:
    async with a_morning(database, "V-1", "V-2", "V-3") as morning:
        for ref in ("V-1", "V-2", "V-3"):
            await morning.becomes(ref, "late", "late 09:15")
        await morning.drain()
        assert await morning.owner.fetch("SELECT position FROM alerts ORDER BY 1") == [(1,), (2,), (3,)]
        await morning.becomes("V-1", "missed", "late 09:15", "missed 10:00")
        await morning.becomes("V-2", "in_progress", "late 09:15")
        await morning.drain()
        positions = [row[0] for row in await morning.owner.fetch("SELECT position FROM alerts ORDER BY 1")]
        assert positions == [3, 4, 5, 6]
        assert await morning.owner.fetchval("SELECT position FROM board_heads") == 6


async def test_the_board_and_the_sender_are_notified(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        heard: list[tuple[str, str]] = []
        for channel in ("ecm_board", "ecm_deliveries"):
            await morning.owner.add_listener(channel, lambda *said: heard.append((said[2], said[3])))
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        await morning.owner.execute("SELECT 1")
        assert sorted(heard) == [("ecm_board", "1"), ("ecm_deliveries", "")]


async def test_a_poison_visit_is_put_off_and_stops_nobody_else(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StandsStill(datetime):
        """Time itself: what is put off stays so, however slow this machine is."""

        @classmethod
        def now(cls, _: object = None) -> datetime:
            return at("09:15")

    monkeypatch.setattr(worker_module, "datetime", StandsStill)
    async with a_morning(database, "V-1", "V-bad", "V-worse") as morning:
        bad = {"code": "no_such_code", "detail": ""}
        await morning.becomes("V-bad", "late", "late 09:15", findings=[bad])
        torn = await morning.heard_of("09:20", "09:20") | {"check_in_event": "torn"}  # the server refuses it
        await morning.becomes("V-worse", "late", "late 09:15", attendances=[torn])
        await morning.becomes("V-1", "late", "late 09:15")
        await asyncio.wait_for(morning.drain(), 60)
        assert await morning.told() == [("V-1", "late", "open", None)]
        waiting = await morning.owner.fetch(
            "SELECT ref, tries, last_error, available_at > $1"
            " FROM alert_queue JOIN visits USING (visit_id) ORDER BY ref",
            at("09:15"),
        )
        assert [tuple(row) for row in waiting] == [
            ("V-bad", 1, "ValueError", True),
            ("V-worse", 1, "InvalidTextRepresentationError", True),
        ]


async def test_two_workers_raise_one_alert_each(database: Addresses) -> None:
    refs = tuple(f"V-{number}" for number in range(30))
    async with a_morning(database, *refs) as morning:
        for ref in refs:
            visit = await morning.becomes(ref, "missed", "late 09:15", "missed 10:00")
            await morning.queue(visit)
        workers = [AlertWorker(morning.db, morning.clock, batch=7) for _ in range(3)]

        async def drain(one: AlertWorker) -> None:
            while await one.step():
                pass

        await asyncio.gather(*map(drain, workers))
        assert await morning.owner.fetchval("SELECT count(*) FROM alerts") == 60
        assert await morning.owner.fetchval("SELECT count(*) FROM alerts WHERE state = 'open'") == 30
        assert await morning.owner.fetchval("SELECT count(*) FROM alert_queue") == 0


STOPS = ("claim", "take_turns", "visits", "known_alerts", "contacts", "write")


class Killed(BaseException):
    """As a kill: nobody catches it."""


@pytest.mark.parametrize(
    ("when", "stop"), [("before", s) for s in STOPS] + [("after", s) for s in STOPS[:-1]]
)
async def test_killed_at_any_point_it_rings_exactly_once(
    database: Addresses, monkeypatch: pytest.MonkeyPatch, when: str, stop: str
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.becomes("V-1", "late", "late 09:15")
        with monkeypatch.context() as patched:
            patched.setattr(worker_module, "sql", KilledAt(stop, after=when == "after"))
            with pytest.raises(Killed):
                await morning.alerts.step()
        assert await morning.told() == []
        await morning.drain()
        assert await morning.told() == [("V-1", "late", "open", None)]
        assert await morning.deliveries() == [("late", "raised", "duty@example.org", "09:15", "pending")]


class KilledAt:
    """The real queries, until the named one: there the worker dies, before it or once it has run."""

    def __init__(self, stop: str, *, after: bool) -> None:
        self._stop, self._after, self._ran = stop, after, False
        self._real = worker_module.sql

    def __getattr__(self, name: str) -> str:
        if self._ran or (name == self._stop and not self._after):
            raise Killed
        self._ran = name == self._stop
        return getattr(self._real, name)


async def test_the_server_cuts_the_worker_off_before_it_commits(
    database: Addresses, monkeypatch: Any
) -> None:
    async with a_morning(database) as morning:
        await morning.becomes("V-1", "late", "late 09:15")
        await cut_off_once(morning, monkeypatch)
        assert await morning.told() == []
        await morning.drain()
        assert await morning.told() == [("V-1", "late", "open", None)]


async def cut_off_once(morning: Morning, monkeypatch: Any) -> None:
    real = worker_module._decide_and_write

    async def then_cut_off(connection: Any, *args: Any) -> None:
        await real(connection, *args)
        await morning.owner.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())

    with monkeypatch.context() as patched:
        patched.setattr(worker_module, "_decide_and_write", then_cut_off)
        with pytest.raises(Exception, match="database is away"):
            await morning.alerts.step()


async def test_a_quiet_worker_proves_its_path_and_a_stuck_one_does_not(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org")
        await morning.drain()
        proved = "SELECT max((details ->> 'alarm_path_at')::timestamptz) FROM heartbeats"
        assert await morning.owner.fetchval(proved) == at("09:15")

        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        morning.clock.at = at("09:20")  # five minutes on, nothing was sent
        morning.alerts._proved_at = datetime.min.replace(tzinfo=UTC)
        await morning.drain()
        assert await morning.owner.fetchval(proved) == at("09:15")

        await morning.owner.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
        morning.alerts._proved_at = datetime.min.replace(tzinfo=UTC)
        await morning.drain()
        assert await morning.owner.fetchval(proved) == at("09:20")


async def proof(morning: Morning) -> Any:
    """When the alarm path was last seen to work; what is due within moments was looked at before."""
    morning.alerts._proved_at = datetime.min.replace(tzinfo=UTC)
    await morning.alerts.step()
    return await morning.owner.fetchval(
        "SELECT max((details ->> 'alarm_path_at')::timestamptz) FROM heartbeats"
    )


async def test_a_worker_that_judges_no_deadlines_proves_nothing(database: Addresses) -> None:
    """The watcher breaks on every pass: nothing is late, nothing is missed, and nothing else is amiss."""
    async with a_morning(database) as morning:
        await morning.owner.execute("UPDATE visits SET deadline_at = $1, deadline_kind = 'late'", at("09:15"))
        morning.clock.at = at("09:16")
        assert await proof(morning) == at("09:16")  # a backlog may hold it up for a moment
        morning.clock.at = at("09:17")
        assert await proof(morning) == at("09:16")
        await morning.owner.execute("UPDATE visits SET deadline_at = NULL, deadline_kind = NULL")
        assert await proof(morning) == at("09:17")


async def test_a_busy_worker_proves_its_path_too_in_real_time_as_well(database: Addresses) -> None:
    async with a_morning(database) as morning:
        await morning.becomes("V-1", "late", "late 09:15")
        began = datetime.now(UTC)
        assert await morning.alerts.step()
        details = await morning.owner.fetchval("SELECT details FROM heartbeats")
        assert datetime.fromisoformat(details["alarm_path_at"]) == at("09:15")
        assert began <= datetime.fromisoformat(details["alarm_proved_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(("severity", "proved"), [("critical", False), ("information", True)])
async def test_only_a_page_that_keeps_failing_disproves_the_path(
    database: Addresses, severity: str, proved: bool
) -> None:
    async with a_morning(database) as morning:
        await morning.contact("duty@example.org", "information")
        await morning.becomes("V-1", "late", "late 09:15")
        await morning.drain()
        await morning.owner.execute("UPDATE alerts SET severity = $1", severity)
        await morning.owner.execute(
            "UPDATE deliveries SET attempts = 3, due_at = due_at + interval '20 minutes'"
        )
        morning.clock.at = at("09:16")
        assert (await proof(morning) == at("09:16")) is proved
