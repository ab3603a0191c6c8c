"""Who deals with an alert: one person at a time, seen by all."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.api.conftest import ADAMS_ALERT, ADAMS_VISIT, BAKER_ALERT, NOW, ZANDER_ALERT, Story

PATH = f"/v1/alerts/{ADAMS_ALERT}/acknowledgement"


async def alert(story: Story, alert_id: int = ADAMS_ALERT) -> tuple[str, str | None, int]:
    row = await story.one("SELECT * FROM alerts WHERE alert_id = $1", alert_id)
    return row["state"], row["owner"], row["position"]


async def head(story: Story) -> int:
    return int((await story.one("SELECT position FROM board_heads WHERE tenant_id = 1"))[0])


async def test_dana_takes_an_alert_on_and_the_board_hears_of_it(story: Story) -> None:
    listener = await asyncpg.connect(story.web.dsn)
    heard: asyncio.Queue[str] = asyncio.Queue()
    await listener.add_listener("ecm_board", lambda *said: heard.put_nowait(said[3]))

    answer = await (await story.signed_in("dana")).post(PATH, json={"note": "Ringing Alice"})

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["state"], shown["owner"]) == ("acknowledged", "Dana Duty")
    assert shown["acknowledged_at"] == "2026-11-21T09:16:00Z"
    assert shown["actions"] == [
        {
            "kind": "acknowledged",
            "made_by": "Dana Duty",
            "made_at": "2026-11-21T09:16:00Z",
            "note": "Ringing Alice",
        }
    ]
    assert await alert(story) == ("acknowledged", "Dana Duty", 1)
    assert await head(story) == 1
    assert await asyncio.wait_for(heard.get(), 30) == "1"
    await listener.close()
    entry = await story.one("SELECT * FROM audit")
    assert (entry["action"], entry["subject"], entry["reason"]) == (
        "alert_acknowledged",
        "alert 1",
        None,
    ), "the audit is read by those who may not read notes"
    assert entry["actor"].endswith("Dana Duty")
    assert (entry["at"], entry["origin"]) == (NOW, "127.0.0.1")


async def test_pressing_twice_changes_nothing(story: Story) -> None:
    dana = await story.signed_in("dana")
    first, second = await dana.post(PATH), await dana.post(PATH)
    assert first.json() == second.json()
    assert await head(story) == 1
    assert (await story.one("SELECT count(*) FROM alert_actions"))[0] == 1


async def test_of_two_officers_at_the_same_moment_one_owns_it_and_the_other_is_told_who(story: Story) -> None:
    dana, eve = await story.signed_in("dana"), await story.signed_in("eve")
    for round_number in range(1, 6):
        answers = await asyncio.gather(dana.post(PATH), eve.post(PATH))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        owner = next(a.json()["owner"] for a in answers if a.status_code == 200)
        refused = next(a for a in answers if a.status_code == 409)
        assert refused.json()["detail"] == f"{owner} is dealing with it."
        assert (await alert(story))[1] == owner
        assert (await story.one("SELECT count(*) FROM alert_actions"))[0] == 2 * round_number - 1
        await dana.delete(PATH)


async def test_of_two_officers_of_one_name_only_one_owns_it(story: Story) -> None:
    await story.run(
        "UPDATE accounts SET name = 'J Smith' WHERE email IN ('dana@example.org', 'eve@example.org')"
    )
    dana, eve = await story.signed_in("dana"), await story.signed_in("eve")
    assert (await dana.post(PATH)).json()["owner"] == "J Smith"
    second = await eve.post(PATH)
    assert (second.status_code, second.json()["detail"]) == (409, "J Smith is dealing with it.")
    assert (await dana.post(PATH)).status_code == 200


async def test_two_alerts_taken_at_once_get_two_positions_without_a_gap(story: Story) -> None:
    dana = await story.signed_in("dana")
    other = f"/v1/alerts/{BAKER_ALERT}/acknowledgement"
    for _ in range(5):
        taken = await asyncio.gather(dana.post(PATH), dana.post(other))
        given = await asyncio.gather(dana.delete(PATH), dana.delete(other))
        assert [answer.status_code for answer in (*taken, *given)] == [200] * 4
    assert {(await alert(story))[2], (await alert(story, BAKER_ALERT))[2]} == {19, 20}
    assert await head(story) == 20


async def test_eve_gives_back_what_dana_left_at_the_end_of_her_shift(story: Story) -> None:
    await (await story.signed_in("dana")).post(PATH)
    eve = await story.signed_in("eve")
    released = await eve.delete(PATH)
    assert (released.json()["state"], released.json()["owner"]) == ("open", None)
    assert [action["made_by"] for action in released.json()["actions"]] == ["Dana Duty", "Eve Evening"]
    assert (await eve.delete(PATH)).status_code == 200
    assert await alert(story) == ("open", None, 2)
    [todo] = await story.all(
        "SELECT visit_id FROM alert_queue"
    )  # whoever was left out meanwhile is to be told
    assert todo["visit_id"] == ADAMS_VISIT
    assert (await eve.post(PATH)).json()["owner"] == "Eve Evening"


async def test_what_evidence_has_stood_down_nobody_can_take_on(story: Story) -> None:
    await story.run("UPDATE alerts SET state = 'stood_down', stood_down_at = now()")
    dana = await story.signed_in("dana")
    for answer in (await dana.post(PATH), await dana.delete(PATH)):
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/conflict"
    assert await head(story) == 0
    assert (await story.one("SELECT count(*) FROM audit"))[0] == 0


@pytest.mark.parametrize(
    ("who", "status"),
    [("cory", 200), ("max", 200), ("cleo", 404), ("zed", 404), ("otto", 403), ("ada", 403), ("cara", 403)],
)
async def test_only_duty_desks_take_alerts_on_and_each_its_own(story: Story, who: str, status: int) -> None:
    assert (await (await story.signed_in(who)).post(PATH)).status_code == status
    assert (await alert(story))[0] == ("acknowledged" if status == 200 else "open")


async def test_a_key_cannot_take_an_alert_on(story: Story) -> None:
    system = await story.with_key("read", "ingest", "import")
    assert (await system.post(PATH)).status_code == 403


async def test_a_foreign_authoritys_alert_is_not_there(story: Story) -> None:
    dana = await story.signed_in("dana")
    assert (await dana.post(f"/v1/alerts/{ZANDER_ALERT}/acknowledgement")).status_code == 404
    assert (await dana.post(f"/v1/alerts/{2**63 - 1}/acknowledgement")).status_code == 404
    assert (await dana.post(f"/v1/alerts/{2**63}/acknowledgement")).status_code == 422
