"""`POST /v1/feeds/sandata/{clients|employees|visits}`: another system's records, in its own words.

    a key that may record → read → each record understood → calls recorded → the transaction kept → its id answered

The answer is a transaction id, and the status of each record stands under it from that moment on: an existing client
asks later, as it is used to, and finds it ready. What is recorded is committed before the transaction is, and each
call's id is made from what cannot differ (`sandata.read`): a client that never got its answer sends the same again, and
nothing is lost and nothing doubled.

One bad record costs the others nothing, and one bad call nothing to the other calls of its visit; the record is then
rejected, so that its sender mends it, and the good calls stand. An unknown client or employee is accepted with the
feed's own exception; so is everything the feed calls an exception.

A client of this kind signs in with a user, a password and an account: the password is our key, and the rest is not
looked at. Our own way, `Authorization: Bearer`, does as well.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, NoReturn
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from ecm.doors import Services, for_action, of_key, services
from ecm.errors import NotFound, NotPermitted, NotSignedIn, NotUnderstood, TooLarge, TooMany
from ecm.permit import Action, Actor, permit
from ingest.feeds import sandata
from ingest.feeds.sandata import FEED, Record
from ingest.feeds.taking import Taking, sql
from ingest.feeds.wire import (
    ALL_WELL,
    BODY,
    EXAMPLE_ID,
    NOT_ALL,
    RECEIVED,
    RECEIVED_EXAMPLE,
    RECORDS_MAX,
    STATUS_EXAMPLE,
    Received,
    TransactionStatus,
    shown,
)
from ingest.understand import mend

router = APIRouter(tags=["feeds"])

BODY_BYTES_MAX = 32 * 1024 * 1024
DEPTH_MAX = 32
AT_ONCE_MAX = 4
RETRY_AFTER_S = 5

KINDS = {"clients": "client", "employees": "employee", "visits": "visit"}
KindName = Literal["clients", "employees", "visits"]

_by_key = HTTPBearer(scheme_name="key", auto_error=False)
_by_password = HTTPBasic(scheme_name="feed", auto_error=False, description="The password is a key.")


async def sender(
    door: Annotated[Services, Depends(services)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_by_key)] = None,
    basic: Annotated[HTTPBasicCredentials | None, Depends(_by_password)] = None,
) -> Actor:
    """The system that sends. Raises NotSignedIn, and NotPermitted for a key that may not record."""
    if bearer is not None:
        who = await of_key(door, bearer.credentials)
    elif basic is not None:
        who = await of_key(door, basic.password)
    else:
        raise NotSignedIn("send a key, as Bearer or as the password of Basic")
    decision = permit(who, Action.RECORD_CHECK_EVENT)
    if not decision.allowed:
        raise NotPermitted(decision.reason)
    return who


@router.post(
    "/v1/feeds/sandata/{kind}",
    response_model=Received,
    responses={
        200: {"content": {"application/json": {"example": RECEIVED_EXAMPLE}}},
        413: {},
        422: {},
        429: {},
    },
    openapi_extra=BODY | for_action(Action.RECORD_CHECK_EVENT),
)
async def receive(
    request: Request,
    kind: KindName,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(sender)],
) -> Received:
    """Takes up to 5,000 records of another system, and answers the id their status stands under."""
    transaction_id = uuid4()
    with _turn(request, who):
        body = await _body(request)
        received_at = door.clock.now()
        records = await asyncio.to_thread(
            _records, KINDS[kind], body
        )  # a long array must not make the others wait
        taking = Taking(door.web, request.app.state.recorder, who, KINDS[kind], received_at)
        await taking.take(transaction_id, records)
    return Received(
        id=transaction_id,
        transaction_id=transaction_id,
        data={"uuid": str(transaction_id), "message": RECEIVED},
    )


@router.get(
    "/v1/feeds/sandata/{kind}/status",
    response_model=TransactionStatus,
    responses={200: {"content": {"application/json": {"example": STATUS_EXAMPLE}}}},
    openapi_extra=for_action(Action.RECORD_CHECK_EVENT),
)
async def status(
    kind: KindName,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(sender)],
    uuid: Annotated[UUID, Query(description="The transaction's id.", examples=[EXAMPLE_ID])],
) -> TransactionStatus:
    """What became of each record of a transaction, in the order they were sent."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.records, who.tenant_id, uuid, FEED, KINDS[kind])
    if not rows:
        raise NotFound("There is no such transaction of this kind.")
    failed = sum(row["status"] == "rejected" for row in rows)
    return TransactionStatus(
        id=uuid,
        transaction_id=uuid,
        status="FAILED" if failed else "SUCCESS",
        messageSummary=NOT_ALL.format(failed=failed, all=len(rows)) if failed else ALL_WELL,
        failedCount=failed,
        succeededCount=len(rows) - failed,
        data=[shown(row["record_id"], row["sequence_id"], row["status"], row["reasons"]) for row in rows],
    )


@contextmanager
def _turn(request: Request, who: Actor) -> Iterator[None]:
    """A transaction may be long and fill memory, so each sender has only a few under way. Raises TooMany."""
    state = request.app.state
    if not hasattr(state, "feeds_under_way"):
        state.feeds_under_way = Counter()
    under_way: Counter[tuple[int, int]] = state.feeds_under_way
    key = (who.tenant_id, who.id)
    if under_way[key] >= AT_ONCE_MAX:
        raise TooMany(
            "Other transactions of this key are still being taken; send this one again.",
            retry_after_seconds=RETRY_AFTER_S,
        )
    under_way[key] += 1
    try:
        yield
    finally:
        under_way[key] -= 1


async def _body(request: Request) -> bytes:
    """Raises TooLarge as soon as it is known to be."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > BODY_BYTES_MAX:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _records(kind: str, body: bytes) -> list[Record]:
    """The records sent, each as read and storable. Raises NotUnderstood, TooLarge."""
    try:
        sent = json.loads(body.decode("utf-8-sig"), parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise NotUnderstood("body: not JSON: nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise NotUnderstood(f"body: not JSON: {str(error).partition(':')[0]}") from None
    records = [sent] if isinstance(sent, dict) else sent
    if not isinstance(records, list) or not records:
        raise NotUnderstood("body: send one record or an array of them")
    if len(records) > RECORDS_MAX:
        raise _too_large()
    if _is_deep(records):
        raise NotUnderstood("body: nested too deeply")
    return [sandata.read(kind, mend(each)[0]) for each in records]


def _is_deep(records: list[Any]) -> bool:
    level: list[Any] = records
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _no_number(text)
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number")


def _too_large() -> TooLarge:
    return TooLarge(f"a transaction takes {RECORDS_MAX} records and {BODY_BYTES_MAX >> 20} MiB at most")
