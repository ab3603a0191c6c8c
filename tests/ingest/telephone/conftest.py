"""The cast of the telephone's stories: Example Borough (tenant 1), on a Monday at two minutes past nine.

Mrs Ash     lives alone; her telephone is 0113 496 0101. Two tasks stand in her plan, and a code card on her table
the Birches share 0113 496 0102
Ms Cole     has no telephone of her own
Beth        CW-104, PIN 4711, mobile 07700 900104: due at Mrs Ash's at 09:00 and at the Birches' at 10:00
Carl        CW-105, PIN 5822: due at the Birches' and at Ms Cole's
Dora        CW-106, PIN 6933: of the same provider, due nowhere today
Eli         CW-207, PIN 7044: of another provider

0113 496 0900 is the interview and takes texts, 0113 496 0902 rings homes back, 0113 496 0904 is Beth's own to ring
unanswered. Otherham (tenant 2) has 0113 496 0990.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import FastAPI

from ecm.app import create_app
from ecm.clock import ManualClock
from ecm.pins import hash_pin
from ecm.rotating_code import belongs_to
from ecm.sealing import Sealer
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.telephone.conductor import Conductor
from ingest.telephone.signature import signature
from ingest.telephone.webhook import conductor_of
from tests.frameworks import a_framework

NOW = datetime(2026, 3, 2, 9, 2, 12, tzinfo=UTC)
PUBLIC = "https://ecm.example.org"
TOKEN = "a-made-up-token"
SECRET = b"12345678901234567890"
SEALING_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

ASH, BIRCH, COLE = "+441134960101", "+441134960102", "+441134960103"
BETHS_MOBILE, A_MOBILE, A_STRANGER = "+447700900104", "+447700900999", "+441632960777"
LINE, BACK_LINE, BETHS_LINE, OTHERHAM_LINE = (
    "+441134960900",
    "+441134960902",
    "+441134960904",
    "+441134960990",
)
PINS = {"CW-104": "4711", "CW-105": "5822", "CW-106": "6933", "CW-207": "7044"}

BOROUGH = """
INSERT INTO tenants (tenant_id, name) VALUES (2, 'Otherham');
INSERT INTO providers (tenant_id, ref, name) VALUES
  (1, 'P1', 'Amber Home Care'), (1, 'P2', 'Birch Home Care'), (2, 'P1', 'Zinnia Home Care');
INSERT INTO service_users (tenant_id, ref, name, needs) VALUES
  (1, 'SU-1', 'Mrs Alma Ash', 'Breakfast; tablets'), (1, 'SU-2', 'Mr Bill Birch', NULL),
  (1, 'SU-3', 'Mrs Berta Birch', NULL), (1, 'SU-4', 'Ms Cleo Cole', NULL);
INSERT INTO service_user_phones (tenant_id, phone, service_user_ref) VALUES
  (1, '+441134960101', 'SU-1'), (1, '+441134960102', 'SU-2'), (1, '+441134960102', 'SU-3');
INSERT INTO visits (tenant_id, ref, service_user_ref, provider_ref, local_date, zone, planned_start, planned_end,
  window_start, care_worker_refs)
SELECT 1, v.ref, v.who, 'P1', '2026-03-02', 'Europe/London', v.start, v.start + interval '30 min', v.start, v.workers
FROM (VALUES ('V-1', 'SU-1', '2026-03-02T09:00Z'::timestamptz, '{CW-104}'::text[]),
             ('V-2', 'SU-2', '2026-03-02T10:00Z', '{CW-104,CW-105}'),
             ('V-3', 'SU-4', '2026-03-02T09:15Z', '{CW-105}')) AS v(ref, who, start, workers);
"""

LINES = """
INSERT INTO phone_lines (tenant_id, number, use, care_worker_ref, language, call_back) VALUES
  (1, '+441134960900', 'interview', NULL, 'en', false), (1, '+441134960900', 'sms', NULL, 'en', false),
  (1, '+441134960902', 'interview', NULL, 'cy', true), (1, '+441134960904', 'unanswered', 'CW-104', 'en', false),
  (2, '+441134960990', 'interview', NULL, 'en', false);
