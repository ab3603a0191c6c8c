"""The care worker's app: its one page, its service worker, its manifest, and what a tag in a home opens.

The page is the same for everybody and holds nothing about anybody: what a phone may know it asks for, signed. So it
may be kept on the phone and opened without a network, and is replaced as a whole when anything of it changes.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ecm.web.static_files import STATIC, TEMPLATES, VERSION

router = APIRouter(include_in_schema=False)

FOLDER = STATIC / "app"
POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
# Asked for at each opening with a network; without one, the service worker has it.
FRESH = {"Cache-Control": "no-cache"}
SHARED = ("css/tokens.css", "js/theme.js")
NOT_IN_THE_SHELL = {"sw.js", "icon-512.png", "icon-maskable.png"}

ICONS = [
    {"src": "icon-192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "icon-512.png", "sizes": "512x512", "type": "image/png"},
    {"src": "icon-maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
]
MANIFEST = {
    "id": "/app",
    "name": "ecm for care workers",
    "short_name": "Visits",
    "start_url": "/app",
    "scope": "/app",
    "display": "standalone",
    "orientation": "portrait",
    "background_color": "#0d2b3a",
    "theme_color": "#0d2b3a",
    "lang": "en-GB",
}


@router.get("/app")
async def app_page() -> Response:
    text = TEMPLATES.get_template("app.html").render(
        static=_static(), root=f"/static/{VERSION}", version=VERSION
    )
    return Response(text, headers=POLICY | FRESH, media_type="text/html; charset=utf-8")


@router.get("/app/sw.js")
async def service_worker(plain: str | None = None) -> Response:
    """`?plain`: without the sending in the background, for browsers whose service workers know no modules."""
    head = f"const VERSION = {json.dumps(VERSION)};\nconst SHELL = {json.dumps(shell())};\n"
    if plain is None:
        head = f'import {{ send }} from "{_static()}/outbox.js";\n{head}'
    else:
        head += "const send = undefined;\n"
    return Response(
        head + (FOLDER / "sw.js").read_text("utf-8"),
        headers=POLICY | FRESH | {"Service-Worker-Allowed": "/"},
        media_type="text/javascript; charset=utf-8",
    )


@router.get("/app/manifest.webmanifest")
async def manifest() -> Response:
    icons = [icon | {"src": f"{_static()}/{icon['src']}"} for icon in ICONS]
    return Response(
        json.dumps(MANIFEST | {"icons": icons}),
        headers=POLICY | FRESH,
        media_type="application/manifest+json",
    )


@router.get("/t/{tag_id:path}")
async def tag(request: Request) -> Response:
    """What a tag's address opens: the app, with the whole of it, because a secure tag's proof stands in the query."""
    read = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/app?tag={quote(read, safe='')}", 303, POLICY | {"Cache-Control": "no-store"})


def shell() -> list[str]:
    """Everything the app needs to open without a network."""
    files = (file.relative_to(FOLDER) for file in FOLDER.rglob("*") if file.is_file())
    kept = sorted(file.as_posix() for file in files if file.name not in NOT_IN_THE_SHELL)
    shared = [f"/static/{VERSION}/{name}" for name in SHARED]
    return ["/app", *shared, *(f"{_static()}/{name}" for name in kept)]


def _static() -> str:
    return f"/static/{VERSION}/app"
