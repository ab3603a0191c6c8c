"""A morning is played whose people have names that nobody else has. Then everything that leaves is read for them: log,
standard output, refusals, heads of answers, the addresses we make, letters, webhooks, what the telephone fetches."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from typing import Any
from uuid import uuid4

import httpx
import pytest

from alerts.sender import Sender
from alerts.worker import AlertWorker
from ecm.api.accounts import create_key
from ecm.app import Application
from ecm.doors import SESSION_COOKIE, digest
from ecm.overdue import Watcher
from ecm.processing import Processor
from ecm.quiet_logs import FORMAT, QuietFormatter
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.alerts.gateways import Hook, Postbox, a_mail_server, a_web_server
from tests.ingest.telephone.conftest import NOW, Caller, Exchange, exchange_in

# Each written so that it is found in any case, and however an address or a formula spells it; and so that no random
# number, of which a message's name and a signature are made, can come to be one.
CANARIES = [
    re.compile(each, re.IGNORECASE)
    for each in (
        "wilhelmina", "canarywick", "wharfside", r"zz7(%20|[^a-z0-9])*7nv", r"\bzz7\b", r"\b7nv\b", "798877", "553311",
        "960777", "900777", "c4n4ry", "insulin", "songbird", "whistler",
    )
]  # fmt: skip
PEOPLE = [
    {
        "ref": "SU-C", "name": "Mrs Wilhelmina Canarywick", "address": "12 Wharfside Row", "postcode": "ZZ7 7NV",
        "lat": 53.798877, "lon": -1.553311, "phones": "+441134960777", "needs": "Insulin before breakfast",
        "key_safe": "C4N4RY",
    },
    {"ref": "SU-D", "name": "Mr Wilhelmina Canarywick", "lat": 530.798877, "lon": 1, "key_safe": "C4N4RY"},
]  # fmt: skip
WORKERS = [
    {
        "ref": "CW-C",
        "name": "Songbird Whistler",
        "provider_ref": "P1",
        "phone": "+447700900777",
        "pin": "9966",
    }
]
VISITS = [
    {
        "ref": f"V-C{n}", "service_user_ref": "SU-C", "provider_ref": "P1", "date": "2026-03-02", "start": start,
        "end": end, "care_worker_refs": "CW-C",
    }
    for n, (start, end) in enumerate([("08:00", "08:30"), ("09:00", "09:30")])
]  # fmt: skip
PLACE = {"lat": 53.798877, "lon": -1.553311, "accuracy_m": 12.0}


@dataclass
class Played:
    """The morning, and what left it."""

    exchange: Exchange
    http: httpx.AsyncClient
    postbox: Postbox
    hook: Hook
    log: io.StringIO
    left: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """What is answered may name people to whoever may read it; its head and its address may not."""
        answer = await self.http.request(method, path, **how)
        self.left += [f"{name}: {value}" for name, value in answer.headers.items()]
        self.left += [f"address {url}" for url in _addresses(answer.text)]
        if "/imports/" in path:  # whoever imports is told which cell is wrong, but never a way to get in
            assert "C4N4RY" not in answer.text
        elif answer.status_code >= 400:
            self.left.append(answer.text)
        return answer


def _addresses(text: str) -> list[str]:
    said = r'(?:https?://|/v1/|/visits/|/care-workers/|/t/)[^\s"<>\\]*'
    return re.findall(said, text)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service's log would hold, to the last word. (What only a test's own client and mail server say is left
    out; the commands silence the client's too.)"""
    file = io.StringIO()
    handler = logging.StreamHandler(file)
    handler.setFormatter(QuietFormatter(FORMAT))
    handler.addFilter(
        lambda record: record.name not in ("httpx", "mail.log") or record.levelno > logging.INFO
    )
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield file
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
async def played(database: Addresses, log: io.StringIO) -> AsyncIterator[Played]:
    async with a_mail_server() as postbox, a_web_server() as hook:
        settings = {
            "smtp_host": "127.0.0.1", "smtp_port": postbox.port, "smtp_starttls": False,
            "webhook_secret": "made up", "webhook_private": True,
        }  # fmt: skip
        async with exchange_in(database, **settings) as exchange:
            app = Application(exchange.app, exchange.app.state.door)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://ecm.test", headers={"Origin": "http://ecm.test"}
            ) as http:
                told = Played(exchange, http, postbox, hook, log)
                await a_morning(told, database)
                yield told


