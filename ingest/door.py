"""`POST /v1/check-events`: the only way evidence gets in.

A plain ASGI endpoint, because the framework's full stack costs two thirds of the rate. One request, in order:

    size → who sends → read → rate → understand → store (`ingest.batch`) → answer

    answer            means
    201, 200          committed to disk: now, or before
    409, 422          not stored as an event; the body is kept aside (the answer says so)
    401 403 413 429   not looked at
    503               nothing is known to be stored (or the body stopped half-way): keep it and send again

An array gets 201 when every item was created and 200 otherwise, and each item its own result: one bad item never
costs the others. Only 503 concerns the whole array, because sending it again is safe.

What is deliberately not here: any thought about visits. `ingest` writes evidence and a to-do row, no more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from ecm.clock import Clock
from ecm.errors import Conflict, EcmError, NotPermitted, NotSignedIn, NotUnderstood, TooLarge, TooMany
from ecm.private import PRIVATE, on_the_wire
from ecm.refusals import refused_at
from ecm.sealing import Sealer
from ecm.store.db import Database
from ingest import metrics
from ingest.answers import Answer, bug, described, problem, receipt, success
from ingest.batch import WRITERS, Batcher, Outcome, Row
from ingest.body import Receive, SenderGone, is_array, read_body, too_large
from ingest.devices import Device, Devices
from ingest.keys import KeyHolder, Keys
from ingest.limits import (
    ARRAY_BYTES_MAX,
    ARRAY_ITEMS_MAX,
    EVENT_BYTES_MAX,
    EVENTS_AT_ONCE,
    EVENTS_PER_S,
    Rates,
)
from ingest.proving import Proving
from ingest.quarantine import Misfit, Quarantine
from ingest.recorder import Recorder
from ingest.row import row_of
from ingest.understand import NotAnEvent, items, understand

log = logging.getLogger(__name__)

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ITEMS_PER_TURN = 25
BYTES_PER_TURN = EVENT_BYTES_MAX
# More than an event says: whoever sends more than a kilobyte for each pays for its bytes.
BYTES_PER_EVENT = 1024


class CheckEventsDoor:
    """The endpoint. `start` before the first request, `stop` after the last.

    `db`: role ecm_ingest. `says`: headers that every answer carries (`ecm.private`). `recorder`: the same road, for
    doors that make the event themselves.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        sealer: Sealer,
        *,
        says: Iterable[tuple[bytes, bytes]] = on_the_wire(PRIVATE),
        writers: int = WRITERS,
        events_per_s: float = EVENTS_PER_S,
        events_at_once: float = EVENTS_AT_ONCE,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._clock = clock
        self._says = tuple(says)
        self._keys = Keys(db)
        self._devices = Devices(db)
        self._rates = Rates(events_per_s, events_at_once)
        self._quarantine = quarantine or Quarantine(db)
        self._batcher = Batcher(db.dsn, db.role, writers=writers)
        self._proving = Proving(db, sealer)
        self.recorder = Recorder(self._batcher, self._proving, self._quarantine, clock)

    async def start(self) -> None:
        await self._batcher.start()

    async def stop(self) -> None:
        """Everything received is committed, or answered 503."""
        await self._batcher.stop()

    async def cut(self, tenant_id: int | None) -> None:
        """Somebody's key may have been revoked: as `ecm.cuts` tells it."""
        self._keys.forget(tenant_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except EcmError as error:
            metrics.turned_away.labels(error.slug).inc()
            refused_at(scope["path"], error)
            answer = problem(error)
        except SenderGone:
            return
        except Exception:
            log.exception("the door for check events failed")
            metrics.turned_away.labels("bug").inc()
            answer = bug()
        headers = [*answer.headers, *self._says]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        authorization = length = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-length":
                length = value
        if length is not None and length.isdigit() and int(length[:20]) > ARRAY_BYTES_MAX:
            raise too_large()
        if authorization is None:
            raise NotSignedIn("send Authorization: Bearer and a key")
        device = await self._devices.named(authorization)
        holder = await self._holder(authorization) if device is None else device.holder
        body = await read_body(receive)
        received_at = self._clock.now()
        if is_array(body):
            return await self._array(holder, device, body, received_at)
        return await self._single(holder, device, body, received_at)

    async def _holder(self, authorization: bytes) -> KeyHolder:
        holder = self._keys.remembered(authorization) or await self._keys.holder(authorization)
        if not holder.may_record:
            raise NotPermitted("recording check events needs the scope ingest")
        return holder

    async def _single(
        self, holder: KeyHolder, device: Device | None, body: bytes, received_at: datetime
    ) -> Answer:
        self._take(holder, _weight(body))
        try:
            understood = understand(body)
            proved = await self._proving.prove(holder, device, understood, received_at)
        except (NotAnEvent, NotSignedIn, NotPermitted) as error:
            [kept] = await self._quarantine.keep(holder, [Misfit(error.detail, body)], received_at)
            metrics.events["rejected"].inc()
            return problem(error, **_errors(error), kept=kept)
        row, warnings = row_of(understood, holder, received_at, proved)
        [outcome] = await self._batcher.store((row,))
        metrics.events[outcome.status].inc()
        if outcome.status == "created":
            return success(201, receipt(row.event_id, "created", outcome.received_at, warnings))
        if outcome.status == "exists":
            return success(200, receipt(row.event_id, "exists", outcome.received_at, warnings))
        wrong = _wrong(outcome)
        [kept] = await self._quarantine.keep(holder, [Misfit(wrong.detail, body, row.event_id)], received_at)
        return problem(wrong, id=str(row.event_id), kept=kept)

    async def _array(
        self, holder: KeyHolder, device: Device | None, body: bytes, received_at: datetime
    ) -> Answer:
        weight = _weight(body)
        self._take(holder, weight)  # before it is read: what cannot be understood costs as much to read
        try:
            parts = items(body, at_most=ARRAY_ITEMS_MAX)
        except NotAnEvent as error:
            [kept] = await self._quarantine.keep(holder, [Misfit(error.detail, body)], received_at)
            return problem(error, errors=error.errors, kept=kept)
        if len(parts) > ARRAY_ITEMS_MAX:
            raise too_large()
        self._take(holder, max(0, len(parts) - weight))

        rows: list[Row] = []
        results: list[bytes] = [b""] * len(parts)
        places: list[int] = []
        warnings_of: list[tuple[str, ...]] = []
        wrongs: list[tuple[int, EcmError, Misfit]] = []
        turn_bytes = 0
        for place, part in enumerate(parts):
            turn_bytes += len(part)
            if place % ITEMS_PER_TURN == ITEMS_PER_TURN - 1 or turn_bytes > BYTES_PER_TURN:
                await asyncio.sleep(0)  # a long array must not make the others wait
                turn_bytes = 0
            try:
                if len(part) > EVENT_BYTES_MAX:
                    raise TooLarge(f"an event takes {EVENT_BYTES_MAX} bytes at most")
                understood = understand(part)
                proved = await self._proving.prove(holder, device, understood, received_at)
            except (NotAnEvent, TooLarge, NotSignedIn, NotPermitted) as error:
                wrongs.append((place, error, Misfit(error.detail, part)))
                continue
            row, warnings = row_of(understood, holder, received_at, proved)
            rows.append(row)
            places.append(place)
            warnings_of.append(warnings)

        outcomes = await self._batcher.store(rows)
        for place, row, outcome, warnings in zip(places, rows, outcomes, warnings_of, strict=True):
            if outcome.status in ("created", "exists"):
                results[place] = receipt(row.event_id, outcome.status, outcome.received_at, warnings)
            else:
                wrong = _wrong(outcome)
                wrongs.append((place, wrong, Misfit(wrong.detail, parts[place], row.event_id)))
        all_kept = await self._quarantine.keep(holder, [misfit for _, _, misfit in wrongs], received_at)
        for (place, wrong, misfit), is_kept in zip(wrongs, all_kept, strict=True):
            results[place] = _rejection(wrong, misfit.event_id, is_kept)

        _count(outcomes, rejected=len(parts) - len(rows))
        all_created = bool(parts) and len(rows) == len(parts) and all(o.status == "created" for o in outcomes)
        return success(201 if all_created else 200, b"[" + b",".join(results) + b"]")

    def _take(self, holder: KeyHolder, events: int) -> None:
        wait_s = self._rates.take(holder.sender, events)
        if wait_s:
            raise TooMany("this key sends too fast", retry_after_seconds=max(1, round(wait_s)))


def _weight(body: bytes) -> int:
    """What a body counts for in its key's rate, in events, before it is known how many it holds."""
    return max(1, len(body) // BYTES_PER_EVENT)


def _wrong(outcome: Outcome) -> EcmError:
    if outcome.status == "conflict":
        return Conflict("this id is already recorded with another body")
    return NotUnderstood("the database cannot hold these values")


def _rejection(error: EcmError, event_id: UUID | None, kept: bool) -> bytes:
    return json.dumps(
        {
            "id": event_id and str(event_id),
            "status": "conflict" if isinstance(error, Conflict) else "rejected",
            "problem": described(error, **_errors(error), kept=kept),
        }
    ).encode()


def _errors(error: EcmError) -> dict[str, Any]:
    return {"errors": error.errors} if isinstance(error, NotAnEvent) else {}


def _count(outcomes: list[Outcome], rejected: int) -> None:
    for status, many in Counter(outcome.status for outcome in outcomes).items():
        metrics.events[status].inc(many)
    if rejected:
        metrics.events["rejected"].inc(rejected)
