"""Somebody guesses at Dana's password all night: who administers is told once, by real mail, and nobody is named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from alerts.channels.message import Letter, NotDelivered
from alerts.notices import NoticeSender
from ecm.clock import ManualClock
from ecm.notices import SAYINGS, Kind, in_words, notice, notice_by_worker
from ecm.settings import Settings
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from tests.actuals.borough import a_borough, worker
from tests.alerts.gateways import a_mail_server, a_web_server
from tests.alerts.morning import at

DANA = "account 4"


@dataclass
class Night:
    owner: Any
    web: Database
    db: Database
    clock: ManualClock

    async def guessed(self, times: int, kind: Kind = Kind.GUESSING) -> None:
        for _ in range(times):
            async with self.web.tenant(1) as connection:
                await notice(connection, kind, DANA, self.clock.now())

    async def contact(self, address: str, channel: str = "email", *, security: bool = True) -> None:
        await self.owner.execute(
            "INSERT INTO alert_contacts (tenant_id, min_severity, channel, address, security)"
            " VALUES (1, 'critical', $1, $2, $3)",
            channel,
            address,
            security,
        )

    async def rows(self) -> list[tuple[Any, ...]]:
        found = await self.owner.fetch(
            "SELECT kind, subject, times, told_at IS NOT NULL FROM notices ORDER BY 1"
        )
        return [tuple(row) for row in found]

    def sender(self, **changes: Any) -> NoticeSender:
        settings = {"smtp_host": "127.0.0.1", "smtp_starttls": False, "webhook_secret": "made-up"} | changes
        return NoticeSender(self.db, self.clock, Settings(**settings, webhook_private=True))


@asynccontextmanager
async def a_night(database: Addresses) -> AsyncIterator[Night]:
    web = await Database.connect(database.app, "ecm_web", size=1)
    try:
        async with a_borough(database) as owner, worker(database) as db:
            yield Night(owner, web, db, ManualClock(at("02:10")))
    finally:
        await web.close()


async def test_twenty_wrong_passwords_are_one_letter_that_names_nobody(database: Addresses) -> None:
    async with a_night(database) as night, a_mail_server() as postbox:
        await night.contact("security@example.org")
        await night.contact("duty@example.org", security=False)
        sender = night.sender(smtp_port=postbox.port, public_url="https://ecm.example.org")
        await night.guessed(19)
        assert not await sender.step()
        await night.guessed(1)
        assert await sender.step()
        assert not await sender.step()
        [letter] = postbox.letters
        assert letter["To"] == "security@example.org"
        assert letter["Subject"] == "Security: Account 4 is being guessed at."
        assert str(letter.get_payload()).splitlines() == [
            "Account 4 is being guessed at.",
            "Since 23 November 02:10, 20 times.",
            SAYINGS[Kind.GUESSING].do,
            "https://ecm.example.org/settings",
        ]
        assert await night.rows() == [("guessing", DANA, 20, True)]


async def test_a_copied_passkey_is_told_at_once_and_by_webhook_too(database: Addresses) -> None:
    async with a_night(database) as night, a_web_server() as hook:
        await night.contact(hook.url, "webhook")
        await night.guessed(1, Kind.PASSKEY_COPIED)
        assert await night.sender().step()
        [(headers, body)] = hook.seen
        assert "v1=" in headers["x-ecm-signature"]
        assert json.loads(body)["kind"] == "passkey_copied"
        assert json.loads(body)["subject"] == DANA


async def test_what_nobody_took_is_tried_again(database: Addresses) -> None:
    async with a_night(database) as night, a_mail_server() as postbox:
        await night.contact("security@example.org")
        await night.guessed(1, Kind.RECOVERY_CODE_USED)
        postbox.answer_to_recipient = "550 no such box"
        sender = night.sender(smtp_port=postbox.port)
        assert not await sender.step()
        assert await night.rows() == [("recovery_code_used", DANA, 1, False)]
        postbox.answer_to_recipient = "250 OK"
        assert await sender.step()


async def test_an_authority_whose_mail_server_is_away_holds_up_no_other(database: Addresses) -> None:
    async with a_night(database) as night:
        await night.owner.execute(
            "INSERT INTO tenants (tenant_id, name, zone) OVERRIDING SYSTEM VALUE VALUES (2, 'Other Shire', 'UTC')"
        )
        await night.owner.execute(
            "INSERT INTO alert_contacts (tenant_id, min_severity, channel, address, security)"
            " VALUES (1, 'critical', 'email', 'away', true), (2, 'critical', 'email', 'here', true)"
        )
        await night.owner.execute(
            "INSERT INTO notices (tenant_id, kind, subject, first_at, last_at, tell_from)"
            " SELECT 1, 'guessing', 'account ' || n, now(), now(), 1 FROM generate_series(1, 101) n"
            " UNION ALL SELECT 2, 'guessing', 'account 1', now(), now(), 1"
        )
        told: list[str] = []

        class Mail:
            async def send(self, message: Letter) -> None:
                if message.address == "away":
                    raise NotDelivered("no mail server")
                told.append(message.address)

        assert await NoticeSender(night.db, night.clock, Settings(), {"email": Mail()}).step()
        assert told == ["here"]


async def test_without_anybody_to_tell_it_waits_in_the_settings(database: Addresses) -> None:
    async with a_night(database) as night:
        async with night.db.transaction() as connection:
            await notice_by_worker(connection, 1, Kind.AUDIT_CHAIN_BROKEN, "audit", night.clock.now())
        assert not await night.sender().step()
        assert await night.rows() == [("audit_chain_broken", "audit", 1, False)]


def test_every_kind_has_its_words_and_an_unknown_one_has_some() -> None:
    assert set(SAYINGS) == set(Kind)
    assert in_words("something_new", DANA) == "Account 4 something new."
