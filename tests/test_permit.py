"""Every role and every key scope against every action, written out again by hand.

The table in the code is the rule; this one is a second pair of eyes. A cell changed in one place only fails here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecm.errors import NotPermitted, StepUpNeeded
from ecm.lock import Lock
from ecm.permit import (
    KEY_SCOPES,
    LOOKING,
    PHONE,
    ROLES,
    STEP_UP,
    Action,
    Actor,
    Scope,
    is_above,
    permit,
    reach,
    require,
    require_step_up,
)

# own: for the account's own provider; all: for any provider; mine: for the visits of whoever holds the phone; nothing
# written: not at all.
EXPECTED = """
care_worker       own  record_check_event
coordinator       own  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
coordinator       own  read_unmatched manage_phones manage_tags set_key_safe manage_leavers
manager           own  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
manager           own  read_unmatched read_actuals read_quality manage_phones manage_tags
manager           own  set_key_safe manage_leavers
duty_officer      all  record_check_event read_visits read_full_address amend_visit acknowledge_alert read_board
duty_officer      all  read_unmatched read_quality
finance           all  read_visits read_actuals run_payment
finance_approver  all  read_visits read_actuals lock_period
quality           all  read_visits read_board read_unmatched read_quality
administrator     all  import_data read_visits read_board read_unmatched read_quarantine read_audit
administrator     all  manage_accounts manage_keys manage_phones manage_tags set_key_safe manage_leavers
administrator     all  manage_sign_in erase_personal verify_audit
auditor           all  read_visits read_board read_unmatched read_actuals read_quality read_quarantine read_audit
auditor           all  verify_audit read_full_address
ingest            all  record_check_event
read              all  read_visits read_actuals
import            all  import_data
care_worker       own  read_own_data
coordinator       own  read_own_data
manager           own  read_own_data
duty_officer      all  read_own_data
finance           all  read_own_data
finance_approver  all  read_own_data
quality           all  read_own_data
administrator     all  read_own_data
auditor           all  read_own_data
phone             mine record_check_event read_visits read_full_address read_key_safe read_own_data
"""

OURS, THEIRS = Scope("P1"), Scope("P2")
EVERYBODY = (*ROLES, *KEY_SCOPES, PHONE)
ALICES, BOBS = Scope("P1", frozenset({"CW-A", "CW-C"})), Scope("P1", frozenset({"CW-B"}))
BORROWED = Scope("P2", frozenset({"CW-A"}))


def expected() -> dict[tuple[str, str], str]:
    cells = {}
    for line in EXPECTED.strip().splitlines():
        who, word, *actions = line.split()
        cells |= {(who, action): word for action in actions}
    return cells


def actor(who: str) -> Actor:
    if who in KEY_SCOPES:
        return Actor("key", 1, 1, "A system", scopes=frozenset({who}))
    if who == PHONE:
        return Actor("phone", 1, 0, "Alice's phone", PHONE, "P1", care_worker_ref="CW-A")
    own = who in ("care_worker", "coordinator", "manager")
    return Actor("account", 1, 1, "Somebody", who, "P1" if own else None)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("who", EVERYBODY)
def test_each_role_may_do_exactly_what_its_row_says(who: str, action: Action) -> None:
    scopes = (ALICES, BOBS) if who == PHONE else (OURS, THEIRS)
    may = tuple(permit(actor(who), action, scope).allowed for scope in scopes)
    assert may == {"all": (True, True), "own": (True, False), "mine": (True, False)}.get(
        expected().get((who, action), ""), (False, False)
    )
    assert permit(actor(who), action).allowed == may[0]


def test_a_care_worker_reaches_own_visits_only() -> None:
    """Whoever's visits they are: a borrowed worker is sent to another provider's."""
    alice = actor(PHONE)
    for action in (Action.READ_VISITS, Action.READ_FULL_ADDRESS, Action.READ_KEY_SAFE):
        assert permit(alice, action, ALICES)
        assert permit(alice, action, BORROWED)
        assert permit(alice, action, BOBS).reason.endswith("for the visits of its care worker only")
    shared = replace(alice, care_worker_ref=None)
    assert permit(shared, Action.READ_VISITS).reason.endswith("who holds it, and nobody does")
    assert alice.lock == Lock(1, "P1", "CW-A", PHONE, "phone 0")


def test_a_care_workers_account_sees_nobodys_visits_until_it_says_whose_it_is() -> None:
    cara = actor("care_worker")
    assert cara.lock.settings()["ecm.worker"] == "="
    assert replace(cara, care_worker_ref="CW-A").lock.settings()["ecm.worker"] == "=CW-A"
    assert actor("manager").lock.settings()["ecm.worker"] == "*"


def test_a_providers_account_without_a_provider_sees_nobodys_rows() -> None:
    for role in ("care_worker", "coordinator", "manager"):
        assert Actor("account", 1, 1, "Somebody", role, None).lock.settings()["ecm.provider"] == "="


def test_an_auditor_may_change_nothing() -> None:
    """Nor may quality, nor a key that reads. What only looks, its name says."""
    assert {action for action in Action if action.startswith("read_")} == LOOKING - {Action.VERIFY_AUDIT}
    for who in ("auditor", "quality", "read"):
        for action in set(Action) - LOOKING:
            assert not permit(actor(who), action), f"{who} {action}"
    for who in set(EVERYBODY) - {"auditor", "quality", "read"}:
        assert any(permit(actor(who), action) for action in set(Action) - LOOKING), who


def test_an_auditor_reads_everything_but_how_to_get_in() -> None:
    kept = {Action.READ_KEY_SAFE}
    assert {action for action in LOOKING if not permit(actor("auditor"), action)} == kept


def test_the_written_table_names_no_role_or_action_that_is_not_there() -> None:
    for who, action in expected():
        assert who in EVERYBODY
        assert action in list(Action)


def test_a_refusal_says_why() -> None:
    assert permit(actor("finance"), Action.LOCK_PERIOD).reason == "role finance may not lock period"
    assert permit(actor("coordinator"), Action.AMEND_VISIT, THEIRS).reason == (
        "role coordinator may amend visit for provider P1 only"
    )
    assert permit(actor("read"), Action.IMPORT_DATA).reason == "a key for read may not import data"


def test_nobody_both_runs_a_payment_and_locks_its_period() -> None:
    for who in EVERYBODY:
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


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_locking_a_period_asks_for_a_proof_a_few_minutes_old() -> None:
    fiona = actor("finance_approver")
    with pytest.raises(StepUpNeeded, match="prove again"):
        require_step_up(fiona, Action.LOCK_PERIOD, NOW)
    require_step_up(replace(fiona, stepped_up_at=NOW - timedelta(minutes=9)), Action.LOCK_PERIOD, NOW)
    with pytest.raises(StepUpNeeded):
        require_step_up(replace(fiona, stepped_up_at=NOW - timedelta(minutes=11)), Action.LOCK_PERIOD, NOW)


def test_what_a_script_does_every_day_asks_for_no_new_proof() -> None:
    for action in set(Action) - set(STEP_UP):
        require_step_up(actor("administrator"), action, NOW)


def test_the_database_is_told_of_an_actor_what_is_theirs() -> None:
    assert actor("manager").lock == Lock(1, "P1", None, "manager", "account 1")
    assert actor("auditor").lock.settings() == {
        "ecm.tenant": "1",
        "ecm.provider": "*",
        "ecm.worker": "*",
        "ecm.role": "auditor",
        "ecm.who": "account 1",
    }
    both = Actor("key", 1, 7, "A system", scopes=frozenset({"read", "ingest"}))
    assert both.lock.role == "ingest read"


def test_a_provider_called_star_is_one_provider_and_not_all_of_them() -> None:
    star = Actor("account", 1, 1, "Somebody", "manager", "*")
    assert star.lock.settings()["ecm.provider"] == "=*"


def test_whoever_has_not_finished_setting_up_may_do_nothing() -> None:
    for who in ROLES:
        limited = replace(actor(who), limited=True)
        assert not any(permit(limited, action) for action in Action), who


def test_a_manager_stands_above_a_coordinator_and_of_the_authority_nobody_is_above_or_below() -> None:
    assert is_above("manager", actor("coordinator"))
    assert not is_above("coordinator", actor("coordinator"))
    assert not is_above("coordinator", actor("manager"))
    assert not is_above("manager", actor("administrator"))
    assert not is_above("administrator", actor("coordinator")), "out of a provider's reach anyhow"
