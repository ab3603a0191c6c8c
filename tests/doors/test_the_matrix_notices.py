"""The matrix is worth what it finds: each lock, taken away by itself, turns a cell red.

What the application checks is taken away before a database that hides nothing, and what the database hides while the
application checks nothing: with both in place, the other one would make up for it, as it should.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.doors import test_matrix, test_matrix_unlocked
from tests.doors.lying import LIES
from tests.doors.mutants import OF_THE_APPLICATION, OF_THE_DATABASE, Mutant
from tests.doors.service import Service

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", OF_THE_APPLICATION, ids=lambda mutant: f"{mutant.name}, {mutant.seen_in}")
async def test_a_check_that_is_gone_is_noticed(service_alone: Service, mutant: Mutant) -> None:
    with mutant.done(service_alone.app.fastapi):
        found = await test_matrix.looked_at(service_alone, mutant.seen_in, enough=1)
    assert found, f"nobody noticed: {mutant.name}"


@pytest.mark.parametrize(("statement", "seen_in"), OF_THE_DATABASE, ids=lambda one: str(one))
async def test_a_policy_that_is_gone_is_noticed(service: Service, statement: str, seen_in: str) -> None:
    async with without(service, statement):
        found = [
            what
            for lie in LIES
            for what in await test_matrix_unlocked.looked_at(service, seen_in, lie, enough=1)
        ]
    assert found, f"nobody noticed: {statement}"


@asynccontextmanager
async def without(service: Service, statement: str) -> AsyncIterator[None]:
    """Takes the policy away, and puts it back as it was. Without one that lets rows in, none would be there at all."""
    _, _, policy, _, table = statement.split()  # DROP POLICY … ON …
    async with service.owner.connection() as connection:
        again = await connection.fetchval(DEFINITION, policy, table)
        assert again is not None, f"there is no policy {policy} on {table}"
        await connection.execute(statement)
        if policy == "of_tenant":
            await connection.execute(
                f"CREATE POLICY of_nobody ON {table} TO ecm_web USING (true) WITH CHECK (true)"
            )
    try:
        yield
    finally:
        async with service.owner.connection() as connection:
            await connection.execute(f"DROP POLICY IF EXISTS of_nobody ON {table}")
            await connection.execute(again)


DEFINITION = """
SELECT format('CREATE POLICY %I ON %I AS %s FOR %s TO ecm_web', policyname, tablename, permissive, cmd)
  || coalesce(' USING (' || qual || ')', '') || coalesce(' WITH CHECK (' || with_check || ')', '')
FROM pg_policies WHERE policyname = $1 AND tablename = $2
"""
