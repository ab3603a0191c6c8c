"""Signing in at one's council, more ways than one: at an authority that is named, and with what somebody stole."""

from tests.doors.row import listed

# That a council does not answer is told to its administrators.
NOTICED = frozenset({"notices"})

ROWS = [
    *(
        listed("GET /sign-in/council", query={"tenant": tenant}, ok=303, leaves=NOTICED)
        for tenant in ("1", "2")
    ),
    listed("GET /sign-in/council/back", query={"code": "stolen", "state": "made-up"}, ok=303),
]
