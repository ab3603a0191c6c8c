"""A route that nobody thought about fails the build, and so does what is written down of one that is gone."""

from __future__ import annotations

import re
from dataclasses import fields

from ecm.permit import KEY_SCOPES, PHONE, ROLES, Action
from tests.doors import row as row_module
from tests.doors.askers import ASKERS
from tests.doors.judging import letter
from tests.doors.matrix import EXPECTED, table
from tests.doors.operations import Operation, known
from tests.doors.rows import rows
from tests.doors.world import Things

KNOWN = known()
ROWS = rows()


HOW = """
Write it into ROWS of a file tests/doors/rows/<feature>.py (tests/doors/row.py explains each field), then write
expected.txt anew with `PYTHONPATH=. python -m tests.doors.matrix` and read what it says:

    from ecm.permit import Action
    from tests.doors.row import ANYBODY, SIGNED_IN, Row, listed

    ROWS = [
%s
    ]
"""


def test_every_operation_has_a_row() -> None:
    missing = [what_to_write(one) for one in KNOWN.values() if one.name not in ROWS]
    assert not missing, HOW % "\n".join(missing)


def what_to_write(operation: Operation) -> str:
    """The row as it may well be right, for its author to look at."""
    known = {one.name for one in fields(Things)}
    named = re.findall(r"\{(\w+)\}", operation.path)
    strange = {name: "a field of Things, or a value" for name in named if name not in known}
    parts = [f'"{operation.name}"', *([f"path={strange}"] if strange else [])]
    if operation.method in ("POST", "PUT", "PATCH"):
        parts += ['body=lambda things, who: {"…": things.visit_ref}', "ok=201"]
    if not operation.described:
        parts += ["action=Action.…", 'takes=frozenset({"account"})']
    elif operation.action is None:
        kinds = ", ".join(f'"{kind}"' for kind in sorted(operation.takes))
        parts.append(f"opens_to=frozenset({{{kinds}}})" if kinds else "opens_to=ANYBODY")
    about = "Row" if named else "listed"
    return f"        {about}({', '.join(parts)}),  # {operation.action or operation.open_because or 'hidden'}"


def test_what_to_write_is_a_row() -> None:
    """With its action filled in, the line of each operation there is."""
    for operation in KNOWN.values():
        line = what_to_write(operation).strip().split("  # ")[0].removesuffix(",")
        row = eval(line.replace("Action.…", "Action.READ_VISITS"), {**vars(row_module), "Action": Action})
        assert row.operation == operation.name


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
