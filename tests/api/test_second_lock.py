"""The second lock: with the application's own filters gone, a foreign authority's rows still are not there, nor those
of another provider, nor what is closed to a role.

The queries themselves are run, as the services' role, for our tenant's session and the other tenant's ids; then every
table there is, with no filter at all; then under the lock of one provider, one phone, one auditor.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
import pytest

from ecm import authorities
from ecm.api import (
    accounts,
    actuals,
    alerts,
    amendments,
    evidence,
    homes,
    key_safes,
    patterns,
    people,
    phones,
    reports,
    today,
    visits,
)
from ecm.audit.writing import write_down
from ecm.board.reading import sql as board_sql
from ecm.errors import LockedOut
from ecm.lock import Lock, held_by
from ecm.store.db import Record
from tests.api.conftest import (
    ADAMS_ALERT,
    ADAMS_CHECK_IN,
    ADAMS_VISIT,
    BAKER_ALERT,
    BAKER_CHECK_IN,
    BAKER_VISIT,
    NOW,
    ZANDER_ALERT,
    ZANDER_CHECK_IN,
    ZANDER_VISIT,
    Story,
)

OURS, THEIRS = 1, 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A query, with the other tenant's id where ours belongs.
PICKED_OPEN = [
    (visits.sql.get_visit, (THEIRS, ZANDER_VISIT, None, NOW)),
    (evidence.sql.get_event, (THEIRS, ZANDER_CHECK_IN, None)),
    (evidence.sql.list_unmatched, (THEIRS, None, EPOCH, UUID(int=0), 100)),
    (evidence.sql.list_quarantine, (THEIRS, 0, 100)),
    (alerts.sql.get_alert, (THEIRS, ZANDER_ALERT, None)),
    (alerts.sql.list_alerts, (THEIRS, None, None, None, 0, 100)),
    (alerts.sql.lock_alert, (THEIRS, ZANDER_ALERT, None)),
    (
        alerts.sql.set_owner,
        (THEIRS, ZANDER_ALERT, "open", "acknowledged", "Mallory", NOW, "account 6 Mallory"),
    ),
    (amendments.sql.visit_to_amend, (THEIRS, ZANDER_VISIT, None)),
    (people.sql.list_people, (THEIRS, 0, 100)),
    (authorities.sql.authority, (THEIRS,)),
]


@pytest.mark.parametrize(("query", "values"), PICKED_OPEN)
async def test_a_query_for_another_authority_finds_nothing(
    story: Story, query: str, values: tuple[object, ...]
) -> None:
    async with story.web.tenant(THEIRS) as connection:
        assert await connection.fetch(query, *values) != [], "the other authority itself finds it"
        await connection.execute("ROLLBACK; BEGIN")
    async with story.web.tenant(OURS) as connection:
        assert await connection.fetch(query, *values) == []


async def test_every_table_shows_our_authoritys_rows_only(story: Story) -> None:
    tables = [
        row[0]
        for row in await story.all(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " AND a.attname = 'tenant_id' WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
    ]
    assert len(tables) > 20
    seen_somewhere = 0
    for table in tables:
        async with story.web.tenant(OURS) as connection:
            tenants = {row[0] for row in await connection.fetch(f"SELECT DISTINCT tenant_id FROM {table}")}
        assert tenants <= {OURS}, table
        seen_somewhere += bool(tenants)
        async with story.web.connection() as connection:
            assert await connection.fetch(f"SELECT FROM {table} LIMIT 1") == [], f"{table} without a tenant"
    assert seen_somewhere > 8


async def test_nothing_can_be_written_for_another_authority(story: Story) -> None:
    with pytest.raises(LockedOut):
        async with story.web.tenant(OURS) as connection:
            await write_down(connection, THEIRS, "Mallory", "signed_in", "account 1", NOW)
    with pytest.raises(LockedOut):
        async with story.web.tenant(OURS) as connection:
            await connection.execute(amendments.sql.insert_todos, THEIRS, [], [ZANDER_VISIT])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE check_events SET care_worker = 'CW-B'",
        "DELETE FROM check_events",
        "UPDATE amendments SET note = ''",
        "DELETE FROM amendments",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM transitions",
        "UPDATE visits SET state = 'completed'",
        "UPDATE alerts SET reason = ''",
        "DELETE FROM alert_actions",
        "UPDATE actual_lines SET amount_pence = 0",
        "DELETE FROM accounts",
    ],
)
async def test_the_web_cannot_edit_what_is_only_ever_added(story: Story, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with story.web.tenant(OURS) as connection:
            await connection.execute(statement)


# ---------------------------------------------------------------------- providers, care workers, roles

AMBER = Lock(OURS, "P1", None, "manager", "account 4")
BIRCH = Lock(OURS, "P2", None, "manager", "account 3")
ALICES_PHONE = Lock(OURS, "P1", "CW-A", "phone", "phone 0")
CAROLS_PHONE = Lock(OURS, "P1", "CW-C", "phone", "phone 1")
AUDITOR = Lock(OURS, None, None, "auditor", "account 11")
DAY = date(2026, 11, 21)

MORE = """
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES (1, 'CW-C', 'Carol', 'P1');
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start,
  planned_end, window_start, care_worker_refs)
OVERRIDING SYSTEM VALUE VALUES
  (1, 11, 'V-C', 'SU-A', 'P1', '2026-11-21', 'Europe/London', '2026-11-21T12:00Z', '2026-11-21T12:30Z',
   '2026-11-21T12:00Z', '{CW-C}'),
  (1, 12, 'V-L', 'SU-B', 'P2', '2026-11-21', 'Europe/London', '2026-11-21T18:00Z', '2026-11-21T18:30Z',
   '2026-11-21T18:00Z', '{CW-A,CW-B}');
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, to_state)
  VALUES (1, 2, 'change', 1, '2026-11-21T09:15Z', '2026-11-21T09:15Z', 'late');
INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at)
  VALUES (1, 2, 'note', 'Cleo Coordinator', '2026-11-21T09:16Z');
INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, note, made_by, made_at)
  VALUES (1, 2, 'note', 'other', 'the key', 'Cleo Coordinator', '2026-11-21T09:16Z');
INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, enrolled_at, enrolled_by)
  VALUES (1, '00000000-0000-4000-8000-00000000000b', 'P2', 'CW-B', 'Bob''s phone', '{}', now(), 'Cleo');
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, care_worker_ref, provider_ref, visit_id,
  body_sha256, body)
  VALUES (1, '00000000-0000-4000-8000-0000000000bb', 'note', now(), now(), 'CW-B', 'P2', 2, '', '');
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)
  VALUES (1, 'BAKERS', 'qr', 'SU-B', 'Cleo', now());
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)
  VALUES (1, '2026-W47', '2026-11-16', '2026-11-22');
INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,
  local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence, planned_pence, steps, computed_at)
  VALUES (1, '2026-W47', 2, 1, 'P2', 'SU-B', 'council', '2026-11-21', 'completed', 1800, 1800, 1800, 715, 715, '[]',
          now());
"""

# A query that would show what is Birch's, as it is asked when every check says yes.
OF_BIRCH = {
    "the visit": (visits.sql.get_visit, (OURS, BAKER_VISIT, None, NOW)),
    "the visits of its person": (
        visits.sql.list_visits,
        (OURS, None, None, None, None, None, "SU-B", date.min, 0, 100, NOW),
    ),
    "what changed": (visits.sql.transitions_of_visit, (OURS, BAKER_VISIT)),
    "its worker's name": (visits.sql.names_of_workers, (OURS, ["CW-B"], BAKER_VISIT)),
    "the check-in": (evidence.sql.get_event, (OURS, BAKER_CHECK_IN, None)),
    "the visit's evidence": (evidence.sql.events_of_visit, (OURS, BAKER_VISIT)),
    "the alert": (alerts.sql.get_alert, (OURS, BAKER_ALERT, None)),
    "the alert to deal with": (alerts.sql.lock_alert, (OURS, BAKER_ALERT, None)),
    "the alert to take": (
        alerts.sql.set_owner,
        (OURS, BAKER_ALERT, "open", "acknowledged", "Mallory", NOW, "account 6 Mallory"),
    ),
    "what was done about it": (alerts.sql.actions_on_alert, (OURS, BAKER_ALERT)),
    "the visit to amend": (amendments.sql.visit_to_amend, (OURS, BAKER_VISIT, None)),
    "its amendments": (amendments.sql.amendments_of_visit, (OURS, BAKER_VISIT)),
    "the home": (homes.sql.home, (OURS, None, "SU-B", NOW)),
    "the tag in it": (homes.sql.tag, (OURS, None, "BAKERS", NOW)),
    "the tag to retire": (homes.sql.retire_tag, (OURS, "BAKERS", NOW)),
    "the phone": (phones.sql.phone, (OURS, UUID("00000000-0000-4000-8000-00000000000b"))),
    "the worker": (patterns.sql.worker, (OURS, "CW-B", None)),
    "the report": (reports.sql.reports_of_visit, (OURS, BAKER_VISIT)),
    "the pay": (actuals.sql.lines, (OURS, "2026-W47", None, None, False, -(2**62), 0, 100)),
    "the sum": (actuals.sql.totals, (OURS, "2026-W47", None)),
    "the board": (board_sql.visits_by_id, (OURS, [BAKER_VISIT])),
}


@pytest.mark.parametrize(("query", "values"), OF_BIRCH.values(), ids=list(OF_BIRCH))
async def test_a_query_for_another_provider_finds_nothing(
    story: Story, query: str, values: tuple[object, ...]
) -> None:
    await story.run(MORE)
    assert await asked(story, BIRCH, query, values) != [], "the other provider itself finds it"
    assert await asked(story, AMBER, query, values) == []
    assert await asked(story, CAROLS_PHONE, query, values) == []


async def test_a_phone_finds_the_visits_of_whoever_holds_it_and_of_nobody_else(story: Story) -> None:
    """Also where its worker is lent to another provider; but of another provider's worker nobody may say to be one."""
    await story.run(MORE)
    mine = (today.sql.visits_of_worker, (OURS, "CW-A", date(2026, 11, 20), DAY, EPOCH, NOW))
    bobs = (today.sql.visits_of_worker, (OURS, "CW-B", date(2026, 11, 20), DAY, EPOCH, NOW))
    assert [row["ref"] for row in await asked(story, ALICES_PHONE, *mine)] == ["V-A", "V-L"]
    assert [row["ref"] for row in await asked(story, ALICES_PHONE, *bobs)] == ["V-L"]
    assert [row["ref"] for row in await asked(story, held_by(BIRCH, "CW-B"), *bobs)] == ["V-B", "V-L"]
    assert await asked(story, held_by(AMBER, "CW-B"), *bobs) == []
    assert await asked(story, ALICES_PHONE, visits.sql.get_visit, (OURS, 11, None, NOW)) == []
    assert await asked(story, AMBER, visits.sql.get_visit, (OURS, 11, None, NOW)) != []
    assert held_by(ALICES_PHONE, "CW-B") == ALICES_PHONE, "a phone of one worker stays that one's"


async def test_whom_a_worker_is_lent_to_learns_their_name_at_that_visit_alone(story: Story) -> None:
    await story.run(MORE)
    named = visits.sql.names_of_workers
    assert {row["name"] for row in await asked(story, BIRCH, named, (OURS, ["CW-A", "CW-C"], 12))} == {
        "Alice"
    }
    assert await asked(story, BIRCH, named, (OURS, ["CW-A"], BAKER_VISIT)) == []
    assert await asked(story, BIRCH, named, (OURS, ["CW-A"], ADAMS_VISIT)) == []


async def test_a_visit_that_was_given_away_takes_the_person_with_it(story: Story) -> None:
    await story.run(MORE)
    person = ("SELECT name FROM service_users WHERE tenant_id = 1 AND ref = $1", ("SU-B",))
    await story.run("UPDATE visits SET provider_ref = 'P1' WHERE visit_id = 12")
    assert [len(await asked(story, lock, *person)) for lock in (AMBER, BIRCH)] == [1, 1], "both go there"
    await story.run("UPDATE visits SET provider_ref = 'P2' WHERE visit_id = 12")
    assert [len(await asked(story, lock, *person)) for lock in (AMBER, BIRCH)] == [0, 1], "it was a mistake"


async def test_evidence_that_was_linked_elsewhere_goes_with_its_visit(story: Story) -> None:
    """A check-in of Amber's Alice turns out to be of Birch's visit: then it is Birch's to see, and not Amber's."""
    await story.run(MORE)
    event = (evidence.sql.get_event, (OURS, ADAMS_CHECK_IN, None))
    assert [len(await asked(story, lock, *event)) for lock in (AMBER, BIRCH)] == [1, 0]
    await story.run("UPDATE event_outcomes SET visit_id = 2 WHERE event_id = $1", ADAMS_CHECK_IN)
    assert [len(await asked(story, lock, *event)) for lock in (AMBER, BIRCH)] == [0, 1]
    await story.run(
        "UPDATE event_outcomes SET visit_id = NULL, status = 'unmatched' WHERE event_id = $1", ADAMS_CHECK_IN
    )
    assert [len(await asked(story, lock, *event)) for lock in (AMBER, BIRCH)] == [1, 0], "its worker's again"


CLOSED = {
    "quarantine": ("administrator", "auditor"),
    "api_keys": ("administrator",),
    "audit": ("administrator", "auditor"),
    "accounts": ("administrator",),
    "actual_lines": ("finance", "duty_officer", "quality", "administrator", "auditor", "read"),
}


@pytest.mark.parametrize("table", CLOSED)
async def test_a_closed_table_is_empty_to_everybody_else(story: Story, table: str) -> None:
    await story.run(MORE)
    await story.with_key("read")
    for role in (
        "finance",
        "duty_officer",
        "quality",
        "administrator",
        "auditor",
        "read",
        "ingest",
        "import",
    ):
        lock = Lock(OURS, None, None, role, "nobody 0")
        found = await asked(story, lock, f"SELECT FROM {table} LIMIT 1", ())
        assert len(found) == (role in CLOSED[table]), role


async def test_a_manager_finds_the_accounts_of_its_own_provider_and_nobody_elses(story: Story) -> None:
    every = await asked(story, AMBER, people.sql.list_people, (OURS, 0, 100))
    assert {row["provider_ref"] for row in every} == {"P1"}
    assert len(every) == 3
    lone = replace(AUDITOR, who=f"account {every[0]['account_id']}")
    assert [row["name"] for row in await asked(story, lone, people.sql.list_people, (OURS, 0, 100))] == [
        every[0]["name"]
    ], "their own and no other"


