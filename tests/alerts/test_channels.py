"""Messages to a real mail server and a real web server, and the addresses no message may go to."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from alerts.channels.email import Email
from alerts.channels.message import Message, NotDelivered, Undeliverable
from alerts.channels.webhook import Webhook
from ecm.settings import Settings
from tests.alerts.gateways import a_mail_server, a_web_server
from tests.alerts.morning import at

SECRET = "made-up secret"


def a_message(address: str, **changes: Any) -> Message:
    said: dict[str, Any] = {
        "id": "1.7",
        "address": address,
        "about": "raised",
        "visit_ref": "V-1",
        "kind": "missed",
        "severity": "critical",
        "reason": "no check-in received by 10:00",
        "raised_at": at("10:00"),
        "raised_hh_mm": "10:00",
        "link": "https://ecm.example.org/visits/1",
    }
    return Message(**(said | changes))


def settings(**changes: Any) -> Settings:
    return Settings(
        smtp_host="127.0.0.1",
        smtp_starttls=False,
        smtp_from="ecm@example.org",
        webhook_secret=SECRET,
        **changes,
    )


async def test_a_letter_says_which_visit_what_and_where_to_look() -> None:
    async with a_mail_server() as postbox:
        await Email(settings(smtp_port=postbox.port)).send(a_message("duty@example.org"))
        [letter] = postbox.letters
    assert (letter["To"], letter["From"]) == ("duty@example.org", "ecm@example.org")
    assert letter["Subject"] == "CRITICAL: missed, visit V-1"
    assert letter["Message-ID"] == "<1.7@ecm.invalid>"
    assert str(letter.get_payload()).splitlines() == [
        "CRITICAL: missed, visit V-1",
        "no check-in received by 10:00",
        "Raised 10:00.",
        "https://ecm.example.org/visits/1",
    ]


@pytest.mark.parametrize(
    ("answer", "expected"), [("550 no such person", Undeliverable), ("451 later please", NotDelivered)]
)
async def test_a_refused_address_is_told_from_a_busy_server(answer: str, expected: type) -> None:
    async with a_mail_server() as postbox:
        postbox.answer_to_recipient = answer
        with pytest.raises(NotDelivered) as refused:
            await Email(settings(smtp_port=postbox.port)).send(a_message("duty@example.org"))
    assert type(refused.value) is expected


async def test_no_mail_server_is_a_reason_to_try_again() -> None:
    for unset in (settings(smtp_port=1), Settings()):
        with pytest.raises(NotDelivered) as away:
            await Email(unset).send(a_message("duty@example.org"))
        assert type(away.value) is NotDelivered


async def test_an_address_cannot_smuggle_a_header_in() -> None:
    with pytest.raises(Undeliverable):
        await Email(settings(smtp_port=1)).send(a_message("duty@example.org\r\nBcc: all@example.org"))


async def test_a_webhook_is_signed_and_names_its_delivery() -> None:
    async with a_web_server() as hook:
        await Webhook(settings(webhook_private=True)).send(a_message(hook.url))
        [(headers, body)] = hook.seen
    at_s, digest = (part.split("=")[1] for part in headers["x-ecm-signature"].split(","))
    assert digest == hmac.new(SECRET.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["idempotency-key"] == "1.7"
    assert hook.bodies() == [
        {
            "id": "1.7",
            "about": "raised",
            "visit": "V-1",
            "kind": "missed",
            "severity": "critical",
            "reason": "no check-in received by 10:00",
            "raised_at": "2026-11-23T10:00:00Z",
            "link": "https://ecm.example.org/visits/1",
        }
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_only_a_plain_yes_counts_and_nobody_sends_us_elsewhere(status: int) -> None:
    async with a_web_server() as hook:
        hook.status = status
        with pytest.raises(NotDelivered, match=str(status)):
            await Webhook(settings(webhook_private=True)).send(a_message(hook.url))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "https://0.0.0.0/",
        "http://192.0.2.1/",
        "file:///etc/passwd",
        "https://user:secret@127.0.0.1/",
        "https://",
        "https://:secret@127.0.0.1/",
        "https://[broken",
        "https://a..b/",
        "not an address",
    ],
)
async def test_a_webhook_never_asks_our_own_network(address: str) -> None:
    with pytest.raises(Undeliverable):
        await Webhook(settings()).send(a_message(address))


async def test_plain_http_reaches_this_machine_and_no_other_even_when_private_is_open() -> None:
    with pytest.raises(Undeliverable, match="https"):
        await Webhook(settings(webhook_private=True)).send(a_message("http://10.0.0.1/"))


async def test_nothing_unsigned_is_sent() -> None:
    with pytest.raises(NotDelivered, match="ECM_WEBHOOK_SECRET"):
        await Webhook(Settings()).send(a_message("https://example.org/"))
