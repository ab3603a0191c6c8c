"""`ecm audit` as people run it: proved, told, erased, and what it says when somebody tampered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecm.cli import main
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.audit.book import fill
from tests.cli.conftest import Ecm, Said, environment
from tests.postgres import execute, fetch_value, in_a_loop_of_its_own

KEY = "a made-up key of the audit"


@pytest.fixture
def ecm(database: Addresses) -> Ecm:
    async def a_morning() -> None:
        db = await Database.connect(database.app, "ecm_web", 1)
        await fill(db, 30)
        await db.close()

    in_a_loop_of_its_own(a_morning())
    given = environment(database) | {"ECM_AUDIT_KEY": KEY}

    def run(*arguments: str) -> Said:
        done = CliRunner().invoke(main, list(arguments), env=given, catch_exceptions=False)
        return Said(done.output, done.exit_code, done.stdout)

    return run


def tampered(database: Addresses, statement: str) -> None:
    in_a_loop_of_its_own(execute(database.owner, statement))


def test_an_audit_nobody_touched_is_whole(ecm: Ecm) -> None:
    said = ecm("audit", "verify", "--json")
    assert said.status == 0
    assert "tenant 1: whole, 30 entries" in said.output
    assert said.answer == {
        "whole": True,
        "audits": [{"tenant": 1, "whole": True, "entries": 30, "first_bad": None}],
    }


def test_the_first_bad_row_is_named_and_ends_with_status_one(ecm: Ecm, database: Addresses) -> None:
    tampered(
        database,
        "UPDATE audit SET origin = '203.0.113.9' WHERE audit_id = 12; DELETE FROM audit WHERE audit_id = 20",
    )
    said = ecm("audit", "verify", "--tenant", "1", "--json")
    assert said.status == 1
    assert "tenant 1: BAD, row 12: its words were changed" in said.output
    assert said.answer["audits"][0]["first_bad"] == {"seq": 12, "id": 12, "says": "its words were changed"}


def test_a_chain_cut_short_head_and_all_is_found_by_a_head_kept_elsewhere(
    ecm: Ecm, database: Addresses, tmp_path: Path
) -> None:
    kept = tmp_path / "heads"
    kept.write_text(ecm("audit", "export-head").output)
    assert json.loads(kept.read_text())["seq"] == 30
    assert "as 1 heads kept elsewhere say" in ecm("audit", "verify", "--heads", str(kept)).output
    tampered(
        database,
        "DELETE FROM audit_chain WHERE seq > 25; DELETE FROM audit WHERE audit_id > 25;"
        "UPDATE audit_heads SET seq = 25, hash = (SELECT hash FROM audit_chain WHERE seq = 25)",
    )
    assert ecm("audit", "verify").status == 0, "it is whole by itself"
    said = ecm("audit", "verify", "--heads", str(kept))
    assert said.status == 1
    assert "row 26: it is missing: head 30 was told outside" in said.output


def test_heads_nobody_signed_prove_nothing(ecm: Ecm, tmp_path: Path) -> None:
    kept = tmp_path / "heads"
    kept.write_text('{"tenant":1,"seq":30,"hash":"00"}\n')
    said = ecm("audit", "verify", "--heads", str(kept))
    assert said.status == 1
    assert "line 1 is not signed with this ECM_AUDIT_KEY" in said.output


def test_a_persons_words_are_erased_and_the_audit_stays_whole(ecm: Ecm, database: Addresses) -> None:
    said = ecm("audit", "erase", "account 7", "--reason", "she left ten years ago", "--json")
    assert said.status == 0
    assert len(said.answer["erased"]) > 3
    words = in_a_loop_of_its_own(fetch_value(database.owner, "SELECT string_agg(a::text, ' ') FROM audit a"))
    assert "Nina" not in words
    assert "she left ten years ago" in words
    assert "whole, 31 entries" in ecm("audit", "verify").output
    again = ecm("audit", "erase", "account 7", "--reason", "again")
    assert (again.status, "has words left to erase" in again.output) == (1, True)


@pytest.mark.parametrize(
    "asked",
    [
        ("audit", "erase", "account 7"),
        ("audit", "erase", "--reason", "why"),
        ("audit", "erase", "account 7", "--entry", "3", "--reason", "why"),
        ("audit", "erase", "--entry", "0", "--reason", "why"),
        ("audit", "erase", "account 7", "--tenant", "9", "--reason", "why"),
        ("audit", "verify", "--tenant", "9"),
        ("audit", "verify", "--heads", "/there/is/no/such/file"),
    ],
)
def test_a_command_that_makes_no_sense_says_so(ecm: Ecm, asked: tuple[str, ...]) -> None:
    said = ecm(*asked)
    assert said.status in (1, 2)
    assert "Traceback" not in said.output


@pytest.mark.parametrize("step", ["audit-heads", "audit-proof"])
def test_the_workers_steps_run_by_hand_too(ecm: Ecm, step: str) -> None:
    assert ecm("tick", step, "--json").answer == {"name": step, "steps": 1}


def test_doctor_says_where_heads_are_told(ecm: Ecm) -> None:
    [told] = [check for check in ecm("doctor", "--json").answer["checks"] if check["name"] == "audit"]
    assert (told["well"], told["found"]) == (True, "its heads are told to nobody")
