"""Which page stands at which address, who may open it, and what every page carries.

A page is a frame: its data comes from the public interface, under the same permits as for anybody else. The
browser is told to load from here and nowhere else, and to run no inline script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Scope

from ecm.authorities import authority, of_council
from ecm.doors import HALF_WAY_COOKIE, actor_or_nobody, own_page, site_of
from ecm.errors import DatabaseAway, EcmError, NotFound, Unavailable
from ecm.permit import Action, Actor, permit
from ecm.setup_codes import waiting_tenant
from ecm.web import app_pages
from ecm.web.static_files import STATIC, TEMPLATES, VERSION

router = APIRouter(include_in_schema=False)

POLICY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self)",
}
FOR_EVER = "public, max-age=31536000, immutable"
TRY_AGAIN_SECONDS = 5

ROLE_WORDS = {
    "care_worker": "Care worker",
    "coordinator": "Coordinator",
    "manager": "Manager",
    "duty_officer": "Duty desk",
    "finance": "Finance",
    "finance_approver": "Finance, second person",
    "quality": "Quality",
    "administrator": "Administrator",
    "auditor": "Auditor",
}
SIGN_IN_WORDS = {
    "failed": "That e-mail address and password do not fit together. Try again.",
    "again": "You were signed out, so this page could not go on. Sign in to be back where you were.",
    "wait": "Too many tries. Wait a minute, then try again.",
    "away": "The service cannot reach its database just now. Try again in a moment.",
    "council_away": "Your council’s own sign-in does not answer just now. Sign in another way, or try again soon.",
    "council_again": "That sign-in was begun in another browser, or too long ago. Begin it again here.",
    "council_refused": "Your council’s own sign-in was stopped there. Begin it again, or sign in another way.",
    "council_failed": "Your council’s own sign-in did not work. Try once more, then tell your administrator.",
    "council_no_role": "Your council knows you, but none of your groups has a role here. Ask your administrator.",
    "council_no_account": "Your council knows you, but you have no account here. Ask your administrator.",
    "council_taken": "That council account, or yours here, is joined to another one already. Ask your administrator.",
    "council_none": "This service is not joined to your council’s own sign-in. Sign in another way.",
    "code": "That code does not fit, was used, or came too late. Try the one that is shown now, or start again.",
    "slow": "Too many wrong codes. Wait a little and try again, or use a recovery code.",
}
SECOND_WAYS = ("code", "recovery_code", "passkey")


# Whoever may open any of its sections has the menu entry.
OF_SETTINGS = (Action.MANAGE_ACCOUNTS, Action.MANAGE_PHONES, Action.MANAGE_KEYS, Action.READ_AUDIT)


@dataclass(frozen=True, slots=True)
class Page:
    """Open to whoever may do one of its `actions` at all; with none, to everybody who is signed in."""

    path: str
    name: str
    actions: tuple[Action, ...]

    def is_for(self, who: Actor) -> bool:
        return not self.actions or any(permit(who, action) for action in self.actions)


NAVIGATION = (
    Page("/board", "Board", (Action.READ_BOARD,)),
    Page("/exceptions", "Exceptions", (Action.READ_UNMATCHED,)),
    Page("/actuals", "Actuals", (Action.READ_ACTUALS,)),
    Page("/tags", "Tags", (Action.MANAGE_TAGS,)),
    Page("/settings", "Settings", OF_SETTINGS),
)
OWN_PAGE = "/me"  # whoever has not finished setting up how they sign in sees this page and no other
SETUP = "/setup"
NOTHING_TO_SEE = (404, 405)  # nothing is there, or only something that a form sends to


def install(app: FastAPI) -> None:
    """Adds the pages and what they load; makes a browser's 404 and 503 pages."""
    app.mount(f"/static/{VERSION}", Unchanging(directory=STATIC), name="static")
    app.include_router(router)
    app.include_router(app_pages.router)
    answer_as_problem: Any = app.exception_handlers.get(HTTPException)
    know_as_problem: Any = app.exception_handlers.get(EcmError)

    @app.exception_handler(HTTPException)
    async def not_found(request: Request, error: HTTPException) -> Response:
        if error.status_code in NOTHING_TO_SEE and wants_page(request):
            try:
                who = await actor_or_nobody(request)
            except DatabaseAway:  # nobody can say who is asking; that nothing is here we know all the same
                who = None
            page = await render(request, "not_found.html", who, status=error.status_code)
            page.headers.update(error.headers or {})
            return page
        answer: Response = await answer_as_problem(request, error)
        return answer

    @app.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Unavailable) -> Response:
        answer: Response = await know_as_problem(request, error)
        if not wants_page(request):
            return answer
        # What a form sent is not sent again by a page that reloads itself.
        again = "" if request.method == "GET" else "; url=/"
        page = await render(
            request, "unavailable.html", None, status=503, seconds=TRY_AGAIN_SECONDS, again=again
        )
        page.headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
        return page


@router.get("/")
async def front_door(request: Request, sign_in: str = "", next: str = "", tenant: str = "") -> Response:
    """The form; `sign_in` says how the last try went, `tenant` at whose council one may sign in instead.

    Whoever is signed in goes on to their first page.
    """
    who = await actor_or_nobody(request)
    if who is not None:
        return RedirectResponse(OWN_PAGE if who.limited else own_page(next) or home_of(who), 303)
    if not sign_in and await awaits_setup(request):
        return RedirectResponse(SETUP, 303)
    site = site_of(request)
    return await render(
        request,
        "sign_in.html",
        None,
        error=SIGN_IN_WORDS.get(sign_in, ""),
        next=own_page(next) or "",
        passkeys=site is not None,
        localhost=None if site else _the_same_at_localhost(request),
        council=await _council(request, tenant),
    )


