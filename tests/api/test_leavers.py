"""Somebody leaves: everything they hold ends in one act, what they signed before still arrives; it can be undone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ecm.api.leavers import account_left, worker_left
from ecm.errors import Conflict, NotFound
from ecm.permit import Actor
from ecm.pins import hash_pin
from tests.api.conftest import NOW, PASSWORD, Story
from tests.api.test_phones import Caller, code_for

REASON = {"reason": "left the company"}
SYSTEM = Actor("system", 1, 0, "command line")
NOTHING = {
    "sessions_ended": 0,
    "phones_cut": 0,
    "enrolments_ended": 0,
    "passkeys_revoked": 0,
    "keys_to_look_at": [],
}


async def id_of(story: Story, name: str) -> int:
    found: int = (await story.one("SELECT account_id FROM accounts WHERE name = $1", name))["account_id"]
    return found


async def signs_in(story: Story, email: str) -> int:
    said = {"email": email, "password": PASSWORD}
    return (await story.at_the_door().post("/v1/session", json=said)).status_code


async def has_a_passkey(story: Story, account_id: int) -> None:
    await story.run(
        "INSERT INTO passkeys (tenant_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name,"
        " made_at) VALUES (1, $1, 'made-up', '', 0, false, gen_random_uuid(), 'laptop', now())",
        account_id,
    )


# ---------------------------------------------------------------------- a care worker


async def test_a_care_worker_leaves_and_her_phone_and_her_unused_code_with_her(story: Story) -> None:
    alices = Caller(story.at_the_door())
    await alices.enrol(await code_for(story, care_worker="CW-A"))
    unused = await code_for(story, care_worker="CW-A")
    shared_code = await code_for(story, provider="P1")
    assert (await alices.ask("GET", "/v1/app/today")).status_code == 200
    cory = await story.signed_in("cory")

    answer = await cory.post("/v1/care-workers/CW-A/departure", json=REASON)

    assert answer.json() == NOTHING | {"phones_cut": 1, "enrolments_ended": 1}
    told = await alices.ask("GET", "/v1/app/today")
    assert (told.status_code, told.json()["type"]) == (401, "/problems/cut-off")
    assert (await Caller(story.at_the_door()).enrol(unused)).status_code == 404
    assert (await Caller(story.at_the_door()).enrol(shared_code)).status_code == 201
    again = await cory.post("/v1/enrolments", json={"care_worker": "CW-A"})
    assert (again.status_code, again.json()["detail"]) == (409, "That care worker has left.")
    [entry] = await story.all("SELECT * FROM audit WHERE action = 'care_worker_left'")
    assert (entry["subject"], entry["reason"], entry["origin"]) == (
        "care worker CW-A",
        "left the company",
        "127.0.0.1",
    )
    assert entry["actor"].endswith("Cory Coordinator")


async def test_asked_again_the_first_instant_stays_and_what_came_since_ends_too(story: Story) -> None:
    cory = await story.signed_in("cory")
    await cory.post("/v1/care-workers/CW-A/departure", json=REASON)
    story.clock.at = NOW + timedelta(hours=1)
    assert (await cory.post("/v1/care-workers/CW-A/departure", json=REASON)).json() == NOTHING
    left = await story.one("SELECT left_at, left_by FROM care_workers WHERE tenant_id = 1 AND ref = 'CW-A'")
    assert (left["left_at"], left["left_by"].split()[0]) == (NOW, "account")


async def test_who_did_not_leave_after_all_gets_a_new_code(story: Story) -> None:
    cory = await story.signed_in("cory")
    await cory.post("/v1/care-workers/CW-A/departure", json=REASON)
    assert (await cory.delete("/v1/care-workers/CW-A/departure")).status_code == 204
    assert (await cory.post("/v1/enrolments", json={"care_worker": "CW-A"})).status_code == 201
    assert len(await story.all("SELECT FROM audit WHERE action = 'care_worker_came_back'")) == 1


@pytest.fixture
async def shared(story: Story) -> Caller:
    await story.run("UPDATE care_workers SET pin_hash = $1 WHERE tenant_id = 1", hash_pin("4711"))
    phone = Caller(story.at_the_door())
    await phone.enrol(await code_for(story, provider="P1"))
    return phone


async def test_a_leavers_ticket_and_pin_show_a_shared_phone_nothing_more(
    story: Story, shared: Caller
) -> None:
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    ticket = {"ECM-Unlock": opened.json()["unlock"]}
    assert (await shared.ask("GET", "/v1/app/today", **ticket)).status_code == 200
    await (await story.signed_in("max")).post("/v1/care-workers/CW-A/departure", json=REASON)

    asked = [
        await shared.ask("GET", "/v1/app/today", **ticket),
        await shared.ask("GET", "/v1/app/visits/1/key-safe", **ticket),
        await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"}),
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in asked} == {(403, "/problems/left")}
    guessed = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "0000"})
    assert guessed.json()["type"] == "/problems/not-permitted", "who does not know the PIN learns nothing"


async def test_a_leavers_call_for_help_is_taken_and_marked(story: Story, shared: Caller) -> None:
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    await (await story.signed_in("max")).post("/v1/care-workers/CW-A/departure", json=REASON)
    said = {"kind": "sos", "care_worker": "CW-A", "unlock": opened.json()["unlock"], "urgency": "now"}
    items = [
        shared.phone.item(said | {"id": f"019aa3f2-7d1e-7000-8000-0000000000{n}", "occurred_at": at})
        for n, at in ((71, "2026-11-21T09:15:59Z"), (72, "2026-11-21T09:16:01Z"))
    ]
    answer = await shared.at.post("/v1/reports", json=items, headers=shared.phone.headers)
    assert [each["status"] for each in answer.json()] == ["created", "created"]
    rows = await story.all("SELECT proofs FROM reports ORDER BY occurred_at")
    assert [row["proofs"] for row in rows] == [
        ["shared", "signed", "unlocked"],
        ["left", "shared", "signed"],
    ]


async def test_a_report_in_the_name_of_another_providers_leaver_is_marked_too(
    story: Story, shared: Caller
) -> None:
    await story.run("UPDATE care_workers SET left_at = $1, left_by = 'Ada' WHERE ref = 'CW-B'", NOW)
    said = {"kind": "sos", "care_worker": "CW-B", "urgency": "now", "occurred_at": "2026-11-21T09:16:01Z"}
    items = [shared.phone.item(said | {"id": "019aa3f2-7d1e-7000-8000-000000000073"})]
    answer = await shared.at.post("/v1/reports", json=items, headers=shared.phone.headers)
    assert answer.json()[0]["status"] == "created"
    assert (await story.one("SELECT proofs FROM reports"))["proofs"] == ["left", "shared", "signed"]


# ---------------------------------------------------------------------- an account


async def test_an_account_leaves_wherever_it_is_signed_in(story: Story) -> None:
    ada, dana, dana_id = (
        await story.signed_in("ada"),
        await story.signed_in("dana"),
        await id_of(story, "Dana Duty"),
    )
    assert await signs_in(story, "dana@example.org") == 201
    await has_a_passkey(story, dana_id)
    assert (await dana.post("/board/tickets")).status_code == 201

    answer = await ada.post(f"/v1/accounts/{dana_id}/departure", json=REASON)

    assert answer.json() == NOTHING | {"sessions_ended": 2, "passkeys_revoked": 1}
    assert (await dana.get("/v1/me")).status_code == 401
    assert await signs_in(story, "dana@example.org") == 401
    assert await story.all("SELECT FROM socket_tickets") == []
    assert len(await story.all("SELECT FROM audit WHERE action = 'account_left'")) == 1
    assert (await ada.delete(f"/v1/accounts/{dana_id}/departure")).status_code == 204
    assert await signs_in(story, "dana@example.org") == 201
    assert await story.all("SELECT FROM passkeys WHERE revoked_at IS NULL") == [], (
        "made anew by whoever returns"
    )


async def test_an_account_and_the_care_worker_it_names_leave_together(story: Story) -> None:
    await story.run(
        "UPDATE accounts SET care_worker_ref = 'CW-A' WHERE email IN ('cara@p1.example.org', 'max@p1.example.org')"
    )
    alices = Caller(story.at_the_door())
    await alices.enrol(await code_for(story, care_worker="CW-A"))
    cara, ada = await story.signed_in("cara"), await story.signed_in("ada")
    cara_id = await id_of(story, "Cara Care")

    answer = await ada.post(f"/v1/accounts/{cara_id}/departure", json=REASON)

    assert answer.json() == NOTHING | {"phones_cut": 1, "sessions_ended": 1}
    assert (await cara.get("/v1/me")).status_code == 401
    assert {
        row["action"] for row in await story.all("SELECT action FROM audit WHERE action LIKE '%left'")
    } == {
        "account_left",
        "care_worker_left",
    }
    left = await story.all("SELECT name FROM accounts WHERE left_at IS NOT NULL ORDER BY name")
    assert [row["name"] for row in left] == ["Cara Care", "Max Manager"]
    cory = await story.signed_in("cory")
    assert (await cory.delete("/v1/care-workers/CW-A/departure")).status_code == 403, "a manager among them"
    await ada.delete("/v1/care-workers/CW-A/departure")
    assert await story.all("SELECT FROM accounts WHERE left_at IS NOT NULL") == []


# ---------------------------------------------------------------------- who may, and whom


@pytest.mark.parametrize(
    ("who", "of_alice", "of_cara", "of_dana"),
    [
        ("ada", 200, 200, 200),
        ("cory", 200, 200, 404),
        ("max", 200, 200, 404),
        ("cleo", 404, 404, 404),
        ("dana", 403, 403, 403),
        ("cara", 403, 403, 403),
        ("otto", 403, 403, 403),
        ("zed", 403, 403, 403),
    ],
)
async def test_each_ends_their_own_people_only(
    story: Story, who: str, of_alice: int, of_cara: int, of_dana: int
) -> None:
    browser = await story.signed_in(who)
    asked = [
        "/v1/care-workers/CW-A/departure",
        f"/v1/accounts/{await id_of(story, 'Cara Care')}/departure",
        f"/v1/accounts/{await id_of(story, 'Dana Duty')}/departure",
    ]
    undone = [(await browser.delete(path)).status_code for path in asked]
    done = [(await browser.post(path, json=REASON)).status_code for path in asked]
    assert done == [of_alice, of_cara, of_dana]
    account = 204 if who == "ada" else 403  # who lets somebody sign in again may make an account
    assert undone == [204 if of_alice == 200 else of_alice, account, account]


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("cory", "Max Manager", 403),
        ("max", "Cory Coordinator", 200),
        ("ada", "Max Manager", 200),
    ],
)
async def test_nobody_lets_somebody_go_who_stands_above_them(
    story: Story, who: str, whom: str, status: int
) -> None:
    browser, number = await story.signed_in(who), await id_of(story, whom)
    answer = await browser.post(f"/v1/accounts/{number}/departure", json=REASON)
    assert answer.status_code == status
    left = await story.all("SELECT name FROM accounts WHERE left_at IS NOT NULL")
    assert [row["name"] for row in left] == ([whom] if status == 200 else [])


async def test_a_care_worker_comes_back_by_the_provider_and_their_account_by_an_administrator(
    story: Story,
) -> None:
    await story.run("UPDATE accounts SET care_worker_ref = 'CW-A' WHERE email = 'cara@p1.example.org'")
    cory, ada = await story.signed_in("cory"), await story.signed_in("ada")
    await cory.post("/v1/care-workers/CW-A/departure", json=REASON)
    for browser, left in ((cory, ["Cara Care"]), (ada, [])):
        assert (await browser.delete("/v1/care-workers/CW-A/departure")).status_code == 204
        still = await story.all("SELECT name FROM accounts WHERE left_at IS NOT NULL")
        assert [row["name"] for row in still] == left
        assert await story.all("SELECT FROM care_workers WHERE left_at IS NOT NULL") == []
    assert len(await story.all("SELECT FROM audit WHERE action = 'account_came_back'")) == 1


async def test_who_is_more_than_their_providers_is_left_to_an_administrator(story: Story) -> None:
    await story.run("UPDATE accounts SET care_worker_ref = 'CW-B' WHERE email = 'cara@p1.example.org'")
    cory, cara_id = await story.signed_in("cory"), await id_of(story, "Cara Care")
    assert (await cory.post(f"/v1/accounts/{cara_id}/departure", json=REASON)).status_code == 403
    assert await story.all("SELECT FROM accounts WHERE left_at IS NOT NULL") == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/care-workers/CW-NOBODY/departure", REASON, 404),
        ("/v1/accounts/999999/departure", REASON, 404),
        ("/v1/care-workers/CW-A/departure", {}, 422),
        ("/v1/care-workers/CW-A/departure", {"reason": ""}, 422),
        ("/v1/care-workers/CW-A/departure", REASON | {"when": "yesterday"}, 422),
    ],
)
async def test_bad_input_is_told_and_ends_nothing(
    story: Story, path: str, body: dict[str, Any], status: int
) -> None:
    ada = await story.signed_in("ada")
    assert (await ada.post(path, json=body)).status_code == status
    assert await story.all("SELECT FROM care_workers WHERE left_at IS NOT NULL") == []


async def test_nobody_ends_themselves_and_the_last_administrator_cannot_leave(story: Story) -> None:
    ada, ada_id = await story.signed_in("ada"), await id_of(story, "Ada Administrator")
    assert (await ada.post(f"/v1/accounts/{ada_id}/departure", json=REASON)).status_code == 409
    with pytest.raises(Conflict, match="last administrator"):
        await account_left(story.web, SYSTEM, "ada@example.org", "left", NOW)
    assert (await ada.get("/v1/me")).status_code == 200


async def test_of_two_administrators_who_end_each_other_at_the_same_moment_one_stays(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE email = 'eve@example.org'")
    ada, eve = await story.signed_in("ada"), await story.signed_in("eve")
    ids = await id_of(story, "Eve Evening"), await id_of(story, "Ada Administrator")

    async def ends(browser: httpx.AsyncClient, account_id: int) -> int:
        return (await browser.post(f"/v1/accounts/{account_id}/departure", json=REASON)).status_code

    statuses = await asyncio.gather(ends(ada, ids[0]), ends(eve, ids[1]))
    assert sorted(statuses)[0] == 200
    assert sorted(statuses)[1] in (401, 409)
    standing = "SELECT FROM accounts WHERE role = 'administrator' AND tenant_id = 1 AND left_at IS NULL"
    assert len(await story.all(standing)) == 1


async def test_keys_a_leaver_may_know_are_named_to_who_may_revoke_them(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE email = 'eve@example.org'")
    await story.with_key("read")  # by the command line
    eve, ada = await story.signed_in("eve"), await story.signed_in("ada")
    for browser, name in ((eve, "Eve's"), (eve, "Revoked"), (ada, "Ada's")):
        made = await browser.post("/v1/keys", json={"name": name, "scopes": ["read"]})
        if name == "Revoked":
            await eve.post(f"/v1/keys/{made.json()['id']}/revocation")
    eve_id, dana_id = await id_of(story, "Eve Evening"), await id_of(story, "Dana Duty")
    told = (await ada.post(f"/v1/accounts/{eve_id}/departure", json=REASON)).json()
    assert [key["name"] for key in told["keys_to_look_at"]] == ["A system", "Eve's"]
    told = (await ada.post(f"/v1/accounts/{dana_id}/departure", json=REASON)).json()
    assert told["keys_to_look_at"] == [], "no duty officer was ever shown one"


async def test_the_command_line_ends_them_too(story: Story) -> None:
    dana = await story.signed_in("dana")
    departure = await account_left(story.web, SYSTEM, "Dana@Example.ORG", "left", NOW)
    assert departure.sessions_ended == 1
    assert (await dana.get("/v1/me")).status_code == 401
    assert (await worker_left(story.web, SYSTEM, "CW-A", "left", NOW)).phones_cut == 0
    with pytest.raises(NotFound, match="No account"):
        await account_left(story.web, SYSTEM, "nobody@example.org", "left", NOW)
    with pytest.raises(NotFound, match="no such care worker"):
        await worker_left(story.web, SYSTEM, "CW-NOBODY", "left", NOW)
    by = await story.all("SELECT DISTINCT actor FROM audit WHERE action LIKE '%left'")
    assert [row["actor"] for row in by] == ["system 0 command line"]