async def a_morning(told: Played, database: Addresses) -> None:
    exchange = told.exchange
    key = await create_key(exchange.owner, 1, "A system", ["ingest", "read", "import"], NOW)
    by_key = {"Authorization": f"Bearer {key}"}
    exchange.clock.at = NOW.replace(hour=6)
    for address, channel in (("duty@example.org", "email"), (told.hook.url, "webhook")):
        await exchange.run(
            "INSERT INTO alert_contacts (tenant_id, min_severity, channel, address) VALUES (1, 'information', $1, $2)",
            channel, address,
        )  # fmt: skip

    refused = await told.ask("POST", "/v1/imports/service-users", json=PEOPLE, headers=by_key)
    assert refused.status_code == 422
    for kind, rows in (("service-users", PEOPLE[:1]), ("care-workers", WORKERS), ("visits", VISITS)):
        taken = await told.ask("POST", f"/v1/imports/{kind}", json=rows, headers=by_key)
        assert taken.status_code == 200, taken.text

    worker = await Database.connect(database.app, "ecm_worker", 4)
    try:
        await _settle(told, worker)
        exchange.clock.at = NOW.replace(hour=9, minute=1)
        await _settle(told, worker)
        await _evidence(told, by_key)
        await _settle(told, worker)
        await _by_telephone(told)
        await _at_the_desk(told)
        await _trouble(told, worker, by_key)
        exchange.clock.at = NOW + timedelta(hours=3)
        await _settle(told, worker)
    finally:
        await worker.close()


async def _settle(told: Played, worker: Database) -> None:
    clock, settings = told.exchange.clock, told.exchange.app.state.services.settings
    steps = (
        Processor(worker, clock),
        Watcher(worker, clock),
        AlertWorker(worker, clock),
        Sender(worker, clock, settings),
    )
    for _ in range(50):
        if not any([await each.step() for each in steps]):
            return


async def _evidence(told: Played, by_key: dict[str, str]) -> None:
    said = {
        "id": str(uuid4()), "kind": "check_in", "occurred_at": "2026-03-02T09:00:30Z", "method": "app",
        "care_worker": "CW-C", "service_user": "SU-C", "fix": PLACE, "note": "Wilhelmina had her insulin",
    }  # fmt: skip
    for body in (
        said,
        said,
        said | {"note": "another note of Wilhelmina"},
        said | {"id": str(uuid4()), "fix": {"lat": 953.798877, "lon": -1.553311}},
        {"kind": "check_in", "note": "Wilhelmina", "fix": PLACE},
        ["Wilhelmina", said | {"id": "of Wilhelmina"}],
    ):
        await told.ask("POST", "/v1/check-events", json=body, headers=by_key)
    await told.ask("POST", "/v1/check-events", content=b'{"note": "Wilhelmina', headers=by_key)


async def _by_telephone(told: Played) -> None:
    for cli, line in (("+441134960777", "+441134960900"), ("+441134960777", "+441134960902")):
        caller = Caller(told.exchange, cli, line, f"CA{uuid4().hex}")
        await caller.begin()
        while caller.next_step:
            told.left += [f"address {url}" for url in _addresses(caller.answer)]
            if len(told.left) > 5000:
                break
            await caller.key("9966")
        await caller.hang_up()
    await told.exchange.texts("IN C4N4RY Wilhelmina", cli="+447700900777")


