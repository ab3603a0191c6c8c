"""`ecm demo`: an embedded PostgreSQL, a made-up borough, and a day that moves on the board."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from ecm.api.accounts import create_account, create_key
from ecm.cli.options import data_option, json_option, runs
from ecm.cli.place import Place, opened, scale_clock
from ecm.cli.serve import address, serve_web, working
from ecm.errors import Conflict
from ecm.settings import Settings
from ecm.simulator import pretty_start
from ecm.store.db import open_connection
from ecm.store.queries import load_queries

sql = load_queries("ecm.cli", "demo.sql")

CAST = (
    ("duty@demo.example", "S. Okafor", "duty_officer", "the live board, visits, exceptions"),
    ("finance@demo.example", "P. Raman", "finance", "actuals"),
    ("admin@demo.example", "A. Morgan", "administrator", "everything but moving visits and money"),
)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--speed", type=click.FloatRange(1, 3600), default=60, show_default=True, help="Clock, times real."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another seed is another borough and day."
)
@data_option
@json_option
@runs
async def demo(port: int, speed: float, seed: int, data_dir: Path) -> None:
    """Show a made-up borough's day on the board. Nothing in it is real; each start begins afresh."""
    home = data_dir / "demo"
    settings = Settings(data_dir=home, port=port, database_url=None, app_database_url=None)
    _say("starting PostgreSQL")
    async with opened(settings, home, migrated=False) as place:
        await _begin_afresh(place)
    async with opened(settings, home) as place:
        clock = await scale_clock(place, pretty_start(datetime.now(UTC).date()), speed)
        key, people = await _cast(place, clock.now())
        async with working(place, clock, settings):
            serving = asyncio.create_task(serve_web(place, clock, settings))
            playing = await _player(f"http://{settings.host}:{port}", key, seed)
            _introduce(settings, speed, people)
            try:
                await serving
            finally:
                with suppress(ProcessLookupError):
                    playing.terminate()
                await playing.wait()


async def _begin_afresh(place: Place) -> None:
    """Empties a former demonstration. Refuses a database that is not one. Raises Conflict."""
    connection = await open_connection(place.owned(), None)
    try:
        if not await connection.fetchval(sql.has_schema):
            return
        if not await connection.fetchval(sql.is_demonstration):
            raise Conflict(
                "That folder holds a real service's data; a demonstration begins afresh each time."
            )
        await connection.execute(sql.empty)
    finally:
        await connection.close()


async def _cast(place: Place, now: datetime) -> tuple[str, list[tuple[str, str, str]]]:
    """The simulator's key, and (email, password, what it shows) of everyone who may sign in."""
    db = await place.database("ecm_web", 1)
    try:
        key = await create_key(db, 1, "simulator", ["ingest", "read", "import"], now)
        people = [
            (email, await create_account(db, 1, email, name, role, None, now), shows)
            for email, name, role, shows in CAST
        ]
    finally:
        await db.close()
    return key, people


async def _player(url: str, key: str, seed: int) -> asyncio.subprocess.Process:
    """The care workers, in a process of their own: they use nothing but the service's doors."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ecm.cli.demo_player", url, str(seed), env={**os.environ, "ECM_KEY": key}
    )


def _introduce(settings: Settings, speed: float, people: list[tuple[str, str, str]]) -> None:
    lines = "\n".join(f"    {email:<24} {password:<28} {shows}" for email, password, shows in people)
    _say(
        f"""
  The board:   {address(settings)}/board      (clock x{speed:g}; Ctrl-C ends it)

  Sign in as
{lines}

  Care workers are setting out; the first check-ins arrive within seconds.
"""
    )


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()
