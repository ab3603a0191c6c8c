"""A whole service in processes of its own, started, ended and killed as an operator or an accident would.

Signals go only to processes that were started here: our own children, which nobody else can have reaped, and the
PostgreSQL of our own data folder, told from any other by name and working directory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from ecm.store.embedded import Addresses, EmbeddedPostgres
from ecm.store.embedded.postmaster import living_postmaster, shut_down
from ecm.store.embedded.processes import all_in, works_in
from tests.ports import free_port
from tests.postgres import roomy

UP_SECONDS = 180.0
DOWN_SECONDS = 30.0
COMMAND_SECONDS = 120.0


@dataclass(slots=True)
class Process:
    """One of our processes, which may be killed and started again. Its output goes to one log file."""

    arguments: list[str]
    log: Path
    environment: dict[str, str]
    child: subprocess.Popen[bytes] | None = None

    @property
    def lives(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def start(self) -> None:
        assert not self.lives
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "ecm", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9. A child that we have not reaped keeps its number, so nobody else can be hit."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def end(self) -> None:
        if self.child is not None and self.lives:
            self.child.terminate()
            try:
                self.child.wait(DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass(slots=True)
class Service:
    """`ecm serve` on a data folder of its own, and helpers beside it. `logs` outlives the data."""

    data: Path
    logs: Path
    port: int
    serve: Process
    beside: list[Process] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        for process in (self.serve, *self.beside):
            if not process.lives:
                process.start()

    def end(self) -> None:
        for process in (*self.beside, self.serve):
            process.end()

    def wait_until_up(self) -> dict[str, Any]:
        """What /healthz says. TimeoutError with the log's end when nobody answers in time."""
        give_up_at = time.monotonic() + UP_SECONDS
        while time.monotonic() < give_up_at:
            if (said := self.health()) is not None:
                return said
            if not self.serve.lives:
                break
            time.sleep(0.05)
        raise TimeoutError(
            f"the service does not answer; its log ends:\n{self.serve.log.read_text()[-3000:]}"
        )

    def mend(self) -> dict[str, Any]:
        """As a supervisor would: whatever has ended is started again, until the service answers. TimeoutError."""
        give_up_at = time.monotonic() + UP_SECONDS
        while time.monotonic() < give_up_at:
            self.start()
            if (said := self.health()) is not None:
                return said
            time.sleep(0.1)
        raise TimeoutError(
            f"the service did not come back; its log ends:\n{self.serve.log.read_text()[-3000:]}"
        )

    def health(self) -> dict[str, Any] | None:
        try:
            answer = httpx.get(f"{self.url}/healthz", timeout=2.0, trust_env=False)
        except httpx.HTTPError:
            return None
        return dict(answer.json()) if answer.status_code == 200 else None

    def command(self, *arguments: str, timeout_seconds: float = COMMAND_SECONDS) -> dict[str, Any]:
        """`ecm …` beside the service; its one JSON object. AssertionError with its output when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "ecm", *arguments, "--data", str(self.data), "--json"],
            env=self.serve.environment,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        assert done.returncode == 0, f"ecm {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))

    def key(self, *scopes: str) -> str:
        asked = [part for scope in scopes for part in ("--scope", scope)]
        return str(self.command("key", "create", "proof", *asked)["key"])

    @contextmanager
    def database(self) -> Iterator[Addresses]:
        """Where the data is, for reading it directly."""
        server = EmbeddedPostgres(self.data)
        try:
            yield server.start()
        finally:
            server.stop()

    # ------------------------------------------------------------------ accidents

    def kill_postmaster(self, _rng: Random) -> bool:
        """kill -9 of our own postmaster; False if there is none just now."""
        postmaster = living_postmaster(self.data / "postgres")
        return postmaster is not None and _killed(postmaster, self.data / "postgres")

    def kill_backend(self, rng: Random) -> bool:
        """kill -9 of one of its children, whichever; False if there is none just now."""
        postmaster = living_postmaster(self.data / "postgres")
        if postmaster is None:
            return False
        try:
            children = postmaster.children()
        except psutil.Error:
            return False
        return bool(children) and _killed(rng.choice(children), self.data / "postgres")

    def kill_serve(self, _rng: Random) -> bool:
        return _killed_process(self.serve)

    def kill_worker(self, rng: Random) -> bool:
        return bool(self.beside) and _killed_process(rng.choice(self.beside))


Accident = Callable[[Random], bool]


def _killed(process: psutil.Process, pgdata: Path) -> bool:
    """psutil refuses when the number has been given to another process since."""
    if not works_in(process, pgdata):
        return False
    try:
        process.kill()
    except psutil.Error:
        return False
    return True


def _killed_process(process: Process) -> bool:
    if not process.lives:
        return False
    process.kill()
    return True


@contextmanager
def a_service(*, starts_at: str, speed: float, workers_beside: int = 0) -> Iterator[Service]:
    """A service on a scaled clock and a fresh folder. Whatever happens, nothing of it is left running.

    In memory where there is room: what is proven here is about processes, not power cuts, and a recovery that syncs
    a thousand files to a busy disk would take the day's place.
    """
    home = Path(tempfile.mkdtemp(prefix="ecm-proof-", dir=roomy()))
    home.chmod(0o711)
    data, logs, port = home / "data", home / "logs", free_port()
    logs.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ECM_")}
    where = ["--data", str(data)]
    scale = ["--from", starts_at, "--speed", f"{speed:g}"]
    service = Service(
        data,
        logs,
        port,
        Process(["serve", "--port", str(port), *where, *scale], logs / "serve.log", environment),
        [
            Process(["worker", *where], logs / f"worker-{number}.log", environment)
            for number in range(1, workers_beside + 1)
        ],
    )
    ended = signal.signal(signal.SIGTERM, _exit)
    try:
        service.serve.start()
        service.wait_until_up()
        service.start()
        yield service
    finally:
        service.end()
        stop_database(data)
        signal.signal(signal.SIGTERM, ended)
        if os.environ.get("ECM_PROOF_KEEP"):
            print(f"kept: {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)


def stop_database(data: Path) -> None:
    """A killed service leaves its PostgreSQL running."""
    if all_in(data / "postgres"):
        shut_down(data / "postgres")


def _exit(number: int, _frame: object) -> None:
    sys.exit(128 + number)
