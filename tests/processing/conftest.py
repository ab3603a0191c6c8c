"""The desk of one story, on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ecm.store.embedded import Addresses
from tests.processing.desk import Desk


@pytest.fixture
async def desk(database: Addresses) -> AsyncIterator[Desk]:
    desk = await Desk.open(database)
    yield desk
    await desk.close()
