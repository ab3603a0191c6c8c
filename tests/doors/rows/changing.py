"""Alerts taken on and given back, corrections, entries by hand."""

from uuid import uuid4

from tests.doors.row import Row
from tests.doors.world import THINGS, Things

OWN = THINGS["own"]


def entry(things: Things, _: object) -> dict[str, str]:
    return {
        "id": str(uuid4()),
        "kind": "check_out",
        "occurred_at": "2026-11-21T09:15:00Z",
        "care_worker": things.care_worker,
        "reason_code": "forgot_check_out",
    }


ROWS = [
    Row("POST /v1/alerts/{alert_id}/acknowledgement", body={"note": "Ringing"}),
    Row("DELETE /v1/alerts/{alert_id}/acknowledgement"),
    Row(
        "POST /v1/visits/{visit_id}/amendments",
        body={"kind": "note", "reason_code": "other", "note": "Rang; all well"},
        ok=201,
    ),
    # On one's own visit, but naming somebody else's event or worker.
    Row(
        "POST /v1/visits/{visit_id}/amendments",
        path={"visit_id": OWN.visit_id},
        body=lambda t, _: {"kind": "link", "reason_code": "other", "event_id": t.loose_event_id},
        ok=201,
    ),
    Row(
        "POST /v1/visits/{visit_id}/amendments",
        path={"visit_id": OWN.visit_id},
        body=lambda t, _: {
            "kind": "times",
            "reason_code": "forgot_check_out",
            "care_worker": t.care_worker,
            "check_out_at": "2026-11-21T09:31:00Z",
        },
        ok=201,
        elsewhere=409,
    ),
    Row("POST /v1/check-events/{event_id}/rejection", body={"reason_code": "test"}, ok=201),
    Row("POST /v1/visits/{visit_id}/check-events", body=entry, ok=201),
    Row(
        "POST /v1/visits/{visit_id}/check-events",
        path={"visit_id": OWN.visit_id},
        body=entry,
        ok=201,
        elsewhere=409,
    ),
]
