"""Signing in at one's own council: a real provider with its own pages, and what thieves and bad days make of it.

Example Borough's people sign in at canaille (`tests.identity.council`). Dana is on its duty desk.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from ecm.api.council_visit import COOKIE, HOST_COOKIE, secret_of
from ecm.councils import Councils
from ecm.identity.oidc import Client, NotVerified, begin
from ecm.outgoing import Outgoing
from tests.api.conftest import Story
from tests.identity.conftest import a_browser, signed_in
from tests.identity.councils import (
    BACK,
    CLIENT_ID,
    CLIENT_SECRET,
    COORDINATORS,
    DUTY,
    FINANCE,
    Provider,
    Visitor,
    come_in,
    is_in,
    query_of,
    said,
    sent_there,
    written,
)

# ---------------------------------------------------------------------- in


async def test_dana_signs_in_at_her_council_and_has_the_role_of_her_group(town: Story) -> None:
    browser = a_browser(town)
    answer = await come_in(browser, next="/board?provider=P1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/board?provider=P1")
    assert answer.headers["cache-control"] == "no-store"
    me = (await browser.get("/v1/me")).json()
    assert (me["name"], me["role"], me["signed_in_by"], me["limited"]) == (
        "Dana Duty",
        "duty_officer",
        "oidc",
        False,
    )
    account = await town.one("SELECT * FROM accounts WHERE email = 'dana@council.example.org'")
    assert account["made_by_oidc"]
    assert account["password_hash"] is None
    name = f"account {account['account_id']} Dana Duty"
    assert await written(town, "account_created") == [
        ("council sign-in", name, "duty_officer, by group Duty desk")
    ]
    assert await written(town, "signed_in") == [(name, name, "by the council's own sign-in")]
    assert not {COOKIE, HOST_COOKIE} & set(browser.cookies)


async def test_she_is_the_same_person_the_next_time_and_her_old_session_ends(town: Story) -> None:
    browser = a_browser(town)
    await come_in(browser)
    first = {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}
    await come_in(browser)
    assert await is_in(browser)
    assert (await town.one("SELECT count(*) FROM accounts WHERE made_by_oidc"))[0] == 1
    stale = a_browser(town)
    stale.cookies.update(first)
    assert not await is_in(stale)


async def test_a_group_changed_at_the_provider_is_another_role_here(town: Story, provider: Provider) -> None:
    browser = a_browser(town)
    await come_in(browser)
    await town.run("UPDATE accounts SET care_worker_ref = 'CW-B' WHERE made_by_oidc")
    provider.groups(dana=[FINANCE, COORDINATORS])
    await come_in(browser)
    assert (await town.one("SELECT care_worker_ref FROM accounts WHERE made_by_oidc"))[0] is None
    me = (await browser.get("/v1/me")).json()
    assert (me["role"], me["provider"]) == ("coordinator", "P1")
    [(_, _, reason)] = await written(town, "role_changed")
    assert reason == "duty_officer to coordinator, by group Coordinators of P1"


async def test_a_group_takes_no_last_administrator_away(town: Story, provider: Provider) -> None:
    """Else nobody would administer, and a code of the set-up that was never used would open it once more."""
    await come_in(a_browser(town))
    await town.run("UPDATE accounts SET role = 'duty_officer' WHERE role = 'administrator'")
    await town.run("UPDATE accounts SET role = 'administrator' WHERE made_by_oidc")
    browser = a_browser(town)
    assert said(await come_in(browser)) == "council_no_role"
    assert not await is_in(browser)
    assert (await town.one("SELECT ecm_awaits_setup()"))[0] is None
    [(_, _, reason)] = await written(town, "sign_in_failed")
    assert reason == "their groups would leave nobody who administers"
    await town.run("UPDATE accounts SET role = 'administrator' WHERE email = 'ada@example.org'")
    await come_in(browser)
    assert (await browser.get("/v1/me")).json()["role"] == "duty_officer"


async def test_who_is_in_no_group_any_more_is_out_wherever_a_group_had_let_them_in(
    town: Story, provider: Provider
) -> None:
    laptop, office = a_browser(town), a_browser(town)
    await come_in(laptop)
    provider.groups(dana=["Allotments"])
    answer = await come_in(office)
    assert said(answer) == "council_no_role"
    assert not await is_in(office)
    assert not await is_in(laptop)
    [(who, subject, reason)] = await written(town, "sign_in_failed")
    assert (who, reason) == ("nobody", "none of their groups has a role here")
    assert subject.endswith("Dana Duty")


async def test_who_is_in_no_group_at_all_never_comes_in(town: Story, provider: Provider) -> None:
    provider.groups()
    assert said(await come_in(a_browser(town))) == "council_no_role"
    assert await town.all("SELECT FROM accounts WHERE made_by_oidc") == []


async def test_an_address_joins_nobody_to_an_account(town: Story) -> None:
    """Whoever runs a provider could write anybody's e-mail address."""
    await town.run("UPDATE accounts SET email = 'dana@council.example.org' WHERE email = 'ada@example.org'")
    browser = a_browser(town)
    assert said(await come_in(browser)) == "council_no_account"
    assert not await is_in(browser)
    assert await town.all("SELECT FROM oidc_subjects") == []
    [(_, _, reason)] = await written(town, "sign_in_failed")
    assert reason == "their e-mail is not free"


