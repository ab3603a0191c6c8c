"""The lifecycle as a picture: Mermaid text drawn from its tables. `python -m ecm.visit.diagram` prints it."""

import sys

from ecm.visit.lifecycle import LIFECYCLE, MOVES
from ecm.visit.model import State

FINAL = frozenset({State.COMPLETED, State.MISSED, State.FRUSTRATED, State.CANCELLED})
"""Where a visit rests if nothing more arrives."""


def diagram() -> str:
    """A Mermaid stateDiagram-v2: one arrow a pair of states, labelled with all that brings the change."""
    labels: dict[tuple[State | None, State], list[str]] = {}
    for move in MOVES:
        labels.setdefault((move.state_from, move.state_to), []).append(move.by)
    lines = ["stateDiagram-v2"]
    lines += [f"    {_name(start)} --> {end.value}: {' or '.join(by)}" for (start, end), by in labels.items()]
    lines += [f"    {state.value} --> [*]" for state in State if state in FINAL]
    for state in State:
        when = ", or ".join(rule.when for rule in LIFECYCLE if rule.state is state)
        lines += [f"    note right of {state.value} : {when}"]
    return "\n".join(lines) + "\n"


def _name(state: State | None) -> str:
    return "[*]" if state is None else state.value


if __name__ == "__main__":
    sys.stdout.write(diagram())
