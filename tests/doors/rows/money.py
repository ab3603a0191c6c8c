"""Actuals, the runs that work them out, and the files that are paid from."""

from tests.doors.row import listed
from tests.doors.world import LAST_PERIOD, PERIOD

FORMATS = ("csv", "xlsx", "abacus")

ROWS = [
    listed("GET /v1/actuals", query={"period": PERIOD}),
    listed("POST /v1/actuals/{period}/runs", ok=202),
    listed("POST /v1/actuals/{period}/lock", path={"period": LAST_PERIOD}),
    *(listed(f"GET /v1/actuals/{{period}}/export?format={one}") for one in FORMATS),
]
