"""Wrong, expired, replayed, stolen, oversized, all at once: each way in refuses in the same quiet words.

way in      wrong              expired            replayed          stolen
----------  -----------------  -----------------  ----------------  -----------------------------
password    another password   a disabled one     (may be repeated) from a foreign page
code        another code       half an hour old   used once         another account's half sign-in
recovery    a made-up one      the ones before    used once         another account's code
passkey     another key        a challenge late   the same answer   another account's credential
step-up     another code       a challenge late   the same answer   another account's passkey
session     a made-up token    idle, or over      signed out        a copy from before a step-up
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from ecm.doors import HOST_COOKIE
from tests.api.conftest import PASSWORD, Story
from tests.identity.authenticator import Authenticator
from tests.identity.conftest import (
    DANA,
    a_browser,
    a_device,
    next_code,
    signed_in,
    with_code,
    with_passkey,
)

EVE = DANA | {"email": "eve@example.org"}


class Doors:
    """Dana with every way in, Eve with hers, and a stranger's browser."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.stranger = a_browser(story, "192.0.2.66")
        self.devices: dict[str, Authenticator] = {}
        self.apps: dict[str, Any] = {}
        self.codes: dict[str, list[str]] = {}
        self.browsers: dict[str, httpx.AsyncClient] = {}

    async def open(self) -> Doors:
        for who in ("dana", "eve"):
            browser, self.devices[who] = await signed_in(self.story, who), a_device()
            self.browsers[who] = browser
            self.apps[who], self.codes[who] = await with_code(browser)
            await self.story.run("UPDATE sessions SET stepped_up_at = now()")
            await with_passkey(browser, self.devices[who])
            await self.story.run("UPDATE sessions SET stepped_up_at = NULL")
        return self

    async def half(self, who: dict[str, str] = DANA) -> str:
        said = (await self.stranger.post("/v1/session", json=who)).json()
        opening: str = said["second_step"]
        return opening

    async def by_code(self, opening: str, code: str) -> httpx.Response:
        asked = {"opening": opening, "code": code}
        return await self.stranger.post("/v1/session/second-step", json=asked)

    async def challenge(self) -> dict[str, Any]:
        said: dict[str, Any] = (await self.stranger.post("/v1/session/passkey-options")).json()
        return said

    async def by_answer(self, opening: str, credential: dict[str, Any]) -> httpx.Response:
        asked = {"opening": opening, "credential": credential}
        return await self.stranger.post("/v1/session/passkey", json=asked)

    async def expire(self) -> None:
        await self.story.run("UPDATE openings SET expires_at = now() - interval '1 second'")


@pytest.fixture
async def doors(story: Story) -> Doors:
    return await Doors(story).open()


def told(answer: httpx.Response) -> tuple[int, str, str]:
    said = answer.json()
    assert "set-cookie" not in answer.headers
    return answer.status_code, said["type"], said["detail"]


async def test_every_wrong_code_is_told_the_same(doors: Doors) -> None:
    opening, app = await doors.half(), doors.apps["dana"]
    refused = {
        "wrong": await doors.by_code(opening, "000000"),
        "too long": await doors.by_code(opening, "0" * 64),
        "made up": await doors.by_code(opening, "made-upme-made-upme"),
        "another's code": await doors.by_code(opening, next_code(doors.apps["eve"])),
        "another's recovery code": await doors.by_code(opening, doors.codes["eve"][0]),
        "nobody's opening": await doors.by_code("made-up", next_code(app)),
        "another kind of opening": await doors.by_code((await doors.challenge())["opening"], next_code(app)),
    }
    await doors.expire()
    refused["expired"] = await doors.by_code(opening, doors.codes["dana"][0])
    assert {told(answer) for answer in refused.values()} == {told(refused["wrong"])}
    assert told(refused["wrong"])[:2] == (401, "/problems/not-signed-in")


async def test_a_recovery_code_used_with_an_expired_opening_is_not_used_up(doors: Doors) -> None:
    opening = await doors.half()
    await doors.expire()
    assert (await doors.by_code(opening, doors.codes["dana"][0])).status_code == 401
    assert (await doors.by_code(await doors.half(), doors.codes["dana"][0])).status_code == 201


