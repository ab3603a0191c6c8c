"""The ways an alarm reaches people, by the name a contact carries."""

from __future__ import annotations

from alerts.channels.email import Email
from alerts.channels.message import Channel
from alerts.channels.webhook import Webhook

CHANNELS: dict[str, type[Channel]] = {
    "email": Email,
    "webhook": Webhook,
}
