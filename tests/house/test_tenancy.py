"""Whose data is whose, and who may write what: held against tables a person can read."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ecm.lock import system
from ecm.store.db import Connection, open_connection, told
from ecm.store.embedded import Addresses
from tests.house.one_of_each import ONE_OF_EACH
from tests.house.privileges import (
    APPEND_ONLY,
    COLUMNS,
    KEY_WITHOUT_TENANT,
    OF_NO_TENANT,
    PRIVILEGES,
    ROLES,
)
from tests.postgres import TEMPLATE, Cluster, execute, in_a_loop_of_its_own

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


async def test_every_table_but_those_of_no_tenant_is_locked_even_for_its_owner(towns: Addresses) -> None:
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
        "ecm_left_at",
        "ecm_worker_left_at",
        "ecm_health",
        "ecm_device",
        "ecm_enrolment",
        "ecm_tag_tenant",
        "ecm_line",
        "ecm_phone_call",
        "ecm_has_key_safe",
        "ecm_set_key_safes",
        "ecm_key_safe",
        "ecm_reduce_positions",
        "ecm_passkey",
        "ecm_awaits_setup",
        "ecm_chain_entry",
        "ecm_erase_words",
        "ecm_councils",
        "ecm_oidc_provider",
        "ecm_oidc_subject",
        "ecm_sees_event",
        "ecm_workers_on",
        "ecm_provider_cares_for",
        "ecm_visits_added",
        "ecm_visit_given_away",
        "ecm_add_notice",
        "ecm_notice",
        "ecm_notice_entry",
    }
    for row in found:
        assert row["config"].startswith("search_path=pg_catalog"), row["proname"]
        assert not row["for_everybody"], row["proname"]


async def test_what_looks_past_the_lock_for_the_web_is_told_no_tenant(towns: Addresses) -> None:
    """It is that of the transaction: but for what is asked before anybody is known, and what refuses another's."""
    found = await asked(
        towns,
        """SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
           AND 'of_tenant' = ANY (proargnames) AND has_function_privilege('ecm_web', oid, 'EXECUTE')""",
    )
    assert {row["proname"] for row in found} == {"ecm_oidc_subject", "ecm_sees_event"}


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
           AND has_column_privilege('ecm_web', attrelid, attnum, 'UPDATE')
           AND has_column_privilege('ecm_web', attrelid, attnum, 'SELECT') ORDER BY attnum DESC LIMIT 1""",
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
        await connection.execute(f"{told(system(tenant))}; SET LOCAL ecm.tenants = '{{{tenant}}}'")
        yield connection
    finally:
        await connection.close()


async def asked(towns: Addresses, question: str, *values: object) -> list[asyncpg.Record]:
    connection = await open_connection(towns.owner, None)
    try:
        return await connection.fetch(question, *values)
    finally:
        await connection.close()
