"""The loop's one step: claim a batch of to-dos, fold the neighbourhoods they touch, write, commit."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from ecm.clock import Clock
from ecm.errors import EcmError
from ecm.processing.batch import Batch
from ecm.processing.claim import claim
from ecm.processing.contracts import Policies
from ecm.processing.reassess import StaleVersion
from ecm.store.db import Database
from ecm.store.queries import load_queries

sql = load_queries(__package__, "processing.sql")
log = logging.getLogger(__name__)


class Processor:
    def __init__(self, db: Database, clock: Clock, *, batch: int = 500) -> None:
        self._db = db
        self._clock = clock
        self._batch = batch
        self._policies = Policies()

    async def step(self) -> int:
        """Does up to a batch of to-dos and returns how many. Raises DatabaseAway."""
        try:
            return await self._attempt(self._batch, [])
        except StaleVersion:
            return 1  # the work is still there; the caller comes again at once
        except EcmError:
            raise
        except Exception:
            log.exception("a batch could not be processed; taking its rows one by one")
            return await self._one_by_one()

    async def _attempt(self, limit: int, claimed: list[int]) -> int:
        now = self._clock.now()
        async with self._db.batch() as connection:
            work = await claim(connection, limit)
            claimed.extend(work.todo_ids)
            if work.todo_ids:
                await Batch(connection, self._policies, now, work).run()
            return len(work.todo_ids)

    async def _one_by_one(self) -> int:
        """Finds the poison row of a failing batch: the others go through, it is put off and reported."""
        done = 0
        for _ in range(self._batch):
            claimed: list[int] = []
            try:
                if not await self._attempt(1, claimed):
                    break
                done += 1
            except (StaleVersion, EcmError):
                raise
            except Exception as error:
                if not claimed:
                    raise
                await self._put_off(claimed[0], error)
        return done

    async def _put_off(self, todo_id: int, error: Exception) -> None:
        async with self._db.transaction() as connection:
            # The kind of error only: its text may hold what a person sent.
            await connection.execute(sql.put_off, todo_id, type(error).__name__, datetime.now(UTC))
