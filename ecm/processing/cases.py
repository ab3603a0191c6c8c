"""From visits found with their evidence to cases ready to assess. Shared by arrivals and by the passing of time."""

from __future__ import annotations

from dataclasses import dataclass

from ecm.processing import load
from ecm.processing.contracts import Policies
from ecm.processing.load import VisitKey
from ecm.processing.reassess import Case
from ecm.store.db import Connection, Record
from ecm.visit.model import Amendment, CheckEvent, Evidence, Visit


@dataclass(frozen=True, slots=True)
class Found:
    row: Record
    visit: Visit
    events: tuple[CheckEvent, ...]
    amendments: tuple[Amendment, ...]

    @property
    def key(self) -> VisitKey:
        return self.row["tenant_id"], self.row["visit_id"]


async def cases_of(
    connection: Connection, policies: Policies, found: list[Found], touched: set[VisitKey]
) -> list[Case]:
    """Adds each stay's trail: the same worker's last event elsewhere. `touched`: those whose evidence changed."""
    trails = await load.trails(connection, {each.key: each.events for each in found if each.events})
    return [
        Case(
            each.row,
            each.visit,
            Evidence(each.events, each.amendments, tuple(trails.get(each.key, ()))),
            policies.of(each.row["contract_id"]),
            each.key in touched,
        )
        for each in found
    ]
