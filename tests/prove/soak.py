"""`python -m tests.prove.soak` (`make soak`): a whole day while kill -9 strikes at random, and nothing lost of it.

Web and worker in one process, a second worker beside it, PostgreSQL's postmaster and its backends: each is killed
outright, again and again, also while it is still starting. Phones keep what they have until there is a receipt.
Passes if nothing acknowledged is lost, nothing counted twice, no alarm missing, and folding all evidence again gives
exactly the stored state. The same seed strikes in the same order.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import UTC, datetime
from random import Random

from tests.prove.aftermath import fold_again
from tests.prove.day import (
    DAY_SECONDS,
    STARTS_AT,
    differences_shown,
    lines_of,
    options_of,
    seconds_since,
    set_out_as_asked,
)
from tests.prove.play import Players
from tests.prove.service import Accident, Service, a_service
from tests.prove.table import Line, all_pass, print_table

# Who is hit how often.
ACCIDENTS: dict[str, tuple[Accident, int]] = {
    "web and worker": (Service.kill_serve, 4),
    "second worker": (Service.kill_worker, 3),
    "postmaster": (Service.kill_postmaster, 3),
    "backend": (Service.kill_backend, 5),
}
QUIET_FROM = datetime(2026, 11, 23, 22, 15, tzinfo=UTC)
"""After the last visits are over the strikes end, so that the day can be looked at."""
MENDED_FIRST_SHARE = 0.75
"""Of strikes: wait until the service answers again. The rest hit whatever is there, starting or not."""
REST_SECONDS_MAX = 1.0


def main() -> int:
    asked = options_of("python -m tests.prove.soak", speed=120)
    asked.add_argument("--kills", type=int, default=60)
    options = asked.parse_args()
    give_up_at = time.monotonic() + 900 + 2 * DAY_SECONDS / options.speed
    began = time.monotonic()
    with a_service(starts_at=STARTS_AT, speed=options.speed, workers_beside=1) as service:
        players = set_out_as_asked(service, options)
        try:
            struck = strike(service, players, Random(f"soak:{options.seed}"), options.kills, give_up_at)
            counts = players.wait(give_up_at)
        finally:
            players.end()
        print(differences_shown(players))
        folded = fold_again(service)
    print("\n".join(folded.told(40)))
    kills = sum(struck.values())
    lines = [
        Line("kills", str(kills), f"at least {min(50, options.kills)}", kills >= min(50, options.kills)),
        *(Line(f"  of {name}", str(struck[name]), "at least 1", struck[name] > 0) for name in ACCIDENTS),
        Line("tries that failed", str(counts["failed_tries"]), "more than 0", counts["failed_tries"] > 0),
        *lines_of(counts, folded),
        seconds_since(began),
    ]
    print_table(f"a day under kill -9, {options.people} people, seed {options.seed}", lines)
    return 0 if all_pass(lines) else 1


def strike(service: Service, players: Players, rng: Random, kills: int, until: float) -> Counter[str]:
    """Strikes `kills` times through the day and mends after each; how often each kind was hit.

    Ends early when the day does.
    """
    struck: Counter[str] = Counter()
    said = service.wait_until_up()
    left_seconds = (QUIET_FROM - datetime.fromisoformat(said["now"])).total_seconds() / said["speed"]
    quiet_at = time.monotonic() + left_seconds
    while sum(struck.values()) < kills and players.playing and time.monotonic() < min(quiet_at, until):
        gap_seconds = (quiet_at - time.monotonic()) / (kills - sum(struck.values()) + 2)
        strikes_at = time.monotonic() + rng.uniform(0.2, 1.8) * gap_seconds
        if rng.random() < MENDED_FIRST_SHARE:
            service.mend()
        time.sleep(max(0.0, strikes_at - time.monotonic()))
        name = rng.choices(list(ACCIDENTS), [weight for _, weight in ACCIDENTS.values()])[0]
        if ACCIDENTS[name][0](service, rng):
            struck[name] += 1
            print(f"kill -9 {sum(struck.values()):>3}  {name}", file=sys.stderr, flush=True)
        time.sleep(rng.uniform(0, REST_SECONDS_MAX))
        service.start()
    service.mend()
    return struck


if __name__ == "__main__":
    sys.exit(main())
