"""Whatever changes something through a door leaves a line of it in the audit, in the transaction that did it."""

from __future__ import annotations

from tests.doors.askers import ASKERS
from tests.doors.asking import Cell
from tests.doors.judging import is_being_there
from tests.doors.matrix import expected
from tests.doors.operations import known
from tests.doors.rows import rows
from tests.doors.service import Service

# Something begun, which changes nothing until it is finished; what a person should know, which nobody changed.
NO_CHANGE = {"openings", "notices"}
# What changes something and leaves no entry, and why.
WITHOUT = {
    "POST /v1/check-events": "evidence, which is its own record",
    "POST /v1/reports": "evidence",
    "POST /v1/feeds/sandata/clients": "kept as it was sent",
    "POST /v1/feeds/sandata/employees": "kept as it was sent",
    "POST /v1/feeds/sandata/visits": "kept as it was sent",
    "POST /board/tickets": "a pass for a minute",
}


async def test_every_change_leaves_an_entry(service: Service) -> None:
    silent = {}
    letters = expected()
    for name, operation in known().items():
        for row in rows()[name] if operation.method not in ("GET", "WS") else ():
            for asker in (asker for asker in ASKERS if letters[name, asker.name] != "-"):
                happened = await service.ask(operation, row, Cell(name, asker, "standing", "own"))
                tables = {
                    change.table for change in happened.changes if not is_being_there(change)
                } - NO_CHANGE
                if tables and "audit" not in tables:
                    silent[name] = f"by {asker.name}: {sorted(tables)}"
    assert silent.keys() == WITHOUT.keys(), silent
