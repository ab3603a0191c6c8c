"""Phones, tags, code cards, and how to get in."""

from tests.doors.row import Row, listed

# Another provider's, or none: refused before anybody looks. Who may for all is told that there is no such.
REFUSED = {"account": frozenset({403, 404})}

ROWS = [
    Row("POST /v1/enrolments", body=lambda t, _: {"care_worker": t.care_worker}, ok=201),
    Row("POST /v1/enrolments", body=lambda t, _: {"provider": t.provider}, ok=201, elsewhere=REFUSED),
    listed("GET /v1/phones"),
    Row("POST /v1/phones/{device_id}/cut-off", body={"reason": "lost on the bus"}),
    listed("GET /v1/homes"),
    Row("PUT /v1/homes/key-safe", body=lambda t, _: {"service_user": t.service_user, "code": "4711"}),
    Row("POST /v1/tags", body=lambda t, _: {"kind": "qr", "service_user": t.service_user}, ok=201),
    listed("GET /v1/tags"),
    Row("GET /v1/tags", query={"service_user": "{service_user}"}, elsewhere=200),
    Row("POST /v1/tags/{tag_id}/retirement", body={"reason": "moved house"}),
    Row("POST /v1/code-cards", body=lambda t, _: {"service_user": t.service_user}, ok=201),
    listed("GET /v1/code-cards"),
    Row("GET /v1/code-cards", query={"service_user": "{service_user}"}, elsewhere=200),
    Row("POST /v1/code-cards/{card_id}/retirement", body={"reason": "moved house"}),
]
