"""A throw-away database for each test that wants one, on a real server.

One embedded cluster per test session (and per xdist worker), one migrated template in it, and a copy of the
template for each test: 50 ms instead of a second. ECM_TEST_POSTGRES_BIN=/usr/lib/postgresql/15/bin runs it
all on that server.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import os
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from ecm.store.embedded import Addresses, Binaries, EmbeddedPostgres, binaries_in
from ecm.store.migrate import migrate

T = TypeVar("T")

TEMPLATE = "migrated"


# Their servers are made by functions and not by fixtures.
WITH_SERVERS_OF_THEIR_OWN = ("tests/store/", "tests/house/test_compose.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--asking-postgres",
        action="store_true",
        help="only tests that have a server, and can tell one from another",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--asking-postgres"):
        config.hook.pytest_deselected(items=[item for item in items if not asks_postgres(item)])
        items[:] = filter(asks_postgres, items)


def asks_postgres(item: pytest.Item) -> bool:
    given = {"cluster", "data_dir"} & set(getattr(item, "fixturenames", ()))
    return bool(given) or item.nodeid.startswith(WITH_SERVERS_OF_THEIR_OWN)


@dataclass(frozen=True, slots=True)
class Cluster:
    """`server` is the session's own: tests may use it, and never stop it. `addresses` lead to its empty
    database."""

    server: EmbeddedPostgres
    addresses: Addresses
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def create(self, template: str = "template0") -> Addresses:
        """A new database: empty, or a copy of `template`."""
        name = f"story_{next(self._numbers)}"
        # Its files are copied as files: through the log, each page would be written once more.
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.to(name)

    def drop(self, database: Addresses) -> None:
        """Ends whatever is still connected to it."""
        self.run(f"DROP DATABASE {urlsplit(database.owner).path[1:]} WITH (FORCE)")

    def to(self, name: str) -> Addresses:
        return Addresses(at(self.addresses.owner, name), at(self.addresses.app, name))

    def run(self, statement: str) -> None:
        in_a_loop_of_its_own(execute(self.addresses.owner, statement))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server with a migrated template database."""
    with server_folder() as folder:
        server = EmbeddedPostgres(folder, binaries_under_test())
        try:
            cluster = Cluster(server, server.start())
            in_a_loop_of_its_own(make_quick(cluster.addresses))
            cluster.run(f"CREATE DATABASE {TEMPLATE}")
            in_a_loop_of_its_own(migrate(cluster.to(TEMPLATE).owner))
            yield cluster
        finally:
            server.stop()


async def make_quick(addresses: Addresses) -> None:
    """What nobody asks of databases that go with their test: to outlive a power cut, and a password that is slow to
    guess (each login would pay for it, on both sides). What a crash leaves, tests with servers of their own ask."""
    connection = await asyncpg.connect(addresses.owner)
    try:
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
        for dsn in (addresses.owner, addresses.app):
            login = urlsplit(dsn)
            assert login.username
            assert login.password
            await connection.execute(f"ALTER ROLE {login.username} PASSWORD '{scram(login.password)}'")
    finally:
        await connection.close()


def scram(password: str) -> str:
    """How PostgreSQL keeps a password (RFC 5802), with one round in place of 4,096."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    keys = (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))
    first, second, third = (base64.b64encode(key).decode() for key in keys)
    return f"SCRAM-SHA-256$1:{first}${second}:{third}"


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Addresses]:
    """A migrated database of the test's own: `.owner` and `.app`."""
    database = cluster.create(TEMPLATE)
    yield database
    cluster.drop(database)


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[Addresses]:
    """A database of the test's own with nothing in it."""
    database = cluster.create()
    yield database
    cluster.drop(database)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder for a test that starts its own server; unlike tmp_path, root's server may get there
    too."""
    with server_folder() as folder:
        yield folder


@contextmanager
def server_folder(below: Path | None = None) -> Iterator[Path]:
    """A folder for a cluster that goes when the block ends; in memory where there is room, for a test's
    data need outlive processes, not power cuts. (Not below tmp_path: the server of root may not go there,
    and a socket's path must be short.)"""
    parent = Path(tempfile.mkdtemp(prefix="ecm-test-", dir=below or roomy()))
    parent.chmod(0o711)
    try:
        yield parent / "data"
    finally:
        shutil.rmtree(parent)


def roomy() -> Path:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4e9 else Path("/tmp")


def binaries_under_test() -> Binaries | None:
    chosen = os.environ.get("ECM_TEST_POSTGRES_BIN")
    if not chosen:
        return None
    binaries = binaries_in(Path(chosen))
    assert binaries, f"ECM_TEST_POSTGRES_BIN={chosen} holds no usable PostgreSQL"
    return binaries


def at(dsn: str, name: str) -> str:
    """The same login in another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fetch_value(dsn: str, query: str, *values: object) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


def in_a_loop_of_its_own(work: Coroutine[Any, Any, T]) -> T:
    """For fixtures of tests with and without a running loop alike."""
    with ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(asyncio.run, work).result()
