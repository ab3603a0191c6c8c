"""R15: Schemathesis against the whole service, with all its checks.

It reads the published description and tries what that allows, and what it does not. Each operation is asked
by somebody who may do it, so that answers come from behind the door and not from the doorkeeper; without
proof, the doorkeeper must refuse.
"""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import uuid4

import pytest
import schemathesis
import uvicorn
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from ecm.api import sign_in
from ecm.api.accounts import create_key
from ecm.app import create_app
from ecm.clock import RealClock
from ecm.doors import SESSION_COOKIE, digest
from ecm.passwords import hash_password
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.api.conftest import BOROUGH, CAST
from tests.postgres import TEMPLATE, Cluster, in_a_loop_of_its_own

# Who asks, by the beginning of the operation. The administrator asks for the rest.
ASKED_BY = {
    "POST /v1/check-events/": "dana",
    "POST /v1/check-events": "key ingest",
    "POST /v1/imports": "key import",
    "POST /v1/feeds": "key ingest",
    "GET /v1/feeds": "key ingest",
    "POST /v1/visits": "dana",
    "POST /v1/alerts": "dana",
    "DELETE /v1/alerts": "dana",
    "GET /v1/visits": "key read",
    "GET /v1/care-workers/": "key read",
    "GET /v1/actuals": "otto",
    "POST /v1/actuals/{period}/lock": "fred",
    "POST /v1/actuals": "fay",
    "DELETE /v1/me/sessions": "eve",  # nobody else's, whose sessions the run goes on with
    "POST /board": "dana",
}
EXAMPLES_EACH = 8
IDEMPOTENCY_KEY = "3f0c8a52-6f1e-4d0f-9b51-6d2f0f6a7c11"
# A phone signs each request with a key that the machine making these up has not; tests/api/test_phones.py has.
NEVER_SUCCEEDS = {
    "GET /v1/app/today",
    "GET /v1/app/epoch",
    "GET /v1/app/held",
    "POST /v1/app/unlock",
    "GET /v1/app/visits/{visit_id}/key-safe",
    "POST /v1/app/enrolment",
    "POST /v1/reports",
    # Nobody is joined to a council that does not answer; tests/identity/test_oidc.py has one that does.
    "POST /v1/me/council",
    "DELETE /v1/me/council",
    # A gateway signs each of these; tests/ingest/telephone is one.
    "POST /v1/telephone/voice",
    "POST /v1/telephone/voice/step",
    "POST /v1/telephone/voice/status",
    "POST /v1/telephone/sms",
    # A device, or an authenticator app, answers each of these; tests/identity has some.
    "POST /v1/session/passkey",
    "POST /v1/session/second-step",
    "POST /v1/session/step-up",
    "POST /v1/me/passkeys",
    "POST /v1/me/second-step/confirmation",
    # Somebody administers already; tests/identity/test_setup.py begins before that.
    "POST /v1/setup",
    "POST /v1/setup/code",
    "POST /v1/setup/passkey-options",
    "POST /v1/setup/second-step",
}
USUALLY_REFUSED = ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"]
USUALLY_ACCEPTED = ["2xx", "401", "403", "404", "409", "5xx"]


@dataclass(frozen=True)
class Asking:
    """The proof of whoever asks, as headers and a cookie."""

    headers: dict[str, str]
    cookies: dict[str, str]


class Proofs:
    """Sessions of its own for each operation, because some operations end the session they are asked by."""

    database: ClassVar[Addresses]
    keys: ClassVar[dict[str, str]]
    sessions: ClassVar[dict[str, str]] = {}

    def get(self, case: schemathesis.Case, ctx: schemathesis.AuthContext) -> Asking:
        who = next((one for start, one in ASKED_BY.items() if case.operation.label.startswith(start)), "ada")
        if who.startswith("key "):
            return Asking({"Authorization": f"Bearer {self.keys[who.removeprefix('key ')]}"}, {})
        ends_itself = case.operation.label.endswith(
            " /v1/session"
        )  # signing out, and signing in as somebody else
        if who not in self.sessions or ends_itself:
            token = f"{who} {uuid4()}"  # an object's own number is handed on to the next one
            in_a_loop_of_its_own(insert_session(self.database.owner, who, token))
            if ends_itself:
                return Asking({"Sec-Fetch-Site": "same-origin"}, {SESSION_COOKIE: token})
            self.sessions[who] = token
        return Asking({"Sec-Fetch-Site": "same-origin"}, {SESSION_COOKIE: self.sessions[who]})

    def set(self, case: schemathesis.Case, data: Asking, ctx: schemathesis.AuthContext) -> None:
        case.headers.update(data.headers)
        case.cookies.update(data.cookies)


