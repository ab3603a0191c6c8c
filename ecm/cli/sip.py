"""`ecm sip`: the telephone, answered by ourselves on a SIP trunk; `ecm sip prompts` makes what it says."""

from __future__ import annotations

import asyncio
import signal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from ecm.cli.options import data_option, json_option, runs
from ecm.cli.place import Place, opened, service_clock
from ecm.clock import Clock
from ecm.doors import Services
from ecm.errors import Conflict
from ecm.settings import Settings
from ingest.door import CheckEventsDoor
from ingest.telephone import prompts
from ingest.telephone.conductor import Conductor
from ingest.telephone.left_open import finishing_left_open
from ingest.telephone.sip import SipDoor, Voice, Where
from ingest.telephone.turn import LANGUAGES

FOLDER = "prompts"


@click.group(invoke_without_command=True)
@click.option("--host", "sip_host", default=None, help="Default 127.0.0.1, or ECM_SIP_HOST.")
@click.option(
    "--port", "sip_port", type=click.IntRange(0, 65535), default=None, help="Default 5060, or ECM_SIP_PORT."
)
@data_option
@json_option
@click.pass_context
def sip(ctx: click.Context, /, **given: Any) -> None:
    """Answer the telephone on a SIP trunk: speak the interview and record what is keyed in."""
    if ctx.invoked_subcommand is None:
        listen(**given)


@sip.command("prompts")
@data_option
@json_option
@runs
async def prompts_(data_dir: Path) -> dict[str, Any]:
    """Make every prompt in every language beforehand, as `ecm sip` otherwise does when it starts."""
    voice = Voice(data_dir / FOLDER)
    made, known = await _prepare(voice)
    return {"made": made, "prompts": known, "folder": str(data_dir / FOLDER)}


@runs
async def listen(sip_host: str | None, sip_port: int | None, data_dir: Path) -> None:
    given: dict[str, Any] = {"sip_host": sip_host, "sip_port": sip_port}
    settings = Settings(
        data_dir=data_dir, **{name: value for name, value in given.items() if value is not None}
    )
    where = place_of(settings)
    voice = Voice(data_dir / FOLDER)
    voice.require()
    async with opened(settings, data_dir) as place:
        await _prepare(voice)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await answer_until(stopped, place, await service_clock(place), settings, where, voice)


async def answer_until(
    stopped: asyncio.Event, place: Place, clock: Clock, settings: Settings, where: Where, voice: Voice
) -> None:
    """Answers the telephone, with databases and a recorder as the web half has them (`ecm.app`)."""
    web_db = await place.database("ecm_web", 8)
    ingest_db = await place.database("ecm_ingest", 4)
    services = Services(web=web_db, clock=clock, settings=settings)
    evidence = CheckEventsDoor(ingest_db, clock, services.sealer)
    conductor = Conductor(web_db, evidence.recorder, clock)
    telephone = SipDoor(where, conductor, voice, clock)
    await evidence.start()
    try:
        try:
            await telephone.start()
        except OSError as error:
            raise Conflict(f"{where.host}, port {where.port} cannot be listened on: {error}") from error
        click.echo(f"answering SIP calls at {where.advertised}:{telephone.port} (UDP)")
        try:
            async with finishing_left_open(ingest_db, conductor):
                await stopped.wait()
        finally:
            await telephone.stop()
    finally:
        await evidence.stop()
        await web_db.close()
        await ingest_db.close()


def place_of(settings: Settings) -> Where:
    """Raises Conflict when the settings do not say who may ring, or where sound is to be sent."""
    if not settings.sip_peers:
        raise Conflict(
            'Nobody may ring: set ECM_SIP_PEERS to the trunk\'s networks, such as ["192.0.2.0/24"].'
        )
    advertised = settings.sip_address or settings.sip_host
    try:
        nowhere = ip_address(advertised).is_unspecified
    except ValueError:
        nowhere = True
    if nowhere:
        raise Conflict("Set ECM_SIP_ADDRESS to our IP address as the trunk sees it.")
    first, last = map(int, settings.sip_rtp_ports.split("-"))
    if not 1024 <= first < last < 65536:
        raise Conflict("ECM_SIP_RTP_PORTS is a range such as 20000-21999.")
    return Where(
        settings.sip_host,
        settings.sip_port,
        advertised,
        first,
        last,
        settings.sip_peers,
        min(settings.sip_at_once, (last - first + 1) // 2),
    )


async def _prepare(voice: Voice) -> tuple[int, int]:
    made, known = await voice.prepare(
        (language, piece) for language in LANGUAGES for piece in sorted(prompts.vocabulary(language))
    )
    click.echo(f"{known} prompts in {len(LANGUAGES)} languages, {made} of them new")
    return made, known
