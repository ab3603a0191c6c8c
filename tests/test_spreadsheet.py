"""What a spreadsheet would make of our exports: text, whatever a name or a note begins with."""

import csv
import io
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.spreadsheet import formula_safe

CELLS = [
    ("Ms Adams", "Ms Adams"),
    ("=1+1", "'=1+1"),
    ('=HYPERLINK("http://example.org","look")', '\'=HYPERLINK("http://example.org","look")'),
    ("+447700900123", "'+447700900123"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1+1", "'\t=1+1"),
    ("\r=1+1", "'\r=1+1"),
    ("\nnote", "'\nnote"),
    ("  =1+1", "'  =1+1"),
    ("\ufeff=1+1", "'\ufeff=1+1"),
    ("＝1+1", "'＝1+1"),
    ("|calc", "'|calc"),
    ("a\x00b", "a\\x00b"),
    ("\x00=1+1", "\\x00=1+1"),
    ("a=b, a-b, a@b", "a=b, a-b, a@b"),
    ("x" * 40_000, "x" * 32_766 + "…"),
    ("", ""),
    (None, ""),
    (-12, "-12"),
    (-1.5, "-1.5"),
    (Decimal("-14.30"), "-14.30"),
    (True, "yes"),
    (date(2026, 11, 23), "2026-11-23"),
    (time(9, 0), "09:00:00"),
    (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), "2026-11-23T09:00:00+00:00"),
]


@pytest.mark.parametrize(("value", "cell"), CELLS)
def test_a_cell_is_shown_and_never_run(value: object, cell: str) -> None:
    assert formula_safe(value) == cell  # type: ignore[arg-type]


@given(st.text())
def test_whatever_comes_nothing_begins_a_formula_and_the_file_can_be_read_back(text: str) -> None:
    cell = formula_safe(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))
    written = io.StringIO(newline="")
    csv.writer(written).writerow([cell, "end"])
    cell.encode()
    assert next(csv.reader(io.StringIO(written.getvalue(), newline=""))) == [cell, "end"]
