"""Signing in at one's council, more ways than one: at an authority that is named, and with what somebody stole."""

from tests.doors.row import listed

# That a council does not answer is told to its administrators, whoever found it so.
NOTICED = frozenset({"notices"})

ROWS = [
    listed("GET /sign-in/council", query={"tenant": "1"}, ok=303, leaves=NOTICED),
    listed("GET /sign-in/council/back", query={"code": "stolen", "state": "made-up"}, ok=303),
]
