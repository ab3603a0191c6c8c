"""What each kind of evidence proves of who, where and when: the tables, told as an officer would read them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ecm.visit.model import CheckEvent, EventKind, Finding, FindingCode, Method
from ecm.visit.proof import Grade, Proof, graded
from tests.visit.story import ALICE, TELEPHONE, at, metres_away

IN, OUT, ROUGH, NOWHERE = (
    FindingCode.LOCATION_INSIDE,
    FindingCode.LOCATION_OUTSIDE,
    FindingCode.LOCATION_UNCERTAIN,
    FindingCode.LOCATION_NONE,
)

# what came                                    proofs                      found    who     where   when
CASES = """
app, at the home, sent at once               | signed                    | in     | strong  good    strong
app, at the home, sent four hours later      | signed                    | in     | strong  good    good
app, clock wrong                             | signed                    | in skew| strong  good    weak
app, away                                    | signed                    | out    | strong  none    strong
app, rough position                          | signed                    | rough  | strong  weak    strong
app without a position                       | signed                    | nowhere| strong  none    strong
app of a phone that was cut off              | signed cut_off            | in     | weak    good    strong
app of a worker who had left                 | signed left               | in     | weak    good    strong
shared phone, its PIN a leaver's             | signed shared left        | in     | weak    good    strong
landline with a leaver's PIN                 | pin left                  | in     | weak    good    strong
shared phone with the PIN                    | signed shared unlocked    | in     | good    good    strong
shared phone without one                     | signed shared             | in     | weak    good    strong
secure tag                                   | signed tag_fresh          | nowhere| strong  strong  strong
secure tag, kept back                        | signed tag_stale          | nowhere| strong  weak    strong
secure tag, used before                      | signed tag_repeated       | nowhere| strong  none    strong
forged tag                                   | signed tag_forged         | nowhere| strong  none    strong
tag of another home, though near this one    | signed tag_elsewhere      | in     | strong  none    strong
printed tag                                  | signed tag_printed        | nowhere| strong  weak    strong
code card                                    | signed code_valid         | nowhere| strong  strong  strong
code used before                             | signed code_repeated      | nowhere| strong  none    strong
landline with a PIN                          | pin                       | in     | good    good    strong
landline that answered when called back      | pin called_back           | in     | good    strong  strong
withheld number with a PIN                   | pin withheld              | nowhere| good    none    strong
own line rung from the home                  | rang_own_number           | in     | weak    good    strong
text from the registered mobile              | registered_mobile         | nowhere| weak    none    good
another system's, sent four hours later      | partner                   | in     | weak    good    weak
a gateway's, unsigned                        |                           | in     | weak    good    strong
manual entry                                 | typed                     | nowhere| none    none    none
nobody was named                             |                           | in     | none    good    strong
"""
METHODS = {"landline": Method.LANDLINE, "withheld": Method.LANDLINE, "own line": Method.LANDLINE,
           "text": Method.SMS, "manual": Method.MANUAL}  # fmt: skip
CODES = {"in": IN, "out": OUT, "rough": ROUGH, "nowhere": NOWHERE, "skew": FindingCode.CLOCK_SKEW}


def cases() -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in CASES.strip().splitlines()]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case[0])
def test_what_it_proves(case: list[str]) -> None:
    told, proofs, found, grades = case
    method = next((method for word, method in METHODS.items() if told.startswith(word)), Method.APP)
    by_telephone = method is Method.LANDLINE and "withheld" not in told
    codes = [CODES[word] for word in found.split()]
    event = CheckEvent(
        uuid4(),
        EventKind.CHECK_IN,
        at("09:02"),
        at("09:02") + (timedelta(hours=4) if "later" in told else timedelta(seconds=3)),
        method,
        None if told.startswith("nobody") else ALICE,
        fix=metres_away(5) if not by_telephone and NOWHERE not in codes and method is Method.APP else None,
        cli=TELEPHONE if by_telephone else None,
        proofs=frozenset(Proof(word) for word in proofs.split()),
    )
    answer = graded(event, [Finding(code, event_id=event.event_id) for code in codes])
    assert [g.grade.value for g in (answer.person, answer.place, answer.time)] == grades.split()
    assert all(g.words for g in (answer.person, answer.place, answer.time))


def test_what_was_found_of_another_event_grades_nothing() -> None:
    event = CheckEvent(
        uuid4(), EventKind.CHECK_IN, at("09:02"), at("09:02"), Method.APP, ALICE, fix=metres_away(5)
    )
    assert graded(event, [Finding(IN, event_id=uuid4())]).place.grade is Grade.NONE
