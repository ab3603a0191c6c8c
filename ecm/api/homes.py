"""What is fixed in people's homes: tags that open the app at the right visit, and cards that show a rotating code.

    kind      what it is                  what it proves (`ingest.tags`)
    qr, nfc   an address that is always   whose home it is; it can be photographed or copied
              the same
    ntag424   NTAG 424 DNA: a new signed  that the tag itself was tapped, once
              address at every tap

A secure tag's two keys and a card's secret are sealed at once (`ecm.sealing`). What we made ourselves is shown once,
so that a tag can be written and a card set; it is shown by nobody afterwards.

On paper goes the person's initial and area, never the address: a sheet of tags may be lost on the way. A provider's
people see the homes they visit: by the visits that are planned for it, not by those it once had.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from ecm import ntag424
from ecm.api.wire import NEXT_PAGE, NO_NUL, Asked, Limit, Page, Ref, answers, asks, page_of
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound
from ecm.names import short_person
from ecm.permit import Action, Actor, reach
from ecm.qr import qr_of
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "homes.sql")
router = APIRouter(tags=["homes"])

# Without the letters and digits that are read for one another: it may be typed from a worn sheet. Sixty bits.
ID_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
ID_LENGTH = 12
BOTH_KEYS_BYTES = 2 * ntag424.KEY_BYTES

Door = Annotated[Services, Depends(services)]
OfTags = Annotated[Actor, Depends(permit_for(Action.MANAGE_TAGS))]
TagId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$", examples=["K7MP2XQR4TBN"])]
AfterRef = Annotated[
    str | None, Query(max_length=200, pattern=NO_NUL, description="`next` of the page before.")
]
AfterTag = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="`next` of the page before.")
]
Retired = Annotated[bool, Query(description="Also those that were retired.")]
Whose = Annotated[Ref | None, Query(description="A person's reference.")]
AesKey = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=NO_NUL)]


class QrShown(BaseModel):
    size: int = Field(description="The side of the square viewBox.")
    path: str = Field(description="An SVG path of the dark modules.")


class Home(BaseModel):
    service_user: str
    short_name: str = Field(description="The person's initial.")
    area: str | None
    tags: int = Field(description="In use.")
    code_cards: int = Field(description="In use.")
    key_safe: bool = Field(description="Whether a code to get in is known. It is told in the app only.")


class Keys(Asked):
    """A secure tag's AES-128 keys, in hexadecimal."""

    meta: AesKey
    file: AesKey


class PlainTagAsked(Asked):
    kind: Literal["qr", "nfc"]
    service_user: Ref
    label: Label = "home"


class SecureTagAsked(Asked):
    kind: Literal["ntag424"]
    service_user: Ref
    label: Label = "home"
    keys: Keys | None = Field(None, description="Those written on the tag; none: made here and shown once.")
    uid: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{14}$")] | None = Field(
        None, description="The tag's seven bytes, if known."
    )


TagAsked = Annotated[PlainTagAsked | SecureTagAsked, Field(discriminator="kind")]


class Tag(BaseModel):
    id: str
    kind: Literal["qr", "nfc", "ntag424"]
    service_user: str
    short_name: str
    area: str | None
    label: str
    url: str = Field(description="What the tag says; a secure tag adds to it at each tap.")
    qr: QrShown
    made_by: str
    made_at: datetime
    retired_at: datetime | None


class NewTag(Tag):
    keys: Keys | None = Field(None, description="Shown once, if they were made here.")
    template: str | None = Field(
        None, description="What to write on a secure tag; it fills in its number and its code."
    )


class RetirementAsked(Asked):
    reason: Ref


QR = {"size": 37, "path": "M4 4h7v1h-7z"}
HOME = {
    "service_user": "SU-A",
    "short_name": "Ms A.",
    "area": "North",
    "tags": 1,
    "code_cards": 0,
    "key_safe": True,
}
TAG: dict[str, Any] = {
    "id": "K7MP2XQR4TBN",
    "kind": "qr",
    "service_user": "SU-A",
    "short_name": "Ms A.",
    "area": "North",
    "label": "home",
    "url": "https://ecm.example.org/t/K7MP2XQR4TBN",
    "qr": QR,
    "made_by": "account 2 Cory Coordinator",
    "made_at": "2026-11-21T09:16:00Z",
    "retired_at": None,
}
WHY = {"reason": "moved house"}


