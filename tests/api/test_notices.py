"""Ada looks at what happened in the night, and says that she has seen it."""

from __future__ import annotations

from ecm.lock import Lock
from ecm.notices import Kind, notice
from tests.api.conftest import NOW, Story


async def it_happened(story: Story, kind: Kind, subject: str, tenant_id: int = 1, times: int = 1) -> None:
    for _ in range(times):
        async with story.web.tenant(tenant_id) as connection:
            await notice(connection, kind, subject, NOW)


async def test_ada_sees_what_is_worth_knowing_and_what_to_do(story: Story) -> None:
    await it_happened(story, Kind.PASSKEY_COPIED, "account 4")
    await it_happened(story, Kind.GUESSING, "account 5", times=3)
    await it_happened(story, Kind.PASSKEY_COPIED, "account 9", tenant_id=2)
    ada = await story.signed_in("ada")
    [told] = (await ada.get("/v1/notices")).json()["items"]
    assert told["subject"] == "account 4"
    assert told["words"].startswith("Account 4 used a passkey whose counter went back")
    assert told["do"]


async def test_what_was_seen_is_gone_and_comes_back_when_it_goes_on(story: Story) -> None:
    await it_happened(story, Kind.RECOVERY_CODE_USED, "account 4", times=2)
    ada = await story.signed_in("ada")
    [told] = (await ada.get("/v1/notices")).json()["items"]
    assert told["times"] == 2
    seen = (await ada.post(f"/v1/notices/{told['id']}/seen")).json()
    assert seen["seen_by"].startswith("account ")
    assert (await ada.get("/v1/notices")).json()["items"] == []
    assert (await ada.post(f"/v1/notices/{told['id']}/seen")).json() == seen
    await it_happened(story, Kind.RECOVERY_CODE_USED, "account 4")
    [again] = (await ada.get("/v1/notices")).json()["items"]
    assert (again["id"] != told["id"], again["times"]) == (True, 1)
    assert len((await ada.get("/v1/notices", params={"seen": True})).json()["items"]) == 2
    assert (await story.one("SELECT count(*) FROM audit WHERE action = 'notice_seen'"))[0] == 2


async def test_an_auditor_reads_and_does_not_say_seen_and_a_duty_officer_does_neither(story: Story) -> None:
    await it_happened(story, Kind.PASSKEY_COPIED, "account 4")
    otto, dana = await story.signed_in("otto"), await story.signed_in("dana")
    [told] = (await otto.get("/v1/notices")).json()["items"]
    assert (await otto.post(f"/v1/notices/{told['id']}/seen")).status_code == 403
    assert (await dana.get("/v1/notices")).status_code == 403


async def test_a_notice_that_is_not_there_or_elsewhere_is_not_found(story: Story) -> None:
    await it_happened(story, Kind.PASSKEY_COPIED, "account 9", tenant_id=2)
    number = (await story.one("SELECT notice_id FROM notices"))[0]
    ada = await story.signed_in("ada")
    for sought in (number, number + 1):
        assert (await ada.post(f"/v1/notices/{sought}/seen")).status_code == 404


async def test_what_the_doors_write_down_is_noticed_by_itself(story: Story) -> None:
    """Twenty wrong passwords, and an administrator whom nobody expected."""
    for _ in range(5):
        await story.at_the_door().post("/v1/session", json={"email": "dana@example.org", "password": "guess"})
    ada = await story.signed_in("ada")
    new = {"email": "nina@example.org", "name": "Nina New", "role": "administrator"}
    number = (await ada.post("/v1/accounts", json=new)).json()["id"]
    [told] = (await ada.get("/v1/notices")).json()["items"]
    assert (told["kind"], told["subject"]) == ("administrator_made", f"account {number}")
    dana = (await story.one("SELECT account_id FROM accounts WHERE email LIKE 'dana@%'"))[0]
    guessed = await story.one("SELECT subject, times FROM notices WHERE kind = 'guessing'")
    assert tuple(guessed) == (f"account {dana}", 5)


async def test_nobody_makes_or_becomes_an_approver_of_payments_in_silence(story: Story) -> None:
    ada = await story.signed_in("ada")
    number: dict[str, int] = {}
    for name, role in (("nina", "finance_approver"), ("rosa", "quality")):
        new = {"email": f"{name}@example.org", "name": name, "role": role}
        number[name] = (await ada.post("/v1/accounts", json=new)).json()["id"]
        await ada.post(f"/v1/accounts/{number[name]}/password")
    told = [(n["kind"], n["subject"]) for n in (await ada.get("/v1/notices")).json()["items"]]
    nina = f"account {number['nina']}"
    assert sorted(told) == [("approver_let_in", nina), ("approver_made", nina)]
    assert (
        await ada.put(f"/v1/accounts/{number['rosa']}/role", json={"role": "finance_approver"})
    ).is_success
    assert await story.one("SELECT kind FROM notices WHERE subject = $1", f"account {number['rosa']}")


async def test_a_slip_a_week_is_no_guessing(story: Story) -> None:
    await it_happened(story, Kind.GUESSING, "account 4", times=19)
    await story.run("UPDATE notices SET last_at = last_at - interval '2 days'")
    await it_happened(story, Kind.GUESSING, "account 4")
    assert (await story.one("SELECT times FROM notices"))[0] == 1


async def test_whoever_may_see_no_notice_still_causes_one(story: Story) -> None:
    async with story.web.locked(Lock(1, "P1", None, "coordinator", "account 2")) as connection:
        await notice(connection, Kind.RECOVERY_CODE_USED, "account 2", NOW)
        assert await connection.fetch("SELECT FROM notices") == []
    assert (await story.one("SELECT count(*) FROM notices"))[0] == 1
