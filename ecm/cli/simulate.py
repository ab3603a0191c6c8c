"""`ecm simulate`: a made-up borough's day against a running service, and what the service made of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import httpx

from ecm.api.accounts import create_key
from ecm.cli.options import Failed, data_option, json_option, runs
from ecm.cli.place import opened, service_clock
from ecm.settings import Settings
from ecm.simulator import SCENARIOS, ImportRefusedError, NotReadableError, Progress
from ecm.simulator import simulate as play


@click.command()
@click.option("--url", required=True, help="The running service.")
@click.option("--people", type=click.IntRange(min=1), default=2500, show_default=True)
@click.option("--providers", type=click.IntRange(min=1), default=25, show_default=True)
@click.option("--speed", type=float, default=None, help="Checked against the service's own clock, if given.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--scenario", type=click.Choice(sorted(SCENARIOS)), default="normal", show_default=True)
@click.option(
    "--key", envvar="ECM_KEY", help="With scopes ingest, read and import. Without: one is made with --data."
)
@data_option
@json_option
@runs
async def simulate(
    url: str,
    people: int,
    providers: int,
    speed: float | None,
    seed: int,
    scenario: str,
    key: str | None,
    data_dir: Path,
) -> dict[str, Any]:
    """Play care workers against a running service through its real doors, then compare what it made of them."""
    try:
        report = await play(
            url,
            key or await _made_key(data_dir),
            people=people,
            providers=providers,
            speed=speed,
            seed=seed,
            scenario=scenario,
            progress=_show if sys.stderr.isatty() else lambda _: None,
        )
    except (TimeoutError, ValueError, ImportRefusedError, NotReadableError, httpx.HTTPError) as error:
        raise click.ClickException(str(error) or type(error).__name__) from error
    click.echo(report.table())
    if not report.passed:
        raise Failed(report.as_json())
    return report.as_json()


async def _made_key(data_dir: Path) -> str:
    async with opened(Settings(), data_dir) as place:
        clock = await service_clock(place)
        db = await place.database("ecm_web", 1)
        try:
            return await create_key(db, 1, "simulator", ["ingest", "read", "import"], clock.now())
        finally:
            await db.close()


def _show(progress: Progress) -> None:
    at = f"{progress.now:%H:%M} UTC  " if progress.now else ""
    line = f"{at}{progress.doing}  {progress.acknowledged}/{progress.events} events {progress.trouble}"
    click.echo(f"\r\033[K{line[:110]}", err=True, nl=False)
