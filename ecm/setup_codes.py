"""The code that opens the set-up: made on the machine, shown to whoever runs it, good once and for a day.

It stands behind the # of an address, where no server and no log ever sees it.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from ecm.errors import Conflict
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "setup_codes.sql")

LASTS = timedelta(hours=24)
# Without the letters and digits that are read for one another: 12 of them are 59 bits.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 12


async def waiting_tenant(connection: Connection) -> int | None:
    """The authority that waits for its first administrator; None once anybody has ever administered."""
    tenant_id: int | None = await connection.fetchval(sql.awaits_setup)
    return tenant_id


async def new_code(web: Database) -> str:
    """A code for the set-up page, beside those made before. Raises Conflict once anybody has ever administered."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    now = datetime.now(UTC)
    async with web.connection() as connection:
        if await waiting_tenant(connection) is None:
            raise Conflict(
                "Somebody administers this service already. They let others in at /settings/people;"
                " if nobody can, `ecm account create` makes an administrator."
            )
        await connection.execute(sql.add, digest(code), now, now + LASTS)
    return code


async def is_open(connection: Connection, code: str) -> bool:
    """Whether this code would open the set-up now."""
    found: bool = await connection.fetchval(sql.is_open, digest(code), datetime.now(UTC))
    return found


async def use(connection: Connection, code: str) -> bool:
    """Uses the code up; False if it is not known, was used, or has run out."""
    return await connection.fetchval(sql.use, digest(code), datetime.now(UTC)) is not None


def digest(code: str) -> bytes:
    """However it was typed: spaces, hyphens and small letters do not matter."""
    return hashlib.sha256("".join(c for c in code.upper() if c.isalnum()).encode()).digest()


def address(base_url: str, code: str) -> str:
    return f"{base_url.rstrip('/')}/setup#{code}"
