"""Whose home is told to whom: to those who care for the person now, however sure anybody else is of having been there.

Mr Baker is P2's, and Ms Adams P1's. Alice, of P1, may say that she is at Mr Baker's; Ms Adams may move to P2, and then
to another house, where nobody of P1 shall find her.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import ADAMS_CHECK_IN, ADAMS_VISIT, ALICE_SOMEWHERE, BAKER_VISIT, Story
from tests.api.test_phones import Caller, alices

__all__ = ["alices"]

NEAR_MR_BAKER, TO_COME = 4, 5
HERS = [{"care_worker": "CW-A", "check_in_at": "2026-11-21T09:02:00Z", "check_out_at": None}]

# What Alice's word alone makes of Mr Baker's door: a visit of P1 that nobody planned.
UNPLANNED = """
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, window_start, state,
  attendances)
OVERRIDING SYSTEM VALUE VALUES
  (1, 4, 'unplanned-1', 'SU-B', 'P1', '2026-11-21', 'Europe/London', '2026-11-21T09:02Z', 'in_progress', $1)
"""
HOMES = """
UPDATE service_users SET needs = 'insulin; is confused', sealed_key_safe = '\\x01' WHERE tenant_id = 1;
INSERT INTO places (tenant_id, service_user_ref, lat, lon, fence_m)
  VALUES (1, 'SU-A', 53.81, -1.54, 80), (1, 'SU-B', 53.82, -1.55, 80);
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)
  VALUES (1, 'ADAMSHALL', 'qr', 'SU-A', 'Cory', now()), (1, 'BAKERSHALL', 'qr', 'SU-B', 'Cleo', now());
INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)
  VALUES (1, 'SU-A', '\\x01', 'Cory', now()), (1, 'SU-B', '\\x01', 'Cleo', now());
"""
ADAMS_MOVES_TO_P2 = """
UPDATE visits SET local_date = local_date - 30, planned_start = planned_start - interval '30 days',
  planned_end = planned_end - interval '30 days', window_start = window_start - interval '30 days'
  WHERE tenant_id = 1 AND visit_id = 1;
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,
  planned_end, window_start)
OVERRIDING SYSTEM VALUE VALUES
  (1, 5, 'V-A2', 'SU-A', 'P2', '2026-11-22', 'Europe/London', '2026-11-22T09:00Z', '2026-11-22T09:30Z',
   '2026-11-22T09:00Z');
