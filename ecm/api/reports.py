"""What a phone says that is no check-in: at the door, why late, no reply, a concern, a hazard, a call for help.

Each report is signed by the phone like a check event, saved on it before it is sent, and sent until it has a receipt:
`POST /v1/reports` takes one signed item or an array, answers each for itself, and the same id again is the same report.
A phone that was cut off still delivers what it signed before. What a report alarms, `alerts.rules` decides.
"""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, Field, ValidationError

from ecm.api.holder import left_at
from ecm.api.report_in import Kind, ReportIn, TaskDone, Urgency, understood
from ecm.api.wire import Id, answers, asks
from ecm.doors import Services, open_because, permit_for, services
from ecm.errors import NotFound, NotSignedIn, TooLarge
from ecm.lock import of_its_provider
from ecm.permit import Action, Actor, permit, reach
from ecm.phone_doors import Phone, named_phone
from ecm.signed import SignedItem, checks, unwrap
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries
from ecm.unlocking import Unlocking
from ecm.visit.proof import Proof

sql = load_queries(__package__, "reports.sql")
router = APIRouter(tags=["app"])

ITEMS_MAX = 100
RAISES_AN_ALERT = {"sos", "no_reply", "concern", "hazard"}
# Beside whatever visit there is. Not so nobody's answer: a visit that was completed would stand it down.
RINGS_ANYWHERE = RAISES_AN_ALERT - {"no_reply"}


class Receipt(BaseModel):
    id: UUID | None
    status: Literal["created", "exists", "conflict", "rejected"]
    received_at: datetime | None = None
    detail: str = ""


class Report(BaseModel):
    id: UUID
    kind: Kind
    occurred_at: datetime
    received_at: datetime
    care_worker: str | None
    urgency: Urgency | None
    reason_code: str | None
    words: str | None
    tasks: list[TaskDone]
    proofs: list[str]


Item = Annotated[dict[str, Any], Field(description="`{jws, sending}`, as for check events.")]
ITEM = {"jws": "eyJhbGciOiJFUzI1NiIs….eyJpZCI6IjAxOWFh….c2ln…"}
RECEIPT = {
    "id": "019aa3f2-7d1e-7000-8000-000000000009",
    "status": "created",
    "received_at": "2026-11-21T09:02:04Z",
    "detail": "",
}
REPORT: dict[str, Any] = {
    "id": RECEIPT["id"],
    "kind": "no_reply",
    "occurred_at": "2026-11-21T09:06:00Z",
    "received_at": "2026-11-21T09:06:01Z",
    "care_worker": "CW-17",
    "urgency": "now",
    "reason_code": "no_access",
    "words": "Knocked, rang, looked through the window; neighbour has not seen her",
    "tasks": [],
    "proofs": ["signed"],
}


@router.post(
    "/v1/reports",
    response_model=list[Receipt],
    responses=answers([RECEIPT], 413),
    openapi_extra=asks([ITEM])
    | {"security": [{"phone": []}]}
    | open_because(
        "an enrolled phone: each report carries its signature, also of one that was cut off since"
    ),
)
async def receive(
    request: Request,
    response: Response,
    door: Annotated[Services, Depends(services)],
    items: Annotated[list[Item] | Item, Body()],
) -> list[Receipt]:
    """Takes what a phone signed. 201 when every report is new; each has a receipt of its own."""
    phone = await named_phone(request, door)
    several = items if isinstance(items, list) else [items]
    if len(several) > ITEMS_MAX:
        raise TooLarge(f"send up to {ITEMS_MAX} reports at once")
    receipts: list[Receipt] = []
    async with door.web.locked(of_its_provider(phone.lock)) as connection:
        for item in several:
            raw = json.dumps(item).encode("utf-8", "backslashreplace")
            receipts.append(await _take(connection, door, phone, raw))
    if receipts and all(receipt.status == "created" for receipt in receipts):
        response.status_code = 201
    return receipts


