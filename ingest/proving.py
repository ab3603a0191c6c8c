"""What a door can check of an event beyond its words: the phone's signature, the tag's address, the card's code.

Each check adds words of `ecm.visit.proof.Proof` and refuses nothing, but for a signature: who claims to be a phone and
is not, is nobody. A tag and a card also say whose home it is. What was used once (a tag's count, a card's code) is
written down under the event that used it, before the event itself: sent again, it is the same use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecm.sealing import Sealer
from ecm.store.db import Database
from ecm.unlocking import Unlocking
from ecm.visit.proof import Proof
from ingest import codes, leavers, tags
from ingest.devices import Device, signed_by
from ingest.keys import KeyHolder
from ingest.understand import Understood


@dataclass(frozen=True, slots=True)
class Proved:
    """`service_user`, `care_worker`: whose the tag, the card or the phone is, for an event that does not say."""

    proofs: str = ""
    service_user: str | None = None
    care_worker: str | None = None


NOTHING = Proved()


class Proving:
    """`db`: role ecm_ingest."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer
        self._unlocking = Unlocking(sealer)

    async def prove(
        self, holder: KeyHolder, device: Device | None, understood: Understood, received_at: datetime
    ) -> Proved:
        """Raises NotSignedIn, NotPermitted (a phone's signature), DatabaseAway."""
        event = understood.event
        if device is None and event.tag is None and event.code is None:
            return NOTHING
        proofs: list[Proof] = []
        service_user = care_worker = None
        if device is not None:
            left_at = await leavers.of_phone(self._db, device, event.care_worker)
            proofs += signed_by(device, understood.jws, event, self._unlocking, left_at)
            care_worker = device.care_worker_ref
        if event.tag is not None or event.code is not None:
            async with self._db.tenant(holder.tenant_id) as connection:
                if event.tag is not None:
                    tapped = await tags.check(connection, self._sealer, holder.tenant_id, event, received_at)
                    proofs += tapped.proofs
                    service_user = tapped.service_user
                if event.code is not None:
                    shown = await codes.check(
                        connection, self._sealer, holder.tenant_id, event, service_user, received_at
                    )
                    proofs += shown.proofs
                    service_user = service_user or shown.service_user
        return Proved(words(proofs), service_user, care_worker)

    async def left(self, holder: KeyHolder, worker: str | None, occurred_at: datetime) -> list[Proof]:
        """LEFT for what a care worker did who had left by then. Raises DatabaseAway."""
        left_at = await leavers.left_at(self._db, holder.tenant_id, worker)
        return [Proof.LEFT] if left_at is not None and occurred_at > left_at else []


def words(proofs: Iterable[Proof]) -> str:
    """As a row keeps them."""
    return " ".join(sorted({proof.value for proof in proofs}))
