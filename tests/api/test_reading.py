"""Who sees what: visits, evidence, alerts, the unmatched and the quarantine."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import (
    ADAMS_ALERT,
    ADAMS_CHECK_IN,
    ADAMS_VISIT,
    ALICE_SOMEWHERE,
    BAKER_ALERT,
    BAKER_CHECK_IN,
    BAKER_VISIT,
    NOBODY_SOMEWHERE,
    ZANDER_ALERT,
    ZANDER_CHECK_IN,
    ZANDER_VISIT,
    Story,
)

ADAMS, BAKER, ZANDER = 0, 1, 2
VISITS = (ADAMS_VISIT, BAKER_VISIT, ZANDER_VISIT)
ALERTS = (ADAMS_ALERT, BAKER_ALERT, ZANDER_ALERT)
CHECK_INS = (ADAMS_CHECK_IN, BAKER_CHECK_IN, ZANDER_CHECK_IN)

# Whose visits, alerts and evidence each of the cast sees.
SEES = {
    "cory": {ADAMS},
    "max": {ADAMS},
    "cleo": {BAKER},
    "dana": {ADAMS, BAKER},
    "fay": {ADAMS, BAKER},
    "quin": {ADAMS, BAKER},
    "ada": {ADAMS, BAKER},
    "otto": {ADAMS, BAKER},
    "zed": {ZANDER},
    "cara": set(),
}


async def items(browser: httpx.AsyncClient, path: str) -> list[dict[str, object]]:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["items"]
    return found


@pytest.mark.parametrize("who", SEES)
async def test_each_sees_their_own_and_for_the_rest_there_is_no_such_thing(story: Story, who: str) -> None:
    browser = await story.signed_in(who)
    for path, ids in (("visits", VISITS), ("alerts", ALERTS), ("check-events", CHECK_INS)):
        expected = [404, 404, 404]
        for whose in SEES[who]:
            expected[whose] = 200
        statuses = [(await browser.get(f"/v1/{path}/{one}")).status_code for one in ids]
        listed = await browser.get(f"/v1/{path}")
        if not SEES[who]:
            assert statuses == [403, 403, 403]
            assert listed.status_code == 403
            continue
        assert statuses == expected
        seen = {str(one["id"]) for one in listed.json()["items"]} & {str(one) for one in ids}
        assert seen == {str(ids[whose]) for whose in SEES[who]}


async def test_a_visit_tells_plan_evidence_changes_and_alerts(story: Story) -> None:
    visit = (await (await story.signed_in("dana")).get(f"/v1/visits/{ADAMS_VISIT}")).json()
    assert visit["ref"] == "V-A"
    assert visit["date"] == "2026-11-21"
    assert visit["planned"] == {"start": "2026-11-21T09:00:00Z", "end": "2026-11-21T09:30:00Z"}
    assert visit["service_user_name"] == "Ms Adams"
    assert visit["care_workers"] == ["CW-A"]
    assert visit["payable"] is None
    assert [event["id"] for event in visit["evidence"]] == [str(ADAMS_CHECK_IN)]
    assert [alert["id"] for alert in visit["alerts"]] == [ADAMS_ALERT]
    assert visit["transitions"] == visit["amendments"] == []


async def test_only_those_who_must_find_the_door_read_the_address_and_the_exact_fix(story: Story) -> None:
    dana, fay = await story.signed_in("dana"), await story.signed_in("fay")
    reader = await story.with_key("read")
    in_full = (await dana.get(f"/v1/visits/{ADAMS_VISIT}")).json()
    found = {name: in_full["place"][name] for name in ("area", "address", "postcode")}
    assert found == {"area": "North", "address": "1 Madeup Lane", "postcode": "ZZ1 1AA"}
    assert in_full["evidence"][0]["fix"]["lat"] == 53.812345
    assert (await dana.get(f"/v1/check-events/{BAKER_CHECK_IN}")).json()["cli"] == "+441134960123"
    for other in (fay, reader):
        text = (await other.get(f"/v1/visits/{ADAMS_VISIT}")).text
        assert "Madeup Lane" not in text
        assert "ZZ1" not in text
        assert "53.8123" not in text
        event = (await other.get(f"/v1/check-events/{ADAMS_CHECK_IN}")).json()
        assert (event["fix"]["lat"], event["fix"]["lon"]) == (53.81, -1.54)
        assert event["fix"]["reduced"] is True
        assert (await other.get(f"/v1/check-events/{BAKER_CHECK_IN}")).json()["cli"] == "…123"
    for path in ("/v1/visits", "/v1/alerts", "/v1/check-events", "/v1/unmatched"):
        text = (await dana.get(path)).text
        assert "Madeup Lane" not in text
        assert "53.8123" not in text


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("date=2026-11-21", ["V-A", "V-B"]),
        ("date=2026-11-22", []),
        ("state=late", ["V-B"]),
        ("provider=P1", ["V-A"]),
        ("worker=CW-B", ["V-B"]),
        ("worker=CW-C", ["V-A"]),
        ("person=SU-B", ["V-B"]),
        ("person=SU-B&provider=P1", []),
        ("date=0001-01-01", []),
        ("date=9999-12-31", []),
    ],
)
async def test_visits_are_found_by_date_state_provider_worker_and_person(
    story: Story, query: str, refs: list[str]
) -> None:
    await story.run(
        "UPDATE visits SET attendances = $1 WHERE visit_id = 1",
        [{"care_worker": "CW-C", "check_in_at": "2026-11-21T09:02:00Z", "check_out_at": None}],
    )
    found = await items(await story.signed_in("dana"), f"/v1/visits?{query}")
    assert [one["ref"] for one in found] == refs


async def test_a_provider_cannot_ask_for_anothers_visits(story: Story) -> None:
    assert await items(await story.signed_in("cory"), "/v1/visits?provider=P2") == []


async def test_payable_minutes_come_from_every_run_so_far(story: Story) -> None:
    await story.run("""
        INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on) VALUES
          (1, '2026-W47', '2026-11-16', '2026-11-22'), (1, '2026-W48', '2026-11-23', '2026-11-29');
        INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref,
          funder, local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence,
          steps, computed_at)
        SELECT 1, period, 1, 1, 'P1', 'SU-A', 'council', '2026-11-21', 'completed', 1800, 1800, seconds, pence, 0,
          '[]', now()
        FROM (VALUES ('2026-W47', 1800, 1100), ('2026-W48', -450, -275)) AS l (period, seconds, pence);
    """)
    adams, baker = await items(await story.signed_in("fay"), "/v1/visits")
    assert adams["payable"] == {"minutes": 22.5, "amount_pence": 825}
    assert baker["payable"] is None
    [adams] = await items(await story.signed_in("cory"), "/v1/visits")
    assert adams["payable"] == {"minutes": 22.5, "amount_pence": None}


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        ("fay", True),
        ("otto", True),
        ("max", True),
        ("cory", False),
        ("dana", False),
        ("quin", False),
        ("ada", False),
    ],
)
async def test_what_an_hour_costs_is_for_those_who_may_read_actuals(
    story: Story, who: str, reads: bool
) -> None:
    """Two came, at 19.20 an hour. How the minutes were reached is for everybody who reads the visit."""
    rules = {"payment": {"rate_pence_per_hour": 1920, "cap": "planned"}}
    await story.run(
        "INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, rules, added_at)"
        " VALUES (1, 'C-1', 'P1', '*', '2026-01-01', $1, now())",
        rules,
    )
    stay = {"check_in_at": "2026-11-21T09:00:00Z", "check_out_at": "2026-11-21T09:30:00Z", "amended": False}
    came = [stay | {"care_worker": worker} for worker in ("CW-A", "CW-B")]
    await story.run("UPDATE visits SET state = 'completed', attendances = $1 WHERE visit_id = 1", came)
    answer = await (await story.signed_in(who)).get(f"/v1/visits/{ADAMS_VISIT}")
    working = answer.json()["working"]
    assert (working["minutes"], working["amount_pence"]) == (60, 1920 if reads else None)
    assert {step["rule"] for step in working["steps"]} == {"recorded", "basis", "cap"} | (
        {"rate", "workers"} if reads else set()
    )
    assert ("1920" in answer.text) == ("£" in answer.text) == reads


@pytest.mark.parametrize("path", ["/v1/visits", "/v1/check-events", "/v1/alerts", "/v1/unmatched"])
async def test_a_list_read_one_by_one_is_the_list(story: Story, path: str) -> None:
    dana = await story.signed_in("dana")
    whole = await items(dana, path)
    assert len(whole) >= 2
    following, one_by_one = f"{path}?limit=1", []
    while following:
        answer = await dana.get(following)
        one_by_one += answer.json()["items"]
        link = answer.headers.get("link", "")
        assert bool(link) == bool(answer.json()["next"])
        following = link.partition("<")[2].partition(">")[0]
    assert one_by_one == whole


async def test_the_next_page_keeps_the_question(story: Story) -> None:
    answer = await (await story.signed_in("dana")).get("/v1/visits?date=2026-11-21&provider=P1&limit=1")
    assert answer.headers["link"].startswith("</v1/visits?date=2026-11-21&provider=P1&limit=1&cursor=")
    assert answer.headers["link"].endswith('>; rel="next"')


async def test_check_events_are_listed_by_the_local_date_they_were_received(story: Story) -> None:
    dana = await story.signed_in("dana")
    friday = await items(dana, "/v1/check-events?date=2026-11-20")
    saturday = await items(dana, "/v1/check-events?date=2026-11-21")
    assert [one["id"] for one in friday] == [str(NOBODY_SOMEWHERE)]
    assert [one["id"] for one in saturday] == [str(ADAMS_CHECK_IN), str(BAKER_CHECK_IN), str(ALICE_SOMEWHERE)]
    assert await items(dana, "/v1/check-events?date=9999-12-31") == []
    assert await items(dana, "/v1/check-events?date=0001-01-01") == []
    assert saturday[0] == {
        "id": str(ADAMS_CHECK_IN),
        "received_at": "2026-11-21T09:02:04Z",
        "kind": "check_in",
        "visit": ADAMS_VISIT,
        "status": "matched",
        "reason": "named its visit",
    }


async def test_an_event_not_yet_processed_says_received(story: Story) -> None:
    await story.run("DELETE FROM event_outcomes")
    event = (await (await story.signed_in("cory")).get(f"/v1/check-events/{ADAMS_CHECK_IN}")).json()
    assert (event["status"], event["visit"]) == ("received", None)


async def test_the_unmatched_show_each_provider_its_own_workers_only(story: Story) -> None:
    async def ids(who: str) -> list[object]:
        return [one["id"] for one in await items(await story.signed_in(who), "/v1/unmatched")]

    assert await ids("dana") == [str(NOBODY_SOMEWHERE), str(ALICE_SOMEWHERE)]
    assert await ids("cory") == [str(ALICE_SOMEWHERE)]
    assert await ids("cleo") == []
    assert await ids("zed") == [str(ZANDER_CHECK_IN)]
    assert (await (await story.signed_in("fay")).get("/v1/unmatched")).status_code == 403


async def test_notes_are_for_those_who_care_for_the_person_and_for_the_auditor(story: Story) -> None:
    """A worker's, a desk's on a correction, and a desk's on an alert: "key under the pot, she is confused"."""
    for event_id in (ADAMS_CHECK_IN, ALICE_SOMEWHERE):
        await story.run(
            'UPDATE check_events SET body = \'{"note": "key under the pot"}\' WHERE event_id = $1', event_id
        )
    cory = await story.signed_in("cory")
    said = {"kind": "note", "reason_code": "other", "note": "the key is under the pot"}
    assert (await cory.post(f"/v1/visits/{ADAMS_VISIT}/amendments", json=said)).json()["note"] == said["note"]
    await cory.post(f"/v1/alerts/{ADAMS_ALERT}/acknowledgement", json={"note": "told Alice of the pot"})
    paths = {
        f"/v1/visits/{ADAMS_VISIT}": 2,
        f"/v1/check-events/{ADAMS_CHECK_IN}": 1,
        "/v1/unmatched": 1,
        f"/v1/alerts/{ADAMS_ALERT}": 1,
        "/v1/audit": 0,
    }
    readers = {who: await story.signed_in(who) for who in ("cory", "dana", "fay", "quin", "ada", "otto")}
    readers["a key"] = await story.with_key("read")
    for who, browser in readers.items():
        for path, notes in paths.items():
            answer = await browser.get(path)
            assert answer.status_code in (200, 403)
            told = notes if answer.status_code == 200 and who in ("cory", "dana", "otto") else 0
            assert answer.text.count("the pot") == told, f"{who} at {path}"
    assert (await readers["fay"].get(f"/v1/visits/{ADAMS_VISIT}")).json()["amendments"][0]["note"] is None


