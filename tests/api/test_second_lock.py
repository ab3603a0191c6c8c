"""The second lock: with the application's own filters gone, a foreign authority's rows still are not there.

The queries themselves are run, as the services' role, for our tenant's session and the other tenant's ids;
then every table there is, with no filter at all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from ecm.api import accounts, alerts, amendments, evidence, sign_in, visits
from ecm.audit.writing import write_down
from tests.api.conftest import NOW, ZANDER_ALERT, ZANDER_CHECK_IN, ZANDER_VISIT, Story

OURS, THEIRS = 1, 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A query, with the other tenant's id where ours belongs.
PICKED_OPEN = [
    (visits.sql.get_visit, (THEIRS, ZANDER_VISIT, None, NOW)),
    (evidence.sql.get_event, (THEIRS, ZANDER_CHECK_IN, None)),
    (evidence.sql.list_unmatched, (THEIRS, None, EPOCH, UUID(int=0), 100)),
    (evidence.sql.list_quarantine, (THEIRS, 0, 100)),
    (alerts.sql.get_alert, (THEIRS, ZANDER_ALERT, None)),
    (alerts.sql.list_alerts, (THEIRS, None, None, None, 0, 100)),
    (alerts.sql.lock_alert, (THEIRS, ZANDER_ALERT, None)),
    (
        alerts.sql.set_owner,
        (THEIRS, ZANDER_ALERT, "open", "acknowledged", "Mallory", NOW, "account 6 Mallory"),
    ),
    (amendments.sql.visit_to_amend, (THEIRS, ZANDER_VISIT, None)),
    (accounts.sql.list_accounts, (THEIRS, 0, 100)),
    (sign_in.sql.tenant, (THEIRS,)),
]


@pytest.mark.parametrize(("query", "values"), PICKED_OPEN)
async def test_a_query_for_another_authority_finds_nothing(
    story: Story, query: str, values: tuple[object, ...]
) -> None:
    async with story.web.tenant(THEIRS) as connection:
        assert await connection.fetch(query, *values) != [], "the other authority itself finds it"
        await connection.execute("ROLLBACK; BEGIN")
    async with story.web.tenant(OURS) as connection:
        assert await connection.fetch(query, *values) == []


async def test_every_table_shows_our_authoritys_rows_only(story: Story) -> None:
    tables = [
        row[0]
        for row in await story.all(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " AND a.attname = 'tenant_id' WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
    ]
    assert len(tables) > 20
    seen_somewhere = 0
    for table in tables:
        async with story.web.tenant(OURS) as connection:
            tenants = {row[0] for row in await connection.fetch(f"SELECT DISTINCT tenant_id FROM {table}")}
        assert tenants <= {OURS}, table
        seen_somewhere += bool(tenants)
        async with story.web.connection() as connection:
            assert await connection.fetch(f"SELECT FROM {table} LIMIT 1") == [], f"{table} without a tenant"
    assert seen_somewhere > 8


async def test_nothing_can_be_written_for_another_authority(story: Story) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with story.web.tenant(OURS) as connection:
            await write_down(connection, THEIRS, "Mallory", "signed_in", "account 1", NOW)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with story.web.tenant(OURS) as connection:
            await connection.execute(amendments.sql.insert_todos, THEIRS, [], [ZANDER_VISIT])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE check_events SET care_worker = 'CW-B'",
        "DELETE FROM check_events",
        "UPDATE amendments SET note = ''",
        "DELETE FROM amendments",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM transitions",
        "UPDATE visits SET state = 'completed'",
        "UPDATE alerts SET reason = ''",
        "DELETE FROM alert_actions",
        "UPDATE actual_lines SET amount_pence = 0",
        "DELETE FROM accounts",
    ],
)
async def test_the_web_cannot_edit_what_is_only_ever_added(story: Story, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with story.web.tenant(OURS) as connection:
            await connection.execute(statement)
