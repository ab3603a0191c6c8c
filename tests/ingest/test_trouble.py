"""Nobody is told "created" unless it is so: the database stopped, full, slow, or refusing one row."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ecm.clock import ManualClock
from ecm.errors import Unavailable
from ecm.store.db import Database
from ecm.store.embedded import Addresses, EmbeddedPostgres
from ecm.store.migrate import migrate
from ingest import batch
from ingest.batch import Batcher
from ingest.door import CheckEventsDoor
from ingest.keys import Keys
from tests.ingest.conftest import NOW, SEALER, Door, event, opened

AWAY = (503, "/problems/database-away")


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("type", "")


async def answered(door: Door, status: int) -> dict[str, Any]:
    """The event that was at last answered with `status`."""
    for _ in range(300):
        sent = event()
        if (await door.post(sent)).status_code == status:
            return sent
        await asyncio.sleep(0.1)
    raise AssertionError(f"never answered {status}")


async def test_while_the_database_is_stopped_nothing_is_acknowledged_and_then_all_goes_on(
    data_dir: Path,
) -> None:
    server = EmbeddedPostgres(data_dir)
    addresses = await asyncio.to_thread(server.start)
    try:
        await migrate(addresses.owner)
        async with opened(addresses) as door:
            before = event()
            assert (await door.post(before)).status_code == 201

            await asyncio.to_thread(server.stop)
            async with asyncio.timeout(30):
                assert told(await door.post(event())) == AWAY  # a known key
                assert told(await door.post([event(), event()])) == AWAY
                assert told(await door.post(event(), "stranger")) == AWAY  # one that must be looked up
                refused = await door.post(b"garbage")
            assert told(refused) == AWAY  # it cannot be kept aside either
            assert refused.headers["retry-after"] == "2"

            await asyncio.to_thread(server.start)
            after = await answered(door, 201)
            assert (await door.post(before)).json()["status"] == "exists"
            assert {str(row["event_id"]) for row in await door.stored()} == {before["id"], after["id"]}
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_service_may_start_before_its_database(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    addresses = await asyncio.to_thread(server.start)
    await migrate(addresses.owner)
    await asyncio.to_thread(server.stop)
    db = await Database.connect(addresses.app, "ecm_ingest")
    app = CheckEventsDoor(db, ManualClock(NOW), SEALER)

    await app.start()
    await app.stop()

    await db.close()


async def test_a_killed_connection_costs_at_most_one_answer(door: Door) -> None:
    await door.post(event())
    await door.as_owner(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ecm ecm_ingest' AND datname = current_database()"
    )

    sent = [event() for _ in range(5)]
    answers = [(await door.post(one)).status_code for one in sent]

    assert set(answers) <= {201, 503}
    assert answers[-1] == 201
    assert len(await door.stored()) == 1 + answers.count(201)


async def test_a_full_disk_is_no_receipt_and_costs_nothing_else(door: Door) -> None:
    await raising(door, "53100")
    assert told(await door.post(event())) == (503, "/problems/storage-full")
    assert told(await door.post([event(), event()])) == (503, "/problems/storage-full")

    await door.as_owner("DROP TRIGGER trouble ON check_events")

    assert (await door.post(event())).status_code == 201
    assert len(await door.stored()) == len(await door.to_do()) == 1


@pytest.mark.parametrize("sqlstate", ["25006", "42501", "57014", "XX000"])
async def test_what_is_no_rows_fault_blames_no_row(door: Door, sqlstate: str) -> None:
    await raising(door, sqlstate)

    assert told(await door.post(event())) == (503, "/problems/unavailable")
    assert await door.kept_aside() == []


async def test_a_deadlock_is_tried_again(door: Door) -> None:
    await door.as_owner("CREATE SEQUENCE tries; GRANT USAGE ON SEQUENCE tries TO ecm_ingest")
    await raising(door, "40P01", when="nextval('tries') = 1")

    assert (await door.post(event())).status_code == 201


async def test_a_poison_row_stands_alone(door: Door) -> None:
    await raising(door, "22000", when="NEW.care_worker = 'poison'")
    sent = [event() for _ in range(21)]
    sent[13]["care_worker"] = "poison"

    together = await asyncio.gather(*(door.post(one) for one in sent))

    assert [answer.status_code for answer in together] == [201] * 13 + [422] + [201] * 7
    assert len(await door.stored()) == len(await door.to_do()) == 20
    [aside] = await door.kept_aside()
    assert str(aside["event_id"]) == sent[13]["id"]


async def test_an_array_holds_a_poison_row_too(door: Door) -> None:
    await raising(door, "22000", when="NEW.care_worker = 'poison'")

    answer = await door.post([event(), event(care_worker="poison"), event()])

    assert [item["status"] for item in answer.json()] == ["created", "rejected", "created"]


async def test_one_id_at_once_from_everywhere_is_created_once(database: Addresses) -> None:
    async with opened(database, writers=3) as door:
        shared = [event() for _ in range(20)]
        other = [one | {"note": "another body"} for one in shared]

        answers = await asyncio.gather(
            *(door.post(one) for one in (shared + other) * 3),
            *(door.post(list(reversed(shared))) for _ in range(3)),
        )

        by_id: dict[str, list[str]] = {}
        for answer in answers:
            for item in answer.json() if isinstance(answer.json(), list) else [answer.json()]:
                by_id.setdefault(item["id"], []).append(str(item["status"]))
        for one in shared:
            results = by_id[one["id"]]
            assert results.count("created") == 1
            assert len(results) == 9
        assert len(await door.stored()) == len(await door.to_do()) == 20


async def test_stopping_commits_what_was_received(database: Addresses) -> None:
    async with opened(database) as door:
        under_way = [asyncio.ensure_future(door.post(event())) for _ in range(30)]
        await asyncio.sleep(0.005)

        await door.app.stop()

        answers = [(await answer).status_code for answer in under_way]
        assert set(answers) <= {201, 503}
        assert answers.count(201) == len(await door.stored())
        assert (await door.post(event())).status_code == 503


async def test_when_too_much_waits_the_sender_is_told_to_come_back(database: Addresses) -> None:
    batcher = Batcher(database.app, "ecm_ingest", waiting_max=2)
    row: Any = object()
    batcher.store([row, row])

    with pytest.raises(Unavailable) as refused:
        batcher.store([row])

    assert refused.value.retry_after_seconds == 1


async def test_a_silent_database_is_given_up_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "COMMIT_PATIENCE_S", 0.3)
    await door.post(event())
    blocker = await asyncpg.connect(door.addresses.owner)
    blocking = blocker.transaction()
    await blocking.start()
    await blocker.execute("LOCK TABLE check_events IN EXCLUSIVE MODE")

    assert told(await door.post(event())) == AWAY

    await blocking.rollback()
    await blocker.close()
    monkeypatch.setattr(batch, "COMMIT_PATIENCE_S", 10)
    await answered(door, 201)


async def test_a_sender_who_hangs_up_after_sending_is_stored_all_the_same(door: Door) -> None:
    posting = asyncio.ensure_future(door.post(event()))
    while not door.app._batcher._waiting and not posting.done():
        await asyncio.sleep(0)
    posting.cancel()

    async with asyncio.timeout(30):
        while not await door.stored():
            await asyncio.sleep(0.02)
    assert len(await door.stored()) == len(await door.to_do()) == 1


async def test_a_confused_driver_blames_no_row(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def confused(*_: Any) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 11")

    with monkeypatch.context() as patched:
        patched.setattr(batch, "store", confused)
        assert told(await door.post(event())) == (503, "/problems/unavailable")

    await answered(door, 201)
    assert await door.kept_aside() == []


async def raising(door: Door, sqlstate: str, when: str = "true") -> None:
    await door.as_owner(
        f"""
        CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF {when} THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '{sqlstate}'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER trouble BEFORE INSERT ON check_events FOR EACH ROW EXECUTE FUNCTION trouble();
        """
    )


async def test_what_cannot_be_understood_is_paid_for_by_its_size(database: Addresses) -> None:
    async with opened(database, events_per_s=0.01, events_at_once=100.0) as door:
        assert (await door.post(b"[" + b"1," * 100_000 + b"1]")).status_code == 429
        assert await door.kept_aside() == []
        assert (await door.post([event() for _ in range(90)])).status_code == 201


async def test_made_up_keys_use_up_no_look_up_of_a_good_one(database: Addresses) -> None:
    now_s = 1_000.0
    async with opened(database) as door:
        keys = door.app._keys = Keys(door.app._keys._db, monotonic=lambda: now_s)
        assert (await door.post(event())).status_code == 201
        keys._look_ups.spent = keys._look_ups.size  # by whoever tries a thousand
        now_s += 2.001
        keys._look_ups.at = now_s
        assert (await door.post(event())).status_code == 201
        await door.as_owner("UPDATE api_keys SET revoked_at = now() WHERE name = 'gateway'")
        now_s += 2.001
        assert (await door.post(event())).status_code == 401
