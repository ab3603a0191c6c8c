"""How an authority joins its council's own sign-in: who may, what is kept, and what is never told again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ecm.api.council_visit import secret_of
from ecm.api.oidc import ASKED
from tests.api.conftest import Story

SECRET = ASKED["client_secret"]


async def at_work(story: Story, who: str = "ada") -> httpx.AsyncClient:
    """Signed in, and proved again a moment ago."""
    browser = await story.signed_in(who)
    await story.run("UPDATE sessions SET stepped_up_at = now()")
    return browser


async def kept_secret(story: Story) -> bytes | None:
    row = await story.one("SELECT sealed_client_secret FROM oidc_providers")
    sealer = story.app.state.services.sealer
    sealed = row["sealed_client_secret"]
    return None if sealed is None else sealer.open(sealed, secret_of(1))


async def test_ada_joins_the_council_and_nobody_is_told_the_secret(story: Story) -> None:
    story.app.state.services.settings.public_url = "https://ecm.example.org"
    ada = await at_work(story)
    assert (await ada.get("/v1/oidc")).status_code == 404
    put = await ada.put("/v1/oidc", json=ASKED)
    assert put.status_code == 200, put.text
    shown = (await ada.get("/v1/oidc")).json()
    assert shown == put.json()
    assert SECRET not in put.text
    assert shown["has_secret"]
    assert shown["sends_back_to"] == "https://ecm.example.org/sign-in/council/back"
    assert [rule["role"] for rule in shown["rules"]] == ["duty_officer", "coordinator"]
    row = await story.one("SELECT * FROM oidc_providers")
    assert SECRET.encode() not in row["sealed_client_secret"]
    assert await kept_secret(story) == SECRET.encode()
    entry = await story.one("SELECT * FROM audit WHERE action = 'council_sign_in_set'")
    assert entry["subject"] == "sign-in at https://sign-in.council.example"
    assert entry["reason"] == "ECM duty desk: duty_officer; ECM Amber coordinators: coordinator P1"
    assert SECRET not in str(dict(entry))


async def test_the_order_of_the_rules_is_theirs_and_each_setting_replaces_the_last(story: Story) -> None:
    ada = await at_work(story)
    rules = ASKED["rules"][::-1]
    for asked in (ASKED["rules"], rules):
        shown = (await ada.put("/v1/oidc", json=ASKED | {"rules": asked})).json()
    assert [rule["group"] for rule in shown["rules"]] == ["ECM Amber coordinators", "ECM duty desk"]


async def test_who_somebody_is_is_asked_for_even_where_nobody_wrote_it_down(story: Story) -> None:
    ada = await at_work(story)
    assert (await ada.put("/v1/oidc", json=ASKED | {"scopes": "email"})).json()["scopes"] == "openid email"


async def test_a_secret_left_out_is_kept_for_the_same_issuer_and_goes_to_no_other(story: Story) -> None:
    ada = await at_work(story)
    await ada.put("/v1/oidc", json=ASKED)
    without = {name: value for name, value in ASKED.items() if name != "client_secret"}
    assert (await ada.put("/v1/oidc", json=without)).json()["has_secret"]
    assert await kept_secret(story) == SECRET.encode()
    for changes in ({"issuer": "https://elsewhere.example"}, {"client_id": "other"}):
        await ada.put("/v1/oidc", json=ASKED)
        assert not (await ada.put("/v1/oidc", json=without | changes)).json()["has_secret"]
        assert await kept_secret(story) is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"issuer": "http://sign-in.council.example"}, 409),
        ({"issuer": "https://"}, 422),
        ({"issuer": "https://[broken"}, 422),
        ({"issuer": "https://user@council.example"}, 422),
        ({"issuer": "https://council.example/?a=b"}, 422),
        ({"issuer": "javascript:alert(1)"}, 422),
        ({"client_id": ""}, 422),
        ({"client_id": "né"}, 422),
        ({"client_secret": "two\r\nlines"}, 422),
        ({"issuer": "https://council.example:99999"}, 409),
        ({"issuer": "https://council.example/#x"}, 422),
        ({"scopes": "openid  profile"}, 422),
        ({"makes_accounts": 1}, 422),
        ({"rules": None}, 422),
        ({"rules": [{"group": "G", "role": "king"}]}, 422),
        ({"rules": [{"group": "G", "role": "coordinator"}]}, 409),
        ({"rules": [{"group": "G", "role": "auditor", "provider": "P1"}]}, 409),
        ({"rules": [{"group": "G", "role": "auditor"}, {"group": "G", "role": "finance"}]}, 409),
        ({"rules": [{"group": f"G{n}", "role": "auditor"} for n in range(201)]}, 422),
        ({"rules": [{"group": "two\nlines", "role": "auditor"}]}, 422),
        ({"rules": [{"group": "G", "role": "manager", "provider": "P9"}]}, 409),
        ({"surprise": 1}, 422),
    ],
)
async def test_what_cannot_work_is_refused_and_nothing_is_kept(
    story: Story, changes: dict[str, Any], status: int
) -> None:
    ada = await at_work(story)
    assert (await ada.put("/v1/oidc", json=ASKED | changes)).status_code == status
    assert await story.all("SELECT FROM oidc_providers") == []


async def test_only_an_administrator_who_has_proved_it_again_may(story: Story) -> None:
    for who in ("dana", "otto", "fay", "max"):
        browser = await at_work(story, who)
        for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/check")):
            body = ASKED if method == "PUT" else None
            answer = await browser.request(method, f"/v1/oidc{path}", json=body)
            assert answer.json()["type"] == "/problems/not-permitted", f"{who} {method}"
    ada = await story.signed_in("ada")
    answer = await ada.put("/v1/oidc", json=ASKED)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/step-up-needed")
    assert (await ada.get("/v1/oidc")).status_code == 404, "looking needs no new proof"


async def test_what_is_wrong_with_a_provider_is_said_when_somebody_tries(story: Story) -> None:
    ada = await at_work(story)
    assert (await ada.post("/v1/oidc/check")).status_code == 404
    services = story.app.state.services
    for issuer, private, why in (
        ("https://127.0.0.1:1", False, "is a private address"),
        ("https://127.0.0.1:1", True, "could not be asked: ConnectError"),
        ("http://127.0.0.1:1", True, "could not be asked: ConnectError"),
    ):
        services.settings.oidc_private = private
        assert (await ada.put("/v1/oidc", json=ASKED | {"issuer": issuer})).status_code == 200
        checked = (await ada.post("/v1/oidc/check")).json()
        assert why in checked["last_error"]
        assert checked["checked_at"] is not None
    reasons = await story.all("SELECT reason FROM audit WHERE action = 'council_sign_in_checked'")
    assert len(reasons) == 3


async def test_who_takes_it_away_takes_the_rules_too(story: Story) -> None:
    ada = await at_work(story)
    await ada.put("/v1/oidc", json=ASKED)
    assert (await ada.delete("/v1/oidc")).status_code == 204
    assert (await ada.delete("/v1/oidc")).status_code == 404
    assert await story.all("SELECT FROM oidc_roles") == []


async def test_another_authoritys_sign_in_is_not_theirs_to_see_or_take(story: Story) -> None:
    await story.run(
        "INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts)"
        " VALUES (2, 'https://shire.example', 'ecm', 'openid', 'groups', false)"
    )
    ada = await at_work(story)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/check")):
        assert (await ada.request(method, f"/v1/oidc{path}")).status_code == 404
    assert (await ada.put("/v1/oidc", json=ASKED)).status_code == 200
    rows = await story.all("SELECT tenant_id, issuer FROM oidc_providers ORDER BY tenant_id")
    assert [row["issuer"] for row in rows] == [ASKED["issuer"], "https://shire.example"]
