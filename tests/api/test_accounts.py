"""Who may come in at all: accounts, their passwords, and keys."""

from __future__ import annotations

import asyncio

import pytest

from ecm.api.accounts import create_account, create_key
from ecm.errors import Conflict
from tests.api.conftest import NOW, PASSWORD, Story

NINA = {"email": "nina@example.org", "name": "Nina New", "role": "duty_officer"}


async def test_ada_makes_an_account_and_its_owner_signs_in_with_the_password_shown_once(story: Story) -> None:
    ada = await story.signed_in("ada")
    answer = await ada.post("/v1/accounts", json=NINA | {"email": "Nina@Example.ORG"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    password = answer.json()["password"]
    nina = story.at_the_door()
    assert (
        await nina.post("/v1/session", json={"email": "nina@example.org", "password": password})
    ).status_code == 201
    listed = (await ada.get("/v1/accounts")).text
    assert "nina@example.org" in listed
    assert password not in listed
    assert "argon2" not in listed
    assert "zed@" not in listed
    stored = await story.one("SELECT * FROM accounts WHERE name = 'Nina New'")
    assert password not in str(dict(stored))
    entry = await story.one("SELECT * FROM audit WHERE action = 'account_created'")
    assert entry["subject"] == f"account {stored['account_id']} Nina New"
    assert entry["actor"].endswith("Ada Administrator")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"email": "dana@example.org"}, 409),
        ({"role": "coordinator"}, 409),
        ({"role": "coordinator", "provider": "P?"}, 409),
        ({"provider": "P1"}, 409),
        ({"role": "emperor"}, 422),
        ({"email": "nina"}, 422),
        ({"name": ""}, 422),
        ({"role": "coordinator", "provider": "P1"}, 201),
    ],
)
async def test_an_account_fits_its_role(story: Story, change: dict[str, str], status: int) -> None:
    ada = await story.signed_in("ada")
    assert (await ada.post("/v1/accounts", json=NINA | change)).status_code == status


async def test_disabling_ends_every_session_at_once_and_can_be_undone(story: Story) -> None:
    ada, dana = await story.signed_in("ada"), await story.signed_in("dana")
    dana_id = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))[0]
    disabled = await ada.post(f"/v1/accounts/{dana_id}/disablement")
    assert disabled.json()["disabled_at"] is not None
    assert (await dana.get("/v1/me")).status_code == 401
    again = await ada.post(f"/v1/accounts/{dana_id}/disablement")
    assert again.json() == disabled.json()
    assert (await ada.delete(f"/v1/accounts/{dana_id}/disablement")).json()["disabled_at"] is None
    sign_in = {"email": "dana@example.org", "password": PASSWORD}
    assert (await story.at_the_door().post("/v1/session", json=sign_in)).status_code == 201
    assert (await dana.get("/v1/me")).status_code == 401


async def test_ada_cannot_disable_herself(story: Story) -> None:
    ada = await story.signed_in("ada")
    ada_id = (await story.one("SELECT account_id FROM accounts WHERE name = 'Ada Administrator'"))[0]
    assert (await ada.post(f"/v1/accounts/{ada_id}/disablement")).status_code == 409
    assert (await ada.get("/v1/me")).status_code == 200


async def test_two_administrators_who_disable_each_other_at_once_leave_one(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE email = 'eve@example.org'")
    ada, eve = await story.signed_in("ada"), await story.signed_in("eve")
    ids = [(await story.one("SELECT account_id FROM accounts WHERE name LIKE $1", f"{name} %"))[0]
           for name in ("Eve", "Ada")]  # fmt: skip
    answers = await asyncio.gather(
        *(one.post(f"/v1/accounts/{number}/disablement") for one, number in zip((ada, eve), ids, strict=True))
    )
    assert sorted(answer.status_code for answer in answers)[0] == 200
    left = await story.all("SELECT FROM accounts WHERE role = 'administrator' AND disabled_at IS NULL")
    assert len(left) == 1


async def test_a_lost_password_is_replaced_and_the_old_one_is_worth_nothing(story: Story) -> None:
    ada, dana = await story.signed_in("ada"), await story.signed_in("dana")
    dana_id = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))[0]
    password = (await ada.post(f"/v1/accounts/{dana_id}/password")).json()["password"]
    assert (await dana.get("/v1/me")).status_code == 401
    for given, status in ((PASSWORD, 401), (password, 201)):
        sign_in = {"email": "dana@example.org", "password": given}
        assert (await story.at_the_door().post("/v1/session", json=sign_in)).status_code == status


