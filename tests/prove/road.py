"""`python -m tests.prove.road` (`make prove-road`): everything the road must show, ending with one table.

Each step is a process of its own, bounded in time, with its whole output in a log file. `--only day` runs one step,
`--only R6` one item. Ends with status 1 when any figure misses its goal.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")

# What PROOF numbers, and the tests that show it.
TESTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "R5": (
        "stories thought up by a machine = all evidence folded afresh",
        ("tests/processing/test_machine.py",),
    ),
    "R6": (
        "the same evidence in any order, twice",
        ("tests/visit/test_laws.py", "tests/processing/test_orders.py"),
    ),
    "R8": (
        "state + frames = state fetched afresh, for every action",
        ("tests/board/test_live.py::test_frames_lead_to_the_same_board_as_looking_afresh",),
    ),
    "R10": (
        "a late committer's row arrives",
        (
            "tests/board/test_live.py::test_a_row_committed_late_arrives_after_those_that_overtook_it",
            "tests/board/test_live.py::test_whoever_takes_a_position_holds_up_the_next_until_it_commits",
        ),
    ),
    "R11": ("clock changes, leap days, week 53: exact minutes", ("tests/visit/test_clock_changes.py",)),
    "R12": ("wrong device clocks are never unflagged", ("tests/visit/test_device_clocks.py",)),
    "R15": ("Schemathesis, all checks", ("tests/api/test_schemathesis.py",)),
    "R17": (
        "hostile files: inert, exact rows, re-import changes nothing",
        (
            "tests/importing/test_hostile_files.py",
            "tests/importing/test_merge.py",
            "tests/test_spreadsheet.py",
            "tests/actuals/test_actuals_api.py",
        ),
    ),
    "commands": ("every command, and a demonstration that moves", ("tests/cli",)),
    "rules": ("the road's stories on a real database", ("tests/processing/test_road.py", "tests/alerts")),
}


class Item(NamedTuple):
    """One line of the table."""

    name: str
    command: str
    figure: str
    goal: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One process. `told` reads the lines of the table out of what it printed and its exit status."""

    name: str
    arguments: tuple[str, ...]
    minutes: float
    told: Callable[[Step, str, int], Iterator[Item]]

    @property
    def command(self) -> str:
        """What somebody types to see it again."""
        if self.told is figures_told or self.told is bench_told:
            return " ".join(("python", *self.arguments))
        return f"python -m tests.prove.road --only {self.name}"


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.prove.road")
    asked.add_argument(
        "--only", action="append", default=[], metavar="STEP", help="of those listed by --list"
    )
    asked.add_argument("--list", action="store_true", help="name the steps and end")
    options = asked.parse_args()
    logs = Path(tempfile.mkdtemp(prefix="ecm-prove-road-"))
    steps = all_steps(logs)
    if options.list:
        print("\n".join(f"{step.name:<10} {step.command}" for step in steps))
        return 0
    if unknown := set(options.only) - {step.name for step in steps}:
        asked.error(f"there is no step {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    items: list[Item] = []
    for step in steps:
        if not options.only or step.name in options.only:
            items += run(step, logs)
    print_table(items, logs)
    return 0 if items and all(item.passed for item in items) else 1


def all_steps(logs: Path) -> list[Step]:
    tests = [
        Step(
            name,
            (*PYTEST, *nodes, f"--junitxml={logs / name}.xml"),
            15,
            lambda s, o, r: tests_told(s, o, r, logs),
        )
        for name, (_, nodes) in TESTS.items()
    ]
    return [
        Step("bench", ("-m", "tests.bench"), 120, bench_told),
        *tests,
        Step(
            "board",
            (*PYTEST, "tests/web", "-m", "browser", f"--junitxml={logs / 'board'}.xml"),
            15,
            lambda s, o, r: tests_told(s, o, r, logs),
        ),
        Step("day", ("-m", "tests.prove.day"), 25, figures_told),
        Step("soak", ("-m", "tests.prove.soak"), 40, figures_told),
    ]


def run(step: Step, logs: Path) -> list[Item]:
    log = logs / f"{step.name}.log"
    print(f"{step.name:<10} {step.command}", file=sys.stderr, flush=True)
    began = time.monotonic()
    with log.open("wb") as output:
        # CI: a browser or a server that is missing fails here, and is not skipped.
        child = subprocess.Popen(
            [sys.executable, "-u", *step.arguments],
            stdout=output,
            stderr=output,
            env=os.environ | {"CI": "1"},
        )
        try:
            status = child.wait(60 * step.minutes)
        except subprocess.TimeoutExpired:
            end(child)
            return [Item(step.name, step.command, "no end", f"{step.minutes:g} minutes", False)]
        except BaseException:
            end(child)
            raise
    items = list(step.told(step, log.read_text(errors="replace"), status))
    print(f"{'':10} {time.monotonic() - began:.0f} s, {'passed' if all(i.passed for i in items) else 'FAILED'}",
          file=sys.stderr, flush=True)  # fmt: skip
    return items or [Item(step.name, step.command, f"status {status}", "a table", False)]


def end(child: subprocess.Popen[bytes]) -> None:
    """First asks, so that a step can stop what it started."""
    child.terminate()
    try:
        child.wait(60)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


# ---------------------------------------------------------------- reading what a step printed


def tests_told(step: Step, _output: str, status: int, logs: Path) -> Iterator[Item]:
    """Tests that were skipped have shown nothing."""
    report = logs / f"{step.name}.xml"
    what = TESTS[step.name][0] if step.name in TESTS else "the board in a real browser"
    if not report.exists():
        yield Item(f"{step.name} {what}", step.command, f"status {status}", "a report", False)
        return
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    run_, failed, skipped = (
        int(suite.get("tests", 0)),
        int(suite.get("failures", 0)) + int(suite.get("errors", 0)),
        int(suite.get("skipped", 0)),
    )
    figure = f"{run_ - failed - skipped} passed" + (f", {failed} failed" if failed else "")
    figure += f", {skipped} skipped" if skipped else ""
    yield Item(
        f"{step.name} {what}",
        step.command,
        figure,
        f"{run_} passed",
        status == 0 and run_ > 0 and not skipped,
    )


FIGURE = re.compile(
    r"^  (?P<item>\S.*?) {2,}(?P<figure>\S+) {2,}(?P<goal>\S.*?)? *(?P<verdict>pass|FAIL)$", re.M
)


def figures_told(step: Step, output: str, status: int) -> Iterator[Item]:
    """The lines of `tests.prove.table`."""
    found = list(FIGURE.finditer(output))
    for line in found:
        yield Item(
            f"{step.name}: {line['item'].strip()}",
            step.command,
            line["figure"],
            (line["goal"] or "").strip(),
            line["verdict"] == "pass",
        )
    if not found or (status != 0 and all(line["verdict"] == "pass" for line in found)):
        yield Item(step.name, step.command, f"status {status}", "a table", False)


BENCH = re.compile(
    r"^(?P<name>S\d+) +(?P<value>\S+) (?P<unit>\S*) +(?P<goal>[≥≤] *\S+) +[≥≤] *\S+ +(?P<verdict>\w+) +(?P<what>.+)$",
    re.M,
)


def bench_told(step: Step, output: str, status: int) -> Iterator[Item]:
    """The lines of `tests.bench`. Noise is a run thrown away: it shows nothing, and is no pass."""
    found = list(BENCH.finditer(output))
    for line in found:
        yield Item(
            f"{line['name']} {line['what']}",
            step.command,
            f"{line['value']} {line['unit'].strip()}" + (" (noise)" if line["verdict"] == "noise" else ""),
            f"{line['goal'].replace(' ', '')} {line['unit'].strip()}",
            line["verdict"] in ("goal", "stretch"),
        )
    for line in re.finditer(r"^NOT MEASURED: (.+)$", output, re.M):
        for name in line[1].split(", "):
            yield Item(name, step.command, "not measured", "a figure", False)
    if not found:
        yield Item(step.name, step.command, f"status {status}", "a table", False)


def print_table(items: Sequence[Item], logs: Path) -> None:
    widths = [min(64, max(len(item[column]) for item in items)) for column in range(4)] if items else [0] * 4
    heads = ("item", "command", "figure", "goal")
    print("\n" + "  ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True)) + "  ")
    shown = ""
    for item in items:
        command = item.command if item.command != shown else '"'
        shown = item.command
        cells = [
            cut(cell, width) for cell, width in zip((item.name, command, *item[2:4]), widths, strict=True)
        ]
        print(f"{cells[0]:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]:>{widths[2]}}  {cells[3]:>{widths[3]}}  "
              f"{'pass' if item.passed else 'FAIL'}")  # fmt: skip
    passed = sum(item.passed for item in items)
    print(f"\n{passed} of {len(items)} pass; the whole output of each step is in {logs}", flush=True)


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


if __name__ == "__main__":
    sys.exit(main())
