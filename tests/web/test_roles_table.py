"""The table of roles says what the doors do: it is drawn from their own, and every cell says why."""

from ecm.permit import KEY_SCOPES, PHONE, ROLES, Action, Actor, permit
from ecm.web.roles_table import LINES, WORDS


def test_every_action_has_words_and_every_cell_a_reason() -> None:
    assert set(WORDS) == set(Action)
    assert [len(line.cells) for line in LINES] == [len(ROLES) + len(KEY_SCOPES) + 1] * len(Action)
    assert all(cell.why.endswith(".") and "{" not in cell.why for line in LINES for cell in line.cells)


def test_a_cell_says_no_exactly_where_the_doors_do() -> None:
    for action, line in zip(Action, LINES, strict=True):
        for cell in line.cells:
            if cell.column in ROLES:
                who = Actor("account", 1, 1, "", cell.column, "P1" if cell.column in ROLES[:3] else None)
            elif cell.column == PHONE:
                continue
            else:
                who = Actor("key", 1, 1, "", scopes=frozenset({cell.column}))
            assert bool(permit(who, action)) == (cell.words != "–"), (action, cell.column)
