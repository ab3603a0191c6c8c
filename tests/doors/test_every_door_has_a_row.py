"""A route that nobody thought about fails the build, and so does what is written down of one that is gone."""

from __future__ import annotations

from ecm.app import framework
from ecm.permit import KEY_SCOPES, PHONE, ROLES
from tests.doors.askers import ASKERS
from tests.doors.judging import letter
from tests.doors.matrix import EXPECTED, table
from tests.doors.operations import Operation, operations
from tests.doors.rows import rows

KNOWN = operations(framework())
ROWS = rows()


def test_every_operation_has_a_row() -> None:
    missing = [what_to_write(one) for one in KNOWN.values() if one.name not in ROWS]
    assert not missing, (
        "tests/doors/rows/<feature>.py: add to ROWS (tests/doors/row.py explains the fields)\n"
        + ("\n".join(missing))
    )


def what_to_write(operation: Operation) -> str:
    """The row as it may well be right, for its author to look at."""
    about = "Row" if "{" in operation.path else "listed"
    more = ""
    if operation.method in ("POST", "PUT", "PATCH"):
        more += ", body=lambda things, who: {…}, ok=201"
    if not operation.described:
        more += ", action=Action.…, takes=frozenset({'account'})"
    elif operation.action is None:
        kinds = ", ".join(map(repr, sorted(operation.takes))) or "ANYBODY"
        more += f", opens_to=frozenset({{{kinds}}})" if operation.takes else ", opens_to=ANYBODY"
    return f'    {about}("{operation.name}"{more}),'


def test_every_row_has_its_operation() -> None:
    stale = sorted(set(ROWS) - set(KNOWN))
    assert not stale, (
        "no such operation is there any more; take its rows out of tests/doors/rows: " + ", ".join(stale)
    )


def test_rows_of_one_operation_agree_on_who_it_opens_to() -> None:
    for name, several in ROWS.items():
        if name in KNOWN:
            for asker in ASKERS:
                assert len({letter(KNOWN[name], row, asker) for row in several}) == 1, (name, asker.name)


def test_everybody_of_the_table_asks() -> None:
    assert {column for asker in ASKERS for column in asker.columns} == {*ROLES, *KEY_SCOPES, PHONE}


def test_an_operation_that_opens_to_some_says_why() -> None:
    for name, several in ROWS.items():
        operation = KNOWN.get(name)
        if operation is None or not operation.described:
            continue
        assert (operation.action is None) == (operation.open_because is not None), name
        for row in several:
            assert row.action is None, f"{name} says its action itself (x-ecm-action)"
            assert operation.action is None or row.opens_to is None, f"{name} opens by its action"
            if row.opens_to is None and operation.action is None:
                assert not operation.takes, (
                    f"{name}: opens_to should say whether to {sorted(operation.takes)}"
                )


def test_what_is_written_down_is_what_follows_from_the_table() -> None:
    """`python -m tests.doors.matrix` writes it anew; what then differs is for people to read."""
    assert EXPECTED.read_text("utf-8") == table(KNOWN, ROWS)
