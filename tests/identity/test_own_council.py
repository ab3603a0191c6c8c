"""Whoever is signed in, and their council: showing there once more that it is they; joining the account they have."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from ecm.identity.oidc import CLOCKS_DIFFER, is_afresh
from tests.api.conftest import Story
from tests.identity.conftest import a_browser, signed_in
from tests.identity.councils import (
    BACK,
    DUTY,
    Provider,
    Visitor,
    come_in,
    is_in,
    query_of,
    said,
    sent_there,
    written,
)

# ---------------------------------------------------------------------- once more, to be sure


async def stepped_up(story: Story) -> Any:
    row = await story.one("SELECT stepped_up_at FROM sessions WHERE signed_in_by = 'oidc'")
    return row["stepped_up_at"]


async def test_dana_shows_her_council_once_more_that_it_is_she(town: Story) -> None:
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        await browser.get(await dana.visit(await sent_there(browser)))
        assert await stepped_up(town) is None
        before = dict(browser.cookies)
        back = await dana.visit(await sent_there(browser, again="1", next="/actuals"))
        assert dana.asked_for == ["password"], "though she was signed in over there"
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/actuals")
    assert await stepped_up(town) is not None
    assert await is_in(browser)
    copied = a_browser(town)
    copied.cookies.update(before)
    assert not await is_in(copied), "a copy of the session's old token opens nothing"


async def test_somebody_else_at_her_desk_proves_nothing_for_her(town: Story, provider: Provider) -> None:
    provider.groups(dana=[DUTY], nora=[DUTY])
    await come_in(a_browser(town), "nora")
    await town.run("DELETE FROM sessions")
    browser = a_browser(town)
    await come_in(browser)
    answer = await come_in(browser, "nora", again="1", next="/actuals")
    assert answer.headers["location"] == "/actuals?step_up=council_failed"
    assert await stepped_up(town) is None


async def test_a_provider_that_did_not_ask_afresh_proves_nothing(
    town: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(  # as if a minute had passed since she signed in over there
        "ecm.api.council.is_afresh", lambda claims, at: is_afresh(claims, at + CLOCKS_DIFFER)
    )
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        await browser.get(await dana.visit(await sent_there(browser)))
        there = await sent_there(browser, again="1", next="/actuals")
        asked = {name: value for name, value in query_of(there).items() if name not in ("prompt", "max_age")}
        back = await dana.visit(f"{there.partition('?')[0]}?{urlencode(asked)}")
        assert dana.asked_for == []
    answer = await browser.get(back)
    assert answer.headers["location"] == "/actuals?step_up=council_failed"
    assert await stepped_up(town) is None


async def test_who_is_not_signed_in_has_nothing_to_show_once_more(town: Story) -> None:
    assert said(await a_browser(town).get("/sign-in/council", params={"again": "1"})) == "again"


# ---------------------------------------------------------------------- an account one has already


async def test_eve_joins_the_account_she_has_and_comes_in_from_her_council(town: Story) -> None:
    eve = await signed_in(town, "eve")
    assert (await eve.get("/v1/me/council")).json() == {"offered": True, "joined_at": None}
    begun = await eve.post("/v1/me/council")
    assert begun.status_code == 201, begun.text
    async with Visitor("dana") as visitor:
        back = await visitor.visit(begun.json()["url"])
    assert (await eve.get(back)).headers["location"] == "/me?council=joined"
    assert (await eve.post("/v1/me/council")).status_code == 409
    [(who, _, _)] = await written(town, "council_joined")
    assert who.endswith("Eve Evening")

    elsewhere = a_browser(town)
    await come_in(elsewhere)
    assert (await elsewhere.get("/v1/me")).json()["name"] == "Eve Evening"
    assert (await eve.delete("/v1/me/council")).status_code == 204
    assert (await eve.delete("/v1/me/council")).status_code == 404
    await come_in(elsewhere)
    assert (await elsewhere.get("/v1/me")).json()["name"] == "Dana Duty", "of her own now"


@pytest.mark.slow
async def test_a_subject_is_one_account(town: Story) -> None:
    await come_in(a_browser(town))
    eve = await signed_in(town, "eve")
    async with Visitor("dana") as visitor:
        back = await visitor.visit((await eve.post("/v1/me/council")).json()["url"])
    assert (await eve.get(back)).headers["location"] == "/me?council=council_taken"
    assert await written(town, "council_joined") == []


@pytest.mark.slow
async def test_who_signed_in_meanwhile_is_not_joined_to_what_another_began(town: Story) -> None:
    browser = await signed_in(town, "eve")
    async with Visitor("dana") as visitor:
        back = await visitor.visit((await browser.post("/v1/me/council")).json()["url"])
    ada = await signed_in(town, "ada")
    browser.cookies.update({name: value for name, value in ada.cookies.items() if name.endswith("session")})
    assert (await browser.get(back)).headers["location"] == "/me?council=council_failed"
    assert await town.all("SELECT FROM oidc_subjects") == []


async def test_the_only_way_in_is_not_given_up(town: Story) -> None:
    dana = a_browser(town)
    await come_in(dana)
    assert (await dana.delete("/v1/me/council")).status_code == 409


@pytest.mark.slow
async def test_joining_needs_a_council_that_answers(town: Story, provider: Provider) -> None:
    eve = await signed_in(town, "eve")
    with provider.away():
        answer = await eve.post("/v1/me/council")
        assert answer.status_code == 409
        assert "does not answer" in answer.json()["detail"]
    await town.run("DELETE FROM oidc_providers")
    assert (await eve.post("/v1/me/council")).status_code == 409
    assert (await eve.get("/v1/me/council")).json() == {"offered": False, "joined_at": None}


async def test_ada_tries_whether_her_council_answers(town: Story, provider: Provider) -> None:
    ada = await signed_in(town, "ada")
    await town.run("UPDATE sessions SET stepped_up_at = now()")
    checked = (await ada.post("/v1/oidc/check")).json()
    assert (checked["last_error"], checked["sends_back_to"]) == (None, BACK)
    with provider.away():
        assert "could not be asked" in (await ada.post("/v1/oidc/check")).json()["last_error"]
    assert (await ada.post("/v1/oidc/check")).json()["last_error"] is None
