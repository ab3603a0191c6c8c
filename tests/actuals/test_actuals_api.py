"""Fiona of finance reads a week, asks for a run and takes the files."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import openpyxl
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from ecm import doors, payment_run, problem
from ecm.api.actuals import export, router
from ecm.clock import ManualClock
from ecm.errors import Conflict
from ecm.lock import system
from ecm.payment_run import PaymentRuns, run
from ecm.permit import Actor
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.actuals.borough import MONDAY, NOW, WEEK, a_borough, add_visit, worker

FIONA = Actor("account", 1, 7, "Fiona Finance", "finance")
MANFRED = Actor("account", 1, 8, "Manfred Manager", "manager", provider_ref="P-02")
DANA = Actor("account", 1, 9, "Dana Duty", "duty_officer")


@asynccontextmanager
async def signed_in(database: Addresses, who: Actor) -> AsyncIterator[httpx.AsyncClient]:
    web = await Database.connect(database.owner, "ecm_web", size=2)
    app = FastAPI()
    app.include_router(router)
    problem.install(app)
    app.state.services = doors.Services(web, ManualClock(NOW), Settings())
    app.dependency_overrides[doors.actor] = lambda: who
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://ecm.example"
        ) as client:
            yield client
    finally:
        await web.close()


async def a_week(owner: object) -> None:
    """Three providers' lines: small and large, passed and doubtful, council and NHS."""
    await add_visit(owner, "V-passed", "09:00 09:30")
    await add_visit(owner, "V-nhs", "09:00 09:30", person="SU-KHAN")
    await add_visit(owner, "V-doubtful", "09:02 09:20", findings=("clock_skew",))
    await add_visit(owner, "V-other", "09:00 09:12", provider="P-02", on=MONDAY + timedelta(days=1))
    await add_visit(owner, "V-missed", None, state="missed", provider="P-02")


async def test_totals_keep_funders_apart_and_agree_with_the_lines_to_the_penny(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)

        answer = (await fiona.get("/v1/actuals", params={"period": WEEK})).raise_for_status().json()

        shown = ("provider", "funder", "visits", "amount_pence", "exceptions", "exceptions_pence")
        assert [tuple(total[name] for name in shown) for total in answer["totals"]] == [
            ("P-01", "council", 2, 1920, 1, 960),
            ("P-01", "nhs", 1, 960, 0, 0),
            ("P-02", "council", 2, 480, 0, 0),
        ]
        lines = answer["lines"]["items"]
        assert sum(line["amount_pence"] for line in lines) == sum(t["amount_pence"] for t in answer["totals"])
        assert lines[0]["visit_ref"] == "V-doubtful"
        assert [step["rule"] for step in lines[0]["steps"]] == [
            "recorded",
            "basis",
            "rounding",
            "cap",
            "rate",
        ]
        assert (answer["starts_on"], answer["ends_on"], answer["locked_at"]) == (
            "2026-11-16",
            "2026-11-22",
            None,
        )


