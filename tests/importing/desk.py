"""The cast as files, and a desk to import them at.

Alpha Care looks after Ms Adams (P1) and Mr Brown (0002, his number begins with zeros); Beta Care looks after
nobody yet. Carol and Dora work for Alpha. It is eight o'clock on Monday 23 November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecm.importing import ImportReport, run_import
from ecm.importing.stage import Source
from ecm.lock import system
from ecm.store.db import Database, Record

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

PROVIDERS = "ref,name,phone\nALPHA,Alpha Care,0113 496 0001\nBETA,Beta Care,\n"
CONTRACTS: list[dict[str, Any]] = [
    {
        "ref": "FRAMEWORK",
        "provider_ref": "ALPHA",
        "service": "*",
        "valid_from": "2026-04-01",
        "rules": {"tolerances": {"late_after_minutes": 10}, "payment": {"rate_pence_per_hour": 2100}},
    }
]
SERVICE_USERS = (
    "ref,name,address,postcode,lat,lon,phones,carers_required\n"
    'P1,Ms Adams,"1 Madeup Lane\nExampleton",ZZ1 1AA,53.8,-1.5,0113 496 0101;0113 496 0102,1\n'
    "0002,Mr Brown,2 Madeup Lane,ZZ1 2BB,53.9,-1.6,,2\n"
)
CARE_WORKERS = "ref,name,provider_ref,phone,pin\nC1,Carol,ALPHA,07700 900101,0042\nC2,Dora,ALPHA,,1234\n"
VISIT_COLUMNS = (
    "ref,service_user_ref,provider_ref,date,start,end,care_worker_refs,commissioned_minutes,cancelled"
)
VISITS = (
    f"{VISIT_COLUMNS}\n"
    "V1,P1,ALPHA,2026-11-23,09:00,09:30,C1,30,\n"
    "V2,P1,ALPHA,23/11/2026,12:00,12:15,C1,15,\n"
    "V3,0002,ALPHA,2026-11-23,22:00,07:00,C1;C2,,no\n"
)
CAST: dict[str, Any] = {
    "providers": PROVIDERS,
    "contracts": CONTRACTS,
    "service-users": SERVICE_USERS,
    "care-workers": CARE_WORKERS,
    "visits": VISITS,
}


@dataclass(frozen=True)
class Desk:
    """Where files come in. `db` is what the service uses, `owner` sees everything."""

    db: Database
    owner: Database

    async def bring(self, kind: str, source: Source | str, **how: Any) -> ImportReport:
        """Imports text as UTF-8, anything else as it is."""
        content = source.encode() if isinstance(source, str) else source
        settings: dict[str, Any] = {"now": NOW, "actor": "Ada"} | how
        return await run_import(self.db, system(1), kind, content, **settings)

    async def bring_cast(self) -> dict[str, ImportReport]:
        return {kind: await self.bring(kind, source) for kind, source in CAST.items()}

    async def rows(self, query: str, *values: object) -> list[Record]:
        async with self.owner.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def value(self, query: str, *values: object) -> Any:
        return (await self.rows(query, *values))[0][0]

    async def work_off_to_dos(self) -> list[str]:
        """The visits (by reference) and events that wait to be looked at, once each, and no longer."""
        found = await self.rows("""
            WITH done AS (DELETE FROM processing_queue RETURNING visit_id, event_id)
            SELECT DISTINCT coalesce(v.ref, 'event ' || right(d.event_id::text, 1)) AS what
            FROM done d LEFT JOIN visits v USING (visit_id) ORDER BY 1""")
        return [row["what"] for row in found]

    async def everything(self) -> list[str]:
        """All that an import may change, to compare before and after."""
        found = []
        for table in (
            *("providers", "contracts", "service_users", "places", "service_user_phones"),
            *("care_workers", "visits", "processing_queue", "audit"),
        ):
            found += [
                f"{table} {row[0]}" for row in await self.rows(f"SELECT t::text FROM {table} t ORDER BY 1")
            ]
        return found


def said(report: ImportReport) -> list[str]:
    """The rejections as `row: reason`."""
    return [f"{rejection.row}: {rejection.reason}" for rejection in report.rejections]


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.read, report.new, report.updated, report.unchanged, report.rejected
