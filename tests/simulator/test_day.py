"""What happens on a day follows its table of rates, and is always the same for a seed."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest

from ecm.simulator import SCENARIOS, make_borough, make_day
from ecm.simulator.noise import Stop
from ecm.simulator.streets import distance_m

MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def borough():
    return make_borough(1, day=MONDAY)


@pytest.fixture(scope="module")
def days(borough):
    return {scenario: make_day(borough, scenario) for scenario in SCENARIOS}


def late_share(day, minutes):
    came = [truth for truth in day.truths if truth.visit and truth.stays]
    limit = timedelta(minutes=minutes)
    return sum(
        min(stay.arrived_at for stay in truth.stays) - truth.visit.start > limit for truth in came
    ) / len(came)


def nobody_came(day):
    return [truth for truth in day.truths if truth.visit and not truth.visit.cancelled and not truth.stays]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_lives_the_same_day(borough, days, scenario):
    assert make_day(borough, scenario) == days[scenario]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_ids_are_unique_version_7_and_in_order_of_sending(days, scenario):
    submissions = days[scenario].submissions
    ids = [body["id"] for submission in submissions for body in submission.bodies]
    assert len(ids) == len(set(ids)) == days[scenario].event_count
    assert {each[14] for each in ids} == {"7"}
    times = [submission.send_at for submission in submissions]
    assert times == sorted(times)


def test_everything_recorded_is_sent_once(days):
    for day in days.values():
        sent = Counter(body["id"] for submission in day.submissions for body in submission.bodies)
        assert sent == Counter(event.event_id for truth in day.truths for event in truth.recorded)


def test_an_ordinary_day_is_a_little_late_and_misses_a_few(days):
    normal = days["normal"]
    assert 0.02 < late_share(normal, 15) < 0.12
    assert late_share(normal, 60) < 0.01
    assert 5 <= len(nobody_came(normal)) <= 45


def test_on_a_bad_morning_one_providers_people_wait_and_nobody_elses(borough, days):
    late_at: dict[str, list[bool]] = {}
    for truth in days["bad-morning"].truths:
        if truth.visit and not truth.visit.cancelled and truth.visit.start.hour in (7, 8):
            first = min((stay.arrived_at for stay in truth.stays), default=None)
            waited = first is None or first - truth.visit.start > timedelta(minutes=15)
            late_at.setdefault(truth.visit.provider_ref, []).append(waited)
    shares = sorted((sum(waits) / len(waits) for waits in late_at.values()), reverse=True)
    assert shares[0] > 0.6
    assert statistics.median(shares) < 0.15
    assert len(nobody_came(days["bad-morning"])) > len(nobody_came(days["normal"]))


def test_in_the_country_phones_keep_for_hours_what_they_cannot_send(days):
    def kept(day):
        batches = [submission for submission in day.submissions if len(submission.bodies) > 1]
        return sum(len(submission.bodies) for submission in batches) / day.event_count

    assert kept(days["normal"]) < 0.05
    assert 0.1 < kept(days["rural-offline"]) < 0.5
    assert all(len(submission.bodies) <= 500 for submission in days["rural-offline"].submissions)


def test_only_the_app_names_the_visit_and_a_landline_has_neither_fix_nor_device(days):
    for truth in days["normal"].truths:
        for event in truth.recorded:
            body = event.body
            if body["method"] == "landline":
                assert "cli" in body
                assert not {"fix", "device", "visit"} & set(body)
            elif body["method"] == "app" and truth.visit:
                assert body["visit"] == truth.visit.ref
            else:
                assert "visit" not in body


def test_now_and_then_a_person_with_no_visit_is_looked_in_upon(days):
    unplanned = [truth for truth in days["normal"].truths if truth.visit is None]
    planned = {truth.service_user_ref for truth in days["normal"].truths if truth.visit}
    assert 5 < len(unplanned) < 40
    assert not planned & {truth.service_user_ref for truth in unplanned}


def test_gps_noise_looks_like_phones_standing_still():
    """Medians of metres, a tail of tens, steady within a stop, and accuracy that is no bound."""
    rng, door = Random(1), (52.64, -1.13)
    errors, apart, beyond = [], [], 0
    for _ in range(4_000):
        stop = Stop(rng, *door)
        first, second = stop.fix(), stop.fix()
        for fix in (first, second):
            errors.append(distance_m(door, (fix.lat, fix.lon)))
            beyond += errors[-1] > fix.accuracy_m
        apart.append(distance_m((first.lat, first.lon), (second.lat, second.lon)))
    errors.sort()
    assert 3 < statistics.median(errors) < 14
    assert 20 < errors[int(0.95 * len(errors))] < 60
    assert max(errors) < 250
    assert statistics.median(apart) < statistics.median(errors)
    assert 0.02 < beyond / len(errors) < 0.12
    assert sum(error > 100 for error in errors) / len(errors) < 0.02
