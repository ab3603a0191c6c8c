"""A database is brought up to date once, completely, and only from files it can trust."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from ecm.store.embedded import Addresses
from ecm.store.migrate import MIGRATIONS, MigrationError, current_version, migrate, pending, read_files
from tests.postgres import Cluster, execute, fetch_value

HOMES = "CREATE TABLE homes (ref text PRIMARY KEY);"
VISITS = "CREATE TABLE visits (ref text PRIMARY KEY, home text REFERENCES homes);"
NOTES = "ALTER TABLE visits ADD note text;"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path


def write(files: Path, **sql: str) -> Path:
    """`_0001_homes=…` writes 0001_homes.sql."""
    for name, text in sql.items():
        (files / f"{name[1:]}.sql").write_text(text)
    return files


async def test_an_empty_database_is_brought_up_to_date_and_then_left_alone(
    empty_database: Addresses, files: Path
) -> None:
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=VISITS)
    assert await current_version(owner) == 0
    assert await pending(owner, migrations=files) == ["0001_homes", "0002_visits"]
    assert await migrate(owner, migrations=files) == ["0001_homes", "0002_visits"]
    assert await migrate(owner, migrations=files) == []
    write(files, _0003_notes=NOTES)
    assert await pending(owner, migrations=files) == ["0003_notes"]
    assert await migrate(owner, migrations=files) == ["0003_notes"]
    assert await current_version(owner) == 3
    assert await fetch_value(owner, "SELECT count(note) FROM visits") == 0


async def test_our_own_migrations_apply_and_nothing_is_left_to_do(empty_database: Addresses) -> None:
    applied = await migrate(empty_database.owner)
    assert applied == [migration.name for migration in read_files(MIGRATIONS)]
    assert await pending(empty_database.owner) == []


async def test_four_migrators_at_once_apply_each_file_once(empty_database: Addresses, files: Path) -> None:
    write(files, _0001_homes=HOMES + "SELECT pg_sleep(0.2);", _0002_visits=VISITS)
    done = await asyncio.gather(*(migrate(empty_database.owner, migrations=files) for _ in range(4)))
    assert sorted(done, key=len) == [[], [], [], ["0001_homes", "0002_visits"]]
    assert await current_version(empty_database.owner) == 2


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        ("SELECT note FROM visits;", '0002_visits, line 3: column "note" does not exist'),
        ("INSERT INTO schema_migrations VALUES (2, '', '')", "0002_visits: duplicate key"),
    ],
    ids=["in the file", "in the ledger, after it"],
)
async def test_a_failing_migration_leaves_nothing_and_says_where(
    empty_database: Addresses, files: Path, mistake: str, complaint: str
) -> None:
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=f"{VISITS}\n\n{mistake}")
    with pytest.raises(MigrationError, match=complaint):
        await migrate(owner, migrations=files)
    assert await fetch_value(owner, "SELECT to_regclass('visits') IS NULL")
    assert await current_version(owner) == 1
    write(files, _0002_visits=VISITS)
    assert await migrate(owner, migrations=files) == ["0002_visits"]


async def test_a_file_changed_after_it_was_applied_is_refused(empty_database: Addresses, files: Path) -> None:
    owner = empty_database.owner
    write(files, _0001_homes=HOMES)
    await migrate(owner, migrations=files)
    write(files, _0001_homes=HOMES + " -- tidied", _0002_visits=VISITS)
    for refusing in (migrate, pending):
        with pytest.raises(MigrationError, match="0001_homes has changed since it was applied"):
            await refusing(owner, migrations=files)
    assert await fetch_value(owner, "SELECT to_regclass('visits') IS NULL")
    (files / "0001_homes.sql").write_bytes(HOMES.encode())
    (files / "0002_visits.sql").write_bytes(VISITS.encode() + b"\r\n")
    assert await migrate(owner, migrations=files) == ["0002_visits"]
    (files / "0002_visits.sql").write_bytes(VISITS.encode() + b"\n")
    assert await pending(owner, migrations=files) == [], "line ends are the checkout's business"


async def test_an_older_program_refuses_a_newer_database(empty_database: Addresses, files: Path) -> None:
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=VISITS)
    await migrate(owner, migrations=files)
    (files / "0002_visits.sql").unlink()
    with pytest.raises(MigrationError, match="0002_visits, which this version of ecm does not know"):
        await migrate(owner, migrations=files)


async def test_a_ledger_that_skips_a_number_is_refused(empty_database: Addresses, files: Path) -> None:
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=VISITS, _0003_notes=NOTES)
    await migrate(owner, migrations=files)
    await execute(owner, "DELETE FROM schema_migrations WHERE number = 2")
    with pytest.raises(MigrationError, match="lacks 0002_visits, although it has the later 0003_notes"):
        await migrate(owner, migrations=files)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no migrations were found"),
        (["0001_homes", "0003_notes"], "there is no migration 0002, but there is 0003_notes"),
        (["0002_visits"], "there is no migration 0001"),
        (["0001_homes", "0001_visits"], "two migrations have the number 0001"),
        (["0001_homes", "2_visits"], "2_visits.sql is not named like"),
        (["0001_homes", "0002"], "0002.sql is not named like"),
    ],
)
def test_misnumbered_files_are_refused_before_the_database_is_touched(
    files: Path, names: list[str], complaint: str
) -> None:
    for name in names:
        (files / f"{name}.sql").write_text("SELECT 1")
    (files / "README.md").write_text("not a migration")
    with pytest.raises(MigrationError, match=complaint):
        read_files(files)


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("SELECT 1;\nCOMMIT;", "line 2: a migration is one transaction and may not say COMMIT"),
        ("begin transaction;", "line 1: .* begin"),
        ("DO $$\nBEGIN\n  PERFORM 1;\nEND;\n$$;", None),
    ],
)
def test_a_file_may_not_end_its_own_transaction(files: Path, sql: str, refused: str | None) -> None:
    write(files, _0001_homes=sql)
    if refused is None:
        assert len(read_files(files)) == 1
    else:
        with pytest.raises(MigrationError, match=refused):
            read_files(files)


async def test_check_ins_go_on_while_a_migration_waits_for_a_busy_table(
    empty_database: Addresses, files: Path
) -> None:
    """A report holds `visits`. The migration must wait for it; the check-ins behind the migration need not."""
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=VISITS)
    await migrate(owner, migrations=files)
    write(files, _0003_notes=NOTES)
    report = await asyncpg.connect(owner)
    reading = report.transaction()
    await reading.start()
    await report.execute("SELECT count(*) FROM visits")

    migrating = asyncio.create_task(migrate(owner, migrations=files))
    door = await asyncpg.connect(owner)
    for number in range(2):
        async with asyncio.timeout(30):
            while not await door.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'visits'::regclass AND NOT granted)"
            ):
                await asyncio.sleep(0.01)
        # It has asked for its lock, and gives way: the report goes on for as long as we like.
        await door.execute("INSERT INTO visits (ref) VALUES ($1)", f"V{number}", timeout=60)
    assert not migrating.done()

    await reading.rollback()
    assert await migrating == ["0003_notes"]
    await report.close()
    await door.close()


async def test_an_owner_who_is_no_superuser_can_migrate(
    cluster: Cluster, empty_database: Addresses, files: Path
) -> None:
    """As on a managed PostgreSQL, where nobody is given a superuser."""
    owner = empty_database.owner
    write(files, _0001_homes=HOMES, _0002_visits=VISITS)
    name = await fetch_value(owner, "SELECT current_database()")
    managed = sign_in_as(owner, "managed_owner", "made-up")
    await execute(owner, "CREATE ROLE managed_owner LOGIN PASSWORD 'made-up'")
    try:
        with pytest.raises(MigrationError, match="permission denied for schema public"):
            await migrate(managed, migrations=files)
        await execute(owner, f"ALTER DATABASE {name} OWNER TO managed_owner")
        assert await migrate(managed, migrations=files) == ["0001_homes", "0002_visits"]
    finally:
        await execute(owner, "REASSIGN OWNED BY managed_owner TO ecm_owner; DROP ROLE managed_owner")


async def test_a_database_that_is_away_is_named_as_the_reason() -> None:
    with pytest.raises(MigrationError, match="the database cannot be reached"):
        await migrate("postgresql://nobody@/ecm?host=/nowhere")


def sign_in_as(dsn: str, login: str, password: str) -> str:
    return f"postgresql://{login}:{password}@{dsn.partition('@')[2]}"