async def test_no_account_is_made_where_the_authority_makes_its_own(town: Story) -> None:
    await town.run("UPDATE oidc_providers SET makes_accounts = false")
    assert said(await come_in(a_browser(town))) == "council_no_account"
    await town.run(
        "INSERT INTO oidc_subjects SELECT 1, issuer, 'dana', a.account_id, now() FROM oidc_providers,"
        " accounts a WHERE a.email = 'eve@example.org'"
    )
    browser = a_browser(town)
    await come_in(browser)
    assert (await browser.get("/v1/me")).json()["name"] == "Eve Evening"


async def test_a_disabled_account_stays_out(town: Story) -> None:
    browser = a_browser(town)
    await come_in(browser)
    await town.run("UPDATE accounts SET disabled_at = now() WHERE made_by_oidc")
    assert said(await come_in(browser)) == "council_no_account"
    assert not await is_in(browser)


@pytest.mark.slow
async def test_the_first_visit_from_two_browsers_at_once_makes_one_account(town: Story) -> None:
    browsers = [a_browser(town) for _ in range(4)]
    answers = await asyncio.gather(*(come_in(browser) for browser in browsers))
    assert {answer.headers["location"] for answer in answers} == {"/board"}
    assert (await town.one("SELECT count(*) FROM accounts WHERE made_by_oidc"))[0] == 1


# ---------------------------------------------------------------------- thieves


async def test_a_stolen_code_opens_nothing_with_another_verifier(town: Story) -> None:
    """A thief who reads Dana's code on its way tries it in a sign-in of their own."""
    danas, thiefs = a_browser(town), a_browser(town)
    async with Visitor("dana") as dana:
        back = query_of(await dana.visit(await sent_there(danas)))
    own = query_of(await sent_there(thiefs))
    answer = await thiefs.get(f"{BACK}?{urlencode(back | {'state': own['state']})}")
    assert said(answer) == "council_failed"
    assert not await is_in(thiefs)
    assert (await danas.get(f"{BACK}?{urlencode(back)}")).headers["location"] == "/board", "the code was good"


async def test_the_state_of_another_browser_signs_nobody_in(town: Story) -> None:
    """A link that would sign somebody in as another, who then reads along."""
    thiefs, danas = a_browser(town), a_browser(town)
    async with Visitor("nora") as thief:
        lure = await thief.visit(await sent_there(thiefs))
    assert said(await danas.get(lure)) == "council_again"
    async with Visitor("dana") as dana:
        own = await dana.visit(await sent_there(danas))
    assert said(await danas.get(lure)) == "council_again"
    assert (await danas.get(own)).headers["location"] == "/board", "her own sign-in goes on"


async def test_what_came_back_once_comes_back_to_nothing(town: Story) -> None:
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        back = await dana.visit(await sent_there(browser))
    kept = dict(browser.cookies)
    assert (await browser.get(back)).headers["location"] == "/board"
    thief = a_browser(town)
    thief.cookies.update(kept)
    assert said(await thief.get(back)) == "council_again"
    assert not await is_in(thief)


@pytest.mark.slow
async def test_a_token_of_another_sign_in_or_too_late_or_for_another_is_refused(
    town: Story, provider: Provider
) -> None:
    """What the provider really signed, held against something else."""
    councils: Councils = town.app.state.services.councils
    client = Client(provider.issuer, CLIENT_ID, CLIENT_SECRET)
    at = await councils.endpoints(provider.issuer, private=True)
    for nonce, later, why in (
        ("of another sign-in", timedelta(), "another sign-in"),
        (None, timedelta(hours=2), "run out"),
        (None, timedelta(minutes=12), "not made just now"),
        (None, timedelta(minutes=-5), "not made just now"),
    ):
        begun = begin(client, at, BACK)
        async with Visitor("dana") as dana:
            back = query_of(await dana.visit(begun.url))
        with pytest.raises(NotVerified, match=why):
            await councils.claims(
                client,
                back["code"],
                verifier=begun.verifier,
                nonce=nonce or begun.nonce,
                redirect_uri=BACK,
                now=datetime.now(UTC) + later,
                private=True,
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{"iss": "https://elsewhere.example"}, {"iss": ""}, {"code": ""}, {"code": "x" * 5000}]
)
async def test_what_comes_back_odd_signs_nobody_in(town: Story, changes: dict[str, str]) -> None:
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        back = query_of(await dana.visit(await sent_there(browser)))
    assert said(await browser.get(f"{BACK}?{urlencode(back | changes)}")) == "council_failed"
    assert not await is_in(browser)


