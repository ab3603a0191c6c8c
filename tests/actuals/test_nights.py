"""Every night brings two weeks up to date, for everybody, and a night that could not is told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ecm import payment_run
from ecm.clock import ManualClock
from ecm.errors import DatabaseAway
from ecm.payment_run import PaymentRuns, RunReport
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.actuals.borough import MONDAY, NOW, WEEK, a_borough, add_visit, lines, worker


async def two_tenants(owner: Any) -> None:
    await add_visit(owner, "V-1", "09:00 09:30")
    await owner.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Next Borough')")


async def done_and_failed(owner: Any) -> tuple[set[int], bool]:
    """The tenants whose night is whole, and what the health page reads."""
    rows = await owner.fetch("SELECT tenant_id FROM payment_periods WHERE run_at IS NOT NULL")
    failed = await owner.fetchval("SELECT details ->> 'payment_failed_at' FROM heartbeats")
    return {row["tenant_id"] for row in rows}, failed is not None


async def test_a_seconds_absence_of_the_database_costs_nobody_the_night(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await two_tenants(owner)
        real, asked = payment_run.run, 0

        async def away_at_first(*args: Any) -> RunReport:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise DatabaseAway
            return await real(*args)

        monkeypatch.setattr(payment_run, "REST_WHEN_AWAY", timedelta(0))
        monkeypatch.setattr(payment_run, "run", away_at_first)
        await PaymentRuns(db, ManualClock(NOW)).nightly()
        assert await done_and_failed(owner) == ({1, 2}, False)
        assert len(await lines(owner)) == 1


async def test_a_night_that_the_database_was_away_for_is_told_and_stops_nobody_elses(
    database: Addresses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await two_tenants(owner)
        real = payment_run.run

        async def away_for_the_first(db: Database, tenant_id: int, *rest: Any) -> RunReport:
            if tenant_id == 1:
                raise DatabaseAway
            return await real(db, tenant_id, *rest)

        monkeypatch.setattr(payment_run, "REST_WHEN_AWAY", timedelta(0))
        monkeypatch.setattr(payment_run, "run", away_for_the_first)
        runs = PaymentRuns(db, ManualClock(NOW))
        await runs.nightly()
        assert await done_and_failed(owner) == ({2}, True)
        assert "for tenant 1 failed: the database was away" in caplog.text

        monkeypatch.setattr(payment_run, "run", real)
        await runs.nightly()
        assert await done_and_failed(owner) == ({1, 2}, False)


async def test_a_night_without_a_database_is_told_of_when_it_is_back(
    database: Addresses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await two_tenants(owner)
        monkeypatch.setattr(payment_run, "REST_WHEN_AWAY", timedelta(0))
        runs = PaymentRuns(db, ManualClock(NOW))
        with monkeypatch.context() as patched:
            patched.setattr(db, "transaction", nobody_there)
            with pytest.raises(DatabaseAway):
                await runs.nightly()
        assert await done_and_failed(owner) == (set(), False)
        assert "failed: the database was away" in caplog.text
        await runs.step()
        assert await done_and_failed(owner) == (set(), True)
        await runs.nightly()
        assert await done_and_failed(owner) == ({1, 2}, False)


@asynccontextmanager
async def nobody_there() -> AsyncIterator[None]:
    raise DatabaseAway
    yield


async def nights(db: Database, owner: Any, *days: date) -> list[str]:
    """The periods there are after these nights."""
    for day in days:
        await PaymentRuns(
            db, ManualClock(datetime(day.year, day.month, day.day, 4, 10, tzinfo=UTC))
        ).nightly()
    return [
        row["period"] for row in await owner.fetch("SELECT period FROM payment_periods ORDER BY starts_on")
    ]


async def test_every_night_this_week_and_the_last_are_brought_up_to_date(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        assert await nights(db, owner, MONDAY) == ["2026-W46", WEEK]
        await owner.execute("UPDATE payment_periods SET locked_at = now() WHERE period = '2026-W46'")
        week_after = MONDAY + timedelta(days=7)
        assert await nights(db, owner, MONDAY, week_after) == ["2026-W46", WEEK, "2026-W48"]
        assert len(await lines(owner)) == 1


async def test_who_pays_by_the_month_gets_no_weeks_at_night(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await owner.execute(
            "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)"
            " VALUES (1, '2026-11', '2026-11-01', '2026-11-30')"
        )
        await add_visit(owner, "V-1", "09:00 09:30")
        new_month = date(2026, 12, 9)
        assert await nights(db, owner, MONDAY, new_month) == ["2026-11"]
        assert list(await lines(owner, "2026-11")) == ["V-1"]
