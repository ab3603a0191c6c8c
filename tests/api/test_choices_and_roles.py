"""What the pages of settings need of the interface: whom to choose, another role, what needs doing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import NOW, Story


async def id_of(story: Story, name: str) -> int:
    number: int = (await story.one("SELECT account_id FROM accounts WHERE name = $1", name))[0]
    return number


async def codes(story: Story, who: str) -> dict[str, int]:
    answer = await (await story.signed_in(who)).get("/v1/needs-doing")
    assert answer.status_code == 200
    return {item["code"]: item["count"] for item in answer.json()["items"]}


async def everybody_has_a_passkey(story: Story) -> None:
    await story.run(
        "INSERT INTO passkeys (tenant_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name,"
        " made_at) SELECT tenant_id, account_id, convert_to(email, 'UTF8'), '', 0, false, gen_random_uuid(), 'x', now()"
        " FROM accounts"
    )


# ---------------------------------------------------------------------- whom to choose


async def test_a_coordinator_chooses_among_her_own_providers_people(story: Story) -> None:
    cory, ada = await story.signed_in("cory"), await story.signed_in("ada")
    listed = [[one["ref"] for one in (await who.get("/v1/providers")).json()["items"]] for who in (cory, ada)]
    assert listed == [["P1"], ["P1", "P2"]]
    own = (await cory.get("/v1/care-workers", params={"provider": "P1"})).json()
    assert own["items"] == [{"ref": "CW-A", "name": "Alice"}], (
        "not Zoe, whose provider is called P1 elsewhere"
    )
    assert (await cory.get("/v1/care-workers", params={"provider": "P2"})).status_code == 403
    assert (await ada.get("/v1/care-workers", params={"provider": "P?"})).json()["items"] == []
    assert (await cory.get("/v1/care-workers")).status_code == 422


async def test_a_long_list_is_read_through_page_by_page(story: Story) -> None:
    ada = await story.signed_in("ada")
    first = (await ada.get("/v1/providers", params={"limit": 1})).json()
    assert (first["items"][0]["ref"], first["next"]) == ("P1", "P1")
    rest = (await ada.get("/v1/providers", params={"limit": 5, "cursor": first["next"]})).json()
    assert ([one["ref"] for one in rest["items"]], rest["next"]) == (["P2"], None)


@pytest.mark.parametrize("who", ["cara", "dana", "fay", "otto"])
async def test_nobody_else_is_told_who_works_where(story: Story, who: str) -> None:
    browser = await story.signed_in(who)
    paths = ("/v1/providers", "/v1/care-workers?provider=P1", "/v1/needs-doing")
    assert [(await browser.get(path)).status_code for path in paths] == [403] * 3


async def test_a_code_for_a_phone_comes_with_its_picture(story: Story) -> None:
    cory = await story.signed_in("cory")
    made = (await cory.post("/v1/enrolments", json={"care_worker": "CW-A"})).json()
    assert made["qr"]["size"] > 20
    assert made["qr"]["path"].startswith("M")


# ---------------------------------------------------------------------- another role


async def test_another_role_holds_from_the_next_request_on(story: Story) -> None:
    ada, dana = await story.signed_in("ada"), await story.signed_in("dana")
    assert (await dana.get("/v1/actuals", params={"period": "2026-W47"})).status_code == 403
    path = f"/v1/accounts/{await id_of(story, 'Dana Duty')}/role"
    changed = await ada.put(path, json={"role": "coordinator", "provider": "P2"})
    assert (changed.json()["role"], changed.json()["provider"]) == ("coordinator", "P2")
    assert (await dana.get("/v1/me")).json()["provider"] == "P2"
    entry = await story.one("SELECT * FROM audit WHERE action = 'role_changed'")
    assert entry["reason"] == "duty_officer to coordinator of P2"
    assert entry["subject"].endswith("Dana Duty")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"role": "coordinator"}, 409),
        ({"role": "coordinator", "provider": "P?"}, 409),
        ({"role": "quality", "provider": "P1"}, 409),
        ({"role": "emperor"}, 422),
        ({}, 422),
        ({"role": "quality", "extra": 1}, 422),
    ],
)
async def test_a_role_that_does_not_fit_changes_nothing(
    story: Story, asked: dict[str, Any], status: int
) -> None:
    ada = await story.signed_in("ada")
    path = f"/v1/accounts/{await id_of(story, 'Dana Duty')}/role"
    assert (await ada.put(path, json=asked)).status_code == status
    row = await story.one("SELECT role FROM accounts WHERE name = 'Dana Duty'")
    assert row["role"] == "duty_officer"


async def test_nobody_changes_their_own_role_or_a_strangers(story: Story) -> None:
    ada, dana = await story.signed_in("ada"), await story.signed_in("dana")
    own = await id_of(story, "Ada Administrator")
    stranger = await id_of(story, "Zed Duty")
    asked = {"role": "quality", "provider": None}
    assert (await ada.put(f"/v1/accounts/{own}/role", json=asked)).status_code == 409
    assert (await ada.put(f"/v1/accounts/{stranger}/role", json=asked)).status_code == 404
    assert (await dana.put(f"/v1/accounts/{own}/role", json=asked)).status_code == 403


async def test_two_administrators_who_demote_each_other_leave_one(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE name = 'Eve Evening'")
    ada, eve = await story.signed_in("ada"), await story.signed_in("eve")
    ids = [await id_of(story, name) for name in ("Eve Evening", "Ada Administrator")]
    asked = {"role": "quality", "provider": None}
    answers = await asyncio.gather(
        *(
            one.put(f"/v1/accounts/{number}/role", json=asked)
            for one, number in zip((ada, eve), ids, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers)[0] == 200
    left = await story.all("SELECT FROM accounts WHERE tenant_id = 1 AND role = 'administrator'")
    assert len(left) == 1


async def test_two_administrators_who_disable_each_other_leave_one(story: Story) -> None:
    await story.run("UPDATE accounts SET role = 'administrator' WHERE name = 'Eve Evening'")
    ada, eve = await story.signed_in("ada"), await story.signed_in("eve")
    ids = [await id_of(story, name) for name in ("Eve Evening", "Ada Administrator")]
    answers = await asyncio.gather(
        *(one.post(f"/v1/accounts/{number}/disablement") for one, number in zip((ada, eve), ids, strict=True))
    )
    assert sorted(answer.status_code for answer in answers)[0] == 200
    left = await story.all(
        "SELECT FROM accounts WHERE tenant_id = 1 AND role = 'administrator' AND disabled_at IS NULL"
    )
    assert len(left) == 1


# ---------------------------------------------------------------------- what needs doing


async def test_one_administrator_is_one_too_few(story: Story) -> None:
    await everybody_has_a_passkey(story)
    assert await codes(story, "ada") == {"second_administrator": 1}
    await story.run("UPDATE accounts SET role = 'administrator' WHERE name = 'Eve Evening'")
    assert await codes(story, "ada") == {}


async def test_an_authority_into_which_nothing_was_imported_is_told(story: Story) -> None:
    await story.run("INSERT INTO tenants (tenant_id, name) VALUES (3, 'New Town')")
    await story.run(
        "INSERT INTO accounts (tenant_id, email, name, role, password_hash)"
        " VALUES (3, 'nell@new.example.org', 'Nell', 'administrator', 'none')"
    )
    await everybody_has_a_passkey(story)
    assert await codes(story, "nell") == {"second_administrator": 1, "nothing_imported": 1}


async def test_a_phone_nobody_has_heard_of_for_a_fortnight_is_silent(story: Story) -> None:
    phone = "6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11"
    await story.run(
        "INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, enrolled_at,"
        " enrolled_by) VALUES (1, $1, 'P1', 'CW-A', 'phone', '{}', $2::timestamptz - interval '30 days', 'Cory')",
        phone,
        NOW,
    )
    assert await codes(story, "cory") == {"phones_silent": 1}
    assert await codes(story, "cleo") == {}, "it is another provider's"
    await story.run(
        "UPDATE check_events SET device_id = $1 WHERE tenant_id = 1 AND care_worker = 'CW-A'", phone
    )
    assert await codes(story, "cory") == {}


async def test_a_password_alone_and_one_that_somebody_else_has_seen_are_told_apart(story: Story) -> None:
    ada = await story.signed_in("ada")
    before = (await codes(story, "ada"))["one_way_in"]
    await ada.post(f"/v1/accounts/{await id_of(story, 'Dana Duty')}/password")
    now = await codes(story, "ada")
    assert (now["one_way_in"], now["temporary_passwords"]) == (before - 1, 1)
    listed = {one["name"]: one for one in (await ada.get("/v1/accounts")).json()["items"]}
    assert listed["Dana Duty"]["password_temporary"]
    assert listed["Eve Evening"]["ways"] == ["password"]
    await everybody_has_a_passkey(story)
    listed = {one["name"]: one for one in (await ada.get("/v1/accounts")).json()["items"]}
    assert listed["Eve Evening"]["ways"] == ["passkey", "password"]
    assert "one_way_in" not in await codes(story, "ada")


async def test_a_key_nobody_needs_and_a_leavers_phone_are_noticed(story: Story) -> None:
    await story.run(
        "INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at, used_at, revoked_at) VALUES"
        " (1, 'forgotten', '{read}', '1', $1::timestamptz - interval '91 days', NULL, NULL),"
        " (1, 'in use', '{read}', '2', $1::timestamptz - interval '91 days', current_date - 89, NULL),"
        " (1, 'no more', '{read}', '5', $1::timestamptz - interval '91 days', current_date - 92, NULL),"
        " (1, 'new', '{read}', '3', $1::timestamptz - interval '3 days', NULL, NULL),"
        " (1, 'ended', '{read}', '4', $1::timestamptz - interval '91 days', NULL, $1::timestamptz)",
        NOW,
    )
    await story.run(
        "INSERT INTO devices (tenant_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by)"
        " VALUES (1, 'P1', 'CW-A', 'phone', '{}', $1, 'Cory')",
        NOW,
    )
    await story.run("UPDATE care_workers SET left_at = $1, left_by = 'Cory' WHERE ref = 'CW-A'", NOW)
    told = await codes(story, "ada")
    assert (told["keys_unused"], told["phones_of_leavers"]) == (2, 1)
    assert await codes(story, "cory") == {"phones_of_leavers": 1}, "keys are no concern of a provider"


async def test_a_key_used_today_is_in_use_whatever_the_services_clock_shows(story: Story) -> None:
    """The day of its use is a real one, also where a service runs on a clock of its own."""
    for ahead in (timedelta(days=365), timedelta(days=-365)):
        story.clock.at = NOW + ahead
        await story.run("DELETE FROM api_keys")
        await story.run(
            "INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at, used_at) VALUES"
            " (1, 'in use', '{read}', '1', $1::timestamptz - interval '91 days', current_date),"
            " (1, 'no more', '{read}', '2', $1::timestamptz - interval '91 days', current_date - 91)",
            story.clock.at,
        )
        assert (await codes(story, "ada"))["keys_unused"] == 1, ahead


async def test_whoever_is_added_at_the_page_makes_a_password_of_their_own_first(story: Story) -> None:
    ada = await story.signed_in("ada")
    nina = {
        "email": "nina@example.org",
        "name": "Nina New",
        "role": "duty_officer",
        "password_temporary": True,
    }
    made = (await ada.post("/v1/accounts", json=nina)).json()
    came = story.at_the_door()
    said = await came.post("/v1/session", json={"email": made["email"], "password": made["password"]})
    assert (said.status_code, said.json()["limited"]) == (201, True)
    assert (await came.get("/v1/visits")).status_code == 403
    chosen = {"current": made["password"], "new": "tidy-lamp-river-9"}
    assert (await came.post("/v1/me/password", json=chosen)).status_code == 204
    assert (await came.get("/v1/visits")).status_code == 200


# ---------------------------------------------------------------------- who is a care worker too


async def test_cara_is_alice_and_is_told_what_is_held_of_both(story: Story) -> None:
    ada, cara = await story.signed_in("ada"), await story.signed_in("cara")
    number = await id_of(story, "Cara Care")
    assert "care_worker" not in (await cara.get("/v1/me/held")).json()["parts"]
    named = await ada.put(f"/v1/accounts/{number}/care-worker", json={"care_worker": "CW-A"})
    assert named.status_code == 200
    people = (await ada.get("/v1/accounts")).json()["items"]
    assert [one["care_worker"] for one in people if one["id"] == number] == ["CW-A"]
    parts = (await cara.get("/v1/me/held")).json()["parts"]
    assert [one["name"] for one in parts["care_worker"]] == ["Alice"]
    assert {"sessions", "visits", "events"} <= set(parts)
    entry = await story.one("SELECT subject, reason FROM audit WHERE action = 'care_worker_named'")
    assert tuple(entry) == (f"account {number} Cara Care", "care worker CW-A")
    # She leaves, as both.
    left = (await ada.post("/v1/care-workers/CW-A/departure", json={"reason": "moved away"})).json()
    assert left["sessions_ended"] == 1
    assert (await cara.get("/v1/me")).status_code == 401


@pytest.mark.parametrize("worker", ["CW-B", "CW-?"])
async def test_an_account_is_a_care_worker_of_its_own_provider_only(story: Story, worker: str) -> None:
    ada = await story.signed_in("ada")
    path = f"/v1/accounts/{await id_of(story, 'Cara Care')}/care-worker"
    assert (await ada.put(path, json={"care_worker": worker})).status_code == 409
    assert (await ada.put(path, json={})).status_code == 422
    dana = f"/v1/accounts/{await id_of(story, 'Dana Duty')}/care-worker"
    assert (await ada.put(dana, json={"care_worker": "CW-A"})).status_code == 409, "no provider's"
    assert (await ada.put("/v1/accounts/999999/care-worker", json={"care_worker": None})).status_code == 404
    max_ = await story.signed_in("max")
    assert (await max_.put(path, json={"care_worker": "CW-A"})).status_code == 403


async def test_with_another_provider_one_is_no_longer_the_care_worker_one_was(story: Story) -> None:
    ada, number = await story.signed_in("ada"), await id_of(story, "Cara Care")
    await ada.put(f"/v1/accounts/{number}/care-worker", json={"care_worker": "CW-A"})
    await ada.put(f"/v1/accounts/{number}/role", json={"role": "care_worker", "provider": "P2"})
    assert (await story.one("SELECT care_worker_ref FROM accounts WHERE account_id = $1", number))[0] is None
