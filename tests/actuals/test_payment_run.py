"""A week of visits becomes lines, again and again, and never twice."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
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


async def test_a_run_knows_what_a_worker_of_two_said_on_leaving_and_where_each_tap_was(
    database: Addresses,
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        events = [UUID(int=number) for number in (1, 2, 3, 4)]
        for event, reason in zip(events, (None, "no_access", None, None), strict=True):
            await owner.execute(
                "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, reason_code,"
                " body_sha256, body) VALUES (1, $1, $2, 'check_out', $2, 'app', $3, '', '')",
                event, NOW, reason,
            )  # fmt: skip
        stay = {
            "check_in_at": "2026-11-16T09:00:00Z",
            "check_out_at": "2026-11-16T09:30:00Z",
            "amended": False,
        }
        await add_visit(owner, "V-hoist", None, state="completed")
        await owner.execute(
            "UPDATE visits SET carers_required = 2, attendances = $1 WHERE ref = 'V-hoist'",
            [
                stay | {"care_worker": name, "check_in_event": None, "check_out_event": str(event)}
                for name, event in (("CW-ALICE", events[0]), ("CW-BOB", events[1]))
            ],
        )
        for ref, place, other in (
            ("V-home", "location_inside", "late_sync"),
            ("V-nowhere", "location_none", "late_sync"),
            ("V-tapped-twice", "location_none", "duplicate_tap"),
        ):
            await add_visit(owner, ref, "09:00 09:30")
            found = [
                {
                    "code": code,
                    "event_id": str(events[2]),
                    "measure": 660,
                    "unit": "min",
                    "care_worker": "CW-ALICE",
                }
                for code in (place, other)
            ]
            await owner.execute("UPDATE visits SET findings = $2 WHERE ref = $1", ref, found)
        await run(db, 1, WEEK, NOW)
        assert {ref: line["exception"] for ref, line in (await lines(owner)).items()} == {
            "V-hoist": "CW-BOB left saying no_access",
            "V-home": None,
            "V-nowhere": "late_sync: received 11 h 00 min after it happened",
            "V-tapped-twice": "duplicate_tap: tapped",
        }


async def test_a_run_passes_no_visit_whose_evidence_somebody_ruled_on(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        visits = {
            ref: await add_visit(owner, ref, "09:00 09:30")
            for ref in ("V-set-aside", "V-linked-to", "V-taken-from", "V-noted")
        }
        for visit, kind, event, former in (
            ("V-set-aside", "reject", UUID(int=1), None),
            ("V-linked-to", "link", UUID(int=2), visits["V-taken-from"]),
            ("V-noted", "note", None, None),
        ):
            await owner.execute(
                "INSERT INTO amendments (tenant_id, visit_id, kind, event_id, former_visit_id, reason_code, made_by,"
                " made_at) VALUES (1, $1, $2, $3, $4, 'duplicate', 'Cory Coordinator', $5)",
                visits[visit], kind, event, former, NOW,
            )  # fmt: skip
        await run(db, 1, WEEK, NOW)
        ruled = "amended: evidence was linked or set aside"
        assert {ref: line["exception"] for ref, line in (await lines(owner)).items()} == {
            "V-set-aside": ruled, "V-linked-to": ruled, "V-taken-from": ruled, "V-noted": None,
        }  # fmt: skip


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
        other = await add_visit(owner, "V-2", "09:00 09:30")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction() as connection:
                await connection.execute(
                    "INSERT INTO actual_lines"
                    " SELECT (jsonb_populate_record(l, jsonb_build_object('visit_id', $1::bigint))).*"
                    " FROM actual_lines l",
                    other,
                )
        await owner.execute("UPDATE visits SET state = 'missed', version = 2")
        with pytest.raises(Conflict):
            await run(db, 1, WEEK, NOW)
        assert (await lines(owner))["V-1"]["amount_pence"] == 960


async def test_who_pays_is_a_fact_of_the_lines_first_writing(database: Addresses) -> None:
    """The person passes to the health service: last week was the council's, and stays so."""
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        await run(db, 1, WEEK, NOW)
        await owner.execute("UPDATE service_users SET funder = 'nhs' WHERE ref = 'SU-DAVIES'")
        await add_visit(owner, "V-2", "09:00 09:30", on=MONDAY + timedelta(days=1))
        assert (await run(db, 1, WEEK, NOW)).written == 1
        assert {ref: line["funder"] for ref, line in (await lines(owner)).items()} == {
            "V-1": "council",
            "V-2": "nhs",
        }

        await owner.execute(
            "UPDATE visits SET state = 'missed', attendances = '[]', version = 2 WHERE ref = 'V-1'"
        )
        assert (await run(db, 1, WEEK, NOW)).written == 1
        assert (await lines(owner))["V-1"]["funder"] == "council"
        await owner.execute("UPDATE visits SET service_user_ref = 'SU-KHAN', version = 3 WHERE ref = 'V-1'")
        await run(db, 1, WEEK, NOW)
        assert (await lines(owner))["V-1"]["funder"] == "nhs"


async def test_a_contract_row_nobody_can_read_stops_nobody_elses_runs(
    database: Addresses, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, "V-1", "09:00 09:30")
        await owner.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Next Borough')")
        for tenant, asked in ((1, NOW), (2, NOW + timedelta(minutes=1))):
            await owner.execute(
                "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at)"
                " VALUES ($1, $2, '2026-11-16', '2026-11-22', $3)",
                tenant, WEEK, asked,
            )  # fmt: skip
        newer = await add_contract(owner, "P-01", {"payment": {"a_secret_of_a_newer_release": 1}})
        runs = PaymentRuns(db, ManualClock(NOW + timedelta(hours=1)))

        assert [await runs.step(), await runs.step()] == [True, False]
        await runs.nightly()

        done = {
            row["tenant_id"]
            for row in await owner.fetch("SELECT * FROM payment_periods WHERE run_at IS NOT NULL")
        }
        assert done == {2}
        failed = "SELECT details ->> 'payment_failed_at' FROM heartbeats"
        assert await owner.fetchval(failed) is not None
        assert "ValidationError" in caplog.text
        assert "secret" not in caplog.text

        await owner.execute("DELETE FROM contracts WHERE contract_id = $1", newer)
        assert await runs.step() is False, "it rests a while, rather than fail twice a second"
        rested(runs)
        assert await runs.step() is True
        assert len(await lines(owner)) == 1


def rested(runs: PaymentRuns) -> None:
    """As if REST_AFTER_FAILURE had passed."""
    for which in runs._failed:
        runs._failed[which] -= payment_run.REST_AFTER_FAILURE


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
