"""S15: what one check-in costs here and what it cost two peers, each beside pgbench's inserts on its own machine.

The peers were measured once, when this was designed; installing them here is not part of a run:

    healthchecks' ping, the nearest thing to a check-in that people run in production         436/s
    the geofenced clock-in of a Django HR system                                               13/s
    pgbench's single-row inserts, 16 clients, on that machine                           about 17,000/s

Compared is the whole path (S4: stored, verified, visit written, shown), because theirs is whole when they answer;
the receipt alone (S1) is told beside it.
"""

from __future__ import annotations

from tests.bench import checkin_throughput, whole_path
from tests.bench.common import Bench, Figure

PGBENCH_PER_S = 17_000
PEERS = {"healthchecks' ping": (436, 15, 25), "a Django HR system's clock-in": (13, 300, 800)}


async def measure(bench: Bench) -> list[Figure]:
    path = _known(bench, "S4") or await whole_path.measure(bench)
    receipt = _known(bench, "S1") or await checkin_throughput.measure(bench)
    return [
        Figure(
            "S15",
            f"the whole path of a check-in, times the rate of {peer}",
            path.value / (100 * per_s / PGBENCH_PER_S),
            "×",
            "more",
            goal,
            stretch,
            details=f"{path.value:.0f} % of pgbench against {100 * per_s / PGBENCH_PER_S:.2f} %; the receipt alone"
            f" {receipt.value / (100 * per_s / PGBENCH_PER_S):,.0f} times; theirs measured on another occasion",
            noise=path.noise,
        )
        for peer, (per_s, goal, stretch) in PEERS.items()
    ]


def _known(bench: Bench, name: str) -> Figure | None:
    return next((figure for figure in bench.measured if figure.name == name), None)
