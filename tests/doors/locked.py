"""What the database alone keeps in: whose rows each asker's lock shows, and what is closed to their role."""

from __future__ import annotations

from tests.doors import canary
from tests.doors.asking import Cell, Happened
from tests.doors.changes import Change
from tests.doors.judging import OF_BEING_THERE, OF_READING, is_being_there
from tests.doors.lying import Lie
from tests.doors.row import Row

# Tables that are closed by role: who reads them all the same. `hash` never leaves.
CLOSED_BUT_TO = {
    "acc": {"administrator", "coordinator", "manager"},
    "key": {"administrator"},
    "aud": {"administrator", "auditor"},
    "qua": {"administrator", "auditor"},
    "saf": set[str](),
    "sig": {"administrator"},
}
# The authority's own, and of no provider: who changes them.
CHANGED_BY = {
    "tenants": {"administrator"},
    "oidc_providers": {"administrator"},
    "oidc_roles": {"administrator"},
    "api_keys": {"administrator"},
    "payment_periods": {"finance", "finance_approver"},
}
CHANGES_NOTHING = {"quality", "auditor", "key read"}
# Evidence is taken as it is sent, whatever it names.
AS_SENT = {"check_events", "processing_queue", "reports", "feed_records", "quarantine", "pin_tries"}
THEIR_OWN = OF_READING | OF_BEING_THERE | {"socket_tickets"}


def sees(cell: Cell) -> frozenset[str]:
    """The owners whose rows are there for the asker. An account that should say whose it is and does not sees none."""
    if cell.standing == "unplaced":
        return frozenset()
    return cell.asker.reads | ({"col"} if cell.asker.name == "shared phone" else set())


def leaks(row: Row, cell: Cell, happened: Happened, lie: Lie) -> list[str]:
    """What is wrong, in sentences. The lie itself may come back."""
    found = []
    if happened.answer.status >= 500 and happened.answer.status != 503:
        found.append(f"answered {happened.answer.status}: {happened.logged[-600:]}")
    said = {one.text.lower() for one in canary.found(f"{happened.asked.said} {lie.reach}")}
    for where, text in (("the answer", happened.answer.text), ("the log", happened.logged)):
        told = {one.text for one in canary.found(text) if hidden(row, cell, one)}
        if new := sorted(one for one in told if one.lower() not in said):
            found.append(f"{where} tells {', '.join(new[:8])}")
    found += [f"it {change}" for change in happened.changes if foreign(row, cell, change)]
    return found


def hidden(row: Row, cell: Cell, one: canary.Canary) -> bool:
    if one.owner in row.tells:
        return False
    if one.owner not in sees(cell):
        return True
    return one.topic in CLOSED_BUT_TO and not CLOSED_BUT_TO[one.topic] & cell.asker.columns


def foreign(row: Row, cell: Cell, change: Change) -> bool:
    """A change of what is not the asker's, or by whoever may change nothing."""
    if is_being_there(change):
        return False
    if cell.asker.name in CHANGES_NOTHING and change.table not in THEIR_OWN | row.leaves:
        return True
    if change.table in CHANGED_BY and not CHANGED_BY[change.table] & cell.asker.columns:
        return True
    if any(one.get("tenant_id", 1) != 1 for one in change.rows):
        return True
    if cell.asker.provider and any(
        one.get("provider_ref") not in (None, cell.asker.provider) for one in change.rows
    ):
        return True
    if change.table in AS_SENT | THEIR_OWN:
        return False
    # What a phone sends may be about a colleague's visit: within its provider, whoever must be told is told.
    known = sees(cell) | row.tells | ({"col"} if change.table in row.leaves else set())
    return any(one.owner not in known for values in change.rows for one in canary.found(str(dict(values))))
