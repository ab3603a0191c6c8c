"""The board's topics, asked by each account: what it is greeted with, shown, told of as it happens, and given again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.doors.askers import Asker, Standing
from tests.doors.service import Service
from tests.doors.socket import SOON_SECONDS, Refused, Socket, socket
from tests.doors.world import THINGS

OWN, OTHER, ABROAD = THINGS["own"], THINGS["oth"], THINGS["abr"]

# In the order in which they happen: by when one's own is told, the others' would have been.
HAPPENS = (ABROAD, OTHER, OWN)

TELL_VISIT = """
WITH head AS (UPDATE board_heads SET position = position + 1 WHERE tenant_id = $1 RETURNING position)
UPDATE visits SET version = version + 1, position = head.position FROM head WHERE tenant_id = $1 AND visit_id = $2
"""
TELL_ALERT = """
WITH head AS (UPDATE board_heads SET position = position + 1 WHERE tenant_id = $1 RETURNING position)
UPDATE alerts SET position = head.position FROM head WHERE tenant_id = $1 AND alert_id = $2
"""


@asynccontextmanager
async def looking(service: Service, asker: Asker, standing: Standing) -> AsyncIterator[Socket]:
    """A socket by a ticket straight from the database, so that the socket's own door decides. Raises Refused."""
    ticket = f"ticket of {asker.name}".replace(" ", "-")
    async with service.owner.connection() as connection:
        session = hashlib.sha256(service.proofs.secrets[asker.name, standing].encode()).digest()
        await connection.execute(
            "INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)"
            " SELECT 1, $1, account_id, token_sha256, now() + interval '1 minute'"
            " FROM sessions WHERE token_sha256 = $2",
            hashlib.sha256(ticket.encode()).digest(),
            session,
        )
    async with socket(service.app.fastapi, ticket) as one:
        yield one


async def everything(service: Service, asker: Asker, standing: Standing) -> str:
    """All that an account hears of the board, whatever it asks for. Raises Refused.

    What happens has been told to all who should hear it before it is asked what was heard.
    """
    heard = []
    try:
        async with looking(service, asker, standing) as page:
            await page.until("hello")
            await page.says(type="filter")
            await page.until("snapshot")
            await page.says(type="filter", date="2026-11-18")
            await page.until("snapshot")
            await page.says(type="filter")
            await page.until("snapshot")
            await happens(service)
            await page.rest()
            heard += page.heard
        for provider in (OTHER.provider, ABROAD.provider, "P-nowhere"):
            async with looking(service, asker, standing) as page:
                await page.until("hello")
                await page.says(type="filter", provider=provider)
                await page.until(
                    "snapshot"
                )  # or it is closed: nobody is told of a provider that they do not see
                heard += page.heard
        async with looking(service, asker, standing) as page:
            await page.until("hello")
            await page.says(type="resume", epoch=await epoch(service), position=0)
            await page.until("heartbeat")  # after what was missed, or why it is shown afresh and all of it
            heard += page.heard
    finally:
        await service.taken_back()
    return "\n".join(heard)


async def happens(service: Service) -> None:
    """Something is told of each one's visit and alert."""
    async with service.owner.connection() as connection:
        for things in HAPPENS:
            await connection.execute(TELL_VISIT, things.tenant, things.visit_id)
            await connection.execute(TELL_ALERT, things.tenant, things.alert_id)
        await connection.execute("SELECT pg_notify('ecm_board', '1'), pg_notify('ecm_board', '2')")
        head = await connection.fetchval("SELECT position FROM board_heads WHERE tenant_id = 1")
    board = service.app.fastapi.state.hub._boards[1]
    async with asyncio.timeout(SOON_SECONDS):
        while board.feed.position < head:
            await asyncio.sleep(0.005)


async def epoch(service: Service) -> str:
    async with service.owner.connection() as connection:
        return str(await connection.fetchval("SELECT epoch FROM board_heads WHERE tenant_id = 1"))


__all__ = ["Refused", "everything"]
