"""Conducts interviews: keeps where each phone call stands, looks up what it asks for, records what it says.

turn = await conductor.begin(gateway, call_id, cli, dialled, now)
turn = await conductor.heard(gateway, call_id, turn.step, Heard("4711"))
await conductor.hung_up(gateway, call_id)
"""

from __future__ import annotations

from datetime import datetime

from ingest.telephone.interview import Heard, Turn


class Conductor:
    """For every telephone door. `begin` and `heard` answer the same turn for the same phone call and step."""

    async def begin(self, gateway: str, call_id: str, cli: str | None, dialled: str, now: datetime) -> Turn:
        """The first turn. `gateway`: 'webhook' or 'sip'; `cli`: as received, None if withheld; `now`: the service's
        clock. `reject` for a number that is not ours, and for one to ring unanswered. Raises Unavailable."""
        raise NotImplementedError

    async def heard(self, gateway: str, call_id: str, step: int, heard: Heard) -> Turn:
        """What follows from what was heard; `step` is that of the turn that asked. Raises Unavailable, NotFound."""
        raise NotImplementedError

    async def hung_up(self, gateway: str, call_id: str) -> None:
        """They hung up, at whatever point. Safe to say twice, and of what nobody knows. Raises Unavailable."""
        raise NotImplementedError
