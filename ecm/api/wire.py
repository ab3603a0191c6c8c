"""What every operation has in common on the wire: how ids and texts look, pages of lists, and examples.

The limits stand in the types, so that OpenAPI says them and nothing reaches PostgreSQL that it cannot store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Header, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NO_NUL = r"^[^\x00]*$"
BIGGEST_ID = 2**63 - 1
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

# Nor what breaks a line or turns its direction: a name stands in lists, logs and messages beside other people's words.
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]


def _written_like(pattern: re.Pattern[str], example: str) -> BeforeValidator:
    """Pydantic also takes numbers and looser spellings; what OpenAPI promises is what is taken."""

    def check(value: Any) -> Any:
        if isinstance(value, int | float) or (isinstance(value, str) and not pattern.fullmatch(value)):
            raise ValueError(f"write it like {example}")
        return value

    return BeforeValidator(check)


LocalDate = Annotated[date, _written_like(DATE, "2026-11-21")]
Instant = Annotated[AwareDatetime, _written_like(RFC_3339, "2026-11-21T09:02:00Z")]

Id = Annotated[int, Path(ge=1, le=BIGGEST_ID, examples=[1])]
EventId = Annotated[UUID, Path(examples=["019aa3f2-7d1e-7000-8000-000000000001"])]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.", examples=[100])]
IdCursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Made by the sender before the first try; the same key and body again changes nothing.",
        examples=["3f0c8a52-6f1e-4d0f-9b51-6d2f0f6a7c11"],
    ),
]


class Asked(BaseModel):
    """A request's body. Unknown members are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid")


T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: str | None = Field(None, description="The cursor of the next page; null on the last.")


# A cursor says where the last page ended, in plain digits: it is a place in an order, not a secret.
# It is for reading a list through, not for following what is added: rows commit out of order.

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def point_to_next(request: Request, response: Response, cursor: str | None) -> str | None:
    """Puts RFC 8288's `Link: <...>; rel="next"` on the answer, and gives the cursor back for the body."""
    if cursor is not None:
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        url = f"{request.url.path}?{urlencode([*query, ('cursor', cursor)])}"
        response.headers["Link"] = f'<{url}>; rel="next"'
    return cursor


def page_of(
    request: Request,
    response: Response,
    rows: Sequence[R],
    limit: int,
    show: Callable[[R], T],
    place: Callable[[R], str],
) -> Page[T]:
    """The rows as a page. A full one may have another behind it, which begins after the `place` of its last row."""
    cursor = place(rows[-1]) if len(rows) == limit else None
    return Page(items=[show(row) for row in rows], next=point_to_next(request, response, cursor))


def answers(
    example: Any, *problems: int, status: int = 200, **headers: str
) -> dict[int | str, dict[str, Any]]:
    """`responses=` of one operation: its example, the headers it may carry, and the problems special to it.

    The problems that any operation may be are added by `openapi.describe`.
    """
    good: dict[str, Any] = {"content": {"application/json": {"example": example}}}
    if headers:
        good["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    said: dict[int | str, dict[str, Any]] = {number: {} for number in problems}
    return {status: good, **said}


def asks(example: Any) -> dict[str, Any]:
    """`openapi_extra=` that gives the body its example."""
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


NEXT_PAGE = 'The next page, as `<...>; rel="next"` (RFC 8288).'
