"""Plays a day against a running service, through the same doors a phone or a provider's system uses.

Every phone keeps what it has until the service has given a receipt for it: the same id and the same body,
again and again, at growing and uneven intervals. The service may be killed and come back as often as it
likes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

import httpx

from ecm.simulator.borough import Borough
from ecm.simulator.columns import KINDS
from ecm.simulator.day import Submission
from ecm.simulator.recording import said_later
from ecm.simulator.service_clock import ServiceClock

IN_FLIGHT_MAX = 48
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0
TRY_TIMEOUT_SECONDS = 15.0
IMPORT_TIMEOUT_SECONDS = 180.0
IMPORT_ROWS_MAX = 2_000
RECEIPTS = {"created", "exists"}


@dataclass(frozen=True, slots=True)
class Receipt:
    event_id: str
    status: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service's last word on an event or an import: trying again would not help."""

    event_id: str
    status: int
    detail: str


class ImportRefusedError(Exception):
    """The service would not take the borough; the message says why."""


@dataclass(slots=True)
class Log:
    """What has come of it so far. One receipt an event, the first one."""

    receipts: dict[str, Receipt] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    sent: int = 0  # events handed over for sending
    tries: int = 0  # requests made
    failed_tries: int = 0
    last_trouble: str = ""


class Player:
    """Sends to the service behind `client` (base_url and key set), IN_FLIGHT_MAX requests at a time."""

    def __init__(self, client: httpx.AsyncClient, clock: ServiceClock, *, seed: int) -> None:
        self.log = Log()
        self._client = client
        self._clock = clock
        self._rng = Random(f"pauses:{seed}")
        self._in_flight = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def bring_borough(self, borough: Borough, told: Callable[[str], None] = lambda _: None) -> None:
        """Imports the borough by the HTTP door. Raises ImportRefusedError if the service will not have it."""
        for kind in KINDS:
            rows = borough.to_rows(kind)
            for first in range(0, len(rows), IMPORT_ROWS_MAX):
                told(f"importing {kind}: {first:,} of {len(rows):,}")
                await self._import(kind, rows[first : first + IMPORT_ROWS_MAX])

    async def play(self, submissions: Sequence[Submission]) -> None:
        """Sends each submission when the service's clock says so; returns when all have an answer."""
        async with asyncio.TaskGroup() as sending:
            for submission in submissions:
                await self._clock.sleep_until(submission.send_at)
                self.log.sent += len(submission.bodies)
                sending.create_task(self._send(submission))

    async def _import(self, kind: str, rows: list[dict[str, Any]]) -> None:
        answer = await self._until_answered(f"/v1/imports/{kind}", lambda: rows, IMPORT_TIMEOUT_SECONDS)
        if answer.status_code >= 300:
            raise ImportRefusedError(f"{kind}: {answer.status_code} {answer.text[:500]}")
        report = answer.json()
        if report.get("rejected") or report.get("unknown_columns"):
            raise ImportRefusedError(f"{kind}: {json.dumps(report)[:500]}")

    async def _send(self, submission: Submission) -> None:
        bodies = list(submission.bodies)
        pause_seconds = FIRST_PAUSE_SECONDS

        def content() -> Any:
            later = self._clock.now() - submission.send_at
            said = [said_later(body, later) for body in bodies]
            return said[0] if len(said) == 1 else said

        while bodies:
            answer = await self._until_answered("/v1/check-events", content)
            results = _results(answer, bodies)
            bodies = [
                body for body, result in zip(bodies, results, strict=True) if not self._settled(body, result)
            ]
            if bodies:  # some of the batch are to come again
                await asyncio.sleep(self._uneven(pause_seconds))
                pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    def _settled(self, body: dict[str, Any], result: dict[str, Any]) -> bool:
        """Writes a receipt or a refusal down; False if the event is to be sent again."""
        event_id = body["id"]
        if result.get("status") in RECEIPTS:
            received_at = datetime.fromisoformat(result["received_at"])
            self.log.receipts.setdefault(event_id, Receipt(event_id, result["status"], received_at))
            return True
        status = result.get("status")
        if isinstance(status, int) and _again(status):
            return False
        code = status if isinstance(status, int) else 0
        self.log.refusals[event_id] = Refusal(event_id, code, json.dumps(result)[:300])
        return True

    async def _until_answered(
        self, path: str, body: Callable[[], Any], timeout_seconds: float = TRY_TIMEOUT_SECONDS
    ) -> httpx.Response:
        """The first answer that is not "try again". The body is asked for at each try."""
        headers = {"Content-Type": "application/json"}
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            at_least_seconds = 0.0
            try:
                async with self._in_flight:
                    self.log.tries += 1
                    content = json.dumps(body(), separators=(",", ":")).encode()
                    answer = await self._client.post(
                        path, content=content, headers=headers, timeout=timeout_seconds
                    )
                if not _again(answer.status_code):
                    return answer
                self.log.last_trouble = f"{answer.status_code} at {path}"
                at_least_seconds = _retry_after_seconds(answer)
            except httpx.TransportError as error:
                self.log.last_trouble = f"{type(error).__name__} at {path}"
            self.log.failed_tries += 1
            await asyncio.sleep(max(at_least_seconds, self._uneven(pause_seconds)))
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    def _uneven(self, seconds: float) -> float:
        """So that a thousand phones do not knock at the same instant."""
        return seconds * self._rng.uniform(0.5, 1.5)


def _again(status: int) -> bool:
    return status >= 500 or status in (408, 429)


def _retry_after_seconds(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), LONGEST_PAUSE_SECONDS) if said.isdigit() else 0.0


def _results(answer: httpx.Response, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One result for each body. A problem that concerns the whole request is everybody's."""
    try:
        said = answer.json()
    except ValueError:
        said = answer.text
    if isinstance(said, dict) and isinstance(said.get("results"), list):
        said = said["results"]
    if isinstance(said, list) and len(said) == len(bodies):
        return said
    if len(bodies) == 1 and isinstance(said, dict):
        return [said]
    return [{"status": answer.status_code, "detail": str(said)[:200]} for _ in bodies]
