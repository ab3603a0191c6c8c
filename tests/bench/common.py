"""How every speed is measured: against a baseline of the same run, interleaved, as a median, or not at all.

    a round        the baseline, then the candidate, each for a few seconds
    a run          five rounds or more; its figure is the median of the rounds' ratios
    thrown away    a run whose baseline spreads by more than 25 %; it is repeated, and at last told to be noise

fsync and synchronous_commit stay on. A figure is a module of this package with

    async def measure(bench: Bench) -> Figure        (or a list of them)

and its name in `tests.bench.__main__.FIGURES`. Everything that runs beside the measured process (pgbench, the
load) is a process of its own, on the same machine's cores.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import socket
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import httpx
import psutil

from ecm.store.embedded import Addresses, EmbeddedPostgres, find_binaries
from ecm.store.migrate import migrate

ROUNDS = 5
SPREAD_MAX = 0.25
BUSY_MAX = 0.1  # of all cores, for figures in seconds, which have no baseline to lean on
RUNS_MAX = 3
TEMPLATE = "migrated"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `value` is judged against `goal` and `stretch`: at least (more) or at most (less).

    `details`: what the value came from, for a reader who doubts it. `noise`: the baseline never held still.
    """

    name: str
    what: str
    value: float
    unit: str
    better: Literal["more", "less"]
    goal: float
    stretch: float
    details: str = ""
    noise: bool = False

    @property
    def verdict(self) -> str:
        if self.noise:
            return "noise"
        return "stretch" if self._reaches(self.stretch) else "goal" if self._reaches(self.goal) else "MISSED"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.better == "more" else self.value <= limit


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rates (or seconds) of interleaved rounds."""

    baseline: tuple[float, ...]
    candidate: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return statistics.median(c / b for b, c in zip(self.baseline, self.candidate, strict=True))

    @property
    def spread(self) -> float:
        """Of the baseline: (highest - lowest) / median."""
        return (max(self.baseline) - min(self.baseline)) / statistics.median(self.baseline)

    @property
    def noise(self) -> bool:
        return self.spread > SPREAD_MAX

    def told(self, unit: str) -> str:
        return (
            f"{statistics.median(self.candidate):,.0f} {unit} against {statistics.median(self.baseline):,.0f},"
            f" baseline spread {self.spread:.0%}, {len(self.baseline)} rounds"
        )


@dataclass(slots=True)
class Bench:
    """A server of its own with a migrated template, and the tools to measure beside it."""

    addresses: Addresses
    bin_dir: Path
    rounds: int = ROUNDS
    seconds: float = 4.0
    quick: bool = False
    """A look whether everything still works: small tables and short runs, whose figures mean little."""
    full: bool = False
    measured: list[Figure] = field(default_factory=list)
    """What was measured before, in the same run."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Addresses]:
        """A migrated database, dropped afterwards."""
        name = f"bench_{next(self._numbers)}"
        await execute(self.addresses.owner, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield Addresses(_at(self.addresses.owner, name), _at(self.addresses.app, name))
        finally:
            await execute(self.addresses.owner, f"DROP DATABASE {name} WITH (FORCE)")

    async def pgbench(self, dsn: str, script: str, *, clients: int = 16) -> float:
        """Transactions a second of `script` for `seconds`, prepared, over the socket."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            threads = str(min(clients, os.cpu_count() or 1))
            options = ["-n", "-M", "prepared", "-c", str(clients), "-j", threads]
            options += ["-T", str(max(1, round(self.seconds))), "-f", file.name]
            told = await run([str(self.bin_dir / "pgbench"), *options], env=libpq_env(dsn))
        found = re.search(r"tps = ([\d.]+)", told)
        assert found, told
        return float(found[1])

    async def pgbench_p99_ms(self, dsn: str, script: str, rate: int) -> float:
        """99th percentile of a transaction at a steady rate, from the instant it was meant to begin."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "script.sql"
            file.write_text(script)
            options = ["-n", "-M", "prepared", "-c", "16", "-j", "2", "-R", str(rate), "-l"]
            options += [
                "--log-prefix",
                f"{folder}/took",
                "-T",
                str(max(1, round(self.seconds))),
                "-f",
                str(file),
            ]
            await run([str(self.bin_dir / "pgbench"), *options], env=libpq_env(dsn))
            took_us = sorted(
                int(line.split()[2])
                for log in Path(folder).glob("took*")
                for line in log.read_text().splitlines()
            )
        return took_us[int(len(took_us) * 0.99)] / 1000

    async def compare(
        self, baseline: Callable[[], Awaitable[float]], candidate: Callable[[], Awaitable[float]]
    ) -> Comparison:
        """Interleaved rounds, after one that warms up; repeated while the baseline will not hold still."""
        await baseline()
        await candidate()
        for _ in range(RUNS_MAX):
            rounds = [(await baseline(), await candidate()) for _ in range(self.rounds)]
            compared = Comparison(tuple(b for b, _ in rounds), tuple(c for _, c in rounds))
            if not compared.noise:
                break
        return compared


async def busy_with_others(seconds: float = 1.0) -> float:
    """The share of the machine's cores that somebody else uses while we do nothing."""
    psutil.cpu_percent(None)
    await asyncio.sleep(seconds)
    return psutil.cpu_percent(None) / 100


def say(words: str) -> None:
    """Where a long figure has got to, at once and beside the table."""
    print(f"      {words}", file=sys.stderr, flush=True)


@asynccontextmanager
async def bench_server(
    rounds: int, seconds: float, *, quick: bool = False, full: bool = False
) -> AsyncIterator[Bench]:
    """The embedded PostgreSQL that a user would run, in a folder that goes afterwards."""
    with _folder() as folder:
        server = EmbeddedPostgres(folder)
        try:
            addresses = await asyncio.to_thread(server.start)
            await execute(addresses.owner, f"CREATE DATABASE {TEMPLATE}")
            await migrate(_at(addresses.owner, TEMPLATE))
            yield Bench(addresses, _pgbench_dir(), rounds, seconds, quick, full)
        finally:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def serving(factory: str, env: dict[str, str]) -> AsyncIterator[int]:
    """One uvicorn process with `factory` ("package.module:function"), as in production: its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.serving", factory, str(port)]
    process = await asyncio.create_subprocess_exec(*command, env=os.environ | env)
    try:
        await answering(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def load(port: int, **options: Any) -> dict[str, Any]:
    """Runs `tests.bench.load` in a process of its own: what it counted."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), *words]
    told: dict[str, Any] = json.loads(await run(command))
    assert not told["errors"], told
    return told


async def run(command: Sequence[str], env: dict[str, str] | None = None) -> str:
    """A command's output. Raises RuntimeError with what it complained of."""
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | (env or {}), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaint = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]}: {complaint.decode()}")
    return out.decode()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def libpq_env(dsn: str) -> dict[str, str]:
    """The same address for libpq's own programs."""
    parts = urlsplit(dsn)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {
        "PGHOST": asked.get("host") or parts.hostname or "",
        "PGPORT": asked.get("port") or str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path[1:],
    }


def _at(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


def _pgbench_dir() -> Path:
    on_the_path = shutil.which("pgbench")
    for folder in (find_binaries().bin_dir, *([Path(on_the_path).parent] if on_the_path else [])):
        if (folder / "pgbench").exists():
            return folder
    raise RuntimeError("there is no pgbench, so there is no baseline")


@contextmanager
def _folder() -> Iterator[Path]:
    parent = Path(tempfile.mkdtemp(prefix="ecm-bench-", dir="/tmp"))
    parent.chmod(0o711)
    try:
        yield parent / "data"
    finally:
        shutil.rmtree(parent)


async def answering(port: int, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(200):
            assert process.returncode is None, "the server stopped before it answered"
            try:
                await http.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise RuntimeError("the server did not answer")