async def test_every_wrong_passkey_is_told_the_same(doors: Doors) -> None:
    dana, eve = doors.devices["dana"], doors.devices["eve"]
    refused = {}
    said = await doors.challenge()
    refused["another key"] = await doors.by_answer(said["opening"], dana.get(said["options"], key=eve.key))
    said = await doors.challenge()
    stolen = dana.get(said["options"])
    stolen["id"] = stolen["rawId"] = eve.get(said["options"])["rawId"]
    refused["stolen"] = await doors.by_answer(said["opening"], stolen)
    said = await doors.challenge()
    late = dana.get(said["options"])
    await doors.expire()
    refused["expired"] = await doors.by_answer(said["opening"], late)
    refused["nobody's opening"] = await doors.by_answer("made-up", late)
    refused["half a sign-in's opening"] = await doors.by_answer(await doors.half(), late)
    assert {told(answer) for answer in refused.values()} == {told(refused["expired"])}
    assert told(refused["expired"])[:2] == (401, "/problems/not-signed-in")


async def test_one_answer_sent_twenty_times_at_once_is_one_sign_in(doors: Doors) -> None:
    await doors.story.run("DELETE FROM sessions")
    said = await doors.challenge()
    credential = doors.devices["dana"].get(said["options"])
    answers = await asyncio.gather(*(doors.by_answer(said["opening"], credential) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 401: 19}
    assert (await doors.story.one("SELECT count(*) FROM sessions"))[0] == 1


async def test_one_recovery_code_twenty_times_at_once_is_one_sign_in(doors: Doors) -> None:
    openings = [await doors.half() for _ in range(20)]
    code = doors.codes["dana"][0]
    answers = await asyncio.gather(*(doors.by_code(opening, code) for opening in openings))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 401: 19}


async def test_every_wrong_step_up_is_told_the_same(doors: Doors) -> None:
    browser, dana, eve = doors.browsers["dana"], doors.devices["dana"], doors.devices["eve"]

    async def by(asked: dict[str, Any]) -> httpx.Response:
        return await browser.post("/v1/session/step-up", json=asked)

    async def options() -> dict[str, Any]:
        said: dict[str, Any] = (await browser.post("/v1/session/step-up-options")).json()
        return said

    said = await options()
    credential = dana.get(said["options"])
    answer = {"opening": said["opening"], "credential": credential}
    assert (await by(answer)).status_code == 204
    refused = {
        "replayed": await by(answer),
        "a password alone": await by({"password": PASSWORD, "code": "000000"}),
    }
    said = await options()
    refused["another's"] = await by({"opening": said["opening"], "credential": eve.get(said["options"])})
    said = await options()
    late = dana.get(said["options"])
    await doors.expire()
    refused["expired"] = await by({"opening": said["opening"], "credential": late})
    assert {told(one) for one in refused.values()} == {told(refused["replayed"])}
    assert told(refused["replayed"])[:2] == (403, "/problems/step-up-needed")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/session", {"email": "dana@example.org", "password": "x" * 1001}),
        ("/v1/session/second-step", {"opening": "x" * 201, "code": "123456"}),
        ("/v1/session/second-step", {"opening": "x", "code": "1" * 65}),
        ("/v1/session/second-step", {"opening": "x\0", "code": "123456"}),
        ("/v1/session/passkey", {"opening": "x" * 201, "credential": {}}),
        ("/v1/session/passkey", {"opening": "x", "credential": "text"}),
        ("/v1/session/passkey", {"opening": "x", "credential": {}, "more": 1}),
    ],
)
async def test_what_is_no_sign_in_at_all_is_not_understood(story: Story, path: str, asked: Any) -> None:
    answer = await a_browser(story).post(path, json=asked)
    assert answer.status_code == 422
    assert "x" * 100 not in answer.text


async def test_what_is_too_large_is_not_even_read(story: Story) -> None:
    big = {"opening": "x", "credential": {"rawId": "A" * 300_000}}
    assert (await a_browser(story).post("/v1/session/passkey", json=big)).status_code == 413


async def test_every_session_that_is_none_is_told_the_same(doors: Doors) -> None:
    told_of = set()
    for ends in (
        "UPDATE sessions SET idle_until = now()",
        "UPDATE sessions SET idle_until = 'infinity', expires_at = now()",
        "DELETE FROM sessions",
    ):
        await doors.story.run(ends)
        told_of.add(told(await doors.browsers["dana"].get("/v1/me")))
    made_up = a_browser(doors.story)
    made_up.cookies.set(HOST_COOKIE, "made-up")
    told_of.add(told(await made_up.get("/v1/me")))
    assert told_of == {(401, "/problems/not-signed-in", "That session has ended.")}
