"""One world for all the cells of a module: each cell leaves it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.doors.service import NO_LOCK, Service, opened
from tests.postgres import TEMPLATE, Cluster


@pytest.fixture(scope="module")
async def service_alone(cluster: Cluster) -> AsyncIterator[Service]:
    """The service before a database that hides no row from anybody."""
    database = cluster.create(TEMPLATE)
    async with opened(database, NO_LOCK) as running:
        yield running
    cluster.drop(database)


@pytest.fixture(scope="module")
async def service(cluster: Cluster) -> AsyncIterator[Service]:
    database = cluster.create(TEMPLATE)
    async with opened(database) as running:
        yield running
    cluster.drop(database)
