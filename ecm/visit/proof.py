"""What proves who, where and when: three questions, graded apart, never a bare yes or no.

A door says what it checked itself (`Proof`); what it merely was told is no proof. Each table below is read downward
and the first row that fits is the grade. A grade informs a person and a contract's rules; it refuses nothing.

The order of the place's rows follows how hard each is to forge: a tag that writes a new signed address at every tap
and a code that changes every minute are read at the door or not at all; a position in a browser can be set by hand;
a caller's number can be spoofed or forwarded; a printed code can be photographed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ecm.visit.model import CheckEvent, Finding, FindingCode, Method


class Proof(StrEnum):
    """What a door checked for itself when the event came in. Stored beside the event, never changed."""

    SIGNED = "signed"  # by an enrolled phone's own key
    SHARED = "shared"  # that phone is one of several people's
    CUT_OFF = "cut_off"  # signed by a phone that had been cut off when it arrived
    LEFT = "left"  # recorded in the name of a care worker who had left by then
    UNLOCKED = "unlocked"  # the worker's PIN opened the shared phone
    PIN = "pin"  # the worker's PIN was keyed in by telephone
    CALLED_BACK = "called_back"  # the caller's number answered and gave the spoken code
    WITHHELD = "withheld"  # the caller's number was withheld
    RANG_OWN_NUMBER = "rang_own_number"  # an unanswered ring of the worker's own line
    REGISTERED_MOBILE = "registered_mobile"  # a text from the number the worker registered
    TAG_FRESH = (
        "tag_fresh"  # a secure tag's new address: right key, a count never seen, higher than any before
    )
    TAG_STALE = "tag_stale"  # right key, but a count below the highest: a tap kept back, or one sent late
    TAG_REPEATED = "tag_repeated"  # right key, a count that was used before
    TAG_FORGED = "tag_forged"  # the tag's address does not check
    TAG_PRINTED = "tag_printed"  # a printed or plain tag: the address never changes
    TAG_ELSEWHERE = "tag_elsewhere"  # a tag of another person's home
    CODE_VALID = "code_valid"  # the code the card in the home showed then, used once
    CODE_REPEATED = "code_repeated"  # that code was used before
    CODE_WRONG = "code_wrong"  # the card did not show that code then
    PARTNER = "partner"  # told by another system, which checked it or did not
    TYPED = "typed"  # entered by a person at a desk


class Grade(StrEnum):
    STRONG = "strong"
    GOOD = "good"
    WEAK = "weak"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Graded:
    grade: Grade
    words: str


@dataclass(frozen=True, slots=True)
class Graded3:
    """Who, where and when, each by itself."""

    person: Graded
    place: Graded
    time: Graded


@dataclass(frozen=True, slots=True)
class Facts:
    """One event, what its door checked, and what was found of it."""

    event: CheckEvent
    found: frozenset[FindingCode]

    def has(self, *proofs: Proof) -> bool:
        return all(proof in self.event.proofs for proof in proofs)


Row = tuple[Grade, str, Callable[[Facts], bool]]

PERSON: tuple[Row, ...] = (
    (Grade.NONE, "entered at a desk", lambda f: f.has(Proof.TYPED) or f.event.method is Method.MANUAL),
    (Grade.NONE, "nobody was named", lambda f: f.event.care_worker is None),
    (Grade.WEAK, "in the name of a care worker who had left", lambda f: f.has(Proof.LEFT)),
    (Grade.WEAK, "signed by a phone that was cut off", lambda f: f.has(Proof.CUT_OFF)),
    (
        Grade.GOOD,
        "signed by a shared phone, with the worker's PIN",
        lambda f: f.has(Proof.SHARED, Proof.UNLOCKED),
    ),
    (Grade.WEAK, "signed by a shared phone, without a PIN", lambda f: f.has(Proof.SHARED)),
    (Grade.STRONG, "signed by the worker's own phone", lambda f: f.has(Proof.SIGNED)),
    (Grade.GOOD, "the worker's PIN by telephone", lambda f: f.has(Proof.PIN)),
    (Grade.WEAK, "a text from the worker's registered mobile", lambda f: f.has(Proof.REGISTERED_MOBILE)),
    (Grade.WEAK, "the worker's own line was rung", lambda f: f.has(Proof.RANG_OWN_NUMBER)),
    (Grade.WEAK, "named by the sending system", lambda _: True),
)

PLACE: tuple[Row, ...] = (
    (Grade.NONE, "a tag of another person's home", lambda f: f.has(Proof.TAG_ELSEWHERE)),
    (Grade.STRONG, "the home's secure tag was tapped", lambda f: f.has(Proof.TAG_FRESH)),
    (Grade.STRONG, "the code shown in the home at that minute", lambda f: f.has(Proof.CODE_VALID)),
    (Grade.NONE, "the position is away from the home", lambda f: FindingCode.LOCATION_OUTSIDE in f.found),
    (Grade.STRONG, "the home's telephone, which answered when called back",
     lambda f: f.has(Proof.CALLED_BACK) and _from_home(f)),
    (Grade.GOOD, "the home's telephone", lambda f: _by_telephone(f) and _from_home(f)),
    (Grade.GOOD, "the position is at the home", lambda f: _has_position(f) and _at_home(f)),
    (Grade.WEAK, "the position is near the home, and too rough to tell",
     lambda f: FindingCode.LOCATION_UNCERTAIN in f.found),
    (Grade.WEAK, "the home's printed tag, which can be copied", lambda f: f.has(Proof.TAG_PRINTED)),
    (Grade.WEAK, "a tap of the home's tag that was kept back", lambda f: f.has(Proof.TAG_STALE)),
    (Grade.NONE, "nothing says where", lambda _: True),
)  # fmt: skip

TIME: tuple[Row, ...] = (
    (Grade.NONE, "entered at a desk", lambda f: f.has(Proof.TYPED) or f.event.method is Method.MANUAL),
    (Grade.STRONG, "the code shown in the home at that minute", lambda f: f.has(Proof.CODE_VALID)),
    (Grade.WEAK, "the device's clock was wrong", lambda f: FindingCode.CLOCK_SKEW in f.found),
    (Grade.GOOD, "a text, which can come late", lambda f: f.event.method is Method.SMS),
    (Grade.STRONG, "heard as it happened", lambda f: _by_telephone(f) and not f.has(Proof.PARTNER)),
    (Grade.STRONG, "received as it happened", lambda f: _live(f)),
    (Grade.WEAK, "told by another system", lambda f: f.has(Proof.PARTNER)),
    (Grade.GOOD, "the device's clock, sent later", lambda f: f.has(Proof.SIGNED)),
    (Grade.WEAK, "the device's clock, sent later", lambda _: True),
)

LIVE_SECONDS = 120


def graded(event: CheckEvent, findings: Iterable[Finding]) -> Graded3:
    """The grades of one event, from what its door checked and what was found of it."""
    facts = Facts(event, frozenset(f.code for f in findings if f.event_id == event.event_id))
    return Graded3(_first(PERSON, facts), _first(PLACE, facts), _first(TIME, facts))


def _first(table: tuple[Row, ...], facts: Facts) -> Graded:
    return next(Graded(grade, words) for grade, words, fits in table if fits(facts))


def _by_telephone(f: Facts) -> bool:
    return f.event.method in (Method.LANDLINE, Method.SMS)


def _has_position(facts: Facts) -> bool:
    return facts.event.fix is not None or facts.event.reduced is not None


def _at_home(f: Facts) -> bool:
    return FindingCode.LOCATION_INSIDE in f.found


def _from_home(f: Facts) -> bool:
    return f.event.cli is not None and f.event.method is Method.LANDLINE and _at_home(f)


def _live(f: Facts) -> bool:
    return 0 <= (f.event.received_at - f.event.occurred_at).total_seconds() <= LIVE_SECONDS
