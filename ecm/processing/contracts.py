"""The tolerances in force, by contract row. A contract row is never edited, so what was read once stays true."""

from __future__ import annotations

from collections.abc import Iterable

from ecm.store.db import Connection
from ecm.store.queries import load_queries
from ecm.store.rules import ContractRules
from ecm.visit.policy import DEFAULT, Policy

sql = load_queries(__package__, "processing.sql")


class Policies:
    """Policies by contract number; a visit without a contract gets the defaults."""

    def __init__(self) -> None:
        self._known: dict[int, Policy] = {}

    def of(self, contract_id: int | None) -> Policy:
        return DEFAULT if contract_id is None else self._known[contract_id]

    async def learn(self, connection: Connection, contract_ids: Iterable[int | None]) -> None:
        """Reads the contract rows not yet known."""
        unknown = {c for c in contract_ids if c is not None} - self._known.keys()
        if unknown:
            for row in await connection.fetch(sql.contracts_by_id, list(unknown)):
                rules = ContractRules.model_validate(row["rules"])
                self._known[row["contract_id"]] = rules.policy(row["ref"])
