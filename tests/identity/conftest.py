"""The cast of tests/api, at a service that is known by https: passkeys need a name to be made for."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest

from ecm.store.embedded import Addresses
from tests.api.conftest import PASSWORD, Story, story_in
from tests.identity.authenticator import Authenticator
from tests.identity.councils import provider as provider
from tests.identity.councils import town as town

SITE = "https://ecm.test"
RP_ID = "ecm.test"
DANA = {"email": "dana@example.org", "password": PASSWORD}


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        settings = told.app.state.services.settings
        settings.public_url = SITE
        settings.sealing_key = base64.b64encode(bytes(32)).decode()
        yield told


def a_browser(story: Story, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    """With our page open, nobody signed in."""
    transport = httpx.ASGITransport(story.app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=SITE, headers={"Origin": SITE} | headers)


async def signed_in(story: Story, who: str = "dana") -> httpx.AsyncClient:
    """By password, as somebody of the cast."""
    browser = a_browser(story)
    answer = await browser.post("/v1/session", json=DANA | {"email": f"{who}@example.org"})
    assert answer.status_code == 201, answer.text
    return browser


def a_device(**how: Any) -> Authenticator:
    return Authenticator(SITE, RP_ID, **how)


async def with_passkey(browser: httpx.AsyncClient, device: Authenticator, name: str = "laptop") -> int:
    """Adds a passkey for whoever is signed in. Returns its number."""
    said = (await browser.post("/v1/me/passkeys/options")).raise_for_status().json()
    asked = {"opening": said["opening"], "credential": device.create(said["options"]), "name": name}
    made = await browser.post("/v1/me/passkeys", json=asked)
    assert made.status_code == 201, made.text
    number: int = made.json()["id"]
    return number


async def with_code(browser: httpx.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    """Sets an authenticator app up for whoever is signed in. Returns it, and the recovery codes."""
    said = (await browser.post("/v1/me/second-step")).raise_for_status().json()
    app = pyotp.TOTP(said["secret"])
    asked = {"opening": said["opening"], "code": app.now()}
    confirmed = await browser.post("/v1/me/second-step/confirmation", json=asked)
    assert confirmed.status_code == 201, confirmed.text
    return app, confirmed.json()["recovery_codes"]


async def by_passkey(browser: httpx.AsyncClient, device: Authenticator, **lies: Any) -> httpx.Response:
    """Signs in by the device's passkey, which may lie."""
    said = (await browser.post("/v1/session/passkey-options")).raise_for_status().json()
    asked = {"opening": said["opening"], "credential": device.get(said["options"], **lies)}
    return await browser.post("/v1/session/passkey", json=asked)


async def stepped_up(browser: httpx.AsyncClient, device: Authenticator, **lies: Any) -> httpx.Response:
    said = (await browser.post("/v1/session/step-up-options")).raise_for_status().json()
    asked = {"opening": said["opening"], "credential": device.get(said["options"], **lies)}
    return await browser.post("/v1/session/step-up", json=asked)


def next_code(app: pyotp.TOTP, steps: int = 1) -> str:
    """What the app shows in the step after this one: right already, and not the one that was used."""
    return app.at(datetime.now(UTC) + timedelta(seconds=30 * steps))


async def forget_the_last_code(story: Story) -> None:
    """As if half a minute had passed."""
    await story.run("UPDATE second_steps SET last_step = last_step - 2")
