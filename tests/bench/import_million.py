"""A million planned visits in one file: how long, and in how much memory.

    python -m tests.bench.import_million [ROWS]

Times the first import, the same file again, and a copy whose last row is broken. Memory is this process's peak
(the reader's and the driver's), PostgreSQL runs beside it with its own settings, fsync on.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ecm.importing import ImportReport, run_import
from ecm.lock import system
from ecm.store.db import Database
from ecm.store.embedded import EmbeddedPostgres
from ecm.store.migrate import migrate
from tests.postgres import server_folder

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PEOPLE, WORKERS, ROUNDS_A_DAY = 2500, 800, 4


async def main(rows: int) -> None:
    with server_folder() as folder, tempfile.TemporaryDirectory() as files:
        server = EmbeddedPostgres(folder)
        addresses = server.start()
        try:
            await migrate(addresses.owner)
            db = await Database.connect(addresses.app, "ecm_web", size=2)
            try:
                await measure(db, write_visits(Path(files), rows), rows)
            finally:
                await db.close()
        finally:
            server.stop()


async def measure(db: Database, file: Path, rows: int) -> None:
    async def bring(kind: str, source: Path | bytes) -> tuple[ImportReport, float]:
        began = time.perf_counter()
        report = await run_import(db, system(1), kind, source, now=NOW, actor="bench")
        return report, time.perf_counter() - began

    await bring("providers", b"ref,name\nALPHA,Alpha Care\n")
    people = "ref,name\n" + "".join(f"P{n},Person {n}\n" for n in range(PEOPLE))
    await bring("service-users", people.encode())
    workers = "ref,name,provider_ref,pin\n" + "".join(f"C{n},W {n},ALPHA,{n:04}\n" for n in range(WORKERS))
    _, pin_seconds = await bring("care-workers", workers.encode())
    print(f"{WORKERS} care workers with PINs: {pin_seconds:.1f} s")

    before_mib = peak_mib()
    print(f"{rows:,} visits, {file.stat().st_size / 2**20:.0f} MiB; this process so far {before_mib:.0f} MiB")
    for story in ("new", "the same again"):
        report, seconds = await bring("visits", file)
        print(f"{story}: {report.summary}: {seconds:.0f} s, peak {peak_mib():.0f} MiB")
    with file.open("ab") as end:
        end.write(b"V,P1,ALPHA,2026-01-01,09:00,09:30,C\x92,30\n")
    report, seconds = await bring("visits", file)
    print(f"a bad last row: {report.rejections[0]}: {seconds:.0f} s, peak {peak_mib():.0f} MiB")


def write_visits(folder: Path, rows: int) -> Path:
    file = folder / "visits.csv"
    with file.open("w") as out:
        out.write("ref,service_user_ref,provider_ref,date,start,end,care_worker_refs,commissioned_minutes\n")
        for n in range(rows):
            day, of_day = divmod(n, PEOPLE * ROUNDS_A_DAY)
            hour = 7 + 4 * (of_day // PEOPLE)
            on = date(2026, 1, 1) + timedelta(days=day)
            who = of_day % PEOPLE
            out.write(f"V{n},P{who},ALPHA,{on},{hour:02}:00,{hour:02}:30,C{who % WORKERS},30\n")
    return file


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
