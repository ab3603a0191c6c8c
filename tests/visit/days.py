"""Made-up days for the laws: visits of one person, and evidence of every quality, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from ecm.visit.model import Amendment, AmendmentKind, CheckEvent, Method, Visit
from tests.visit.story import ALICE, BOB, CAROL, TELEPHONE, a_visit, an_event, at, metres_away

MORNING = at("07:00")
minutes = st.integers(0, 300).map(lambda count: timedelta(minutes=count))


@st.composite
def visits(draw: st.DrawFn, count: int = 1) -> list[Visit]:
    made = []
    for number in range(1, count + 1):
        start = MORNING + timedelta(minutes=draw(st.integers(60, 600)))
        made.append(
            replace(
                a_visit(number=number),
                planned_start=start,
                planned_end=start + timedelta(minutes=draw(st.sampled_from([15, 30, 60]))),
                carers_required=draw(st.sampled_from([1, 1, 2])),
                care_workers=draw(st.sampled_from([(), (ALICE,), (ALICE, BOB)])),
                cancelled=draw(st.sampled_from([False, False, False, True])),
                next_planned_start=draw(
                    st.sampled_from([None, start + timedelta(minutes=10), start + timedelta(hours=3)])
                ),
                commissioned_minutes=draw(st.sampled_from([None, 30, 60])),
            )
        )
    return made


@st.composite
def events(draw: st.DrawFn, visit: Visit, most: int = 6) -> list[CheckEvent]:
    assert visit.planned_start is not None
    made = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        around = draw(st.sampled_from([(-30, 100), (-30, 100), (-90, -5), (-300, -200)]))  # minutes
        occurred = visit.planned_start + timedelta(seconds=draw(st.integers(*(60 * each for each in around))))
        received = occurred + timedelta(seconds=draw(st.sampled_from([0, 0, 0, 3, 400, 3600, 3 * 3600])))
        event = an_event(
            draw(st.sampled_from(["in", "out"])),
            occurred,
            number,
            draw(st.sampled_from([ALICE, ALICE, BOB, CAROL, None])),
            received_at=received,
            method=draw(st.sampled_from([Method.APP, Method.LANDLINE, Method.MANUAL])),
            fix=draw(
                st.sampled_from(
                    [None, metres_away(5), metres_away(95), metres_away(500), metres_away(5, None)]
                )
            ),
            cli=draw(st.sampled_from([None, TELEPHONE, "+447700900999"])),
            reason_code=draw(st.sampled_from([None, None, "refused"])),
            wall_clock=draw(st.sampled_from([None, None, received, received + timedelta(hours=48)])),
            visit_ref=draw(st.sampled_from([None, None, None, visit.ref, "V99"])),
            proofs=frozenset(draw(st.sampled_from(["", "", "pin left", "signed shared left"])).split()),
        )
        made.append(event)
    return made


@st.composite
def amendments(draw: st.DrawFn, visit: Visit, of: list[CheckEvent], most: int = 2) -> list[Amendment]:
    assert visit.planned_start is not None
    made = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        kind = draw(st.sampled_from(AmendmentKind))
        about_event = kind in (AmendmentKind.LINK, AmendmentKind.REJECT)
        if about_event and not of:
            continue
        start, stays = visit.planned_start, timedelta(minutes=draw(st.integers(5, 90)))
        made.append(
            Amendment(
                number,
                kind,
                start + timedelta(minutes=draw(st.integers(-60, 600))),
                "duty officer",
                "agreed by telephone",
                event_id=draw(st.sampled_from(of)).event_id if about_event else None,
                care_worker=draw(st.sampled_from([ALICE, BOB, None])),
                check_in_at=start if kind is AmendmentKind.TIMES else None,
                check_out_at=start + stays if kind is AmendmentKind.TIMES and draw(st.booleans()) else None,
            )
        )
    return made


def known_from(evidence_events: list[CheckEvent], made: list[Amendment], earliest: datetime) -> datetime:
    """The first instant at which all of this can be known: no assessment is asked for before it."""
    return max([earliest, *(e.received_at for e in evidence_events), *(a.made_at for a in made)])


def uuid(number: int) -> UUID:
    return UUID(int=number)
