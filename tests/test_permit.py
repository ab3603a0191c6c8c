"""Every role and every key scope against every action, written out again by hand.

The table in the code is the rule; this one is a second pair of eyes. A cell changed in one place only fails here.
"""

from __future__ import annotations

import pytest

from ecm.errors import NotPermitted
from ecm.permit import KEY_SCOPES, ROLES, Action, Actor, Scope, permit, reach, require

# own: for the account's own provider; all: for any provider; nothing written: not at all.
EXPECTED = """
care_worker       own  record_check_event
coordinator       own  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
coordinator       own  read_unmatched manage_phones manage_tags
manager           own  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
manager           own  read_unmatched read_actuals read_quality manage_phones manage_tags
duty_officer      all  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
duty_officer      all  read_unmatched read_quality
finance           all  read_visits read_actuals run_payment
finance_approver  all  read_visits read_actuals lock_period
quality           all  read_visits read_board read_unmatched read_quality
administrator     all  import_data read_visits read_board read_unmatched read_quarantine read_audit
administrator     all  manage_accounts manage_keys manage_phones manage_tags
auditor           all  read_visits read_board read_unmatched read_actuals read_quality read_quarantine read_audit
ingest            all  record_check_event
read              all  read_visits read_actuals
import            all  import_data
"""

OURS, THEIRS = Scope("P1"), Scope("P2")


def expected() -> dict[tuple[str, str], str]:
    cells = {}
    for line in EXPECTED.strip().splitlines():
        who, word, *actions = line.split()
        cells |= {(who, action): word for action in actions}
    return cells


def actor(who: str) -> Actor:
    if who in KEY_SCOPES:
        return Actor("key", 1, 1, "A system", scopes=frozenset({who}))
    own = who in ("care_worker", "coordinator", "manager")
    return Actor("account", 1, 1, "Somebody", who, "P1" if own else None)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("who", [*ROLES, *KEY_SCOPES])
def test_each_role_may_do_exactly_what_its_row_says(who: str, action: Action) -> None:
    may = (permit(actor(who), action, OURS).allowed, permit(actor(who), action, THEIRS).allowed)
    assert may == {"all": (True, True), "own": (True, False)}.get(
        expected().get((who, action), ""), (False, False)
    )
    assert permit(actor(who), action).allowed == may[0]


def test_the_written_table_names_no_role_or_action_that_is_not_there() -> None:
    for who, action in expected():
        assert who in (*ROLES, *KEY_SCOPES)
        assert action in list(Action)


def test_a_refusal_says_why() -> None:
    assert permit(actor("finance"), Action.LOCK_PERIOD).reason == "role finance may not lock period"
    assert permit(actor("coordinator"), Action.AMEND_VISIT, THEIRS).reason == (
        "role coordinator may amend visit for provider P1 only"
    )
    assert permit(actor("read"), Action.IMPORT_DATA).reason == "a key for read may not import data"


def test_nobody_both_runs_a_payment_and_locks_its_period() -> None:
    for who in (*ROLES, *KEY_SCOPES):
        assert not (permit(actor(who), Action.RUN_PAYMENT) and permit(actor(who), Action.LOCK_PERIOD))


def test_a_key_of_two_scopes_may_do_what_either_may_and_no_more() -> None:
    both = Actor("key", 1, 1, "A system", scopes=frozenset({"ingest", "read"}))
    assert permit(both, Action.RECORD_CHECK_EVENT)
    assert permit(both, Action.READ_VISITS)
    assert not permit(both, Action.IMPORT_DATA)


def test_a_provider_on_an_account_narrows_whatever_role_it_has() -> None:
    narrowed = Actor("account", 1, 1, "Somebody", "duty_officer", "P1")
    assert permit(narrowed, Action.AMEND_VISIT, OURS)
    assert not permit(narrowed, Action.AMEND_VISIT, THEIRS)
    assert reach(narrowed, Action.READ_VISITS) == "P1"


def test_a_providers_role_without_a_provider_may_do_nothing() -> None:
    lost = Actor("account", 1, 1, "Somebody", "coordinator", None)
    assert not any(permit(lost, action) for action in Action)


def test_an_unknown_role_may_do_nothing() -> None:
    unknown = Actor("account", 1, 1, "Somebody", "emperor", None)
    assert not any(permit(unknown, action) for action in Action)


def test_require_raises_with_the_reason_and_reach_too() -> None:
    with pytest.raises(NotPermitted, match="role auditor may not amend visit"):
        require(actor("auditor"), Action.AMEND_VISIT)
    with pytest.raises(NotPermitted):
        reach(actor("care_worker"), Action.READ_VISITS)
    assert reach(actor("auditor"), Action.READ_VISITS) is None
