"""What needs doing about the service's own doors and keys: what nobody would otherwise notice until it hurts.

Each is counted here and put into words by the page that shows it. A provider's own people are told of their own phones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from ecm.api.phones import SILENT_AFTER
from ecm.api.wire import answers
from ecm.doors import Services, permit_for, services
from ecm.permit import Action, Actor, permit, reach
from ecm.store.queries import load_queries

sql = load_queries(__package__, "needs_doing.sql")
router = APIRouter(tags=["accounts"])


UNUSED_AFTER = timedelta(days=90)

Code = Literal[
    "second_administrator",
    "one_way_in",
    "temporary_passwords",
    "nothing_imported",
    "keys_unused",
    "phones_of_leavers",
    "phones_silent",
]

# what is looked for: whom it concerns, and the page where it is done
PLACES: dict[Code, tuple[Action, str]] = {
    "second_administrator": (Action.MANAGE_ACCOUNTS, "/settings/people"),
    "one_way_in": (Action.MANAGE_ACCOUNTS, "/settings/people"),
    "temporary_passwords": (Action.MANAGE_ACCOUNTS, "/settings/people"),
    "nothing_imported": (Action.MANAGE_KEYS, "/settings/keys"),
    "keys_unused": (Action.MANAGE_KEYS, "/settings/keys"),
    "phones_of_leavers": (Action.MANAGE_PHONES, "/settings/devices"),
    "phones_silent": (Action.MANAGE_PHONES, "/settings/devices"),
}


class NeedsDoing(BaseModel):
    code: Code
    count: int = Field(description="Of how many things or people.")
    page: str = Field(description="Where it is done.")


class WhatNeedsDoing(BaseModel):
    items: list[NeedsDoing]


EXAMPLE: dict[str, Any] = {"items": [{"code": "phones_silent", "count": 3, "page": "/settings/devices"}]}


@router.get("/v1/needs-doing", response_model=WhatNeedsDoing, responses=answers(EXAMPLE))
async def what_needs_doing(
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.MANAGE_PHONES))],
) -> WhatNeedsDoing:
    """What the caller should see to; nothing is a good answer."""
    now = door.clock.now()
    only = reach(who, Action.MANAGE_PHONES)
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(
            sql.counts,
            who.tenant_id,
            only,
            now - SILENT_AFTER,
            now - UNUSED_AFTER,
            (datetime.now(UTC) - UNUSED_AFTER).date(),
        )
    assert row is not None
    return WhatNeedsDoing(
        items=[
            NeedsDoing(code=code, count=row[code], page=page)
            for code, (action, page) in PLACES.items()
            if row[code] and permit(who, action)
        ]
    )
