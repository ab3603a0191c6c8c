"""The table every proof ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """One figure beside its goal."""

    item: str
    figure: str
    goal: str
    passed: bool


def print_table(title: str, lines: Sequence[Line]) -> None:
    width = max(len(line.item) for line in lines)
    figure = max(12, *(len(line.figure) for line in lines))
    goal = max(12, *(len(line.goal) for line in lines))
    print(f"\n{title}\n")
    for line in lines:
        verdict = "pass" if line.passed else "FAIL"
        print(f"  {line.item:<{width}}  {line.figure:>{figure}}  {line.goal:>{goal}}  {verdict}")
    print(flush=True)


def all_pass(lines: Sequence[Line]) -> bool:
    return all(line.passed for line in lines)