@router.get("/sign-in")
async def sign_in() -> Response:
    """Where people look for it; the form stands at the front door."""
    return RedirectResponse("/", 303)


@router.get("/sign-in/code")
async def second_step(request: Request, sign_in: str = "", by: str = "code", next: str = "") -> Response:
    """What follows a right password where that is not enough; `by` names the ways to go on."""
    ways = [way for way in SECOND_WAYS if way in by.split(".")]
    if HALF_WAY_COOKIE not in request.cookies or not ways:
        return RedirectResponse("/", 303)
    return await render(
        request,
        "sign_in_code.html",
        None,
        error=SIGN_IN_WORDS.get(sign_in, ""),
        next=own_page(next) or "",
        by=ways,
        passkeys=site_of(request) is not None,
    )


@router.get("/board")
async def board(request: Request) -> Response:
    return await show(request, "board.html", Action.READ_BOARD)


@router.get("/exceptions")
async def exceptions(request: Request) -> Response:
    return await show(request, "exceptions.html", Action.READ_UNMATCHED)


@router.get("/actuals")
async def actuals(request: Request) -> Response:
    return await show(request, "actuals.html", Action.READ_ACTUALS)


@router.get("/tags")
async def tags(request: Request) -> Response:
    return await show(request, "tags.html", Action.MANAGE_TAGS)


@router.get("/care-workers/{ref:path}")
async def care_worker(request: Request, ref: str) -> Response:
    if not ref:
        raise HTTPException(404)
    return await show(request, "care_worker.html", Action.READ_VISITS, ref=ref)


@router.get("/visits/{visit_id}")
async def visit(request: Request, visit_id: str) -> Response:
    if not VISIT_NUMBER.fullmatch(visit_id):  # the framework's own int stumbles over 4,301 digits
        raise HTTPException(404)
    return await show(request, "visit.html", Action.READ_VISITS, visit_id=int(visit_id))


async def show(request: Request, template: str, action: Action, **more: Any) -> Response:
    """A page for whoever may do `action`; sign-in or the reason why not for others."""
    return await show_page(request, template, Page(request.url.path, "", (action,)), **more)


async def show_page(request: Request, template: str, page: Page, **more: Any) -> Response:
    who = await actor_or_nobody(request)
    if who is None and await awaits_setup(request):
        return RedirectResponse(SETUP, 303)
    if who is None:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/?next={quote(wanted)}", 303)
    if who.limited and page.actions:  # until they have finished setting up how they sign in
        return RedirectResponse(OWN_PAGE, 303)
    if not page.is_for(who):
        return await render(request, "not_permitted.html", who, status=403)
    return await render(request, template, who, **more)


async def render(
    request: Request, template: str, who: Actor | None, *, status: int = 200, **more: Any
) -> Response:
    tenant = await _tenant_of(request, who)
    text = TEMPLATES.get_template(template).render(
        static=f"/static/{VERSION}",
        who=who,
        role=ROLE_WORDS.get(who.role, who.role) if who else "",
        may=" ".join(action for action in Action if who and permit(who, action)),
        navigation=pages_of(who),
        path=request.url.path,
        tenant=tenant,
        labels=json.dumps(tenant["labels"]),
        **more,
    )
    headers = POLICY | {"Cache-Control": "no-store"}
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


async def awaits_setup(request: Request) -> bool:
    """Nobody has ever administered this service: whoever comes is led to its set-up. Once it is over, it is for good.

    Whoever is signed in already is left where they are: an authority may have people before it has an administrator.
    """
    state = request.app.state
    if not getattr(state, "set_up", False):
        try:
            async with state.services.web.connection() as connection:
                state.set_up = await waiting_tenant(connection) is None
        except Unavailable:
            return False  # nobody can say; the form does when it is used
    return not state.set_up


def pages_of(who: Actor | None) -> Sequence[Page]:
    return [page for page in NAVIGATION if who is not None and page.is_for(who)]


def home_of(who: Actor) -> str:
    """Where this person's work begins. Everybody has a page of their own."""
    pages = pages_of(who)
    return pages[0].path if pages else OWN_PAGE


def _the_same_at_localhost(request: Request) -> str | None:
    """This page where passkeys do work, for whoever tries the service out by the machine's own number."""
    url = request.url
    return f"http://localhost:{url.port or 80}/" if url.hostname == "127.0.0.1" else None


VISIT_NUMBER = re.compile(r"[0-9]{1,18}")


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


async def _council(request: Request, tenant: str) -> int | None:
    """The authority whose people may sign in at their council, by its number `tenant`; None while nobody can say."""
    try:
        async with request.app.state.services.web.connection() as connection:
            return await of_council(connection, tenant)
    except Unavailable:
        return None


async def _tenant_of(request: Request, who: Actor | None) -> dict[str, Any]:
    if who is None:
        return {"name": "", "zone": "Europe/London", "labels": {}}
    async with request.app.state.services.web.locked(who.lock) as connection:
        row = await authority(connection, who.tenant_id)
    if row is None:
        raise NotFound
    return dict(row)


class Unchanging(StaticFiles):
    """Files whose address changes with their content, so that a browser asks for each only once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(POLICY)
        if response.status_code == 200:
            response.headers["Cache-Control"] = FOR_EVER
        return response
