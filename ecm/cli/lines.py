"""`ecm line`: the telephone numbers people ring and text, and what each is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ecm.cli.options import data_option, json_option, runs, tenant_option
from ecm.cli.place import opened
from ecm.errors import Conflict, NotFound, NotUnderstood
from ecm.importing.fields import phone
from ecm.settings import Settings
from ecm.store.queries import load_queries

sql = load_queries(__package__, "lines.sql")

USES = ("interview", "unanswered", "sms")
LANGUAGES = ("en", "cy", "pl", "ro")


@click.group()
def line() -> None:
    """Telephone numbers that people ring or text to check in and out."""


@line.command("add")
@click.argument("number")
@click.option("--use", type=click.Choice(USES), default="interview", show_default=True)
@click.option("--worker", "care_worker", default=None, help="Whose own number it is, to ring unanswered.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--call-back", is_flag=True, help="Ring the home back, to prove that it is the home.")
@tenant_option
@data_option
@json_option
@runs
async def add(
    number: str,
    use: str,
    care_worker: str | None,
    language: str,
    call_back: bool,
    tenant_id: int,
    data_dir: Path,
) -> dict[str, Any]:
    """Give NUMBER, which the telephone gateway passes on to us, its use. Once more changes language and call-back."""
    e164 = _number(number)
    if (use == "unanswered") != (care_worker is not None):
        raise NotUnderstood("--worker goes with --use unanswered, and only with it")
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        if care_worker and not await connection.fetchval(sql.knows_worker, tenant_id, care_worker):
            raise NotFound(f"There is no care worker {care_worker}.")
        if await connection.fetchval(sql.tenant, e164, use) not in (None, tenant_id):
            raise Conflict(f"{e164} is another authority's.")
        await connection.execute(sql.add, tenant_id, e164, use, care_worker, language, call_back)
        kept = await connection.fetchval(sql.owner, tenant_id, e164, use)
        if kept != care_worker:
            raise Conflict(f"{e164} is the number of care worker {kept}; remove it first.")
    click.echo(f"{e164} is for {use}{f' of {care_worker}' if care_worker else ''}, in {language}")
    return {"number": e164, "use": use}


@line.command("list")
@tenant_option
@data_option
@json_option
@runs
async def list_(tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Show every number and its use."""
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        found = [dict(row) for row in await connection.fetch(sql.all, tenant_id)]
    for row in found:
        of = f" of {row['care_worker_ref']}" if row["care_worker_ref"] else ""
        back = ", rings homes back" if row["call_back"] else ""
        click.echo(f"{row['number']:<16} {row['use']}{of}, in {row['language']}{back}")
    if not found:
        click.echo("no number is ours: nobody can check in by telephone or text")
    return {"lines": found}


@line.command("remove")
@click.argument("number")
@click.option("--use", type=click.Choice(USES), default="interview", show_default=True)
@tenant_option
@data_option
@json_option
@runs
async def remove(number: str, use: str, tenant_id: int, data_dir: Path) -> dict[str, Any]:
    """Answer NUMBER no more for this use."""
    e164 = _number(number)
    async with (
        opened(Settings(), data_dir) as place,
        place.of_tenant(tenant_id) as db,
        db.tenant(tenant_id) as connection,
    ):
        if not await connection.fetchval(sql.remove, tenant_id, e164, use):
            raise NotFound(f"{e164} is not for {use}.")
    click.echo(f"{e164} is for {use} no more")
    return {"removed": e164, "use": use}


def _number(typed: str) -> str:
    try:
        return phone(typed, [])
    except ValueError as error:
        raise NotUnderstood(str(error)) from None
