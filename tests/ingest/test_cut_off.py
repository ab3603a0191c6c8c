"""Cut off at the hot door: a key at once, a care worker who left with a mark, and never a check-in that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from ecm.cuts import Cuts
from ecm.store.db import Database
from ecm.unlocking import Unlocking
from tests.ingest.conftest import NOW, SEALER, Door, event
from tests.ingest.phone import Phone

REVOKED = "UPDATE api_keys SET revoked_at = now() WHERE name = 'gateway'"
LEFT_AT = "2026-03-02T09:30:00Z"
BEFORE, AFTER = "2026-03-02T09:29:59Z", "2026-03-02T09:30:01Z"


@pytest.fixture
async def heard(door: Door) -> AsyncIterator[Door]:
    """The door, which hears of cuts; nothing that it remembers grows old."""
    now = door.app._keys._monotonic()
    door.app._keys._monotonic = lambda: now
    web = await Database.connect(door.addresses.app, "ecm_web", size=1)
    cuts, listening = Cuts(web), asyncio.Event()

    async def began(_: int | None) -> None:
        listening.set()

    cuts.on_cut(began)
    cuts.on_cut(door.app.cut)
    await cuts.start()
    await listening.wait()
    yield door
    await cuts.stop()
    await web.close()


async def test_a_revoked_key_is_refused_because_it_is_heard_and_not_because_time_passed(heard: Door) -> None:
    assert (await heard.post(event())).status_code == 201
    assert (await heard.post(event(), "stranger")).status_code == 201
    await heard.as_owner(REVOKED)
    async with asyncio.timeout(30):
        while (await heard.post(event())).status_code != 401:
            await asyncio.sleep(0.005)
    assert (await heard.post(event(), "stranger")).status_code == 201


async def test_another_tenants_cut_asks_after_no_key_of_ours(heard: Door) -> None:
    assert (await heard.post(event())).status_code == 201
    heard.app._keys.forget(2)
    assert heard.app._keys.remembered(f"Bearer {heard.cast.gateway}".encode()) is not None
    heard.app._keys.forget(None)
    assert heard.app._keys.remembered(f"Bearer {heard.cast.gateway}".encode()) is None


async def test_what_was_asked_before_the_cut_is_not_remembered_after_it(
    heard: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, asked, answered = heard.app._keys, asyncio.Event(), asyncio.Event()
    connection = keys._db.connection

    def slow(*how: Any) -> Any:
        return Slowly(connection(*how), asked, answered)

    monkeypatch.setattr(keys._db, "connection", slow)
    asking = asyncio.create_task(heard.post(event()))
    while not asked.is_set():
        await asyncio.sleep(0.005)
    forgotten = keys._forgotten
    await heard.as_owner(REVOKED)
    async with asyncio.timeout(30):
        while keys._forgotten == forgotten:
            await asyncio.sleep(0.005)
    answered.set()
    await asking
    assert (await heard.post(event())).status_code == 401


class Slowly:
    """A connection that is given back to its user only when `answered`."""

    def __init__(self, inner: Any, asked: asyncio.Event, answered: asyncio.Event) -> None:
        self.inner, self.asked, self.answered = inner, asked, answered

    async def __aenter__(self) -> Any:
        connection, asked, answered = await self.inner.__aenter__(), self.asked, self.answered

        class Answering:
            async def fetchrow(self, *query: Any) -> Any:
                row = await connection.fetchrow(*query)
                asked.set()
                await answered.wait()
                return row

        return Answering()

    async def __aexit__(self, *how: Any) -> None:
        await self.inner.__aexit__(*how)


async def test_the_day_a_key_was_used_is_written_once_a_day(door: Door) -> None:
    asked = "SELECT name, used_at = current_date AS today, xmin FROM api_keys ORDER BY name"
    assert {row["today"] for row in await door.rows(asked)} == {None}
    await door.post(event())
    door.app._keys.forget(None)
    first = await door.rows(asked)
    await door.post(event())
    assert [row["name"] for row in first if row["today"]] == ["gateway"]
    assert await door.rows(asked) == first


# ---------------------------------------------------------------------- a care worker who has left


async def proofs_of(door: Door, event_id: str) -> set[str]:
    [row] = await door.rows("SELECT proofs FROM check_events WHERE event_id = $1", UUID(event_id))
    return set(row["proofs"])


async def leaves(door: Door, worker: str = "CW-104") -> None:
    await door.as_owner(
        f"UPDATE care_workers SET left_at = '{LEFT_AT}', left_by = 'Cora' WHERE ref = '{worker}'"
    )


async def test_a_leavers_ticket_is_worth_nothing_for_what_came_after(door: Door) -> None:
    shared, beth = Phone(), Phone()
    await beth.enrol(door.addresses.owner, worker="CW-104")
    await shared.enrol(door.addresses.owner, worker=None)
    ticket = Unlocking(SEALER).ticket(shared.device_id, "CW-104", NOW)
    await leaves(door)
    before, after = (event(unlock=ticket, occurred_at=at) for at in (BEFORE, AFTER))
    for said in (before, after):
        assert (await door.post(shared.item(said), **shared.headers)).status_code == 201
    assert await proofs_of(door, before["id"]) == {"signed", "shared", "unlocked"}
    assert await proofs_of(door, after["id"]) == {"signed", "shared", "left"}


async def test_a_colleague_who_holds_the_phone_now_is_no_leaver(door: Door) -> None:
    shared, beth = Phone(), Phone()
    await beth.enrol(door.addresses.owner, worker="CW-104")
    await shared.enrol(door.addresses.owner, worker=None)
    await leaves(door)
    carls = event(
        care_worker="CW-105",
        unlock=Unlocking(SEALER).ticket(shared.device_id, "CW-105", NOW),
        occurred_at=AFTER,
    )
    assert (await door.post(shared.item(carls), **shared.headers)).status_code == 201
    assert await proofs_of(door, carls["id"]) == {"signed", "shared", "unlocked"}


async def test_her_own_phone_that_nobody_cut_off_is_taken_and_marked(door: Door) -> None:
    beth = Phone()
    await beth.enrol(door.addresses.owner, worker="CW-104")
    await leaves(door)
    before, after = event(occurred_at=BEFORE), event(care_worker=None, occurred_at=AFTER)
    answer = await door.post([beth.item(before), beth.item(after)], **beth.headers)
    assert [each["status"] for each in answer.json()] == ["created", "created"]
    assert await proofs_of(door, before["id"]) == {"signed"}
    assert await proofs_of(door, after["id"]) == {"signed", "left"}


async def test_who_came_back_is_no_leaver_and_what_was_marked_stays_marked(door: Door) -> None:
    beth = Phone()
    await beth.enrol(door.addresses.owner, worker="CW-104")
    await leaves(door)
    meanwhile, then = event(occurred_at=AFTER), event(occurred_at=AFTER)
    await door.post(beth.item(meanwhile), **beth.headers)
    await door.as_owner("UPDATE care_workers SET left_at = NULL, left_by = NULL")
    await door.post(beth.item(then), **beth.headers)
    assert (await door.post(beth.item(meanwhile), **beth.headers)).status_code == 200
    assert await proofs_of(door, meanwhile["id"]) == {"signed", "left"}
    assert await proofs_of(door, then["id"]) == {"signed"}
