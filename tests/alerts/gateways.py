"""A real mail server and a real web server that keep what they were sent, and refuse when told to."""

from __future__ import annotations

import asyncio
import email
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class Postbox:
    letters: list[Message] = field(default_factory=list)
    answer_to_recipient: str = "250 OK"
    port: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:  # noqa: N802
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.answer_to_recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(email.message_from_bytes(envelope.content))
        return "250 OK"


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[Postbox]:
    postbox = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, loop=loop), "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield postbox


@dataclass
class Hook:
    """Each request as (headers, body); `status` is what it answers."""

    url: str = ""
    status: int = 200
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.seen]


@asynccontextmanager
async def a_web_server() -> AsyncIterator[Hook]:
    hook = Hook()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        hook.seen.append((headers, await reader.readexactly(int(headers["content-length"]))))
        extra = "Location: http://127.0.0.1:1/\r\n" if hook.status == 302 else ""
        writer.write(
            f"HTTP/1.1 {hook.status} .\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    hook.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alarms?to=duty"
    async with server:
        yield hook
