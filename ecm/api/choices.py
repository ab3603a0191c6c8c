"""Whom a form offers to choose: providers, and the care workers of one. For those who enrol phones or make accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from ecm.api.wire import NEXT_PAGE, Limit, Page, Ref, answers, page_of
from ecm.doors import Services, permit_for, services
from ecm.permit import Action, Actor, Scope, reach, require
from ecm.store.db import Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "choices.sql")
router = APIRouter(tags=["phones"])

Door = Annotated[Services, Depends(services)]
OfPhones = Annotated[Actor, Depends(permit_for(Action.MANAGE_PHONES))]
RefCursor = Annotated[Ref | None, Query(description="`next` of the page before.")]


class Choice(BaseModel):
    ref: str
    name: str


@router.get(
    "/v1/providers",
    response_model=Page[Choice],
    responses=answers({"items": [{"ref": "P1", "name": "Amber Home Care"}], "next": None}, Link=NEXT_PAGE),
)
async def list_providers(
    request: Request,
    response: Response,
    door: Door,
    who: OfPhones,
    limit: Limit = 100,
    cursor: RefCursor = None,
) -> Page[Choice]:
    """The providers whose people and phones the caller looks after, by reference."""
    only = reach(who, Action.MANAGE_PHONES)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.providers, who.tenant_id, only, cursor, limit)
    return page_of(request, response, rows, limit, _choice, _place)


@router.get(
    "/v1/care-workers",
    response_model=Page[Choice],
    responses=answers({"items": [{"ref": "CW-104", "name": "Beth Brook"}], "next": None}, Link=NEXT_PAGE),
)
async def list_care_workers(
    request: Request,
    response: Response,
    door: Door,
    who: OfPhones,
    provider: Annotated[Ref, Query(description="Whose care workers.", examples=["P1"])],
    limit: Limit = 100,
    cursor: RefCursor = None,
) -> Page[Choice]:
    """The care workers of one provider, by reference. Nobody, of a provider there is not."""
    require(who, Action.MANAGE_PHONES, Scope(provider))
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.care_workers, who.tenant_id, provider, cursor, limit)
    return page_of(request, response, rows, limit, _choice, _place)


def _choice(row: Record) -> Choice:
    return Choice(ref=row["ref"], name=row["name"])


def _place(row: Record) -> str:
    return str(row["ref"])
