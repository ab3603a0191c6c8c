from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.importing.desk import Desk
from tests.postgres import TEMPLATE, Cluster


@pytest.fixture
async def desk(database: Addresses) -> AsyncIterator[Desk]:
    """A desk in an empty borough."""
    async with desk_at(database) as desk:
        yield desk


@pytest.fixture
async def staffed(desk: Desk) -> Desk:
    """A desk where the whole cast is known and every to-do is done."""
    await bring_in_the_cast(desk)
    return desk


@pytest.fixture(scope="module")
async def shared(cluster: Cluster) -> AsyncIterator[Desk]:
    """One staffed desk for all the stories of a module in which nothing may change."""
    database = cluster.create(TEMPLATE)
    async with desk_at(database) as desk:
        await bring_in_the_cast(desk)
        yield desk
    cluster.drop(database)


@asynccontextmanager
async def desk_at(database: Addresses) -> AsyncIterator[Desk]:
    db = await Database.connect(database.app, "ecm_web", size=2)
    owner = await Database.connect(database.owner, None, size=1)
    try:
        yield Desk(db, owner)
    finally:
        await db.close()
        await owner.close()


async def bring_in_the_cast(desk: Desk) -> None:
    for kind, report in (await desk.bring_cast()).items():
        assert report.written, f"{kind}: {report.as_text()}"
    await desk.work_off_to_dos()