UPDATE service_users SET address = '9 Hidden Close', postcode = 'ZZ9 8HH' WHERE tenant_id = 1 AND ref = 'SU-A';
"""


@pytest.fixture
async def homes(story: Story) -> Story:
    await story.run(HOMES)
    return story


async def visits_told(phone: Caller) -> dict[str, dict[str, Any]]:
    answer = await phone.ask("GET", "/v1/app/today")
    assert answer.status_code == 200, answer.text
    return {visit["ref"]: visit for visit in answer.json()["visits"]}


async def test_a_phone_that_says_it_is_at_a_strangers_is_told_nothing_of_that_home(
    homes: Story, alices: Caller
) -> None:
    await homes.run(UNPLANNED, HERS)
    told = await visits_told(alices)
    mr_bakers = told["unplanned-1"]
    assert mr_bakers["checked_in_at"] == "2026-11-21T09:02:00Z", "the evidence counts, and she can check out"
    assert (mr_bakers["service_user"], mr_bakers["name"]) == ("SU-B", "Mr B.")
    for thing in ("address", "postcode", "lat", "lon", "fence_m"):
        assert mr_bakers[thing] is None
    assert (mr_bakers["tasks"], mr_bakers["tags"], mr_bakers["key_safe"]) == ([], [], False)
    hers = told["V-A"]
    assert (hers["address"], hers["lat"], hers["fence_m"]) == ("1 Madeup Lane", 53.81, 80.0)
    assert (hers["tasks"], len(hers["tags"]), hers["key_safe"]) == (["insulin", "is confused"], 1, True)


async def test_naming_another_providers_visit_makes_it_nobodys_business_either(
    homes: Story, alices: Caller
) -> None:
    await homes.run("UPDATE visits SET attendances = $1 WHERE visit_id = 2", HERS)
    mr_bakers = (await visits_told(alices))["V-B"]
    assert (mr_bakers["name"], mr_bakers["address"], mr_bakers["lat"]) == ("Mr B.", None, None)
    assert mr_bakers["colleagues"] == [], "nor who of P2 comes to him"


@pytest.mark.parametrize(
    "how",
    [
        "UPDATE visits SET care_worker_refs = '{CW-B,CW-A}' WHERE visit_id = 2",
        "UPDATE visits SET provider_ref = 'P1', attendances = '[{\"care_worker\": \"CW-A\"}]' WHERE visit_id = 2",
    ],
    ids=["lent to P2, whose plan sends her", "for a colleague of P1 who fell ill"],
)
async def test_whoever_is_sent_or_stands_in_for_a_colleague_finds_the_door(
    homes: Story, alices: Caller, how: str
) -> None:
    await homes.run(how)
    mr_bakers = (await visits_told(alices))["V-B"]
    assert (mr_bakers["name"], mr_bakers["address"]) == ("Mr Baker", "2 Madeup Lane")
    assert (mr_bakers["lat"], mr_bakers["fence_m"]) == (53.82, 80.0)


async def test_her_coordinator_sees_no_more_of_it_than_she_does(homes: Story) -> None:
    await homes.run(UNPLANNED, HERS)
    cory, dana = await homes.signed_in("cory"), await homes.signed_in("dana")
    shown = (await cory.get(f"/v1/visits/{NEAR_MR_BAKER}")).json()
    assert shown["attendances"][0]["care_worker"] == "CW-A"
    assert shown["place"] == {
        "area": "South", "address": None, "postcode": None, "lat": None, "lon": None, "fence_m": None
    }  # fmt: skip
    listed = (await cory.get("/v1/visits?person=SU-B")).json()["items"]
    assert [visit["service_user_name"] for visit in (shown, *listed)] == ["Mr B."] * 2
    whole = (await dana.get(f"/v1/visits/{NEAR_MR_BAKER}")).json()
    assert (whole["place"]["address"], whole["service_user_name"]) == ("2 Madeup Lane", "Mr Baker")


async def test_nor_how_far_from_that_door_a_phone_was(homes: Story) -> None:
    """Three distances from places of one's own choosing are a position."""
    await homes.run(UNPLANNED, HERS)
    found = {"code": "location_outside", "measure": 412.5, "limit": 80.0, "unit": "m", "detail": "± 12 m"}
    await homes.run("UPDATE visits SET findings = $1 WHERE visit_id IN (1, 4)", [found])
    cory, dana = await homes.signed_in("cory"), await homes.signed_in("dana")
    for who, visit, measure in (
        (cory, NEAR_MR_BAKER, None),
        (cory, ADAMS_VISIT, 412.5),
        (dana, NEAR_MR_BAKER, 412.5),
    ):
        [told] = (await who.get(f"/v1/visits/{visit}")).json()["findings"]
        assert (told["code"], told["measure"]) == ("location_outside", measure)
    listed = (await cory.get("/v1/visits?person=SU-B")).json()["items"]
    assert "412" not in str(listed)


async def test_an_unplanned_visit_opens_no_home_to_tags_and_codes(homes: Story) -> None:
    await homes.run(UNPLANNED, HERS)
    assert await reached(homes, "cory", "SU-B", "BAKERSHALL", 2) == NOTHING_OF_IT


