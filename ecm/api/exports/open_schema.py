"""Our own columns: the five time pairs apart, where each time comes from, and what it was worked out to pay.

Times are local with their offset, minutes have two decimals, money is in pounds. Where several workers came,
their values stand side by side with "; " between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ecm.api.exports import csv_table, xlsx_table
from ecm.api.exports.kinds import Format
from ecm.api.exports.line import Cell, Line


def _start(pair: str) -> Callable[[Line], Cell]:
    return lambda line: _time(getattr(line, pair)[0])


def _end(pair: str) -> Callable[[Line], Cell]:
    return lambda line: _time(getattr(line, pair)[1])


def _minutes(column: str) -> Callable[[Line], Cell]:
    return lambda line: round(line[column] / 60, 2)


def _pounds(column: str) -> Callable[[Line], Cell]:
    return lambda line: line[column] / 100


def _each(key: str) -> Callable[[Line], Cell]:
    return lambda line: "; ".join(
        str(stay[key]) if stay[key] is not None else "" for stay in line["evidence"]
    )


def _same(column: str) -> Callable[[Line], Cell]:
    return lambda line: line[column]


def _location(line: Line) -> Cell:
    return "; ".join(found["code"] for found in line["findings"] if found["code"].startswith("location_"))


COLUMNS: Mapping[str, Callable[[Line], Cell]] = {
    "visit": _same("ref"),
    "date": lambda line: line.date.isoformat(),
    "service_user": _same("service_user_ref"),
    "provider": _same("provider_ref"),
    "service": _same("service"),
    "funder": _same("funder"),
    "contract": _same("contract_ref"),
    "state": _same("state"),
    "commissioned_start": _start("commissioned"),
    "commissioned_end": _end("commissioned"),
    "planned_start": _start("planned"),
    "planned_end": _end("planned"),
    "rostered_start": _start("rostered"),
    "rostered_end": _end("rostered"),
    "actual_start": _start("actual"),
    "actual_end": _end("actual"),
    "payable_start": _start("payable"),
    "payable_end": _end("payable"),
    "commissioned_minutes": _same("commissioned_minutes"),
    "planned_minutes": _minutes("planned_seconds"),
    "actual_minutes": _minutes("actual_seconds"),
    "payable_minutes": _minutes("payable_seconds"),
    "planned_amount": _pounds("planned_pence"),
    "payable_amount": _pounds("amount_pence"),
    "carers_required": _same("carers_required"),
    "rostered_workers": lambda line: "; ".join(line["care_worker_refs"]),
    "care_workers": _each("care_worker"),
    "check_in_method": _each("check_in_method"),
    "check_in_received_at": _each("check_in_received_at"),
    "check_in_event": _each("check_in_event"),
    "check_out_method": _each("check_out_method"),
    "check_out_received_at": _each("check_out_received_at"),
    "check_out_event": _each("check_out_event"),
    "location": _location,
    "findings": lambda line: "; ".join(found["code"] for found in line["findings"]),
    "corrections": _same("corrections"),
    "working": lambda line: " | ".join(step["words"] for step in line["steps"]),
    "exception": _same("exception"),
    "changed_since_run": lambda line: "yes" if line["changed_since_run"] else "no",
    "computed_at": lambda line: _time(line["computed_at"]),
}

CSV = Format(csv_table.MEDIA_TYPE, "csv", COLUMNS, csv_table.encode)
XLSX = Format(xlsx_table.MEDIA_TYPE, "xlsx", COLUMNS, xlsx_table.encode)


def _time(at: Any) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
