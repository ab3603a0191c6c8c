"""`ecm tenant`: the authorities that share this installation, each with people and data of its own.

A new one is the database owner's to add: no service may.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from ecm.audit.writing import write_down
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened, service_clock
from ecm.errors import Conflict, NotFound
from ecm.settings import Settings
from ecm.store.db import open_connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "tenants.sql")


@click.group()
def tenant() -> None:
    """The authorities whose data is kept here, each apart from the others."""


def name_of(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    name = " ".join(given.split())
    if not name.isprintable() or not 0 < len(name) <= 200:
        raise click.BadParameter("give 1 to 200 printable characters")
    return name


def zone_of(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    try:
        return ZoneInfo(given).key
    except (
        KeyError,
        ValueError,
        OSError,
    ) as unknown:  # nobody knows it, it leads out of the folder, it is one
        raise click.BadParameter(f"there is no zone {given}; one is Europe/London") from unknown


@tenant.command("add")
@click.argument("name", callback=name_of)
@click.option("--zone", default="Europe/London", show_default=True, callback=zone_of, help="Its local time.")
@data_option
@json_option
@runs
async def add(name: str, zone: str, data_dir: Path) -> dict[str, Any]:
    """Add an authority called NAME. Its number is what `--tenant` of the other commands takes."""
    async with opened(Settings(), data_dir) as place:
        clock = await service_clock(place)
        connection = await open_connection(place.owned(), None)
        try:
            if namesake := await connection.fetchval(sql.namesake, name):
                raise Conflict(f"{name} is here already: tenant {namesake}.")
            async with connection.transaction():
                tenant_id = await connection.fetchval(sql.add, name, zone)
                await write_down(
                    connection,
                    tenant_id,
                    "command line",
                    "tenant_created",
                    f"tenant {tenant_id}",
                    clock.now(),
                )
        finally:
            await connection.close()
    click.echo(f"tenant {tenant_id}: {name} ({zone})")
    return {"tenant_id": tenant_id, "name": name, "zone": zone}


@tenant.command("positions")
@click.argument("days", type=click.IntRange(35, 3650))
@tenant_option
@data_option
@json_option
@runs
async def positions(days: int, tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Keep positions for DAYS after they were received; then their distance from the door. What has gone stays gone."""
    async with opened(Settings(), data_dir) as place:
        clock = await service_clock(place)
        connection = await open_connection(place.owned(), None)
        try:
            async with connection.transaction():
                if not await connection.fetchval(sql.keep_positions, tenant_id, days):
                    raise NotFound(
                        f"There is no tenant {tenant_id}; `ecm tenant list` shows those there are."
                    )
                await write_down(
                    connection,
                    tenant_id,
                    "command line",
                    "positions_kept",
                    f"tenant {tenant_id}",
                    clock.now(),
                    facts={"days": days},
                )
        finally:
            await connection.close()
    click.echo(f"tenant {tenant_id} keeps positions for {days} days")
    return {"tenant_id": tenant_id, "positions_kept_days": days}


@tenant.command("list")
@data_option
@json_option
@runs
async def list_(data_dir: Path) -> dict[str, Any]:
    """Show every authority with its number."""
    async with opened(Settings(), data_dir) as place, place.looking() as connection:
        found = [dict(row) for row in await connection.fetch(sql.everybody)]
    for row in found:
        click.echo(f"{row['tenant_id']:>4}  {row['name']:<40} {row['zone']}")
    return {"tenants": found}