async def test_dana_changes_her_password_and_is_signed_out_everywhere_else(story: Story) -> None:
    here, elsewhere = await story.signed_in("dana"), story.at_the_door()
    await elsewhere.post("/v1/session", json={"email": "dana@example.org", "password": PASSWORD})
    new = "another-made-up-phrase"
    wrong = await here.post("/v1/me/password", json={"current": "not it", "new": new})
    assert wrong.status_code == 409
    short = await here.post("/v1/me/password", json={"current": PASSWORD, "new": "short"})
    assert short.status_code == 422
    assert "short" not in short.text.replace("too_short", "")
    changed = await here.post("/v1/me/password", json={"current": PASSWORD, "new": new})
    assert changed.status_code == 204
    assert (await here.get("/v1/me")).status_code == 200
    assert (await elsewhere.get("/v1/me")).status_code == 401
    sign_in = {"email": "dana@example.org", "password": new}
    assert (await story.at_the_door().post("/v1/session", json=sign_in)).status_code == 201


async def test_a_password_is_taken_as_it_is_typed_to_the_last_space(story: Story) -> None:
    """ASVS 6.2.8, 6.2.9: of any letters, and long."""
    chosen = " Zwölf Boxkämpfer  jagen VIKTOR \U0001f9e6 quer über den Deich " + "x7 " * 60
    dana = await story.signed_in("dana")
    asked = {"current": PASSWORD, "new": chosen}
    assert (await dana.post("/v1/me/password", json=asked)).status_code == 204
    form = await story.at_the_door().post("/sign-in", data={"email": "dana@example.org", "password": chosen})
    assert form.headers["location"] == "/board"
    nearly = [chosen.strip(), chosen.lower(), chosen[:-1], chosen[:72]]
    for said, status in ((chosen, 201), *((each, 401) for each in nearly)):
        asked = {"email": "dana@example.org", "password": said}
        assert (await story.at_the_door().post("/v1/session", json=asked)).status_code == status


async def test_a_key_works_until_it_is_revoked_and_is_shown_once(story: Story) -> None:
    ada = await story.signed_in("ada")
    made = await ada.post("/v1/keys", json={"name": "Reports", "scopes": ["read"]})
    assert made.status_code == 201
    key, key_id = made.json()["key"], made.json()["id"]
    system = story.at_the_door(Authorization=f"Bearer {key}")
    del system.headers["Origin"]
    assert (await system.get("/v1/visits")).status_code == 200
    assert (await system.get("/v1/unmatched")).status_code == 403
    assert key not in (await ada.get("/v1/keys")).text
    revoked = await ada.post(f"/v1/keys/{key_id}/revocation")
    assert revoked.json()["revoked_at"] == "2026-11-21T09:16:00Z"
    assert (await system.get("/v1/visits")).status_code == 401


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read"] * 4])
async def test_a_key_is_for_known_scopes(story: Story, scopes: list[str]) -> None:
    ada = await story.signed_in("ada")
    assert (await ada.post("/v1/keys", json={"name": "Odd", "scopes": scopes})).status_code == 422


