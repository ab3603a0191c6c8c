"""Records as two vendors' systems send them: Amber's app in one dialect, Birch's in the other."""

from __future__ import annotations

from typing import Any


def punch(**said: Any) -> dict[str, Any]:
    fields = {
        "CallExternalID": "1",
        "CallDateTime": "2026-11-21T09:02:00Z",
        "CallAssignment": "Time In",
        "CallType": "Mobile",
        "CallLatitude": 53.8001,
        "CallLongitude": -1.5491,
        "MobileLogin": "alice.phone",
    }
    return _without_nothing(fields | said)


def visit(**said: Any) -> dict[str, Any]:
    """Ms Adams' visit by Alice, checked in and out by her own app."""
    fields = {
        "ProviderIdentification": {"ProviderID": "P1", "ProviderQualifier": "Other"},
        "VisitOtherID": "1001",
        "SequenceID": 1,
        "EmployeeQualifier": "EmployeeCustomID",
        "EmployeeOtherID": "CW-A",
        "ClientIDQualifier": "ClientCustomID",
        "ClientOtherID": "SU-A",
        "ProcedureCode": "personal-care",
        "VisitTimeZone": "Europe/London",
        "Calls": [
            punch(),
            punch(CallExternalID="2", CallAssignment="Time Out", CallDateTime="2026-11-21T09:31:00Z"),
        ],
    }
    return _without_nothing(fields | said)


def other_dialect(**said: Any) -> dict[str, Any]:
    """The same in the words of the other dialect."""
    return visit(
        EmployeeOtherID=None,
        ClientOtherID=None,
        StaffOtherID="CW-A",
        PatientOtherID="SU-A",
        Calls=[
            punch(CallAssignment="Call In", CallType="Telephony", OriginatingPhoneNumber="01632 960001"),
            punch(CallAssignment="Call Out", CallType="Other", CallExternalID="2",
                 CallDateTime="2026-11-21T09:31:00Z"),
        ],
    ) | said  # fmt: skip


def _without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
