"""How the answers look, in the feed's own words as far as public documents and its users' programs show them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

RECORDS_MAX = 5_000

RECEIVED = "Transaction Received."
ALL_WELL = "All records updated successfully."
NOT_ALL = "[{failed}] of {all} records were not accepted; see ErrorMessage of each, mend and send them again."


class Received(BaseModel):
    id: UUID
    transaction_id: UUID
    status: Literal["SUCCESS"] = "SUCCESS"
    messageSummary: str = RECEIVED  # noqa: N815 - the feed's own words, here and below
    messageDetail: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    failedCount: int = 0  # noqa: N815
    succeededCount: int = 0  # noqa: N815
    data: dict[str, Any] = Field(description="`uuid`: ask for the status by this.")


class ExceptionShown(BaseModel):
    ExceptionID: int
    ExceptionDescription: str
    ExceptionAcknowledged: bool


class RecordStatus(BaseModel):
    RecordID: str = Field(description="With the provider's id before it, where one was given.")
    SequenceID: int
    Status: Literal["accepted", "rejected"]
    ErrorCode: str | None
    ErrorMessage: str | None
    Exceptions: list[ExceptionShown]
    Remarks: list[str]


class TransactionStatus(BaseModel):
    id: UUID
    transaction_id: UUID
    status: Literal["SUCCESS", "FAILED"]
    messageSummary: str  # noqa: N815
    messageDetail: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    failedCount: int  # noqa: N815
    succeededCount: int  # noqa: N815
    data: list[RecordStatus]


EXAMPLE_ID = "6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e77"
RECEIVED_EXAMPLE = {
    "id": EXAMPLE_ID,
    "transaction_id": EXAMPLE_ID,
    "status": "SUCCESS",
    "messageSummary": RECEIVED,
    "messageDetail": None,
    "errorMessage": None,
    "failedCount": 0,
    "succeededCount": 0,
    "data": {"uuid": EXAMPLE_ID, "message": RECEIVED},
}
STATUS_EXAMPLE = RECEIVED_EXAMPLE | {
    "messageSummary": ALL_WELL,
    "succeededCount": 1,
    "data": [
        {
            "RecordID": "P1/V-1001",
            "SequenceID": 1,
            "Status": "accepted",
            "ErrorCode": None,
            "ErrorMessage": None,
            "Exceptions": [
                {
                    "ExceptionID": 4,
                    "ExceptionDescription": "visit without out-call",
                    "ExceptionAcknowledged": False,
                }
            ],
            "Remarks": [],
        }
    ],
}
VISIT_EXAMPLE = {
    "ProviderIdentification": {"ProviderID": "P1", "ProviderQualifier": "Other"},
    "VisitOtherID": "V-1001",
    "SequenceID": 1,
    "EmployeeOtherID": "CW-A",
    "ClientOtherID": "SU-A",
    "ProcedureCode": "personal-care",
    "Calls": [
        {
            "CallExternalID": "1",
            "CallDateTime": "2026-11-21T09:02:00Z",
            "CallAssignment": "Time In",
            "CallType": "Mobile",
            "CallLatitude": 53.8,
            "CallLongitude": -1.55,
        }
    ],
}
# An item may be anything: each is judged by itself.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "array", "items": {}, "minItems": 1, "maxItems": RECORDS_MAX},
                        {"type": "object"},
                    ]
                },
                "example": [VISIT_EXAMPLE],
            }
        },
    }
}


def shown(record_id: str, sequence_id: int, status: Any, reasons: list[dict[str, Any]]) -> RecordStatus:
    wrong = [reason["words"] for reason in reasons if reason["wrong"]]
    return RecordStatus(
        RecordID=record_id,
        SequenceID=sequence_id,
        Status=status,
        ErrorCode="rejected" if wrong else None,
        ErrorMessage="; ".join(wrong)[:2_000] if wrong else None,
        Exceptions=[
            ExceptionShown(
                ExceptionID=reason["exception"],
                ExceptionDescription=reason["words"],
                ExceptionAcknowledged=reason["acknowledged"],
            )
            for reason in reasons
            if reason["exception"] is not None
        ],
        Remarks=[
            reason["words"] for reason in reasons if reason["exception"] is None and not reason["wrong"]
        ],
    )
