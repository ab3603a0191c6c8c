"""Whose data is whose, and who may write what: held against tables a person can read."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ecm.store.db import Connection, open_connection
from ecm.store.embedded import Addresses
from tests.postgres import TEMPLATE, Cluster, execute, in_a_loop_of_its_own

ROLES = ("ecm_web", "ecm_ingest", "ecm_worker")

# S select, I insert, U update, D delete, T truncate; a small u is some columns only, and COLUMNS says which.
PRIVILEGES = """
                      web    ingest worker
accounts              SIu--  -----  S----
actual_lines          S----  -----  SIUD-
alert_actions         SI---  -----  S----
alert_contacts        SIUD-  -----  S----
alert_queue           SI---  -----  SIUD-
alerts                S-u--  -----  SIU--
amendments            SI---  -----  S----
api_keys              SIu--  S----  S----
audit                 SI---  -----  S----
board_heads           S-u--  -----  S-u--
care_workers          SIU--  -----  S----
check_events          S----  SI---  S----
code_cards            SIu--  S----  S----
contracts             SI---  -----  S----
contracts_in_force    S----  -----  S----
deliveries            S----  -----  SIU--
devices               SIu--  -----  S----
enrolments            SIu--  -----  S--D-
event_outcomes        S----  -----  SIU--
feed_records          SI---  -----  S----
heartbeats            S----  -----  SIUD-
lines_as_they_stand   S----  -----  S----
payment_periods       SIu--  -----  SIu--
phone_calls           SIu--  -----  S--D-
phone_lines           SIuD-  -----  S----
pin_tries             SI---  -----  S--D-
places                SIUD-  -----  S----
processing_queue      SI---  -I---  SIUD-
providers             SIU--  -----  S----
quarantine            S----  -I---  S----
reports               SI---  -----  S----
scaled_clock          S----  S----  S----
schema_migrations     -----  -----  S----
service_user_phones   SIUD-  S----  S----
service_users         SIU--  -----  S----
sessions              SIUD-  -----  S--D-
socket_tickets        SIUD-  -----  S--D-
tag_taps              S----  SI---  S----
tags                  SIu--  S----  S----
tenants               S----  S----  S----
transitions           S----  -----  SI---
used_codes            S----  SI---  S----
visits                SIu--  -----  SIu--
"""

# The plan of a visit is the web's to write, its assessment the worker's; they share one column, because the
# person's next planned start changes with an import and with an attendance nobody planned.
COLUMNS = {
    ("accounts", "ecm_web"): "disabled_at password_hash",
    ("api_keys", "ecm_web"): "revoked_at",
    ("alerts", "ecm_web"): "acknowledged_at owned_by owner position state",
    ("board_heads", "ecm_web"): "position",
    ("board_heads", "ecm_worker"): "position",
    ("code_cards", "ecm_web"): "retired_at",
    ("devices", "ecm_web"): "cut_off_at cut_off_by cut_off_reason",
    ("enrolments", "ecm_web"): "device_id used_at",
    ("phone_calls", "ecm_web"): "answers ended_at interview step",
    ("phone_lines", "ecm_web"): "call_back language",
    ("tags", "ecm_web"): "retired_at uid",
    ("payment_periods", "ecm_web"): "requested_at requested_by",
    ("payment_periods", "ecm_worker"): "run_at running_since",
    ("visits", "ecm_web"): "agreed_short cancelled cancelled_at care_worker_refs carers_required"
    " commissioned_minutes local_date next_planned_start planned_end planned_start provider_ref service"
    " service_user_ref time_critical window_start zone",
    ("visits", "ecm_worker"): "actual_end actual_start assessed_at attendances crossings deadline_at"
    " deadline_kind findings next_planned_start position state state_reason version",
}

APPEND_ONLY = (
    "check_events",
    "quarantine",
    "transitions",
    "amendments",
    "alert_actions",
    "contracts",
    "audit",
    "reports",
    "tag_taps",
    "used_codes",
    "feed_records",
)

OF_NO_TENANT = {
    "schema_migrations": "the schema is everybody's",
    "scaled_clock": "one clock for the whole service",
    "heartbeats": "a process serves every tenant; it holds no tenant's data",
}

KEY_WITHOUT_TENANT = {
    "processing_queue_pkey": "claimed in order of arrival over all tenants; gone within moments",
    "alert_queue_pkey": "as processing_queue",
    "api_keys_key_sha256_key": "a key is presented before its tenant is known",
    "devices_device_id_key": "a phone is presented before its tenant is known",
    "enrolments_code_sha256_key": "as a phone",
    "tags_tag_id_key": "a tag is read before anybody signs in",
    "phone_lines_number_use_key": "a number is rung before its tenant is known",
    "phone_calls_gateway_call_id_key": "a gateway speaks of a phone call before its tenant is known",
    **{f"{table}_pkey": why for table, why in OF_NO_TENANT.items()},
}

# One row of everything, for the tenant in {t}.
ONE_OF_EACH = """
INSERT INTO tenants (tenant_id, name) VALUES ({t}, 'Town {t}') ON CONFLICT DO NOTHING;
INSERT INTO board_heads (tenant_id) VALUES ({t}) ON CONFLICT DO NOTHING;
INSERT INTO providers (tenant_id, ref, name) VALUES ({t}, 'p', 'Northfield Care');
INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, rules, added_at)
  VALUES ({t}, 'c', 'p', '*', '2026-01-01', '{{}}', '2026-01-01Z');
