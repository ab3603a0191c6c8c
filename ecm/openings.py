"""Something begun that its sender comes back to finish, once: a passkey's challenge, a sign-in half done.

    token = await open_(door, "passkey", {"challenge": ...}, PASSKEY_LASTS)      # the token goes to the sender
    said = await close(door, "passkey", token)                                   # theirs alone, and only now

What is kept is sealed and asked for by the token's digest, so who reads the table can finish nothing. Unknown, of
another kind, used and too old are one answer: None. Real time.
"""

from __future__ import annotations

import json
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ecm.doors import Services, digest
from ecm.sealing import Unsealable
from ecm.store.queries import load_queries

log = logging.getLogger(__name__)
sql = load_queries(__package__, "openings.sql")

Kind = Literal["passkey", "passkey_new", "oidc", "second_step", "second_step_new", "step_up"]

CHARACTERS_MAX = 200  # of a token somebody presents


async def open_(door: Services, kind: Kind, said: dict[str, Any], lasts: timedelta) -> str:
    """Keeps `said` (JSON) for whoever comes back with the token returned, for as long as `lasts`."""
    token = secrets.token_urlsafe(32)
    sealed = door.sealer.seal(json.dumps(said).encode(), _belongs_to(kind, token))
    async with door.web.connection() as connection:
        await connection.execute(sql.open_, digest(token), kind, sealed, datetime.now(UTC) + lasts)
    return token


async def look(door: Services, kind: Kind, token: str) -> dict[str, Any] | None:
    """What was kept, and it stays: for what may be tried more than once."""
    async with door.web.connection() as connection:
        sealed = await connection.fetchval(sql.look, digest(token), kind, datetime.now(UTC))
    return None if sealed is None else _opened(door, kind, token, sealed)


async def close(door: Services, kind: Kind, token: str) -> dict[str, Any] | None:
    """What was kept, for the first who asks; nobody gets it again."""
    async with door.web.connection() as connection:
        row = await connection.fetchrow(sql.close, digest(token), kind)
    if row is None or row["expires_at"] <= datetime.now(UTC):
        return None
    return _opened(door, kind, token, row["sealed"])


def _opened(door: Services, kind: Kind, token: str, sealed: bytes) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads(door.sealer.open(sealed, _belongs_to(kind, token)))
    except Unsealable:
        log.warning("an opening was sealed with another key: do all web processes share one ECM_SEALING_KEY?")
        return None
    return said


def _belongs_to(kind: Kind, token: str) -> str:
    return f"opening {kind} {digest(token).hex()}"
