"""One key seals for the whole installation: its fingerprint stands in the database beside what it sealed.

A process with another key would seal what nobody else can open, and lose it with its own container. So it seals
nothing: whoever asks is told 503, and `/readyz` says why. It starts all the same, because its doors take check-ins as
before, and no setting may turn a check-in away.

    in the database    in this process        /readyz
    -----------------  ---------------------  --------------------------------------------------
    nothing            anything               ok: the first to seal names its key
    a key              the same               ok
    a key              it, among the old      not ok: the key was changed, run `ecm reseal`
    a key              another, or none yet   not ok: secrets are sealed with another key
"""

from __future__ import annotations

from datetime import UTC, datetime

from ecm.errors import Unavailable
from ecm.sealing import Sealer
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries("ecm", "sealing_key.sql")


class AnotherSealingKey(Unavailable):
    """This process has another sealing key than the secrets that are kept; nothing can be sealed here. See /readyz."""

    slug = "another-sealing-key"


async def require_one_key(connection: Connection, sealer: Sealer) -> None:
    """Asked before anything is sealed to be kept. Raises AnotherSealingKey."""
    known = await connection.fetchval(sql.fingerprint)
    if known is None:
        await connection.execute(sql.name_it, sealer.fingerprint, datetime.now(UTC))
        known = await connection.fetchval(sql.fingerprint)
    if known != sealer.fingerprint:
        raise AnotherSealingKey


def said_of(known: bytes | None, sealer: Sealer) -> tuple[bool, str]:
    """Whether this process may seal, and in words. `known`: the fingerprint in the database."""
    if known is None:
        return True, "nothing is sealed yet"
    if sealer.is_made and sealer.fingerprint == known:
        return True, "one key"
    if known in sealer.old_fingerprints:
        return False, "the sealing key was changed: run ecm reseal; until then nothing can be sealed"
    return False, "the secrets are sealed with another key than this process has: see ECM_SEALING_KEY"
