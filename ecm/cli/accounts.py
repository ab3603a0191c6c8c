"""`ecm key create` and `ecm account create`: the first keys and people, each secret printed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecm.api.accounts import create_account, create_key
from ecm.cli.leavers import account_leave
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened, service_clock
from ecm.permit import KEY_SCOPES, ROLES
from ecm.settings import Settings


@click.group()
def key() -> None:
    """Keys of systems that send or read."""


@key.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(KEY_SCOPES), default=("ingest",), show_default=True
)
@tenant_option
@data_option
@json_option
@runs
async def create_key_(name: str, scopes: tuple[str, ...], tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Make a key. It is shown once and never again."""
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id) as db:
        clock = await service_clock(place)
        made = await create_key(db, tenant_id, name, list(scopes), clock.now())
    click.echo(f"key for {name} ({', '.join(scopes)}), shown once:\n{made}")
    return {"key": made, "name": name, "scopes": list(scopes)}


@click.group()
def account() -> None:
    """People who sign in."""


@account.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--name", default=None, help="How the person is called on the screen.")
@click.option("--provider", "provider_ref", default=None, help="The provider of a coordinator or manager.")
@tenant_option
@data_option
@json_option
@runs
async def create_account_(
    email: str, role: str, name: str | None, provider_ref: str | None, tenant_id: int, data_dir: Path
) -> dict[str, Any]:
    """Make an account. Its password is shown once and never again."""
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id) as db:
        clock = await service_clock(place)
        password = await create_account(
            db, tenant_id, email, name or email.partition("@")[0], role, provider_ref, clock.now()
        )
    click.echo(f"{email} ({role}), password shown once:\n{password}")
    return {"email": email, "role": role, "password": password}


account.add_command(account_leave)
