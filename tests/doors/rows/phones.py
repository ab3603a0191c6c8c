"""What a care worker's phone asks, and what it sends: its own worker's day, and nobody else's."""

from typing import Any
from uuid import uuid4

from tests.doors.row import Row, Who, listed
from tests.doors.world import PIN, Things, code_of
from tests.ingest.phone import Phone

PHONE = frozenset({"phone"})
KEY_OR_PHONE = frozenset({"key", "phone"})
SENT = frozenset({"check_events", "processing_queue"})
BEFORE_IT_WAS_CUT_OFF = "2026-11-21T09:10:00Z"


def check_in(things: Things, who: Who) -> dict[str, Any]:
    """Signed, where a phone sends it. It happened before the phone was cut off, so that it is taken all the same."""
    event = {
        "id": str(uuid4()),
        "kind": "check_in",
        "occurred_at": BEFORE_IT_WAS_CUT_OFF,
        "method": "app",
        "care_worker": things.care_worker,
        "service_user": things.service_user,
        "visit": things.visit_ref,
    }
    return event if who.phone is None else who.phone.item(event)


def report(things: Things, who: Who) -> list[dict[str, Any]]:
    said = {
        "id": str(uuid4()),
        "kind": "concern",
        "occurred_at": BEFORE_IT_WAS_CUT_OFF,
        "service_user": things.service_user,
        "visit": things.visit_ref,
        "care_worker": things.care_worker,
        "words": "She looks pale",
    }
    return [said if who.phone is None else who.phone.item(said)]


ROWS = [
    listed("GET /v1/app/today"),
    listed("GET /v1/app/epoch", opens_to=PHONE),
    # A colleague's PIN opens a shared phone, so theirs is not asked for here: it would be no one's other than theirs.
    Row(
        "POST /v1/app/unlock",
        body=lambda t, _: {"care_worker": t.care_worker, "pin": PIN if t.owner != "col" else "0000"},
        opens_to=PHONE,
        elsewhere=403,
        leaves=frozenset({"pin_tries"}),
    ),
    Row("GET /v1/app/visits/{visit_id}/key-safe"),
    # One's own code is the proof of whoever has it.
    listed(
        "POST /v1/app/enrolment",
        body={"code": code_of("own"), "public_key": Phone().jwk},
        ok=201,
        tells=frozenset({"own"}),
    ),
    listed(
        "POST /v1/app/enrolment",
        body={"code": "WRONGCODE7", "public_key": Phone().jwk},
        ok=404,
    ),
    # What is sent is taken, whatever it says: what it then means is decided later, within its own authority.
    Row(
        "POST /v1/reports",
        body=report,
        ok=201,
        elsewhere=201,
        gone=201,
        opens_to=PHONE,
        leaves=frozenset({"reports", "alert_queue"}),
    ),
    Row(
        "POST /v1/check-events",
        body=check_in,
        ok=201,
        elsewhere=201,
        gone={"key": 401, "phone": 201},
        takes=KEY_OR_PHONE,
        leaves=SENT,
    ),
]
