"""The service-delivery CSV of the Abacus provider portal: claimed and actual times kept apart.

24 columns, of which public documents name 19; the other five are left empty under a name that says so. A line
that somebody must look at first is not in it: this file is paid from. The portal ignores a FileReference it
has seen, so one stands for one provider, funder and run: the same run sent twice pays once, and council and
NHS money never share a reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ecm.api.exports import csv_table
from ecm.api.exports.kinds import Format
from ecm.api.exports.line import Cell, Line


def _file_reference(line: Line) -> Cell:
    run = f"{line['run_at']:%Y%m%d%H%M%S}" if line["run_at"] else "0"
    return f"ECM-{line['period']}-{line['provider_ref']}-{line['funder']}-{run}"


def _week_ending(line: Line) -> Cell:
    return _date(line.date + timedelta(days=6 - line.date.weekday()))


COLUMNS: Mapping[str, Callable[[Line], Cell]] = {
    "FileReference": _file_reference,
    "Description": lambda line: f"Home care {line['period']} {line['funder']}",
    "Created": lambda line: _date(line["run_at"]) if line["run_at"] else None,
    "ProviderRef": lambda line: line["provider_ref"],
    "ContractNumber": lambda line: line["contract_ref"],
    "ServiceUserRef": lambda line: line["service_user_ref"],
    "ServiceUserDetails": lambda line: line["service_user_name"],
    "WeekEnding": _week_ending,
    "OurRef": lambda line: line["ref"],
    "ServiceUserContribution": lambda _: "0.00",  # what a person pays is not known here
    "PaymentClaimed": lambda line: f"{line['amount_pence'] // 100}.{line['amount_pence'] % 100:02}",
    "ServiceType": lambda line: line["service"],
    "VisitDate": lambda line: _date(line.date),
    "StartTimeClaimed": lambda line: _clock(line.payable[0]),
    "DurationClaimed": lambda line: _duration(line["payable_seconds"]),
    "ActualStartTime": lambda line: _clock(line.actual[0]),
    "ActualDuration": lambda line: _duration(line["actual_seconds"]),
    "SecondaryVisit": lambda _: "N",  # a double-up is one line with its number of carers
    "NumberOfCarers": lambda line: line["carers_required"],
    **{f"Unnamed{number}": lambda _: None for number in range(20, 25)},
}

ABACUS = Format(csv_table.MEDIA_TYPE, "csv", COLUMNS, csv_table.encode, only_passed=True)


def _date(on: object) -> str:
    return f"{on:%d/%m/%Y}"


def _clock(at: datetime | None) -> str | None:
    return f"{at:%H:%M:%S}" if at else None


def _duration(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
