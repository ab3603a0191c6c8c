"""Whatever bytes come, reading ends with rows or with a reason; never with a surprise."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecm.importing.kinds import KINDS, Kind
from ecm.importing.report import ImportReport
from ecm.importing.row import Columns, FileRefused
from ecm.importing.stage import Batch, _next_batch, opened
from tests.importing.desk import SERVICE_USERS, VISITS

STARTS = [b"", VISITS.encode(), SERVICE_USERS.encode(), VISITS.encode("utf-16"), b"[{", b'{"items": [']
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(kind: Kind, source: bytes, file_format: str) -> Batch:
    columns = Columns(kind.columns, kind.required)
    with opened(io.BytesIO(source), "csv" if file_format == "csv" else "json", columns) as rows:
        batch = _next_batch(kind, rows, "Europe/London")
    assert batch.read == len(batch.rows) + len(batch.rejections)
    json.dumps(list(columns.unknown)).encode()
    for row_no, reason in batch.rejections:
        assert row_no >= 1
        assert reason
        reason.encode()  # fit for an answer, whatever it quotes
    return batch


@pytest.mark.parametrize("file_format", ["csv", "json"])
@given(start=st.sampled_from(STARTS), more=st.binary(max_size=200), cut=st.integers(0, 400))
def test_bytes(file_format: str, start: bytes, more: bytes, cut: int) -> None:
    batch = read(KINDS["visits"], start[:cut] + more + start[cut:], file_format)
    if batch.refused:
        assert batch.refused.row >= 1
        assert batch.refused.reason


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_items_of_any_json(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    item = data.draw(st.dictionaries(st.sampled_from(sorted(kind.columns)), ANY_JSON))
    batch = read(kind, json.dumps([item]).encode(), "json")
    assert batch.read == 1 or batch.refused


def test_a_report_lists_a_thousand_and_counts_the_rest() -> None:
    report = ImportReport(read=1500)
    for row in range(1500):
        report.reject(row + 2, "is not known")
    assert report.as_text().splitlines()[1000:1003] == [
        "row 1001: is not known",
        "and 500 more",
        "nothing was written",
    ]


def test_the_row_of_a_refusal_is_the_row_a_person_looks_for() -> None:
    batch = read(KINDS["visits"], VISITS.encode() + b"V4,P1,\xff", "csv")
    assert isinstance(batch.refused, FileRefused)
    assert (batch.read, batch.refused.row) == (3, 5)
