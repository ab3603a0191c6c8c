"""`ecm contact`: who is told of alarms, by which channel, from which severity, and how long after they were raised."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from alerts.channels import CHANNELS
from ecm.audit.writing import write_down
from ecm.authorities import has_provider
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened, service_clock
from ecm.errors import NotFound
from ecm.settings import Settings
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "contacts.sql")

SEVERITIES = ("critical", "warning", "information")


@click.group()
def contact() -> None:
    """Who is told of alarms. Without anyone they show on the board and nowhere else."""


@contact.command("add")
@click.argument("address")
@click.option("--channel", type=click.Choice(sorted(CHANNELS)), default="email", show_default=True)
@click.option("--from", "min_severity", type=click.Choice(SEVERITIES), default="critical", show_default=True)
@click.option(
    "--after", "after_minutes", type=click.IntRange(0, 1440), default=0, show_default=True, help="Minutes."
)
@click.option(
    "--provider", "provider_ref", default=None, help="Only this provider's alarms. Default: everybody's."
)
@click.option("--security", is_flag=True, help="Also of notices: guessing, copied passkeys, a broken audit.")
@tenant_option
@data_option
@json_option
@runs
async def add(
    address: str,
    channel: str,
    min_severity: str,
    after_minutes: int,
    provider_ref: str | None,
    security: bool,
    tenant_id: int,
    data_dir: Path,
) -> dict[str, Any]:
    """Tell ADDRESS, an e-mail address or a webhook's URL, of alarms that are still open after some minutes."""
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        now = (await service_clock(place)).now()
        if provider_ref and not await has_provider(connection, tenant_id, provider_ref):
            raise NotFound(f"There is no provider {provider_ref}.")
        contact_id = await connection.fetchval(
            sql.add, tenant_id, provider_ref, min_severity, channel, address, after_minutes, security
        )
        await _write_down(connection, tenant_id, "contact_added", contact_id, address, now)
    click.echo(
        f"contact {contact_id}: {address} hears of {min_severity} alarms after {after_minutes} min"
        + (", and of security" if security else "")
    )
    return {"contact_id": contact_id}


@contact.command("list")
@tenant_option
@data_option
@json_option
@runs
async def list_(tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Show everybody who is told."""
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        found = [dict(row) for row in await connection.fetch(sql.everybody, tenant_id)]
    for row in found:
        whose = row["provider_ref"] or "every provider"
        click.echo(
            f"{row['contact_id']:>4}  {row['channel']:<8} {row['address']:<40} from {row['min_severity']}"
            f" after {row['after_minutes']} min  ({whose})" + (", security" if row["security"] else "")
        )
    if not found:
        click.echo("nobody is told: alarms show on the board and nowhere else")
    return {"contacts": found}


@contact.command("remove")
@click.argument("contact_id", type=int)
@tenant_option
@data_option
@json_option
@runs
async def remove(contact_id: int, tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Tell this contact no more. Alarms already raised keep their ladder."""
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        now = (await service_clock(place)).now()
        address = await connection.fetchval(sql.remove, tenant_id, contact_id)
        if address is None:
            raise NotFound(f"There is no contact {contact_id}.")
        await _write_down(connection, tenant_id, "contact_removed", contact_id, address, now)
    click.echo(f"contact {contact_id} is told no more")
    return {"removed": contact_id}


async def _write_down(
    connection: Connection, tenant_id: int, action: str, contact_id: int, address: str, now: datetime
) -> None:
    """Whoever quietly took away who is warned would be warned of by nobody."""
    subject = f"contact {contact_id} {address}"
    await write_down(connection, tenant_id, "command line", action, subject, now)
