"""The second lock, held against tables a person can read: each table says whose its rows are or why it does not ask,
and its roles are those of `ecm.permit`.

What it does to rows is told here with one row of everything, of provider p; `tests/api/test_second_lock.py` tells it
with the services' own queries.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecm.lock import Lock, system
from ecm.permit import KEY_SCOPES, LOOKING, PHONE, PROVIDER_ROLES, ROLES, Action, Actor, permit
from ecm.store.db import Connection, open_connection, told
from ecm.store.embedded import Addresses
from tests.house.one_of_each import ONE_OF_EACH
from tests.postgres import TEMPLATE, Cluster, execute, in_a_loop_of_its_own

# No provider's, and not asked about: why.
OF_NO_PROVIDER = {
    "tenants": "the authority itself: its name, its zone and its words",
    "board_heads": "how far a board is, and the epoch that phones ask for",
    "payment_periods": "a week's name and dates; whose lines are in it, the lines say",
    "accounts": "by role, and within it by provider",
    "sessions": "as their account",
    "socket_tickets": "as their account",
    "api_keys": "the authority's; by role",
    "audit": "the authority's; by role",
    "audit_chain": "the authority's; by role",
    "audit_heads": "the authority's; by role",
    "audit_exports": "the authority's; by role",
    "notices": "the authority's; by role",
    "oidc_providers": "the authority's; by role",
    "oidc_roles": "the authority's; by role",
    "oidc_subjects": "the authority's; by role",
    "passkeys": "as their account",
    "recovery_codes": "as their account",
    "second_steps": "as their account",
}

# Closed to every role but those that may do one of these.
OF_THOSE_WHO = {
    "quarantine": {Action.READ_QUARANTINE},
    "api_keys": {Action.MANAGE_KEYS},
    "audit": {Action.READ_AUDIT, Action.VERIFY_AUDIT},
    "audit_chain": {Action.READ_AUDIT, Action.VERIFY_AUDIT},
    "audit_heads": {Action.READ_AUDIT, Action.VERIFY_AUDIT},
    "audit_exports": {Action.READ_AUDIT, Action.VERIFY_AUDIT},
    "notices": {Action.READ_AUDIT},
    "oidc_providers": {Action.MANAGE_SIGN_IN},
    "oidc_roles": {Action.MANAGE_SIGN_IN},
    "oidc_subjects": {Action.MANAGE_SIGN_IN},
    "accounts": {Action.MANAGE_ACCOUNTS, Action.MANAGE_LEAVERS},
    "payment_periods": {Action.READ_VISITS, Action.READ_ACTUALS},
    "actual_lines": {Action.READ_VISITS, Action.READ_ACTUALS},
}
OF_OTHERS_TOO = {
    "passkeys": "as their account",
    "recovery_codes": "as their account",
    "second_steps": "as their account",
    "sessions": "as their account",
    "socket_tickets": "as their account",
}
# A phone reads its visits, and nothing of what is paid for them.
NOT_BY_PHONE = {"payment_periods", "actual_lines"}

# Whoever may change nothing may still sign in and out, and leaves a line of it.
ANYBODY_CHANGES = {"audit", "sessions", "socket_tickets"}

# Of one row of everything: what its provider does not see, because it is the authority's, or nobody's in particular.
NOT_OF_ITS_PROVIDER = {
    "alert_contacts": "this one is told of every provider's alerts",
    "api_keys": "administrators'",
    "audit": "administrators'",
    "audit_chain": "administrators'",
    "audit_exports": "administrators'",
    "audit_heads": "administrators'",
    "deliveries": "how the authority was told",
    "feed_records": "what another system sent the authority",
    "phone_calls": "the telephone is the authority's",
    "phone_lines": "the telephone is the authority's",
    "pin_tries": "each phone's own",
    "quarantine": "administrators'",
    "reports": "this one says no provider and no visit",
    "tag_taps": "kept by the door",
    "used_codes": "kept by the door",
    # its account is a duty officer's
    "accounts": "no provider's",
    "notices": "administrators'",
    "oidc_providers": "administrators'",
    "oidc_roles": "administrators'",
    "oidc_subjects": "administrators'",
    "passkeys": "no provider's",
    "recovery_codes": "no provider's",
    "second_steps": "no provider's",
    "sessions": "no provider's",
    "socket_tickets": "no provider's",
}

OURS = system(1)
MANAGER = Lock(1, "p", None, "manager", "account 99")
PHONE_OF_W = Lock(1, "p", "w", PHONE, "phone 0")
TABLES = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1"""


@pytest.fixture(scope="module")
def town(cluster: Cluster) -> Iterator[Addresses]:
    """One authority with a row of everything: provider p, care worker w, whose visit it was to be."""
    database = cluster.create(TEMPLATE)
    in_a_loop_of_its_own(execute(database.owner, ONE_OF_EACH.format(t=1)))
    in_a_loop_of_its_own(execute(database.owner, "UPDATE visits SET care_worker_refs = '{w}'"))
    yield database
    cluster.drop(database)


# ---------------------------------------------------------------------- what the schema says


