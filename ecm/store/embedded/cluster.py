"""The folder a server lives in, made complete or not at all.

    DIR/postgres       PGDATA, owned by the server's account
    DIR/secrets        the two passwords, readable by us alone
    DIR/socket         where the server listens (a folder in /tmp when DIR's path is too long for a socket)
    DIR/locks          who is starting it, who is using it
    DIR/postgres.log

A cluster is made in a folder of its own and renamed when the database and both logins are in it and
everything is on disk: a machine that stops half-way leaves litter, never half a database.
"""

import hashlib
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ecm.store.embedded.account import Account
from ecm.store.embedded.binaries import Binaries
from ecm.store.embedded.errors import ClusterNotMadeError, SecretsGoneError, UntrustedSocketFolderError
from ecm.store.embedded.processes import all_in, end

DATABASE = "ecm"
OWNER = "ecm_owner"
APP = "ecm_app"
PORT = 5432  # only a part of the socket's name: each cluster has a socket folder of its own
SOCKET_PATH_LIMIT = 107  # bytes, of Linux's sun_path; macOS allows 103
UNFINISHED = "making-"
KILL = ((signal.SIGKILL, 5.0),)

SETTINGS: Mapping[str, str] = {
    # An acknowledged check-in must survive a power cut.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # One folder, one machine: no TCP unless someone asks for it.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    # Short statements gain nothing from compiling.
    "jit": "off",
    # A killed backend must not take the service down.
    "restart_after_crash": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "'iso, ymd'",
    "lc_messages": "'C'",
    "log_checkpoints": "off",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
}

POSTGRESQL_CONF = """\
# ecm.conf is written afresh at each start. Settings of your own go below it, and win.
include 'ecm.conf'
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """DSNs for asyncpg and libpq. `owner` owns everything; `app` owns nothing, inherits nothing, and takes
    each role it needs by the startup parameter `role`."""

    owner: str
    app: str


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder; absolute and free of symbolic links, because processes are recognised by it."""

    folder: Path

    @property
    def pgdata(self) -> Path:
        return self.folder / "postgres"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def locks(self) -> Path:
        return self.folder / "locks"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    def made_by(self) -> int | None:
        """The major version of PostgreSQL that made the cluster; None before there is one."""
        try:
            return int((self.pgdata / "PG_VERSION").read_text().split(".")[0])
        except FileNotFoundError:
            return None

    def give_to_owner(self, path: Path) -> Path:
        """Root may look after an ordinary user's folder without leaving files there that lock the user
        out."""
        if os.geteuid() == 0:
            owner = self.folder.stat()
            os.chown(path, owner.st_uid, owner.st_gid)
        return path


def addresses(home: Home, socket_dir: Path, port: int) -> Addresses:
    """Raises SecretsGoneError."""

    def dsn(login: str) -> str:
        password = _read_password(home, login)
        return (
            f"postgresql://{login}:{password}@/{DATABASE}?host={quote(str(socket_dir), safe='/')}&port={port}"
        )

    return Addresses(owner=dsn(OWNER), app=dsn(APP))


def make_cluster(home: Home, binaries: Binaries, account: Account) -> None:
    """Makes the cluster unless there is one. The caller holds the starter's lock. Raises
    ClusterNotMadeError."""
    for litter in home.folder.glob(f"{UNFINISHED}*"):
        _clear_workshop(litter)
    if home.pgdata.exists():
        return
    _make_passwords(home)
    workshop = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home.folder))
    try:
        _give(workshop, account)
        unfinished = workshop / "postgres"
        _initdb(home, binaries, account, workshop, unfinished)
        _create_database_and_logins(home, binaries, account, unfinished)
        (unfinished / "postgresql.conf").write_text(POSTGRESQL_CONF)
        _run([binaries.bin_dir / "initdb", "--sync-only", "-D", unfinished], account, workshop)
        unfinished.rename(home.pgdata)
        _sync(home.folder)
    finally:
        _clear_workshop(workshop)


def write_settings(home: Home, account: Account) -> None:
    settings = dict(SETTINGS)
    if syncs_file_systems(platform.system(), platform.release()):
        # After a crash everything is synced before it is read: a file system in one go, not each of its files.
        settings["recovery_init_sync_method"] = "syncfs"
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    fresh = home.pgdata / "ecm.conf.new"
    fresh.write_text("".join(lines))
    _give(fresh, account)
    fresh.chmod(0o600)
    fresh.rename(home.pgdata / "ecm.conf")


