"""`make prove-road`: everything the road must show but its installation, one after the other, and one table.

Each part is a command of its own, runs with a limit, and leaves its output in a file; `--only NAME` runs some of them.
The status is 1 when any part failed; a speed that missed its goal fails its part, and its table says which it was.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.prove.table import Line, all_pass, print_table


class Part(NamedTuple):
    name: str
    what: str
    command: tuple[str, ...]
    limit_minutes: int


def _pytest(*nodes: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-q", "-p", "no:cacheprovider", *nodes)


PARTS = (
    Part(
        "day",
        "a Leicester-sized day at speed 240, every visit as it truly was",
        ("-m", "tests.prove.day"),
        12,
    ),
    Part("soak", "the same under kill -9 of the service and of PostgreSQL", ("-m", "tests.prove.soak"), 20),
    Part("board", "the board in a real browser", _pytest("tests/web", "-m", "browser"), 8),
    Part("R5", "a state machine against a naive model", _pytest("tests/processing/test_machine.py"), 6),
    Part("R6", "any order, any repetition: the same answer", _pytest("tests/visit/test_laws.py"), 4),
    Part("R8", "state + frames = looking afresh", _pytest("tests/board/test_live.py", "-k", "afresh"), 4),
    Part(
        "R10",
        "the late committer's row arrives",
        _pytest("tests/board/test_live.py", "-k", "late or commits"),
        4,
    ),
    Part("R11", "clock changes to the minute", _pytest("tests/visit/test_clock_changes.py"), 4),
    Part("R12", "device clocks from -48 h to 2038", _pytest("tests/visit/test_device_clocks.py"), 4),
    Part("R15", "Schemathesis, all checks", _pytest("tests/api/test_schemathesis.py"), 6),
    Part("R17", "hostile files", _pytest("tests/importing", "tests/test_spreadsheet.py"), 6),
    Part("bench", "speeds beside their goals", ("-m", "tests.bench"), 30),
)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.prove.road")
    asked.add_argument("--only", action="append", choices=[part.name for part in PARTS], default=[])
    chosen = asked.parse_args().only
    logs = Path(tempfile.mkdtemp(prefix="ecm-prove-road-"))
    print(f"each part's output is kept in {logs}", flush=True)
    lines = [run(part, logs) for part in PARTS if not chosen or part.name in chosen]
    print_table("The road of one visit", lines)
    return 0 if all_pass(lines) else 1


def run(part: Part, logs: Path) -> Line:
    print(f"{part.name}: {part.what} …", flush=True)
    log = logs / f"{part.name}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        try:
            status = subprocess.run(
                [sys.executable, *part.command],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=part.limit_minutes * 60,
            ).returncode
        except subprocess.TimeoutExpired:
            status = -1
    told = log.read_text("utf-8", "replace")
    print(_table_of(told), flush=True)
    return Line(
        f"{part.name}: {part.what}", _figure(told, began), _goal(part), status == 0 and not _skipped(told)
    )


def _table_of(told: str) -> str:
    """The last block a part printed: its table, or pytest's closing lines."""
    return "\n".join(told.rstrip().splitlines()[-45:] if "\n  " in told else told.rstrip().splitlines()[-3:])


def _figure(told: str, began: float) -> str:
    passed = re.findall(r"(\d+) passed", told)
    took = f"{time.monotonic() - began:.0f} s"
    return f"{passed[-1]} tests, {took}" if passed else took


def _goal(part: Part) -> str:
    return "all pass" if "pytest" in part.command else "its table passes"


def _skipped(told: str) -> bool:
    """A test that was skipped has proved nothing."""
    return bool(re.search(r"\d+ skipped", told))


if __name__ == "__main__":
    sys.exit(main())
