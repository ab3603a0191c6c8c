"""A full disk is told from an absent server, where the folder is ours to look at."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ecm.errors import DatabaseAway, StoppedByFullDisk
from ecm.store import room
from ecm.store.db import Database
from ecm.store.room import WAL_SEGMENT_BYTES, short_of_room


@pytest.fixture
def dsn(tmp_path: Path) -> str:
    pgdata = tmp_path / "a folder" / "postgres"
    pgdata.mkdir(parents=True)
    (pgdata / "PG_VERSION").write_text("18\n")
    socket = str(tmp_path / "a folder" / "socket").replace(" ", "%20")
    return f"postgresql://ecm_app:secret@/ecm?host={socket}&port=5432"


def with_free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free_bytes))


def test_a_server_of_ours_without_room_for_a_segment_is_short_of_it(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_free(monkeypatch, WAL_SEGMENT_BYTES)
    assert not short_of_room(dsn)
    with_free(monkeypatch, WAL_SEGMENT_BYTES - 1)
    assert short_of_room(dsn)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "postgresql://ecm_app:secret@database.example/ecm",
        "postgresql://ecm_app@/ecm?host=/nowhere/at/all/socket&port=5432",
        "postgresql://ecm_app@/ecm",
    ],
)
def test_of_anybody_elses_server_nothing_is_said(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 0)
    assert not short_of_room(elsewhere)


async def test_the_door_says_why_a_server_of_ours_is_gone(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for free_bytes, why in ((0, StoppedByFullDisk), (WAL_SEGMENT_BYTES, DatabaseAway)):
        with_free(monkeypatch, free_bytes)
        database = await Database.connect(dsn, None)
        with pytest.raises(DatabaseAway) as gone:
            async with database.connection():
                pass
        assert type(gone.value) is why
