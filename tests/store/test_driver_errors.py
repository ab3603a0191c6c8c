"""Whoever calls the database wrongly hears of it; only a server that is gone is away."""

from __future__ import annotations

import asyncpg
import pytest

from ecm.errors import DatabaseAway
from ecm.store.db import Database
from ecm.store.embedded import Addresses


@pytest.mark.parametrize("arguments", [(), (1, 2)], ids=["too few", "too many"])
async def test_a_query_that_is_asked_wrongly_is_a_fault_of_ours_and_no_absence(
    database: Addresses, arguments: tuple[object, ...]
) -> None:
    db = await Database.connect(database.app, "ecm_web")
    try:
        with pytest.raises(asyncpg.InterfaceError):
            async with db.tenant(1) as connection:
                await connection.fetchval("SELECT $1::int", *arguments)
        async with db.tenant(1) as connection:
            assert await connection.fetchval("SELECT $1::int", 1) == 1, (
                "and the connection is as good as before"
            )
    finally:
        await db.close()


async def test_a_connection_that_was_cut_is_an_absence(database: Addresses) -> None:
    db = await Database.connect(database.app, "ecm_web")
    try:
        with pytest.raises(DatabaseAway):
            await asked_of_a_cut_connection(db)
    finally:
        await db.close()


async def asked_of_a_cut_connection(db: Database) -> None:
    async with db.connection() as connection:
        connection.terminate()
        await connection.fetchval("SELECT 1")
