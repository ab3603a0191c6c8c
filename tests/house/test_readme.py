"""The README's own commands, as they stand there, against a service that runs."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ecm.store.embedded import Addresses
from tests.house.repository import ROOT
from tests.ports import free_port

BLOCKS = re.findall(
    r"<!-- run by tests/house/test_readme.py -->\n```sh\n(.*?)^```",
    (ROOT / "README.md").read_text(),
    re.M | re.S,
)


@dataclass(frozen=True, slots=True)
class Service:
    port: int
    environment: dict[str, str]

    def does(self, script: str, where: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8001", f"127.0.0.1:{self.port}")],
            cwd=where,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def service(database: Addresses) -> Iterator[Service]:
    """`ecm serve` on a database of the test's own: what the README has in its first terminal."""
    port = free_port()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "ECM_DATABASE_URL": database.owner,
        "ECM_APP_DATABASE_URL": database.app,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ecm", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Service(port, environment)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    give_up_at = time.monotonic() + 120
    while time.monotonic() < give_up_at:
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"{url} never answered")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
def test_a_newcomers_own_people_and_check_in(service: Service, tmp_path: Path) -> None:
    own_people, check_in = BLOCKS
    imported = service.does(own_people, tmp_path)
    assert imported.returncode == 0, imported.stdout + imported.stderr
    assert imported.stdout.count("new 1,") == 5, imported.stdout
    sent = service.does(check_in, tmp_path)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    receipt, visits = (
        json.loads(part) for part in re.split(r"(?<=\})\n?(?=\{)", sent.stdout.strip(), maxsplit=1)
    )
    assert receipt["status"] == "created"
    (visit,) = visits["items"]
    assert visit["ref"] == "V-1"
    assert visit["state"] in ("in_progress", "overrunning")  # the latter where the machine knows no zones
    assert "location_inside" in {finding["code"] for finding in visit["findings"]}
