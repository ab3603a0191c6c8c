"""The service with the world behind it, asked one cell at a time, each in the same world."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx

from ecm.app import Application, create_app
from ecm.clock import ManualClock
from ecm.doors import Services
from ecm.settings import Settings
from ecm.store.db import Database, open_connection
from ecm.store.embedded import Addresses
from tests.doors import askers, changes
from tests.doors.askers import Proofs
from tests.doors.asking import ORIGIN, Cell, Happened, answer, question
from tests.doors.changes import Change
from tests.doors.operations import Operation
from tests.doors.row import Row
from tests.doors.world import NOW, SEALING_KEY, world
from tests.frameworks import a_framework

# Every row is there for every role: what then stays in, the application's own checks keep in.
NO_LOCK = """
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;
"""


@dataclass
class Service:
    """The running service. `ask` leaves no trace of itself."""

    app: Application
    web: Database
    owner: Database
    proofs: Proofs
    client: httpx.AsyncClient
    lines: list[str] = field(default_factory=list)

    async def ask(self, operation: Operation, row: Row, cell: Cell) -> Happened:
        asked = question(operation, row, cell, self.proofs)
        self.forget_tries()
        self.lines.clear()
        response = await self.client.request(
            asked.method, ORIGIN + asked.path, headers=asked.headers, content=asked.content
        )
        got = answer(response)
        return Happened(asked, got, await self.taken_back(), "\n".join(self.lines))

    async def taken_back(self) -> list[Change]:
        async with self.owner.connection() as connection:
            return await changes.taken_back(connection)

    def forget_tries(self) -> None:
        """Who tries as often as a matrix would have to wait."""
        door: Services = self.app.fastapi.state.services
        door.throttle.__init__()  # type: ignore[misc]


@asynccontextmanager
async def opened(database: Addresses, *statements: str) -> AsyncIterator[Service]:
    """The world in an empty migrated database, and the service before it. `statements`: what else is done to it."""
    connection = await open_connection(database.owner, None)
    try:
        await connection.execute(world())
        proofs = await askers.make(connection)
        await connection.execute(changes.INSTALL)
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
    web = await Database.connect(database.app, role="ecm_web", size=4)
    owner = await Database.connect(database.owner, role=None, size=1)
    ingest = await Database.connect(database.app, role="ecm_ingest", size=2)
    settings = Settings(sealing_key=SEALING_KEY, telephone_auth_token="made-up", public_url=ORIGIN)
    with a_framework() as fastapi, listening() as lines:
        app = create_app(
            web_db=web, ingest_db=ingest, clock=ManualClock(NOW), settings=settings, fastapi=fastapi
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with fastapi.state.running(), httpx.AsyncClient(transport=transport) as client:
            try:
                yield Service(app, web, owner, proofs, client, lines)
            finally:
                await owner.close()


@contextmanager
def listening() -> Iterator[list[str]]:
    """Every line that anything logs, with its exception in full."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root = logging.getLogger()
    handler, before = Keeping(), root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    asking = logging.getLogger("httpx")  # what the asker's side says of itself
    asking.setLevel(logging.WARNING)
    try:
        yield lines
    finally:
        asking.setLevel(logging.NOTSET)
        root.setLevel(before)
        root.removeHandler(handler)
