"""The first administrator: made once, whole, by whoever holds the code that the machine showed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest

from ecm import setup_codes
from ecm.errors import Conflict
from tests.api.conftest import Story
from tests.identity.conftest import a_browser, a_device

PASSWORD = "tidy-lamp-river-9"
ADA = {"name": "Ada First", "email": "First@Example.org", "authority": "Made-up Shire"}


@pytest.fixture
async def fresh(story: Story) -> Story:
    """The service as it is when it was just installed: an authority, and nobody in it."""
    await story.run("DELETE FROM accounts")
    return story


async def code_for(story: Story) -> str:
    return await setup_codes.new_code(story.web)


async def by_password(browser: httpx.AsyncClient, code: str, **change: Any) -> httpx.Response:
    """Goes all the way, with an authenticator app."""
    about = {"setup_code": code, "name": ADA["name"], "email": ADA["email"]}
    begun = await browser.post("/v1/setup/second-step", json=about)
    assert begun.status_code == 200, begun.text
    said = begun.json()
    way = {"password": PASSWORD, "opening": said["opening"], "code": pyotp.TOTP(said["secret"]).now()}
    return await browser.post(
        "/v1/setup", json=ADA | {"setup_code": code, "password": way | change.pop("way", {})} | change
    )


async def nothing_was_kept(story: Story) -> None:
    for table in ("accounts", "passkeys", "second_steps", "recovery_codes", "sessions", "audit"):
        assert (await story.one(f"SELECT count(*) FROM {table}"))[0] == 0, table
    assert (await story.one("SELECT name FROM tenants WHERE tenant_id = 1"))["name"] == "Example Borough"


async def test_set_up_with_a_password_and_an_app(fresh: Story) -> None:
    browser, code = a_browser(fresh), await code_for(fresh)
    spoken = f"{code[:4]} {code[4:8]}-{code[8:]}".lower()
    waiting = await browser.post("/v1/setup/code", json={"setup_code": spoken})
    assert waiting.json() == {"authority": "Example Borough", "passkeys": True}
    done = await by_password(browser, code)
    assert done.status_code == 201, done.text
    assert done.headers["cache-control"] == "no-store"
    assert len(set(done.json()["recovery_codes"])) == 10
    me = (await browser.get("/v1/me")).json()
    assert (me["role"], me["tenant"]["name"], me["limited"]) == ("administrator", "Made-up Shire", False)
    kept = await fresh.one("SELECT * FROM accounts")
    assert (kept["email"], kept["password_temporary"]) == ("first@example.org", False)
    assert (await fresh.one("SELECT second_way_required FROM tenants WHERE tenant_id = 1"))[0]
    sealer = fresh.app.state.services.sealer
    assert (await fresh.one("SELECT fingerprint FROM sealing_key"))[0] == sealer.fingerprint, "one key seals"
    entry = await fresh.one("SELECT * FROM audit WHERE action = 'service_set_up'")
    assert entry["subject"].endswith("Ada First")
    assert entry["origin"] == "127.0.0.1"

    again = await a_browser(fresh).post(
        "/v1/session", json={"email": "first@example.org", "password": PASSWORD}
    )
    assert again.status_code == 202, "the password alone is half the way"


async def test_set_up_with_a_passkey(fresh: Story) -> None:
    browser, code, device = a_browser(fresh), await code_for(fresh), a_device()
    about = {"setup_code": code, "name": ADA["name"], "email": ADA["email"]}
    said = (await browser.post("/v1/setup/passkey-options", json=about)).json()
    way = {"opening": said["opening"], "credential": device.create(said["options"]), "name": "laptop"}
    done = await browser.post("/v1/setup", json=ADA | {"setup_code": code, "passkey": way})
    assert done.status_code == 201, done.text
    assert (await browser.get("/v1/accounts")).status_code == 200
    elsewhere = a_browser(fresh)
    options = (await elsewhere.post("/v1/session/passkey-options")).json()
    asked = {"opening": options["opening"], "credential": device.get(options["options"])}
    assert (await elsewhere.post("/v1/session/passkey", json=asked)).status_code == 201
    assert (await fresh.one("SELECT password_hash FROM accounts"))[0] is None


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"way": {"password": "short"}}, 409, "at least 12"),
        ({"way": {"password": "passwordpassword"}}, 409, "again and again"),
        ({"way": {"password": "Password1234!!"}}, 409, "first that anybody would try"),
        ({"way": {"password": "ada.first@example.org"}}, 409, "little more than a name"),
        ({"way": {"code": "000000"}}, 409, "does not fit"),
        ({"way": {"opening": "made-up"}}, 409, "Begin again"),
        ({"password": None}, 422, "one of them"),
        ({"passkey": {"opening": "x", "credential": {}, "name": "x"}}, 422, "one of them"),
        ({"setup_code": "ABCDEFGHJKMN"}, 404, "not known"),
        ({"setup_code": ""}, 422, "setup_code"),
        ({"email": "nobody"}, 422, "email"),
        ({"authority": "two\nlines"}, 422, "authority"),
        ({"role": "auditor"}, 422, "role"),
    ],
)
async def test_bad_input_is_answered_once_and_keeps_nothing(
    fresh: Story, change: dict[str, Any], status: int, said: str
) -> None:
    browser, code = a_browser(fresh), await code_for(fresh)
    answer = await by_password(browser, code, **change)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]
    assert PASSWORD not in answer.text
    await nothing_was_kept(fresh)
    assert (await by_password(browser, code)).status_code == 201, "and the code is as good as before"


async def test_a_passkey_that_lies_sets_nothing_up(fresh: Story) -> None:
    browser, code = a_browser(fresh), await code_for(fresh)
    about = {"setup_code": code, "name": ADA["name"], "email": ADA["email"]}
    for lie in ({"origin": "https://elsewhere.test"}, {"rp_id": "elsewhere.test"}, {"verified": False}):
        said = (await browser.post("/v1/setup/passkey-options", json=about)).json()
        way = {
            "opening": said["opening"],
            "credential": a_device().create(said["options"], **lie),
            "name": "x",
        }
        answer = await browser.post("/v1/setup", json=ADA | {"setup_code": code, "passkey": way})
        assert answer.status_code == 409
    await nothing_was_kept(fresh)


async def test_it_cannot_be_done_twice(fresh: Story) -> None:
    code, other = await code_for(fresh), await code_for(fresh)
    assert (await by_password(a_browser(fresh), code)).status_code == 201
    for late in (code, other):
        for path, body in (
            ("/v1/setup/code", {"setup_code": late}),
            ("/v1/setup/second-step", {"setup_code": late, "name": "Eve", "email": "eve@example.org"}),
            ("/v1/setup/passkey-options", {"setup_code": late, "name": "Eve", "email": "eve@example.org"}),
        ):
            assert (await a_browser(fresh).post(path, json=body)).status_code == 409
    with pytest.raises(Conflict, match="administers this service already"):
        await code_for(fresh)


async def test_two_who_finish_at_the_same_moment_make_one_administrator(fresh: Story) -> None:
    codes = [await code_for(fresh) for _ in range(4)]
    begun = []
    for n, code in enumerate(codes):
        about = {"setup_code": code, "name": f"Person {n}", "email": f"p{n}@example.org"}
        said = (await a_browser(fresh).post("/v1/setup/second-step", json=about)).json()
        way = {"password": PASSWORD, "opening": said["opening"], "code": pyotp.TOTP(said["secret"]).now()}
        begun.append(about | {"authority": f"Shire {n}", "password": way})
    answers = await asyncio.gather(*(a_browser(fresh).post("/v1/setup", json=asked) for asked in begun))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (kept,) = await fresh.all("SELECT name FROM accounts")
    won = [answer.status_code for answer in answers].index(201)
    assert kept["name"] == f"Person {won}"
    assert (await fresh.one("SELECT name FROM tenants WHERE tenant_id = 1"))["name"] == f"Shire {won}"


async def test_a_code_is_good_for_a_day(fresh: Story) -> None:
    code = await code_for(fresh)
    await fresh.run("UPDATE setup_codes SET expires_at = $1", datetime.now(UTC) - timedelta(seconds=1))
    assert (await a_browser(fresh).post("/v1/setup/code", json={"setup_code": code})).status_code == 404


async def test_guessing_is_slow(fresh: Story) -> None:
    browser = a_browser(fresh, "192.0.2.66")
    statuses = [
        (await browser.post("/v1/setup/code", json={"setup_code": f"GUESS{n}"})).status_code for n in range(7)
    ]
    assert statuses == [404] * 5 + [429] * 2
    assert (
        await a_browser(fresh).post("/v1/setup/code", json={"setup_code": await code_for(fresh)})
    ).is_success


async def test_another_sites_page_sets_nothing_up(fresh: Story) -> None:
    browser = a_browser(fresh, Origin="https://elsewhere.test")
    answer = await browser.post("/v1/setup/code", json={"setup_code": await code_for(fresh)})
    assert answer.status_code == 403


async def test_somebody_who_has_an_account_already_cannot_be_the_first_again(fresh: Story) -> None:
    await fresh.run(
        "INSERT INTO accounts (tenant_id, email, name, role) VALUES (1, 'first@example.org', 'Finn', 'finance')"
    )
    answer = await by_password(a_browser(fresh), await code_for(fresh))
    assert answer.status_code == 409
    assert "has an account already" in answer.json()["detail"]
    assert (await fresh.one("SELECT name FROM tenants WHERE tenant_id = 1"))["name"] == "Example Borough"


async def test_what_a_set_up_began_is_no_way_to_add_a_passkey_for_somebody(story: Story) -> None:
    """An opening of the one is none of the other, though both are a passkey begun."""
    await story.run("UPDATE accounts SET role = 'quality' WHERE role = 'administrator'")
    browser, device = a_browser(story), a_device()
    about = {"setup_code": await code_for(story), "name": "Ada", "email": "a@example.org"}
    said = (await browser.post("/v1/setup/passkey-options", json=about)).json()
    dana = await story.signed_in("dana")
    asked = {"opening": said["opening"], "credential": device.create(said["options"]), "name": "x"}
    assert (await dana.post("/v1/me/passkeys", json=asked)).status_code == 409
