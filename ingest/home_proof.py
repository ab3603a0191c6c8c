"""What something fixed in a home proves, and whose home it is."""

from __future__ import annotations

from dataclasses import dataclass

from ecm.visit.proof import Proof


@dataclass(frozen=True, slots=True)
class HomeProof:
    proofs: tuple[Proof, ...]
    service_user: str | None = None
