"""That somebody was cut off is told at once, whoever did it; and nothing else is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from ecm.cuts import Cuts
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.house.one_of_each import ONE_OF_EACH
from tests.postgres import execute

CUTS = {
    "an account disabled": "UPDATE accounts SET disabled_at = now()",
    "and enabled": "UPDATE accounts SET disabled_at = NULL",
    "an account that left": "UPDATE accounts SET left_at = now()",
    "another role": "UPDATE accounts SET role = 'auditor'",
    "another provider": "UPDATE accounts SET provider_ref = 'p'",
    "a sign-in that ended": "DELETE FROM sessions",
    "a key revoked": "UPDATE api_keys SET revoked_at = now()",
    "a key for something else": "UPDATE api_keys SET scopes = '{ingest}'",
    "a phone cut off": "UPDATE devices SET cut_off_at = now(), cut_off_by = 'Cora'",
    "a care worker who left": "UPDATE care_workers SET left_at = now(), left_by = 'Cora'",
}
NO_CUTS = (
    "UPDATE accounts SET password_hash = 'y', name = 'Donna'",
    "UPDATE accounts SET role = 'auditor'",  # as it is already
    "UPDATE sessions SET seen_at = now()",
    "UPDATE api_keys SET used_at = current_date",
    "UPDATE care_workers SET pin_hash = 'z'",
)


class Heard:
    """What was told, to a test that waits for it."""

    def __init__(self, database: Addresses) -> None:
        self.database = database
        self.told: asyncio.Queue[int | None] = asyncio.Queue()

    async def cut(self, tenant_id: int | None) -> None:
        self.told.put_nowait(tenant_id)

    async def next(self) -> int | None:
        return await asyncio.wait_for(self.told.get(), 30)


@pytest.fixture
async def heard(database: Addresses) -> AsyncIterator[Heard]:
    for tenant in (1, 2):
        await execute(database.owner, ONE_OF_EACH.format(t=tenant))
    db = await Database.connect(database.app, "ecm_web", size=1)
    cuts, heard = Cuts(db), Heard(database)

    async def stumbles(_: int | None) -> None:
        raise KeyError("a bug in another's callback")

    cuts.on_cut(stumbles)
    cuts.on_cut(heard.cut)
    await cuts.start()
    assert await heard.next() is None, "what was said before it listened was missed"
    yield heard
    await cuts.stop()
    await db.close()


async def test_every_cut_is_told_by_its_authority_and_nothing_else_is(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    connection = await asyncpg.connect(heard.database.owner)
    for what, statement in CUTS.items():
        await connection.execute(f"{statement} WHERE tenant_id = 2")
        assert await heard.next() == 2, what
    for statement in NO_CUTS:
        await connection.execute(f"{statement} WHERE tenant_id = 2")
    await connection.execute("SELECT pg_notify('ecm_cut', '1')")
    assert await heard.next() == 1, "nothing before it"
    await connection.close()


async def test_after_the_line_broke_everything_is_asked_again(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    connection = await asyncpg.connect(heard.database.owner)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%ecm_cut%'"
    )
    assert await heard.next() is None
    await connection.execute("DELETE FROM sessions WHERE tenant_id = 2")
    assert await heard.next() == 2
    await connection.close()