INSERT INTO service_users (tenant_id, ref, name) VALUES ({t}, 's', 'Alice');
INSERT INTO places (tenant_id, service_user_ref) VALUES ({t}, 's');
INSERT INTO service_user_phones (tenant_id, phone, service_user_ref) VALUES ({t}, '+441632960001', 's');
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES ({t}, 'w', 'Carol', 'p');
INSERT INTO visits (tenant_id, visit_id, ref, service_user_ref, provider_ref, local_date, zone, window_start)
  OVERRIDING SYSTEM VALUE VALUES ({t}, {t}, 'v', 's', 'p', '2026-11-23', 'Europe/London', '2026-11-23 09:00Z');
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, body_sha256, body)
  VALUES ({t}, '00000000-0000-4000-8000-00000000000{t}', '2026-11-23 09:00Z', 'check_in', '2026-11-23 09:00Z',
          'app', '', '{{}}');
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, visit_id, status, reason, explicit, decided_at)
  SELECT {t}, event_id, occurred_at, {t}, 'matched', 'named', true, received_at FROM check_events WHERE tenant_id = {t};
INSERT INTO quarantine (tenant_id, received_at, door, reason, body)
  VALUES ({t}, '2026-11-23 09:00Z', 'check-events', 'not JSON', 'x');
INSERT INTO processing_queue (tenant_id, visit_id) VALUES ({t}, {t});
INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, made_by, made_at)
  VALUES ({t}, {t}, 'note', 'other', 'Dana', '2026-11-23 10:00Z');
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, to_state)
  VALUES ({t}, {t}, 'change', 1, '2026-11-23 09:00Z', '2026-11-23 09:00Z', 'in_progress');
INSERT INTO alert_queue (tenant_id, visit_id) VALUES ({t}, {t});
INSERT INTO alerts (tenant_id, alert_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason)
  OVERRIDING SYSTEM VALUE
  VALUES ({t}, {t}, {t}, 'p', 'late', '2026-11-23 09:15Z', 'warning', '2026-11-23 09:15Z', 'no check-in received');
INSERT INTO alert_actions (tenant_id, alert_id, kind, made_by, made_at)
  VALUES ({t}, {t}, 'note', 'Dana', '2026-11-23 09:20Z');
INSERT INTO alert_contacts (tenant_id, min_severity, channel, address)
  VALUES ({t}, 'warning', 'email', 'duty@example.org');
