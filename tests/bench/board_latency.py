"""S3: how long after its receipt a check-in shows on the board, on every socket, through `ecm web` and `ecm worker`."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others
from tests.bench.onlookers import onlookers
from tests.bench.plan import plan, zone_to_noon
from tests.bench.services import ecm_web, ecm_worker


@dataclass(frozen=True, slots=True)
class Crowd:
    sockets: int
    events_per_s: int
    goal_ms: float
    stretch_ms: float


CROWDS = (Crowd(100, 200, 25, 8), Crowd(1_000, 20, 50, 30))
WARM_UP_SECONDS = 2


async def measure(bench: Bench) -> list[Figure]:
    return [await _of(bench, crowd) for crowd in CROWDS]


async def _of(bench: Bench, crowd: Crowd) -> Figure:
    p99s, p50s, late, busy = [], [], [], []
    # Ten thousand frames a round, and at least `seconds` of them.
    seconds = max(bench.seconds, 10_000 / (crowd.sockets * crowd.events_per_s))
    a_round = int(crowd.events_per_s * seconds)
    async with bench.database() as addresses:
        await zone_to_noon(addresses.owner)
        async with ecm_web(addresses) as web, ecm_worker(addresses), onlookers(web) as board:
            await board.watch(crowd.sockets)
            warm_up = crowd.events_per_s * WARM_UP_SECONDS
            offset = await plan(addresses.owner, 1, warm_up + bench.rounds * a_round, datetime.now(UTC))
            await board.send(first=1, count=warm_up, seconds=60, rate=crowd.events_per_s, id_less_ref=offset)
            for nth in range(bench.rounds):
                busy.append(await busy_with_others())
                first = 1 + warm_up + nth * a_round
                told = await board.send(
                    first=first, count=a_round, seconds=600, rate=crowd.events_per_s, id_less_ref=offset
                )
                assert told["acknowledged"] == a_round, told
                assert told["never_seen"] == 0, f"{told['never_seen']} frames never came"
                p99s.append(told["after_receipt_ms"]["p99"])
                p50s.append(told["after_receipt_ms"]["p50"])
                late.append(told["after_plan_ms"]["p99"])
    return Figure(
        "S3",
        f"receipt to frame, 99th percentile: {crowd.events_per_s} check-ins a second, {crowd.sockets:,} sockets",
        statistics.median(p99s),
        "ms",
        "less",
        crowd.goal_ms,
        crowd.stretch_ms,
        details=f"median {statistics.median(p50s):.1f} ms; 99th percentiles of the rounds:"
        f" {', '.join(f'{ms:.1f}' for ms in sorted(p99s))}; from the intended sending {statistics.median(late):.1f} ms;"
        f" {max(busy):.0%} busy with others",
        noise=max(busy) > BUSY_MAX,
    )
