"""Every night each chain is proved, so that a row somebody touched is known of by the morning.

Held against the heads in ECM_AUDIT_HEADS_FILE too, where this process can read them.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from ecm.audit.chain import Verdict
from ecm.audit.heads import HeadsNotTrusted, read_heads
from ecm.audit.verify import verify
from ecm.clock import Clock
from ecm.notices import Kind, notice_by_worker
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "audit.sql")
log = logging.getLogger(__name__)


class Proving:
    """Proves for a worker. `db` is under the role ecm_worker, `process` the worker's name in its heartbeats."""

    def __init__(self, db: Database, clock: Clock, settings: Settings, process: str) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._process = process

    async def prove(self, now: datetime) -> list[Verdict]:
        """Proves every authority's chain and says which are broken; `now` is real time."""
        outside = await asyncio.to_thread(self._told)
        async with self._db.transaction() as connection:
            tenants = [row["tenant_id"] for row in await connection.fetch(sql.chains)]
        broken = []
        for tenant_id in sorted({*tenants, *outside}):
            async with self._db.transaction() as connection:
                await connection.execute(sql.one_moment)
                verdict = await verify(connection, tenant_id, outside.get(tenant_id))
            if not verdict.whole:
                log.error("the audit of tenant %s is broken, %s", tenant_id, verdict.first_bad)
                broken.append(verdict)
        async with self._db.transaction() as connection:
            for verdict in broken:
                if verdict.tenant_id in tenants:  # heads may speak of one that is gone
                    await notice_by_worker(
                        connection,
                        verdict.tenant_id,
                        Kind.AUDIT_CHAIN_BROKEN,
                        "the audit",
                        self._clock.now(),
                    )
            await connection.execute(sql.proved, self._process, now, len(broken))
        return broken

    def _told(self) -> dict[int, dict[int, bytes]]:
        file = self._settings.audit_heads_file
        if file is None or not file.exists():
            return {}
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
            return read_heads(lines, self._settings.audit_key)
        except (HeadsNotTrusted, OSError) as error:
            log.error("the audit's heads in ECM_AUDIT_HEADS_FILE prove nothing: %s", error)
            return {}
