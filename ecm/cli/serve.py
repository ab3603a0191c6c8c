"""`ecm serve`, its two halves `ecm web` and `ecm worker`, and `ecm tick`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import uvicorn

from ecm import serving
from ecm.app import create_app
from ecm.cli.options import data_option, json_option, runs
from ecm.cli.place import Place, opened, scale_clock, service_clock
from ecm.cli.setup_code import hours, new_address
from ecm.clock import Clock
from ecm.errors import Conflict
from ecm.settings import Settings
from ecm.worker import Worker

STEPS = (
    "processing",
    "overdue",
    "alerts",
    "deliveries",
    "notices",
    "payment-run",
    "audit-heads",
    "audit-proof",
    "retention",
    "positions-reduced",
)

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="Default 8000, or ECM_PORT."
)
host_option = click.option("--host", default=None, help="Default 127.0.0.1, or ECM_HOST.")


class Instant(click.ParamType[datetime]):
    """An RFC 3339 instant, such as 2026-11-23T06:30:00Z."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-11-23T06:30:00Z", param, ctx)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@click.command()
@host_option
@port_option
@data_option
@json_option
@click.option("--from", "starts_at", type=Instant(), help="Give the service a scaled clock that starts here.")
@click.option(
    "--speed", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="How fast it runs."
)
@runs
async def serve(
    host: str | None, port: int | None, data_dir: Path, starts_at: datetime | None, speed: float
) -> None:
    """Run the whole service in one process: web and worker, with an embedded PostgreSQL unless one is named."""
    settings = _settings(host, port, data_dir)
    async with opened(settings, data_dir) as place:
        click.echo(f"ecm is at {address(settings)}")
        sys.stdout.flush()
        clock = await (scale_clock(place, starts_at, speed) if starts_at else service_clock(place))
        await _say_how_to_set_up(place, settings)
        async with working(place, clock, settings):
            await serve_web(place, clock, settings)


@click.command()
@host_option
@port_option
@data_option
@json_option
@runs
async def web(host: str | None, port: int | None, data_dir: Path) -> None:
    """Run the web half: any number of these may run."""
    settings = _settings(host, port, data_dir)
    async with opened(settings, data_dir) as place:
        await serve_web(place, await service_clock(place), settings)


@click.command()
@data_option
@json_option
@runs
async def worker(data_dir: Path) -> None:
    """Run the worker half: any number of these may run."""
    settings = _settings(None, None, data_dir)
    async with opened(settings, data_dir) as place:
        clock = await service_clock(place)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with working(place, clock, settings):
            await stopped.wait()


@click.command()
@click.argument("name", type=click.Choice(STEPS))
@data_option
@json_option
@runs
async def tick(name: str, data_dir: Path) -> dict[str, Any]:
    """Run one scheduled step by hand until it finds nothing more to do."""
    settings = _settings(None, None, data_dir)
    async with opened(settings, data_dir) as place:
        db = await place.database("ecm_worker", 2)
        try:
            step = Worker(db, await service_clock(place), settings).steps()[name]
            steps = 1
            while await step():
                steps += 1
        finally:
            await db.close()
    click.echo(f"{name}: nothing more to do")
    return {"name": name, "steps": steps}


async def _say_how_to_set_up(place: Place, settings: Settings) -> None:
    """On the terminal of whoever started it, and nowhere else: a log that is kept would keep the code."""
    with suppress(Conflict):
        address = await new_address(place, settings)
        click.echo(
            f"Nobody administers this service yet. Set it up within {hours()} hours at\n\n  {address}\n"
        )
        sys.stdout.flush()


@asynccontextmanager
async def working(place: Place, clock: Clock, settings: Settings) -> AsyncIterator[None]:
    """The worker's loops, while the block runs."""
    db = await place.database("ecm_worker", 8)
    task = asyncio.create_task(Worker(db, clock, settings).run())
    task.add_done_callback(_stop_without_it)
    try:
        yield
    finally:
        ended_by_itself = task.done()
        while not task.done():  # a library on the way may have swallowed the first
            task.cancel()
            await asyncio.wait({task}, timeout=1)
        await db.close()
        if ended_by_itself:
            task.result()


def _stop_without_it(task: asyncio.Task[None]) -> None:
    """A process whose loops have ended looks alive and rings no alarm: it stops, so that another is started."""
    if not task.cancelled():
        os.kill(os.getpid(), signal.SIGTERM)


async def serve_web(place: Place, clock: Clock, settings: Settings) -> None:
    """Serves HTTP and sockets until told to stop."""
    app = create_app(
        web_db=await place.database("ecm_web", 8),
        ingest_db=await place.database("ecm_ingest", 4),
        clock=clock,
        settings=settings,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server raises the signal again once it has stopped; ours lets what surrounds it stop in order too.
        signal.signal(number, lambda *_: None)
    await uvicorn.Server(serving.config(app, settings.host, settings.port)).serve()


def address(settings: Settings) -> str:
    """Where people open the service. On this machine by its name: browsers take passkeys there, at no bare number."""
    here = settings.host in ("127.0.0.1", "::1", "localhost")
    return settings.public_url or f"http://{'localhost' if here else settings.host}:{settings.port}"


def _settings(host: str | None, port: int | None, data_dir: Path) -> Settings:
    given: dict[str, Any] = {"host": host, "port": port}
    return Settings(data_dir=data_dir, **{name: value for name, value in given.items() if value is not None})
