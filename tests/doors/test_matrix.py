"""Run 1: every cell, with the application's own checks: a right answer to whoever may, a quiet one to others."""

from __future__ import annotations

from math import inf

import pytest

from tests.doors.askers import ASKERS
from tests.doors.asking import Answer, Cell
from tests.doors.judging import cells, told_apart, wrongs
from tests.doors.matrix import expected
from tests.doors.operations import known
from tests.doors.rows import rows
from tests.doors.service import Service

KNOWN = known()
ROWS = rows()
LETTERS = expected()
BY_SOCKET = {name for name, operation in KNOWN.items() if operation.method == "WS"}


@pytest.mark.parametrize("name", sorted(KNOWN.keys() & ROWS.keys() - BY_SOCKET))
async def test_each_gets_what_is_theirs_and_nothing_else(service: Service, name: str) -> None:
    wrong = await looked_at(service, name)
    assert not wrong, f"{len(wrong)} cells are wrong:\n" + "\n".join(wrong[:40])


@pytest.mark.parametrize("name", sorted(KNOWN.keys() & ROWS.keys() - BY_SOCKET))
async def test_the_application_alone_keeps_each_to_what_is_theirs(service_alone: Service, name: str) -> None:
    """The same with no row-level security at all: the first lock is enough without the second."""
    wrong = await looked_at(service_alone, name)
    assert not wrong, f"{len(wrong)} cells are wrong:\n" + "\n".join(wrong[:40])


async def looked_at(service: Service, name: str, *, enough: float = inf) -> list[str]:
    """What is wrong with an operation's cells, a line each; no further than `enough`."""
    operation, found = KNOWN[name], []
    for row in ROWS[name]:
        for asker in ASKERS:
            is_open = LETTERS[name, asker.name]
            answers: dict[Cell, Answer] = {}
            for cell in cells(operation, row, asker, is_open):
                happened = await service.ask(operation, row, cell)
                answers[cell] = happened.answer
                found += [f"{cell}: {what}" for what in wrongs(operation, row, cell, is_open, happened)]
                if len(found) >= enough:
                    return found
            found += told_apart(answers, row, is_open)
    return found
