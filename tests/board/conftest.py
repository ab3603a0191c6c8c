from collections.abc import AsyncIterator

import pytest

from ecm.store.embedded import Addresses
from tests.board.stage import Stage, staged


@pytest.fixture
async def stage(database: Addresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage
