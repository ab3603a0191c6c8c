"""`ecm phone`: the one-time code with which a care worker's phone is enrolled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ecm.api.phones import EnrolmentAsked, new_code
from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened
from ecm.errors import NotUnderstood
from ecm.permit import Actor
from ecm.settings import Settings

MADE_BY = "command line"


@click.group()
def phone() -> None:
    """Care workers' phones; `/v1/phones` lists them and cuts them off."""


@phone.command("code")
@click.option("--worker", "care_worker", default=None, help="Whose phone it will be.")
@click.option("--provider", default=None, help="Whose phone to share it will be.")
@tenant_option
@data_option
@json_option
@runs
async def code(
    care_worker: str | None, provider: str | None, tenant_id: int, data_dir: Path
) -> dict[str, Any]:
    """Make a one-time code for one phone, good for two days and shown once."""
    if (care_worker is None) == (provider is None):
        raise NotUnderstood("give --worker, or --provider for a phone to share")
    settings = Settings()
    async with opened(settings, data_dir) as place, place.of_tenant(tenant_id) as db:
        made = await new_code(
            db,
            Actor("system", tenant_id, 0, MADE_BY),
            EnrolmentAsked(care_worker=care_worker, provider=provider),
            settings.public_url or f"http://localhost:{settings.port}",
            datetime.now(UTC),
        )
    click.echo(f"{made.code}\n{made.url}")
    return {"code": made.code, "url": made.url, "expires_at": made.expires_at}
