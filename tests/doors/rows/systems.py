"""Other systems: imports, another vendor's feed, the telephone's gateway."""

from typing import Any

from tests.doors.row import Row, listed
from tests.doors.world import THINGS, Things
from tests.ingest.feeds.records import visit

OWN = THINGS["own"]
FILES: dict[str, list[dict[str, Any]]] = {
    "providers": [{"ref": "P-new", "name": "New Home Care"}],
    "contracts": [
        {"ref": "C-new", "provider_ref": "P1", "service": "night", "valid_from": "2027-01-01", "rules": {}}
    ],
    "service-users": [{"ref": "SU-new", "name": "Mr New"}],
    "care-workers": [{"ref": "CW-new", "name": "Nell New", "provider_ref": "P1"}],
    "visits": [
        {
            "ref": "V-new",
            "service_user_ref": OWN.service_user,
            "provider_ref": "P1",
            "date": "2026-11-30",
            "start": "09:00",
            "end": "09:30",
        }
    ],
}
RECORDS: dict[str, Any] = {
    "clients": {
        "ClientOtherID": OWN.service_user,
        "SequenceID": 1,
        "ClientFirstName": "A",
        "ClientLastName": "B",
    },
    "employees": {"EmployeeOtherID": OWN.care_worker, "SequenceID": 1},
    "visits": visit(EmployeeOtherID=OWN.care_worker, ClientOtherID=OWN.service_user),
}
TOLD = frozenset({"feed_records", "check_events", "processing_queue"})


def file_of(kind: str) -> Row:
    return listed(f"POST /v1/imports/{kind}", body=FILES[kind])


def records_of(kind: str) -> Row:
    return listed(f"POST /v1/feeds/sandata/{kind}", body=[RECORDS[kind]])


def of_somebodys(things: Things, _: object) -> list[dict[str, Any]]:
    """A visit in which another provider's or authority's people are named."""
    return [visit(EmployeeOtherID=things.care_worker, ClientOtherID=things.service_user)]


ROWS = [
    *(file_of(kind) for kind in FILES),
    *(records_of(kind) for kind in RECORDS),
    Row("POST /v1/feeds/sandata/visits", body=of_somebodys, elsewhere=200, leaves=TOLD),
    *(
        Row(f"GET /v1/feeds/sandata/{kind}/status", query={"uuid": "{transaction_id}"})
        for kind in ("clients", "employees", "visits")
    ),
    # Nobody here is the gateway: each of these carries its signature, and nobody else is listened to.
    listed("POST /v1/telephone/voice", body="CallSid=CA1&From=%2B441134960121", ok=403),
    listed("POST /v1/telephone/voice/step", body="CallSid=CA1&Digits=1", ok=403, query={"step": "0"}),
    listed("POST /v1/telephone/voice/status", body="CallSid=CA1&CallStatus=completed", ok=403),
    listed("POST /v1/telephone/sms", body="MessageSid=SM1&Body=IN", ok=403),
]
