"""The two documents about harm name what holds each control, and what they name is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.privileges import PRIVILEGES
from tests.house.repository import ROOT

DPIA, HAZARDS = ((ROOT / "docs" / name).read_text("utf-8") for name in ("DPIA.md", "HAZARDS.md"))
PROOF = re.compile(r"`((?:ecm|ingest|alerts|geo|tests)/[\w./-]+)(?:::(\w+))?`")
LIKELY = ("very low", "low", "medium", "high", "very high")
SEVERE = ("minor", "significant", "considerable", "major", "catastrophic")
ASKED_FOR = (
    "missed", "wrong visit", "wrong clock", "without signal", "database is away", "disk is full", "telephone line",
    "not live", "false reassurance", "key-safe code cannot be had", "cannot sign in",
)  # fmt: skip


def rows(text: str, id_: str) -> list[list[str]]:
    """The cells of the rows whose first cell is such an id."""
    lines = [line for line in text.splitlines() if re.match(rf"\| {id_}-\d\d \|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("text", [DPIA, HAZARDS], ids=["DPIA", "HAZARDS"])
def test_every_file_and_test_that_is_named_is_there(text: str) -> None:
    named = PROOF.findall(text)
    gone = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or (name and name not in names_in(ROOT / path))
    ]
    assert gone == []
    assert len(named) > 50


def test_every_hazard_has_its_cells_a_control_that_is_held_and_an_owner() -> None:
    hazards = rows(HAZARDS, "H")
    assert [each[0] for each in hazards] == [f"H-{n:02}" for n in range(1, len(hazards) + 1)]
    for cells in hazards:
        assert len(cells) == 8, cells[0]
        assert all(cells), cells[0]
        assert PROOF.search(cells[5]), f"{cells[0]}: nothing holds its controls"
        assert "Owner: " in cells[7], cells[0]


def test_the_ratings_are_the_matrix_and_none_stays_unacceptable() -> None:
    matrix = {
        likely: dict(zip(SEVERE, map(int, cells), strict=True))
        for likely, *cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in HAZARDS.splitlines()
            if re.match(r"\| (very )?(high|low|medium) \| \d", line)
        )
    }
    assert set(matrix) == set(LIKELY)
    for cells in rows(HAZARDS, "H"):
        for rated in (cells[4], cells[6]):
            severity, likelihood, risk = re.fullmatch(r"(\w+) × ([\w ]+) = (\d)", rated).groups()
            assert matrix[likelihood][severity] == int(risk), f"{cells[0]}: {rated}"
        after = int(cells[6][-1])
        assert after <= min(3, int(cells[4][-1])), f"{cells[0]} is left unacceptable"
        assert after < 3 or "olerable" in cells[7] or "stay" in cells[7], f"{cells[0]}: why is 3 tolerable?"


def test_what_was_asked_for_is_among_the_hazards() -> None:
    said = HAZARDS.lower()
    assert [word for word in ASKED_FOR if word not in said] == []


def test_every_risk_to_privacy_has_measures_that_are_held() -> None:
    risks = rows(DPIA, "R")
    assert [each[0] for each in risks] == [f"R-{n:02}" for n in range(1, len(risks) + 1)]
    for cells in risks:
        assert len(cells) == 5, cells[0]
        assert PROOF.search(cells[3]), cells[0]


def test_every_table_of_the_database_is_in_the_list_of_what_is_kept() -> None:
    """A new table fails here until somebody has said whose data it holds and for how long."""
    tables = {line.split()[0] for line in PRIVILEGES.splitlines()[2:] if line.strip()}
    section = DPIA.split("## 3.", 1)[1].split("\n## ", 1)[0]
    assert tables - set(re.findall(r"`([a-z_]+)`", section)) == set()
