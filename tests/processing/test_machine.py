"""R5: whatever happens, in whatever order, the stored rows are what folding all evidence afresh gives.

A machine thinks up stories for a real database: plans come and change, evidence arrives early, late, twice, by phones
with wrong clocks and by telephones that name nobody, officers correct it, workers take it in small batches, two at a
time, between ticks. Whenever everything is done, everything is folded again from scratch (`tests.prove.refold`) and
must be equal: visits, what became of each event, transitions, alerts.

ECM_TEST_STORIES=10000 ECM_TEST_STEPS=50 with pytest's --timeout 0 is the long form. A story that fails is printed as
it is; ECM_TEST_SHRINK=1 looks, for minutes, for the shortest like it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ecm.store.embedded import Addresses
from tests.processing.desk import minutes
from tests.processing.town import Town

STORIES = int(os.environ.get("ECM_TEST_STORIES", "200"))
STEPS = int(os.environ.get("ECM_TEST_STEPS", "25"))

BATCHES = st.integers(1, 5)
SEVERAL = st.integers(0, 9)
WHOSE = {"breakfast": "alice", "lunch": "alice", "tea": "alice", "dinner": "bob", "supper": "bob"}


def whose(ref: str, somebody_elses: bool) -> str:
    """Now and then a plan goes from one person to the other."""
    return {"alice": "bob", "bob": "alice"}[WHOSE[ref]] if somebody_elses else WHOSE[ref]


PLANS = (
    st.fixed_dictionaries(
        {
            "ref": st.sampled_from(list(WHOSE)),
            "start": st.sampled_from(["07:00", "08:00", "08:30", "12:00", "17:00", "22:45"]),
            "end": st.sampled_from(["09:00", "09:30", "13:00", "18:00", "23:15"]),
            "care_worker_refs": st.sampled_from([["carol"], ["dan"], ["carol", "dan"], []]),
            "carers_required": st.sampled_from([1, 1, 2]),
            "commissioned_minutes": st.sampled_from([15, 30, 60]),
            "time_critical": st.booleans(),
            "cancelled": st.sampled_from([False, False, False, True]),
            "somebody_elses": st.sampled_from([False] * 5 + [True]),
        }
    )
    .filter(lambda plan: plan["start"] < plan["end"])
    .map(lambda plan: plan | {"service_user_ref": whose(plan["ref"], plan.pop("somebody_elses"))})
)


def town_of(database: Addresses) -> Iterator[Town]:
    town = Town(database)
    yield town
    town.close()


town = pytest.fixture(town_of)


# No foreign key says so: migration 0002.
OUTCOMES_OF_NOTHING = """
    SELECT o.event_id FROM event_outcomes o LEFT JOIN check_events e USING (tenant_id, event_id)
    WHERE e.event_id IS NULL
