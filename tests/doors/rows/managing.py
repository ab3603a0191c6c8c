"""Accounts, keys and the audit."""

from tests.doors.row import Row, listed

LEFT = {"reason": "left on Friday"}
WORKER = {"ref": "care_worker"}
COUNCIL = {"issuer": "https://id.example.org", "client_id": "ecm", "client_secret": "made-up", "rules": []}

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
    Row("PUT /v1/accounts/{account_id}/role", body={"role": "duty_officer"}),
    Row("PUT /v1/accounts/{account_id}/care-worker", body={"care_worker": None}),
    listed("GET /v1/needs-doing"),
    listed("GET /v1/providers"),
    Row("GET /v1/care-workers", query={"provider": "{provider}"}, elsewhere=frozenset({200, 403, 404})),
    listed("GET /v1/keys"),
    listed("POST /v1/keys", body={"name": "A gateway", "scopes": ["ingest"]}, ok=201),
    Row("POST /v1/keys/{key_id}/revocation"),
    listed("GET /v1/audit"),
    listed("GET /v1/audit/verification"),
    listed("GET /v1/notices"),
    Row("POST /v1/notices/{notice_id}/seen"),
    # Somebody who leaves, and comes back.
    Row("POST /v1/accounts/{account_id}/departure", body=LEFT),
    Row("DELETE /v1/accounts/{account_id}/departure", ok=204),
    Row("POST /v1/care-workers/{ref}/departure", path=WORKER, body=LEFT),
    Row("DELETE /v1/care-workers/{ref}/departure", path=WORKER, ok=204),
    # How people sign in.
    listed("GET /v1/sign-in-rules"),
    listed("PUT /v1/sign-in-rules", body={"second_way_required": True}),
    Row("DELETE /v1/accounts/{account_id}/second-ways", ok=204),
    listed("GET /v1/oidc"),
    listed("PUT /v1/oidc", body=COUNCIL),
    listed("DELETE /v1/oidc", ok=204),
    listed("POST /v1/oidc/check"),
]