@router.get(
    "/v1/homes",
    response_model=Page[Home],
    responses=answers({"items": [HOME], "next": None}, Link=NEXT_PAGE),
)
async def list_homes(
    request: Request, response: Response, door: Door, who: OfTags, limit: Limit = 100, cursor: AfterRef = None
) -> Page[Home]:
    """The people you visit, and how many tags and code cards are in each home."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.homes, who.tenant_id, reach(who, Action.MANAGE_TAGS), cursor or "", limit, door.clock.now()
        )
    return page_of(request, response, rows, limit, _home, lambda row: str(row["ref"]))


@router.post(
    "/v1/tags",
    status_code=201,
    response_model=NewTag,
    responses=answers(TAG, 404, 422, status=201),
    openapi_extra=asks({"kind": "qr", "service_user": "SU-A"}),
)
async def make_tag(
    request: Request, response: Response, door: Door, who: OfTags, asked: Annotated[TagAsked, Body()]
) -> NewTag:
    """Makes a tag for a person's home."""
    response.headers["Cache-Control"] = "no-store"
    tag_id = "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))
    uid = sealed = made_here = None
    if isinstance(asked, SecureTagAsked):
        both = (
            bytes.fromhex(asked.keys.meta + asked.keys.file)
            if asked.keys
            else secrets.token_bytes(BOTH_KEYS_BYTES)
        )
        made_here = None if asked.keys else both
        uid = bytes.fromhex(asked.uid) if asked.uid else None
        sealed = door.sealer.seal(both, ntag424.belongs_to(who.tenant_id, tag_id))
    async with door.web.locked(who.lock) as connection:
        now = door.clock.now()
        home = await home_of(connection, who, asked.service_user, now)
        if sealed is not None:
            await require_one_key(connection, door.sealer)
        made = await connection.fetchval(
            sql.add_tag,
            who.tenant_id,
            tag_id,
            asked.kind,
            home["ref"],
            asked.label,
            uid,
            sealed,
            str(who),
            now,
        )
        assert made is not None, "sixty random bits were there before"
        await audit(connection, request, who, "tag_made", f"tag {tag_id} of {home['ref']}", now)
        row = await _tag_of(connection, who, tag_id, now)
    tag = _tag(row, _base(request, door))
    return NewTag(
        **tag.model_dump(),
        keys=None if made_here is None else _keys(made_here),
        template=_template(tag.url) if asked.kind == "ntag424" else None,
    )


@router.get(
    "/v1/tags",
    response_model=Page[Tag],
    responses=answers({"items": [TAG], "next": None}, Link=NEXT_PAGE),
)
async def list_tags(
    request: Request,
    response: Response,
    door: Door,
    who: OfTags,
    service_user: Whose = None,
    retired: Retired = False,
    limit: Limit = 100,
    cursor: AfterTag = None,
) -> Page[Tag]:
    """Tags, each with its QR code."""
    only = reach(who, Action.MANAGE_TAGS)
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(
            sql.list_tags, who.tenant_id, only, service_user, retired, cursor or "", limit, door.clock.now()
        )
    base = _base(request, door)
    return page_of(
        request, response, rows, limit, lambda row: _tag(row, base), lambda row: str(row["tag_id"])
    )


@router.post(
    "/v1/tags/{tag_id}/retirement",
    response_model=Tag,
    responses=answers(TAG | {"retired_at": "2026-11-22T10:00:00Z"}, 404, 409),
    openapi_extra=asks(WHY),
)
async def retire_tag(request: Request, door: Door, who: OfTags, tag_id: TagId, asked: RetirementAsked) -> Tag:
    """Takes a tag out of use: from now on it proves nothing. It stays on record."""
    async with door.web.locked(who.lock) as connection:
        now = door.clock.now()
        await _tag_of(connection, who, tag_id, now)
        if await connection.fetchval(sql.retire_tag, who.tenant_id, tag_id, now) is None:
            raise Conflict("That tag was retired before.")
        await audit(connection, request, who, "tag_retired", f"tag {tag_id}", now, asked.reason)
        row = await _tag_of(connection, who, tag_id, now)
    return _tag(row, _base(request, door))


async def home_of(connection: Connection, who: Actor, ref: str, now: datetime) -> Record:
    """Raises NotFound unless they care for that person now."""
    home: Record | None = await connection.fetchrow(
        sql.home, who.tenant_id, reach(who, Action.MANAGE_TAGS), ref, now
    )
    if home is None:
        raise NotFound("You visit nobody of that reference.")
    return home


async def _tag_of(connection: Connection, who: Actor, tag_id: str, now: datetime) -> Record:
    tag: Record | None = await connection.fetchrow(
        sql.tag, who.tenant_id, reach(who, Action.MANAGE_TAGS), tag_id, now
    )
    if tag is None:
        raise NotFound("There is no such tag.")
    return tag


def _base(request: Request, door: Services) -> str:
    return (door.settings.public_url or str(request.base_url)).rstrip("/")


def _home(row: Record) -> Home:
    return Home(
        service_user=row["ref"],
        short_name=short_person(row["name"]),
        area=row["area"],
        tags=row["tags"],
        code_cards=row["code_cards"],
        key_safe=row["key_safe"],
    )


def _tag(row: Record, base: str) -> Tag:
    url = f"{base}/t/{row['tag_id']}"
    return Tag(
        id=row["tag_id"],
        kind=row["kind"],
        service_user=row["service_user_ref"],
        short_name=short_person(row["name"]),
        area=row["area"],
        label=row["label"],
        url=url,
        qr=qr_shown(url),
        made_by=row["made_by"],
        made_at=row["made_at"],
        retired_at=row["retired_at"],
    )


def qr_shown(text: str) -> QrShown:
    code = qr_of(text)
    return QrShown(size=code.size, path=code.path)


def _keys(both: bytes) -> Keys:
    return Keys(meta=both[: ntag424.KEY_BYTES].hex().upper(), file=both[ntag424.KEY_BYTES :].hex().upper())


def _template(url: str) -> str:
    """The zeros are where the tag mirrors its hidden number and its code (NXP AN12196)."""
    return f"{url}?e={'0' * 2 * ntag424.PICC_BYTES}&c={'0' * 2 * ntag424.MAC_BYTES}"


async def audit(
    connection: Connection,
    request: Request,
    who: Actor,
    action: str,
    subject: str,
    at: datetime,
    reason: str | None = None,
) -> None:
    origin = address_of(request)
    await write_down(connection, who.tenant_id, str(who), action, subject, at, reason=reason, origin=origin)
