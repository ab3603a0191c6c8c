"""`ecm doctor`: says what is wrong and how to mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ecm.audit.export import how_it_is
from ecm.cli.options import Failed, data_option, json_option, runs
from ecm.cli.place import Place, opened, service_clock
from ecm.settings import Settings
from ecm.store.queries import load_queries

sql = load_queries(__package__, "doctor.sql")

CLOCK_SKEW_SECONDS = 2
WORKER_SILENT_SECONDS = 30
BACKLOG_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    well: bool
    found: str
    mend: str = ""


@click.command()
@data_option
@json_option
@runs
async def doctor(data_dir: Path) -> dict[str, Any]:
    """Check database, migrations, worker, clocks, backlog and the audit's heads."""
    settings = Settings()
    async with opened(settings, data_dir, migrated=False) as place:
        checks = await examine(place, settings)
    for check in checks:
        click.echo(f"{'ok  ' if check.well else 'BAD '} {check.name:<12} {check.found}")
        if not check.well:
            click.echo(f"     {'':<12} {check.mend}")
    answer = {"well": all(check.well for check in checks), "checks": [asdict(check) for check in checks]}
    if not answer["well"]:
        raise Failed(answer)
    return answer


async def examine(place: Place, settings: Settings) -> list[Check]:
    """Every check that can be made; later ones need the earlier ones to be well."""
    waiting = await place.pending()
    migrations = Check("migrations", not waiting, _list(waiting) or "up to date", "Run `ecm migrate`.")
    if waiting:
        return [Check("database", True, "answers"), migrations]
    async with place.looking() as connection:
        checks = [Check("database", True, await connection.fetchval(sql.version)), migrations]
        clock = await service_clock(place)
        facts = await connection.fetchrow(sql.facts, datetime.now(UTC), clock.now())
        assert facts is not None
    audit = how_it_is(settings, facts["heads_told_s"], facts["audit_broken"])
    skew, silent, backlog = facts["skew_s"], facts["worker_silent_s"], facts["backlog_s"]
    return [
        *checks,
        Check(
            "clocks",
            abs(skew) < CLOCK_SKEW_SECONDS,
            f"the database's differs by {skew:.1f} s"
            + ("" if clock.speed == 1 else f"; scaled x{clock.speed:g}"),
            "Let both machines follow the same time server.",
        ),
        Check(
            "worker",
            silent is not None and silent < WORKER_SILENT_SECONDS,
            "never heard of" if silent is None else f"last heard {silent:.0f} s ago",
            "Run `ecm serve` or `ecm worker`; without one nobody is told of a missed visit.",
        ),
        Check(
            "backlog",
            backlog < BACKLOG_SECONDS,
            f"{facts['waiting']} waiting, the oldest for {backlog:.0f} s",
            "Is a worker running and keeping up? Run another `ecm worker`.",
        ),
        Check(
            "put off",
            facts["poison"] == 0,
            f"{facts['poison']} rows could not be processed",
            "See the worker's log for the cause; they are tried again by themselves.",
        ),
        Check("alarms", True, _told(facts["contacts"])),
        Check(
            "audit",
            audit.ok,
            audit.says,
            "Run `ecm audit verify`. Can the worker write ECM_AUDIT_HEADS_FILE, and reach ECM_AUDIT_HEADS_URL?",
        ),
    ]


def _told(contacts: int) -> str:
    """A board without contacts is a choice, and not a fault; it had better be a deliberate one."""
    return (
        f"{contacts} contacts are told"
        if contacts
        else "shown on the board only; tell people by `ecm contact add`"
    )


def _list(names: list[str]) -> str:
    return ", ".join(names)
