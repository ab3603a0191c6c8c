"""A file is written to disk first and sent from there: a reader who stops reading keeps a file, and no connection.

The database is held only while the file is being written, which depends on nobody outside; few are written at once.
What is kept for readers is bounded by how many files one account may be reading.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing
from tempfile import SpooledTemporaryFile
from typing import IO

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ecm.errors import TooMany

IN_MEMORY_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024
READ_AT_ONCE = 3  # by one account
RETRY_SECONDS = 10

_written_at_once = asyncio.Semaphore(2)
_reading: Counter[Hashable] = Counter()


async def spooled(
    parts: AsyncGenerator[bytes, None], *, reader: Hashable, media_type: str, headers: dict[str, str]
) -> StreamingResponse:
    """The answer that sends the file made of `parts`, once all of it is written.

    What goes wrong while it is written is raised here, where it can still be answered as a problem. Raises TooMany
    for a reader who has READ_AT_ONCE files under way.
    """
    if _reading[reader] >= READ_AT_ONCE:
        raise TooMany(
            f"You are reading {READ_AT_ONCE} files already; finish one of them first.",
            retry_after_seconds=RETRY_SECONDS,
        )
    _reading[reader] += 1
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed by whoever sends it
    try:
        async with _written_at_once, aclosing(parts):
            async for part in parts:
                await asyncio.to_thread(file.write, part)
        size = file.tell()
        file.seek(0)
    except BaseException:
        _let_go(file, reader)
        raise
    return _Sending(file, reader, size, media_type, headers)


class _Sending(StreamingResponse):
    """Sends a file and lets go of it, also when its reader goes away."""

    def __init__(
        self, file: IO[bytes], reader: Hashable, size: int, media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(
            _chunks(file), media_type=media_type, headers=headers | {"Content-Length": str(size)}
        )
        self._file = file
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            _let_go(self._file, self._reader)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


def _let_go(file: IO[bytes], reader: Hashable) -> None:
    file.close()
    _reading[reader] -= 1
    if not _reading[reader]:
        del _reading[reader]
