"""Accounts, keys and the audit."""

from tests.doors.row import Row, listed

ROWS = [
    listed("GET /v1/accounts"),
    listed(
        "POST /v1/accounts",
        body={"email": "nina@example.org", "name": "Nina New", "role": "duty_officer"},
        ok=201,
    ),
    Row("POST /v1/accounts/{account_id}/disablement"),
    Row("DELETE /v1/accounts/{account_id}/disablement"),
    Row("POST /v1/accounts/{account_id}/password"),
    listed("GET /v1/keys"),
    listed("POST /v1/keys", body={"name": "A gateway", "scopes": ["ingest"]}, ok=201),
    Row("POST /v1/keys/{key_id}/revocation"),
    listed("GET /v1/audit"),
]