async def test_each_table_says_whose_its_rows_are_or_why_it_does_not_ask(town: Addresses) -> None:
    asked = {row["tablename"] for row in await policies(town, "of_provider")}
    assert asked | set(OF_NO_PROVIDER) == set(await tables(town))
    assert asked & set(OF_NO_PROVIDER) == set()


async def test_a_policy_of_the_second_lock_comes_on_top_and_asks_first_who_sees_everything(
    town: Addresses,
) -> None:
    for row in await policies(town, "of_provider"):
        assert (row["permissive"], row["roles"], row["cmd"]) == ("RESTRICTIVE", ["ecm_web"], "ALL"), row
        assert str(row["qual"]).startswith("(( SELECT ecm_all_is_shown() AS ecm_all_is_shown) OR"), row
        assert row["with_check"] in (None, row["qual"]), row
    for row in await policies(town, "of_role"):
        assert (row["permissive"], row["roles"]) == ("RESTRICTIVE", ["ecm_web"]), row


async def test_what_is_closed_by_role_is_open_to_those_whom_the_table_of_permits_names(
    town: Addresses,
) -> None:
    found = {row["tablename"]: roles_in(row["qual"]) for row in await policies(town, "of_role")}
    named = {table: roles for table, roles in found.items() if table not in OF_OTHERS_TOO}
    assert named == {
        table: who_may(*actions) - ({PHONE} if table in NOT_BY_PHONE else set())
        for table, actions in OF_THOSE_WHO.items()
    }
    assert set(found) - set(named) == set(OF_OTHERS_TOO)


async def test_whoever_has_no_action_that_changes_something_changes_nothing(town: Addresses) -> None:
    (function,) = await asked_as_owner(town, "SELECT prosrc FROM pg_proc WHERE proname = 'ecm_may_change'")
    assert set(re.findall(r"'(\w+)'", function["prosrc"])) == who_may(*set(Action) - LOOKING)
    for policy, command in (("may_add", "INSERT"), ("may_change", "UPDATE"), ("may_take_away", "DELETE")):
        found = {row["tablename"]: row for row in await policies(town, policy)}
        free = ANYBODY_CHANGES | ({"accounts"} if policy == "may_take_away" else set())  # nobody may anyhow
        assert set(found) == set(await tables(town)) - free, policy
        for row in found.values():
            assert (row["permissive"], row["cmd"]) == ("RESTRICTIVE", command), row
            assert "ecm_may_change()" in (row["qual"] or row["with_check"]), row


# ---------------------------------------------------------------------- and what it does to a row


async def test_a_transaction_that_does_not_say_whom_it_is_for_sees_nothing(town: Addresses) -> None:
    open_to_anybody = {"tenants", "board_heads"}
    for forgotten in ("ecm.provider", "ecm.worker"):
        async with under(town, OURS) as connection:
            await connection.execute(f"SET LOCAL {forgotten} = ''")
            assert await seen(town, connection) <= open_to_anybody | set(OF_NO_PROVIDER), forgotten
    async with under(town, OURS) as connection:
        await connection.execute(
            "SET LOCAL ecm.provider = ''; SET LOCAL ecm.worker = ''; SET LOCAL ecm.role = ''"
        )
        assert await seen(town, connection) == open_to_anybody


async def test_an_owner_who_is_no_superuser_is_not_bound(town: Addresses) -> None:
    """Like the login that brings a production database up to date: it is a member of ecm_web, whose policies bind
    members too, and what is done in its name (looking somebody up, keeping what a visit tells) says nothing of whom
    it is for."""
    await execute(
        town.owner,
        "CREATE ROLE an_owner NOSUPERUSER; GRANT ecm_web TO an_owner;"
        " GRANT SELECT ON ALL TABLES IN SCHEMA public TO an_owner",
    )
    try:
        connection = await open_connection(town.owner, "an_owner")
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL ecm.tenant = '1'")
                assert await seen(town, connection) == set(await tables(town))
        finally:
            await connection.close()
    finally:
        await execute(town.owner, "DROP OWNED BY an_owner; DROP ROLE an_owner")


async def test_the_service_itself_sees_everything(town: Addresses) -> None:
    async with under(town, OURS) as connection:
        assert await seen(town, connection) == set(await tables(town))


async def test_a_provider_sees_its_own_rows_and_another_none_of_them(town: Addresses) -> None:
    async with under(town, MANAGER) as connection:
        assert await seen(town, connection) == set(await tables(town)) - set(NOT_OF_ITS_PROVIDER)
    for stranger in ("q", "*", "", "P", "p "):
        async with under(town, replace(MANAGER, provider_ref=stranger)) as connection:
            assert await seen(town, connection) == {"tenants", "board_heads", "payment_periods"}, stranger


async def test_a_phone_sees_what_hangs_on_the_visits_of_whoever_holds_it(town: Addresses) -> None:
    async with under(town, PHONE_OF_W) as connection:
        mine = await seen(town, connection)
    assert mine >= {"visits", "service_users", "places", "tags", "check_events", "care_workers", "providers"}
    assert mine.isdisjoint(
        {"contracts", "actual_lines", "payment_periods", "devices", "enrolments", "visited"}
    )
    for stranger in (replace(PHONE_OF_W, care_worker_ref="x"), replace(PHONE_OF_W, provider_ref="q")):
        async with under(town, stranger) as connection:
            assert await seen(town, connection) <= {"tenants", "board_heads", "providers"}, stranger


