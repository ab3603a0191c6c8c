"""Cards and tokens in homes that show a rotating code (`ecm.rotating_code`). The secret is shown once, then sealed."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ecm import rotating_code
from ecm.api.homes import (
    QR,
    WHY,
    Door,
    Label,
    OfTags,
    QrShown,
    Retired,
    RetirementAsked,
    Whose,
    audit,
    home_of,
    qr_shown,
    sql,
)
from ecm.api.wire import NEXT_PAGE, Asked, Id, IdCursor, Limit, Page, Ref, answers, asks, page_of
from ecm.errors import Conflict, NotFound
from ecm.names import short_person
from ecm.permit import Action, Actor, reach
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection, Record

router = APIRouter(tags=["homes"])


class CardAsked(Asked):
    service_user: Ref
    label: Label = "home"
    step_seconds: Literal[30, 60, 120] = 60
    digits: Literal[6, 8] = 6


class Card(BaseModel):
    id: int
    service_user: str
    short_name: str
    area: str | None
    label: str
    step_seconds: int
    digits: int
    made_by: str
    made_at: datetime
    retired_at: datetime | None


class NewCard(Card):
    secret: str = Field(description="Base32, for a token that is set by hand. Shown once.")
    otpauth: str = Field(description="The same as an address that token programs read. Shown once.")
    qr: QrShown


CARD: dict[str, Any] = {
    "id": 1,
    "service_user": "SU-A",
    "short_name": "Ms A.",
    "area": "North",
    "label": "home",
    "step_seconds": 60,
    "digits": 6,
    "made_by": "account 2 Cory Coordinator",
    "made_at": "2026-11-21T09:16:00Z",
    "retired_at": None,
}
NEW_CARD = CARD | {
    "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "otpauth": "otpauth://totp/ecm:Ms%20A.?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ecm&period=60&digits=6",
    "qr": QR,
}


@router.post(
    "/v1/code-cards",
    status_code=201,
    response_model=NewCard,
    responses=answers(NEW_CARD, 404, 422, status=201),
    openapi_extra=asks({"service_user": "SU-A"}),
)
async def make_card(
    request: Request, response: Response, door: Door, who: OfTags, asked: CardAsked
) -> NewCard:
    """Makes a code card for a person's home. Its secret is shown once."""
    response.headers["Cache-Control"] = "no-store"
    secret = secrets.token_bytes(rotating_code.SECRET_BYTES)
    async with door.web.locked(who.lock) as connection:
        now = door.clock.now()
        home = await home_of(connection, who, asked.service_user, now)
        await require_one_key(connection, door.sealer)
        card_id = await connection.fetchval(
            sql.add_card,
            who.tenant_id,
            home["ref"],
            asked.label,
            door.sealer.seal(secret, rotating_code.belongs_to(who.tenant_id, home["ref"])),
            asked.step_seconds,
            asked.digits,
            str(who),
            now,
        )
        await audit(connection, request, who, "code_card_made", f"code card {card_id} of {home['ref']}", now)
        card = _card(await _card_of(connection, who, card_id, now))
    otpauth = _otpauth(card, secret)
    return NewCard(**card.model_dump(), secret=_base32(secret), otpauth=otpauth, qr=qr_shown(otpauth))


@router.get(
    "/v1/code-cards",
    response_model=Page[Card],
    responses=answers({"items": [CARD], "next": None}, Link=NEXT_PAGE),
)
async def list_cards(
    request: Request,
    response: Response,
    door: Door,
    who: OfTags,
    service_user: Whose = None,
    retired: Retired = False,
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[Card]:
    """Code cards. Their secrets are shown to nobody."""
    only = reach(who, Action.MANAGE_TAGS)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_cards,
            who.tenant_id,
            only,
            service_user,
            retired,
            int(cursor or 0),
            limit,
            door.clock.now(),
        )
    return page_of(request, response, rows, limit, _card, lambda row: str(row["card_id"]))


@router.post(
    "/v1/code-cards/{card_id}/retirement",
    response_model=Card,
    responses=answers(CARD | {"retired_at": "2026-11-22T10:00:00Z"}, 404, 409),
    openapi_extra=asks(WHY),
)
async def retire_card(request: Request, door: Door, who: OfTags, card_id: Id, asked: RetirementAsked) -> Card:
    """Takes a code card out of use: from now on its codes prove nothing. It stays on record."""
    async with door.web.locked(who.lock) as connection:
        now = door.clock.now()
        await _card_of(connection, who, card_id, now)
        if await connection.fetchval(sql.retire_card, who.tenant_id, card_id, now) is None:
            raise Conflict("That code card was retired before.")
        await audit(connection, request, who, "code_card_retired", f"code card {card_id}", now, asked.reason)
        row = await _card_of(connection, who, card_id, now)
    return _card(row)


async def _card_of(connection: Connection, who: Actor, card_id: int, now: datetime) -> Record:
    card: Record | None = await connection.fetchrow(
        sql.card, who.tenant_id, reach(who, Action.MANAGE_TAGS), card_id, now
    )
    if card is None:
        raise NotFound("There is no such code card.")
    return card


def _card(row: Record) -> Card:
    return Card(
        id=row["card_id"],
        service_user=row["service_user_ref"],
        short_name=short_person(row["name"]),
        area=row["area"],
        label=row["label"],
        step_seconds=row["step_seconds"],
        digits=row["digits"],
        made_by=row["made_by"],
        made_at=row["made_at"],
        retired_at=row["retired_at"],
    )


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def _otpauth(card: Card, secret: bytes) -> str:
    name = quote(f"ecm:{card.short_name} {card.area or ''}".strip(), safe=":")
    said = {
        "secret": _base32(secret),
        "issuer": "ecm",
        "period": card.step_seconds,
        "digits": card.digits,
        "algorithm": "SHA1",
    }
    return f"otpauth://totp/{name}?{urlencode(said)}"
