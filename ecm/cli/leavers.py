"""`ecm account leave` and `ecm worker-left`: somebody has left, and no page is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecm.api.leavers import Departure, account_left, worker_left
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened, service_clock
from ecm.permit import Actor
from ecm.settings import Settings

MADE_BY = "command line"

reason_option = click.option("--reason", default="left", show_default=True, help="For the audit.")


@click.command("leave")
@click.argument("email")
@reason_option
@tenant_option
@data_option
@json_option
@runs
async def account_leave(email: str, reason: str, tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Somebody who signs in has left: end everything they hold, at once."""
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id) as db:
        now = (await service_clock(place)).now()
        departure = await account_left(db, _ourselves(tenant_id), email, reason, now)
    return _told(email, departure)


@click.command("worker-left")
@click.argument("ref")
@reason_option
@tenant_option
@data_option
@json_option
@runs
async def worker_left_(ref: str, reason: str, tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """A care worker has left: end everything they hold, at once; what they record is kept and marked."""
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id) as db:
        now = (await service_clock(place)).now()
        departure = await worker_left(db, _ourselves(tenant_id), ref, reason, now)
    return _told(ref, departure)


def _ourselves(tenant_id: int) -> Actor:
    return Actor("system", tenant_id, 0, MADE_BY)


def _told(who: str, departure: Departure) -> dict[str, Any]:
    click.echo(
        f"{who} has left: {departure.sessions_ended} sessions and {departure.enrolments_ended} codes ended,"
        f" {departure.phones_cut} phones cut off, {departure.passkeys_revoked} passkeys revoked"
    )
    for key in departure.keys_to_look_at:
        click.echo(f"they may know the key {key.id}, {key.name}: revoke it if so")
    return {"who": who, **departure.model_dump()}
