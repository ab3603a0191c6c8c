"""`python -m tests.bench [S1 S2 …] [--rounds 5] [--seconds 4] [--json]`: measures, and ends with the table.

Ends with status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib
import json
import sys

from tests.bench.common import ROUNDS, Bench, Figure, bench_server

# What PROOF numbers, and the module that measures it.
FIGURES = {
    "S1": "tests.bench.checkin_throughput",
    "S2": "tests.bench.checkin_latency",
    "S5": "tests.bench.checkin_batches",
}


async def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench")
    asked.add_argument("figures", nargs="*", help=f"of {', '.join(FIGURES)}; all when none is named")
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    asked.add_argument("--seconds", type=float, default=4.0, help="of each half of a round")
    asked.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = asked.parse_args()
    wanted = options.figures or list(FIGURES)
    if unknown := set(wanted) - set(FIGURES):
        asked.error(f"there is no figure {', '.join(sorted(unknown))}")

    measured: list[Figure] = []
    async with bench_server(options.rounds, options.seconds) as bench:
        for name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            measured += await measure(name, bench)
    print(table(measured))
    if options.json:
        print(json.dumps({"figures": [dataclasses.asdict(f) | {"verdict": f.verdict} for f in measured]}))
    return 1 if any(figure.verdict == "MISSED" for figure in measured) else 0


async def measure(name: str, bench: Bench) -> list[Figure]:
    """A module may have more than one figure to tell."""
    told = await importlib.import_module(FIGURES[name]).measure(bench)
    return told if isinstance(told, list) else [told]


def table(figures: list[Figure]) -> str:
    lines = ["", "figure  measured        goal     stretch   verdict  what", ""]
    for f in figures:
        sign = "≥" if f.better == "more" else "≤"
        goals = f"{sign}{f.goal:>8g}  {sign}{f.stretch:>8g}"
        lines.append(f"{f.name:<6} {f.value:>9.1f} {f.unit:<2} {goals}   {f.verdict:<8} {f.what}")
        lines.append(f"{'':49}{f.details}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
