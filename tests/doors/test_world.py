"""The matrix sees a leak only where something tells whose it is: so everything that can, does."""

from __future__ import annotations

from tests.doors import canary
from tests.doors.askers import ASKERS
from tests.doors.asking import Cell
from tests.doors.matrix import expected
from tests.doors.operations import known
from tests.doors.rows import rows
from tests.doors.service import Service

# Columns whose words come from a short list, or that hold no words of anybody's. A new column of words is not one of
# them: let `world.py` write `word(owner, topic, column)` there.
SAME_FOR_ALL = frozenset(
    """
    accounts.role actual_lines.funder actual_lines.period actual_lines.state alert_actions.kind
    alert_contacts.channel alert_contacts.min_severity alerts.kind alerts.severity alerts.state amendments.kind
    api_keys.scopes audit.actor_ref audit.subject_ref audit_exports.went_to care_workers.pin_hash check_events.kind
    check_events.method check_events.proofs contracts.rules deliveries.about deliveries.channel deliveries.state
    devices.public_key event_outcomes.status feed_records.feed feed_records.kind feed_records.status oidc_roles.role
    payment_periods.period phone_calls.dialled phone_calls.gateway phone_lines.language phone_lines.number
    phone_lines.use quarantine.door reports.kind reports.proofs reports.urgency service_users.funder
    service_users.risk_tier sessions.signed_in_by tags.kind tenants.zone transitions.from_state transitions.kind
    transitions.to_state visits.crossings visits.deadline_kind visits.state visits.zone
    """.split()  # noqa: SIM905 - a list to be read
)
# What a door tells of nobody: they have nothing that a canary could stand in.
TELLS_NOTHING = {
    "GET /v1/reason-codes",
    "GET /v1/app/epoch",
    "GET /v1/audit/verification",
    "GET /v1/needs-doing",
    "GET /v1/sign-in-rules",
    # of whoever asks, and the askers are made without
    "GET /v1/me",
    "GET /v1/me/council",
    "GET /v1/me/passkeys",
    "GET /v1/me/second-step",
    "GET /v1/me/sessions",
}


async def test_every_column_of_words_has_a_canary(service: Service) -> None:
    without = []
    async with service.owner.connection() as connection:
        columns = await connection.fetch(
            """SELECT c.relname AS relation, a.attname AS column_name
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                 AND a.atttypid::regtype::text IN ('text', 'text[]', 'jsonb')
                 AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
               ORDER BY 1, a.attnum"""
        )
        for relation, column in columns:
            values = await connection.fetch(f'SELECT "{column}"::text FROM {relation} WHERE tenant_id = 2')
            told = {one.owner for row in values for one in canary.found(row[0] or "")}
            if told != {"abr"}:
                without.append(f"{relation}.{column}")
    missing = sorted(set(without) - SAME_FOR_ALL)
    assert not missing, (
        f"tests/doors/world.py: write word(owner, topic, column) of `abr` into {', '.join(missing)}"
    )
    assert not SAME_FOR_ALL - set(without), "these have a canary, or are gone"


async def test_whoever_may_read_is_told_something(service: Service) -> None:
    """The other half of a leak: a door that tells nobody anything would pass for one that keeps its secrets."""
    silent = []
    for name, operation in known().items():
        if operation.method != "GET" or not operation.takes:
            continue
        told = 0
        for row in rows()[name]:
            for asker in ASKERS:
                if expected()[name, asker.name] != "-":
                    cell = Cell(name, asker, "standing", "own")
                    happened = await service.ask(operation, row, cell)
                    said = {one.text for one in canary.found(happened.asked.said)}
                    theirs = {
                        one.text for one in canary.found(happened.answer.text) if one.owner in asker.reads
                    }
                    told += bool(theirs - said)
        if not told:
            silent.append(name)
    assert set(silent) == TELLS_NOTHING
