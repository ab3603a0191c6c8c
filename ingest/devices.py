"""Enrolled phones at the door: `Authorization: Device <id>`, and every event signed with that phone's key.

The id alone lets nobody in: it says which key to check with. A phone is looked up at each request, because cutting
one off must work at once; phones send a few events an hour, so that costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ecm.errors import NotPermitted, NotSignedIn, TooMany
from ecm.signed import Jws, checks
from ecm.store.db import Database
from ecm.store.queries import load_queries
from ecm.unlocking import Unlocking
from ecm.visit.proof import Proof
from ingest.keys import LOOK_UPS_PER_S, REMEMBERED_MAX, KeyHolder
from ingest.limits import Bucket
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
    left_at: datetime | None
    """When the worker whose phone it is left."""

    @property
    def holder(self) -> KeyHolder:
        return KeyHolder(self.tenant_id, None, f"device {self.device_id}", may_record=True)


class Devices:
    """Phones by their id. Made-up ids use up the look-ups of ids never found, and hold up nobody whose id was."""

    def __init__(self, db: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._monotonic = monotonic
        self._found: set[UUID] = set()
        self._look_ups = Bucket(LOOK_UPS_PER_S, LOOK_UPS_PER_S, monotonic())

    async def named(self, authorization: bytes) -> Device | None:
        """The phone an `Authorization` header names; None if it names something else.

        Raises NotSignedIn, TooMany, DatabaseAway."""
        if not authorization.lower().startswith(SCHEME):
            return None
        try:
            device_id = UUID(authorization[len(SCHEME) :].decode("ascii").strip())
        except ValueError:
            raise NotSignedIn("send Authorization: Device and the id this phone was given") from None
        was_found = device_id in self._found
        if not was_found and (wait_s := self._look_ups.take(1, self._monotonic())):
            raise TooMany("too many unknown phones", retry_after_seconds=max(1, round(wait_s)))
        async with self._db.connection() as connection:
            row = await connection.fetchrow(sql.device, device_id)
        if row is None:
            raise NotSignedIn("this phone is not enrolled")
        if not was_found:
            self._remember(device_id)
        return Device(*row)

    def _remember(self, device_id: UUID) -> None:
        self._look_ups.give_back(1)
        if len(self._found) >= REMEMBERED_MAX:
            self._found.clear()
        self._found.add(device_id)


def signed_by(
    device: Device, jws: Jws | None, event: CheckEventIn, unlocking: Unlocking, left_at: datetime | None
) -> list[Proof]:
    """What the signature proves of an event whose care worker left at `left_at`, or did not. Raises NotSignedIn when
    it is not this phone's, NotPermitted for what a phone claims to have happened after it was cut off."""
    if jws is None or jws.key_id != str(device.device_id) or not checks(jws, device.public_key):
        raise NotSignedIn("this event is not signed by this phone")
    proofs = [Proof.SIGNED]
    if device.cut_off_at is not None:
        if event.occurred_at > device.cut_off_at:
            raise NotPermitted("this phone was cut off")
        proofs.append(Proof.CUT_OFF)
    had_left = left_at is not None and event.occurred_at > left_at
    if had_left:
        proofs.append(Proof.LEFT)
    if device.care_worker_ref is None or event.care_worker not in (None, device.care_worker_ref):
        proofs.append(Proof.SHARED)
        if not had_left and unlocking.fits(
            event.unlock, device.device_id, event.care_worker, event.occurred_at
        ):
            proofs.append(Proof.UNLOCKED)
    return proofs
