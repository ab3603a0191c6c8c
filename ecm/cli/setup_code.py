"""`ecm setup-code`: the address at which whoever runs this machine makes the first administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecm import setup_codes
from ecm.cli.options import data_option, json_option, runs
from ecm.cli.place import Place, opened
from ecm.settings import Settings


@click.command("setup-code")
@data_option
@json_option
@runs
async def setup_code(data_dir: Path) -> dict[str, Any]:
    """Show the address where the first administrator is made. Good once, for a day."""
    settings = Settings(data_dir=data_dir)
    async with opened(settings, data_dir) as place:
        address = await new_address(place, settings)
    click.echo(f"Set the service up at\n{address}\nwithin {hours()} hours. The code in it is good once.")
    return {"url": address}


async def new_address(place: Place, settings: Settings) -> str:
    """The set-up page with a new code behind its #. Raises Conflict once anybody has ever administered."""
    web = await place.database("ecm_web", 1)
    try:
        code = await setup_codes.new_code(web)
    finally:
        await web.close()
    # By the name localhost, not by its number: browsers make passkeys for names.
    return setup_codes.address(settings.public_url or f"http://localhost:{settings.port}", code)


def hours() -> int:
    return int(setup_codes.LASTS.total_seconds() // 3600)
