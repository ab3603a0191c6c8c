"""Telling a living server from what a dead one left behind, and ending either with care.

postmaster.pid proves nothing by itself. Its pid may be a zombie that no one has reaped (usual in
containers), or have been given to another program since; and when a postmaster is killed its backends live
on for a moment with the shared memory still in their hands. Only this counts as the server of a folder:

    a process that is not a zombie, is named postgres, and works in that folder

A postmaster and all its children work in PGDATA, so the working directory tells them from any other
cluster's.
"""

import os
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from ecm.store.embedded.account import Account
from ecm.store.embedded.binaries import Binaries
from ecm.store.embedded.cluster import DATABASE, OWNER, PORT, Home, clean_environment
from ecm.store.embedded.errors import ElsewhereError, NotStoppedError
from ecm.store.embedded.processes import all_in, end, works_in

LOG_LIMIT_BYTES = 10_000_000
PROTOCOL_3 = 3 << 16

SHUT_DOWN = (
    (signal.SIGINT, 30.0),
    (signal.SIGQUIT, 10.0),
)  # "fast", then "immediate": recovery at the next start
END_SURVIVORS = ((None, 0.5), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))  # most notice by themselves

# Servers this process started. Kept so that a dead one is reaped, and so that a living one may outlast its
# handle.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class PidFile:
    """What the postmaster says of itself; `status` is "starting", "ready", "standby" or "stopping"."""

    pid: int
    port: int
    socket_dir: Path
    status: str


def read_pid_file(pgdata: Path) -> PidFile | None:
    """None when there is none, or when it is not all there: a starting server writes it in steps."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        return PidFile(int(lines[0]), int(lines[3]), Path(lines[4]), lines[7].strip())
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None


def living_postmaster(pgdata: Path) -> psutil.Process | None:
    _bury_the_dead()
    pid = _pid_in_file(pgdata)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return None
    return process if works_in(process, pgdata) else None


def is_ready(pgdata: Path) -> bool:
    """Whether the server of `pgdata` takes connections: it says so, and it answers one."""
    said = read_pid_file(pgdata)
    return said is not None and said.status == "ready" and answers(said.socket_dir, said.port)


def answers(socket_dir: Path, port: int) -> bool:
    """Knocks: whether a server asks for the owner's password. (Sends PostgreSQL's startup message, and
    hangs up.)"""
    wish = f"user\0{OWNER}\0database\0{DATABASE}\0\0".encode()
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(2.0)
        try:
            knock.connect(str(socket_dir / f".s.PGSQL.{port}"))
            knock.sendall(struct.pack("!ii", len(wish) + 8, PROTOCOL_3) + wish)
            return knock.recv(1024)[:1] == b"R"  # all of it, or hanging up looks like a fault in the log
        except OSError:
            return False


def launch(home: Home, binaries: Binaries, account: Account, socket_dir: Path) -> subprocess.Popen[bytes]:
    """Starts a postmaster in a session of its own, so that Ctrl-C reaches us and not the database."""
    if home.log.exists() and home.log.stat().st_size > LOG_LIMIT_BYTES:
        home.log.rename(home.log.with_suffix(".log.1"))
    with os.fdopen(os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        home.give_to_owner(home.log)
        child = subprocess.Popen(  # noqa: S603
            [binaries.bin_dir / "postgres", "-D", home.pgdata, "-k", socket_dir, "-p", str(PORT)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,
            **account.spawn,
        )
    _children[child.pid] = child
    return child


def clear_leftovers(pgdata: Path, socket_dir: Path) -> None:
    """Takes away what a dead server left, so that a new one can start. The caller holds the starter's lock.

    The pid file goes last: until the old backends are gone it is what stops a second server from starting.
    Raises NotStoppedError, and ElsewhereError when a server we cannot see (another container's) is using
    the folder.
    """
    left = read_pid_file(pgdata)
    if left and answers(left.socket_dir, left.port):
        raise ElsewhereError(socket=left.socket_dir, path=pgdata)
    survivors = end(lambda: all_in(pgdata), END_SURVIVORS)
    if survivors:
        raise _not_stopped(pgdata, survivors)
    for socket_file in socket_dir.glob(".s.PGSQL.*"):
        socket_file.unlink(missing_ok=True)
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def shut_down(pgdata: Path) -> None:
    """Stops the server of `pgdata`, if it runs, and waits until it has. Raises NotStoppedError."""

    def still_there() -> list[psutil.Process]:
        process = living_postmaster(pgdata)
        return [process] if process else []

    running = living_postmaster(pgdata)
    if stubborn := end(still_there, SHUT_DOWN):
        raise _not_stopped(pgdata, stubborn)
    if running and (child := _children.pop(running.pid, None)):
        child.wait()  # its pid file goes a moment before it does; one that nobody reaps stays as a zombie


def _bury_the_dead() -> None:
    """Of all, not of one folder: a server's pid file may go before it does, or with the folder."""
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)


def _pid_in_file(pgdata: Path) -> int | None:
    try:
        pid = int((pgdata / "postmaster.pid").read_text().partition("\n")[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return pid if pid > 0 else None


def _not_stopped(pgdata: Path, processes: list[psutil.Process]) -> NotStoppedError:
    return NotStoppedError(path=pgdata, pids=", ".join(str(process.pid) for process in processes))
