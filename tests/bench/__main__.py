"""`python -m tests.bench [S1 S2 …] [--quick] [--full] [--json PATH]`: measures, and ends with the table.

Ends with status 1 when a goal is missed or a figure could not be measured. A figure that fails costs no other.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib
import json
import signal
import sys
import time
import traceback
from pathlib import Path

from tests.bench.common import ROUNDS, Bench, Figure, bench_server

# What PROOF numbers, and the module that measures it.
FIGURES = {
    "S1": "tests.bench.checkin_throughput",
    "S2": "tests.bench.checkin_latency",
    "S3": "tests.bench.board_latency",
    "S4": "tests.bench.whole_path",
    "S5": "tests.bench.checkin_batches",
    "S7": "tests.bench.overdue_tick",
    "S8": "tests.bench.overdue_burst",
    "S9": "tests.bench.deadline_latency",
    "S12": "tests.bench.geo_verdict",
    "S13": "tests.bench.memory",
    "S14": "tests.bench.history",
    "S15": "tests.bench.peers",
    "S16": "tests.bench.waiting",
    "R18": "tests.bench.audit_chain",
}

PATIENCE_SECONDS = 900.0


async def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench")
    asked.add_argument("figures", nargs="*", help=f"of {', '.join(FIGURES)}; all when none is named")
    asked.add_argument("--only", action="append", default=[], help="the same, said otherwise")
    asked.add_argument("--rounds", type=int)
    asked.add_argument("--seconds", type=float, help="of each half of a round")
    asked.add_argument("--quick", action="store_true", help="small and short: whether it works, not how fast")
    asked.add_argument("--full", action="store_true", help="the test suite's own time too")
    asked.add_argument("--json", metavar="PATH", type=Path, help="write the figures there too")
    options = asked.parse_args()
    wanted = options.figures + options.only or list(FIGURES)
    rounds = options.rounds or (2 if options.quick else ROUNDS)
    seconds = options.seconds or (1.0 if options.quick else 4.0)
    if unknown := set(wanted) - set(FIGURES):
        asked.error(f"there is no figure {', '.join(sorted(unknown))}")

    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, this.cancel
    )  # so that no server is left behind
    failed: list[str] = []
    async with bench_server(rounds, seconds, quick=options.quick, full=options.full) as bench:
        for name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            began = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    told = await measure(name, bench)
                bench.measured += told
                print("\n".join(lines(told)), flush=True)  # a run that is interrupted keeps what it had
            except Exception:
                traceback.print_exc()
                failed.append(name)
            print(f"{name} took {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            if options.json:
                options.json.write_text(as_json(bench.measured, failed))
        print(table(bench.measured), flush=True)
        if failed:
            print(f"\nNOT MEASURED: {', '.join(failed)}")
        return 1 if failed or any(figure.verdict == "MISSED" for figure in bench.measured) else 0


async def measure(name: str, bench: Bench) -> list[Figure]:
    """A module may have more than one figure to tell."""
    told = await importlib.import_module(FIGURES[name]).measure(bench)
    return told if isinstance(told, list) else [told]


def as_json(measured: list[Figure], failed: list[str]) -> str:
    told = [dataclasses.asdict(figure) | {"verdict": figure.verdict} for figure in measured]
    return json.dumps({"figures": told, "failed": failed}, indent=1)


def table(figures: list[Figure]) -> str:
    head = ["", "figure  measured        goal     stretch   verdict  what", ""]
    return "\n".join(head + lines(figures))


def lines(figures: list[Figure]) -> list[str]:
    """Two for each figure: the value against its goals, and what it came from."""
    told = []
    for f in figures:
        sign = "≥" if f.better == "more" else "≤"
        goals = f"{sign}{f.goal:>8g}  {sign}{f.stretch:>8g}"
        value = f"{f.value:,.3g}" if f.value < 100 else f"{f.value:,.0f}"
        told.append(f"{f.name:<6} {value:>9} {f.unit:<2} {goals}   {f.verdict:<8} {f.what}")
        told.append(f"{'':49}{f.details}")
    return told


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
