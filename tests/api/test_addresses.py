"""An address has one spelling: with a slash too many there is nothing, and nobody is sent on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from ecm.api.accounts import create_key
from ecm.app import create_app
from ecm.clock import ManualClock
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.api.conftest import NOW, ORIGIN
from tests.postgres import fetch_value

EVENT = {
    "id": "019aa3f2-7d1e-7000-8000-0000000000aa",
    "kind": "check_in",
    "method": "app",
    "occurred_at": "2026-11-21T09:02:00Z",
    "care_worker": "CW-A",
}


@pytest.fixture
async def phone(database: Addresses) -> AsyncIterator[httpx.AsyncClient]:
    """At the whole application, the hot door before the framework included, with a key to send."""
    web = await Database.connect(database.app, role="ecm_web", size=2)
    ingest = await Database.connect(database.app, role="ecm_ingest", size=1)
    app = create_app(web_db=web, ingest_db=ingest, clock=ManualClock(NOW), settings=Settings())
    key = await create_key(web, 1, "A phone", ["ingest"], NOW)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.fastapi.router.lifespan_context(app.fastapi),  # which closes the databases
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers) as client,
    ):
        yield client


@pytest.mark.parametrize(
    "path", ["//v1/check-events", "/v1//check-events", "/v1/check-events/", "/v1/check-events//"]
)
async def test_evidence_is_taken_at_its_address_and_at_no_other_spelling(
    phone: httpx.AsyncClient, database: Addresses, path: str
) -> None:
    answer = await phone.post(ORIGIN + path, json=EVENT)
    assert answer.status_code == 404
    assert answer.json() | {"type": "/problems/not-found", "instance": path} == answer.json()
    assert await fetch_value(database.owner, "SELECT count(*) FROM check_events") == 0
    assert (await phone.post("/v1/check-events", json=EVENT)).status_code == 201


@pytest.mark.parametrize(
    "path", ["//board", "/board/", "/board//", "//", "//v1/visits", "/v1/visits/", "//evil.example"]
)
async def test_a_slash_too_many_leads_nowhere(phone: httpx.AsyncClient, path: str) -> None:
    answer = await phone.get(ORIGIN + path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    page = await phone.get(ORIGIN + path, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "location" not in page.headers
