"""`ecm migrate` and `ecm import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecm.cli.options import Failed, data_option, json_option, runs, tenant_option
from ecm.cli.place import opened, service_clock
from ecm.importing import KINDS, run_import
from ecm.lock import system
from ecm.sealing import sealer
from ecm.settings import Settings
from ecm.store.migrate import migrate as bring_up_to_date


@click.command()
@data_option
@json_option
@runs
async def migrate(data_dir: Path) -> dict[str, Any]:
    """Bring the database up to date. Safe to run twice at once."""
    async with opened(Settings(), data_dir, migrated=False) as place:
        applied = await bring_up_to_date(place.owned())
    click.echo("\n".join(f"applied {name}" for name in applied) or "already up to date")
    return {"applied": applied}


@click.command("import")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option("--skip-rejected", is_flag=True, help="Take the good rows of a file that has bad ones.")
@tenant_option
@data_option
@json_option
@runs
async def import_(
    kind: str, file: Path, dry_run: bool, skip_rejected: bool, tenant_id: int, data_dir: Path
) -> dict[str, Any]:
    """Import providers, contracts, service-users, care-workers or visits from a CSV or JSON file."""
    settings = Settings()
    async with opened(settings, data_dir) as place:
        clock = await service_clock(place)
        db = await place.database("ecm_web", 2)
        try:
            report = await run_import(
                db,
                system(tenant_id),
                kind,
                file,
                dry_run=dry_run,
                skip_rejected=skip_rejected,
                now=clock.now(),
                actor="command line",
                postcodes=settings.postcodes_file,
                sealer=sealer(settings.sealing_key, data_dir, settings.sealing_keys_old),
            )
        finally:
            await db.close()
    click.echo(report.as_text())
    if report.rejected and (report.refused or not skip_rejected):
        raise Failed(report.as_json())
    return report.as_json()
