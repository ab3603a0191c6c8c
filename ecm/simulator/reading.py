"""Reads the service back through its reading doors, page by page, as anybody with a key could."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx

PAGE = 500
TRIES_MAX = 60
PAUSE_SECONDS = 0.5
READ_TIMEOUT_SECONDS = 60.0

Item = dict[str, Any]


class NotReadableError(Exception):
    """The service would not be read; the message says which door and why."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the service says of a day: its visits, its alerts, and its rows of check-events (by date received)."""

    visits: tuple[Item, ...]
    alerts: tuple[Item, ...]
    check_events: tuple[tuple[Item, ...], ...]  # one listing a date; a row may stand once in each


async def read_back(client: httpx.AsyncClient, day: date, received_on: Iterable[date]) -> ReadBack:
    """The visits and alerts of a local date, and the check-events received on those dates."""
    return ReadBack(
        visits=await _all(client, "/v1/visits", {"date": day.isoformat()}),
        alerts=await _all(client, "/v1/alerts", {"date": day.isoformat()}),
        check_events=tuple(
            [await _all(client, "/v1/check-events", {"date": on.isoformat()}) for on in sorted(received_on)]
        ),
    )


async def evidence_waits(client: httpx.AsyncClient) -> bool:
    """Whether evidence, or an alert that follows from it, has yet to be dealt with. False when nobody says."""
    try:
        answer = await client.get("/readyz", timeout=READ_TIMEOUT_SECONDS)
        backlog = answer.json()["backlog"]
    except (httpx.TransportError, ValueError, KeyError, TypeError):
        return False
    return any(backlog.get(what) for what in ("waiting", "alerts_waiting"))


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


async def _all(client: httpx.AsyncClient, path: str, query: dict[str, str]) -> tuple[Item, ...]:
    return tuple([item async for item in _pages(client, path, query)])


async def _pages(client: httpx.AsyncClient, path: str, query: dict[str, str]) -> AsyncIterator[Item]:
    cursor: str | None = None
    while True:
        asked = query | {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        page = await _get(client, path, asked)
        for item in page["items"]:
            yield item
        cursor = page.get("next")
        if not cursor:
            return


async def _get(client: httpx.AsyncClient, path: str, query: dict[str, str]) -> Item:
    trouble = ""
    for _ in range(TRIES_MAX):
        try:
            answer = await client.get(path, params=query, timeout=READ_TIMEOUT_SECONDS)
            if answer.status_code == 200:
                page: Item = answer.json()
                return page
            trouble = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code < 500 and answer.status_code != 429:
                break
        except httpx.TransportError as error:
            trouble = type(error).__name__
        await asyncio.sleep(PAUSE_SECONDS)
    raise NotReadableError(f"GET {path} {query}: {trouble}")
