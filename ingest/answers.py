"""Answers as bytes: receipts on the hot road, problems (RFC 9457) beside it.

A problem has the members that `ecm.problem` gives it on every other door.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from ecm.errors import EcmError

_JSON = ((b"content-type", b"application/json"),)
_PROBLEM = ((b"content-type", b"application/problem+json"),)


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def receipt(event_id: UUID, status: str, received_at: datetime, warnings: Iterable[str]) -> bytes:
    """One event's receipt, as JSON."""
    more = f',"warnings":{json.dumps(list(warnings))}' if warnings else ""
    return f'{{"id":"{event_id}","status":"{status}","received_at":"{rfc3339(received_at)}"{more}}}'.encode()


@lru_cache(maxsize=64)
def rfc3339(at: datetime) -> str:
    """UTC, ending in Z. Remembered, because all of an array arrived at one instant."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def success(status: int, body: bytes) -> Answer:
    return Answer(status, [*_JSON, (b"content-length", b"%d" % len(body))], body)


def problem(error: EcmError, **more: Any) -> Answer:
    """`more`: extension members, such as `errors`."""
    headers = [*_PROBLEM]
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.retry_after_seconds is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after_seconds))
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"2"))
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers.append((b"connection", b"close"))  # we stopped reading; the rest would be taken for a request
    body = json.dumps(described(error, **more)).encode()
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(error.status, headers, body)


def described(error: EcmError, **more: Any) -> dict[str, Any]:
    """The members of a problem."""
    members: dict[str, Any] = {"type": error.type, "title": error.title, "status": error.status}
    if error.detail:
        members["detail"] = error.detail
    return members | more


def bug() -> Answer:
    members = {
        "type": "/problems/bug",
        "title": "That was our mistake; it is logged, and nothing was changed.",
        "status": 500,
    }
    body = json.dumps(members).encode()
    return Answer(500, [*_PROBLEM, (b"content-length", b"%d" % len(body))], body)
