"""One database a test: as the web, as its owner, or with the whole service before it."""

from collections.abc import AsyncIterator

import pytest

from ecm.store.db import Connection, Database
from ecm.store.embedded import Addresses
from tests.api.conftest import Story, story_in
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


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        yield told