@pytest.mark.slow
async def test_who_says_no_over_there_is_not_in_over_here(town: Story, provider: Provider) -> None:
    provider.groups(otto=[DUTY])
    browser = a_browser(town)
    async with Visitor("otto", answer="deny") as otto:
        answer = await browser.get(await otto.visit(await sent_there(browser)))
    assert said(answer) == "council_refused"


async def test_another_sites_picture_begins_nothing(town: Story) -> None:
    answer = await a_browser(town, **{"Sec-Fetch-Mode": "no-cors"}).get("/sign-in/council")
    assert said(answer) == "council_again"
    assert "set-cookie" not in answer.headers
    assert await town.all("SELECT FROM openings") == []


# ---------------------------------------------------------------------- bad days


async def test_without_its_provider_the_desk_is_told_so_and_signs_in_another_way(
    town: Story, provider: Provider
) -> None:
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        back = await dana.visit(await sent_there(browser))
    with provider.away():
        answer = await browser.get(back)
        assert said(answer) == "council_away"
        page = await browser.get(answer.headers["location"])
        assert "does not answer just now" in page.text
        town.app.state.services.councils._asked.clear()
        assert said(await browser.get("/sign-in/council", params={"next": "/board"})) == "council_away"
        # Whoever administers is told, whether it was away on the way there or on the way back.
        told = await town.one("SELECT kind, times FROM notices WHERE tenant_id = 1")
        assert tuple(told) == ("council_sign_in_away", 2)
        assert await is_in(await signed_in(town, "dana"))


async def test_a_slow_provider_makes_nobody_else_wait(town: Story, provider: Provider) -> None:
    town.app.state.services.councils._outgoing = Outgoing(patience_s=0.3)
    browser = a_browser(town)
    async with asyncio.timeout(60):
        with provider.silent():
            asking = [asyncio.create_task(browser.get("/sign-in/council")) for _ in range(20)]
            await asyncio.sleep(0.05)
            desk = await signed_in(town, "dana")
            assert (await desk.get("/v1/visits")).status_code == 200
            assert {said(answer) for answer in await asyncio.gather(*asking)} == {"council_away"}


async def test_a_provider_in_our_own_network_is_asked_only_where_that_is_allowed(town: Story) -> None:
    town.app.state.services.settings.oidc_private = False
    assert said(await a_browser(town).get("/sign-in/council")) == "council_failed"


@pytest.mark.slow
async def test_a_secret_that_the_provider_does_not_know_lets_nobody_in(town: Story) -> None:
    sealed = town.app.state.services.sealer.seal(b"another", secret_of(1))
    await town.run("UPDATE oidc_providers SET sealed_client_secret = $1", sealed)
    assert said(await come_in(a_browser(town))) == "council_failed"


@pytest.mark.slow
async def test_a_provider_changed_meanwhile_finishes_no_sign_in_of_the_old_one(town: Story) -> None:
    browser = a_browser(town)
    async with Visitor("dana") as dana:
        back = await dana.visit(await sent_there(browser))
    await town.run("UPDATE oidc_providers SET issuer = 'https://elsewhere.example'")
    assert said(await browser.get(back)) == "council_none"


async def test_the_page_shows_the_way_only_where_there_is_one(town: Story) -> None:
    browser = a_browser(town)
    page = (await browser.get("/?next=/visits/1")).text
    assert 'href="/sign-in/council?tenant=1&amp;next=/visits/1"' in page
    assert "Other Shire" not in page
    await town.run(
        "INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts)"
        " VALUES (2, 'https://shire.example', 'ecm', 'openid', 'groups', false)"
    )
    assert "/sign-in/council" not in (await browser.get("/")).text, "nobody is told whose there are"
    assert "/sign-in/council?tenant=2" in (await browser.get("/?tenant=2")).text
    assert "/sign-in/council" not in (await browser.get("/?tenant=3")).text
    await town.run("DELETE FROM oidc_providers")
    assert "/sign-in/council" not in (await browser.get("/")).text
    for asked in ({}, {"tenant": "2"}, {"tenant": "two"}, {"tenant": "9" * 30}):
        assert said(await browser.get("/sign-in/council", params=asked)) == "council_none"
