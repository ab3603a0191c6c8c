"""What evidence is worth, check by check."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from ecm.visit.assess import assess
from ecm.visit.matching import allocate
from ecm.visit.model import AmendmentKind, CheckEvent, Evidence, Finding, FindingCode, Method, Place, Visit
from ecm.visit.policy import DEFAULT, Policy
from ecm.visit.reasons import explain
from ecm.visit.verification import location
from geo.fence import Fence
from geo.fix import Fix
from tests.visit.story import (
    BOB,
    DOOR,
    HOME,
    TELEPHONE,
    a_visit,
    an_amendment,
    an_event,
    at,
    codes,
    metres_away,
    tell,
)

VISIT = a_visit()


def found(
    code: FindingCode, *events: CheckEvent, visit: Visit = VISIT, trail: tuple[CheckEvent, ...] = ()
) -> list[Finding]:
    seen = assess(visit, Evidence(events, trail=trail), DEFAULT, at("09:40"))
    return [finding for finding in seen.findings if finding.code is code]


@pytest.mark.parametrize(
    ("fix", "as_told"),
    [
        (metres_away(5), "5 m from the door ± 10 m, fence 100 m"),
        (metres_away(400, 12), "400 m from the door ± 12 m, fence 100 m"),
        (metres_away(95), "95 m from the door ± 10 m, fence 100 m"),
        (metres_away(5, None), "5 m from the door (accuracy not given), fence 100 m"),
        (metres_away(3_000, None), "3.0 km from the door (accuracy not given), fence 100 m"),
        (Fix(0.0, 0.0, 5), "5984 km from the door ± 5 m, fence 100 m"),
        (Fix(float("nan"), 1.0, 5), "place not verified: not a position on earth"),
        (Fix(91.0, 1.0, 5), "place not verified: not a position on earth"),
        (None, "place not verified: no position sent"),
    ],
)
def test_a_place_explains_itself(fix: Fix | None, as_told: str) -> None:
    assert explain(location(VISIT, an_event("in", "09:00", fix=fix), DEFAULT)) == as_told


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "code"),
    [
        (5, 10, FindingCode.LOCATION_INSIDE),
        (95, 10, FindingCode.LOCATION_UNCERTAIN),
        (105, 10, FindingCode.LOCATION_UNCERTAIN),
        (400, 10, FindingCode.LOCATION_OUTSIDE),
        (5, None, FindingCode.LOCATION_UNCERTAIN),
        (400, None, FindingCode.LOCATION_UNCERTAIN),
        (3_000, None, FindingCode.LOCATION_OUTSIDE),
    ],
)
def test_a_place_is_graded(metres: float, accuracy_m: float | None, code: FindingCode) -> None:
    finding = location(VISIT, an_event("in", "09:00", fix=metres_away(metres, accuracy_m)), DEFAULT)
    assert finding.code is code
    assert finding.measure == pytest.approx(metres, abs=0.1)
    assert finding.limit == 100


def test_the_best_of_several_places_counts_and_is_named() -> None:
    garden = Place("day centre", Fence(metres_away(2_000).lat, DOOR[1], 50.0))
    visit = a_visit(places=(HOME, Place("daughter's", None), garden))
    finding = location(visit, an_event("in", "09:00", fix=metres_away(2_010)), DEFAULT)
    assert (finding.code, finding.detail) == (FindingCode.LOCATION_INSIDE, "± 10 m (day centre)")


@pytest.mark.parametrize("places", [(), (Place("home", None),)])
def test_a_home_that_is_not_located_blames_nobody(places: tuple[Place, ...]) -> None:
    finding = location(a_visit(places=places), an_event("in", "09:00"), DEFAULT)
    assert (finding.code, finding.detail) == (FindingCode.LOCATION_NONE, "place not located")


def test_a_polygon_is_measured_from_its_edge() -> None:
    corners = [(0.0, 0.0), (0.0, 0.002), (0.001, 0.002), (0.001, 0.0)]
    estate = Fence(*DOOR, 0.0, tuple((DOOR[0] + north, DOOR[1] + east) for north, east in corners))
    visit = a_visit(places=(Place("estate", estate),))
    inside = an_event("in", "09:00", fix=Fix(DOOR[0] + 0.0005, DOOR[1] + 0.001, 10))
    outside = an_event("in", "09:00", fix=Fix(DOOR[0] - 0.001, DOOR[1] + 0.001, 10))
    assert explain(location(visit, inside, DEFAULT)) == "within the fence ± 10 m"
    assert explain(location(visit, outside, DEFAULT)) == "111 m beyond the edge of the fence ± 10 m"


@pytest.mark.parametrize("method", [Method.LANDLINE, Method.SMS])
def test_the_persons_own_telephone_is_at_the_home(method: Method) -> None:
    finding = location(VISIT, an_event("in", "09:00", method=method, fix=None, cli=TELEPHONE), DEFAULT)
    assert (finding.code, explain(finding)) == (FindingCode.LOCATION_INSIDE, "person's own telephone")


def test_another_telephone_is_not() -> None:
    stranger = an_event("in", "09:00", method=Method.LANDLINE, fix=None, cli="+447700900999")
    assert codes(assess(VISIT, Evidence((stranger,)), DEFAULT, at("09:05"))) == [
        "cli_unknown",
        "location_none",
    ]


def test_a_text_from_the_workers_own_mobile_is_no_unknown_telephone() -> None:
    text = an_event("in", "09:00", method=Method.SMS, fix=None, cli="+447700900104")
    registered = replace(text, proofs=frozenset({"registered_mobile"}))
    assert len(found(FindingCode.CLI_UNKNOWN, text)) == 1
    assert found(FindingCode.CLI_UNKNOWN, registered) == []
    assert location(VISIT, registered, DEFAULT).code is FindingCode.LOCATION_NONE, (
        "it may have been sent from anywhere"
    )
    spoken = replace(registered, method=Method.LANDLINE)
    assert len(found(FindingCode.CLI_UNKNOWN, spoken)) == 1


def test_what_comes_in_a_leavers_name_counts_and_says_so() -> None:
    hers = replace(an_event("in", "09:00"), proofs=frozenset({"pin", "left"}))
    [finding] = found(FindingCode.LEAVER, hers)
    assert explain(finding) == "recorded in the name of a care worker who had left"
    assert assess(VISIT, Evidence((hers,)), DEFAULT, at("09:05")).actual_start == at("09:00")
    assert found(FindingCode.LEAVER, replace(hers, proofs=frozenset({"pin"}))) == []


@pytest.mark.parametrize(
    ("proof", "code", "as_told"),
    [
        ("tag_fresh", FindingCode.LOCATION_INSIDE, "the home's tag"),
        ("code_valid", FindingCode.LOCATION_INSIDE, "the home's code"),
        ("tag_stale", FindingCode.LOCATION_NONE, "no position sent"),
        ("tag_printed", FindingCode.LOCATION_NONE, "no position sent"),
        ("tag_elsewhere", FindingCode.LOCATION_NONE, "no position sent"),
        ("code_repeated", FindingCode.LOCATION_NONE, "no position sent"),
        ("code_wrong", FindingCode.LOCATION_NONE, "no position sent"),
    ],
)
def test_what_can_only_be_read_in_the_home_says_where(proof: str, code: FindingCode, as_told: str) -> None:
    finding = location(VISIT, an_event("in", "09:00", fix=None, proofs=frozenset({proof})), DEFAULT)
    assert (finding.code, finding.detail) == (code, as_told)


def test_a_position_still_says_where_it_is_whatever_was_read() -> None:
    away = an_event("in", "09:00", fix=metres_away(400), proofs=frozenset({"tag_fresh"}))
    assert location(VISIT, away, DEFAULT).code is FindingCode.LOCATION_OUTSIDE


@pytest.mark.parametrize("fix", [Fix(91.0, 1.0, 5), Fix(float("nan"), 1.0, 5)])
def test_a_position_that_is_none_does_not_cost_the_tag(fix: Fix) -> None:
    event = an_event("in", "09:00", fix=fix, proofs=frozenset({"tag_fresh"}))
    assert location(VISIT, event, DEFAULT).detail == "the home's tag"


@pytest.mark.parametrize(("minutes", "flagged"), [(5, False), (6, True)])
def test_what_was_sent_late_says_how_late(minutes: int, flagged: bool) -> None:
    event = an_event("in", "09:00", received_at=at("09:00") + timedelta(minutes=minutes))
    assert [f.measure for f in found(FindingCode.LATE_SYNC, event)] == [minutes] * flagged


def test_what_a_hand_wrote_says_why() -> None:
    event = an_event("in", "09:00", method=Method.MANUAL, reason_code="phone_broken")
    assert [f.detail for f in found(FindingCode.MANUAL_ENTRY, event)] == ["phone_broken"]
    times = an_amendment(AmendmentKind.TIMES, "10:00", check_in_at=at("09:00"), check_out_at=at("09:30"))
    seen = assess(VISIT, Evidence(amendments=(times,)), DEFAULT, at("10:00"))
    assert codes(seen) == ["manual_entry"]


def test_a_double_tap_is_noted_and_harms_nothing() -> None:
    after = tell("""
        09:00  in   -> in_progress  location_inside
        09:01  in   -> in_progress  duplicate_tap
        09:31  out  -> completed    location_inside
        09:32  out  -> completed    location_inside, -location_inside, duplicate_tap, -duplicate_tap
    """)
    (attendance,) = after.attendances
    assert (attendance.check_in_at, attendance.check_out_at) == (at("09:00"), at("09:32"))


ELSEWHERE = an_event("in", "08:00", 90, service_user="mrs-evans", fix=metres_away(2_000))
LEFT = replace(an_event("out", "08:30", 91, service_user="mrs-evans"), fix=metres_away(2_000))
HERE = an_event("in", "09:00")


@pytest.mark.parametrize(
    ("trail", "minutes"),
    [
        ((), None),
        ((ELSEWHERE,), 60),
        ((ELSEWHERE, LEFT), None),
        ((LEFT,), None),
        ((replace(ELSEWHERE, care_worker=BOB),), None),
        (
            (replace(ELSEWHERE, occurred_at=at("09:05"), received_at=at("09:05")),),
            None,
        ),  # the later stay's affair
        ((replace(ELSEWHERE, occurred_at=at("08:00") - timedelta(days=1)),), None),  # nobody stays that long
    ],
)
def test_overlap_is_a_check_in_elsewhere_not_checked_out_of(
    trail: tuple[CheckEvent, ...], minutes: float | None
) -> None:
    overlaps = found(FindingCode.OVERLAP, HERE, trail=trail)
    assert [(f.measure, f.event_id) for f in overlaps] == ([(minutes, HERE.event_id)] if minutes else [])


@pytest.mark.parametrize(
    ("metres", "left", "km_h"),
    [
        (2_000, "08:58", None),  # 60 km/h
        (5_000, "08:58", 149.4),
        (5_000, "08:57", None),
        (60_000, "08:30", None),  # 120 km/h is the limit, not over it
        (62_000, "08:30", 124.0),
    ],
)
def test_travel_that_no_road_allows(metres: float, left: str, km_h: float | None) -> None:
    before = replace(LEFT, occurred_at=at(left), received_at=at(left), fix=metres_away(metres))
    fast = found(FindingCode.IMPOSSIBLE_TRAVEL, HERE, trail=(before,))
    assert [f.measure for f in fast] == ([pytest.approx(km_h, rel=0.01)] if km_h else [])


def test_a_position_identical_to_six_places_was_copied() -> None:
    copied = replace(LEFT, fix=replace(metres_away(5), accuracy_m=33.0))
    [finding] = found(FindingCode.REPEATED_FIX, HERE, trail=(copied,))
    assert explain(finding) == "position identical to six places to one elsewhere"
    assert finding.detail == "", "at whose home is not for everybody who reads findings"
    near = replace(LEFT, fix=metres_away(5.3))
    assert found(FindingCode.REPEATED_FIX, HERE, trail=(near,)) == []


@pytest.mark.parametrize(
    ("minutes", "as_told"), [(5, None), (6, "position 6 min old"), (240, "position 240 min old")]
)
def test_a_position_from_before_the_visit_is_no_place(minutes: int, as_told: str | None) -> None:
    old = replace(metres_away(5), fixed_at=at("09:00") - timedelta(minutes=minutes))
    finding = location(VISIT, an_event("in", "09:00", fix=old), DEFAULT)
    code = FindingCode.LOCATION_NONE if as_told else FindingCode.LOCATION_INSIDE
    assert (finding.code, finding.detail) == (code, as_told or "± 10 m")
    assert location(VISIT, an_event("in", "09:00", fix=old), Policy(fix_old_after_minutes=300)).code is (
        FindingCode.LOCATION_INSIDE
    )


def test_nobody_is_said_to_have_flown_from_where_a_position_was_long_ago() -> None:
    before = replace(LEFT, occurred_at=at("08:58"), received_at=at("08:58"), fix=metres_away(5_000))
    assert found(FindingCode.IMPOSSIBLE_TRAVEL, HERE, trail=(before,))
    stale = replace(before, fix=replace(metres_away(5_000), fixed_at=at("08:00")))
    assert not found(FindingCode.IMPOSSIBLE_TRAVEL, HERE, trail=(stale,))


def test_a_telephone_that_taps_every_second_is_one_finding_and_no_burden() -> None:
    def taps(many: int) -> tuple[CheckEvent, ...]:
        nine = at("09:00")
        return tuple(an_event("in", nine + timedelta(seconds=n), n + 1) for n in range(many))

    def work(events: tuple[CheckEvent, ...]) -> int:
        """Function calls, which no busy machine makes more of."""
        counted = 0

        def count(_frame: object, event: str, _arg: object) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            shared = allocate([VISIT], events, {}, lambda _: DEFAULT)
            assess(VISIT, Evidence(shared.by_visit[1]), DEFAULT, at("09:40"))
        finally:
            sys.setprofile(None)
        return counted

    seen = assess(VISIT, Evidence(taps(1_200)), DEFAULT, at("09:40"))
    assert codes(seen) == ["duplicate_tap", "location_inside"]
    (tapped,) = [f for f in seen.findings if f.code is FindingCode.DUPLICATE_TAP]
    assert (tapped.measure, explain(tapped)) == (1_199, "tapped 1199 times more, 09:00 to 09:19")
    assert work(taps(8_000)) < 10 * work(taps(1_000))  # eight times the taps; the square would be sixty-four


def test_an_amendment_that_would_end_a_visit_before_it_began_says_so() -> None:
    times = an_amendment(AmendmentKind.TIMES, "10:00", check_in_at=at("09:45"))
    events = (an_event("in", "09:00"), an_event("out", "09:30", 2))
    seen = assess(VISIT, Evidence(events, (times,)), DEFAULT, at("10:00"))
    assert (seen.actual_start, seen.actual_end) == (at("09:00"), at("09:30"))
    assert [explain(f) for f in seen.findings if f.code is FindingCode.MANUAL_ENTRY] == [
        "entered by hand: phone call with worker (not used: it would end before it began)"
    ]
