"""Settings, and everybody's own page: which section stands at which address, and who may open it.

As with every page, the data comes from the public interface under the same permits. The one exception is the table of
roles: it is drawn here, from the very table the doors read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ecm.doors import actor_or_nobody
from ecm.permit import PROVIDER_ROLES, ROLES, Action, Actor
from ecm.web.pages import (
    OF_SETTINGS,
    OWN_PAGE,
    ROLE_WORDS,
    SETUP,
    SIGN_IN_WORDS,
    Page,
    awaits_setup,
    render,
    show_page,
)
from ecm.web.roles_table import COLUMNS, LINES

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Section(Page):
    """`script`: the folder of its first script, and its name among `modules`."""

    script: str


SECTIONS = (
    Section("/settings", "What needs doing", OF_SETTINGS, "settings"),
    Section("/settings/people", "People", (Action.MANAGE_ACCOUNTS,), "settings-people"),
    Section("/settings/devices", "Phones", (Action.MANAGE_PHONES,), "settings-devices"),
    Section("/settings/keys", "Keys of systems", (Action.MANAGE_KEYS,), "settings-keys"),
    Section("/settings/sign-in", "Signing in", (Action.MANAGE_SIGN_IN,), "settings-sign-in"),
    Section("/settings/roles", "Roles", OF_SETTINGS, "settings-roles"),
    Section("/settings/audit", "Audit", (Action.READ_AUDIT,), "settings-audit"),
)
OF_PATH = {section.path: section for section in SECTIONS}
ME = Section(OWN_PAGE, "Your account", (), "me")

OF_COUNCIL = {"joined": "Your account is joined: from now on you can sign in at your council too."}

# For the forms: every role, what it is called, and whether it belongs to a provider.
ROLE_CHOICES = json.dumps(
    [{"role": role, "words": ROLE_WORDS[role], "of_provider": role in PROVIDER_ROLES} for role in ROLES]
)


@router.get("/settings")
@router.get("/settings/people")
@router.get("/settings/devices")
@router.get("/settings/keys")
@router.get("/settings/sign-in")
@router.get("/settings/audit")
async def section(request: Request) -> Response:
    return await show_section(request, OF_PATH[request.url.path])


@router.get("/settings/roles")
async def roles(request: Request) -> Response:
    return await show_section(request, OF_PATH["/settings/roles"], "roles.html", columns=COLUMNS, lines=LINES)


@router.get(SETUP)
async def setup(request: Request) -> Response:
    """The first run. Its address carries the code behind a #, which no server sees."""
    if not await awaits_setup(request):
        return RedirectResponse("/", 303)
    return await render(request, "setup.html", None)


@router.get(OWN_PAGE)
async def me(request: Request) -> Response:
    """`council` and `step_up`: how it went at the council's own sign-in, where somebody was sent from here."""
    said = request.query_params.get("council") or request.query_params.get("step_up") or ""
    went = OF_COUNCIL.get(said) or SIGN_IN_WORDS.get(said, "")
    return await show_page(request, "me.html", ME, section=ME, went=went, went_well=said in OF_COUNCIL)


async def show_section(
    request: Request, section: Section, template: str = "settings.html", **more: Any
) -> Response:
    who = await actor_or_nobody(request)
    return await show_page(
        request, template, section, section=section, sections=sections_of(who), roles=ROLE_CHOICES, **more
    )


def sections_of(who: Actor | None) -> Sequence[Section]:
    return [section for section in SECTIONS if who is not None and section.is_for(who)]
