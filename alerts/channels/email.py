"""Alarms by e-mail, through the installation's mail server."""

from __future__ import annotations

from email.message import EmailMessage

import aiosmtplib

from alerts.channels.message import Letter, NotDelivered, Undeliverable
from ecm.settings import Settings


class Email:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, message: Letter) -> None:
        settings = self._settings
        if settings.smtp_host is None:
            raise NotDelivered("no mail server is set (ECM_SMTP_HOST)")
        try:
            await aiosmtplib.send(
                _letter(message, settings.smtp_from),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password,
                start_tls=settings.smtp_starttls,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(500 <= refused.code < 600 for refused in error.recipients):
                raise Undeliverable("the mail server refuses this address") from error
            raise NotDelivered("the mail server refuses this address for now") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotDelivered(f"the mail server did not take it: {type(error).__name__}") from error


def _letter(message: Letter, sender: str) -> EmailMessage:
    letter = EmailMessage()
    try:
        letter["From"] = sender
        letter["To"] = message.address
        letter["Subject"] = message.subject
    except ValueError as error:  # a line break in an address would be a header of its own
        raise Undeliverable("not an e-mail address") from error
    letter["Message-ID"] = f"<{message.id}@ecm.invalid>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    return letter
