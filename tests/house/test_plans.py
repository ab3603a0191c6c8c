"""The hot queries keep to their index, on a table whose statistics are fresh and on one nobody ever analysed.

The danger is real: a plan made while a table was young read all of it for ever after. A batch that takes 5 ms
takes 200, every check-in behind it waits, and nothing is wrong but the plan. So each query that runs once per
check-in, per tick or per board frame is explained here as its role runs it, and may not read a big table whole.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ecm.api.evidence import EVER
from ecm.lock import Lock, system
from ecm.store import db
from ecm.store.db import Connection, Database, open_connection, told
from ecm.store.embedded import Addresses
from tests.house.repository import query
from tests.postgres import TEMPLATE, Cluster, execute, in_a_loop_of_its_own

BIG = {
    "visits",
    "check_events",
    "event_outcomes",
    "transitions",
    "alerts",
    "deliveries",
    "amendments",
    "reports",
}
"""Tables that grow with every day of service: a query of the road that reads one whole is a fault."""

BY_INDEX = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VISITS = 24_000
JUST_GROWN_UP = 10_000
"""Visits and their events with which `Database.batch` begins to keep its plans."""

FILL = """
CREATE FUNCTION pg_temp.at(n int) RETURNS timestamptz LANGUAGE sql
  AS $$ SELECT timestamptz '2026-11-23 07:00Z' - n / 2000 * interval '1 day' + n % 2000 * interval '20 s' $$;
INSERT INTO providers (tenant_id, ref, name) SELECT 1, 'p' || n, 'Provider ' || n FROM generate_series(1, 20) n;
INSERT INTO service_users (tenant_id, ref, name) SELECT 1, 's' || n, 'Person ' || n FROM generate_series(0, 699) n;
INSERT INTO places (tenant_id, service_user_ref, lat, lon) SELECT 1, 's' || n, 52, -1 FROM generate_series(0, 699) n;
INSERT INTO care_workers (tenant_id, ref, name, provider_ref)
  SELECT 1, 'w' || n, 'Worker ' || n, 'p' || 1 + n % 20 FROM generate_series(0, 299) n;
INSERT INTO contracts (tenant_id, ref, provider_ref, service, valid_from, rules, added_at)
  SELECT 1, 'c' || n, 'p' || n, '*', '2026-01-01', '{{}}', '2026-01-01Z' FROM generate_series(1, 20) n;
INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start, planned_end,
                    window_start, care_worker_refs, position, deadline_at, deadline_kind)
  SELECT 1, 'v' || n, 's' || n % 700, 'p' || 1 + n % 20, pg_temp.at(n)::date, 'Europe/London', pg_temp.at(n),
         pg_temp.at(n) + interval '30 min', pg_temp.at(n), ARRAY['w' || n % 300], n,
         CASE WHEN n < 2000 THEN pg_temp.at(n) + interval '15 min' END, CASE WHEN n < 2000 THEN 'late' END
  FROM generate_series(0, {visits} - 1) n;
INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker, service_user,
                          body_sha256, body)
  SELECT 1, ('00000000-0000-4000-8000-' || lpad(to_hex(v.visit_id * 2 + k), 12, '0'))::uuid, v.planned_start,
         CASE k WHEN 0 THEN 'check_in' ELSE 'check_out' END, v.planned_start + k * interval '30 min', 'app',
         v.care_worker_refs[1], v.service_user_ref, ''::bytea, '{{}}'
  FROM visits v, generate_series(0, 1) k;
INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, service_user_ref, care_worker_ref, visit_id, status,
                            reason, explicit, decided_at)
  SELECT 1, e.event_id, e.occurred_at, e.service_user, e.care_worker,
         ('x' || right(e.event_id::text, 12))::bit(48)::bigint / 2, 'matched', 'named',
         right(e.event_id::text, 1) <> '7', e.received_at
  FROM check_events e;
INSERT INTO amendments (tenant_id, visit_id, kind, reason_code, made_by, made_at)
  SELECT 1, visit_id, 'note', 'other', 'Dana', planned_end FROM visits WHERE visit_id % 5 = 0;
INSERT INTO transitions (tenant_id, visit_id, kind, visit_version, at, recorded_at, to_state)
  SELECT 1, visit_id, 'change', k, planned_start, planned_start, 'completed' FROM visits, generate_series(1, 2) k;
