"""A database that named homes in its pay lines names them no more, and is paid from as before."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg

from ecm.store.embedded import Addresses
from ecm.store.migrate import MIGRATIONS, migrate, read_files
from tests.postgres import fetch_value

WHERE = "53.812345, -1.543210"
SAID = "position identical to six places to one elsewhere"
BEFORE = """
INSERT INTO providers (tenant_id, ref, name) VALUES (1, 'P-01', 'Willow Care');
INSERT INTO service_users (tenant_id, ref, name) VALUES (1, 'SU-DAVIES', 'Owen Davies');
INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, window_start, findings)
  VALUES (1, 'V-1', 'SU-DAVIES', 'P-01', '2026-11-16', 'Europe/London', '2026-11-16 09:00Z', $findings$%s$findings$);
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on) VALUES (1, '2026-W47', '2026-11-16', '2026-11-22');
INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,
    local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence, steps,
    exception, computed_at)
  VALUES (1, '2026-W47', 1, 1, 'P-01', 'SU-DAVIES', 'council', '2026-11-16', 'completed', 1800, 1800, 1800, 960, 960,
    '[]', 'location_outside: 400 m from the door; repeated_fix: %s: %s; 2 workers came, 1 required', now());
UPDATE payment_periods SET locked_at = now()
"""


async def test_positions_go_from_findings_and_from_lines_of_locked_periods_too(
    empty_database: Addresses, tmp_path: Path
) -> None:
    outside = {"code": "location_outside", "measure": 400.0, "detail": "± 12 m", "unit": "m"}
    repeated = {"code": "repeated_fix", "measure": None, "detail": WHERE, "unit": ""}
    owner = empty_database.owner
    await up_to(7, owner, tmp_path)
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(BEFORE % (json.dumps([repeated, outside]), SAID, WHERE))
    finally:
        await connection.close()

    await up_to(8, owner, tmp_path)

    findings = json.loads(await fetch_value(owner, "SELECT findings FROM visits"))
    assert findings == [repeated | {"detail": ""}, outside]
    assert await fetch_value(owner, "SELECT exception FROM actual_lines") == (
        f"location_outside: 400 m from the door; repeated_fix: {SAID}; 2 workers came, 1 required"
    )
    assert await fetch_value(owner, "SELECT amount_pence FROM actual_lines") == 960


async def up_to(number: int, owner: str, folder: Path) -> None:
    for migration in read_files(MIGRATIONS)[:number]:
        (folder / f"{migration.name}.sql").write_text(migration.sql)
    await migrate(owner, migrations=folder)