async def test_what_looks_past_the_lock_asks_for_itself_whom_it_works_for(town: Addresses) -> None:
    async def done(who: str) -> tuple[list[int], list[str]]:
        async with under(town, _actor(who).lock) as connection:
            trying = connection.transaction()
            await trying.start()
            erased = await connection.fetchval(
                "SELECT ecm_erase_words(ARRAY[1], 'Mallory', 'entry', 'why', NULL, now())"
            )
            changed = await connection.fetch("SELECT ecm_set_key_safes(ARRAY['s'], ARRAY['x'::bytea])")
            await trying.rollback()
        return erased, [row[0] for row in changed]

    assert await done("administrator") == ([1], ["s"])
    for who in set(ROLES) - {"administrator"}:
        assert await done(who) == ([], []), who


async def test_what_is_ones_own_is_there_whatever_ones_role(town: Addresses) -> None:
    async with under(town, Lock(1, None, None, "quality", "account 1")) as connection:
        assert await seen(town, connection) >= {"accounts", "sessions", "socket_tickets"}
    for stranger in ("account 2", "phone 1", "key 1", "account 1 or true", ""):
        async with under(town, Lock(1, None, None, "quality", stranger)) as connection:
            assert (await seen(town, connection)).isdisjoint({"accounts", "sessions", "socket_tickets"})


# ---------------------------------------------------------------------- how it is told


ANY_REFERENCE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40) | (
    st.text("'\\;=*\"$ \n-/", max_size=12)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(provider=st.none() | ANY_REFERENCE, worker=st.none() | ANY_REFERENCE, who=ANY_REFERENCE)
async def test_the_database_hears_a_reference_as_it_is_written(
    listener: Connection, provider: str | None, worker: str | None, who: str
) -> None:
    """Quotes, backslashes and whole statements are part of a name, and a provider called * is one provider."""
    lock = Lock(1, provider, worker, "manager", who)
    transaction = listener.transaction()
    await transaction.start()
    await listener.execute(told(lock))
    heard = await listener.fetchrow(
        "SELECT ecm_tenant() AS tenant, ecm_provider() AS provider, ecm_worker() AS worker, ecm_role() AS role,"
        " current_setting('ecm.who') AS who, ecm_sees_all() AS every"
    )
    await transaction.rollback()
    assert heard is not None
    assert tuple(heard) == (1, provider, worker, "manager", who, provider is None and worker is None)


@pytest.mark.parametrize("lock", [replace(OURS, provider_ref="P\0"), replace(OURS, who="account\0 1")])
def test_what_no_reference_holds_is_refused_before_it_is_said(lock: Lock) -> None:
    with pytest.raises(ValueError, match="NUL"):
        told(lock)


@pytest.fixture
async def listener(town: Addresses) -> AsyncIterator[Connection]:
    connection = await open_connection(town.app, "ecm_web")
    yield connection
    await connection.close()


# ---------------------------------------------------------------------- helpers


def who_may(*actions: Action) -> set[str]:
    return {who for who in (*ROLES, *KEY_SCOPES, PHONE) if any(permit(_actor(who), a) for a in actions)}


def _actor(who: str) -> Actor:
    if who in KEY_SCOPES:
        return Actor("key", 1, 1, "A system", scopes=frozenset({who}))
    if who == PHONE:
        return Actor("phone", 1, 0, "A phone", PHONE, "p", care_worker_ref="w")
    return Actor("account", 1, 1, "Somebody", who, "p" if who in PROVIDER_ROLES else None)


def roles_in(expression: str) -> set[str]:
    """Those a policy names, wherever it names them."""
    lists = re.findall(r"ecm_among\(VARIADIC ARRAY\[(.*?)\]\)", expression)
    return {role for each in lists for role in re.findall(r"'(\w+)'::text", each)}


async def policies(town: Addresses, name: str) -> list[dict[str, object]]:
    found = await asked_as_owner(town, "SELECT * FROM pg_policies WHERE policyname = $1", name)
    assert found, f"there is no policy {name}"
    return found


async def tables(town: Addresses) -> list[str]:
    return [str(row["relname"]) for row in await asked_as_owner(town, TABLES)]


async def seen(town: Addresses, connection: Connection) -> set[str]:
    """Of which tables there is a row."""
    every = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in await tables(town)
    )
    return {row[0] for row in await connection.fetch(every)}


@asynccontextmanager
async def under(town: Addresses, lock: Lock) -> AsyncIterator[Connection]:
    connection = await open_connection(town.app, "ecm_web")
    try:
        async with connection.transaction():
            await connection.execute(told(lock))
            yield connection
    finally:
        await connection.close()


async def asked_as_owner(town: Addresses, question: str, *values: object) -> list[dict[str, object]]:
    connection = await open_connection(town.owner, None)
    try:
        return [dict(row) for row in await connection.fetch(question, *values)]
    finally:
        await connection.close()