"""


class Story(RuleBasedStateMachine):
    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.events: list[UUID] = []
        self.town.begin()

    @initialize(plans=st.lists(PLANS, max_size=4, unique_by=lambda plan: plan["ref"]))
    def the_day_is_planned(self, plans: list[dict[str, Any]]) -> None:
        if plans:
            self.town.plan(*plans)

    @rule(plan=PLANS)
    def the_plan_changes(self, plan: dict[str, Any]) -> None:
        self.town.plan(plan)

    @rule(
        kind=st.sampled_from(["in", "out"]),
        minutes_ago=st.sampled_from([0, 0, 0, 1, 2, 7, 30, 60, 180, 400, -1, -10, -3000]),
        worker=st.sampled_from(["carol", "carol", "dan", "erin", None]),
        person=st.sampled_from(["alice", "alice", "bob", "zelda", None]),
        visit=st.sampled_from([None, None, "breakfast", "lunch", "tea", "nonsense"]),
        cli=st.sampled_from([None, None, "+441632960001", "+441632960999"]),
        reason=st.sampled_from([None, None, None, "no_reply"]),
        metres=st.sampled_from([None, 5, 400]),
        clock_ahead=st.sampled_from([None, None, 0, 10, -10, 3000]),
    )
    def evidence_arrives(
        self,
        kind: str,
        minutes_ago: int,
        worker: str | None,
        person: str | None,
        visit: str | None,
        cli: str | None,
        reason: str | None,
        metres: float | None,
        clock_ahead: int | None,
    ) -> None:
        now = self.town.clock.at
        event = self.town.store(
            kind,
            now - minutes(minutes_ago),
            now,
            worker=worker,
            person=person,
            visit=visit,
            cli=cli,
            reason=reason,
            metres=metres,
            method="app" if cli is None else "landline",
            wall_clock=None if clock_ahead is None else now + minutes(clock_ahead),
        )
        self.events.append(event)

    @precondition(lambda self: self.events)
    @rule(which=SEVERAL)
    def an_event_is_looked_at_again(self, which: int) -> None:
        self.town.say_again(self._event(which))

    @rule(passing=st.sampled_from([1, 4, 5, 14, 15, 16, 45, 60, 120, 300]))
    def time_passes(self, passing: int) -> None:
        self.town.clock.at += timedelta(minutes=passing)

    @rule(batch=BATCHES)
    def a_batch_is_processed(self, batch: int) -> None:
        self.town.process(batch)

    @rule(batch=BATCHES, other_batch=BATCHES)
    def two_workers_process_at_once(self, batch: int, other_batch: int) -> None:
        self.town.process_in_two_places(batch, other_batch)

    @rule()
    def the_watcher_looks(self) -> None:
        self.town.watch()

    @rule()
    def alerts_are_decided(self) -> None:
        self.town.decide_alerts()

    @precondition(lambda self: self.events)
    @rule(which=SEVERAL, visit=SEVERAL)
    def an_officer_links_an_event(self, which: int, visit: int) -> None:
        if (visit_id := self._visit(visit)) is not None:
            self.town.amend("link", visit_id, self._event(which))

    @precondition(lambda self: self.events)
    @rule(which=SEVERAL)
    def an_officer_rejects_an_event(self, which: int) -> None:
        event = self._event(which)
        [counted] = self.town.rows(
            "SELECT (SELECT visit_id FROM event_outcomes WHERE tenant_id = 1 AND event_id = $1) AS visit_id",
            event,
        )
        self.town.amend("reject", counted["visit_id"], event)

    @rule(
        visit=SEVERAL,
        worker=st.sampled_from([None, "carol", "dan"]),
        hours=st.integers(-3, 0),
        length=SEVERAL,
    )
    def an_officer_establishes_the_times(
        self, visit: int, worker: str | None, hours: int, length: int
    ) -> None:
        if (visit_id := self._visit(visit)) is not None:
            came = self.town.clock.at + timedelta(hours=hours)
            left = came + timedelta(minutes=10 * length) if length else None
            self.town.amend("times", visit_id, care_worker=worker, check_in_at=came, check_out_at=left)

    @rule(visit=SEVERAL, kind=st.sampled_from(["cancelled", "frustrated"]))
    def an_officer_says_so(self, visit: int, kind: str) -> None:
        if (visit_id := self._visit(visit)) is not None:
            self.town.amend(kind, visit_id)

    @rule()
    def everything_is_done(self) -> None:
        self.town.settle()
        folded = self.town.folded()
        assert folded.events == len(self.events)
        assert [f"{each.kind}: {each.what}" for each in folded.differences] == []
        assert self.town.rows(OUTCOMES_OF_NOTHING) == []

    def teardown(self) -> None:
        self.everything_is_done()

    def _event(self, which: int) -> UUID:
        return self.events[which % len(self.events)]

    def _visit(self, which: int) -> int | None:
        known = self.town.rows("SELECT visit_id FROM visits WHERE tenant_id = 1 ORDER BY visit_id")
        return int(known[which % len(known)]["visit_id"]) if known else None


def test_whatever_happens_the_stored_state_is_the_fold_of_all_evidence(town: Town) -> None:
    told = type("Story", (Story,), {"town": town})
    run_state_machine_as_test(
        told,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=tuple(Phase) if os.environ.get("ECM_TEST_SHRINK") else (Phase.generate,),
        ),
    )