INSERT INTO deliveries (tenant_id, alert_id, about, channel, address, due_at)
  VALUES ({t}, {t}, 'raised', 'email', 'duty@example.org', '2026-11-23 09:15Z');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on)
  VALUES ({t}, '2026-W48', '2026-11-23', '2026-11-29');
INSERT INTO actual_lines (tenant_id, period, visit_id, visit_version, provider_ref, service_user_ref, funder,
                          local_date, state, planned_seconds, actual_seconds, payable_seconds, amount_pence,
                          planned_pence, steps,
                          computed_at)
  VALUES ({t}, '2026-W48', {t}, 1, 'p', 's', 'council', '2026-11-23', 'completed', 1800, 1800, 1800, 715, 715, '[]',
          '2026-11-24 04:10Z');
INSERT INTO accounts (tenant_id, account_id, email, name, role, password_hash) OVERRIDING SYSTEM VALUE
  VALUES ({t}, {t}, 'dana@example.org', 'Dana', 'duty_officer', 'x');
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at)
  VALUES ({t}, '{t}', {t}, now(), now(), now() + interval '1 h');
INSERT INTO socket_tickets (tenant_id, token_sha256, account_id, session_sha256, expires_at)
  VALUES ({t}, '{t}', {t}, '{t}', now());
INSERT INTO api_keys (tenant_id, name, scopes, key_sha256, created_at) VALUES ({t}, 'k', '{{read}}', '{t}', now());
INSERT INTO devices (tenant_id, device_id, provider_ref, label, public_key, enrolled_at, enrolled_by)
  VALUES ({t}, '00000000-0000-4000-8000-0000000000d{t}', 'p', 'shared', '{{}}', now(), 'Cora');
INSERT INTO enrolments (tenant_id, code_sha256, provider_ref, made_by, made_at, expires_at)
  VALUES ({t}, '{t}', 'p', 'Cora', now(), now() + interval '1 h');
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, body_sha256, body)
  VALUES ({t}, '00000000-0000-4000-8000-0000000000e{t}', 'note', now(), now(), '', '');
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)
  VALUES ({t}, 'tag{t}', 'qr', 's', 'Cora', now());
INSERT INTO tag_taps (tenant_id, tag_id, counter, event_id, used_at)
  VALUES ({t}, 'tag{t}', 1, gen_random_uuid(), now());
INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)
  VALUES ({t}, 's', '', 'Cora', now());
INSERT INTO used_codes (tenant_id, card_id, step, event_id, used_at) VALUES ({t}, 1, 1, gen_random_uuid(), now());
INSERT INTO phone_lines (tenant_id, number, use) VALUES ({t}, '+44' || (1134960120 + {t}), 'interview');
INSERT INTO phone_calls (tenant_id, gateway, call_id, began_at, dialled, interview)
  VALUES ({t}, 'webhook', 'CA{t}', now(), '+44' || (1134960120 + {t}), '{{}}');
INSERT INTO pin_tries (tenant_id, tried_at, came_from) VALUES ({t}, now(), '+441632960001');
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id,
                          received_at, status, body)
  VALUES ({t}, gen_random_uuid(), 0, 'sandata', 'visit', 'v', 1, now(), 'accepted', '{{}}');
