"""From the staging table to the tables it is about: reject what contradicts, write what differs, queue what follows.

Each kind is a list of named statements in its own `.sql` file, run in this order. All are sets over the whole file.
$1 is the tenant, $2 (where there is one) now.

To-dos are taken by the time since when they may be. What a file leaves to do may be done since 'epoch', all else since
'-infinity': the check-ins of a morning do not stand behind the rota of next month.
"""

from __future__ import annotations

import asyncio
import csv
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ecm.errors import NotUnderstood
from ecm.importing import postcodes
from ecm.importing.kinds import Record
from ecm.importing.pins import hashes_of
from ecm.importing.report import ImportReport
from ecm.sealing import Sealer, key_safe_of
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection
from ecm.store.queries import Queries, load_queries

log = logging.getLogger(__name__)

STATEMENT_SECONDS = 1800.0
"""A million rows take longer than any statement of the service otherwise may."""


@dataclass(frozen=True, slots=True)
class Merge:
    table: str
    sql: Queries
    rejects: tuple[str, ...]
    writes: tuple[str, ...]


MERGES = {
    "providers": Merge(
        "import_providers",
        load_queries(__package__, "providers.sql"),
        ("reject_repeated", "reject_shorn"),
        ("update_known", "add_new"),
    ),
    "contracts": Merge(
        "import_contracts",
        load_queries(__package__, "contracts.sql"),
        ("reject_repeated", "reject_unknown_provider"),
        ("add_rows",),
    ),
    "service-users": Merge(
        "import_service_users",
        load_queries(__package__, "service_users.sql"),
        ("reject_repeated", "reject_shorn"),
        (
            "stage_places",
            "update_known",
            "add_new",
            "put_places",
            "put_phones",
            "put_key_safes",
            "queue_visits",
        ),
    ),
    "care-workers": Merge(
        "import_care_workers",
        load_queries(__package__, "care_workers.sql"),
        ("reject_repeated", "reject_shorn", "reject_unknown_provider"),
        ("update_known", "add_new", "queue_visits"),
    ),
    "visits": Merge(
        "import_visits",
        load_queries(__package__, "visits.sql"),
        (
            "reject_repeated",
            "reject_unknown_person",
            "reject_unknown_provider",
            "reject_unknown_workers",
            "reject_shorn",
        ),
        ("stage_next", "update_known", "add_new", "update_next"),
    ),
}


async def reject(connection: Connection, merge: Merge, tenant_id: int, report: ImportReport) -> None:
    """Takes rows out of the staging table that contradict one another or what is stored."""
    await connection.execute(f"ANALYZE {merge.table}", timeout=STATEMENT_SECONDS)
    for name in merge.rejects:
        statement = getattr(merge.sql, name)
        rows = await connection.fetch(
            statement, *_arguments(statement, tenant_id, None), timeout=STATEMENT_SECONDS
        )
        for row in rows:
            report.reject(row["row_no"], row["reason"])
        if rows:
            report.rejected += rows[0]["many"] - len(rows)


async def write(connection: Connection, merge: Merge, tenant_id: int, now: datetime) -> None:
    """Brings the stored rows to what the staging table says."""
    for name in merge.writes:
        statement = getattr(merge.sql, name)
        await connection.execute(statement, *_arguments(statement, tenant_id, now), timeout=STATEMENT_SECONDS)


async def hash_pins(connection: Connection, tenant_id: int, rows: list[tuple[int, Record]]) -> None:
    """Replaces each record's `pin` by `pin_hash`, in place."""
    pins = {record["ref"]: record["pin"] for _, record in rows if record["pin"]}
    sql = MERGES["care-workers"].sql
    stored = {
        row["ref"]: row["pin_hash"] for row in await connection.fetch(sql.stored_pins, tenant_id, list(pins))
    }
    hashes = await hashes_of(pins, stored)
    for _, record in rows:
        pin = record.pop("pin")
        record["pin_hash"] = hashes[record["ref"]] if pin else None


async def seal_key_safes(
    connection: Connection, tenant_id: int, rows: list[tuple[int, Record]], sealer: Sealer | None
) -> None:
    """Seals each record's `key_safe`, in place. Raises NotUnderstood without a key, AnotherSealingKey."""
    given = [record for _, record in rows if record["key_safe"]]
    if given and sealer is None:
        raise NotUnderstood("key_safe: there is no key here to seal codes with")
    if given and sealer is not None:
        await require_one_key(connection, sealer)
        for record in given:
            belongs_to = key_safe_of(tenant_id, record["ref"])
            record["key_safe"] = sealer.seal_alike(record["key_safe"].encode(), belongs_to)


async def find_postcodes(connection: Connection, file: Path, report: ImportReport) -> None:
    """Stages the middles of postcodes for homes without a position. An unreadable file is a remark, not an error."""
    wanted = await connection.fetch(MERGES["service-users"].sql.postcodes_to_place)
    if not wanted:
        return
    try:
        found = await asyncio.to_thread(postcodes.middles, file, {row["postcode"] for row in wanted})
    except (OSError, ValueError, csv.Error) as error:
        log.warning("the file of postcodes cannot be read: %s", error)
        report.remarks.append("the file of postcodes cannot be read, so no home was placed by its postcode")
        return
    await connection.copy_records_to_table(
        "import_postcodes", columns=["postcode", "lat", "lon"], records=found
    )


async def remark_on_places(connection: Connection, report: ImportReport) -> None:
    row = await connection.fetchrow(MERGES["service-users"].sql.placing)
    assert row is not None
    if row["by_postcode"]:
        report.remarks.append(
            f"{_homes(row['by_postcode'])} placed in the middle of the postcode, with a wide fence"
        )
        report.attribution = postcodes.ATTRIBUTION
    if row["unlocated"]:
        report.remarks.append(
            f"{_homes(row['unlocated'])} unlocated: no check-in there can be compared with a place"
        )


def _homes(many: int) -> str:
    return "1 home is" if many == 1 else f"{many} homes are"


def _arguments(statement: str, tenant_id: int, now: datetime | None) -> list[object]:
    return [value for mark, value in (("$1", tenant_id), ("$2", now)) if mark in statement]