"""


@dataclass
class Exchange:
    """The service at its telephone, the gateway that speaks to it, and the database as its owner sees it."""

    app: FastAPI
    owner: Database
    clock: ManualClock
    http: httpx.AsyncClient
    numbers: count[int] = field(default_factory=count)

    @property
    def conductor(self) -> Conductor:
        return conductor_of(self.app)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
        """A form as the gateway posts it, signed."""
        given = {"X-Twilio-Signature": signature(TOKEN, f"{PUBLIC}{path}", form.items())} | headers
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.http.post(path, content=urlencode(form), headers=content_type | given)

    def rings(self, cli: str = ASH, line: str = LINE) -> Caller:
        return Caller(self, cli, line, f"CA{next(self.numbers):04}")

    async def texts(self, body: str, cli: str = BETHS_MOBILE, message: str | None = None) -> str:
        """What is answered to a text; "" for nothing."""
        form = {"MessageSid": message or f"SM{next(self.numbers):04}", "From": cli, "To": LINE, "Body": body}
        answer = await self.post("/v1/telephone/sms", form)
        assert answer.status_code == 200, answer.text
        return "".join(ElementTree.fromstring(answer.text).itertext())

    async def run(self, statement: str, *values: Any) -> None:
        async with self.owner.connection() as connection:
            await connection.execute(statement, *values)

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.owner.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def events(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM check_events ORDER BY received_at, occurred_at, kind")

    async def told(self) -> list[str]:
        """Every event as a line: who, what, where, when, how it is proved."""
        return [
            " ".join(
                [
                    f"{e['care_worker']} {e['kind']} {e['service_user']} {e['occurred_at']:%H:%M:%S}",
                    *sorted(e["proofs"]),
                ]
            )
            for e in await self.events()
        ]

    def later(self, **how_long: float) -> None:
        self.clock.at += timedelta(**how_long)


@dataclass
class Caller:
    """Somebody on the telephone. `heard`: the last thing we said."""

    exchange: Exchange
    cli: str
    line: str
    sid: str
    next_step: str = ""
    heard: str = ""
    answer: str = ""

    async def begin(self) -> str:
        return await self.step_to(
            "/v1/telephone/voice", {"From": self.cli, "To": self.line, "CallStatus": "ringing"}
        )

    async def key(self, digits: str = "") -> str:
        assert self.next_step, f"nothing was asked: {self.answer}"
        return await self.step_to(self.next_step, {"Digits": digits})

    async def keys(self, *several: str) -> str:
        """Rings, and keys one thing after another."""
        await self.begin()
        for digits in several:
            await self.key(digits)
        return self.heard

    async def hang_up(self) -> None:
        form = {"CallSid": self.sid, "CallStatus": "completed"}
        assert (await self.exchange.post("/v1/telephone/voice/status", form)).status_code == 200

    async def step_to(self, path: str, form: dict[str, str]) -> str:
        answer = await self.exchange.post(path, {"CallSid": self.sid} | form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        self.answer = answer.text
        response = ElementTree.fromstring(answer.text)
        gather = response.find("Gather")
        self.next_step = "" if gather is None else gather.attrib["action"].removeprefix(PUBLIC)
        self.heard = " ".join(re.sub(r"\s+", " ", text) for text in response.itertext() if "/v1/" not in text)
        return self.heard


@pytest.fixture
async def exchange(database: Addresses) -> AsyncIterator[Exchange]:
    async with exchange_in(database) as made:
        yield made


class exchange_in:  # noqa: N801 - a context manager
    """The service on this database, with the cast in it. `settings` beside the usual ones."""

    def __init__(self, database: Addresses, **settings: Any) -> None:
        self.database = database
        self.settings = Settings(
            **{"telephone_auth_token": TOKEN, "public_url": PUBLIC, "sealing_key": SEALING_KEY} | settings
        )

    async def __aenter__(self) -> Exchange:
        web = await Database.connect(self.database.app, role="ecm_web", size=4)
        ingest = await Database.connect(self.database.app, role="ecm_ingest", size=2)
        clock = ManualClock(NOW)
        self.lent = a_framework()
        app = self.lent.__enter__()
        create_app(web_db=web, ingest_db=ingest, clock=clock, settings=self.settings, fastapi=app)
        owner = await Database.connect(self.database.owner, role=None, size=2)
        self.closing = (web, ingest, owner)
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://10.0.0.7:8000", timeout=60
        )
        self.made = Exchange(app, owner, clock, http)
        await self.made.run(BOROUGH)
        sealer = Sealer.of(bytes(32))
        await self.made.run(
            "INSERT INTO code_cards (tenant_id, service_user_ref, sealed_secret, made_by, made_at)"
            " VALUES (1, 'SU-1', $1, 'Cora', now())",
            sealer.seal(SECRET, belongs_to(1, "SU-1")),
        )
        for ref, pin in PINS.items():
            await self.made.run(
                "INSERT INTO care_workers (tenant_id, ref, name, provider_ref, phone, pin_hash)"
                " VALUES (1, $1, $1, $2, $3, $4)",
                ref,
                "P2" if ref == "CW-207" else "P1",
                BETHS_MOBILE if ref == "CW-104" else None,
                hash_pin(pin),
            )
        await self.made.run(LINES)
        await app.state.door.start()
        return self.made

    async def __aexit__(self, *_: object) -> None:
        await self.made.http.aclose()
        await self.made.app.state.door.stop()
        self.lent.__exit__(None, None, None)
        for db in self.closing:
            await db.close()
