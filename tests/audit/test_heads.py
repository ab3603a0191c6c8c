"""Heads told outside: once a day to each place, by whichever worker comes first, and believed only if signed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecm.audit.entry import Head
from ecm.audit.export import Heads, how_it_is
from ecm.audit.heads import HeadsNotTrusted, line_of, read_heads
from ecm.audit.proving import Proving
from ecm.audit.verify import head_of
from ecm.clock import ManualClock
from ecm.settings import Settings
from ecm.store.db import Connection, Database
from ecm.store.embedded import Addresses
from tests.api.conftest import Story
from tests.audit.book import fill

KEY = "a made-up key of the audit"
HALF_PAST_TWO = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
CLOCK = ManualClock(HALF_PAST_TWO)
HEAD = Head(812, bytes(range(32)))


@pytest.fixture
async def worker(database: Addresses) -> AsyncIterator[Database]:
    db = await Database.connect(database.app, "ecm_worker", 4)
    yield db
    await db.close()


def settings(**given: Any) -> Settings:
    return Settings(audit_key=KEY, webhook_private=True, **given)


def heads_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def test_a_head_is_added_to_the_file_once_a_day(
    web: Database, worker: Database, owner: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "heads"
    heads = Heads(worker, CLOCK, settings(audit_heads_file=file), "worker a")
    assert await heads.tell(HALF_PAST_TWO) == 0, "nothing was written yet, so there is no head"
    await fill(web, 5)
    assert await heads.tell(HALF_PAST_TWO) == 1
    await fill(web, 5)
    assert await heads.tell(HALF_PAST_TWO + timedelta(hours=23, minutes=59)) == 0
    assert await heads.tell(HALF_PAST_TWO + timedelta(days=1)) == 1
    first, second = heads_in(file)
    assert (first["tenant"], first["seq"], first["at"]) == (1, 5, "2026-11-22T02:30:00+00:00")
    now = await head_of(owner, 1)
    assert now is not None
    assert (second["seq"], second["hash"]) == (10, now.hash.hex())
    assert read_heads(file.read_text().splitlines(), KEY)[1][10] == now.hash


async def test_two_workers_tell_it_once(web: Database, worker: Database, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    await fill(web, 1)
    both = [Heads(worker, CLOCK, settings(audit_heads_file=file), name) for name in ("worker a", "worker b")]
    assert sorted(await asyncio.gather(*(heads.tell(HALF_PAST_TWO) for heads in both))) == [0, 1]
    assert len(heads_in(file)) == 1


async def test_what_is_not_taken_is_told_at_the_next_try_and_costs_the_others_nothing(
    web: Database, worker: Database, owner: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "heads"
    await fill(web, 1)
    async with somebody_outside() as outside:
        given = settings(audit_heads_file=file, audit_heads_url=outside.url)
        heads = Heads(worker, CLOCK, given, "worker a")
        outside.status = "503 Service Unavailable"
        with caplog.at_level(logging.ERROR):
            assert await heads.tell(HALF_PAST_TWO) == 1
        assert "was not told to the url: it answered 503" in caplog.text
        assert len(heads_in(file)) == 1
        assert await told_s(owner) is None
        outside.status = "204 No Content"
        assert await heads.tell(HALF_PAST_TWO + timedelta(hours=1)) == 1
        assert len(heads_in(file)) == 1
        [_, told] = outside.told
    assert read_heads([told], KEY)[1].keys() == {1}
    assert await told_s(owner) == HALF_PAST_TWO + timedelta(hours=1)
    places = await owner.fetch("SELECT went_to, seq FROM audit_exports ORDER BY went_to")
    assert [tuple(place) for place in places] == [("file", 1), ("url", 1)]


async def test_a_head_that_was_not_taken_for_more_than_a_day_is_a_notice(
    web: Database, worker: Database, owner: Connection, tmp_path: Path
) -> None:
    await fill(web, 1)  # on the 21st, at 09:16
    clock = ManualClock(HALF_PAST_TWO)
    broken = Heads(worker, clock, settings(audit_heads_file=tmp_path), "worker a")
    await broken.tell(HALF_PAST_TWO)
    assert await owner.fetchval("SELECT count(*) FROM notices") == 0
    clock.at += timedelta(days=1)
    await broken.tell(HALF_PAST_TWO + timedelta(days=1))
    notice = await owner.fetchrow("SELECT kind, subject, times FROM notices")
    assert notice is not None
    assert tuple(notice) == ("audit_head_not_exported", "the audit's head", 1)


async def test_what_is_noticed_of_the_audit_has_the_services_time(
    web: Database, worker: Database, owner: Connection, tmp_path: Path
) -> None:
    """On a scaled clock, where it is the 25th; the heads go out by the real one."""
    await fill(web, 1)
    clock = ManualClock(HALF_PAST_TWO + timedelta(days=3))
    no_file = settings(audit_heads_file=tmp_path)
    await Heads(worker, clock, no_file, "worker a").tell(HALF_PAST_TWO)
    await owner.execute("UPDATE audit SET reason = 'none'")
    await Proving(worker, clock, settings(), "worker a").prove(HALF_PAST_TWO)
    notices = await owner.fetch("SELECT kind, first_at FROM notices ORDER BY kind")
    assert [tuple(notice) for notice in notices] == [
        ("audit_chain_broken", clock.at),
        ("audit_head_not_exported", clock.at),
    ]


async def test_a_file_that_cannot_be_written_is_said(
    web: Database, worker: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(web, 1)
    with caplog.at_level(logging.ERROR):
        assert (
            await Heads(worker, CLOCK, settings(audit_heads_file=tmp_path), "worker a").tell(HALF_PAST_TWO)
            == 0
        )
    assert "was not told to the file: it cannot be written: Is a directory" in caplog.text


@pytest.mark.parametrize(
    ("file", "age_h", "ok", "says"),
    [
        (None, None, True, "its heads are told to nobody"),
        ("heads", None, False, "its heads were never told outside"),
        ("heads", 35, True, "its heads were told outside 35 h ago"),
        ("heads", 37, False, "its heads were told outside 37 h ago: see the worker's log"),
    ],
)
def test_heads_that_are_not_told_are_said_to_be_late(
    file: str | None, age_h: float | None, ok: bool, says: str
) -> None:
    age_s = None if age_h is None else age_h * 3600
    told = how_it_is(Settings(audit_heads_file=file and Path(file)), age_s, 0)
    assert (told.ok, told.says) == (ok, says)


async def test_a_row_somebody_touched_is_known_of_by_the_morning(
    story: Story, worker: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(story.web, 9)
    proving = Proving(worker, CLOCK, settings(), "worker a")
    assert await proving.prove(datetime.now(UTC)) == []
    health = story.at_the_door()
    assert (await health.get("/readyz")).json()["audit"] == {
        "ok": True,
        "says": "its heads are told to nobody",
    }
    await story.run("UPDATE audit SET reason = 'none' WHERE audit_id = 4")
    with caplog.at_level(logging.ERROR):
        [verdict] = await proving.prove(datetime.now(UTC))
    assert verdict.first_bad is not None
    assert "the audit of tenant 1 is broken, row 4: its words were changed" in caplog.text
    notice = await story.one("SELECT tenant_id, kind, subject, times FROM notices")
    assert tuple(notice) == (1, "audit_chain_broken", "the audit", 1)
    assert (await health.get("/readyz")).json()["audit"] == {
        "ok": False,
        "says": "1 found broken: run ecm audit verify",
    }


async def test_the_night_holds_the_chain_against_the_heads_in_the_file(
    web: Database, worker: Database, owner: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings(audit_heads_file=tmp_path / "heads")
    await fill(web, 9)
    await Heads(worker, CLOCK, given, "worker a").tell(HALF_PAST_TWO)
    await owner.execute("DELETE FROM audit_chain WHERE seq > 7; DELETE FROM audit WHERE audit_id > 7")
    await owner.execute(
        "UPDATE audit_heads SET seq = 7, hash = (SELECT hash FROM audit_chain WHERE tenant_id = 1 AND seq = 7)"
    )
    assert await Proving(worker, CLOCK, settings(), "worker a").prove(HALF_PAST_TWO) == [], "whole by itself"
    [verdict] = await Proving(worker, CLOCK, given, "worker a").prove(HALF_PAST_TWO)
    assert verdict.first_bad is not None
    assert verdict.first_bad.seq == 8
    (tmp_path / "heads").write_text("x")
    with caplog.at_level(logging.ERROR):
        assert await Proving(worker, CLOCK, given, "worker a").prove(HALF_PAST_TWO) == []
    assert "prove nothing: line 1 is no head of a chain" in caplog.text


# ---------------------------------------------------------------------- brought back


def test_a_line_is_believed_with_its_signature_and_for_what_it_says() -> None:
    line = line_of(1, HEAD, HALF_PAST_TWO, KEY)
    assert read_heads([line, "", line], KEY) == {1: {812: HEAD.hash}}
    assert read_heads([line_of(1, HEAD, HALF_PAST_TWO, None)], None) == {1: {812: HEAD.hash}}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (line_of(1, HEAD, HALF_PAST_TWO, None), "line 1 is not signed"),
        (line_of(1, HEAD, HALF_PAST_TWO, "another key"), "line 1 is not signed"),
        (line_of(1, HEAD, HALF_PAST_TWO, KEY).replace("812", "813"), "line 1 is not signed"),
        (line_of(1, HEAD, HALF_PAST_TWO, KEY).replace('"tenant":1', '"tenant":2'), "line 1 is not signed"),
        ('{"seq": 1}', "line 1 is no head"),
        ('{"tenant": 1, "seq": 1, "hash": "xy"}', "line 1 is no head"),
        ("[]", "line 1 is no head"),
        ("\x00", "line 1 is no head"),
        ("[" * 100_000, "line 1 is no head"),
    ],
)
def test_a_line_that_proves_nothing_is_refused(line: str, says: str) -> None:
    with pytest.raises(HeadsNotTrusted, match=says):
        read_heads([line], KEY)


def test_two_heads_of_one_place_cannot_both_be_true() -> None:
    other = Head(812, bytes(32))
    with pytest.raises(HeadsNotTrusted, match="line 2 says another hash of place 812"):
        read_heads([line_of(1, head, HALF_PAST_TWO, KEY) for head in (HEAD, other)], KEY)


async def told_s(owner: Connection) -> datetime | None:
    at: datetime | None = await owner.fetchval(
        "SELECT max((details ->> 'heads_told_at')::timestamptz) FROM heartbeats"
    )
    return at


class Outside:
    def __init__(self) -> None:
        self.url = ""
        self.status = "204 No Content"
        self.told: list[str] = []


@asynccontextmanager
async def somebody_outside() -> AsyncIterator[Outside]:
    """Whoever keeps our heads, at an address of this machine."""
    outside = Outside()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        outside.told.append((await reader.readexactly(length)).decode())
        writer.write(f"HTTP/1.1 {outside.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    outside.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/heads"
    async with server:
        yield outside
