"""Whether a cell is as it should be: the status fits, nothing foreign came out, nothing foreign was changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ecm import permit
from ecm.permit import Action
from tests.doors import canary
from tests.doors.askers import Asker, standings
from tests.doors.asking import Answer, Cell, Happened, impersonal
from tests.doors.changes import Change
from tests.doors.operations import Operation
from tests.doors.row import ANYBODY, Row, of_kind

CELLS = dict(permit._CELLS)
LETTERS = {"all": "A", "own": "O", "mine": "M"}
SAFE = {"GET", "HEAD", "WS"}
# What reading may leave behind: that it was read, when the session was last seen, and by which key we seal.
OF_READING = frozenset({"audit", "audit_words", "audit_chain", "audit_heads"})
OF_BEING_THERE = frozenset({"sessions", "sealing_key"})
# A refusal of which a person should know.
OF_NOTICE = frozenset({"notices"})


def letter(operation: Operation, row: Row, asker: Asker) -> str:
    """What stands in `expected.txt`: it follows from the table, and from what the operation says of itself."""
    actions = operation.action or row.action
    if actions is None:
        opens_to = ANYBODY if row.opens_to is None else row.opens_to
        return "." if asker.kind in opens_to else "-"
    if asker.kind not in takes(operation, row):
        return "-"
    some = (actions,) if isinstance(actions, Action) else actions
    words = {CELLS[action, column] for action in some for column in asker.columns} - {"-"}
    return next((one for word, one in LETTERS.items() if word in words), "-")


def takes(operation: Operation, row: Row) -> frozenset[str]:
    return operation.takes if row.takes is None else row.takes


def cells(operation: Operation, row: Row, asker: Asker, is_open: str) -> Iterable[Cell]:
    """Every cell of one operation and asker. Where anybody may come, nobody looks at how they stand."""
    for standing in ("standing",) if opens_to_anybody(row, is_open) else standings(asker):
        yield Cell(operation.name, asker, standing, "own")
        if standing == "standing" and row.elsewhere is not None and is_open != "-":
            for owner in asker.others:
                yield Cell(operation.name, asker, standing, owner)
    if asker.kind == "account" and is_open != "-" and asks_again(operation, row):
        yield Cell(operation.name, asker, "stale", "own")


def asks_again(operation: Operation, row: Row) -> bool:
    """Whether one must have proved a short while ago that it is oneself."""
    return operation.action in permit.STEP_UP and operation.method not in SAFE


def wanted(row: Row, cell: Cell, is_open: str) -> frozenset[int]:
    """The statuses that fit a cell."""
    if opens_to_anybody(row, is_open):
        return of_kind(row.ok, cell.asker)
    if is_open == "-":
        return of_kind(row.refused, cell.asker)
    if cell.standing in ("expired", "leaver"):
        return of_kind(row.gone, cell.asker)
    if cell.standing == "stale" or (cell.standing == "unplaced" and is_open != "."):
        return of_kind(row.refused, cell.asker)
    if cell.owner in cell.asker.reads or row.elsewhere is None:
        return of_kind(row.ok, cell.asker)
    return of_kind(row.elsewhere, cell.asker)


def in_reach(row: Row, cell: Cell, is_open: str) -> bool:
    """Whether the asker should get something here."""
    if opens_to_anybody(row, is_open):
        return True
    if is_open == "-" or cell.standing in ("expired", "leaver", "stale"):
        return False
    if cell.standing == "unplaced" and is_open != ".":
        return False
    return row.elsewhere is None or cell.owner in cell.asker.reads


def opens_to_anybody(row: Row, is_open: str) -> bool:
    """Then nobody looks at who asks."""
    return is_open == "." and (row.opens_to is None or row.opens_to == ANYBODY)


def wrongs(
    operation: Operation,
    row: Row,
    cell: Cell,
    is_open: str,
    happened: Happened,
) -> list[str]:
    """What is wrong with a cell, in sentences."""
    found = []
    asked, got = happened.asked, happened.answer
    statuses = wanted(row, cell, is_open)
    if got.status not in statuses:
        found.append(f"answered {got.status} and not {sorted(statuses)}: {got.body[:300]}")
    said = {one.text.lower() for one in canary.found(asked.said)}
    for where, text in (("the answer", got.text), ("the log", happened.logged)):
        leaks = sorted({one.text for one in foreign(row, cell, text) if one.text.lower() not in said})
        if leaks:
            found.append(f"{where} tells {', '.join(leaks[:8])}")
    found += [
        f"it {change}"
        for change in happened.changes
        if not may_change(operation, row, cell, is_open, change, said)
    ]
    return found


def foreign(row: Row, cell: Cell, text: str) -> Iterable[canary.Canary]:
    """What stands in the text and is not the asker's to read."""
    known = cell.standing == "standing"
    for one in canary.found(text):
        if not (one.owner in row.tells or (known and cell.asker.may_read(one, CELLS))):
            yield one


def may_change(
    operation: Operation, row: Row, cell: Cell, is_open: str, change: Change, said: Iterable[str]
) -> bool:
    """What was refused or not found changes nothing; what was done changes rows of the asker's own authority and,
    where they have one, provider."""
    if change.table in OF_NOTICE and opens_to_anybody(row, is_open):
        return True  # of the authority that was named: whoever comes in here is of none yet
    if change.table in row.leaves | OF_BEING_THERE | OF_NOTICE or is_being_there(change):
        return not strange(row, cell, change, said)
    if not in_reach(row, cell, is_open):
        return False
    if operation.method in SAFE and change.table not in OF_READING:
        return False
    return not strange(row, cell, change, said)


def is_being_there(change: Change) -> bool:
    """A key was used today."""
    if change.table != "api_keys" or change.before is None or change.after is None:
        return False
    return {name for name, value in change.before.items() if change.after[name] != value} == {"used_at"}


def strange(of: Row, cell: Cell, change: Change, said: Iterable[str]) -> bool:
    """A row of somebody else's."""
    for row in change.rows:
        if row.get("tenant_id", 1) != 1:
            return True
        if cell.asker.provider and row.get("provider_ref") not in (None, cell.asker.provider):
            return True
    mine = cell.asker.reads | of.tells
    before = "" if change.before is None else str(dict(change.before))
    return any(one.owner not in mine and one.text.lower() not in set(said) for one in canary.found(before))


def told_apart(answers: Mapping[Cell, Answer], row: Row, is_open: str) -> list[str]:
    """Whoever asks about a foreign thing is answered as about one that is not there."""
    found = []
    for cell, got in answers.items():
        nothing = answers.get(replace(cell, owner="none"))
        if nothing is None or cell.owner in ("none", "own") or in_reach(row, cell, is_open):
            continue
        here, there = impersonal(got.body, cell.owner), impersonal(nothing.body, "none")
        if (got.status, here) != (nothing.status, there):
            found.append(f"{cell}: reads otherwise than of nothing:\n    {here[:300]}\n    {there[:300]}")
    return found
