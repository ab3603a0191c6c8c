"""Whom a transaction is for: what the database is told, so that its row-level security holds without our checks.

The application checks first (`ecm.permit`) and says why; the database checks again and says nothing. Each is enough
alone, so what stands here is taken from whoever was let in, and never from what they ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

EVERY = "*"  # no narrowing by provider, or by care worker
ONLY = "="  # before the one reference: somebody may be called "*"
NOBODY = ""  # of an account that should say whose it is and does not: nothing is theirs


@dataclass(frozen=True, slots=True)
class Lock:
    """`provider_ref`, `care_worker_ref`: whose rows alone are there; None for all. `who`: kind and id, no name."""

    tenant_id: int
    provider_ref: str | None
    care_worker_ref: str | None
    role: str
    who: str

    def settings(self) -> dict[str, str]:
        """What row-level security reads, by name: `*` for all, `=P-1` for one."""
        return {
            "ecm.tenant": str(int(self.tenant_id)),
            "ecm.provider": EVERY if self.provider_ref is None else ONLY + self.provider_ref,
            "ecm.worker": EVERY if self.care_worker_ref is None else ONLY + self.care_worker_ref,
            "ecm.role": self.role,
            "ecm.who": self.who,
        }


def system(tenant_id: int) -> Lock:
    """The service itself at work for one authority: the telephone, imports, what comes before anybody is known."""
    return Lock(tenant_id, None, None, "system", "system")


def held_by(lock: Lock, care_worker_ref: str) -> Lock:
    """A phone's lock once it is known who holds it. A phone of one care worker stays that one's."""
    return lock if lock.care_worker_ref is not None else replace(lock, care_worker_ref=care_worker_ref)


def of_its_provider(lock: Lock) -> Lock:
    """A phone's lock before it is known who holds it, or where somebody must be heard whoever does."""
    return replace(lock, care_worker_ref=None)
