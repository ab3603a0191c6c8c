"""Every command of the command line, as somebody types it: what it prints, its JSON, its exit status."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner

from ecm.cli import COMMANDS, main
from ecm.cli.serve import STEPS
from ecm.store.embedded import Addresses
from ecm.store.migrate import MIGRATIONS, read_files
from tests.cli.conftest import Ecm, Said, commands_on, environment
from tests.postgres import fetch_value, in_a_loop_of_its_own

PUBLISHED = (
    "demo", "serve", "web", "worker", "migrate", "import", "simulate", "tick", "actuals export", "key create",
    "account create", "account leave", "worker-left", "setup-code", "contact add", "contact list", "contact remove",
    "tenant add", "tenant list", "tenant positions", "line add", "line list", "line remove", "phone code",
    "reseal", "doctor",
)  # fmt: skip


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("command", PUBLISHED)
def test_every_command_helps_and_takes_json(command: str) -> None:
    done = CliRunner().invoke(main, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert "--json" in done.stdout
    assert "--data" in done.stdout


def test_the_list_of_commands_names_them_all_with_a_line_each() -> None:
    listed = CliRunner().invoke(main, ["--help"]).stdout
    assert {command.split()[0] for command in PUBLISHED} <= set(COMMANDS)
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in listed.splitlines()), name


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["exterminate"]).exit_code == 2


# ---------------------------------------------------------------- migrate


def test_migrating_twice_at_once_applies_each_migration_once(empty_database: Addresses) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ecm", "migrate", "--json"],
            env=environment(empty_database),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    both = [start(), start()]
    said = [Said(child.communicate(timeout=120)[0], child.returncode) for child in both]
    assert [each.status for each in said] == [0, 0]
    applied = [name for each in said for name in each.answer["applied"]]
    assert len(applied) == len(set(applied)) == len(read_files(MIGRATIONS))

    again = commands_on(empty_database)("migrate", "--json")
    assert again.answer == {"applied": []}
    assert "already up to date" in again.output


# ---------------------------------------------------------------- import

PROVIDERS = "ref,name,phone\nnorth,Northfield Care,01632 960001\nsouth,Southgate Care,\n"
BAD = "ref,name,colour\neast,Eastfield Care,red\n,A provider without a reference,blue\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "providers.csv"


def test_a_dry_run_tells_what_an_import_would_do_and_does_nothing(ecm: Ecm, file: Path) -> None:
    file.write_text(PROVIDERS)
    counts = {"read": 2, "new": 2, "updated": 0, "unchanged": 0, "rejected": 0}
    for options in (["--dry-run"], ["--dry-run"], []):
        said = ecm("import", "providers", str(file), "--json", *options)
        assert (said.status, said.answer | counts) == (0, said.answer)
    said = ecm("import", "providers", str(file), "--json")
    assert said.answer | {"read": 2, "new": 0, "unchanged": 2} == said.answer


def test_one_bad_row_keeps_the_whole_file_out_and_is_named(ecm: Ecm, file: Path) -> None:
    file.write_text(BAD)
    said = ecm("import", "providers", str(file), "--json")
    assert said.status == 1
    assert (said.answer["rejected"], said.answer["unknown_columns"]) == (1, ["colour"])
    [rejection] = said.answer["rejections"]
    assert rejection["row"] == 3
    assert "ref" in rejection["reason"]
    assert ecm("import", "providers", str(file), "--dry-run", "--json").answer["new"] == 1, (
        "east was not kept"
    )


def test_the_good_rows_are_taken_when_that_is_wished(ecm: Ecm, file: Path) -> None:
    file.write_text(BAD)
    said = ecm("import", "providers", str(file), "--skip-rejected", "--json")
    assert (said.status, said.answer["new"], said.answer["rejected"]) == (0, 1, 1)
    file.write_text("ref,name\neast,Eastfield Care\n")
    assert ecm("import", "providers", str(file), "--json").answer["unchanged"] == 1


def test_json_is_known_by_its_ending(ecm: Ecm, tmp_path: Path) -> None:
    file = tmp_path / "providers.json"
    file.write_text(json.dumps([{"ref": "north", "name": "Northfield Care"}]))
    assert ecm("import", "providers", str(file), "--json").answer["new"] == 1


def test_a_kind_or_a_file_that_is_not_there_is_a_usage_error(ecm: Ecm, file: Path) -> None:
    assert ecm("import", "spaceships", __file__).status == 2
    assert ecm("import", "providers", str(file)).status == 2


# ---------------------------------------------------------------- keys and people


def test_a_key_is_printed_once_and_kept_only_as_a_hash(ecm: Ecm, database: Addresses) -> None:
    said = ecm("key", "create", "the phones", "--scope", "ingest", "--scope", "read", "--json")
    assert said.answer["scopes"] == ["ingest", "read"]
    key = said.answer["key"]
    assert len(key) >= 32
    [row] = fetch(database, "SELECT name, scopes, to_jsonb(api_keys)::text AS whole FROM api_keys")
    assert (row["name"], row["scopes"]) == ("the phones", ["ingest", "read"])
    assert key not in row["whole"]
    assert ecm("key", "create", "x", "--scope", "everything").status == 2


def test_an_account_is_made_once_with_a_password_shown_once(ecm: Ecm, database: Addresses) -> None:
    asked = ("account", "create", "Okafor@example.org", "--role", "duty_officer", "--json")
    said = ecm(*asked)
    assert said.answer["role"] == "duty_officer"
    [row] = fetch(database, "SELECT email, role, password_hash FROM accounts")
    assert (row["email"], row["role"]) == ("okafor@example.org", "duty_officer")
    assert row["password_hash"].startswith("$argon2id$")
    assert said.answer["password"] not in row["password_hash"]
    again = ecm(*asked)
    assert again.status == 1
    assert "Traceback" not in again.output
    assert ecm("account", "create", "x@example.org", "--role", "emperor").status == 2


def test_a_code_sets_the_service_up_until_somebody_administers_it(ecm: Ecm, database: Addresses) -> None:
    said = ecm("setup-code", "--json")
    code = said.answer["url"].removeprefix("http://localhost:8000/setup#")
    assert len(code) == 12
    [row] = fetch(database, "SELECT code_sha256, expires_at - made_at AS lasts FROM setup_codes")
    assert row["lasts"].total_seconds() == 24 * 3600
    assert code.encode() not in row["code_sha256"]
    assert ecm("account", "create", "admin@example.org", "--role", "administrator").status == 0
    late = ecm("setup-code")
    assert late.status == 1
    assert late.output.startswith("Error: Somebody administers this service already.")


def test_somebody_leaves_by_their_email_or_their_reference_but_not_the_last_administrator(
    ecm: Ecm, database: Addresses, file: Path
) -> None:
    for email in ("first@example.org", "second@example.org"):
        assert ecm("account", "create", email, "--role", "administrator").status == 0
    ecm("key", "create", "Gateway")
    said = ecm("account", "leave", "Second@example.org", "--reason", "retired", "--json")
    assert (said.status, said.answer["sessions_ended"]) == (0, 0)
    assert "they may know the key" in said.output
    last = ecm("account", "leave", "first@example.org")
    assert (last.status, "last administrator" in last.output) == (1, True)
    assert ecm("account", "leave", "nobody@example.org").status == 1

    file.write_text(PROVIDERS)
    ecm("import", "providers", str(file))
    workers = file.with_name("care-workers.csv")
    workers.write_text("ref,name,provider_ref\nCW-1,Carol Whitlock,north\n")
    ecm("import", "care-workers", str(workers))
    assert ecm("worker-left", "CW-1", "--json").answer["phones_cut"] == 0
    assert ecm("worker-left", "CW-2").status == 1
    ecm("import", "care-workers", str(workers))
    [row] = fetch(database, "SELECT left_by FROM care_workers WHERE left_at IS NOT NULL")
    assert row["left_by"] == "system 0 command line", (
        "an import of a list that still names them undoes nothing"
    )


# ---------------------------------------------------------------- tenants


def test_a_second_authority_has_its_own_people_and_sees_nobody_elses(
    ecm: Ecm, database: Addresses, file: Path
) -> None:
    said = ecm("tenant", "add", "  Sample   Shire ", "--zone", "Europe/Dublin", "--json")
    assert said.answer == {"tenant_id": 2, "name": "Sample Shire", "zone": "Europe/Dublin"}
    assert ecm("tenant", "list", "--json").answer == {
        "tenants": [
            {"tenant_id": 1, "name": "Example Borough", "zone": "Europe/London"},
            {"tenant_id": 2, "name": "Sample Shire", "zone": "Europe/Dublin"},
        ]
    }
    [line] = fetch(database, "SELECT tenant_id, actor, action, subject FROM audit")
    assert tuple(line) == (2, "command line", "tenant_created", "tenant 2")

    file.write_text(PROVIDERS)
    assert ecm("import", "providers", str(file), "--tenant", "2", "--json").answer["new"] == 2
    assert ecm("import", "providers", str(file), "--dry-run", "--json").answer["new"] == 2
    assert ecm("account", "create", "a@example.org", "--role", "administrator", "--tenant", "2").status == 0
    [head] = fetch(database, "SELECT position FROM board_heads WHERE tenant_id = 2")
    assert head["position"] == 0


def test_an_authority_is_added_once_by_a_name_in_a_zone_that_exists(ecm: Ecm, database: Addresses) -> None:
    again = ecm("tenant", "add", "Example Borough", "--json")
    assert (again.status, again.answer) == (1, {"error": "Example Borough is here already: tenant 1."})
    for name, zone in (("X", "Europe/Nowhere"), ("X", "../etc"), ("X", ""), (" ", "UTC"), ("a\x00b", "UTC")):
        assert ecm("tenant", "add", name, "--zone", zone).status == 2, (name, zone)
    assert len(fetch(database, "SELECT * FROM tenants")) == 1


def test_who_is_warned_and_who_no_more_stands_in_the_audit(ecm: Ecm, database: Addresses) -> None:
    added = ecm("contact", "add", "security@example.org", "--security", "--json").answer["contact_id"]
    assert ecm("contact", "remove", str(added)).status == 0
    assert ecm("contact", "remove", str(added)).status == 1
    written = fetch(database, "SELECT action, subject, subject_ref FROM audit WHERE action LIKE 'contact%'")
    about = (f"contact {added} security@example.org", f"contact {added}")
    assert [tuple(row) for row in written] == [("contact_added", *about), ("contact_removed", *about)]


@pytest.mark.parametrize(
    "command",
    [
        "key create phones",
        "account create a@example.org --role administrator",
        "contact add a@example.org",
        "contact list",
        "actuals export --period 2026-W48",
    ],
)
def test_an_authority_nobody_added_is_named_in_one_line(ecm: Ecm, command: str) -> None:
    said = ecm(*command.split(), "--tenant", "99")
    assert said.status == 1
    assert said.output == "Error: There is no tenant 99; `ecm tenant list` shows those there are.\n"


def test_an_authority_is_the_owners_to_add_and_anybodys_to_list(database: Addresses) -> None:
    theirs = environment(database)
    del theirs["ECM_DATABASE_URL"]
    refused = CliRunner().invoke(main, ["tenant", "add", "Sample Shire"], env=theirs)
    assert (refused.exit_code, "set ECM_DATABASE_URL" in refused.output) == (1, True)
    assert "Example Borough" in CliRunner().invoke(main, ["tenant", "list"], env=theirs).output
    assert len(fetch(database, "SELECT * FROM tenants")) == 1


# ---------------------------------------------------------------- tick, doctor, actuals


@pytest.mark.parametrize("name", STEPS)
def test_a_scheduled_step_runs_by_hand_until_nothing_is_left(ecm: Ecm, name: str) -> None:
    said = ecm("tick", name, "--json")
    assert (said.status, said.answer["name"]) == (0, name)
    assert said.answer["steps"] >= 1


def test_the_doctor_finds_a_service_well_while_its_worker_beats(ecm: Ecm, database: Addresses) -> None:
    execute(
        database, "INSERT INTO heartbeats (process, beat_at) VALUES ('worker one', $1)", datetime.now(UTC)
    )
    said = ecm("doctor", "--json")
    assert (said.status, said.answer["well"]) == (0, True)
    assert {check["name"] for check in said.answer["checks"]} >= {
        "database", "migrations", "worker", "clocks", "backlog",
    }  # fmt: skip


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(ecm: Ecm, empty_database: Addresses) -> None:
    said = ecm("doctor", "--json")
    assert (said.status, said.answer["well"]) == (1, False)
    [worker] = [check for check in said.answer["checks"] if not check["well"]]
    assert worker["name"] == "worker"
    assert "ecm worker" in worker["mend"]

    bare = commands_on(empty_database)("doctor", "--json")
    assert bare.status == 1
    assert "ecm migrate" in next(check["mend"] for check in bare.answer["checks"] if not check["well"])


def test_a_period_is_exported_to_a_file(ecm: Ecm, database: Addresses, tmp_path: Path) -> None:
    execute(
        database,
        "INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on) VALUES (1, '2026-W48', $1, $2)",
        datetime(2026, 11, 23, tzinfo=UTC).date(),
        datetime(2026, 11, 29, tzinfo=UTC).date(),
    )
    target = tmp_path / "week.csv"
    said = ecm("actuals", "export", "--period", "2026-W48", "--output", str(target), "--json")
    assert said.status == 0, said.output
    assert said.answer["bytes"] == target.stat().st_size > 0
    assert ecm("actuals", "export", "--period", "2026-W48", "--format", "papyrus").status == 2


# ---------------------------------------------------------------- serve


def test_a_scaled_clock_is_refused_where_real_people_checked_in(ecm: Ecm, database: Addresses) -> None:
    execute(
        database,
        """INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, body_sha256, body)
           VALUES (1, gen_random_uuid(), now(), 'check_in', now(), 'app', '', '{}')""",
    )
    said = ecm("serve", "--port", "0", "--from", "2026-11-23T06:30:00Z", "--speed", "60", "--json")
    assert said.status == 1
    assert "real events" in said.output
    assert fetch(database, "SELECT * FROM scaled_clock") == []


def test_a_service_without_a_database_says_so_in_one_line(database: Addresses) -> None:
    nowhere = Addresses("postgresql://nobody@127.0.0.1:1/ecm", "postgresql://nobody@127.0.0.1:1/ecm")
    said = commands_on(nowhere)("doctor", "--json")
    assert said.status == 1
    assert "Traceback" not in said.output


# ---------------------------------------------------------------- helpers


def fetch(database: Addresses, query: str, *values: object) -> list[asyncpg.Record]:
    async def once() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database.owner)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    return asyncio.run(once())


def execute(database: Addresses, statement: str, *values: object) -> None:
    fetch(database, statement, *values)


# ---------------------------------------------------------------- telephone lines


def test_a_number_is_given_a_use_and_shown_and_taken_away(ecm: Ecm, database: Addresses) -> None:
    asyncio.run(
        run_as_owner(
            database,
            "INSERT INTO providers (tenant_id, ref, name) VALUES (1, 'P1', 'Amber Home Care');"
            "INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES (1, 'CW-104', 'Beth', 'P1')",
        )
    )
    assert ecm("line", "add", "0113 496 0900", "--language", "cy", "--json").answer == {
        "number": "+441134960900",
        "use": "interview",
    }
    assert ecm("line", "add", "0113 496 0900", "--call-back").status == 0
    assert ecm("line", "add", "0113 496 0900", "--use", "sms").status == 0
    assert ecm("line", "add", "0113 496 0904", "--use", "unanswered", "--worker", "CW-104").status == 0
    assert [line["use"] for line in ecm("line", "list", "--json").answer["lines"]] == [
        "interview",
        "sms",
        "unanswered",
    ]
    assert "+441134960900    interview, in en, rings homes back" in ecm("line", "list").output
    assert ecm("line", "remove", "0113 496 0900", "--use", "sms").status == 0
    assert len(ecm("line", "list", "--json").answer["lines"]) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["12"], "not a telephone number"),
        (["0113 496 0900", "--worker", "CW-104"], "goes with --use unanswered"),
        (["0113 496 0900", "--use", "unanswered"], "goes with --use unanswered"),
        (["0113 496 0900", "--use", "unanswered", "--worker", "CW-9"], "no care worker CW-9"),
    ],
)
def test_a_number_nobody_could_use_is_refused_in_one_line(ecm: Ecm, arguments: list[str], why: str) -> None:
    refused = ecm("line", "add", *arguments)
    assert refused.status == 1
    assert why in refused.output
    assert ecm("line", "list", "--json").answer["lines"] == []


async def run_as_owner(database: Addresses, statement: str) -> None:
    connection = await asyncpg.connect(database.owner)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


# ---------------------------------------------------------------- phones


def test_a_code_for_a_phone_is_made_for_a_care_worker_of_ours(ecm: Ecm, tmp_path: Path) -> None:
    providers, workers = tmp_path / "providers.csv", tmp_path / "care-workers.csv"
    providers.write_text(PROVIDERS)
    workers.write_text("ref,name,provider_ref\nCW-1,Alice Archer,north\n")
    assert ecm("import", "providers", str(providers)).status == 0
    assert ecm("import", "care-workers", str(workers)).status == 0
    made = ecm("phone", "code", "--worker", "CW-1", "--json").answer
    assert made["url"].endswith(f"/app#enrol={made['code']}")
    assert ecm("phone", "code", "--provider", "north").status == 0
    for wrong in (["--worker", "CW-2"], [], ["--worker", "CW-1", "--provider", "north"]):
        assert ecm("phone", "code", *wrong).status == 1


def test_an_authority_says_how_long_positions_are_kept(ecm: Ecm, database: Addresses) -> None:
    assert ecm("tenant", "positions", "60", "--json").answer == {"tenant_id": 1, "positions_kept_days": 60}
    kept = in_a_loop_of_its_own(fetch_value(database.owner, "SELECT positions_kept_days FROM tenants"))
    assert kept == 60
    assert ecm("tenant", "positions", "34").status == 2, "a month has to be looked at and paid"
    assert ecm("tenant", "positions", "60", "--tenant", "7").status == 1
