"""docker-compose.yml without Docker: the same logins made by the same SQL, the same commands as the same kind of
nobody, on a real PostgreSQL. What only Docker can show (images, networks, capabilities) is not shown here."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ecm.store.embedded import EmbeddedPostgres, barred_at, find_binaries
from ecm.store.embedded.account import SpawnAs, server_account
from tests.house.repository import ROOT
from tests.ports import free_port
from tests.postgres import at, binaries_under_test, execute, in_a_loop_of_its_own, roomy

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PATIENCE_S = 120
PYTHON_PATH = os.pathsep.join([str(ROOT), sysconfig.get_paths()["purelib"]])


@dataclass
class Production:
    """`secrets` holds the files that the services are given; `port` is where `web` will listen."""

    superuser: str
    secrets: Path
    nowhere: Path
    account: SpawnAs
    python: str
    port: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def environment(self, service: str) -> dict[str, str]:
        """What compose would give the service, with this machine's paths and port, and nothing else."""
        given = COMPOSE["services"][service].get("environment", {})
        ours = {
            name: value.replace("/run/secrets", str(self.secrets))
            for name, value in given.items()
            if not value.startswith("${")
        }
        python = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": PYTHON_PATH}
        return (
            python
            | ours
            | ({"ECM_PORT": str(self.port), "ECM_HOST": "127.0.0.1"} if service == "web" else {})
        )

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command as this service: `ecm …` unless it names another program."""
        return subprocess.run(
            self._command(service, command),
            env=self.environment(service),
            cwd=self.nowhere,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            **self.account,
        )

    def start(self, service: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self._command(service, ()),
            env=self.environment(service),
            cwd=self.nowhere,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.account,
        )
        self.started.append(process)
        return process

    def is_well(self, service: str) -> bool:
        """What the service's own health check says."""
        _, *command = COMPOSE["services"][service]["healthcheck"]["test"]
        return (
            self.run(service, *(word.replace(":8000", f":{self.port}") for word in command)).returncode == 0
        )

    def tool(self, name: str, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's own programs."""
        program = (binaries_under_test() or find_binaries()).bin_dir / name
        return subprocess.run([program, *arguments], check=True, timeout=PATIENCE_S, **how)

    def end(self) -> None:
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.communicate(timeout=PATIENCE_S)

    def _command(self, service: str, command: tuple[str, ...]) -> list[str]:
        program, *rest = command or ("ecm", *COMPOSE["services"][service]["command"])
        if program in ("ecm", "python"):
            return [self.python, *(["-m", "ecm"] if program == "ecm" else []), *rest]
        return [program, *rest]


@contextmanager
def production() -> Iterator[Production]:
    """A server with nobody in it but the logins that compose makes."""
    # Not below /dev/shm's noexec or a folder of root's: the services run as somebody else.
    home = Path(tempfile.mkdtemp(prefix="ecm-house-", dir=roomy()))
    home.chmod(0o711)
    server = EmbeddedPostgres(home / "data", binaries_under_test())
    try:
        superuser = at(server.start().owner, "postgres")
        for statement in ("DROP DATABASE ecm", "DROP ROLE ecm_app"):  # the embedded service's own
            in_a_loop_of_its_own(execute(superuser, statement))
        account = server_account(home / "data" / "postgres").spawn
        python = _python_for_anybody()
        # Where nobody but root can read the program, root it is; a test says that it was.
        lent = account if python and barred_at(ROOT) is None else {}
        made = Production(
            superuser, home / "secrets", home / "nowhere", lent, python or sys.executable, free_port()
        )
        _give_secrets(made)
        made.nowhere.mkdir()
        made.nowhere.chmod(0o555)
        try:
            _make_logins(made)
            yield made
        finally:
            made.end()
    finally:
        server.stop()
        shutil.rmtree(home)


def _python_for_anybody() -> str | None:
    """This interpreter, or the machine's own of the same version: root's may stand in root's folder."""
    own = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, own):
        if Path(python).exists() and barred_at(Path(python).resolve().parent) is None:
            return python
    return None


def _give_secrets(made: Production) -> None:
    where = urlsplit(made.superuser)
    made.secrets.mkdir(mode=0o711)
    for name, login in (("database_url", "ecm_migrate"), ("app_database_url", "ecm_app")):
        secret = made.secrets / name
        password = os.urandom(16).hex()
        secret.write_text(f"{where.scheme}://{login}:{password}@/ecm?{where.query}\n")
        secret.chmod(0o444)
    others = {
        "sealing_key": b64encode(os.urandom(32)) + b"\n",
        "smtp_password": b"",  # a mail server that asks for none
        "webhook_secret": os.urandom(24).hex().encode() + b"\n",
    }
    for name, content in others.items():
        secret = made.secrets / name
        secret.write_bytes(content)
        secret.chmod(0o444)


def _make_logins(made: Production) -> None:
    script = COMPOSE["configs"]["logins"]["content"].replace("/run/secrets", str(made.secrets))
    made.tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", made.superuser, input=script, text=True)