async def test_the_quarantine_is_for_administrators_and_shows_what_was_sent(story: Story) -> None:
    (kept,) = await items(await story.signed_in("ada"), "/v1/quarantine")
    assert (kept["reason"], kept["body"]) == ("not JSON", "{\ufffd")
    assert (await (await story.signed_in("dana")).get("/v1/quarantine")).status_code == 403


async def test_nobody_reads_anything_without_signing_in(story: Story) -> None:
    stranger = story.at_the_door()
    paths = [path for path in story.app.openapi()["paths"] if path.startswith("/v1/") and "{" not in path]
    assert len(paths) > 8
    for path in paths:
        if "get" in story.app.openapi()["paths"][path]:
            answer = await stranger.get(path)
            assert answer.status_code in (401, 422), path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_not_here_is_a_problem_too(story: Story) -> None:
    stranger = story.at_the_door()
    missing = await stranger.get("/v1/nothing-here")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    wrong_way = await stranger.put("/v1/visits")
    assert (wrong_way.status_code, wrong_way.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong_way.headers["allow"] == "GET"
    for answer in (missing, wrong_way):
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "date=21/11/2026", "date=1700000000", "state=asleep", "cursor=x", "person=%00"],
)
async def test_what_cannot_be_understood_says_where_and_never_repeats_it(story: Story, query: str) -> None:
    answer = await (await story.signed_in("dana")).get(f"/v1/visits?{query}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/not-understood"
    assert answer.json()["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


async def test_a_bug_says_nothing_of_our_insides(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.run("ALTER TABLE visits RENAME COLUMN state_reason TO hidden_column")
    answer = await dana.get("/v1/visits")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/bug"
    assert "column" not in answer.text


async def test_a_database_that_is_away_is_said_plainly_and_soon(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    answer = await dana.get("/v1/visits")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/database-away"
    assert answer.headers["retry-after"] == "2"


async def test_an_unknown_page_is_no_bug_while_the_database_is_away(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    page = await dana.get("/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text
    answer = await dana.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


async def test_who_types_the_address_that_a_form_sends_to_sees_a_page(story: Story) -> None:
    typed = {"Accept": "text/html"}
    stranger = story.at_the_door()
    form = await stranger.get("/sign-in", headers=typed)
    assert (form.status_code, form.headers["location"]) == (303, "/")
    nothing = await stranger.get("/sign-out", headers=typed)
    assert (nothing.status_code, nothing.headers["allow"]) == (405, "POST")
    assert "There is nothing at this address" in nothing.text


@pytest.mark.parametrize("path", ["/", "/board", "/exceptions", "/actuals", f"/visits/{ADAMS_VISIT}"])
async def test_a_browser_sees_a_page_that_comes_back_by_itself_while_the_database_is_away(
    story: Story, path: str
) -> None:
    dana = await story.signed_in("dana")
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    page = await dana.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "The service cannot reach its database" in page.text
    assert '<meta http-equiv="refresh" content="5">' in page.text
    assert (page.headers["retry-after"], page.headers["cache-control"]) == ("5", "no-store")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "Dana" not in page.text
    said = await dana.get(path)
    assert (said.status_code, said.json()["type"]) == (503, "/problems/database-away")


async def test_what_a_form_sent_is_not_sent_again_by_the_page_that_comes_back(story: Story) -> None:
    dana = await story.signed_in("dana")
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    page = await dana.post("/sign-out", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert '<meta http-equiv="refresh" content="5; url=/">' in page.text


async def test_a_strangers_form_is_shown_while_the_database_is_away_and_says_so_when_it_is_used(
    story: Story,
) -> None:
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    stranger = story.at_the_door(Accept="text/html")
    assert (await stranger.get("/")).status_code == 200
    sent = await stranger.post(
        "/sign-in", data={"email": "dana@example.org", "password": "x"}, follow_redirects=True
    )
    assert "cannot reach its database just now" in sent.text
