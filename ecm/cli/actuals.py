"""`ecm actuals export`: payment files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ecm.api.exports import FORMATS, export, left_out
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened
from ecm.lock import system
from ecm.settings import Settings


@click.group()
def actuals() -> None:
    """Actuals: the minutes and money of a period."""


@actuals.command("export")
@click.option("--period", required=True, help="Such as 2026-W47, 2026-11 or 2026-11-23.")
@click.option("--format", "file_format", type=click.Choice(sorted(FORMATS)), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@tenant_option
@data_option
@json_option
@runs
async def export_(
    period: str, file_format: str, output: Path | None, tenant_id: int, data_dir: Path
) -> dict[str, Any]:
    """Write the payment file of a period."""
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id, 2) as db:
        parts = export(db, system(tenant_id), period, file_format)
        first = await anext(parts)  # a refusal leaves no empty file behind
        target = output.open("wb") if output else sys.stdout.buffer
        with target:
            size = target.write(first)
            async for part in parts:
                size += target.write(part)
        left = await left_out(db, system(tenant_id), period, file_format)
    if left.unseen:
        click.echo(f"{left.unseen} lines are left out until somebody has looked at them", err=True)
    if left.changed:
        click.echo(f"{left.changed} lines are left out: their visit or terms changed since the run", err=True)
    return {"period": period, "format": file_format, "bytes": size, "left_out": left._asdict()}
