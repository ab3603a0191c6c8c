"""Whoever is turned away is counted: at which door and why, in few fixed words that name nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from ecm.bodies import BODY_BYTES_MAX
from ecm.errors import EcmError
from ecm.refusals import BEHIND, OTHER, WHY, Door, door_of, refused
from tests.api.conftest import ADAMS_VISIT, BAKER_VISIT, Story


def counts() -> dict[tuple[str, str], float]:
    return {
        (sample.labels["door"], sample.labels["why"]): sample.value
        for metric in REGISTRY.collect()
        if metric.name == "ecm_refused"
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def risen(before: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {labels: n - before.get(labels, 0) for labels, n in counts().items() if n != before.get(labels, 0)}


# What a stranger or a thief tries, and how it is counted: method, path, what goes with it, door, why.
NOBODY: list[tuple[str, str, dict[str, Any], Door, str]] = [
    (
        "POST",
        "/v1/session",
        {"json": {"email": "dana@example.org", "password": "x"}},
        Door.SIGN_IN,
        "not-signed-in",
    ),
    (
        "POST",
        "/sign-in",
        {"data": {"email": "dana@example.org", "password": "x"}},
        Door.SIGN_IN,
        "not-signed-in",
    ),
    ("POST", "/v1/session", {"json": {}}, Door.SIGN_IN, "not-understood"),
    ("POST", "/v1/session", {"content": b"x" * (BODY_BYTES_MAX + 1)}, Door.SIGN_IN, "too-large"),
    ("GET", "/sign-in/council/back?code=stolen&state=made-up", {}, Door.SIGN_IN, "not-signed-in"),
    (
        "POST",
        "/v1/session/passkey",
        {"json": {"opening": "used", "credential": {}}},
        Door.SIGN_IN,
        "not-signed-in",
    ),
    ("GET", "/v1/visits", {}, Door.INTERFACE, "not-signed-in"),
    (
        "GET",
        "/v1/visits",
        {"headers": {"Authorization": "Bearer ecm_stolen"}},
        Door.INTERFACE,
        "not-signed-in",
    ),
    ("GET", "/v1/visits", {"cookies": {"ecm_session": "expired"}}, Door.INTERFACE, "not-signed-in"),
    ("GET", "/v1/app/today", {}, Door.PHONE, "not-signed-in"),
    ("POST", "/v1/feeds/sandata/visits", {"json": []}, Door.FEED, "not-signed-in"),
    ("POST", "/v1/imports/visits", {"json": []}, Door.IMPORT, "not-signed-in"),
    ("GET", "/v1/nothing-here", {}, Door.INTERFACE, "not-found"),
    ("GET", "/nothing-here", {}, Door.PAGE, "not-found"),
    ("PATCH", "/v1/visits", {}, Door.INTERFACE, OTHER),
]


@pytest.mark.parametrize(("method", "path", "more", "door", "why"), NOBODY)
async def test_a_stranger_is_counted_once(
    story: Story, method: str, path: str, more: dict[str, Any], door: Door, why: str
) -> None:
    story.app.state.services.settings.public_url = "https://ecm.test"
    stranger = story.at_the_door()
    stranger.cookies.update(more.pop("cookies", {}))
    before = counts()
    answer = await stranger.request(method, path, **more)
    assert answer.status_code < 500
    assert risen(before) == {(door, why): 1}


async def test_who_reaches_for_what_is_not_theirs_is_counted(story: Story) -> None:
    cory = await story.signed_in("cory")
    before = counts()
    assert (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).status_code == 200
    assert risen(before) == {}
    assert (await cory.get(f"/v1/visits/{BAKER_VISIT}")).status_code == 404
    assert (await cory.get("/v1/audit")).status_code == 403
    assert (
        await cory.post(f"/v1/visits/{ADAMS_VISIT}/amendments", headers={"Origin": "https://evil.example"})
    ).status_code == 403
    assert risen(before) == {
        (Door.INTERFACE, "not-found"): 1,
        (Door.INTERFACE, "not-permitted"): 2,
    }


async def test_the_hot_door_counts_too(story: Story) -> None:
    before = counts()
    transport = httpx.ASGITransport(story.app.state.door)
    async with httpx.AsyncClient(transport=transport, base_url="http://ecm.test") as phone:
        await phone.post("/v1/check-events", json={})
        await phone.post("/v1/check-events", json={}, headers={"Authorization": "Bearer ecm_revoked"})
    assert risen(before) == {(Door.CHECK_EVENTS, "not-signed-in"): 2}


async def test_our_own_mistakes_are_no_refusals(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.run("ALTER TABLE visits RENAME COLUMN state_reason TO hidden_column")
    before = counts()
    assert (await dana.get("/v1/visits")).status_code == 500
    assert risen(before) == {}


def test_no_request_makes_a_word_of_its_own() -> None:
    before = counts()
    refused(Door.PAGE, "mabel-thornby")
    assert risen(before) == {(Door.PAGE, OTHER): 1}
    assert door_of("") == door_of("//evil.example") == Door.PAGE


def test_every_door_is_behind_an_address() -> None:
    assert {door for _, door in BEHIND} == set(Door)
    for nth, (start, door) in enumerate(BEHIND):
        assert door_of(start) == door, f"{start} is hidden by one before it"
        assert nth == len(BEHIND) - 1 or start != "/"


def test_every_error_of_a_senders_has_its_word(story: Story) -> None:
    """`story` has loaded the whole service."""
    ours = {
        kind.slug
        for kind in kinds_of(EcmError)
        if kind.status < 500 and kind.__module__.startswith(("ecm.", "ingest."))
    }
    assert ours == WHY


def kinds_of(kind: type[EcmError]) -> Iterator[type[EcmError]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds_of(below)
