"""The made-up borough is a likely one, always the same for its seed, and plainly nobody's."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from ecm.simulator import columns, make_borough, small_borough
from ecm.simulator.streets import distance_m

MONDAY = date(2026, 11, 23)
JULY = date(2026, 7, 6)

OFCOM_DRAMA = re.compile(
    r"\+447700900\d{3}|\+4411[345678]4960\d{3}|\+441[23456]14960\d{3}|\+442079460\d{3}|\+441914980\d{3}"
    r"|\+441632960\d{3}|\+442920180\d{3}|\+442896496\d{3}"
)

IMPORT_COLUMNS = {
    "providers": "ref name phone email",
    "contracts": "ref provider_ref service valid_from valid_to rules",
    "service-users": "ref name address postcode lat lon fence_m phones carers_required risk_tier funder needs places",
    "care-workers": "ref name provider_ref phone pin",
    "visits": "ref service_user_ref provider_ref date start end service commissioned_minutes carers_required "
    "care_worker_refs time_critical cancelled",
}


@pytest.fixture(scope="module")
def leicester():
    return make_borough(1, day=MONDAY)


def test_the_same_seed_wakes_up_the_same_borough():
    assert make_borough(7, 200, 4, day=MONDAY) == make_borough(7, 200, 4, day=MONDAY)
    assert make_borough(7, 200, 4, day=MONDAY) != make_borough(8, 200, 4, day=MONDAY)


def test_another_day_brings_the_same_people_and_other_visits():
    monday, july = small_borough(day=MONDAY), small_borough(day=JULY)
    assert monday.service_users == july.service_users
    assert monday.care_workers == july.care_workers
    assert not {visit.ref for visit in monday.visits} & {visit.ref for visit in july.visits}


def test_a_whole_borough_takes_less_than_three_seconds():
    began = time.process_time()
    make_borough(3, day=MONDAY)
    assert time.process_time() - began < 3


def test_it_has_the_size_of_a_large_borough(leicester):
    people = Counter(visit.service_user_ref for visit in leicester.visits)
    assert 1_400 < len(people) < 1_600
    assert 2_000 < len(leicester.visits) < 4_500
    assert max(people.values()) <= 4
    assert len(leicester.providers) == 25


def test_two_peaks_at_breakfast_and_at_bedtime(leicester):
    hours = Counter(visit.start.hour for visit in leicester.visits)
    morning, evening = sum(hours[hour] for hour in (7, 8, 9)), sum(hours[hour] for hour in (17, 18, 19, 20))
    assert (morning + evening) / len(leicester.visits) > 0.6
    assert hours[12] > hours[11]
    assert hours[11] + hours[15] == 0


def test_funders_double_ups_and_short_agreed_visits_come_in_their_shares(leicester):
    people = leicester.service_users
    nhs = sum(person.funder == "nhs" for person in people) / len(people)
    double = sum(visit.carers_required == 2 for visit in leicester.visits) / len(leicester.visits)
    assert 0.08 < nhs < 0.12
    assert 0.05 < double < 0.11
    minutes = {
        (visit.service == "medication_check", visit.commissioned_minutes) for visit in leicester.visits
    }
    assert minutes == {(True, 15), (False, 30), (False, 45), (False, 60)}
    assert all(len(set(visit.care_worker_refs)) == visit.carers_required for visit in leicester.visits)


def test_a_round_is_walkable_no_worker_is_in_two_homes(leicester):
    homes = {person.ref: (person.home.lat, person.home.lon) for person in leicester.service_users}
    rota: dict[str, list] = {}
    for visit in leicester.visits:
        for ref in visit.care_worker_refs:
            rota.setdefault(ref, []).append(visit)
    for visits in rota.values():
        for before, after in pairwise(visits):
            gap = after.start - before.end
            apart_km = distance_m(homes[before.service_user_ref], homes[after.service_user_ref]) / 1000
            assert gap >= timedelta(minutes=5)
            assert apart_km / (gap / timedelta(hours=1)) < 40, (before, after)


@pytest.mark.parametrize("kind", columns.KINDS)
def test_rows_have_exactly_the_columns_of_the_import(leicester, kind):
    rows = leicester.to_rows(kind)
    assert rows
    assert {tuple(row) for row in rows} == {tuple(IMPORT_COLUMNS[kind].split())}


def test_local_times_are_the_clocks_on_the_wall():
    winter, summer = small_borough(day=MONDAY), small_borough(day=JULY)
    for borough, hours_ahead in ((winter, 0), (summer, 1)):
        for visit, row in zip(borough.visits, borough.to_rows("visits"), strict=True):
            assert row["start"] == f"{visit.start + timedelta(hours=hours_ahead):%H:%M}"


def test_every_telephone_number_is_one_kept_for_drama(leicester):
    numbers = [person.phone for person in leicester.service_users]
    numbers += [worker.phone for worker in leicester.care_workers] + [
        each.phone for each in leicester.providers
    ]
    given = [number for number in numbers if number]
    assert len(given) == len(set(given)) > 2_500
    assert [number for number in given if not OFCOM_DRAMA.fullmatch(number)] == []


def test_what_is_left_of_a_day_begins_after_now(leicester):
    noon = leicester.visits[0].start.replace(hour=12, minute=0)
    left = leicester.starting_after(noon)
    assert 0 < len(left.visits) < len(leicester.visits)
    assert all(visit.start > noon for visit in left.visits)
