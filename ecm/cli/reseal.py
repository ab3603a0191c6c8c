"""`ecm reseal`: after the sealing key was changed, everything that was sealed with an old one is sealed with the new.

Its table names every column that holds something sealed, and what each is bound to (`ecm.sealing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ecm import ntag424, rotating_code
from ecm.api.council_visit import secret_of
from ecm.audit.writing import write_down
from ecm.cli.options import Failed, data_option, json_option, runs
from ecm.cli.place import opened
from ecm.identity import second_step
from ecm.sealing import Sealer, Unsealable, key_safe_of, sealer
from ecm.settings import Settings
from ecm.store.db import Connection, open_connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "reseal.sql")


@dataclass(frozen=True, slots=True)
class Kept:
    """Named statements answer `tenant_id, ref, bound, sealed` and take `tenant_id, ref, anew, sealed`."""

    column: str
    every: str
    put: str
    belongs_to: Callable[[int, str], str]
    alike: bool = False


def of_account(tenant_id: int, account_id: str) -> str:
    return second_step.belongs_to(tenant_id, int(account_id))


def of_council(tenant_id: int, _: str) -> str:
    return secret_of(tenant_id)


KEPT = (
    Kept("tags.sealed_keys", sql.tags, sql.put_tag, ntag424.belongs_to),
    Kept("code_cards.sealed_secret", sql.code_cards, sql.put_code_card, rotating_code.belongs_to),
    Kept("second_steps.sealed_secret", sql.second_steps, sql.put_second_step, of_account),
    Kept("oidc_providers.sealed_client_secret", sql.oidc_providers, sql.put_oidc_provider, of_council),
    Kept("service_users.sealed_key_safe", sql.key_safes, sql.put_key_safe, key_safe_of, alike=True),
)


@click.command()
@data_option
@json_option
@runs
async def reseal(data_dir: Path) -> dict[str, Any]:
    """Seal again what was sealed with an old key. Run it once every process has the new key, and the old as old."""
    settings = Settings()
    seals = sealer(settings.sealing_key, data_dir, settings.sealing_keys_old)
    async with opened(settings, data_dir) as place:
        connection = await open_connection(place.owned(), None)
        try:
            async with connection.transaction():
                anew, lost = await reseal_all(connection, seals)
        finally:
            await connection.close()
    click.echo(f"sealed anew: {anew}; with no key that is known: {len(lost)}")
    for each in lost:
        click.echo(f"  {each}")
    answer = {"sealed_anew": anew, "lost": lost}
    if lost:
        raise Failed(answer)
    return answer


async def reseal_all(connection: Connection, seals: Sealer) -> tuple[int, list[str]]:
    """How many were sealed anew, and which no key opens: those stay as they are. From now on this key seals."""
    anew, lost = 0, []
    tenants: Counter[int] = Counter()
    for kept in KEPT:
        for row in await connection.fetch(kept.every):
            if seals.is_current(row["sealed"]):
                continue
            belongs_to = kept.belongs_to(row["tenant_id"], row["bound"])
            try:
                secret = seals.open(row["sealed"], belongs_to)
            except Unsealable:
                lost.append(f"{kept.column} of {row['ref']}, tenant {row['tenant_id']}")
                continue
            sealed = (seals.seal_alike if kept.alike else seals.seal)(secret, belongs_to)
            await connection.execute(kept.put, row["tenant_id"], row["ref"], sealed, row["sealed"])
            anew += 1
            tenants[row["tenant_id"]] += 1
    now = datetime.now(UTC)
    for tenant_id, many in sorted(tenants.items()):
        subject, facts = f"tenant {tenant_id}", {"secrets": many}
        await write_down(connection, tenant_id, "command line", "secrets_resealed", subject, now, facts=facts)
    await connection.execute(sql.this_key_seals, seals.fingerprint, now)
    return anew, lost
