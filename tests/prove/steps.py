"""A proof is a list of steps: each a process of its own, bounded in time, its whole output in a log file.

It ends with one table, and with status 1 when any figure misses its goal.
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

    command: str
    """What somebody types to see it again."""


def prove(proof: str, all_steps: Callable[[Path], Sequence[Step]]) -> int:
    """The command line of one proof: runs its steps, or those of --only, and ends with the table."""
    asked = argparse.ArgumentParser(prog=f"python -m tests.prove.{proof}")
    asked.add_argument(
        "--only", action="append", default=[], metavar="STEP", help="of those listed by --list"
    )
    asked.add_argument("--list", action="store_true", help="name the steps and end")
    options = asked.parse_args()
    logs = Path(tempfile.mkdtemp(prefix=f"ecm-prove-{proof}-"))
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


def of_tests(proof: str, name: str, what: str, nodes: Sequence[str], logs: Path, *, marked: str = "") -> Step:
    """A step that runs some tests; `marked` narrows them by marker. Tests that were skipped have shown nothing."""
    report = logs / f"{name}.xml"

    def told(step: Step, _output: str, status: int) -> Iterator[Item]:
        if not report.exists():
            yield Item(f"{name} {what}", step.command, f"status {status}", "a report", False)
            return
        suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
        run_, failed, skipped = (
            int(suite.get("tests", 0)),
            int(suite.get("failures", 0)) + int(suite.get("errors", 0)),
            int(suite.get("skipped", 0)),
        )
        figure = f"{run_ - failed - skipped} passed" + (f", {failed} failed" if failed else "")
        figure += f", {skipped} skipped" if skipped else ""
        passed = status == 0 and run_ > 0 and not skipped
        yield Item(f"{name} {what}", step.command, figure, f"{run_} passed", passed)

    arguments = (*PYTEST, *nodes, *(("-m", marked) if marked else ()), f"--junitxml={report}")
    return Step(name, arguments, 15, told, f"python -m tests.prove.{proof} --only {name}")


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
    """The lines of `tests.bench`. Noise is a run thrown away: it shows nothing, and is no pass.

    Each figure is told when it is obtained and once more in the table at the end; a run cut short has no table.
    """
    found = list({(line["name"], line["what"]): line for line in BENCH.finditer(output)}.values())
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
