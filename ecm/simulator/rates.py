"""How often things happen on a day. A scenario is a row of this table and nothing more.

Shares lie between 0 and 1 and are of visits unless the name says otherwise. Made up, but near
published figures: about one visit in ten begins late, about 85 % are logged in the home.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rates:
    never_came: float = 0.006
    second_never_came: float = 0.06  # of double-ups
    frustrated: float = 0.012
    covered_by_another: float = 0.01  # another worker of the provider came instead
    held_up_rounds: float = 0.10  # of workers: something on the way costs time, once
    held_up_minutes: tuple[float, float] = (12.0, 55.0)
    hurried: float = 0.06  # left well before the planned length
    overstayed: float = 0.015  # stayed 20 to 50 minutes longer
    forgot_check_out: float = 0.012
    double_tap: float = 0.02  # of check-ins and check-outs
    no_fix: float = 0.03  # of app check-ins and check-outs: permission refused, no satellites
    wrong_home: float = 0.002  # the phone stands at quite another door
    second_place: float = 0.3  # of visits to people with a second place
    strange_caller: float = 0.02  # of landline visits: rung from a number we do not know
    skewed_workers: float = 0.012  # of workers: the phone's clock is wrong
    skew_minutes: tuple[float, float] = (2.5, 12.0)
    offline_workers: float = 0.03  # of workers: no signal for a spell
    offline_hours: tuple[float, float] = (0.7, 2.5)
    unplanned_per_hundred_visits: float = 0.5
    stuck_provider: bool = False  # all early workers of one provider stand in the same jam
    stuck_minutes: tuple[int, int] = (7 * 60, 9 * 60)  # local, since midnight
    abandoned_when_hour_late: float = 0.5


NORMAL = Rates()
SCENARIOS: dict[str, Rates] = {
    "normal": NORMAL,
    "bad-morning": replace(NORMAL, stuck_provider=True, held_up_rounds=0.15),
    "rural-offline": replace(NORMAL, offline_workers=0.35, offline_hours=(1.5, 6.0), no_fix=0.06),
}

# How workers record a visit.
METHODS = {"app": 74, "landline": 12, "nfc": 7, "qr": 4, "token": 3}
FRUSTRATED_REASONS = {"no_reply": 60, "no_access": 25, "refused": 15}