async def _at_the_desk(told: Played) -> None:
    token = "dana's session"
    await told.exchange.run(
        "INSERT INTO accounts (tenant_id, account_id, email, name, role, password_hash) OVERRIDING SYSTEM VALUE"
        " VALUES (1, 99, 'dana@example.org', 'Dana Duty', 'duty_officer', 'x')"
    )
    await told.exchange.run(
        "INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at)"
        " VALUES (1, $1, 99, now(), now(), now() + interval '1 hour')",
        digest(token),
    )
    told.http.cookies.set(SESSION_COOKIE, token)
    visits = await told.ask("GET", "/v1/visits?date=2026-03-02")
    assert "Canarywick" in visits.text or visits.json()["items"], "or this shows nothing"
    for visit in visits.json()["items"]:
        shown = await told.ask("GET", f"/v1/visits/{visit['id']}")
        await told.ask("GET", f"/visits/{visit['id']}")
        await told.ask("GET", f"/v1/visits/{visit['id']}/reports")
        assert shown.status_code == 200
    for path in (
        "/v1/check-events",
        "/v1/unmatched",
        "/v1/alerts",
        "/v1/care-workers/CW-C/patterns",
        "/board",
    ):
        await told.ask("GET", path)
    await told.ask("GET", "/v1/visits?date=Wilhelmina")
    await told.ask("POST", "/v1/session", json={"email": "dana@example.org", "password": ["Wilhelmina"]})


async def _trouble(told: Played, worker: Database, by_key: dict[str, str]) -> None:
    """The database refuses rows and says which; a mail server refuses a letter and says to whom."""
    await told.exchange.run(
        "ALTER TABLE visits ADD CONSTRAINT no_more CHECK (state <> 'completed') NOT VALID;"
        "ALTER TABLE service_users"
        " ADD CONSTRAINT no_names CHECK (name NOT LIKE '%the Second' OR name::int > 0) NOT VALID"
    )
    left = {
        "id": str(uuid4()), "kind": "check_out", "occurred_at": "2026-03-02T09:29:00Z", "method": "app",
        "care_worker": "CW-C", "service_user": "SU-C", "fix": PLACE,
    }  # fmt: skip
    told.exchange.clock.at = NOW.replace(hour=9, minute=29)
    await told.ask("POST", "/v1/check-events", json=left, headers=by_key)
    await _settle(told, worker)
    renamed = PEOPLE[0] | {"name": "Mrs Wilhelmina Canarywick the Second"}
    failed = await told.ask("POST", "/v1/imports/service-users", json=[renamed], headers=by_key)
    assert failed.status_code == 500, "or the log has nothing to hide"
    told.postbox.answer_to_recipient = "550 no mailbox of Wilhelmina here"


def _letter(letter: Message) -> str:
    body = letter.get_payload(decode=True)
    return f"{letter.items()} {body.decode() if isinstance(body, bytes) else ''}"


async def test_no_canary_gets_out(played: Played, capfd: pytest.CaptureFixture[str]) -> None:
    letters = [_letter(letter) for letter in played.postbox.letters]
    hooks = [f"{json.dumps(headers)} {body.decode()}" for headers, body in played.hook.seen]
    written = played.log.getvalue()
    assert letters, "nobody was told of anything"
    assert hooks, "nobody was told of anything"
    assert "CheckViolationError" in written, "the log says what kind of error it was"
    assert "InvalidTextRepresentationError" in written, "which would have named her"
    assert len([each for each in played.left if each.startswith("address")]) > 10
    printed = capfd.readouterr()
    found = [
        f"{where}: {text[max(0, told.start() - 60) :][:120]}"
        for where, text in (
            ("log", written),
            ("stdout", printed.out),
            ("stderr", printed.err),
            *(("left", each) for each in played.left),
            *(("letter", each) for each in letters),
            *(("webhook", each) for each in hooks),
        )
        for canary in CANARIES
        if (told := canary.search(text))
    ]
    assert found == []
