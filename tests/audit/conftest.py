"""One database a test, as the web and as its owner."""

from collections.abc import AsyncIterator

import pytest

from ecm.store.db import Connection, Database
from ecm.store.embedded import Addresses
from tests.audit.book import as_owner


@pytest.fixture
async def web(database: Addresses) -> AsyncIterator[Database]:
    db = await Database.connect(database.app, "ecm_web", 8)
    yield db
    await db.close()


@pytest.fixture
async def owner(database: Addresses) -> AsyncIterator[Connection]:
    async with as_owner(database.owner) as connection:
        yield connection
