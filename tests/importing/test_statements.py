"""Every statement is one that PostgreSQL understands, under the role that runs it."""

from __future__ import annotations

from ecm.importing import run
from ecm.importing.merge import MERGES
from tests.importing.desk import Desk


async def test_every_statement_can_be_prepared_under_its_role(desk: Desk) -> None:
    async with desk.db.tenant(1) as connection:
        await connection.execute(run.STAGING)
        for sql in (run.sql, *(merge.sql for merge in MERGES.values())):
            for name, role in sql.roles.items():
                assert role == "ecm_web"
                await connection.prepare(getattr(sql, name))


def test_every_step_of_a_merge_is_a_statement() -> None:
    for merge in MERGES.values():
        assert {*merge.rejects, *merge.writes} <= merge.sql.roles.keys()
