"""The service-delivery CSV of the Abacus provider portal: claimed and actual times kept apart.

24 columns, of which public documents name 19; the other five are left empty under a name that says so.

This file is paid from, so a line that somebody must look at first is not in it, nor one whose visit changed since
the run. The portal ignores a FileReference it has seen. One stands for what one provider is paid for by one funder:
the same lines have the same reference however often they are worked out, so a file sent twice pays once, and council
and NHS money never share a reference.

A double-up has a row for each worker who came, one carer in each, the rows after the first being secondary visits.
Whether a portal multiplies DurationClaimed by NumberOfCarers or not, it pays each worker's own time once; a row of two
carers with the time of both would be paid twice by one that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ecm.api.exports import csv_table
from ecm.api.exports.kinds import Format
from ecm.api.exports.line import Cell, Line, a_line_each


def _file_reference(line: Line) -> Cell:
    digest = line.file.digest if line.file else "0"
    return f"ECM-{line['period']}-{line['provider_ref']}-{line['funder']}-{digest}"


def _our_ref(line: Line) -> Cell:
    """One of its own for each row, lest the second be taken for a repeat of the first."""
    return f"{line['ref']}/{line.part + 1}" if line.part else line["ref"]


def _week_ending(line: Line) -> Cell:
    return _date(line.date + timedelta(days=6 - line.date.weekday()))


COLUMNS: Mapping[str, Callable[[Line], Cell]] = {
    "FileReference": _file_reference,
    "Description": lambda line: f"Home care {line['period']} {line['funder']}",
    "Created": lambda line: _date(line.file.written_at) if line.file else None,
    "ProviderRef": lambda line: line["provider_ref"],
    "ContractNumber": lambda line: line["contract_ref"],
    "ServiceUserRef": lambda line: line["service_user_ref"],
    "ServiceUserDetails": lambda line: line["service_user_name"],
    "WeekEnding": _week_ending,
    "OurRef": _our_ref,
    "ServiceUserContribution": lambda _: "0.00",  # what a person pays is not known here
    "PaymentClaimed": lambda line: f"{line['amount_pence'] // 100}.{line['amount_pence'] % 100:02}",
    "ServiceType": lambda line: line["service"],
    "VisitDate": lambda line: _date(line.date),
    "StartTimeClaimed": lambda line: _clock(line.payable[0]),
    "DurationClaimed": lambda line: _duration(line["payable_seconds"]),
    "ActualStartTime": lambda line: _clock(line.actual[0]),
    "ActualDuration": lambda line: _duration(line["actual_seconds"]),
    "SecondaryVisit": lambda line: "Y" if line.part else "N",
    "NumberOfCarers": lambda line: line.workers,
    **{f"Unnamed{number}": lambda _: None for number in range(20, 25)},
}

ABACUS = Format(csv_table.MEDIA_TYPE, "csv", COLUMNS, csv_table.encode, only_passed=True, rows_of=a_line_each)


def _date(on: object) -> str:
    return f"{on:%d/%m/%Y}"


def _clock(at: datetime | None) -> str | None:
    return f"{at:%H:%M:%S}" if at else None


def _duration(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
