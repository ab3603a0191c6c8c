"""After ninety days nobody can tell where Carol's phone was, and every visit is still what it was."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ecm.reducing import REST_AFTER_FAILURE_SECONDS, Reducer
from tests.processing.desk import DAY, HOME, Desk, at
from tests.prove.refold import refold

KEPT = timedelta(days=90)
# The last digits of every position the desk sends (tests/processing/desk.py): HOME and so many metres north of it.
LATITUDE = f"{HOME[0]:.4f}"[:5]


async def ages(desk: Desk, days: int = 91, clock: str = "23:59") -> None:
    """So much time passes, also for the database."""
    desk.clock.at = at(clock) + timedelta(days=days)
    await desk.run("DELETE FROM scaled_clock")
    await desk.run("INSERT INTO scaled_clock VALUES (true, $1, 1, now())", desk.clock.at)


async def reduce_all(desk: Desk) -> None:
    reducer = Reducer(desk.worker, desk.clock)
    while await reducer.step():
        pass


async def a_day_of_doubts(desk: Desk) -> dict[str, UUID]:
    """Carol inside, twice tapped, outside; at Bob's a minute later with Alice's very position, and back from ninety
    kilometres away in two minutes; Dan by telephone; somebody whom nobody knows."""
    await desk.plan("breakfast", "09:00", "09:45")
    await desk.plan("lunch", "12:00", "12:30")
    await desk.plan("bobs", "12:40", "13:30", person="bob")
    await desk.plan("medicine", "13:30", "14:00")
    await desk.plan("tea", "16:00", "16:30", workers=("dan",))
    sent = {
        "of nobody": await desk.arrive("in", "08:30", worker="erin", person="nobody", metres=70),
        "in": await desk.arrive("in", "09:02"),
        "tapped again": await desk.arrive("in", "09:03", metres=30),
        "out": await desk.arrive("out", "09:44", metres=400),
        "lunch in": await desk.arrive("in", "12:01", metres=60),
        "lunch out": await desk.arrive("out", "12:29", metres=5),
        "bob in": await desk.arrive("in", "12:30", person="bob", metres=5),
        "bob out": await desk.arrive("out", "13:29", person="bob", metres=90_000),
        "medicine in": await desk.arrive("in", "13:31"),
        "medicine out": await desk.arrive("out", "14:00"),
        "tea": await desk.arrive(
            "in", "16:01", worker="dan", cli="+441632960001", method="landline", metres=None
        ),
    }
    await desk.settle("23:59")
    return sent


async def assessed(desk: Desk) -> list[dict[str, Any]]:
    return [
        {name: row[name] for name in ("ref", "state", "state_reason", "attendances", "findings", "crossings")}
        for row in await desk.rows("SELECT * FROM visits ORDER BY ref")
    ]


async def everything_again(desk: Desk) -> None:
    await desk.run(
        "INSERT INTO processing_queue (tenant_id, event_id) SELECT tenant_id, event_id FROM check_events"
    )
    await desk.run(
        "INSERT INTO processing_queue (tenant_id, visit_id) SELECT tenant_id, visit_id FROM visits"
    )
    await desk.settle()


async def test_the_positions_go_and_every_assessment_folds_again_to_what_it_was(desk: Desk) -> None:
    await a_day_of_doubts(desk)
    before = await assessed(desk)
    codes = {finding["code"] for visit in before for finding in visit["findings"]}
    assert {"location_inside", "location_outside", "impossible_travel", "repeated_fix"} <= codes
    await ages(desk)
    await reduce_all(desk)
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL OR lon IS NOT NULL") == 0
    assert await desk.value("SELECT count(*) FROM reduced_positions") == 10, "a telephone sent none"
    await everything_again(desk)
    assert await assessed(desk) == before
    folded = await refold(desk.owner, desk.clock.at)
    told = [each.what for each in folded.differences if each.kind in ("visit", "outcome", "transition")]
    assert told == [], "folded by the second opinion too"


async def test_what_was_taken_away_stands_in_the_audit_by_the_hour(desk: Desk) -> None:
    await a_day_of_doubts(desk)
    await ages(desk)
    await reduce_all(desk)
    entries = await desk.rows(
        "SELECT actor, subject_ref, facts ->> 'events' FROM audit WHERE action = 'positions_reduced'"
        " ORDER BY subject_ref"
    )
    assert {row[0] for row in entries} == {"system 0 retention"}
    assert entries[0][1] == "positions 2026-11-23T08:30Z"
    assert sum(int(row[2]) for row in entries) == 10
    assert await desk.value("SELECT count(*) FROM audit_chain") == len(entries), "and in its chain"


async def test_where_only_the_morning_is_old_enough_the_road_to_the_rest_stays_as_found(desk: Desk) -> None:
    """Hour by hour: first the check-out goes that was too near to the next check-in, and then that one."""
    sent = await a_day_of_doubts(desk)
    before = await assessed(desk)
    gone: list[set[str]] = []
    for clock in ("12:32", "13:32", "15:32"):
        await ages(desk, 90, clock)
        await reduce_all(desk)
        left = {row[0] for row in await desk.rows("SELECT event_id FROM check_events WHERE lat IS NOT NULL")}
        gone.append({name for name, event in sent.items() if event not in left} - {"tea"})
        await everything_again(desk)
        assert await assessed(desk) == before, clock
    assert ("lunch out" in gone[0], "bob in" in gone[0]) == (True, False)
    assert ("bob out" in gone[1], "medicine in" in gone[1]) == (True, False)
    assert len(gone[2]) == 10


async def test_a_tap_that_counted_for_nothing_has_its_place_when_its_neighbour_is_taken_away(
    desk: Desk,
) -> None:
    sent = await a_day_of_doubts(desk)
    await ages(desk)
    await reduce_all(desk)
    await desk.run(
        "INSERT INTO amendments (tenant_id, visit_id, kind, event_id, reason_code, made_by, made_at)"
        " SELECT 1, visit_id, 'reject', $1, 'test', 'the office', $2 FROM visits WHERE ref = 'breakfast'",
        sent["in"],
        desk.clock.at,
    )
    await everything_again(desk)
    found = {
        finding["event_id"]: finding
        for finding in (await desk.visit("breakfast"))["findings"]
        if finding["code"].startswith("location")
    }
    assert found[str(sent["tapped again"])]["measure"] == pytest.approx(30, abs=0.2)


async def test_an_event_that_is_linked_to_another_persons_visit_proves_no_place_there(desk: Desk) -> None:
    sent = await a_day_of_doubts(desk)
    await ages(desk)
    await reduce_all(desk)
    bobs = (await desk.visit("bobs"))["visit_id"]
    await desk.link(bobs, sent["lunch in"])
    await desk.settle()
    (place,) = [
        finding
        for finding in (await desk.visit("bobs"))["findings"]
        if finding["event_id"] == str(sent["lunch in"]) and finding["code"].startswith("location")
    ]
    assert (place["code"], place["detail"]) == ("location_none", "position no longer kept")


async def test_each_authority_keeps_positions_as_long_as_it_says_and_evidence_is_otherwise_unchanged(
    desk: Desk,
) -> None:
    await a_day_of_doubts(desk)
    columns = (
        "event_id, received_at, occurred_at, care_worker, accuracy_m, fixed_at, proofs, body_sha256, cli"
    )
    before = await desk.rows(f"SELECT {columns} FROM check_events ORDER BY event_id")
    await ages(desk, 60)
    await reduce_all(desk)
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL") == 10
    await desk.run("UPDATE tenants SET positions_kept_days = 59")
    await reduce_all(desk)
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL") == 0
    assert await desk.rows(f"SELECT {columns} FROM check_events ORDER BY event_id") == before
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.run("UPDATE tenants SET positions_kept_days = 34")


async def test_nobody_can_reduce_what_is_still_kept_nor_edit_evidence_in_another_way(desk: Desk) -> None:
    await a_day_of_doubts(desk)
    await ages(desk, 60)
    async with desk.worker.connection() as connection:
        for statement in (
            "SELECT ecm_reduce_positions(1, '2026-11-01Z', '2026-12-01Z')",
            "SELECT ecm_reduce_positions(7, '2026-11-01Z', '2026-12-01Z')",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(statement)
        for statement in (
            "UPDATE check_events SET lat = NULL",
            "UPDATE reduced_positions SET findings = '[]'",
            "DELETE FROM reduced_positions",
            "UPDATE tenants SET positions_kept_days = 35",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    await ages(desk, 91)
    async with desk.worker.connection() as connection:
        # What was not kept first is left alone: an assessment may hang on it.
        assert await connection.fetchval("SELECT ecm_reduce_positions(1, '2026-11-01Z', '2026-11-24Z')") == 0
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL") == 10


def jws_of(said: dict[str, Any]) -> str:
    part = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return json.dumps({"jws": f"eyJhbGciOiJFUzI1NiJ9.{part}.c2ln", "sending": {"device": "x"}})


@pytest.mark.parametrize(
    ("sent", "stays"),
    [
        ({"fix": {"lat": 52.6369, "lon": -1.1}, "note": "all well", "method": "app"},
         {"note": "all well", "method": "app"}),
        ({"note": 'she said "no" – ćwiczenia', "gps": "52.6369,-1.1", "device": {"lat": 52.6369}},
         {"note": 'she said "no" – ćwiczenia'}),
        ({"note": {"lat": 52.6369}, "entered_by": "Dana"}, {"entered_by": "Dana"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("signed", [False, True])
async def test_of_a_body_plain_words_stay(
    desk: Desk, sent: dict[str, Any], stays: dict[str, Any], signed: bool
) -> None:
    await a_day_of_doubts(desk)
    body = jws_of(sent) if signed else json.dumps(sent)
    await desk.run("UPDATE check_events SET body = $1", body)
    await ages(desk)
    await reduce_all(desk)
    bodies = {row["body"] for row in await desk.rows("SELECT body FROM check_events WHERE cli IS NULL")}
    assert [json.loads(body) for body in bodies] == [stays]


async def test_what_a_phone_signed_and_nobody_could_use_as_a_position_goes_too(desk: Desk) -> None:
    """A fix without its accuracy is set aside: no column holds it, and the signed body does."""
    await desk.plan("breakfast", "09:00", "09:45")
    await desk.arrive("in", "09:02")
    await desk.run(
        "UPDATE check_events SET lat = NULL, lon = NULL, accuracy_m = NULL, body = $1",
        jws_of({"fix": {"lat": 52.6369, "lon": -1.1398}, "note": "all well"}),
    )
    await ages(desk)
    await reduce_all(desk)
    assert await desk.value("SELECT body::jsonb FROM check_events") == {"note": "all well"}


@pytest.mark.parametrize(
    "body", ["", "[1]", "not JSON", '{"fix": "\\u0000"}', '{"jws": 7}', '{"jws": "a.b!.c"}', '"lat"']
)
async def test_a_body_that_nobody_can_read_goes_as_a_whole(desk: Desk, body: str) -> None:
    await desk.plan("breakfast", "09:00", "09:45")
    await desk.arrive("in", "09:02")
    await desk.run("UPDATE check_events SET body = $1", body)
    await ages(desk)
    await reduce_all(desk)
    assert await desk.value("SELECT body FROM check_events") == "{}"


async def test_reports_and_bodies_kept_aside_lose_theirs_too(desk: Desk) -> None:
    heard = at("12:00")
    await desk.run(
        "INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, lat, lon, words, body_sha256, body)"
        " VALUES (1, gen_random_uuid(), 'sos', $1, $1, 52.6369, -1.1398, 'fell', '', '52.6369')", heard,
    )  # fmt: skip
    await desk.run(
        "INSERT INTO quarantine (tenant_id, received_at, door, reason, body)"
        " VALUES (1, $1, 'check-events', 'not JSON', '52.6369')", heard,
    )  # fmt: skip
    await desk.run(
        "INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id,"
        " received_at, status, body)"
        " VALUES (1, gen_random_uuid(), 0, 'sandata', 'visit', 'v', 1, $1, 'accepted', '{\"at\": 52.6369}')",
        heard,
    )
    await ages(desk, 89)
    await reduce_all(desk)
    assert await desk.value("SELECT body FROM quarantine") == b"52.6369"
    await ages(desk)
    await reduce_all(desk)
    for table in ("reports", "quarantine", "feed_records"):
        (row,) = await desk.rows(f"SELECT t::text AS row, encode(''::bytea, 'hex') FROM {table} t")
        assert LATITUDE not in row["row"], table
        assert LATITUDE.encode().hex() not in row["row"], table
    assert await desk.value("SELECT words FROM reports") == "fell"


async def test_a_second_night_has_nothing_left_to_do_and_a_late_event_has_its_own_ninety_days(
    desk: Desk,
) -> None:
    await a_day_of_doubts(desk)
    await ages(desk)
    await reduce_all(desk)
    assert await Reducer(desk.worker, desk.clock).step() is False
    done_to = await desk.value("SELECT positions_reduced_to FROM tenants WHERE tenant_id = 1")
    assert at("16:01") < done_to <= desk.clock.at - KEPT
    event = await desk.store("in", at("09:02"), desk.clock.at, worker="dan", person="bob", metres=5)
    await desk.settle()
    await reduce_all(desk)
    assert await desk.value("SELECT lat FROM check_events WHERE event_id = $1", event) is not None
    assert desk.clock.at.date() > DAY


async def test_an_hour_that_cannot_be_reduced_stops_no_other_authority_and_is_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """The first authority's oldest hour holds a finding of a newer release."""
    await a_day_of_doubts(desk)
    await desk.run("INSERT INTO tenants (tenant_id, name) VALUES (2, 'Next Borough')")
    await desk.run(
        "INSERT INTO quarantine (tenant_id, received_at, door, reason, body) VALUES (2, $1, 'v1', 'r', '52.6369')",
        at("20:00"),
    )
    before = await desk.value("SELECT findings FROM visits WHERE ref = 'breakfast'")
    await desk.run(
        "UPDATE visits SET findings = jsonb_set(findings, '{0,code}', '\"seen at Fern Lane\"') WHERE ref = 'breakfast'"
    )
    await ages(desk)
    reducer = Reducer(desk.worker, desk.clock)
    while await reducer.step():
        pass
    assert await desk.value("SELECT body FROM quarantine") == b"", "the other authority's"
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL") > 0
    (told,) = await desk.rows("SELECT tenant_id, kind, subject, times, first_at FROM notices")
    assert tuple(told) == (1, "positions_not_reduced", "positions", 1, desk.clock.at)
    assert "positions of tenant 1 were not reduced: ValueError" in caplog.text
    assert "Fern Lane" not in caplog.text

    await desk.run("UPDATE visits SET findings = $1 WHERE ref = 'breakfast'", before)
    assert await reducer.step() is False, "not tried again at once"
    reducer._aside[1] -= REST_AFTER_FAILURE_SECONDS
    while await reducer.step():
        pass
    assert await desk.value("SELECT count(*) FROM check_events WHERE lat IS NOT NULL") == 0
