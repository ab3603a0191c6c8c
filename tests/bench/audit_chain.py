"""How many entries a second one authority's audit takes, each a commit of its own, all waiting for the one chain.

Beside it, for whoever doubts the chain: the same rows with no trigger on the table. Check-ins write no entries, so none
of this is on their road; an acknowledgement, an amendment and a first look at an address are.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import asyncpg

from ecm.audit.verify import verify
from ecm.audit.writing import write_down
from ecm.store.db import Database, open_connection
from tests.bench.common import BUSY_MAX, Bench, Figure, busy_with_others

WRITERS = 8
ENTRIES, QUICK_ENTRIES = 4_000, 200
UNCHAINED = "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE audit ALTER actor_ref DROP NOT NULL,"
UNCHAINED += " ALTER subject_ref DROP NOT NULL, ALTER commitment DROP NOT NULL"


async def measure(bench: Bench) -> list[Figure]:
    entries = QUICK_ENTRIES if bench.quick else ENTRIES
    async with bench.database() as addresses:
        busy = await busy_with_others()
        rate, p99_ms = await writing(addresses.app, entries)
        read_s = await proving(addresses.owner, entries)
        await _run(addresses.owner, UNCHAINED)
        bare, bare_p99_ms = await writing(addresses.app, entries)
    return [
        Figure(
            "R18",
            f"audit entries a second of one authority, {WRITERS} writers, each entry committed",
            rate,
            "/s",
            "more",
            goal=300,
            stretch=1000,
            details=f"p99 {p99_ms:.1f} ms; without the chain {bare:,.0f} /s, p99 {bare_p99_ms:.1f} ms;"
            f" {entries:,} rows proved in {read_s:.2f} s; {busy:.0%} busy with others",
            noise=busy > BUSY_MAX,
        )
    ]


async def writing(dsn: str, entries: int) -> tuple[float, float]:
    """Entries a second, and the 99th percentile of one in milliseconds."""
    db = await Database.connect(dsn, "ecm_web", WRITERS)
    took: list[float] = []

    async def write(many: int) -> None:
        for number in range(many):
            began = time.perf_counter()
            async with db.tenant(1) as connection:
                await write_down(
                    connection,
                    1,
                    "account 4 Dana Duty",
                    "alert_acknowledged",
                    f"alert {number}",
                    datetime.now(UTC),
                    origin="192.0.2.7",
                )
            took.append(time.perf_counter() - began)

    try:
        await asyncio.gather(*(write(5) for _ in range(WRITERS)))
        took.clear()
        began = time.perf_counter()
        await asyncio.gather(*(write(entries // WRITERS) for _ in range(WRITERS)))
        return len(took) / (time.perf_counter() - began), 1000 * sorted(took)[int(0.99 * len(took))]
    finally:
        await db.close()


async def proving(dsn: str, entries: int) -> float:
    connection = await open_connection(dsn, None)
    try:
        began = time.perf_counter()
        verdict = await verify(connection, 1)
        assert verdict.whole, verdict.first_bad
        assert verdict.entries >= entries
        return time.perf_counter() - began
    finally:
        await connection.close()


async def _run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