WRITES = [
    (alerts.sql.insert_action, (OURS, ADAMS_ALERT, "note", "Mallory", NOW, "it was nothing")),
    (alerts.sql.look_again, (OURS, ADAMS_ALERT)),
    (amendments.sql.insert_todos, (OURS, [], [ADAMS_VISIT])),
    (accounts.sql.insert_account, (OURS, "m@example.org", "Mallory", "administrator", None, "x", None)),
    (accounts.sql.insert_key, (OURS, "Mallory", ["read"], b"m", NOW, None)),
    (homes.sql.add_tag, (OURS, "MALLORYS", "qr", "SU-A", "home", None, None, "Mallory", NOW)),
    (
        actuals.sql.request_run,
        (OURS, "2026-W48", date(2026, 11, 23), date(2026, 11, 29), NOW, "account 11 Otto Auditor"),
    ),
    (key_safes.sql.set_key_safe, (OURS, "SU-A", b"nothing")),
    (accounts.sql.set_disabled, (OURS, 1, NOW)),
    (accounts.sql.end_sessions, (OURS, 1, None)),
    (alerts.sql.set_owner, (OURS, ADAMS_ALERT, "open", "acknowledged", "Mallory", NOW, "account 11")),
]


@pytest.mark.parametrize("role", ["auditor", "quality", "read"])
@pytest.mark.parametrize(("query", "values"), WRITES)
async def test_whoever_may_change_nothing_changes_nothing(
    story: Story, query: str, values: tuple[object, ...], role: str
) -> None:
    await story.signed_in("cara")
    before = await everything(story)
    with suppress(LockedOut):
        async with story.web.locked(replace(AUDITOR, role=role)) as connection:
            assert await connection.fetch(query, *values) == []
    assert await everything(story) == before
    async with story.web.tenant(OURS) as connection:  # the test of the test: it would have changed something
        await connection.fetch(query, *values)
    assert await everything(story) != before


async def everything(story: Story) -> list[object]:
    tables = (
        "alerts alert_actions alert_queue processing_queue accounts api_keys tags payment_periods sessions"
    )
    return [
        [str(row) for row in await story.all(f"SELECT * FROM {table} ORDER BY 1, 2")]
        for table in (*tables.split(), "service_users")
    ]


async def asked(story: Story, lock: Lock, query: str, values: tuple[object, ...]) -> list[Record]:
    """What the query finds under that lock. What it changed is taken back."""
    async with story.web.locked(lock) as connection:
        found = await connection.fetch(query, *values)
        await connection.execute("ROLLBACK; BEGIN")
    return list(found)


OF_ACCOUNTS = {
    "their own role": "UPDATE accounts SET role = 'administrator', provider_ref = NULL"
    " WHERE email = 'cory@p1.example.org'",
    "a colleague's role": "UPDATE accounts SET role = 'coordinator' WHERE email = 'max@p1.example.org'",
    "a colleague's password": "UPDATE accounts SET password_hash = 'x' WHERE email = 'max@p1.example.org'",
    "who is kept out": "UPDATE accounts SET disabled_at = now() WHERE email = 'max@p1.example.org'",
    "an account": "INSERT INTO accounts (tenant_id, email, name, role, provider_ref, password_hash)"
    " VALUES (1, 'm@p1.example.org', 'Mallory', 'administrator', 'P1', 'x')",
    "a colleague's session": "INSERT INTO sessions SELECT 1, '\\x01', account_id, now(), now(), now() FROM accounts"
    " WHERE email = 'max@p1.example.org'",
    "a colleague's recovery code": "INSERT INTO recovery_codes SELECT 1, account_id, '\\x01', now() FROM accounts"
    " WHERE email = 'max@p1.example.org'",
}


@pytest.mark.parametrize("statement", OF_ACCOUNTS.values(), ids=list(OF_ACCOUNTS))
async def test_nobody_but_an_administrator_says_what_an_account_may_do_or_makes_it_a_way_in(
    story: Story, statement: str
) -> None:
    """Cory coordinates at Amber, as Max manages it: he sees both accounts, and each is his colleague's or his own."""
    cory = await story.one("SELECT account_id FROM accounts WHERE email = 'cory@p1.example.org'")
    before = await everything(story)
    with pytest.raises(LockedOut):
        async with story.web.locked(
            replace(AMBER, role="coordinator", who=f"account {cory[0]}")
        ) as connection:
            await connection.execute(statement)
    assert await everything(story) == before
