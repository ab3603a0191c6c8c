"""Run 2: the application is lied to and checks nothing; the database is told the truth, and that must be enough.

Whoever was let in asks for what is another provider's and another authority's, with every right. Which status comes is
all one, but not 500: what is not there must be answered for. Nothing foreign may come out, in the answer or the log,
and nothing foreign may be changed. What is closed to a role stays closed, and whoever may change nothing changes
nothing.

What the second lock does not do, and this run does not ask of it: reduce the columns of a row that is there (a fix to a
kilometre, an address to its area: `ecm.api.evidence`, `ecm.api.visits`), tell a shared phone's workers apart (who holds
it, its ticket says, which the application reads), and the doors at which there is nobody to be lied about: the
telephone, an enrolment by its code, signing in.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest

from tests.doors import canary
from tests.doors.askers import ASKERS, standings
from tests.doors.asking import Cell
from tests.doors.board import everything
from tests.doors.judging import takes
from tests.doors.locked import hidden, leaks
from tests.doors.lying import LIES, Lie, told
from tests.doors.operations import known
from tests.doors.row import Row
from tests.doors.rows import rows
from tests.doors.service import Service

KNOWN = known()
ROWS = rows()
# With a door of their own before the framework, or nobody who asks: see above.
NOBODY_THERE = {name for name, one in KNOWN.items() if one.method == "WS" or name == "POST /v1/check-events"}


@pytest.mark.parametrize("name", sorted(KNOWN.keys() & ROWS.keys() - NOBODY_THERE))
async def test_the_database_alone_keeps_each_to_what_is_theirs(service: Service, name: str) -> None:
    wrong = [what for lie in LIES for what in await looked_at(service, name, lie)]
    assert not wrong, f"{len(wrong)} cells are wrong:\n" + "\n".join(wrong[:40])


async def looked_at(service: Service, name: str, lie: Lie, *, enough: float = inf) -> list[str]:
    """What is wrong with an operation's cells while the application believes a lie."""
    operation, found = KNOWN[name], []
    with told(lie, service.app.fastapi):
        for row in ROWS[name]:
            for cell in cells(name, row, lie):
                happened = await service.ask(operation, row, cell)
                found += [f"{cell}, told {lie.name}: {what}" for what in leaks(row, cell, happened, lie)]
                if len(found) >= enough:
                    return found
    return found


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie.name != "a colleague"], ids=lambda lie: lie.name)
async def test_a_socket_is_kept_to_whoever_opened_it(service: Service, lie: Lie) -> None:
    """One feed serves every provider, so that no row's policy stands behind a frame: the socket's own lock does."""
    for asker in (asker for asker in ASKERS if asker.kind == "account"):
        for standing in ("standing", "unplaced") if asker.provider else ("standing",):
            with told(lie, service.app.fastapi):
                heard = await everything(service, asker, standing)
            cell = Cell("WS /board/live", asker, standing, "own")
            leaked = {one.text for one in canary.found(heard) if hidden(ROWS["WS /board/live"][0], cell, one)}
            assert not leaked, f"{asker.name} ({standing}) is told {sorted(leaked)}"


def cells(name: str, row: Row, lie: Lie) -> Iterator[Cell]:
    """Whoever stands at this door, asking for what may not be theirs. What is nobody's in particular is asked once."""
    for asker in ASKERS:
        if asker.kind not in takes(KNOWN[name], row) or (lie.name == "a colleague" and asker.kind != "phone"):
            continue
        everything = "oth" in asker.reads or row.elsewhere is None
        for owner in lie.about[:1] if everything else lie.about:
            for standing in standings(asker):
                if standing in ("standing", "unplaced"):
                    yield Cell(name, asker, standing, owner)