def syncs_file_systems(system: str, release: str) -> bool:
    """Whether syncfs() is there and to be believed: Linux tells of a failed write since 5.8 only, and a server built
    for another system does not know the setting."""
    version = re.match(r"(\d+)\.(\d+)", release)
    return system == "Linux" and version is not None and (int(version[1]), int(version[2])) >= (5, 8)


def make_socket_dir(home: Home, account: Account) -> Path:
    """A private folder whose path leaves room for the socket's name. Raises UntrustedSocketFolderError."""
    socket_dir = home.folder / "socket"
    if len(os.fsencode(socket_dir / f".s.PGSQL.{PORT}")) > min(SOCKET_PATH_LIMIT, 103):
        name = hashlib.sha256(os.fsencode(home.folder)).hexdigest()[:16]
        socket_dir = Path("/tmp", f"ecm-{name}")  # noqa: S108 (its owner and mode are checked below)
    try:
        socket_dir.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        _give(socket_dir, account)
    facts = socket_dir.lstat()
    if socket_dir.is_symlink() or facts.st_uid != account.uid or facts.st_mode & 0o077:
        raise UntrustedSocketFolderError(path=socket_dir, user=account.name)
    return socket_dir


def _clear_workshop(workshop: Path) -> None:
    """When a starter is killed, its initdb works on for a moment."""
    end(lambda: all_in(workshop), KILL)
    shutil.rmtree(workshop, ignore_errors=True)


def _make_passwords(home: Home) -> None:
    """A start that was cut short may have left them; the next one uses them."""
    home.secrets.mkdir(mode=0o700, exist_ok=True)
    home.give_to_owner(home.secrets)
    for login in (OWNER, APP):
        if (home.secrets / login).exists():
            continue
        fresh = home.secrets / f"{login}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        home.give_to_owner(fresh)
        fresh.rename(home.secrets / login)
    _sync(home.secrets)


def _read_password(home: Home, login: str) -> str:
    try:
        return (home.secrets / login).read_text()
    except FileNotFoundError as gone:
        raise SecretsGoneError(path=home.secrets / login) from gone


def _initdb(home: Home, binaries: Binaries, account: Account, workshop: Path, unfinished: Path) -> None:
    password_file = workshop / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(_read_password(home, OWNER))
    _give(password_file, account)
    fixed: list[str | Path] = [
        binaries.bin_dir / "initdb",
        *("-D", unfinished),
        *("--username", OWNER),
        *("--pwfile", password_file),
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-sync",  # synced once, when all is in it
    ]
    *preferred, last = _locales(binaries.major)
    for locale in preferred:
        try:
            return _run([*fixed, *locale], account, workshop)
        except ClusterNotMadeError:
            shutil.rmtree(unfinished, ignore_errors=True)
    return _run([*fixed, *last], account, workshop)


def _locales(major: int) -> Sequence[Sequence[str]]:
    """Byte order everywhere, so that no upgrade of the machine's library can spoil an index; letters of all
    languages where the server or the machine knows them."""
    if major >= 17:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def _create_database_and_logins(home: Home, binaries: Binaries, account: Account, unfinished: Path) -> None:
    """In single-user mode, where a line is a statement: nobody can connect to a cluster that is half made."""
    password = _read_password(home, APP)
    statements = f"""\
CREATE DATABASE {DATABASE} OWNER {OWNER}
CREATE ROLE {APP} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password}'
"""
    program: list[str | Path] = [binaries.bin_dir / "postgres", "--single", "-D", unfinished]
    _run(
        [*program, "-c", "exit_on_error=on", "-c", "fsync=off", "postgres"],
        account,
        unfinished.parent,
        typed=statements,
    )


def _run(command: Sequence[str | Path], account: Account, workshop: Path, typed: str = "") -> None:
    """Raises ClusterNotMadeError with what the program said."""
    done = subprocess.run(  # noqa: S603
        command,
        input=typed,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=workshop,  # by which the program is found if we die before it does
        env=clean_environment(),
        check=False,
        start_new_session=True,  # Ctrl-C is for us: we decide what becomes of the folder
        **account.spawn,
    )
    if done.returncode != 0:
        raise ClusterNotMadeError(program=Path(command[0]).name, output=done.stdout.strip()[-2000:])


def clean_environment() -> dict[str, str]:
    """PGPORT and its like would lead PostgreSQL's programs astray."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return ours | {"LC_ALL": "C"}


def _give(path: Path, account: Account) -> None:
    if account.lent:
        os.chown(path, account.uid, account.gid)


def _sync(folder: Path) -> None:
    """A rename is on disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
