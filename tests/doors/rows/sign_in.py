"""Signing in and out, one's own ways in, who one is."""

from tests.doors.row import SIGNED_IN, Row, listed

WRONG = {"email": "nobody@example.org", "password": "a-made-up-phrase"}
BY_FORM = {"content-type": "application/x-www-form-urlencoded"}
ACCOUNT = frozenset({"account"})
UNKNOWN = "an-opening-nobody-made"
CODE = {"opening": UNKNOWN, "code": "123456"}
CREDENTIAL = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}

OPENED = frozenset({"openings"})
NOTICED = frozenset({"notices"})
REFUSED = frozenset({400, 401, 403, 409, 422})
SENT_ON = frozenset({200, 303})


def own(operation: str, **more: object) -> Row:
    """About whoever asks, and nobody else: there is nothing of anybody's to name."""
    return listed(operation, opens_to=ACCOUNT, **more)


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
    # Signing in by something stronger: what is wrong, unknown or used is refused in the same words to everybody.
    listed("POST /v1/session/passkey-options", ok=frozenset({200, 409, 429}), leaves=OPENED),
    listed("POST /v1/session/passkey", body={"opening": UNKNOWN, "credential": CREDENTIAL}, ok=REFUSED),
    listed("POST /v1/session/second-step", body=CODE, ok=REFUSED),
    listed("GET /sign-in/code", ok=SENT_ON),
    listed("POST /sign-in/code", body="code=123456", headers=BY_FORM, ok=SENT_ON),
    own("GET /v1/me/passkeys"),
    own("POST /v1/me/passkeys/options", ok=frozenset({200, 409}), leaves=OPENED),
    own(
        "POST /v1/me/passkeys",
        body={"opening": UNKNOWN, "credential": CREDENTIAL, "name": "A laptop"},
        ok=409,
    ),
    own("GET /v1/me/second-step"),
    own("POST /v1/me/second-step", ok=201, leaves=OPENED),
    own("POST /v1/me/second-step/confirmation", body=CODE, ok=409),
    own("DELETE /v1/me/second-step", ok=404),
    own("POST /v1/me/recovery-codes", ok=409),
    own("POST /v1/session/step-up-options", leaves=OPENED, ok=frozenset({200, 409})),
    own("POST /v1/session/step-up", body={"password": "a-made-up-phrase", "code": "123456"}, ok=REFUSED),
    own("GET /v1/me/council"),
    # Whoever wants to join is led to the authority's own sign-in, and so is told where it is.
    # That the council does not answer is told to its administrators, whoever found it so.
    own(
        "POST /v1/me/council",
        ok=frozenset({201, 409, 503}),
        leaves=OPENED | NOTICED,
        tells=frozenset({"top"}),
    ),
    own("DELETE /v1/me/council", ok=404),
    own("GET /v1/me/sessions"),
    own("DELETE /v1/me/sessions", ok=204),
    # Nobody's but one's own, whatever number is named: each of these is somebody else's.
    own("DELETE /v1/me/sessions/{session_id}", ok=404),
    own("DELETE /v1/me/passkeys/{passkey_id}", ok=404),
]
