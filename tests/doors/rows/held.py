"""What is held about whoever asks: theirs alone, however it is asked."""

from tests.doors.row import listed

ROWS = [
    listed("GET /v1/me/held"),
    listed("GET /v1/me/held", query={"as": "csv"}),
    listed("GET /v1/app/held"),
]
