"""One operation's line of the matrix: how to ask it, and what the answer should be.

The address is filled from the things of whoever is asked about: `{visit_id}` becomes that owner's visit. What differs
is given; the defaults are those of an operation that reads one thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecm.permit import Action
from tests.doors.askers import Asker, Standing
from tests.doors.world import Things
from tests.ingest.phone import Phone


@dataclass(frozen=True, slots=True)
class Who:
    """Whoever asks, for a body that is theirs: a phone signs what it sends."""

    asker: Asker
    standing: Standing
    phone: Phone | None


Body = Callable[[Things, Who], Any] | str | bytes | dict[str, Any] | list[Any]
Statuses = int | frozenset[int]
ByKind = Statuses | Mapping[str, Statuses]

ANYBODY = frozenset({"account", "key", "phone", "nobody"})
SIGNED_IN = frozenset({"account", "key"})


@dataclass(frozen=True)
class Row:
    """`operation`: as the failing test names it, `GET /v1/visits/{visit_id}`.

    `path`      what a place in the path is called in Things, where it differs: {"ref": "care_worker"}, or a value
    `query`     the query, by name; a string in braces is filled as the path is: {"provider": "{provider}"}
    `body`      what to send, or `lambda things, who: …`. A dict or list goes as JSON, a str or bytes as it is
    `headers`   beside the proof of who asks
    `ok`        the status for whoever may, about what is theirs
    `elsewhere` the status about what is beyond their reach. None: the operation is about nothing in particular, as a
                list is; then foreign things are not asked for
    `refused`   the statuses for whoever may not
    `gone`      the statuses for a session that ran out, a key that was revoked, a phone that was cut off
                Each of these may be told apart by kind of asker: {"key": 401, "phone": 201}
    `leaves`    tables that may be written into also where nothing was allowed: a failed sign-in is written down
    `tells`     owners whose secret the question itself holds, so that the answer may be about them
    `action`    of an operation that OpenAPI does not show, or any of several; the others say it themselves
    `opens_to`  for an operation that names no action: the kinds of asker it is open to
    `takes`     the kinds of asker this door understands; by default as its `security` says
    """

    operation: str
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ok: ByKind = 200
    elsewhere: ByKind | None = 404
    refused: ByKind = frozenset({401, 403})
    gone: ByKind = 401
    leaves: frozenset[str] = frozenset()
    tells: frozenset[str] = frozenset()
    action: Action | tuple[Action, ...] | None = None
    opens_to: frozenset[str] | None = None
    takes: frozenset[str] | None = None


def listed(operation: str, **more: Any) -> Row:
    """An operation about nothing in particular: a list that narrows itself, an address without a thing in it."""
    return Row(operation, elsewhere=None, **more)


def of_kind(wanted: ByKind, asker: Asker) -> frozenset[int]:
    """The statuses that fit an asker of this kind."""
    one = wanted[asker.kind] if isinstance(wanted, Mapping) else wanted
    return frozenset({one}) if isinstance(one, int) else one
