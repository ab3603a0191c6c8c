"""Alice asks what is held about her, by her own phone; Cory asks for his account. Nobody is told of anybody else."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest

from ecm.api.held import EXCUSED, HELD
from tests.api.conftest import ADAMS_CHECK_IN, Story
from tests.api.test_phones import Caller, alices, shared  # noqa: F401 - fixtures

HERS = """
UPDATE care_workers SET phone = '+447700900104', pin_hash = 'argon-made-up' WHERE tenant_id = 1 AND ref = 'CW-A';
UPDATE visits SET attendances = '[{"care_worker": "CW-A", "check_in_at": "2026-11-21T09:02:00Z"},
                                  {"care_worker": "CW-B", "check_in_at": "2026-11-21T09:05:00Z"}]',
  findings = '[{"code": "location_inside", "care_worker": "CW-A", "event_id": null},
               {"code": "clock_skew", "care_worker": "CW-B", "event_id": null}]' WHERE visit_id = 1;
UPDATE check_events SET body = '{"note": "All well"}', cli = '+441134960123'
  WHERE event_id = '019aa3f2-7d1e-7000-8000-000000000001';
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, care_worker_ref, words, lat, lon,
  body_sha256, body) VALUES (1, gen_random_uuid(), 'sos', now(), now(), 'CW-A', 'a dog', 53.8, -1.5, '', ''),
  (1, gen_random_uuid(), 'sos', now(), now(), 'CW-B', 'Bobs words', 53.8, -1.5, '', '');
INSERT INTO amendments (tenant_id, visit_id, kind, event_id, care_worker, reason_code, made_by, made_at) VALUES
  (1, 1, 'times', NULL, 'CW-A', 'forgot', 'Cory Coordinator', now()),
  (1, 1, 'reject', '019aa3f2-7d1e-7000-8000-000000000001', NULL, 'other', 'Dana Duty', now()),
  (1, 2, 'times', NULL, 'CW-B', 'Bobs', 'Cleo Coordinator', now());
INSERT INTO phone_lines (tenant_id, number, use, care_worker_ref) VALUES (1, '+441134960150', 'unanswered', 'CW-A');
INSERT INTO pin_tries (tenant_id, tried_at, came_from, care_worker_ref) VALUES (1, now(), '+447700900999', 'CW-A');
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id, received_at, status,
  our_ref, body) VALUES (1, gen_random_uuid(), 0, 'sandata', 'employee', 'E1', 1, now(), 'accepted', 'CW-A', '{}');
INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES
  (1, now(), 'phone 1 of CW-A', 'key_safe_told', 'visit 1'), (1, now(), 'phone 2 of CW-AB', 'key_safe_told', 'visit 2'),
  (1, now(), 'account 2 Cory', 'worker_left', 'care worker CW-A');
