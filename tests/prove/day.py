"""`python -m tests.prove.day`: a whole day of a borough against a whole service, and no difference unexplained.

The simulator plays every care worker through the real doors and holds what the service made of it against its own
second opinion. Then the stored rows are read directly and everything is folded again from scratch (`refold`).
Ends with a table, and with status 1 when any figure misses its goal.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping

from tests.prove.aftermath import fold_again
from tests.prove.folded import Folded
from tests.prove.play import Players, set_out
from tests.prove.service import Service, a_service
from tests.prove.table import Line, all_pass, print_table

# Two hours before the first visit: whoever's visit begins while the borough is brought in is left out of the day.
STARTS_AT = "2026-11-23T05:00:00Z"
DAY_SECONDS = 19 * 3600 + 1800
NONE = ("missing", "doubled", "refused", "state_differences", "finding_differences", "alerts_missing",
        "alerts_unexpected")  # fmt: skip


def main() -> int:
    options = options_of("python -m tests.prove.day", speed=240).parse_args()
    give_up_at = time.monotonic() + 600 + 2 * DAY_SECONDS / options.speed
    began = time.monotonic()
    with a_service(starts_at=STARTS_AT, speed=options.speed) as service:
        players = set_out_as_asked(service, options)
        try:
            counts = players.wait(give_up_at)
        finally:
            players.end()
        print(differences_shown(players))
        folded = fold_again(service)
    print("\n".join(folded.told(40)))
    lines = [*lines_of(counts, folded), seconds_since(began)]
    print_table(f"one day, {options.people} people, seed {options.seed}, {options.scenario}", lines)
    return 0 if all_pass(lines) else 1


def options_of(program: str, *, speed: float) -> argparse.ArgumentParser:
    """What any day is asked for."""
    asked = argparse.ArgumentParser(prog=program)
    asked.add_argument("--people", type=int, default=2500)
    asked.add_argument("--providers", type=int, default=25)
    asked.add_argument("--speed", type=float, default=speed)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--scenario", default="normal")
    return asked


def set_out_as_asked(service: Service, options: argparse.Namespace) -> Players:
    return set_out(
        service,
        service.key("ingest", "read", "import"),
        people=options.people,
        providers=options.providers,
        seed=options.seed,
        scenario=options.scenario,
    )


def differences_shown(players: Players) -> str:
    """What the simulator said before its counts: each difference with its story."""
    return players.said().rpartition("\n{")[0]


def lines_of(counts: Mapping[str, int], folded: Folded) -> list[Line]:
    """Nothing lost, nothing doubled, nothing said otherwise than it was."""
    acknowledged, sent = counts["acknowledged"], counts["sent"]
    return [
        Line("visits", str(counts["visits"]), "more than 0", counts["visits"] > 0),
        Line("events acknowledged", str(acknowledged), str(sent), acknowledged == sent),
        *(Line(name.replace("_", " "), str(counts[name]), "0", counts[name] == 0) for name in NONE),
        *folded.lines(),
    ]


def seconds_since(began: float) -> Line:
    return Line("seconds", f"{time.monotonic() - began:.0f}", "", True)


if __name__ == "__main__":
    sys.exit(main())