async def test_who_lost_a_person_keeps_the_visit_and_not_the_way_to_the_new_home(homes: Story) -> None:
    await homes.run(ADAMS_MOVES_TO_P2)
    cory, cleo = await homes.signed_in("cory"), await homes.signed_in("cleo")
    old = (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).json()
    assert (old["ref"], old["service_user_name"]) == ("V-A", "Ms Adams"), "it was theirs, and is on record"
    assert [event["id"] for event in old["evidence"]] == [str(ADAMS_CHECK_IN)]
    assert old["place"]["area"] == "North"
    for one in ("address", "postcode", "lat", "lon", "fence_m"):
        assert old["place"][one] is None
    new = (await cleo.get(f"/v1/visits/{TO_COME}")).json()
    assert (new["place"]["address"], new["place"]["lat"]) == ("9 Hidden Close", 53.81)


async def test_who_lost_a_person_loses_the_keys_and_who_is_to_come_has_them(homes: Story) -> None:
    await homes.run(ADAMS_MOVES_TO_P2)
    assert await reached(homes, "cory", "SU-A", "ADAMSHALL", 1) == NOTHING_OF_IT
    assert await reached(homes, "cleo", "SU-A", "ADAMSHALL", 1) == ALL_OF_IT


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("UPDATE visits SET cancelled = true WHERE visit_id = 1", False),
        ("UPDATE visits SET window_start = '2026-11-14T09:16:00Z' WHERE visit_id = 1", True),
        ("UPDATE visits SET window_start = '2026-11-14T09:15:59Z' WHERE visit_id = 1", False),
        ("UPDATE visits SET window_start = '2027-03-01T09:00Z' WHERE visit_id = 1", True),
    ],
    ids=["called off in the plan", "a week ago", "longer ago", "in spring"],
)
async def test_who_cares_for_somebody_is_who_is_planned_to(homes: Story, change: str, seen: bool) -> None:
    await homes.run(change)
    cory = await homes.signed_in("cory")
    place = (await cory.get(f"/v1/visits/{ADAMS_VISIT}")).json()["place"]
    assert place["address"] == ("1 Madeup Lane" if seen else None)


async def test_a_worker_who_changed_providers_brings_no_old_evidence_along(homes: Story) -> None:
    await homes.run("UPDATE care_workers SET provider_ref = 'P2' WHERE tenant_id = 1 AND ref = 'CW-A'")
    cleo, cory = await homes.signed_in("cleo"), await homes.signed_in("cory")
    for browser, status in ((cleo, 404), (cory, 200)):
        assert (await browser.get(f"/v1/check-events/{ADAMS_CHECK_IN}")).status_code == status
        listed = [event["id"] for event in (await browser.get("/v1/check-events")).json()["items"]]
        assert (str(ADAMS_CHECK_IN) in listed) == (status == 200)
    assert (await cleo.get(f"/v1/check-events/{ALICE_SOMEWHERE}")).status_code == 200, "on no visit yet"
    assert (await cory.get(f"/v1/visits/{BAKER_VISIT}")).status_code == 404


ALL_OF_IT = [True, True, True, 201, 201, 200, 200, 200]
NOTHING_OF_IT = [False, False, False, 404, 404, 404, 404, 404]


async def reached(story: Story, who: str, person: str, tag: str, card: int) -> list[bool | int]:
    """Whether they see that home, its tags and its cards; and how it goes to add one of each, to retire
    one and to set the key safe's code."""
    browser = await story.signed_in(who)
    seen = [
        any(one["service_user"] == person for one in (await browser.get(path)).json()["items"])
        for path in ("/v1/homes", "/v1/tags", "/v1/code-cards")
    ]
    retired = {"reason": "lost"}
    sent = [
        ("/v1/tags", {"kind": "qr", "service_user": person}),
        ("/v1/code-cards", {"service_user": person}),
        (f"/v1/tags/{tag}/retirement", retired),
        (f"/v1/code-cards/{card}/retirement", retired),
    ]
    went = [(await browser.post(path, json=said)).status_code for path, said in sent]
    set_anew = await browser.put("/v1/homes/key-safe", json={"service_user": person, "code": "4711"})
    return [*seen, *went, set_anew.status_code]