async def test_every_line_comes_once_over_the_pages_the_dearest_doubt_first(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await add_visit(owner, "V-undecided", "09:00 09:45", state="frustrated")
        await owner.execute(
            "UPDATE visits SET planned_end = planned_end + interval '1 hour' WHERE ref = 'V-undecided'"
        )
        await run(db, 1, WEEK, NOW)

        seen: list[str] = []
        url = f"/v1/actuals?period={WEEK}&limit=2"
        while url:
            answer = (await fiona.get(url)).raise_for_status()
            seen += [line["visit_ref"] for line in answer.json()["lines"]["items"]]
            url = answer.links["next"]["url"] if answer.links else ""

        assert seen[:2] == ["V-undecided", "V-doubtful"]
        assert sorted(seen) == ["V-doubtful", "V-missed", "V-nhs", "V-other", "V-passed", "V-undecided"]


async def test_a_provider_sees_its_own_lines_and_asks_for_no_run(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, MANFRED) as manfred:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        answer = (await manfred.get("/v1/actuals", params={"period": WEEK})).json()
        assert {total["provider"] for total in answer["totals"]} == {"P-02"}
        assert {line["provider"] for line in answer["lines"]["items"]} == {"P-02"}
        file = (await manfred.get(f"/v1/actuals/{WEEK}/export")).text
        assert {row["provider"] for row in csv.DictReader(io.StringIO(file))} == {"P-02"}
        assert (await manfred.post(f"/v1/actuals/{WEEK}/runs")).status_code == 403
    async with signed_in(database, DANA) as dana:
        assert (await dana.get("/v1/actuals", params={"period": WEEK})).status_code == 403


async def test_a_run_is_asked_for_and_answered_by_the_worker(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        asked = await fiona.post(f"/v1/actuals/{WEEK}/runs")
        assert (asked.status_code, asked.json()["run_at"]) == (202, None)
        assert (await fiona.get(asked.headers["Location"])).json()["totals"] == []

        assert await PaymentRuns(db, ManualClock(NOW + timedelta(seconds=1))).step()

        answer = (await fiona.get(asked.headers["Location"])).json()
        assert answer["run_at"] > asked.json()["requested_at"]
        assert len(answer["lines"]["items"]) == 5
        asked_by = await owner.fetchrow("SELECT actor, subject, origin FROM audit")
        assert tuple(asked_by) == ("account 7 Fiona Finance", f"period {WEEK}", "127.0.0.1")

        await owner.execute("UPDATE payment_periods SET locked_at = now()")
        assert (await fiona.post(f"/v1/actuals/{WEEK}/runs")).status_code == 409


@pytest.mark.parametrize(
    ("period", "status"), [("period 99", 404), ("2026-W60", 404), ("", 422), ("2026-W40", 200)]
)
async def test_a_period_nobody_knows_is_not_found(database: Addresses, period: str, status: int) -> None:
    async with signed_in(database, FIONA) as fiona:
        assert (await fiona.get("/v1/actuals", params={"period": period})).status_code == status


async def test_the_open_file_keeps_five_time_pairs_apart_and_says_where_each_time_is_from(
    database: Addresses,
) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await add_visit(
            owner, "=HYPERLINK(1)", "09:02 09:20", person="SU-KHAN", findings=("location_inside",)
        )
        event = UUID(int=1)
        await owner.execute(
            "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, body_sha256, body)"
            " VALUES (1, $1, $2, 'check_in', $2, 'nfc', '', '')",
            event,
            datetime(2026, 11, 16, 9, 2, 1, tzinfo=UTC),
        )
        await owner.execute(
            "UPDATE visits SET attendances = jsonb_set(attendances, '{0,check_in_event}', $1)", str(event)
        )
        await run(db, 1, WEEK, NOW)

        answer = await fiona.get(f"/v1/actuals/{WEEK}/export")

        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="actuals-2026-W47-csv.csv"'
        [row] = csv.DictReader(io.StringIO(answer.text))
        assert row["visit"] == "'=HYPERLINK(1)"
        pairs = ("commissioned", "planned", "rostered", "actual", "payable")
        assert {pair: (row[f"{pair}_start"][11:], row[f"{pair}_end"][11:]) for pair in pairs} == {
            "commissioned": ("09:00:00+00:00", "09:30:00+00:00"),
            "planned": ("09:00:00+00:00", "09:30:00+00:00"),
            "rostered": ("09:00:00+00:00", "09:30:00+00:00"),
            "actual": ("09:02:00+00:00", "09:20:00+00:00"),
            "payable": ("09:02:00+00:00", "09:32:00+00:00"),
        }
        assert (row["payable_minutes"], row["payable_amount"], row["funder"]) == ("30.0", "9.6", "nhs")
        assert (row["check_in_method"], row["check_in_received_at"]) == ("nfc", "2026-11-16T09:02:01Z")
        assert (row["location"], row["changed_since_run"], row["corrections"]) == (
            "location_inside",
            "no",
            "0",
        )
        assert row["working"].endswith("30 min at £19.20 an hour: £9.60")


async def test_the_workbook_says_what_the_csv_says_and_holds_no_formula(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await add_visit(owner, "=1+1", "09:00 09:30")
        await run(db, 1, WEEK, NOW)
        book = openpyxl.load_workbook(
            io.BytesIO((await fiona.get(f"/v1/actuals/{WEEK}/export?format=xlsx")).content)
        )
        header, *rows = book.worksheets[0].values
        cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
        lines = list(csv.DictReader(io.StringIO((await fiona.get(f"/v1/actuals/{WEEK}/export")).text)))
        assert [row[0] for row in rows] == [line["visit"] for line in lines]
        assert list(header) == list(lines[0])
        book.close()


async def abacus(db: Database, period: str = WEEK) -> list[dict[str, str]]:
    parts = [part async for part in export(db, system(1), period, "abacus")]
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode())))


