"""Visits, their evidence, alerts, and what care workers' records have in common."""

from tests.doors.row import SIGNED_IN, Row, listed

ROWS = [
    listed("GET /v1/visits"),
    Row("GET /v1/visits", query={"provider": "{provider}"}, elsewhere=200),
    Row("GET /v1/visits", query={"worker": "{care_worker}"}, elsewhere=200),
    Row("GET /v1/visits", query={"person": "{service_user}"}, elsewhere=200),
    Row("GET /v1/visits/{visit_id}"),
    Row("GET /v1/visits/{visit_id}", path={"visit_id": "done_visit_id"}),
    Row("GET /v1/visits/{visit_id}/reports"),
    listed("GET /v1/check-events"),
    Row("GET /v1/check-events/{event_id}"),
    Row("GET /v1/check-events/{event_id}", path={"event_id": "loose_event_id"}),
    listed("GET /v1/unmatched"),
    listed("GET /v1/quarantine"),
    listed("GET /v1/alerts"),
    Row("GET /v1/alerts/{alert_id}"),
    Row("GET /v1/care-workers/{ref}/patterns", path={"ref": "care_worker"}),
    listed("GET /v1/reason-codes", opens_to=SIGNED_IN),
]
