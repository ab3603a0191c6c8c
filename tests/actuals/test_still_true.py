"""What is paid from holds only lines whose visit, plan and terms are still those of the run."""

from __future__ import annotations

import csv
import io

import pytest

from ecm.payment_run import run
from ecm.store.embedded import Addresses
from tests.actuals.borough import NOW, RULES, WEEK, a_borough, add_contract, worker
from tests.actuals.test_actuals_api import FIONA, a_week, abacus, signed_in


async def test_terms_corrected_since_the_run_pay_nothing_at_the_old_rate(database: Addresses) -> None:
    """Finance imports a lower rate that holds since before the week; a period that was approved stays as it is."""
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        cheaper = {"payment": RULES["payment"] | {"rate_pence_per_hour": 1430}}
        await add_contract(owner, "P-01", cheaper)

        answer = await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus")

        assert [row["OurRef"] for row in csv.DictReader(io.StringIO(answer.text))] == ["V-missed", "V-other"]
        assert answer.headers["Lines-Left-Out-Changed"] == "2"
        shown = (await fiona.get("/v1/actuals", params={"period": WEEK})).json()["lines"]["items"]
        assert {line["visit_ref"] for line in shown if line["changed_since_run"]} == {
            "V-passed", "V-nhs", "V-doubtful",
        }  # fmt: skip
        await run(db, 1, WEEK, NOW)
        paid = {row["OurRef"]: row["PaymentClaimed"] for row in await abacus(db)}
        assert paid == {"V-passed": "7.15", "V-nhs": "7.15", "V-missed": "0.00", "V-other": "4.80"}

        await owner.execute("UPDATE payment_periods SET locked_at = now()")
        await add_contract(owner, "P-01", RULES)
        assert len(await abacus(db)) == 4


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE visits SET cancelled = true WHERE ref = 'V-nhs'; INSERT INTO processing_queue (tenant_id, visit_id)"
        " SELECT 1, visit_id FROM visits WHERE ref = 'V-nhs'",
        "UPDATE visits SET local_date = '2026-12-01' WHERE ref = 'V-nhs'",
        "UPDATE visits SET provider_ref = 'P-02' WHERE ref = 'V-nhs'",
        "UPDATE visits SET service_user_ref = 'SU-DAVIES' WHERE ref = 'V-nhs'",
        "UPDATE contracts SET valid_to = '2026-11-15' WHERE provider_ref = 'P-01'",
    ],
    ids=["cancelled", "another day", "another provider", "another person", "no terms any more"],
)
async def test_a_plan_that_changed_since_the_run_is_not_paid_before_it_is_worked_out(
    database: Addresses, change: str
) -> None:
    async with a_borough(database) as owner, worker(database) as db, signed_in(database, FIONA) as fiona:
        await a_week(owner)
        await run(db, 1, WEEK, NOW)
        await owner.execute(change)
        answer = await fiona.get(f"/v1/actuals/{WEEK}/export?format=abacus")
        assert "V-nhs" not in answer.text
        assert "V-other" in answer.text
        assert int(answer.headers["Lines-Left-Out-Changed"]) > 0
