"""The care workers of a proof: `ecm simulate` in a process of its own, and what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prove.service import Service


@dataclass(slots=True)
class Players:
    """`ecm simulate` on its way. Ends with the counts of API.md, or with what it said instead."""

    child: subprocess.Popen[bytes]
    output: Path

    @property
    def playing(self) -> bool:
        return self.child.poll() is None

    def wait(self, until: float) -> dict[str, Any]:
        """The counts; `until` by time.monotonic(). TimeoutError; AssertionError when there are no counts."""
        while self.playing:
            if time.monotonic() > until:
                raise TimeoutError(f"the simulated day did not end in time:\n{self.said()}")
            time.sleep(0.2)
        last = self.said().strip().splitlines()[-1:]
        assert any(line.startswith("{") for line in last), (
            f"the simulator ended without counts:\n{self.said()}"
        )
        return dict(json.loads(last[0]))

    def said(self) -> str:
        return self.output.read_text()[-20_000:]

    def end(self) -> None:
        if self.playing:
            self.child.kill()
            self.child.wait()


def set_out(service: Service, key: str, *, people: int, providers: int, seed: int, scenario: str) -> Players:
    output = service.logs / "simulate.log"
    asked = {"people": people, "providers": providers, "seed": seed, "scenario": scenario}
    options = [part for name, value in asked.items() for part in (f"--{name}", str(value))]
    with output.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "ecm", "simulate", "--url", service.url, *options, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "ECM_KEY": key},
        )
    return Players(child, output)
