"""Recording for the doors that make the event themselves: the telephone, texts, a desk, another system's feed.

Each lands as the same check event, through the same understanding, proving and commit as one sent by HTTP. The id is
made from what cannot differ when a gateway says the same thing twice (`same_id`), so twice is once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from ecm.clock import Clock
from ecm.visit.proof import Proof
from ingest import metrics
from ingest.batch import Batcher
from ingest.keys import KeyHolder
from ingest.proving import Proved, Proving, words
from ingest.quarantine import Misfit, Quarantine
from ingest.row import row_of
from ingest.understand import NotAnEvent, understand

NAMESPACE = UUID("6f1d5a52-6f0e-5a0e-9c37-0d4d5a1c7e11")


@dataclass(frozen=True, slots=True)
class Recorded:
    """`conflict`: something else stands under this id; `refused`: not understandable. Both are kept aside."""

    event_id: UUID | None
    status: Literal["created", "exists", "conflict", "refused"]
    received_at: datetime
    warnings: tuple[str, ...] = ()
    reason: str = ""
    proofs: frozenset[str] = frozenset()

    @property
    def stored(self) -> bool:
        return self.status in ("created", "exists")


class Recorder:
    def __init__(self, batcher: Batcher, proving: Proving, quarantine: Quarantine, clock: Clock) -> None:
        self._batcher = batcher
        self._proving = proving
        self._quarantine = quarantine
        self._clock = clock

    async def record(
        self, holder: KeyHolder, event: Mapping[str, Any], proofs: Iterable[Proof] = ()
    ) -> Recorded:
        """`event`: as on the wire, JSON values. Committed when this returns. Raises Unavailable."""
        body = json.dumps(event, ensure_ascii=False).encode("utf-8", "backslashreplace")
        received_at = self._clock.now()
        try:
            understood = understand(body)
        except NotAnEvent as error:
            await self._quarantine.keep(holder, [Misfit(error.detail, body)], received_at)
            metrics.events["rejected"].inc()
            return Recorded(None, "refused", received_at, reason=error.detail)
        proved = await self._proving.prove(holder, None, understood, received_at)
        event_in = understood.event
        left = await self._proving.left(holder, event_in.care_worker, event_in.occurred_at)
        all_words = " ".join(sorted({*proved.proofs.split(), *words([*proofs, *left]).split()}))
        row, warnings = row_of(
            understood, holder, received_at, Proved(all_words, proved.service_user, proved.care_worker)
        )
        [outcome] = await self._batcher.store((row,))
        metrics.events[outcome.status].inc()
        if outcome.status in ("conflict", "refused"):
            reason = "something else stands under this id" if outcome.status == "conflict" else "not storable"
            await self._quarantine.keep(holder, [Misfit(reason, body, row.event_id)], received_at)
            return Recorded(row.event_id, outcome.status, outcome.received_at, warnings, reason)
        return Recorded(
            row.event_id, outcome.status, outcome.received_at, warnings, "", frozenset(all_words.split())
        )


def same_id(*said: object) -> UUID:
    """The same id for the same words, on every machine."""
    return uuid5(NAMESPACE, "\x1f".join(str(word) for word in said))