INSERT INTO audit (tenant_id, at, actor, action, subject) VALUES ({t}, now(), 'Dana', 'noted', 'visit {t}');
"""

OURS, THEIRS = 1, 2


@pytest.fixture(scope="module")
def towns(cluster: Cluster) -> Iterator[Addresses]:
    """Two authorities with a row of everything each."""
    database = cluster.create(TEMPLATE)
    for tenant in (OURS, THEIRS):
        in_a_loop_of_its_own(execute(database.owner, ONE_OF_EACH.format(t=tenant)))
    yield database
    cluster.drop(database)


# ---------------------------------------------------------------------- the schema's own promises


async def test_every_privilege_is_written_down(towns: Addresses) -> None:
    expected = {table: tuple(letters) for table, *letters in map(str.split, PRIVILEGES.splitlines()[2:])}
    found = await asked(
        towns,
        """
        SELECT c.relname, array_agg((
          SELECT string_agg(CASE WHEN has_table_privilege(role, c.oid, word) THEN letter
                                 WHEN letter IN ('S', 'I', 'U') AND has_any_column_privilege(role, c.oid, word)
                                   THEN lower(letter) ELSE '-' END, '' ORDER BY nth)
          FROM (VALUES (1, 'SELECT', 'S'), (2, 'INSERT', 'I'), (3, 'UPDATE', 'U'), (4, 'DELETE', 'D'),
                       (5, 'TRUNCATE', 'T')) AS p(nth, word, letter)) ORDER BY n) AS letters
        FROM pg_class c, unnest($1::text[]) WITH ORDINALITY AS r(role, n)
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = 'public'::regnamespace
        GROUP BY c.relname""",
        list(ROLES),
    )
    assert {row["relname"]: tuple(row["letters"]) for row in found} == expected


async def test_every_column_somebody_may_update_alone_is_written_down(towns: Addresses) -> None:
    found = await asked(
        towns,
        """
        SELECT table_name, grantee, string_agg(column_name, ' ' ORDER BY column_name) AS columns
        FROM information_schema.column_privileges
        WHERE privilege_type = 'UPDATE' AND grantee = ANY ($1::text[])
          AND NOT has_table_privilege(grantee, table_name::regclass, 'UPDATE')
        GROUP BY table_name, grantee""",
        list(ROLES),
    )
    assert {(row["table_name"], row["grantee"]): row["columns"] for row in found} == COLUMNS


def test_what_happened_can_be_added_to_and_never_edited() -> None:
    for line in PRIVILEGES.splitlines():
        if line.startswith(APPEND_ONLY):
            assert not set(line.split(maxsplit=1)[1]) & set("UuDT"), line
    assert all(any(line.startswith(table) for line in PRIVILEGES.splitlines()) for table in APPEND_ONLY)


async def test_nobody_may_do_anything_that_is_not_granted_to_a_role(towns: Addresses) -> None:
    """PUBLIC has no part in our tables, and the login the services use has none of its own."""
    found = await asked(
        towns,
        """SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants
           WHERE table_schema = 'public' AND grantee <> ALL ($1::text[])
             AND grantee <> (SELECT tableowner FROM pg_tables WHERE tablename = 'visits')""",
        list(ROLES),
    )
    assert [tuple(row) for row in found] == []


async def test_every_table_but_three_is_locked_by_tenant_even_for_its_owner(towns: Addresses) -> None:
    found = await asked(
        towns,
        """SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
           AND NOT (relrowsecurity AND relforcerowsecurity)""",
    )
    assert {row["relname"] for row in found} == set(OF_NO_TENANT)


async def test_every_key_begins_with_the_tenant(towns: Addresses) -> None:
    found = await asked(
        towns,
        """SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
           JOIN pg_class c ON c.oid = i.indrelid
           LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
             AND a.attname IS DISTINCT FROM 'tenant_id'""",
    )
    assert {row["relname"] for row in found} == set(KEY_WITHOUT_TENANT)


async def test_a_view_sees_as_its_reader(towns: Addresses) -> None:
    """A view runs as its owner unless it says otherwise, and would look past the lock."""
    found = await asked(
        towns,
        """SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
           AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)""",
    )
    assert [row["relname"] for row in found] == []


async def test_functions_that_look_past_the_lock_are_few_and_closed_to_the_public(towns: Addresses) -> None:
    found = await asked(
        towns,
        """SELECT proname, array_to_string(proconfig, ',') AS config,
                  EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a
                          WHERE a.grantee = 0) AS for_everybody
           FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace""",
    )
    assert {row["proname"] for row in found} == {
        "ecm_accounts_by_email",
        "ecm_session",
        "ecm_use_ticket",
        "ecm_key",
        "ecm_health",
        "ecm_device",
        "ecm_enrolment",
        "ecm_tag_tenant",
        "ecm_line",
        "ecm_phone_call",
    }
    for row in found:
        assert row["config"].startswith("search_path=pg_catalog"), row["proname"]
        assert not row["for_everybody"], row["proname"]


# ---------------------------------------------------------------------- and what they do to a row


async def tables(towns: Addresses) -> list[str]:
    found = await asked(
        towns,
        """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
           WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname""",
    )
    return [row["relname"] for row in found]


async def test_another_authoritys_row_cannot_be_seen(towns: Addresses) -> None:
    for table in await tables(towns):
        theirs = f"SELECT count(*) FROM {table} WHERE tenant_id = {THEIRS}"
        assert (await asked(towns, theirs))[0][0] == 1, f"the story lacks a row of {table}"
        async with of_tenant(towns, "ecm_web", THEIRS) as connection:
            assert await connection.fetchval(theirs) == 1, f"{table}: nor can they themselves"
        async with of_tenant(towns, "ecm_web", OURS) as connection:
            assert await connection.fetchval(theirs) == 0, table
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1, table


@pytest.mark.parametrize("role", ["ecm_web", "ecm_ingest"])
async def test_a_row_cannot_be_added_for_another_authority(towns: Addresses, role: str) -> None:
    for table in await tables(towns):
        (row,) = await asked(towns, f"SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = {THEIRS}")
        async with of_tenant(towns, role, OURS) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                    f" SELECT (jsonb_populate_record(NULL::{table}, $1::jsonb)).*",
                    json.loads(row[0]),
                )


async def test_another_authoritys_row_cannot_be_changed_or_taken(towns: Addresses) -> None:
    """By whatever column the role may write at all; a table it may not write, it is denied."""
    for table in await tables(towns):
        column = await writable_column(towns, table)
        for statement in (
            f"UPDATE {table} SET {column or 'tenant_id'} = {column or 'tenant_id'} WHERE tenant_id = ",
            f"DELETE FROM {table} WHERE tenant_id = ",
        ):
            async with of_tenant(towns, "ecm_web", OURS) as connection:
                try:
                    done = await connection.execute(statement + str(THEIRS))
                except asyncpg.InsufficientPrivilegeError:
                    assert not (column and statement.startswith("UPDATE")), f"{statement}: denied to all"
                else:
                    assert done.endswith(" 0"), f"{statement}: {done}"


async def test_our_row_cannot_be_given_to_another_authority(towns: Addresses) -> None:
    for table in await tables(towns):
        async with of_tenant(towns, "ecm_web", OURS) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"UPDATE {table} SET tenant_id = {THEIRS} WHERE tenant_id = {OURS}")


async def writable_column(towns: Addresses, table: str) -> str | None:
    found = await asked(
        towns,
        """SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND attidentity = ''
           AND has_column_privilege('ecm_web', attrelid, attnum, 'UPDATE') ORDER BY attnum DESC LIMIT 1""",
        table,
    )
    return found[0]["attname"] if found else None


@asynccontextmanager
async def of_tenant(towns: Addresses, role: str, tenant: int) -> AsyncIterator[Connection]:
    """A transaction of one role for one tenant, taken back at the end."""
    connection = await open_connection(towns.app, role)
    transaction = connection.transaction()
    try:
        await transaction.start()
        await connection.execute(f"SET LOCAL ecm.tenant = '{tenant}'; SET LOCAL ecm.tenants = '{{{tenant}}}'")
        yield connection
    finally:
        await connection.close()


async def asked(towns: Addresses, question: str, *values: object) -> list[asyncpg.Record]:
    connection = await open_connection(towns.owner, None)
    try:
        return await connection.fetch(question, *values)
    finally:
        await connection.close()
