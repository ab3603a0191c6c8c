"""What is held about a care worker, told to that care worker: everything, in words and as files to keep.

`HELD` is the list: each part with the columns that it tells of. A test walks the schema: a column that holds a care
worker, and is neither told nor excused below, fails it. People who are cared for stand here by reference alone, and
what is nobody's but the service's (hashes, keys, sealed things) is left out.

An account is told what is held under it. A care worker's own phone tells the rest, because the phone is what knows who
they are.

Row-level security would keep most of it from whoever asks: their wrong PINs, what another system said of them, what
others wrote down. So it is read as the service itself, and whose it is comes from nothing but the lock of whoever was
let in: each statement names the tenant and the one it is about. What is signed by a name alone is read as theirs.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ecm.api import patterns as pattern_sheet
from ecm.api.evidence import text_said
from ecm.api.holder import Unlock, holder, require_not_left
from ecm.api.today import Door, OfPhone
from ecm.api.wire import answers
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, for_action, permit_for
from ecm.errors import NotPermitted
from ecm.lock import Lock, of_its_provider, system
from ecm.permit import Action, Actor
from ecm.phone_doors import held as lock_of
from ecm.spreadsheet import formula_safe
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "held.sql")
router = APIRouter(tags=["held"])


@dataclass(frozen=True, slots=True)
class Part:
    """`statement` takes the tenant and the care worker; `tells` names the columns that hold them, table by table."""

    name: str
    statement: str
    tells: tuple[str, ...]


HELD = (
    Part("care_worker", sql.care_worker, ("care_workers.ref",)),
    Part("accounts", sql.accounts, ("accounts.care_worker_ref",)),
    Part("phones", sql.phones, ("devices.care_worker_ref", "devices.device_id")),
    Part("enrolments", sql.enrolments, ("enrolments.care_worker_ref", "enrolments.device_id")),
    Part("visits", sql.visits, ("visits.care_worker_refs", "visits.attendances", "visits.findings")),
    Part(
        "events",
        sql.events,
        (
            "event_outcomes.care_worker_ref",
            "check_events.care_worker",
            "check_events.device_id",
            "reduced_positions.findings",
        ),
    ),
    Part("reports", sql.reports, ("reports.care_worker_ref", "reports.device_id")),
    Part("amendments", sql.amendments, ("amendments.care_worker",)),
    Part("phone_lines", sql.phone_lines, ("phone_lines.care_worker_ref",)),
    Part("wrong_pins", sql.pin_tries, ("pin_tries.care_worker_ref",)),
    Part("other_systems", sql.feed_records, ("feed_records.our_ref",)),
    Part("audit", sql.audit, ()),
)

EXCUSED = {
    "phone_calls.interview": "where one telephone call stands, for a month; what it said of them is an event",
    "transitions.findings_added": "codes alone, of a visit; each finding that names them stands with the visit",
    "transitions.findings_removed": "as findings_added",
}


class Held(BaseModel):
    about: str = Field(description="Whose this is.")
    at: datetime
    parts: dict[str, list[dict[str, Any]]] = Field(
        description="By what it is: visits, events, reports, phones, entries of the audit, …"
    )


EXAMPLE = {
    "about": "care worker CW-A",
    "at": "2026-11-21T09:16:00Z",
    "parts": {"care_worker": [{"ref": "CW-A", "name": "Alice", "provider": "P1", "phone": None}]},
}
OF_ACCOUNT = EXAMPLE | {"about": "account 4", "parts": {"account": [{"account_id": 4, "name": "Dana Duty"}]}}
AS_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}

Shape = Annotated[
    Literal["json", "csv"], Query(alias="as", description="`csv`: a table a part, in one zip file.")
]
OfOwnData = Annotated[Actor, Depends(permit_for(Action.READ_OWN_DATA))]


def _answers(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    described = answers(example)
    described[200]["content"] |= AS_FILES[200]["content"]
    return described


@router.get("/v1/me/held", response_model=Held, responses=_answers(OF_ACCOUNT))
async def held_of_account(request: Request, door: Door, who: OfOwnData, shape: Shape = "json") -> Response:
    """Everything that is held about the account that asks."""
    now = door.clock.now()
    tenant_id, named = who.lock.tenant_id, who.lock.who
    kind, _, number = named.partition(" ")
    if kind != "account":
        raise NotPermitted("This tells an account what is held about it.")
    account_id = int(number)
    async with door.web.locked(system(tenant_id)) as connection:
        account = await _rows(connection, sql.account, tenant_id, account_id)
        parts = {
            "account": account,
            "sessions": await _rows(connection, sql.sessions, tenant_id, account_id),
            "passkeys": await _rows(connection, sql.passkeys, tenant_id, account_id),
            "codes": await _rows(connection, sql.codes, tenant_id, account_id),
            "identities": await _rows(connection, sql.account_identities, tenant_id, account_id),
            "audit": await _rows(connection, sql.account_audit, tenant_id, named),
        }
        if (worker := account[0]["care_worker"]) is not None:
            for part, rows in (await _of_worker(connection, tenant_id, worker)).items():
                parts[part] = parts.get(part, []) + rows
        await write_down(
            connection, tenant_id, str(who), "own_data_told", named, now, origin=address_of(request)
        )
    # Signed by a name, which somebody of another provider may have too: so under the lock of whoever asks.
    async with door.web.locked(who.lock) as connection:
        for part, statement in (("amendments", sql.account_amendments), ("alerts", sql.account_alerts)):
            signed = await _rows(connection, statement, tenant_id, account[0]["name"])
            parts[part] = signed + parts.get(part, [])
    return await _told(Held(about=named, at=now, parts=parts), shape)


@router.get(
    "/v1/app/held",
    response_model=Held,
    responses=_answers(EXAMPLE),
    openapi_extra=for_action(Action.READ_OWN_DATA),
)
async def held_of_worker(
    request: Request, door: Door, who: OfPhone, unlock: Unlock = None, shape: Shape = "json"
) -> Response:
    """Everything that is held about the care worker who holds this phone."""
    now = door.clock.now()
    lock = lock_of(who, holder(door, who, unlock), Action.READ_OWN_DATA)
    tenant_id, worker = lock.tenant_id, lock.care_worker_ref
    assert worker is not None
    async with door.web.locked(system(tenant_id)) as connection:
        await require_not_left(connection, worker)
        parts = await _of_worker(connection, tenant_id, worker)
        await write_down(
            connection,
            tenant_id,
            f"{who} of {worker}",
            "own_data_told",
            f"care worker {worker}",
            now,
            origin=address_of(request),
        )
    parts["pattern_sheet"] = await _patterns(door, lock, worker)
    return await _told(Held(about=f"care worker {worker}", at=now, parts=parts), shape)


async def _of_worker(connection: Connection, tenant_id: int, worker: str) -> dict[str, list[dict[str, Any]]]:
    parts = {part.name: await _rows(connection, part.statement, tenant_id, worker) for part in HELD}
    for event in parts["events"]:
        event["note"] = text_said(event.pop("body"), "note")
    return parts


async def _rows(
    connection: Connection, statement: str, tenant_id: int, whose: str | int
) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(statement, tenant_id, whose)]


async def _patterns(door: Services, lock: Lock, worker: str) -> list[dict[str, Any]]:
    """What their provider sees on the sheet of the last four weeks."""
    sheet = await pattern_sheet.sheet_of(door, of_its_provider(lock), worker, lock.provider_ref, None, None)
    return [{"since": sheet.since, "until": sheet.until} | each.model_dump() for each in sheet.patterns]


async def _told(held: Held, shape: str) -> Response:
    """In a thread: years of visits must not make others wait."""
    if shape == "json":
        return JSONResponse(await asyncio.to_thread(jsonable_encoder, held))
    content = await asyncio.to_thread(_zipped, held)
    name = f"held-{held.at:%Y-%m-%d}.zip"
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _zipped(held: Held) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, rows in held.parts.items():
            made.writestr(f"{name}.csv", _csv(rows))
    return file.getvalue()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    if rows:
        table.writerow(rows[0])
        table.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if isinstance(value, (dict, list)):
        value = json.dumps(jsonable_encoder(value), ensure_ascii=False)
    elif value is not None and not isinstance(value, (str, int, float, bool, datetime)):
        value = str(value)
    return formula_safe(value)
