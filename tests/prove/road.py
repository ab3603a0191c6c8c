"""`python -m tests.prove.road` (`make prove-road`): everything the road must show, ending with one table.

`--only day` runs one step, `--only R6` one item.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.prove.steps import Step, bench_told, figures_told, of_tests, prove

# What PROOF numbers, and the tests that show it.
TESTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "R5": (
        "stories thought up by a machine = all evidence folded afresh",
        ("tests/processing/test_machine.py",),
    ),
    "R6": (
        "the same evidence in any order, twice",
        ("tests/visit/test_laws.py", "tests/processing/test_orders.py"),
    ),
    "R8": (
        "state + frames = state fetched afresh, for every action",
        ("tests/board/test_live.py::test_frames_lead_to_the_same_board_as_looking_afresh",),
    ),
    "R10": (
        "a late committer's row arrives",
        (
            "tests/board/test_live.py::test_a_row_committed_late_arrives_after_those_that_overtook_it",
            "tests/board/test_live.py::test_whoever_takes_a_position_holds_up_the_next_until_it_commits",
        ),
    ),
    "R11": ("clock changes, leap days, week 53: exact minutes", ("tests/visit/test_clock_changes.py",)),
    "R12": ("wrong device clocks are never unflagged", ("tests/visit/test_device_clocks.py",)),
    "R15": ("Schemathesis, all checks", ("tests/api/test_schemathesis.py",)),
    "R17": (
        "hostile files: inert, exact rows, re-import changes nothing",
        (
            "tests/importing/test_hostile_files.py",
            "tests/importing/test_merge.py",
            "tests/test_spreadsheet.py",
            "tests/actuals/test_actuals_api.py",
        ),
    ),
    "commands": ("every command, and a demonstration that moves", ("tests/cli",)),
    "rules": ("the road's stories on a real database", ("tests/processing/test_road.py", "tests/alerts")),
}


def all_steps(logs: Path) -> list[Step]:
    bench, day, soak = ("-m", "tests.bench"), ("-m", "tests.prove.day"), ("-m", "tests.prove.soak")
    return [
        Step("bench", bench, 120, bench_told, "python -m tests.bench"),
        *(of_tests("road", name, what, nodes, logs) for name, (what, nodes) in TESTS.items()),
        of_tests("road", "board", "the board in a real browser", ("tests/web",), logs, marked="browser"),
        Step("day", day, 25, figures_told, "python -m tests.prove.day"),
        Step("soak", soak, 40, figures_told, "python -m tests.prove.soak"),
    ]


if __name__ == "__main__":
    sys.exit(prove("road", all_steps))