@router.get(
    "/v1/visits/{visit_id}/reports",
    response_model=list[Report],
    responses=answers([REPORT]),
)
async def of_visit(
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.READ_VISITS))],
    visit_id: Id,
) -> list[Report]:
    """What phones said of one visit, oldest first. Free words only to those who care for the person: they may be
    about somebody's health."""
    may_read_words = bool(permit(who, Action.READ_FULL_ADDRESS))
    async with door.web.locked(who.lock) as connection:
        if not await connection.fetchval(
            sql.visit_exists, who.tenant_id, visit_id, reach(who, Action.READ_VISITS)
        ):
            raise NotFound
        rows = await connection.fetch(sql.reports_of_visit, who.tenant_id, visit_id)
    return [
        Report(
            id=row["report_id"],
            kind=row["kind"],
            occurred_at=row["occurred_at"],
            received_at=row["received_at"],
            care_worker=row["care_worker_ref"],
            urgency=row["urgency"],
            reason_code=row["reason_code"],
            words=row["words"] if may_read_words else None,
            tasks=row["tasks"],
            proofs=row["proofs"],
        )
        for row in rows
    ]


async def _take(connection: Connection, door: Services, phone: Phone, raw: bytes) -> Receipt:
    item = unwrap(raw)
    if item is None:
        return Receipt(id=None, status="rejected", detail="this report is not signed")
    try:
        report = understood(item.jws.payload)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
        return Receipt(id=None, status="rejected", detail=wrong)
    had_left_at = await left_at(connection, report.care_worker or phone.care_worker)
    try:
        proofs = _proofs(door, phone, item, report, had_left_at)
    except NotSignedIn as error:
        return Receipt(id=report.id, status="rejected", detail=error.detail)
    return await _store(connection, door.clock.now(), phone, item, report, proofs, raw)


def _proofs(
    door: Services, phone: Phone, item: SignedItem, report: ReportIn, had_left_at: datetime | None
) -> list[Proof]:
    """Raises NotSignedIn for what this phone did not sign, or says to have happened after it was cut off."""
    if item.jws.key_id != str(phone.device_id) or not checks(item.jws, phone.public_key):
        raise NotSignedIn("this report is not signed by this phone")
    proofs = [Proof.SIGNED]
    if phone.cut_off_at is not None:
        if report.occurred_at > phone.cut_off_at:
            raise NotSignedIn("this phone was cut off")
        proofs.append(Proof.CUT_OFF)
    had_left = had_left_at is not None and report.occurred_at > had_left_at
    if had_left:
        proofs.append(Proof.LEFT)
    if phone.care_worker is None or report.care_worker not in (None, phone.care_worker):
        proofs.append(Proof.SHARED)
        if not had_left and Unlocking(door.sealer).fits(
            report.unlock, phone.device_id, report.care_worker, report.occurred_at
        ):
            proofs.append(Proof.UNLOCKED)
    return proofs


async def _store(
    connection: Connection,
    now: datetime,
    phone: Phone,
    item: SignedItem,
    report: ReportIn,
    proofs: list[Proof],
    raw: bytes,
) -> Receipt:
    fix = report.fix
    digest = sha256(item.jws.payload).digest()
    worker = report.care_worker or phone.care_worker
    added = await connection.fetchrow(
        sql.add_report,
        phone.tenant_id,
        report.id,
        report.kind,
        report.occurred_at,
        now,
        phone.device_id,
        worker,
        phone.provider_ref,
        report.service_user,
        report.visit,
        report.urgency,
        report.reason_code,
        report.words,
        fix and fix.lat,
        fix and fix.lon,
        fix and fix.accuracy_m,
        [task.model_dump() for task in report.tasks],
        sorted(proof.value for proof in proofs),
        digest,
        raw.decode(),
        report.person is None,
        report.kind in RINGS_ANYWHERE,
    )
    if added is not None:
        return _kept(report, "created", added)
    known = await connection.fetchrow(sql.known_report, phone.tenant_id, report.id)
    if (
        known is None or known["body_sha256"] != digest
    ):  # None: another provider's, not there for this phone to see
        return Receipt(id=report.id, status="conflict", detail="this id is already another report's")
    return _kept(report, "exists", known)


def _kept(report: ReportIn, status: Literal["created", "exists"], row: Record) -> Receipt:
    """Each time it is asked: the first answer may have been lost on the way."""
    nobody_hears = report.kind in RAISES_AN_ALERT and not row["rings"]
    return Receipt(
        id=report.id,
        status=status,
        received_at=row["received_at"],
        detail="nobody could be told: ring the office, or 999" if nobody_hears else "",
    )
