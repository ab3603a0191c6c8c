"""Reading a request's body: all of it, or a reason why not, and never more than it may be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any, TypeAlias

from ecm.errors import TooLarge, Unavailable
from ingest.limits import ARRAY_BYTES_MAX, ARRAY_ITEMS_MAX, BODY_PATIENCE_S, EVENT_BYTES_MAX

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

SPACE = b" \t\r\n\xef\xbb\xbf"


class SenderGone(Exception):
    """The sender hung up before the body was whole."""


def is_array(body: bytes) -> bool:
    return body.lstrip(SPACE)[:1] == b"["


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be, Unavailable when it takes too long."""
    message = await _receive(receive)
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        chunks = [body]
        size = len(body)
        while message.get("more_body"):
            if size > _bytes_max(chunks):
                raise too_large()
            message = await _receive(receive)
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        body = b"".join(chunks)
    if len(body) > EVENT_BYTES_MAX and len(body) > _bytes_max([body]):
        raise too_large()
    return body


async def _receive(receive: Receive) -> MutableMapping[str, Any]:
    coming = receive().__await__()
    try:
        waits_for = next(coming)
    except (
        StopIteration
    ) as came:  # it was there already, as an event's is: a timer would cost a twentieth of the rate
        message: MutableMapping[str, Any] = came.value
    else:
        message = await _patiently(_Rest(coming, waits_for))
    if message["type"] == "http.disconnect":
        raise SenderGone
    return message


async def _patiently(rest: _Rest) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            return await rest
    except TimeoutError:
        # Half of it is nowhere, so no 4xx: a phone with one bar of signal would take that for an end, and forget it.
        raise Unavailable(f"nothing more of the body came for {BODY_PATIENCE_S:.0f} s") from None


class _Rest:
    """What is left to await of something that was begun."""

    def __init__(self, begun: Generator[Any, Any, MutableMapping[str, Any]], waits_for: Any) -> None:
        self._begun = begun
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, MutableMapping[str, Any]]:
        try:
            yield self._waits_for
        except BaseException:
            self._begun.close()
            raise
        return (yield from self._begun)


def _bytes_max(chunks: list[bytes]) -> int:
    for chunk in chunks:
        if first := chunk.lstrip(SPACE)[:1]:
            return ARRAY_BYTES_MAX if first == b"[" else EVENT_BYTES_MAX
    return EVENT_BYTES_MAX


def too_large() -> TooLarge:
    return TooLarge(
        f"an event takes {EVENT_BYTES_MAX} bytes, an array {ARRAY_BYTES_MAX} bytes and {ARRAY_ITEMS_MAX} items at most"
    )
