"""Enrolled phones at the door: `Authorization: Device <id>`, and every event signed with that phone's key.

The id alone lets nobody in: it says which key to check with. A phone is looked up at each request, because cutting
one off must work at once; phones send a few events an hour, so that costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ecm.errors import NotPermitted, NotSignedIn
from ecm.signed import Jws, checks
from ecm.store.db import Database
from ecm.store.queries import load_queries
from ecm.unlocking import Unlocking
from ecm.visit.proof import Proof
from ingest.keys import KeyHolder
from ingest.model import CheckEventIn

sql = load_queries(__package__, "devices.sql")

SCHEME = b"device "


@dataclass(frozen=True, slots=True)
class Device:
    """`care_worker_ref` is None for a shared phone. `public_key`: a JWK on P-256."""

    tenant_id: int
    device_id: UUID
    provider_ref: str
    care_worker_ref: str | None
    label: str
    public_key: dict[str, Any]
    cut_off_at: datetime | None

    @property
    def holder(self) -> KeyHolder:
        return KeyHolder(self.tenant_id, None, f"device {self.device_id}", may_record=True)


async def device_of(db: Database, authorization: bytes) -> Device | None:
    """The phone an `Authorization` header names; None if it names something else. Raises NotSignedIn, DatabaseAway."""
    if not authorization.lower().startswith(SCHEME):
        return None
    try:
        device_id = UUID(authorization[len(SCHEME) :].decode("ascii").strip())
    except ValueError:
        raise NotSignedIn("send Authorization: Device and the id this phone was given") from None
    async with db.connection() as connection:
        row = await connection.fetchrow(sql.device, device_id)
    if row is None:
        raise NotSignedIn("this phone is not enrolled")
    return Device(*row)


def signed_by(device: Device, jws: Jws | None, event: CheckEventIn, unlocking: Unlocking) -> list[Proof]:
    """What the signature proves. Raises NotSignedIn when it is not this phone's, NotPermitted for what a phone
    claims to have happened after it was cut off."""
    if jws is None or jws.key_id != str(device.device_id) or not checks(jws, device.public_key):
        raise NotSignedIn("this event is not signed by this phone")
    proofs = [Proof.SIGNED]
    if device.cut_off_at is not None:
        if event.occurred_at > device.cut_off_at:
            raise NotPermitted("this phone was cut off")
        proofs.append(Proof.CUT_OFF)
    if device.care_worker_ref is None or event.care_worker not in (None, device.care_worker_ref):
        proofs.append(Proof.SHARED)
        if unlocking.fits(event.unlock, device.device_id, event.care_worker, event.occurred_at):
            proofs.append(Proof.UNLOCKED)
    return proofs
