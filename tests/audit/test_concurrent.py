"""Everybody writes at once: the chain has no gap, and nobody waits for somebody who waits for them."""

from __future__ import annotations

import asyncio
from random import Random

from ecm.audit.verify import verify
from ecm.audit.writing import write_down
from ecm.store.db import Connection, Database
from ecm.store.embedded import Addresses
from tests.api.conftest import ADAMS_ALERT, ADAMS_VISIT, BAKER_ALERT, BAKER_VISIT, Story
from tests.audit.book import DANA, NOW, erase_about

WRITERS, EACH = 20, 10


async def test_two_hundred_writers_leave_no_gap(database: Addresses, owner: Connection) -> None:
    """On 20 connections; some take theirs back at the last moment, and some are erased meanwhile."""
    web = await Database.connect(database.app, "ecm_web", WRITERS)
    kept = 0

    async def write(writer: int) -> None:
        nonlocal kept
        chance = Random(writer)
        for number in range(EACH):
            async with web.tenant(1) as connection:
                for _ in range(chance.randint(1, 3)):
                    await write_down(connection, 1, DANA, "noted", f"visit {writer}", NOW)
                    kept += 1
                if number == 3:
                    await connection.execute("ROLLBACK; BEGIN")
                    kept -= 1
                    kept_back = await connection.fetchval("SELECT 1")
                    assert kept_back == 1

    async def erase() -> None:
        for _ in range(3):
            await erase_about(web, "account 4")

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(write(writer) for writer in range(WRITERS)), erase())
    finally:
        await web.close()
    verdict = await verify(owner, 1)
    assert verdict.whole, verdict.first_bad
    assert verdict.entries == await owner.fetchval("SELECT count(*) FROM audit WHERE tenant_id = 1")
    assert verdict.entries > WRITERS * EACH / 2


async def test_amendments_and_acknowledgements_at_once_all_have_their_entry(story: Story) -> None:
    """Each holds the board's head, rows of its own and, last of all, the audit's head."""
    dana, eve, cory = (
        await story.signed_in("dana"),
        await story.signed_in("eve"),
        await story.signed_in("cory"),
    )
    note = {"kind": "note", "reason_code": "other", "note": "Seen by the neighbour"}
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(
                dana.post(f"/v1/visits/{visit}/amendments", json=note)
                for visit in (ADAMS_VISIT, BAKER_VISIT) * 6
            ),
            *(
                eve.post(f"/v1/alerts/{alert}/acknowledgement", json={})
                for alert in (ADAMS_ALERT, BAKER_ALERT)
            ),
            *(cory.get(f"/v1/visits/{ADAMS_VISIT}") for _ in range(6)),
            *(cory.delete(f"/v1/alerts/{ADAMS_ALERT}/acknowledgement") for _ in range(3)),
        )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}, [answer.text for answer in answers]
    changed = sum(answer.status_code < 300 and answer.request.method != "GET" for answer in answers)
    async with story.owner.connection() as connection:
        verdict = await verify(connection, 1)
    entries = await story.all("SELECT FROM audit WHERE action <> 'address_read'")
    assert verdict.whole, verdict.first_bad
    assert len(entries) >= 13
    assert len(entries) <= changed
