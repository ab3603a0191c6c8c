"""A service that is right is found right; each single thing it gets wrong is named, once, with its story."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, timedelta

import pytest

from ecm.simulator import make_day, small_borough
from ecm.simulator.compare import compare
from ecm.simulator.player import Log, Receipt
from ecm.simulator.reading import ReadBack
from ecm.simulator.recording import stamp
from ecm.simulator.report import report
from ecm.simulator.truth import expect, limits_of

MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def day():
    return make_day(small_borough(3, day=MONDAY, people=400, providers=5), "bad-morning")


@pytest.fixture(scope="module")
def log(day):
    receipts = {
        body["id"]: Receipt(body["id"], "created", submission.send_at + timedelta(seconds=1))
        for submission in day.submissions
        for body in submission.bodies
    }
    return Log(receipts=receipts, sent=len(receipts), tries=len(receipts))


@pytest.fixture
def right(day, log):
    """What a service would say that agrees with every word of the truth."""
    received = {each.event_id: each.received_at for each in log.receipts.values()}
    limits = {contract.provider_ref: limits_of(contract) for contract in day.borough.contracts}
    visits, alerts, rows = [], [], []
    for number, truth in enumerate(day.truths, start=1):
        provider = truth.visit.provider_ref if truth.visit else "P01"
        expected = expect(truth, limits[provider], received)
        visits.append(
            {
                "id": number,
                "ref": truth.visit.ref if truth.visit else f"unplanned-{number}",
                "service_user": truth.service_user_ref,
                "state": expected.state,
                "actual": {
                    "start": stamp(expected.actual_start[0]) if expected.actual_start else None,
                    "end": stamp(expected.actual_end[0]) if expected.actual_end else None,
                },
                "attendances": [{"care_worker": ref} for ref in sorted(expected.care_workers)],
                "findings": [{"code": "short"}] if expected.short else [],
                "crossings": [{"kind": kind} for kind in expected.alarms],
            }
        )
        alerts += [{"visit": number, "kind": kind} for kind in expected.alarms]
        rows += [{"id": event.event_id, "visit": number} for event in truth.recorded]
    return ReadBack(tuple(deepcopy(visits)), tuple(alerts), (tuple(rows),))


def first(back, state):
    return next(visit for visit in back.visits if visit["state"] == state)


def differences(day, log, back):
    return compare(day, log, back, speed=60.0)


def test_nothing_is_different_when_the_service_is_right(day, log, right):
    assert differences(day, log, right) == []
    came_to = report(day, log, [])
    assert came_to.passed
    assert came_to.as_json()["sent"] == came_to.as_json()["acknowledged"] == day.event_count


def test_a_wrong_state_is_told_with_its_story(day, log, right):
    visit = first(right, "completed")
    visit["state"], visit["state_reason"] = "missed", "no check-in received by 10:00"
    (only,) = differences(day, log, right)
    assert (only.kind, only.visit, only.expected) == ("state", visit["ref"], "completed")
    assert "no check-in received by 10:00" in only.got
    assert "received" in only.why
    assert not report(day, log, [only]).passed
    assert visit["ref"] in report(day, log, [only]).table()


def test_two_minutes_off_is_another_time(day, log, right):
    visit = first(right, "completed")
    truth = next(each for each in day.truths if each.name == visit["ref"])
    start = min(event.occurred_at for event in truth.recorded)
    visit["actual"]["start"] = stamp((start + timedelta(minutes=2)).astimezone(UTC))
    assert [each.kind for each in differences(day, log, right)] == ["state"]


def test_an_alert_that_was_not_raised_is_missing_and_says_how_far_it_came(day, log, right):
    gone = right.alerts[0]
    back = ReadBack(right.visits, right.alerts[1:], right.check_events)
    (only,) = differences(day, log, back)
    assert (only.kind, only.expected, only.got) == (
        "alert_missing",
        gone["kind"],
        "deadline crossed, no alert",
    )


def test_an_alarm_without_a_reason_is_told_but_fails_nothing(day, log, right):
    quiet = next(
        visit
        for visit in right.visits
        if visit["state"] == "completed" and not visit["crossings"] and visit["actual"]["end"]
    )
    back = ReadBack(
        right.visits, (*right.alerts, {"visit": quiet["id"], "kind": "missed"}), right.check_events
    )
    (only,) = differences(day, log, back)
    assert (only.kind, only.got) == ("alert_unexpected", "missed")
    assert report(day, log, [only]).passed


def test_an_acknowledged_event_without_a_row_is_missing(day, log, right):
    (rows,) = right.check_events
    back = ReadBack(right.visits, right.alerts, (rows[1:],))
    (only,) = differences(day, log, back)
    assert only.kind == "missing"
    assert rows[0]["id"] in only.why


def test_a_row_twice_in_one_listing_is_doubled_but_not_in_two_days(day, log, right):
    (rows,) = right.check_events
    twice = ReadBack(right.visits, right.alerts, ((*rows, rows[0]),))
    two_days = ReadBack(right.visits, right.alerts, (rows, rows))
    assert [each.kind for each in differences(day, log, twice)] == ["doubled"]
    assert differences(day, log, two_days) == []


def test_one_stay_counted_twice_is_doubled(day, log, right):
    visit = first(right, "completed")
    visit["attendances"] *= 2
    assert {each.kind for each in differences(day, log, right)} == {"doubled"}


def test_a_visit_made_up_out_of_an_event_is_told(day, log, right):
    (rows,) = right.check_events
    made_up = {"id": 99_999, "ref": "unplanned-x", "service_user": "SU00001", "state": "completed"}
    strays = ({**rows[0], "visit": 99_999}, *rows[1:])
    back = ReadBack((*right.visits, made_up), right.alerts, (strays,))
    (only,) = differences(day, log, back)
    assert (only.kind, only.visit, only.expected) == ("state", "unplanned-x", "no such visit")


def test_an_event_that_was_never_acknowledged_fails_the_run(day, log, right):
    lost = next(iter(log.receipts))
    without = {event_id: receipt for event_id, receipt in log.receipts.items() if event_id != lost}
    assert not report(day, Log(receipts=without, sent=log.sent), []).passed