CONFIG = {
    "generation": {
        "max-examples": EXAMPLES_EACH,
        "deterministic": True,
        "with-security-parameters": False,
    },
    # A stateful run fills ids from earlier answers, and takes a null there for the text "None".
    "phases": {
        "stateful": {
            "generation": {"max-examples": 10},
            "max-steps": 4,
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    },
    # A sign-in with made-up passwords is slowed down, as it should be.
    # An array of too many events is too large.
    "checks": {
        "positive_data_acceptance": {"expected-statuses": [*USUALLY_ACCEPTED, "429"]},
        "negative_data_rejection": {"expected-statuses": [*USUALLY_REFUSED, "413"]},
    },
    # Whether a file is accepted is decided by what its rows say, which no schema of its text can.
    "operations": [
        {
            "include-path": "/v1/imports/{kind}",
            "checks": {
                "positive_data_acceptance": {"enabled": False},
                "negative_data_rejection": {"enabled": False},
            },
        },
        # Nor can one say which passwords are weak.
        {
            "include-path": "/v1/me/password",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*USUALLY_ACCEPTED, "422", "429"]}},
        },
        # Where the council that was set up a moment ago does not answer, that is what it says: 503.
        {"include-path": "/v1/me/council", "checks": {"not_a_server_error": {"enabled": False}}},
    ],
}


@pytest.mark.timeout(900)  # every operation, and what leads from one to another
def test_the_service_does_what_its_description_says(cluster: Cluster) -> None:
    database = cluster.create(TEMPLATE)
    Proofs.database, Proofs.keys = database, in_a_loop_of_its_own(furnish(database.owner))
    with serving(database) as url:
        schema = schemathesis.openapi.from_url(
            f"{url}/v1/openapi.json", config=schemathesis.Config.from_dict(CONFIG)
        )
        schema.auth(refresh_interval=None)(Proofs)
        run = Run().of(schema)
    cluster.drop(database)
    assert not run.wrong, f"{len(run.wrong)} answers were wrong:\n\n" + "\n\n".join(sorted(run.wrong))
    assert run.unanswered() == NEVER_SUCCEEDS, "every other operation came through the door at least once"


@schemathesis.hook("before_call")
def in_our_time(ctx: object, case: schemathesis.Case, kwargs: object) -> None:
    """Check events of the year 303 are refused. A schema can say `date-time`, and not of which centuries."""
    for event in case.body if isinstance(case.body, list) else [case.body]:
        if isinstance(event, dict) and isinstance(event.get("occurred_at"), str):
            event["occurred_at"] = re.sub(r"^\d{4}-", "2024-", event["occurred_at"])


@schemathesis.hook("before_call")
def a_key_of_ones_own(ctx: object, case: schemathesis.Case, kwargs: object) -> None:
    """The examples share one Idempotency-Key, and whichever operation used it first would keep it from the others."""
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if key == IDEMPOTENCY_KEY:
        case.headers["Idempotency-Key"] = f"{key} {case.operation.label}".replace(" ", "-")


@dataclass
class Run:
    """What one run of all phases found: each thing that was wrong, once, and the answers of each operation."""

    wrong: set[str] = field(default_factory=set)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def of(self, schema: schemathesis.BaseSchema) -> Run:
        for event in from_schema(schema).execute():
            match event:
                case (
                    events.ScenarioFinished(recorder=recorder)
                    | events.FuzzScenarioFinished(recorder=recorder)
                ):
                    self._read(recorder)
                case events.NonFatalError(value=error, label=label):
                    self.wrong.add(f"{label}: {error!r}")
                case events.FatalError(exception=error):
                    self.wrong.add(repr(error))
        return self

    def unanswered(self) -> set[str]:
        """Operations that never answered 2xx."""
        return {label for label, seen in self.statuses.items() if not any(200 <= one < 300 for one in seen)}

    def _read(self, recorder: ScenarioRecorder) -> None:
        for case_id, node in recorder.cases.items():
            label = node.value.operation.label
            if interaction := recorder.interactions.get(case_id):
                self.statuses[label][interaction.response.status_code if interaction.response else 0] += 1
            for check in recorder.checks.get(case_id, []):
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    said = f"{failure.title}. {failure.message}\n{check.failure_info.code_sample}"
                    self.wrong.add(f"{label}, {check.name}: {said}"[:2_000])


class serving:  # noqa: N801 - a context manager
    """The service on a port of its own, in a thread with a loop of its own."""

    def __init__(self, database: Addresses) -> None:
        self.database = database
        self.started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))

    def __enter__(self) -> str:
        self.thread.start()
        assert self.started.wait(120), "the service did not start"
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)

    async def serve(self) -> None:
        app = create_app(
            web_db=await Database.connect(self.database.app, role="ecm_web", size=4),
            ingest_db=await Database.connect(self.database.app, role="ecm_ingest", size=2),
            clock=RealClock(),
            settings=Settings(
                backlog_late_after_seconds=1e9,
                worker_silent_after_seconds=1e9,
                public_url="https://ecm.example.org",  # passkeys are made for a site
                sealing_key=base64.b64encode(bytes(32)).decode(),
            ),
        )
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
        serving = asyncio.create_task(self.server.serve())
        while not self.server.started:
            await asyncio.sleep(0.02)
        self.started.set()
        await serving


