"""S4: check-ins a second that go the whole path without a growing backlog: stored, verified, visit written, frame sent.

One `ecm web`, one `ecm worker`, and beside them on the same cores the process that sends and watches. First the
rate is sought with a bounded number under way; then check-ins come at a fixed rate a little below it, and only if
the backlog does not grow does that rate count. Else it is lowered and tried again.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.bench.checkin_throughput import INSERT, TABLE
from tests.bench.common import SPREAD_MAX, Bench, Figure, execute, say
from tests.bench.onlookers import Onlookers, onlookers
from tests.bench.plan import plan, zone_to_noon
from tests.bench.services import ecm_web, ecm_worker

SOCKETS = 2
SECONDS, QUICK_SECONDS = 60, 10
SEEK_SECONDS = 6
AT_MOST_PER_S = 25_000
BELOW_WHAT_WAS_FOUND = 0.95
LOWER, TRIES = 0.85, 7  # down to a third of what was found: a figure of 0 tells nobody how far off it is
GROWTH_SECONDS = 0.25
"""The backlog's mean over the last quarter may be this much work above the second quarter's."""


async def measure(bench: Bench) -> Figure:
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    async with bench.database() as addresses:
        await execute(addresses.owner, TABLE)
        await zone_to_noon(addresses.owner)

        async def pgbench(times: int) -> list[float]:
            return [await bench.pgbench(addresses.owner, INSERT) for _ in range(times)]

        await pgbench(1)
        async with ecm_web(addresses) as web, ecm_worker(addresses), onlookers(web) as board:
            await board.watch(SOCKETS)
            planned = 0

            async def planning(count: int) -> dict[str, int]:
                nonlocal planned
                first, planned = planned + 1, planned + count
                offset = await plan(addresses.owner, first, count, datetime.now(UTC))
                return {"first": first, "count": count, "id_less_ref": offset}

            found = await seek(board, planning)
            say(f"the board keeps up with {found:,.0f}/s while 2,000 are under way")
            baseline = await pgbench(2)
            rate = found * BELOW_WHAT_WAS_FOUND
            for _ in range(TRIES):
                told = await board.send(**await planning(int(rate * seconds)), seconds=seconds, rate=rate)
                baseline += await pgbench(2)
                held = sustained(told["samples"], rate, seconds)
                say(
                    f"{rate:,.0f}/s for {seconds} s: {'held' if held else 'the backlog grew'}; receipt to frame"
                    f" 99th percentile {told['after_receipt_ms']['p99']:.0f} ms; pgbench {baseline[-1]:,.0f}/s"
                )
                if held:
                    break
                rate *= LOWER
            else:
                rate = 0.0
            baseline += await pgbench(1)
    assert told["never_seen"] == 0, f"{told['never_seen']} frames never came"
    spread = (max(baseline) - min(baseline)) / statistics.median(baseline)
    reached = min(rate, told["seen_while_sending"] / told["sent_seconds"])
    return Figure(
        "S4",
        f"check-ins a second to the board for {seconds} s without a growing backlog, of pgbench's inserts",
        100 * reached / statistics.median(baseline),
        "%",
        "more",
        goal=40,
        stretch=55,
        details=f"{reached:,.0f}/s against {statistics.median(baseline):,.0f} (spread {spread:.0%}, {len(baseline)}"
        f" runs); found {found:,.0f}/s with 2,000 under way; receipt to frame 99th percentile"
        f" {told['after_receipt_ms']['p99']:.0f} ms; {SOCKETS} sockets",
        noise=spread > SPREAD_MAX,
    )


async def seek(board: Onlookers, planning: Any) -> float:
    """What the board keeps up with while no more than 2,000 are under way; after a while to warm up."""
    asked = await planning(AT_MOST_PER_S)
    await board.send(**asked, seconds=SEEK_SECONDS / 2)
    told = await board.send(**await planning(AT_MOST_PER_S * 2), seconds=SEEK_SECONDS)
    return float(told["seen_while_sending"] / told["sent_seconds"])


def sustained(samples: Sequence[Sequence[float]], rate: float, seconds: float) -> bool:
    """`samples`: (seconds since it began, planned and not yet on the board, seen)."""

    def backlog(since: float, until: float) -> float:
        return statistics.mean(waiting for at, waiting, _ in samples if since <= at / seconds < until)

    return backlog(0.75, 1.0) <= backlog(0.25, 0.5) + GROWTH_SECONDS * rate
