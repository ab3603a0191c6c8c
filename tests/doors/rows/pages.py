"""Pages and what they load, the board, and what says whether the service is well."""

from typing import Any

from ecm.permit import Action
from ecm.web.static_files import VERSION
from tests.doors.row import Row, listed

ACCOUNT = frozenset({"account"})
# A page sends whoever is not signed in to the sign-in, and says why to whoever may not open it.
ELSEWHERE: Any = frozenset({303, 403})


OF_SETTINGS = (Action.MANAGE_ACCOUNTS, Action.MANAGE_PHONES, Action.MANAGE_KEYS, Action.READ_AUDIT)
SETUP = {"setup_code": "K7MP2XQR4TBN"}
ADA = {"name": "Ada", "email": "ada-two@example.org"}
BY_PASSWORD = {"password": "a-made-up-phrase", "opening": "an-opening-nobody-made", "code": "123456"}
AUTHORITY = {"authority": "Another Borough", "password": BY_PASSWORD}


def page(address: str, action: Action | tuple[Action, ...], **more: Any) -> Row:
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
    # The sign-in page offers each authority's own way in, by the authority's name.
    listed("GET /", ok=frozenset({200, 303}), tells=frozenset({"abr"})),
    listed("GET /sign-in", ok=303),
    page("/settings", OF_SETTINGS),
    page("/settings/people", Action.MANAGE_ACCOUNTS),
    page("/settings/devices", Action.MANAGE_PHONES),
    page("/settings/keys", Action.MANAGE_KEYS),
    page("/settings/sign-in", Action.MANAGE_SIGN_IN),
    page("/settings/roles", OF_SETTINGS),
    page("/settings/audit", Action.READ_AUDIT),
    listed("GET /me", opens_to=ACCOUNT, takes=ACCOUNT, refused=ELSEWHERE, gone=303),
    # The first run is over: there is an administrator, so that nobody is made another one.
    listed("GET /setup", ok=303),
    listed("POST /v1/setup/code", body=SETUP, ok=409),
    listed("POST /v1/setup/passkey-options", body=SETUP | ADA, ok=409),
    listed("POST /v1/setup/second-step", body=SETUP | ADA, ok=409),
    listed("POST /v1/setup", body=SETUP | ADA | AUTHORITY, ok=409),
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
