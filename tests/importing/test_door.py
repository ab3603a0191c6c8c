"""Files by HTTP: the same report in the answer, and in the problem where rows were rejected."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from ecm import problem
from ecm.clock import ManualClock
from ecm.doors import Services, actor
from ecm.importing import router
from ecm.permit import Actor
from ecm.settings import Settings
from tests.importing.desk import NOW, Desk

CASE_SYSTEM = Actor("key", 1, 7, "case system", scopes=frozenset({"import"}))
PHONE_SYSTEM = Actor("key", 1, 8, "phone system", scopes=frozenset({"ingest"}))

CSV = {"content-type": "text/csv; charset=utf-8"}


@pytest.fixture
async def app(desk: Desk) -> FastAPI:
    app = FastAPI()
    app.state.services = Services(web=desk.db, clock=ManualClock(NOW), settings=Settings())
    app.include_router(router)
    app.dependency_overrides[actor] = lambda: CASE_SYSTEM
    problem.install(app)
    return app


@pytest.fixture
async def door(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ecm.test/v1/imports") as client:
        yield client


async def test_a_file_is_taken_and_the_audit_says_from_whom(door: httpx.AsyncClient, desk: Desk) -> None:
    answer = await door.post("/providers", content=b"ref,name,colour\nALPHA,Alpha Care,blue\n", headers=CSV)
    assert answer.status_code == 200
    report = answer.json()
    assert {name: report[name] for name in ("read", "new", "rejected", "written", "unknown_columns")} == {
        "read": 1,
        "new": 1,
        "rejected": 0,
        "written": True,
        "unknown_columns": ["colour"],
    }
    again = await door.post("/providers", json=[{"ref": "ALPHA", "name": "Alpha Care"}])
    assert again.json()["unchanged"] == 1
    audit = await desk.rows("SELECT actor, subject, origin FROM audit")
    assert [tuple(row) for row in audit] == [("key 7 case system", "providers", "127.0.0.1")]


async def test_rejected_rows_are_a_problem_that_carries_the_report(
    door: httpx.AsyncClient, desk: Desk
) -> None:
    file = b"ref,name,phone\nALPHA,Alpha Care,\nBETA,Beta Care,nothing\n"
    answer = await door.post("/providers", content=file, headers=CSV)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["type"] == "/problems/import-rejected"
    assert found["rejections"] == [{"row": 3, "reason": "phone: nothing is not a telephone number"}]
    assert await desk.value("SELECT count(*) FROM providers") == 0
    assert (await door.post("/providers?dry_run=true", content=file, headers=CSV)).status_code == 422
    skipped = await door.post("/providers?skip_rejected=true", content=file, headers=CSV)
    assert (skipped.status_code, skipped.json()["new"], skipped.json()["rejected"]) == (200, 1, 1)


async def test_half_a_file_is_refused_even_where_bad_rows_may_be_skipped(
    door: httpx.AsyncClient, desk: Desk
) -> None:
    file = b'ref,name\nALPHA,Alpha Care\nBETA,"Beta Care\n'
    for how in ("skip_rejected=true", "skip_rejected=true&dry_run=true"):
        assert (await door.post(f"/providers?{how}", content=file, headers=CSV)).status_code == 422
    assert await desk.value("SELECT count(*) FROM providers") == 0


async def test_the_door_says_what_it_takes_and_from_whom(door: httpx.AsyncClient, app: FastAPI) -> None:
    plain = await door.post("/providers", content=b"ref,name\n", headers={"content-type": "text/plain"})
    assert (plain.status_code, plain.json()["type"]) == (422, "/problems/not-understood")
    assert (await door.post("/holidays", content=b"ref\n", headers=CSV)).status_code == 422
    app.dependency_overrides[actor] = lambda: PHONE_SYSTEM
    assert (await door.post("/providers", content=b"ref,name\n", headers=CSV)).status_code == 403
