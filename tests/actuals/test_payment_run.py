"""A week of visits becomes lines, again and again, and never twice."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from ecm import payment_run
from ecm.actuals.periods import Period, period_named
from ecm.clock import ManualClock
from ecm.errors import Conflict, NotFound
from ecm.payment_run import PaymentRuns, run
from ecm.store.embedded import Addresses
from tests.actuals.borough import MONDAY, NOW, RULES, WEEK, a_borough, add_contract, add_visit, lines, worker


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-11-23", date(2026, 11, 23), date(2026, 11, 23)),
    ],
)
def test_a_period_says_its_own_dates(name: str, first: date, last: date) -> None:
    assert period_named(name) == Period(name, first, last)


@pytest.mark.parametrize(
    "name", ["2027-W53", "9999-W52", "2026-13", "2026-02-30", "2026", "autumn", "", "0000-01", "٢٠٢٦-11"]
)
def test_a_name_that_says_no_dates_is_no_period(name: str) -> None:
    assert period_named(name) is None


@pytest.mark.parametrize(
    "name", ["0001-01", "0001-W01", "1999-12-31", "2000-W00", "2101-01-01", "9999-12", "9999-12-31"]
)
def test_a_date_that_no_visit_may_have_is_no_period(name: str) -> None:
    assert period_named(name) is None


@pytest.mark.parametrize("name", ["2000-01-01", "2000-W01", "2100-W52", "2100-12", "2100-12-31"])
def test_the_first_and_the_last_period_are_periods(name: str) -> None:
    assert period_named(name) is not None


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_a_period_at_the_ends_of_the_calendar_is_run_and_over(database: Addresses, day: date) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await owner.execute(
            "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at)"
            " VALUES (1, 'once', $1, $1, $2)",
            day,
            NOW,
        )
        runs = PaymentRuns(db, ManualClock(NOW + timedelta(seconds=1)))
        assert await runs.step()
        assert not await runs.step()


async def test_a_week_becomes_lines_with_their_working(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:02 09:20")
        await add_visit(owner, "V-2", None, state="missed", on=MONDAY + timedelta(days=6))
        await add_visit(owner, "V-3", "09:00 09:30", findings=("location_outside",), person="SU-KHAN")
        await add_visit(owner, "V-4", None, state="planned")
        await add_visit(owner, "V-5", "09:00 09:30", on=MONDAY + timedelta(days=7))

        report = await run(db, 1, WEEK, NOW)

        assert (report.visits, report.written, report.exceptions, report.amount_pence) == (3, 3, 1, 1920)
        found = await lines(owner)
        paid = ("payable_seconds", "amount_pence", "exception")
        assert {ref: tuple(line[name] for name in paid) for ref, line in found.items()} == {
            "V-1": (1800, 960, None),
            "V-2": (0, 0, None),
            "V-3": (1800, 960, "location_outside"),
        }  # fmt: skip
        assert [(s["rule"], s["clause"], s["seconds_after"]) for s in found["V-1"]["steps"]] == [
            ("recorded", None, 1080),
            ("basis", None, 1080),
            ("rounding", "6.1", 1800),
            ("cap", "6.4", 1800),
            ("rate", None, 1800),
        ]
        assert (found["V-3"]["funder"], found["V-1"]["funder"]) == ("nhs", "council")


async def test_a_second_run_writes_only_what_changed(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_run, "BATCH", 2)
    async with a_borough(database) as owner, worker(database) as db:
        for number in range(5):
            await add_visit(owner, f"V-{number}", "09:00 09:30", on=MONDAY + timedelta(days=number))
        assert (await run(db, 1, WEEK, NOW)).written == 5

        later = NOW + timedelta(hours=1)
        assert (await run(db, 1, WEEK, later)).written == 0

        await owner.execute("""
            UPDATE visits SET state = 'missed', version = 2, attendances = '[]' WHERE ref = 'V-3';
            UPDATE visits SET local_date = '2026-12-01' WHERE ref = 'V-4'
        """)
        report = await run(db, 1, WEEK, later)
        assert (report.visits, report.written, report.removed) == (4, 1, 1)
        found = await lines(owner)
        assert {ref: line["computed_at"] for ref, line in found.items()} == {
            "V-0": NOW, "V-1": NOW, "V-2": NOW, "V-3": later,
        }  # fmt: skip


async def test_two_runs_at_once_make_one_set_of_lines(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        for number in range(20):
            await add_visit(owner, f"V-{number}", "09:00 09:30")
        await asyncio.gather(run(db, 1, WEEK, NOW), run(db, 1, WEEK, NOW))
        assert len(await lines(owner)) == 20


async def test_a_locked_period_is_never_written_again(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        await run(db, 1, WEEK, NOW)
        await owner.execute("UPDATE payment_periods SET locked_at = now()")
        async with db.transaction() as connection:  # not by this program's good manners only
            assert await connection.execute("DELETE FROM actual_lines") == "DELETE 0"
            assert await connection.execute("UPDATE actual_lines SET amount_pence = 1") == "UPDATE 0"
        await owner.execute("UPDATE visits SET state = 'missed', version = 2")
        with pytest.raises(Conflict):
            await run(db, 1, WEEK, NOW)
        assert (await lines(owner))["V-1"]["amount_pence"] == 960


async def test_a_council_names_its_own_period_before_it_can_run(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        with pytest.raises(NotFound):
            await run(db, 1, "period 8", NOW)
        await owner.execute(
            "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)"
            " VALUES (1, 'period 8', '2026-11-02', '2026-11-29')"
        )
        assert (await run(db, 1, "period 8", NOW)).visits == 1


async def test_the_exact_service_then_the_newest_contract_in_force_rules_a_visit(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:

        def at_rate(pence: int) -> dict[str, dict[str, int]]:
            return {"payment": {"rate_pence_per_hour": pence}}

        await add_contract(owner, "P-01", at_rate(2000), valid_from=MONDAY)
        await add_contract(owner, "P-01", at_rate(3000), valid_from=MONDAY, valid_to=MONDAY, service="night")
        await add_contract(owner, "P-01", at_rate(9900), valid_from=MONDAY + timedelta(days=2))
        for ref, service, on in (
            ("V-any", "*", MONDAY),
            ("V-night", "night", MONDAY),
            ("V-night-over", "night", MONDAY + timedelta(days=1)),
        ):
            await add_visit(owner, ref, "09:00 09:30", on=on)
            await owner.execute("UPDATE visits SET service = $2 WHERE ref = $1", ref, service)
        await run(db, 1, WEEK, NOW)
        found = await lines(owner)
        assert {ref: line["amount_pence"] for ref, line in found.items()} == {
            "V-any": 1000, "V-night": 1500, "V-night-over": 1000,
        }  # fmt: skip


async def test_new_terms_reach_the_lines_at_the_next_run(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        await run(db, 1, WEEK, NOW)
        dearer = {"payment": RULES["payment"] | {"rate_pence_per_hour": 2000}}
        contract = await add_contract(owner, "P-01", dearer, valid_from=MONDAY)
        assert (await run(db, 1, WEEK, NOW)).written == 1
        line = (await lines(owner))["V-1"]
        assert (line["amount_pence"], line["contract_id"]) == (1000, contract)


async def test_a_request_for_a_run_is_answered_once(database: Addresses) -> None:
    clock = ManualClock(NOW)
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        runs = PaymentRuns(db, clock)
        assert await runs.step() is False
        await owner.execute(
            "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, requested_by)"
            " VALUES (1, $1, '2026-11-16', '2026-11-22', $2, 'Fiona Finance')",
            WEEK,
            NOW,
        )
        clock.at = NOW + timedelta(seconds=1)
        assert [await runs.step(), await runs.step()] == [True, False]
        assert len(await lines(owner)) == 1
