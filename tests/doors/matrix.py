"""`expected.txt`: operation × asker, a letter. Written by `python -m tests.doors.matrix`, read by people in review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.doors.askers import ASKERS
from tests.doors.judging import letter
from tests.doors.operations import Operation, known
from tests.doors.row import Row
from tests.doors.rows import rows

EXPECTED = Path(__file__).with_name("expected.txt")
HEAD = """\
# Who may do what at each door. A: all of the authority's, O: its own provider's, M: its own visits',
# .: open to it, -: not at all. It follows from ecm.permit.TABLE; written by python -m tests.doors.matrix
"""
# The letters stand under these; the names of the askers are too long for columns.
SHORT = {
    "care_worker": "work",
    "coordinator": "coor",
    "manager": "mana",
    "duty_officer": "duty",
    "finance": "fina",
    "finance_approver": "appr",
    "quality": "qual",
    "administrator": "admi",
    "auditor": "audi",
    "key ingest": "k-in",
    "key read": "k-re",
    "key import": "k-im",
    "key of all": "k-al",
    "own phone": "phon",
    "shared phone": "shar",
    "nobody": "nobo",
}


def table(known: Mapping[str, Operation], asked: Mapping[str, Sequence[Row]]) -> str:
    """The whole of `expected.txt`, for the operations that have a row."""
    named = [name for name in known if name in asked]
    width = max(map(len, named))
    lines = [f"{'':{width}}  {' '.join(SHORT[asker.name] for asker in ASKERS)}"]
    for name in named:
        letters = (letter(known[name], asked[name][0], asker) for asker in ASKERS)
        lines.append(f"{name:{width}}  {' '.join(f'{one:4}' for one in letters)}".rstrip())
    return HEAD + "\n".join(lines) + "\n"


@cache
def expected() -> dict[tuple[str, str], str]:
    """What was written down: the letter by operation and asker."""
    lines = [line for line in EXPECTED.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = {}
    for line in lines[1:]:
        words = line.split()
        letters = words[-len(ASKERS) :]
        name = " ".join(words[: -len(ASKERS)])
        found |= {(name, asker.name): one for asker, one in zip(ASKERS, letters, strict=True)}
    return found


if __name__ == "__main__":
    EXPECTED.write_text(table(known(), rows()), "utf-8")
