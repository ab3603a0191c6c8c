"""Signing in at one's council, and how an authority is joined to it. The world's councils answer nobody."""

from ecm.api.oidc import ASKED
from tests.doors.row import Row, listed

ACCOUNT = frozenset({"account"})

ROWS = [
    listed("GET /v1/oidc"),
    listed("PUT /v1/oidc", body=ASKED | {"rules": [{"group": "G", "role": "duty_officer"}]}),
    listed("DELETE /v1/oidc", ok=204),
    listed("POST /v1/oidc/check"),
    listed("GET /v1/me/council", opens_to=ACCOUNT),
    listed("POST /v1/me/council", ok=frozenset({409, 503}), opens_to=ACCOUNT),
    listed("DELETE /v1/me/council", ok=404, opens_to=ACCOUNT),
    *(listed("GET /sign-in/council", query={"tenant": tenant}, ok=303) for tenant in ("", "1", "2")),
    Row("GET /sign-in/council/back", query={"code": "stolen", "state": "made-up"}, ok=303, elsewhere=None),
]
