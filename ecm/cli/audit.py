"""`ecm audit`: proves that the audit is as it was written, and takes somebody's words out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ecm.audit import verify as verifying
from ecm.audit.chain import Verdict
from ecm.audit.erase import erase as erase_words
from ecm.audit.heads import line_of, read_heads
from ecm.cli.options import Failed, data_option, json_option, runs, tenant_option
from ecm.cli.place import Place, opened, service_clock
from ecm.errors import NotFound, NotUnderstood
from ecm.settings import Settings
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")

one_or_all = click.option(
    "--tenant", "tenant_id", type=int, default=None, help="Whose; everybody's unless given."
)


@click.group()
def audit() -> None:
    """Who did what: proved whole, or its first bad row named."""


@audit.command()
@one_or_all
@click.option(
    "--heads",
    "heads_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Heads that were kept elsewhere, a line each: a chain written anew is found by them alone.",
)
@data_option
@json_option
@runs
async def verify(tenant_id: int | None, heads_file: Path | None, data_dir: Path) -> dict[str, Any]:
    """Work out every link of the audit again. Exit status 1 names the first bad row and what differs."""
    settings = Settings()
    outside = _kept(heads_file, settings)
    async with opened(settings, data_dir) as place, place.looking() as connection:
        verdicts = []
        for tenant in await _tenants(connection, tenant_id, outside):
            async with connection.transaction(isolation="repeatable_read"):
                verdicts.append(await verifying.verify(connection, tenant, outside.get(tenant)))
    for verdict in verdicts:
        click.echo(_said(verdict, len(outside.get(verdict.tenant_id, ()))))
    answer = {"whole": all(verdict.whole for verdict in verdicts), "audits": [_as_json(v) for v in verdicts]}
    if not answer["whole"]:
        raise Failed(answer)
    return answer


@audit.command("export-head")
@one_or_all
@data_option
@json_option
@runs
async def export_head(tenant_id: int | None, data_dir: Path) -> dict[str, Any]:
    """Print where each audit ends, a line each, to be kept where this database's owner cannot write."""
    settings = Settings()
    lines = []
    async with opened(settings, data_dir) as place, place.looking() as connection:
        for tenant in await _tenants(connection, tenant_id, ()):
            head = await verifying.head_of(connection, tenant)
            if head is not None:
                lines.append(line_of(tenant, head, datetime.now(UTC), settings.audit_key))
    click.echo("\n".join(lines))
    return {"heads": lines}


@audit.command()
@click.argument("person", required=False)
@click.option("--entry", "seq", type=click.IntRange(min=1), help="One entry alone, by its seq.")
@click.option("--reason", required=True, help="Why; it is written down.")
@tenant_option
@data_option
@json_option
@runs
async def erase(
    person: str | None, seq: int | None, reason: str, tenant_id: int, data_dir: Path
) -> dict[str, Any]:
    """Erase the words of every entry by or about PERSON: "account 7", "care worker CW-1", "service user SU-1".

    Names, reasons, addresses and browsers go for ever; what was done, when, and by which number stays, and the audit
    stays whole.
    """
    if (person is None) == (seq is None):
        raise NotUnderstood("give a PERSON, or --entry for one entry alone")
    about = person or f"entry {seq}"
    async with opened(Settings(), data_dir) as place, place.of_tenant(tenant_id) as db:
        now = await _now(place)
        async with db.tenant(tenant_id) as connection:
            erased = await erase_words(
                connection, tenant_id, about, by="command line", reason=reason, now=now, place=seq
            )
    if not erased:
        raise NotFound(f"No entry by or about {about} has words left to erase.")
    click.echo(f"{about}: the words of {len(erased)} entries are erased")
    return {"erased": erased}


def _kept(heads_file: Path | None, settings: Settings) -> dict[int, dict[int, bytes]]:
    if heads_file is None:
        return {}
    return read_heads(heads_file.read_text("utf-8", "replace").splitlines(), settings.audit_key)


async def _tenants(connection: Connection, only: int | None, also: Any) -> list[int]:
    known = {row["tenant_id"] for row in await connection.fetch(sql.tenants)}
    if only is not None and only not in known:
        raise NotFound(f"There is no tenant {only}; `ecm tenant list` shows those there are.")
    return sorted({only} if only is not None else known | set(also))


async def _now(place: Place) -> datetime:
    return (await service_clock(place)).now()


def _said(verdict: Verdict, heads: int) -> str:
    outside = f", and as {heads} heads kept elsewhere say" if heads else ""
    if verdict.whole:
        return f"tenant {verdict.tenant_id}: whole, {verdict.entries} entries{outside}"
    return f"tenant {verdict.tenant_id}: BAD, {verdict.first_bad}"


def _as_json(verdict: Verdict) -> dict[str, Any]:
    bad = verdict.first_bad
    return {
        "tenant": verdict.tenant_id,
        "whole": verdict.whole,
        "entries": verdict.entries,
        "first_bad": None if bad is None else {"seq": bad.seq, "id": bad.audit_id, "says": bad.says},
    }