"""


async def held(caller: Caller, query: str = "", **headers: str) -> Any:
    answer = await caller.ask("GET", f"/v1/app/held{query}", **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def test_a_care_worker_is_told_everything_held_about_her_and_nothing_of_another(
    story: Story,
    alices: Caller,  # noqa: F811
) -> None:
    await story.run(HERS)
    told = (await held(alices)).json()
    parts = told["parts"]
    assert told["about"] == "care worker CW-A"
    assert {name: len(rows) for name, rows in parts.items()} == {
        "care_worker": 1,
        "accounts": 0,
        "phones": 1,
        "enrolments": 1,
        "visits": 1,
        "events": 2,
        "reports": 1,
        "amendments": 2,
        "phone_lines": 1,
        "wrong_pins": 1,
        "other_systems": 1,
        "audit": 4,
        "pattern_sheet": 8,
    }
    assert parts["care_worker"][0] == {
        "ref": "CW-A",
        "name": "Alice",
        "provider": "P1",
        "phone": "+447700900104",
        "has_pin": True,
        "left_at": None,
        "left_by": None,
    }
    event = next(each for each in parts["events"] if each["event_id"] == str(ADAMS_CHECK_IN))
    assert (event["lat"], event["lon"], event["note"], event["cli_ends_in"]) == (
        53.812345,
        -1.54321,
        "All well",
        "123",
    )
    assert [each["care_worker"] for each in parts["visits"][0]["attendances"]] == ["CW-A"]
    assert [each["code"] for each in parts["visits"][0]["findings"]] == ["location_inside"]
    everything = json.dumps(told)
    for secret in ("argon-made-up", "Bobs", "CW-B", "CW-AB", "Ms Adams", "Madeup Lane", "+441134960123"):
        assert secret not in everything, secret
    [entry] = await story.all("SELECT actor, subject FROM audit WHERE action = 'own_data_told'")
    assert entry["actor"].endswith(" of CW-A")
    assert entry["subject"] == "care worker CW-A"


async def test_of_a_position_that_has_gone_she_is_told_what_stays(story: Story, alices: Caller) -> None:  # noqa: F811
    await story.run(
        "INSERT INTO reduced_positions (tenant_id, event_id, service_user_ref, distance_m, findings, reduced_at)"
        " VALUES (1, $1, 'SU-A', 12.5, '[]', now())",
        ADAMS_CHECK_IN,
    )
    events = (await held(alices)).json()["parts"]["events"]
    assert next(e for e in events if e["event_id"] == str(ADAMS_CHECK_IN))["reduced_to_m"] == 12.5


async def test_she_may_take_it_with_her_as_files_that_no_spreadsheet_runs(
    story: Story,
    alices: Caller,  # noqa: F811
) -> None:
    await story.run("UPDATE devices SET label = '=HYPERLINK(1)'")
    answer = await held(alices, "?as=csv")
    assert answer.headers["content-type"] == "application/zip"
    assert "held-2026-11-21.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert {"care_worker.csv", "events.csv", "audit.csv"} <= set(files.namelist())
        phones = list(csv.DictReader(io.StringIO(files.read("phones.csv").decode("utf-8-sig"))))
    assert phones[0]["label"] == "'=HYPERLINK(1)"


async def test_a_shared_phone_tells_nobody_until_a_pin_has_opened_it(story: Story, shared: Caller) -> None:  # noqa: F811
    assert (await shared.ask("GET", "/v1/app/held")).status_code == 403
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    told = await held(shared, **{"ECM-Unlock": opened.json()["unlock"]})
    assert told.json()["about"] == "care worker CW-A"
    await story.run("UPDATE devices SET cut_off_at = now(), cut_off_by = 'Cory'")
    assert (await shared.ask("GET", "/v1/app/held")).status_code == 401


async def test_an_account_is_told_what_is_held_under_it(story: Story) -> None:
    dana = await story.signed_in("dana")
    acknowledged = await dana.post("/v1/alerts/1/acknowledgement", json={})
    assert acknowledged.status_code == 200, acknowledged.text
    answer = await dana.get("/v1/me/held")
    parts = answer.json()["parts"]
    assert (parts["account"][0]["email"], len(parts["sessions"])) == ("dana@example.org", 1)
    assert [each["action"] for each in parts["audit"]] == ["alert_acknowledged"]
    assert [each["alert_id"] for each in parts["alerts"]] == [1]
    assert "argon2" not in answer.text
    assert "token" not in answer.text
    assert (await dana.get("/v1/me/held?as=csv")).headers["content-type"] == "application/zip"
    assert (await dana.get("/v1/me/held?as=pdf")).status_code == 422
    await story.run("UPDATE accounts SET name = 'Cleo Coordinator' WHERE name = 'Cory Coordinator'")
    await story.run(HERS)
    namesakes = (await (await story.signed_in("cory")).get("/v1/me/held")).json()["parts"]
    assert namesakes["amendments"] == [], "what a namesake of another provider signed is not told"
    eves = (await (await story.signed_in("eve")).get("/v1/me/held")).json()["parts"]
    assert (eves["alerts"], eves["audit"]) == ([], []), "another's is another's"


async def test_whoever_has_anothers_name_is_told_nothing_of_what_the_other_signed(story: Story) -> None:
    """Amendments and alarms are signed with a name; an account at Birch is given that of Amber's coordinator."""
    await story.run(HERS)
    cory = await story.signed_in("cory")
    assert len((await cory.get("/v1/me/held")).json()["parts"]["amendments"]) == 1
    await story.run(
        "INSERT INTO accounts (tenant_id, email, name, role, provider_ref)"
        " VALUES (1, 'twin@p2.example.org', 'Cory Coordinator', 'coordinator', 'P2')"
    )
    await story.run(
        "INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at)"
        " VALUES (1, 1, 'note', 'Cory Coordinator', now())"
    )
    twin = await story.signed_in("twin")
    parts = (await twin.get("/v1/me/held")).json()["parts"]
    assert (parts["amendments"], parts["alerts"]) == ([], [])


async def test_a_person_and_a_name_that_end_as_she_is_called_are_not_she(
    story: Story,
    alices: Caller,  # noqa: F811
) -> None:
    """References of people and of workers are given apart, and may be the same; a name may say anything."""
    before = (await held(alices)).json()["parts"]["audit"]
    await story.run(
        "INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES"
        " (1, now(), 'account 5 Dana Duty', 'key_safe_set', 'home of CW-A'),"
        " (1, now(), 'account 5 Dana Duty', 'tag_made', 'tag T1 of CW-A'),"
        " (1, now(), 'account 5 Duchess of CW-A', 'signed_in', 'account 5 Duchess of CW-A')"
    )
    after = (await held(alices)).json()["parts"]["audit"]
    assert {each["action"] for each in after} - {each["action"] for each in before} <= {"own_data_told"}


@pytest.mark.parametrize("path", ["/v1/me/held", "/v1/app/held"])
async def test_nobody_and_no_key_is_told_anything(story: Story, path: str) -> None:
    assert (await story.at_the_door().get(path)).status_code == 401
    answer = await (await story.with_key("read", "import", "ingest")).get(path)
    assert answer.status_code in (401, 403)


async def test_every_column_that_holds_a_care_worker_is_told_or_excused(story: Story) -> None:
    """A new one fails here until somebody has thought of whom it is about."""
    found = await story.all(
        """SELECT c.table_name || '.' || c.column_name AS name FROM information_schema.columns c
           JOIN information_schema.tables t USING (table_schema, table_name)
           WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
             AND (c.column_name ~ '(care_worker|device_id|attendances|findings|interview|our_ref)'
                  OR (c.table_name, c.column_name) = ('care_workers', 'ref'))"""
    )
    told = {column for part in HELD for column in part.tells}
    assert {row["name"] for row in found} == told | set(EXCUSED)
    assert not told & set(EXCUSED)
