"""Pages and what they load, the board, and what says whether the service is well."""

from typing import Any

from ecm.permit import Action
from ecm.web.static_files import VERSION
from tests.doors.row import Row, listed

ACCOUNT = frozenset({"account"})
# A page sends whoever is not signed in to the sign-in, and says why to whoever may not open it.
ELSEWHERE: Any = frozenset({303, 403})


def page(address: str, action: Action, **more: Any) -> Row:
    """A frame: what stands in it, it asks for by the interface, under the same permits."""
    return Row(
        f"GET {address}",
        action=action,
        takes=ACCOUNT,
        refused=ELSEWHERE,
        gone=303,
        **{"elsewhere": None} | more,
    )


ROWS = [
    page("/board", Action.READ_BOARD),
    page("/exceptions", Action.READ_UNMATCHED),
    page("/actuals", Action.READ_ACTUALS),
    page("/tags", Action.MANAGE_TAGS),
    page("/visits/{visit_id}", Action.READ_VISITS, elsewhere=200),
    page("/care-workers/{ref}", Action.READ_VISITS, path={"ref": "care_worker"}, elsewhere=200),
    listed("GET /", ok=frozenset({200, 303})),
    listed("GET /app"),
    listed("GET /app/sw.js"),
    listed("GET /app/manifest.webmanifest"),
    listed("GET /t/{tag_id}", ok=303),
    listed("GET /static/{version}/{file}", path={"version": VERSION, "file": "icon.svg"}),
    listed("GET /v1/openapi.json"),
    listed("GET /healthz"),
    listed("GET /readyz", ok=frozenset({200, 503})),
    listed("GET /metrics"),
    listed("POST /board/tickets", ok=201),
    listed("WS /board/live", action=Action.READ_BOARD, takes=ACCOUNT),  # its topics: test_board_topics.py
]
