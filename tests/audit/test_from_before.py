"""An audit from before there was a chain: every entry finds its place, and words and refs are told apart."""

from __future__ import annotations

import shutil
from pathlib import Path

from ecm.audit.verify import verify
from ecm.audit.writing import write_down
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ecm.store.migrate import MIGRATIONS, migrate
from tests.audit.book import DANA, NOW, as_owner, rows_of
from tests.postgres import execute

OLD = """
INSERT INTO tenants (tenant_id, name) VALUES (2, 'Other Shire');
INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin)
SELECT 1 + n % 2, timestamptz '2026-11-20 09:00Z' + n * interval '1 s', 'account 4 Dana Duty', 'noted', 'visit ' || n,
       CASE WHEN n % 3 = 0 THEN 'because' END, '192.0.2.7'
FROM generate_series(1, 300) n;
INSERT INTO audit (tenant_id, at, actor, action, subject)
VALUES (1, '2026-11-20 10:00Z', 'Dana', 'noted', ''), (1, '1969-07-20 20:17:40.123456Z', 'nobody', '', 'visit 1');
"""


async def test_what_was_written_before_is_linked_in_the_order_it_was_written(
    empty_database: Addresses, tmp_path: Path
) -> None:
    before = Path(str(MIGRATIONS))
    chaining = next(file for file in sorted(before.iterdir()) if file.name.endswith("_audit_chain.sql"))
    for file in sorted(before.iterdir()):
        if file.name < chaining.name:
            shutil.copy(file, tmp_path)
    await migrate(empty_database.owner, migrations=tmp_path)
    await execute(empty_database.owner, OLD)
    await migrate(empty_database.owner)

    web = await Database.connect(empty_database.app, "ecm_web", 1)
    async with web.tenant(1) as connection:
        await write_down(connection, 1, DANA, "noted", "visit 7", NOW)
    await web.close()
    async with as_owner(empty_database.owner) as owner:
        for tenant_id, entries in ((1, 153), (2, 150)):
            verdict = await verify(owner, tenant_id)
            assert (verdict.first_bad, verdict.entries) == (None, entries)
            rows = await rows_of(owner, tenant_id)
            assert [row.audit_id for row in rows] == sorted(row.audit_id for row in rows)
        entry = (await rows_of(owner, 2))[0].entry
        assert entry is not None
        assert (entry.actor_ref, entry.subject_ref, entry.words.actor) == ("account 4", "visit 1", DANA)
        assert entry.salt is not None
        assert len({row.entry.salt for row in await rows_of(owner, 2) if row.entry}) == 150, "a salt each"


async def test_a_process_from_before_still_writes(database: Addresses) -> None:
    """While processes are changed one after another, the old ones know nothing of refs and salts."""
    web = await Database.connect(database.app, "ecm_web", 1)
    async with web.tenant(1) as connection:
        await connection.execute(
            "INSERT INTO audit (tenant_id, at, actor, action, subject, reason, origin)"
            " VALUES ($1, $2, $3, 'signed_in', $3, NULL, '192.0.2.7')",
            1,
            NOW,
            DANA,
        )
    await web.close()
    async with as_owner(database.owner) as owner:
        assert (await verify(owner, 1)).whole
        [row] = await rows_of(owner)
        assert row.entry
        assert row.entry.actor_ref == "account 4"
