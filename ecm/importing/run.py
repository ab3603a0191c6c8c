"""One import from beginning to end, in one transaction: stage, reject, write, queue, count; then keep it or not.

A dry run does the same and takes it back, so what it reports is what would happen.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path

from ecm.audit.writing import write_down
from ecm.errors import NotFound
from ecm.importing import merge, stage
from ecm.importing.kinds import KINDS
from ecm.importing.report import ImportReport
from ecm.importing.row import Columns, FileRefused, Format
from ecm.lock import Lock
from ecm.sealing import Sealer
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "importing.sql")

STAGING = files(__package__).joinpath("staging.sql").read_text("utf-8")

_MAY_MATCH_EVIDENCE = frozenset({"service-users", "care-workers", "visits"})


async def run_import(
    db: Database,
    lock: Lock,
    kind: str,
    source: stage.Source,
    *,
    format: Format | None = None,
    dry_run: bool = False,
    skip_rejected: bool = False,
    now: datetime,
    actor: str,
    origin: str | None = None,
    postcodes: Path | None = None,
    sealer: Sealer | None = None,
) -> ImportReport:
    """Imports one file as `actor`, under their `lock`. `db` is of the role ecm_web; `postcodes` names a file of open
    data, and `sealer` seals key-safe codes.

    All or nothing: with any rejection nothing is written, unless `skip_rejected`. A file that cannot be read to
    its end is never written. Raises NotFound for another kind, DatabaseAway, StorageFull.
    """
    if kind not in KINDS:
        raise NotFound(f"There is no import of {kind}; there are {', '.join(KINDS)}.")
    tenant_id, report = lock.tenant_id, ImportReport(dry_run=dry_run)
    try:
        async with db.locked(lock) as connection:
            one = _Import(connection, tenant_id, kind, now, report)
            await one.stage(source, format, postcodes, sealer)
            await one.merge()
            if dry_run or (report.rejected and not skip_rejected):
                raise _TakeBackError
            if report.new or report.updated:
                await write_down(
                    connection, tenant_id, actor, "imported", kind, now, reason=report.summary, origin=origin
                )
    except _TakeBackError:
        pass
    except FileRefused as refused:
        report.reject(refused.row, refused.reason)
        report.refused = True
    else:
        report.written = True
    report.rejections.sort(key=lambda rejection: rejection.row)
    return report


class _TakeBackError(Exception):
    """Everything was done that can be reported; now undo it."""


class _Import:
    def __init__(
        self, connection: Connection, tenant_id: int, kind: str, now: datetime, report: ImportReport
    ) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._name = kind
        self._kind = KINDS[kind]
        self._merge = merge.MERGES[kind]
        self._now = now
        self._report = report

    async def stage(
        self, source: stage.Source, format: Format | None, postcodes: Path | None, sealer: Sealer | None
    ) -> None:
        connection, report = self._connection, self._report
        await connection.execute(STAGING)
        zone = await connection.fetchval(sql.zone, self._tenant_id)
        if zone is None:
            raise NotFound("There is no such tenant.")
        columns = Columns(self._kind.columns, self._kind.required)
        try:
            with stage.opened(source, format, columns) as rows:
                async for batch in stage.batches(self._kind, rows, zone, report):
                    if self._name == "care-workers":
                        await merge.hash_pins(connection, self._tenant_id, batch)
                    if self._name == "service-users":
                        await merge.seal_key_safes(connection, self._tenant_id, batch, sealer)
                    await stage.copy(connection, self._merge.table, batch)
        finally:
            report.unknown_columns = list(columns.unknown)
        if self._name == "service-users" and postcodes is not None:
            await merge.find_postcodes(connection, postcodes, report)

    async def merge(self) -> None:
        connection, report = self._connection, self._report
        await connection.execute(sql.begin, self._tenant_id, timeout=merge.STATEMENT_SECONDS)
        await merge.reject(connection, self._merge, self._tenant_id, report)
        await merge.write(connection, self._merge, self._tenant_id, self._now)
        counts = await connection.fetchrow(sql.counts)
        assert counts is not None
        report.new, report.updated = counts["new"], counts["updated"]
        report.unchanged = report.read - report.rejected - report.new - report.updated
        if self._name == "service-users":
            await merge.remark_on_places(connection, report)
        if counts["assessed"]:
            if self._name in _MAY_MATCH_EVIDENCE:
                await connection.execute(sql.queue_unmatched, self._tenant_id, self._now)
            await connection.execute(sql.wake_processing)
