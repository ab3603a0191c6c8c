"""Servers and starters of the tests' own: begun, watched, killed and looked for by other ways than the code's."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil

from ecm.store.embedded import Addresses, Binaries
from ecm.store.embedded.postmaster import living_postmaster
from tests.postgres import fetch_value

A_STARTER = """
import sys
from pathlib import Path
from ecm.store.embedded import EmbeddedPostgres, binaries_in
server = EmbeddedPostgres(Path(sys.argv[1]), binaries_in(Path(sys.argv[2])))
if len(sys.argv) > 3:
    import os
    os.setgroups([]); os.setgid(int(sys.argv[4])); os.setuid(int(sys.argv[3]))
print("here", flush=True)
server.start()
print("started", flush=True)
sys.stdin.readline()
server.stop()
print("stopped", flush=True)
"""


@contextmanager
def a_starter(folder: Path, binaries: Binaries, *become: int) -> Iterator[subprocess.Popen[str]]:
    command: list[str | Path] = [sys.executable, "-c", A_STARTER, folder, binaries.bin_dir, *map(str, become)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        try:
            heard(starter, "here")
            yield starter
        finally:
            starter.kill()


def heard(starter: subprocess.Popen[str], word: str) -> None:
    assert starter.stdout
    assert starter.stdout.readline() == f"{word}\n"


def leave(starter: subprocess.Popen[str]) -> None:
    assert starter.stdin
    starter.stdin.write("\n")
    starter.stdin.flush()
    heard(starter, "stopped")


def the_postmaster(folder: Path) -> psutil.Process:
    process = living_postmaster(folder / "postgres")
    assert process
    return process


def servers_of(folder: Path) -> list[psutil.Process]:
    """Found by their command lines: another way than the code under test."""
    wanted = ["-D", str(folder / "postgres")]
    return [each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [])[1:3] == wanted]


def kill_postmaster(folder: Path) -> int:
    postmaster = the_postmaster(folder)
    postmaster.kill()
    return postmaster.pid


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def since_5_8() -> bool:
    return sys.platform == "linux" and tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (5, 8)


async def back_again(addresses: Addresses) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await fetch_value(addresses.owner, "SELECT 1")
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)
            else:
                return


def soon(what: Callable[[], bool], within_s: float = 30) -> bool:
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        if what():
            return True
        time.sleep(0.005)
    return False


def copy_with_owner(source: str, target: str) -> None:
    shutil.copy2(source, target)
    facts = Path(source).stat()
    os.chown(target, facts.st_uid, facts.st_gid)


def give_like(source: Path, target: Path) -> None:
    for folder in (source, *(each for each in source.rglob("*") if each.is_dir())):
        os.chown(target / folder.relative_to(source), folder.stat().st_uid, folder.stat().st_gid)
