"""S9: how long after a deadline its row shows on the board: deadlines one by one, and 900 at the same instant."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta

from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others, say
from tests.bench.onlookers import Onlookers, onlookers
from tests.bench.plan import LATE_AFTER, plan, zone_to_noon
from tests.bench.services import ecm_web, ecm_worker

SOCKETS = 10
PER_S = 20
SECONDS, QUICK_SECONDS = 20, 5
AT_ONCE = 900
LEAD = timedelta(seconds=2)
TAIL_SECONDS = 4


async def measure(bench: Bench) -> list[Figure]:
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    async with bench.database() as addresses:
        await zone_to_noon(addresses.owner)
        async with ecm_web(addresses) as web, ecm_worker(addresses), onlookers(web) as board:
            await board.watch(SOCKETS)
            busy = await busy_with_others()
            await deadlines(board, addresses.owner, 1, 50, timedelta(seconds=0.02))
            steady, steady_alerts = await deadlines(
                board, addresses.owner, 1001, seconds * PER_S, timedelta(seconds=1 / PER_S)
            )
            rounds = [
                await deadlines(board, addresses.owner, 10_001 + AT_ONCE * nth, AT_ONCE, timedelta(0))
                for nth in range(bench.rounds)
            ]
    at_once = [percentile(rows, 0.99) for rows, _ in rounds]
    alerts_at_once = [percentile(alerts, 0.99) for _, alerts in rounds]
    return [
        Figure(
            "S9",
            f"deadline to frame, 99th percentile, {PER_S} deadlines a second",
            percentile(steady, 0.99),
            "s",
            "less",
            goal=0.25,
            stretch=0.1,
            details=f"median {percentile(steady, 0.5):.3f} s, worst {steady[-1]:.3f} s of {len(steady):,} frames on"
            f" {SOCKETS} sockets; its alert 99th percentile {percentile(steady_alerts, 0.99):.3f} s;"
            f" {busy:.0%} busy with others",
            noise=busy > BUSY_MAX,
        ),
        Figure(
            "S9",
            f"deadline to frame, 99th percentile, {AT_ONCE} deadlines at the same instant",
            statistics.median(at_once),
            "s",
            "less",
            goal=1,
            stretch=0.5,
            details=f"rounds {', '.join(f'{s:.3f}' for s in sorted(at_once))} s; their alerts"
            f" {statistics.median(alerts_at_once):.3f} s; {SOCKETS} sockets",
            noise=busy > BUSY_MAX,
        ),
    ]


async def deadlines(
    board: Onlookers, dsn: str, first: int, count: int, apart: timedelta
) -> tuple[list[float], list[float]]:
    """Sorted seconds from each deadline to its row's frame, and to its alert's, on every socket."""
    first_due = datetime.now(UTC) + LEAD
    offset = await plan(dsn, first, count, first_due - LATE_AFTER, apart)
    left = (first_due - datetime.now(UTC)).total_seconds()
    assert left > 0, "planning took so long that the deadline passed"
    told = await board.listen(left + apart.total_seconds() * count + TAIL_SECONDS)
    rows, alerts = (
        sorted(
            at - (first_due + apart * (visit - offset - first)).timestamp()
            for kind, visit, at in told["came"]
            if kind == wanted
        )
        for wanted in ("row", "alert")
    )
    assert len(rows) == len(alerts) == count * SOCKETS, (len(rows), len(alerts))
    say(
        f"{count} deadlines {apart.total_seconds():g} s apart: 99th percentile {percentile(rows, 0.99):.3f} s"
    )
    return rows, alerts


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
