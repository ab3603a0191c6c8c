"""What every answer says of itself: it is about people, it is nobody's to keep or guess at, and it opens nothing.

A page or a file that says otherwise of itself (`ecm.web.pages`) is left as it is. Most answers are no pages: a browser
that is brought to show one as a page may load nothing for it, run nothing in it and put it in no frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# A browser that came once by https never tries without for a year, nor at any name below ours.
ONLY_BY_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


def private(public_url: str | None) -> dict[str, str]:
    """The headers of an answer of a service that is reached at `public_url`."""
    by_tls = (public_url or "").lower().startswith("https://")
    return PRIVATE | ONLY_BY_TLS if by_tls else PRIVATE


def on_the_wire(said: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Headers for a door that writes its answers itself."""
    return tuple((name.lower().encode(), value.encode()) for name, value in said.items())


class Private:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = private(scope["app"].state.services.settings.public_url)

        async def send_privately(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in said.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_privately)
