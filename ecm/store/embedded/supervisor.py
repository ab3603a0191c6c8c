"""Starting, sharing, watching and stopping the server of a folder.

Several of our processes may use one folder at once (`ecm serve` beside `ecm import`). Two locks keep them
from each other's throats; the kernel lets go of both when a process dies, however it dies:

    locks/starter   held alone while anyone starts or stops the server
    locks/users     held together by all who use it; whoever can have it alone is the last, and stops the
    server

A process killed outright leaves the server running. The next one to start finds it, and joins.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from ecm.store.embedded.account import Account, barred_at, make_folder, server_account
from ecm.store.embedded.binaries import Binaries, copy_within_reach, find_binaries
from ecm.store.embedded.cluster import (
    Addresses,
    Home,
    addresses,
    make_cluster,
    make_socket_dir,
    write_settings,
)
from ecm.store.embedded.errors import (
    BusyError,
    ClusterGoneError,
    EmbeddedPostgresError,
    NoRoomError,
    NotReadyError,
    NotStartedError,
)
from ecm.store.embedded.postmaster import (
    clear_leftovers,
    is_ready,
    launch,
    living_postmaster,
    read_pid_file,
    shut_down,
)

STARTER_PATIENCE_S = 180.0
READY_PATIENCE_S = 120.0  # recovery after a crash under load takes its time
LOOK_EVERY_S = 0.2
LONGEST_PAUSE_S = 5.0

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(data_dir: Path, binaries: Binaries | None = None) -> AsyncIterator[Addresses]:
    """The server of `data_dir`, made if need be, watched while the block runs, stopped after it by the last
    user.

    Raises EmbeddedPostgresError.
    """
    server = EmbeddedPostgres(data_dir, binaries)
    watching = None
    try:
        found_at = await asyncio.to_thread(server.start)
        watching = asyncio.create_task(server.watch())
        yield found_at
    finally:
        if watching:
            watching.cancel()
        await asyncio.to_thread(server.stop)


class EmbeddedPostgres:
    """One user of the server of one folder. `start` and `stop` block; they may be used from any thread."""

    def __init__(self, data_dir: Path, binaries: Binaries | None = None) -> None:
        """`binaries`: None for the ones that fit. Nothing is touched before `start`."""
        self.home = Home(Path(data_dir).absolute().resolve())
        self._wanted = binaries
        self._users: int | None = None  # our descriptor of locks/users while we use the server
        self._one_at_a_time = threading.RLock()

    def start(self) -> Addresses:
        """Makes the cluster if there is none, starts the server if it does not run, and joins its users.

        Harmless when already started. Raises EmbeddedPostgresError.
        """
        with self._one_at_a_time:
            if self._users is not None:
                return self._bring_up()
            account = server_account(self.home.pgdata)
            make_folder(self.home.folder, account)
            self.home.locks.mkdir(mode=0o700, exist_ok=True)
            self.home.give_to_owner(self.home.locks)
            with self._as_starter():
                self._users = self._lock_file("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
                try:
                    binaries = self._binaries(account)
                    make_cluster(self.home, binaries, account)
                    return self._run(binaries, account)
                except BaseException:
                    self._leave()
                    raise

    def stop(self) -> None:
        """Leaves the server, and stops it if no one else uses it. Harmless when not started. Raises
        NotStoppedError."""
        with self._one_at_a_time:
            if self._users is None:
                return
            with self._as_starter():
                try:
                    if self._is_last_user():
                        shut_down(self.home.pgdata)
                finally:
                    self._leave()

    async def watch(self) -> None:
        """Brings the server back whenever it has died, until `stop`. (A backend's death the postmaster
        mends itself.)

        Tries for ever, since a full disk may be emptied; what went wrong is logged each time.
        """
        pause_s = LOOK_EVERY_S
        while self._users is not None:
            await asyncio.sleep(pause_s)
            if living_postmaster(self.home.pgdata):
                pause_s = LOOK_EVERY_S
                continue
            try:
                if await asyncio.to_thread(self._revive):
                    log.warning("PostgreSQL of %s had died and runs again", self.home.folder)
            except (EmbeddedPostgresError, OSError) as error:
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                log.error("PostgreSQL of %s has died and could not be started: %s", self.home.folder, error)

    def _revive(self) -> bool:
        with self._one_at_a_time:
            if self._users is None:  # stopped while we were on our way
                return False
            self._bring_up()
            return True

    def _bring_up(self) -> Addresses:
        """For a user already joined: never makes a cluster, or a folder lost under us would come back
        empty."""
        if not self.home.pgdata.exists():
            raise ClusterGoneError(path=self.home.pgdata)
        account = server_account(self.home.pgdata)
        with self._as_starter():
            return self._run(self._binaries(account), account)

    def _run(self, binaries: Binaries, account: Account) -> Addresses:
        if not self._joined_a_living_one():
            self._start_one(binaries, account)
        said = read_pid_file(self.home.pgdata)
        if said is None:
            raise NotStartedError(log=self.home.log, output=self._log_since(0))
        return addresses(self.home, said.socket_dir, said.port)

    def _joined_a_living_one(self) -> bool:
        """False also when one lived but was on its way out."""
        living = living_postmaster(self.home.pgdata)
        return living is not None and self._ready_before_death(
            living.pid, lambda: living_postmaster(self.home.pgdata) is not None
        )

    def _start_one(self, binaries: Binaries, account: Account) -> None:
        socket_dir = make_socket_dir(self.home, account)
        clear_leftovers(self.home.pgdata, socket_dir)
        write_settings(self.home, account)
        log_start = self.home.log.stat().st_size if self.home.log.exists() else 0
        child = launch(self.home, binaries, account, socket_dir)
        if not self._ready_before_death(child.pid, lambda: child.poll() is None):
            output = self._log_since(log_start)
            if "No space left on device" in output:
                raise NoRoomError(path=self.home.folder, log=self.home.log, output=output)
            raise NotStartedError(log=self.home.log, output=output)

    def _ready_before_death(self, pid: int, lives: Callable[[], bool]) -> bool:
        """Raises NotReadyError when neither happens in time."""
        give_up_at = time.monotonic() + READY_PATIENCE_S
        while lives():
            if is_ready(self.home.pgdata):
                return True
            if time.monotonic() > give_up_at:
                raise NotReadyError(pid=pid, waited_s=READY_PATIENCE_S, log=self.home.log)
            time.sleep(0.005)
        return False

    def _binaries(self, account: Account) -> Binaries:
        """A cluster is opened only by the major version that made it."""
        made_by = self.home.made_by()
        fit = self._wanted and made_by in (None, self._wanted.major)
        found = self._wanted if self._wanted and fit else find_binaries(made_by)
        if account.lent and found.kind == "wheel" and barred_at(found.bin_dir):
            return copy_within_reach(found, self.home.folder)
        return found

    @contextlib.contextmanager
    def _as_starter(self) -> Iterator[None]:
        """Raises BusyError."""
        descriptor = self._lock_file("starter")
        try:
            give_up_at = time.monotonic() + STARTER_PATIENCE_S
            while not _locked_alone(descriptor):
                if time.monotonic() > give_up_at:
                    raise BusyError(path=self.home.folder, waited_s=STARTER_PATIENCE_S)
                time.sleep(0.01)
            yield
        finally:
            os.close(descriptor)

    def _is_last_user(self) -> bool:
        return self._users is not None and _locked_alone(self._users)

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _lock_file(self, name: str) -> int:
        path = self.home.locks / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.home.give_to_owner(path)
        return descriptor

    def _log_since(self, start: int) -> str:
        text = self.home.log.read_bytes()[start:].decode(errors="replace") if self.home.log.exists() else ""
        return text.strip()[-2000:]


def _locked_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