# Ways in to take away again, so many that none is the last one; and a session for the description's example to end.
WAYS_IN = """
INSERT INTO passkeys (tenant_id, passkey_id, account_id, credential_id, public_key, sign_count, backed_up, aaguid, name,
  made_at) OVERRIDING SYSTEM VALUE
  SELECT 1, n, account_id, n::text::bytea, '', 0, false, gen_random_uuid(), 'a key', now()
  FROM accounts, (VALUES (1), (7000000)) AS one (n) WHERE email LIKE 'ada@%';
INSERT INTO second_steps (tenant_id, account_id, sealed_secret, confirmed_at, last_step)
  SELECT 1, account_id, '', now(), 1 FROM accounts WHERE email LIKE 'ada@%';
INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at, session_id)
  SELECT 1, 'elsewhere', account_id, now(), now(), now() + interval '1 hour', '6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11'
  FROM accounts WHERE email LIKE 'eve@%';
"""

# The proofs stay good to the end of the run: whoever would disable, revoke or replace one finds nothing there.
KEPT = """
INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES (1, 'CW-17', 'Carl', 'P1');
INSERT INTO devices (tenant_id, device_id, provider_ref, label, public_key, enrolled_at, enrolled_by)
  VALUES (1, '6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11', 'P1', 'Shared', '{}', now(), 'Cory');
INSERT INTO tags (tenant_id, tag_id, kind, service_user_ref, made_by, made_at)
  VALUES (1, 'K7MP2XQR4TBN', 'qr', 'SU-A', 'Cory', now());
INSERT INTO code_cards (tenant_id, card_id, service_user_ref, sealed_secret, made_by, made_at)
  OVERRIDING SYSTEM VALUE VALUES (1, 1, 'SU-A', '', 'Cory', now());
ALTER TABLE code_cards ALTER card_id RESTART 100;
INSERT INTO feed_records (tenant_id, transaction_id, position, feed, kind, record_id, sequence_id, received_at, status,
  body) VALUES (1, '6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e77', 1, 'sandata', 'visit', 'P1/V-1001', 1, now(), 'accepted',
  '{}');
INSERT INTO payment_periods (tenant_id, period, starts_on, ends_on, requested_at, run_at)
  VALUES (1, '2026-W45', '2020-01-06', '2020-01-12', '2020-01-13Z', '2020-01-13Z');
ALTER TABLE api_keys ALTER key_id RESTART 7000000;
ALTER TABLE accounts ALTER account_id RESTART 8000000;
INSERT INTO oidc_providers (tenant_id, issuer, client_id, scopes, groups_claim, makes_accounts)
  VALUES (1, 'https://sign-in.invalid', 'ecm', 'openid', 'groups', false);
CREATE FUNCTION put_back() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO oidc_providers SELECT OLD.*; RETURN NULL; END $$;
CREATE TRIGGER put_back AFTER DELETE ON oidc_providers FOR EACH ROW EXECUTE FUNCTION put_back();
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON api_keys FOR EACH ROW
  WHEN (OLD.key_id BETWEEN 7000000 AND 7000002) EXECUTE FUNCTION keep();
CREATE TRIGGER keep BEFORE UPDATE ON accounts FOR EACH ROW
  WHEN (OLD.account_id BETWEEN 7000000 AND 7999999) EXECUTE FUNCTION keep();
"""


async def furnish(dsn: str) -> dict[str, str]:
    """The borough, its cast, and whom the examples of the description speak of. Returns a key for each scope."""
    db = await Database.connect(dsn, role=None, size=1)
    try:
        async with db.connection() as connection:
            await connection.execute(BOROUGH)
            await connection.execute(KEPT)
            await connection.execute(
                "INSERT INTO heartbeats VALUES ('worker', now(),"
                " jsonb_build_object('alarm_proved_at', now() + interval '1 day'))"
            )
            rows = [(1, n, f"decoy-{n}@example.org", "Decoy", "quality", None, "-") for n in range(1, 10)]
            stored = await hash_password(sign_in.ASKED["password"])
            rows += [(1, 7_000_000 + n, *person, stored) for n, person in enumerate(CAST)]
            await connection.executemany(
                "INSERT INTO accounts (tenant_id, account_id, email, name, role, provider_ref, password_hash)"
                " OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7)",
                rows,
            )
            await connection.execute(WAYS_IN)
        return {
            scope: await create_key(db, 1, "A system", [scope], datetime.now(UTC))
            for scope in ("ingest", "read", "import")
        }
    finally:
        await db.close()


async def insert_session(dsn: str, who: str, token: str) -> None:
    db = await Database.connect(dsn, role=None, size=1)
    try:
        async with db.connection() as connection:
            now = datetime.now(UTC)
            await connection.execute(
                "INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at,"
                " stepped_up_at) SELECT tenant_id, $2, account_id, $3, $3, $4, $3 FROM accounts"
                " WHERE email LIKE $1 || '@%'",
                who,
                digest(token),
                now,
                now + timedelta(hours=1),
            )
    finally:
        await db.close()
