"""A shared phone opened with a worker's PIN: a ticket that says whose PIN it was, on which phone, until when.

The ticket is sealed by the service, so a phone can neither make one nor read another's. An event carries it; offline
too, until it runs out.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from uuid import UUID

from ecm.sealing import Sealer, Unsealable

PURPOSE = "unlock"
LASTS = timedelta(hours=12)
MADE_AHEAD = timedelta(minutes=5)
"""How far a phone's clock may be behind the service's."""


class Unlocking:
    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def ticket(self, device_id: UUID, care_worker: str, now: datetime) -> str:
        """For the phone to keep in memory and send with each event."""
        said = json.dumps([str(device_id), care_worker, (now + LASTS).isoformat()])
        return base64.urlsafe_b64encode(self._sealer.seal(said.encode(), PURPOSE)).decode()

    def fits(self, ticket: str | None, device_id: UUID, care_worker: str | None, at: datetime) -> bool:
        """Whether the ticket was made for this phone and worker, and covers the instant."""
        return care_worker is not None and self.worker(ticket, device_id, at) == care_worker

    def worker(self, ticket: str | None, device_id: UUID, at: datetime) -> str | None:
        """Whose PIN opened this phone, if the ticket covers the instant."""
        if ticket is None:
            return None
        try:
            of_phone, worker, ends_at = json.loads(
                self._sealer.open(base64.urlsafe_b64decode(ticket), PURPOSE)
            )
        except (Unsealable, ValueError, binascii.Error):
            return None
        until = datetime.fromisoformat(ends_at)
        covered = until - LASTS - MADE_AHEAD <= at <= until
        return str(worker) if covered and of_phone == str(device_id) else None