async def test_files_that_nobody_reads_hold_no_connection_of_the_others(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        app = fiona._transport.app  # type: ignore[attr-defined]
        full: asyncio.Queue[None] = asyncio.Queue()
        stuck = [asyncio.create_task(_ask_and_never_read(app, WEEK, full)) for _ in range(3)]
        async with asyncio.timeout(30):
            for _ in stuck:
                await full.get()

        async with asyncio.timeout(30):
            assert (await fiona.get("/v1/actuals", params={"period": WEEK})).status_code == 200
            assert (await fiona.get(f"/v1/actuals/{WEEK}/export")).status_code == 429

        for task in stuck:
            task.cancel()
        await asyncio.wait(stuck)
        assert (await fiona.get(f"/v1/actuals/{WEEK}/export")).status_code == 200


async def _ask_and_never_read(app: ASGIApp, period: str, full: asyncio.Queue[None]) -> None:
    """`full` is told when the first of the file waits to be read; a refusal too is an answer that waits."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/actuals/{period}/export",
        "query_string": b"",
        "headers": [],
    }
    never = asyncio.Event()

    async def receive() -> dict[str, object]:
        await never.wait()
        return {}

    async def send(message: object) -> None:
        if message["type"] == "http.response.body":  # type: ignore[index]
            full.put_nowait(None)
            await never.wait()

    await app(scope, receive, send)  # type: ignore[arg-type]


async def test_the_abacus_file_pays_only_what_needs_no_look(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        rows = await abacus(db)
        assert [len(row) for row in rows] == [24] * 4
        assert [row["OurRef"] for row in rows] == ["V-passed", "V-nhs", "V-missed", "V-other"]
        references = [row["FileReference"].rpartition("-") for row in rows]
        assert [whose for whose, _, _ in references] == [
            "ECM-2026-W47-P-01-council", "ECM-2026-W47-P-01-nhs", *["ECM-2026-W47-P-02-council"] * 2,
        ]  # fmt: skip
        assert len({digest for _, _, digest in references}) == 3
        khan, missed, other = rows[1:]
        assert khan["ServiceUserDetails"] == "'=cmd|x"
        assert (missed["NumberOfCarers"], missed["PaymentClaimed"]) == ("0", "0.00")
        assert {name: other[name] for name in other if name in ABACUS_OTHER} == ABACUS_OTHER


async def test_the_same_lines_have_the_same_reference_however_often_they_are_run(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        first = await abacus(db)
        await run(db, 1, WEEK, NOW + timedelta(hours=20))
        assert await abacus(db) == first
        # other words for the same money, as of a newer release, are the same payment
        await owner.execute(
            "UPDATE actual_lines SET computed_at = now(), steps = jsonb_set(steps, '{0,words}', '\"x\"')"
        )
        assert [row["FileReference"] for row in await abacus(db)] == [row["FileReference"] for row in first]

        await owner.execute(
            "UPDATE visits SET state = 'missed', version = 2, attendances = '[]' WHERE ref = 'V-nhs'"
        )
        await run(db, 1, WEEK, NOW + timedelta(hours=21))
        told = {row["OurRef"]: row["FileReference"] for row in await abacus(db)}
        assert {row["OurRef"] for row in first if told[row["OurRef"]] != row["FileReference"]} == {"V-nhs"}


async def test_a_line_whose_visit_changed_since_the_run_is_not_paid_and_that_is_said(
    database: Addresses,
) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        await owner.execute(
            "UPDATE visits SET state = 'missed', version = 2, attendances = '[]' WHERE ref = 'V-nhs'"
        )

        answer = await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus")

        assert "V-nhs" not in answer.text
        said = {name: answer.headers[name] for name in ("Lines-Left-Out-Unseen", "Lines-Left-Out-Changed")}
        assert said == {"Lines-Left-Out-Unseen": "1", "Lines-Left-Out-Changed": "1"}
        everything = await fiona.get(f"/v1/actuals/{WEEK}/export")
        assert "V-nhs" in everything.text
        assert everything.headers["Lines-Left-Out-Changed"] == "0"


async def test_no_file_is_made_of_half_a_run(database: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_run, "BATCH", 2)
    real_finish = payment_run._finish
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        answers = []

        async def asked_before_it_ends(*run_of: Any) -> int:
            answers.append(await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus"))
            return await real_finish(*run_of)

        monkeypatch.setattr(payment_run, "_finish", asked_before_it_ends)
        await run(db, 1, WEEK, NOW)
        answers.append(await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus"))
        await fiona.post(f"/v1/actuals/{WEEK}/runs")  # NOW again: the worker has answered it already
        await owner.execute("UPDATE payment_periods SET requested_at = requested_at + interval '1 second'")
        answers.append(await fiona.get(f"/v1/actuals/{WEEK}/export"))
        await owner.execute("UPDATE payment_periods SET locked_at = now()")
        answers.append(await fiona.get(f"/v1/actuals/{WEEK}/export"))
        assert [answer.status_code for answer in answers] == [409, 200, 409, 200]


async def test_a_run_that_died_leaves_no_file_to_be_paid_from(
    database: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_borough(database) as owner, worker(database) as db:
        await a_week(owner)
        with monkeypatch.context() as patched:
            patched.setattr(payment_run, "_write", dies)
            with pytest.raises(RuntimeError):
                await run(db, 1, WEEK, NOW)
        with pytest.raises(Conflict):
            await abacus(db)
        await run(db, 1, WEEK, NOW)
        assert len(await abacus(db)) == 4


async def dies(*_: Any) -> int:
    raise RuntimeError


async def test_a_month_and_its_weeks_are_never_both_periods(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await add_visit(owner, "V-1", "09:00 09:30")
        assert (await fiona.post(f"/v1/actuals/{WEEK}/runs")).status_code == 202
        refused = await fiona.post("/v1/actuals/2026-11/runs")
        assert refused.status_code == 409
        assert refused.json()["detail"] == (
            "Payment period 2026-11 (01/11/2026 to 30/11/2026) shares days with 2026-W47"
            " (16/11/2026 to 22/11/2026), and a visit is paid in one period only."
        )
        for period in ("2026-11", "2026-11-16"):
            with pytest.raises(Conflict, match="shares days with 2026-W47"):
                await run(db, 1, period, NOW)
        assert (await fiona.post("/v1/actuals/2026-W48/runs")).status_code == 202
        assert (await fiona.post(f"/v1/actuals/{WEEK}/runs")).status_code == 202
        with pytest.raises(asyncpg.ExclusionViolationError):  # nor by anybody else's hand
            await owner.execute(
                "INSERT INTO payment_periods VALUES (1, 'period 8', '2026-11-02', '2026-11-29')"
            )
        await owner.execute("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Next Borough')")
        await owner.execute("INSERT INTO payment_periods VALUES (2, '2026-11', '2026-11-01', '2026-11-30')")


async def test_whoever_takes_a_file_is_written_down_with_the_address_it_went_to(database: Addresses) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await fiona.post(f"/v1/actuals/{WEEK}/runs")
        assert (await fiona.get(f"/v1/actuals/{WEEK}/export")).status_code == 409
        await run(db, 1, WEEK, NOW)
        await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus&funder=nhs")
        await fiona.get(f"/v1/actuals/{WEEK}/export")
        taken = await owner.fetch(
            "SELECT actor, subject, origin FROM audit WHERE action = 'payment_file_taken' ORDER BY audit_id"
        )
        assert [tuple(entry) for entry in taken] == [
            ("account 7 Fiona Finance", f"period {WEEK}, abacus, nhs", "127.0.0.1"),
            ("account 7 Fiona Finance", f"period {WEEK}, csv", "127.0.0.1"),
        ]


HOIST = "V-hoist"


async def test_a_double_up_is_a_row_for_each_worker_who_came(database: Addresses) -> None:
    """Whatever a portal does with NumberOfCarers, the rows come to the minutes and the money of the line."""
    async with a_borough(database) as owner, worker(database) as db:
        await add_visit(owner, HOIST, "09:00 09:30")
        stay = {"check_in_event": None, "check_out_event": None, "amended": False}
        both = [
            stay
            | {"care_worker": name, "check_in_at": f"{MONDAY}T{i}:00Z", "check_out_at": f"{MONDAY}T{o}:00Z"}
            for name, i, o in (("CW-ALICE", "09:00", "09:30"), ("CW-BOB", "09:05", "09:17"))
        ]
        await owner.execute("UPDATE visits SET carers_required = 2, attendances = $1", both)
        await run(db, 1, WEEK, NOW)
        shown = (
            "OurRef", "StartTimeClaimed", "DurationClaimed", "ActualStartTime", "ActualDuration", "PaymentClaimed",
            "SecondaryVisit", "NumberOfCarers",
        )  # fmt: skip
        rows = await abacus(db)
        assert [tuple(row[name] for name in shown) for row in rows] == [
            ("V-hoist", "09:00:00", "00:30:00", "09:00:00", "00:30:00", "9.60", "N", "1"),
            ("V-hoist/2", "09:05:00", "00:15:00", "09:05:00", "00:12:00", "4.80", "Y", "1"),
        ]
        assert len({row["FileReference"] for row in rows}) == 1

        await owner.execute("UPDATE visits SET attendances = $1, version = 2", both[:1])
        await run(db, 1, WEEK, NOW)
        assert [(row["NumberOfCarers"], row["DurationClaimed"]) for row in await abacus(db)] == [
            ("1", "00:30:00")
        ]


ABACUS_OTHER = {
    "Created": "23/11/2026",
    "ProviderRef": "P-02",
    "ContractNumber": "C-1",
    "WeekEnding": "22/11/2026",
    "PaymentClaimed": "4.80",
    "VisitDate": "17/11/2026",
    "StartTimeClaimed": "09:00:00",
    "DurationClaimed": "00:15:00",
    "ActualStartTime": "09:00:00",
    "ActualDuration": "00:12:00",
    "SecondaryVisit": "N",
    "NumberOfCarers": "1",
}
