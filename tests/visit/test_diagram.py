"""The picture shows the table, all of it and nothing else."""

import re
import subprocess
import sys

from ecm.visit.diagram import diagram
from ecm.visit.lifecycle import MOVES
from ecm.visit.model import State


def test_every_move_is_an_arrow_and_every_arrow_a_move() -> None:
    arrows = re.findall(r"^    (\S+) --> (\w+): (.+)$", diagram(), re.MULTILINE)
    drawn = {(start, end, by) for start, end, labels in arrows for by in labels.split(" or ")}
    assert drawn == {(m.state_from.value if m.state_from else "[*]", m.state_to.value, m.by) for m in MOVES}


def test_every_state_says_when_it_holds() -> None:
    noted = re.findall(r"^    note right of (\w+) : .+$", diagram(), re.MULTILINE)
    assert noted == [state.value for state in State]
    assert ";" not in diagram()  # Mermaid would take it for the end of a line


def test_the_module_prints_it() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "ecm.visit.diagram"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == diagram()