INSERT INTO alerts (tenant_id, visit_id, provider_ref, kind, raised_for, severity, raised_at, reason, position, state,
                    stood_down_at)
  SELECT 1, visit_id, provider_ref, 'late', planned_start, 'warning', planned_start, 'no check-in', position,
         'stood_down', planned_end
  FROM visits WHERE visit_id % 4 = 0;
INSERT INTO deliveries (tenant_id, alert_id, about, channel, address, due_at, state)
  SELECT 1, alert_id, 'raised', 'email', 'duty@example.org', raised_at,
         CASE WHEN alert_id < 20 THEN 'pending' ELSE 'sent' END
  FROM alerts;
INSERT INTO reports (tenant_id, report_id, kind, occurred_at, received_at, visit_id, body_sha256, body)
  SELECT 1, gen_random_uuid(), 'at_the_door', planned_start, planned_start, visit_id, '', '' FROM visits;
INSERT INTO processing_queue (tenant_id, event_id) SELECT 1, event_id FROM check_events LIMIT 3000;
UPDATE board_heads SET position = {visits} WHERE tenant_id = 1;
"""

GROWS = """
CREATE TABLE grows (n int) WITH (autovacuum_enabled = off); CREATE INDEX ON grows (n); ANALYZE grows;
GRANT SELECT ON grows TO ecm_worker
"""

LATER = NOW + timedelta(hours=4)
EARLIER = NOW - timedelta(hours=4)
EVENT = UUID("00000000-0000-4000-8000-000000000100")
NO_EVENT = UUID(int=0)
DAY_LONG = timedelta(hours=25)

P = "ecm/processing/processing.sql"
O = "ecm/overdue.sql"  # noqa: E741
B = "ecm/board/board.sql"

# file, query, its values, the indexes it is there for
HOT = [
    (P, "claim", (NOW, 500), {"processing_queue_ready", "check_events_pkey", "event_outcomes_pkey"}),
    (P, "inexplicit_nearby", ([1], ["s7"], [EARLIER], [LATER]), {"event_outcomes_inexplicit"}),
    (P, "visits_by_id", ([1] * 3, [5, 6, 7]), {"visits_pkey"}),
    (P, "visits_nearby", ([1], ["s7"], [EARLIER], [LATER]), {"visits_of_person"}),
    (P, "evidence", ([1] * 3, [5, 6, 7], [1], [EVENT]), {"event_outcomes_of_visit", "check_events_pkey"}),
    (P, "amendments", ([1] * 3, [5, 6, 7]), {"amendments_of_visit"}),
    (P, "trails", ([1], [5], ["w5"], [NOW], DAY_LONG), {"event_outcomes_trail", "check_events_pkey"}),
    (P, "rostered_nearby", ([1], [1], ["w5"], [NOW], [True]), {"visits_of_day"}),
    (P, "beside", ([1], [1], ["w5"], [NOW], [EVENT], [True], [EVENT], "linked", DAY_LONG),
     {"event_outcomes_trail", "check_events_pkey", "amendments_of_event"}),
    (P, "pass_over", ([1] * 3, [5, 6, 7]), {"visits_pkey", "visits_of_person"}),
    (O, "due", (NOW, 500, [1], [5]), {"visits_due"}),
    (O, "next_deadline", ([1], [5]), {"visits_due"}),
    (O, "oldest_waiting", (), {"processing_queue_ready", "check_events_pkey"}),
    (B, "changed_visits", (1, VISITS - 5, 0, VISITS, 500), {"visits_changed"}),
    (B, "changed_alerts", (1, VISITS - 5, 0, VISITS, 500), {"alerts_changed"}),
    (B, "shown", (1, DAY, NOW, True, None), {"visits_of_day", "alerts_open"}),
    (B, "rings", (1, [5, 6, 7]), {"visits_pkey", "alerts_tenant_id_visit_id_kind_raised_for_key"}),
    (B, "visits_by_id", (1, [5, 6, 7]), {"visits_pkey"}),
    (B, "alerts_of_visits", (1, [5, 6, 7]), {"visits_pkey", "alerts_tenant_id_visit_id_kind_raised_for_key"}),
    (B, "pulse", (1, NOW), {"visits_changed"}),
    ("ecm/api/today.sql", "visits_of_worker", (1, "w5", DAY - timedelta(days=1), DAY, EARLIER, NOW), {"visits_of_day"}),
    ("ecm/api/visits.sql", "get_visit", (1, 5, "p6", NOW), {"visits_pkey", "visits_of_person"}),
    ("ecm/api/visits.sql", "list_visits", (1, "p6", DAY, None, None, None, None, DAY, 0, 100, NOW), {"visits_of_day"}),
    ("ecm/api/homes.sql", "homes", (1, "p6", "", 100, NOW), {"visits_of_person"}),
    ("ecm/api/evidence.sql", "get_event", (1, EVENT, "p6"), {"check_events_pkey", "event_outcomes_pkey"}),
    ("ecm/api/evidence.sql", "list_events", (1, "p6", *EVER, EVER[0], NO_EVENT, 100), {"check_events_in_order"}),
    ("ecm/api/evidence.sql", "list_events", (1, "p6", EARLIER, LATER, EARLIER, EVENT, 100), {"check_events_in_order"}),
    ("alerts/alerts.sql", "visits", ([1] * 3, [5, 6, 7], ["sos"]), {"visits_pkey"}),
    ("alerts/alerts.sql", "known_alerts", ([1] * 3, [5, 6, 7]), {"alerts_tenant_id_visit_id_kind_raised_for_key"}),
    ("alerts/alerts.sql", "path_is_clear", (NOW, NOW, 1.0), {"visits_due", "deliveries_pending"}),
    ("alerts/alerts.sql", "climb_again", ([1] * 3, [5, 6, 7], NOW, EARLIER, ["sos"]),
     {"deliveries_tenant_id_alert_id_about_channel_address_key"}),
    ("alerts/deliveries.sql", "claim", (NOW, NOW, 20, 60.0, False), {"deliveries_pending"}),
    ("alerts/deliveries.sql", "claim", (NOW, NOW, 10, 60.0, True), {"deliveries_pending"}),
]  # fmt: skip

OF_ALL = system(1)
OF_ONE = Lock(1, "p6", None, "coordinator", "account 1")
OF_THE_WEB = [
    one
    for one in HOT
    if one[0].startswith(("ecm/board", "ecm/api")) and one[1] != "pulse"  # the hub's own
]

# The door's connection keeps one plan for every batch (plan_cache_mode = force_generic_plan); processing keeps what it
# planned on grown-up tables for some seconds (`Database.batch`).
HOT_AND_GENERIC = [
    ("ingest/batch.sql", "store_events", set[str]()),
    ("ingest/batch.sql", "stored_events", {"check_events_pkey"}),
    *((file, name, indexes) for file, name, _, indexes in HOT if file == P),
    (P, "add_unplanned", {"visits_tenant_id_ref_key"}),
    (P, "record_outcomes", {"event_outcomes_trail"}),
    (P, "write_visits", {"visits_pkey", "reports_of_visit"}),
    (P, "done", {"processing_queue_pkey"}),
]


@pytest.fixture(scope="module", params=["analysed", "never analysed", "just grown up"])
def busy(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Addresses]:
    """Some days of a borough. Autovacuum stays away, so that the one nobody analysed stays so."""
    database = cluster.create(TEMPLATE)
    away = "".join(f"ALTER TABLE {table} SET (autovacuum_enabled = off);" for table in sorted(BIG))
    visits = JUST_GROWN_UP if request.param == "just grown up" else VISITS
    in_a_loop_of_its_own(execute(database.owner, away + FILL.format(visits=visits)))
    if request.param == "analysed":
        in_a_loop_of_its_own(execute(database.owner, "ANALYZE"))
    yield database
    cluster.drop(database)


@pytest.mark.parametrize(("file", "name", "values", "indexes"), HOT)
async def test_a_hot_query_reads_by_its_index(
    busy: Addresses, file: str, name: str, values: tuple[Any, ...], indexes: set[str]
) -> None:
    hot = query(file, name)
    async with as_run(busy, hot.role) as connection:
        (plan,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {hot.sql}", *values)
    assert_reads_by(plan[0], indexes)


@pytest.mark.parametrize(("file", "name", "values", "indexes"), OF_THE_WEB)
async def test_the_second_lock_leaves_the_index_to_whoever_sees_one_provider(
    busy: Addresses, file: str, name: str, values: tuple[Any, ...], indexes: set[str]
) -> None:
    async with as_run(busy, "ecm_web", OF_ONE) as connection:
        (plan,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) {query(file, name).sql}", *values)
    assert_reads_by(plan[0], indexes)


@pytest.mark.parametrize(("file", "name", "indexes"), HOT_AND_GENERIC)
async def test_a_query_planned_once_for_all_reads_by_its_index(
    busy: Addresses, file: str, name: str, indexes: set[str]
) -> None:
    hot = query(file, name)
    async with as_run(busy, hot.role) as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE hot AS {hot.sql}")
        count = len((await connection.prepare(hot.sql)).get_parameters())
        (plan,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE hot({', '.join(['NULL'] * count)})")
    assert_reads_by(plan[0], indexes)
    assert_reads_by_more_than_the_tenant(plan[0])


async def test_processing_keeps_plans_of_grown_up_tables_only(busy: Addresses, database: Addresses) -> None:
    """On a young table an index of the tenant alone is as good as any, until an import makes it the whole table."""
    assert await plans_of_a_batch(database) == "force_custom_plan"
    assert await plans_of_a_batch(busy) == "force_generic_plan"


async def test_a_kept_plan_is_forgotten_after_some_seconds(
    busy: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    await execute(busy.owner, GROWS)
    worker = await Database.connect(busy.app, "ecm_worker", 1)
    try:
        async with worker.batch() as connection:
            await connection.execute("PREPARE looked_for AS SELECT FROM grows WHERE n = $1::int")
            assert await how(connection, "looked_for") == "Seq Scan"
        await execute(busy.owner, "INSERT INTO grows SELECT generate_series(1, 50000)")
        async with worker.batch() as connection:
            assert await how(connection, "looked_for") == "Seq Scan"
        monkeypatch.setattr(db, "PLANS_KEPT_SECONDS", 0.0)
        async with worker.batch() as connection:
            assert await how(connection, "looked_for") != "Seq Scan"
    finally:
        await worker.close()


async def test_a_table_read_whole_would_be_noticed(busy: Addresses) -> None:
    """The test of the test: no index serves this question."""
    async with as_run(busy, "ecm_worker") as connection:
        (plan,) = await connection.fetch("EXPLAIN (FORMAT JSON) SELECT * FROM visits WHERE service = 'x'")
    with pytest.raises(AssertionError, match="reads all of visits"):
        assert_reads_by(plan[0], set())


async def test_a_tenant_read_whole_would_be_noticed(busy: Addresses) -> None:
    """The same, by an index that finds the tenant and nothing more."""
    async with as_run(busy, "ecm_worker") as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        (plan,) = await connection.fetch(
            "EXPLAIN (FORMAT JSON) SELECT * FROM visits WHERE tenant_id = 1 AND service = 'x'"
        )
    with pytest.raises(AssertionError, match="reads all that a tenant has in visits"):
        assert_reads_by_more_than_the_tenant(plan[0])


@asynccontextmanager
async def as_run(database: Addresses, role: str, lock: Lock = OF_ALL) -> AsyncIterator[Connection]:
    """A connection as the services open it, under tenant 1 where the role is of one tenant."""
    connection = await open_connection(database.app, role)
    try:
        async with connection.transaction():
            await connection.execute(f"{told(lock)}; SET LOCAL ecm.tenants = '{{1}}'")
            yield connection
    finally:
        await connection.close()


async def plans_of_a_batch(database: Addresses) -> str:
    worker = await Database.connect(database.app, "ecm_worker", 1)
    try:
        async with worker.batch() as connection:
            mode: str = await connection.fetchval("SHOW plan_cache_mode")
            return mode
    finally:
        await worker.close()


async def how(connection: Connection, prepared: str) -> str:
    (plan,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE {prepared}(7)")
    return str(_root(plan[0])["Node Type"])


def assert_reads_by(plan: Any, indexes: set[str]) -> None:
    steps = list(_steps(_root(plan)))
    whole = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"} & BIG
    assert not whole, f"reads all of {', '.join(sorted(whole))}"
    used = {step["Index Name"] for step in steps if "Index Name" in step}
    assert indexes <= used, f"uses {sorted(used)}"


def assert_reads_by_more_than_the_tenant(plan: Any) -> None:
    for step in _steps(_root(plan)):
        if step.get("Relation Name") in BIG and step["Node Type"] in BY_INDEX:
            found_by = step.get("Index Cond") or step.get("Recheck Cond") or ""
            keys = set(re.findall(r"\((\w+) [<>=]", found_by)) - {"tenant_id"}
            assert keys, f"reads all that a tenant has in {step['Relation Name']}"


def _root(plan: Any) -> dict[str, Any]:
    root: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return root


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for below in step.get("Plans", []):
        yield from _steps(below)
