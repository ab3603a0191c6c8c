"""A migrated database with nobody in it, shared by a module's tests: they only look."""

from collections.abc import Iterator

import pytest

from ecm.store.embedded import Addresses
from tests.postgres import TEMPLATE, Cluster


@pytest.fixture(scope="module")
def migrated(cluster: Cluster) -> Iterator[Addresses]:
    database = cluster.create(TEMPLATE)
    yield database
    cluster.drop(database)
