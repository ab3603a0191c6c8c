"""The tolerances of one contract, as the rules read them. Times in the contract's own units.

The defaults are those a contract gets when it is silent; a contract row overrides any of them from a date.
They are never settings: a late limit in an environment variable would rewrite history.
"""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class Policy:
    contract: str = "default"
    late_after_minutes: int = 15
    time_critical_late_after_minutes: int | None = None  # None: the ordinary limit
    missed_after_minutes: int = 60
    missed_at_next_visit: bool = True  # a merged visit is a missed one
    day_cut_off: time = time(23, 0)  # local; applies to visits planned to start before it
    overrunning_after_minutes: int = 15
    no_check_out_after_minutes: int = 60
    early_after_minutes: int = 15
    short_under_minutes: int = 30  # Wales 2016 Act s.8, NICE QS123
    short_share_percent: int = 80  # of commissioned minutes
    match_before_minutes: int = 240
    match_after_minutes: int = 240
    fence_m: float = 100.0
    fix_old_after_minutes: int = 5  # an older position is of somewhere the device has been
    clock_skew_seconds: int = 120
    late_sync_after_minutes: int = 5
    late_sync_grace_minutes: int = 5  # floor after received_at for a deadline computed from late evidence
    travel_max_km_h: float = 120.0
    duplicate_tap_seconds: int = 120
    frustrated_reasons: frozenset[str] = frozenset({"no_access", "no_reply", "refused", "in_hospital"})


DEFAULT = Policy()
