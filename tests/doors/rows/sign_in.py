"""Signing in and out, one's own password, who one is."""

from tests.doors.row import SIGNED_IN, listed

WRONG = {"email": "nobody@example.org", "password": "a-made-up-phrase"}
BY_FORM = {"content-type": "application/x-www-form-urlencoded"}
ACCOUNT = frozenset({"account"})

ROWS = [
    listed("POST /v1/session", body=WRONG, ok=401),
    listed("DELETE /v1/session", ok=204, opens_to=ACCOUNT),
    listed("GET /v1/me", opens_to=SIGNED_IN),
    # The made-up accounts have no password that could be right: who comes this far was let in.
    listed(
        "POST /v1/me/password",
        body={"current": "a-made-up-phrase", "new": "another-made-up-phrase"},
        ok=409,
        opens_to=ACCOUNT,
    ),
    listed("POST /sign-in", body="email=nobody%40example.org&password=x", headers=BY_FORM, ok=303),
    listed("POST /sign-out", ok=303),
]
