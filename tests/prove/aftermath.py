"""After a day: the service is ended, its worker's steps finish what is to be done, and everything is folded again."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from alerts.worker import AlertWorker
from ecm.clock import ManualClock
from ecm.overdue import Watcher
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.prove.folded import Folded
from tests.prove.refold import refold
from tests.prove.service import DOWN_SECONDS, Service


def fold_again(service: Service) -> Folded:
    """Ends the service, lets what was left to do be done, and folds everything again."""
    said = service.wait_until_up()
    service.end()
    # A moment later than all the service did: its clock went on while it was ending.
    now = datetime.fromisoformat(said["now"]) + timedelta(seconds=DOWN_SECONDS) * said["speed"]

    async def settled(addresses: Addresses) -> Folded:
        await settle(addresses.app, now)
        owner = await Database.connect(addresses.owner, None, 1)
        try:
            return await refold(owner, now)
        finally:
            await owner.close()

    with service.database() as addresses:
        return asyncio.run(settled(addresses))


async def settle(app_dsn: str, now: datetime) -> None:
    """Lets the worker's steps finish what is to be done by `now`. What was lost is not found again by this."""
    db, clock = await Database.connect(app_dsn, "ecm_worker", 2), ManualClock(now)
    processor, watcher, alerts = Processor(db, clock), Watcher(db, clock), AlertWorker(db, clock)
    try:
        while await processor.step() or await watcher.step() or await alerts.step():
            pass
    finally:
        await db.close()
