"""How often somebody is turned away, at which door and why: a number that rises when somebody tries keys.

    ecm_refused_total{door="sign_in", why="not-signed-in"}

Both labels are of few fixed words, so that no stranger's request makes a new one, and neither names anybody. What is
refused is told to the sender by `ecm.problem`, in the same few words; an answer of ours that fails (5xx) is no refusal.
"""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter

from ecm.errors import EcmError

_refused = Counter("ecm_refused", "Requests turned away, by door and reason.", ["door", "why"])


class Door(StrEnum):
    SIGN_IN = "sign_in"
    CHECK_EVENTS = "check_events"
    PHONE = "phone"
    TELEPHONE = "telephone"
    FEED = "feed"
    IMPORT = "import"
    BOARD = "board"
    INTERFACE = "interface"
    PAGE = "page"


# The first that an address begins with; the last fits all.
BEHIND: tuple[tuple[str, Door], ...] = (
    ("/v1/session", Door.SIGN_IN),
    ("/sign-in", Door.SIGN_IN),
    ("/v1/check-events", Door.CHECK_EVENTS),
    ("/v1/app/", Door.PHONE),
    ("/v1/reports", Door.PHONE),
    ("/v1/telephone/", Door.TELEPHONE),
    ("/v1/feeds/", Door.FEED),
    ("/v1/imports/", Door.IMPORT),
    ("/board/", Door.BOARD),
    ("/v1/", Door.INTERFACE),
    ("/", Door.PAGE),
)

# The slugs of every error that is the sender's; a test holds it to them.
WHY = frozenset(
    {
        "not-signed-in",
        "clock-wrong",
        "cut-off",
        "left",
        "not-permitted",
        "step-up-needed",
        "finish-setting-up",
        "not-found",
        "conflict",
        "too-large",
        "not-understood",
        "import-rejected",
        "heads-not-trusted",
        "too-many",
    }
)
OTHER = "other"


def refused(door: Door, why: str) -> None:
    """Counts one. `why`: an error's slug; whatever is not in WHY counts as other."""
    _refused.labels(door, why if why in WHY else OTHER).inc()


def refused_at(path: str, error: EcmError) -> None:
    """Counts an error that is answered at `path`, if it is the sender's."""
    if error.status < 500:
        refused(door_of(path), error.slug)


def door_of(path: str) -> Door:
    return next((door for start, door in BEHIND if path.startswith(start)), Door.PAGE)
