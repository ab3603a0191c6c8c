"""What is held about whoever asks: theirs alone, however it is asked."""

from tests.doors.row import listed

OWN = frozenset({"own"})  # their account too, which nobody else at their door would be told of

ROWS = [
    listed("GET /v1/me/held", tells=OWN),
    listed("GET /v1/me/held", query={"as": "csv"}, tells=OWN),
    listed("GET /v1/app/held", tells=OWN),
]