@pytest.mark.parametrize("who", ["cara", "cory", "max", "dana", "fay", "fred", "quin", "otto"])
async def test_only_an_administrator_manages_accounts_and_keys(story: Story, who: str) -> None:
    browser = await story.signed_in(who)
    asked = [
        await browser.get("/v1/accounts"),
        await browser.post("/v1/accounts", json=NINA),
        await browser.post("/v1/accounts/1/disablement"),
        await browser.delete("/v1/accounts/1/disablement"),
        await browser.post("/v1/accounts/1/password"),
        await browser.get("/v1/keys"),
        await browser.post("/v1/keys", json={"name": "Mine", "scopes": ["read"]}),
        await browser.post("/v1/keys/1/revocation"),
    ]
    assert [answer.status_code for answer in asked] == [403] * 8


async def test_an_administrator_of_another_authority_is_no_administrator_here(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE tenant_id = 2")
    zed = await story.signed_in("zed")
    dana_id = (await story.one("SELECT account_id FROM accounts WHERE name = 'Dana Duty'"))[0]
    assert (await zed.post(f"/v1/accounts/{dana_id}/disablement")).status_code == 404
    assert (await zed.post(f"/v1/accounts/{dana_id}/password")).status_code == 404
    assert [one["name"] for one in (await zed.get("/v1/accounts")).json()["items"]] == ["Zed Duty"]


async def test_the_command_line_makes_the_first_account_and_key(story: Story) -> None:
    password = await create_account(story.owner, 1, "First@Example.org", "First", "administrator", None, NOW)
    sign_in = {"email": "first@example.org", "password": password}
    assert (await story.at_the_door().post("/v1/session", json=sign_in)).status_code == 201
    key = await create_key(story.web, 1, "Gateway", ["ingest"], NOW)
    me = await story.at_the_door(Authorization=f"Bearer {key}").get("/v1/me")
    assert me.json()["scopes"] == ["ingest"]
    with pytest.raises(Conflict, match="has an account already"):
        await create_account(story.owner, 1, "first@example.org", "First", "administrator", None, NOW)
    with pytest.raises(Conflict, match="There is no role"):
        await create_account(story.owner, 1, "second@example.org", "Second", "emperor", None, NOW)
    with pytest.raises(Conflict, match="A key is for"):
        await create_key(story.owner, 1, "Odd", ["everything"], NOW)
    by = await story.all("SELECT DISTINCT actor FROM audit WHERE action LIKE '%created'")
    assert [row["actor"] for row in by] == ["command line"]


async def test_the_audit_tells_an_auditor_who_did_what(story: Story) -> None:
    await (await story.signed_in("dana")).post("/v1/alerts/1/acknowledgement")
    await (await story.signed_in("zed")).post("/v1/alerts/3/acknowledgement")
    (entry,) = (await (await story.signed_in("otto")).get("/v1/audit")).json()["items"]
    assert (entry["action"], entry["subject"]) == ("alert_acknowledged", "alert 1")
    assert (await (await story.signed_in("dana")).get("/v1/audit")).status_code == 403


async def test_whoever_finds_a_browser_open_does_not_guess_its_password_at_leisure(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecm.api.accounts.monotonic", lambda: 1_000.0)
    dana, eve = await story.signed_in("dana"), await story.signed_in("eve")
    said = {"current": "a guess", "new": "another-long-made-up-phrase"}
    statuses = [(await dana.post("/v1/me/password", json=said)).status_code for _ in range(7)]
    assert statuses == [409, 409, 409, 409, 409, 429, 429]
    assert (await eve.post("/v1/me/password", json=said | {"current": PASSWORD})).status_code == 204


@pytest.mark.parametrize(
    "name", ["Nina\nAdministrator", "Nina\x1b[2J", "Nina \u202egnitiduA", "N\u200bina", ""]
)
async def test_a_name_is_one_line_of_what_can_be_seen(story: Story, name: str) -> None:
    ada = await story.signed_in("ada")
    account = {"email": "nina@example.org", "name": name, "role": "duty_officer"}
    assert (await ada.post("/v1/accounts", json=account)).status_code == 422
    assert (await ada.post("/v1/keys", json={"name": name, "scopes": ["read"]})).status_code == 422
    account["name"] = "Niña O’Neill-Ødegård 李"
    assert (await ada.post("/v1/accounts", json=account)).status_code == 201
