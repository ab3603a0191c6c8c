"""Alarms by webhook: a signed POST to an address somebody typed in, by the door that asks nobody inside our network.

    X-Ecm-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the shared secret>

ECM_WEBHOOK_PRIVATE opens an installation's own network, and plain http to this machine (`ecm.outgoing`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from alerts.channels.message import Letter, NotDelivered, Undeliverable
from ecm.outgoing import NotAllowed, NotReached, Outgoing
from ecm.settings import Settings


class Webhook:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outgoing = Outgoing()

    async def send(self, message: Letter) -> None:
        if self._settings.webhook_secret is None:
            raise NotDelivered("no secret is set to sign with (ECM_WEBHOOK_SECRET)")
        body = json.dumps(message.as_json()).encode()
        try:
            answer = await self._outgoing.request(
                "POST",
                message.address,
                body=body,
                headers={
                    "Content-Type": "application/json",
                    "Idempotency-Key": message.id,
                    "X-Ecm-Signature": signature(self._settings.webhook_secret, int(time.time()), body),
                },
                private=self._settings.webhook_private,  # what they say beyond their status is not read
            )
        except NotAllowed as error:
            raise Undeliverable(f"the webhook {error}") from error
        except NotReached as error:
            raise NotDelivered(f"the webhook {error}") from error
        if not 200 <= answer.status < 300:
            raise NotDelivered(f"the webhook answered {answer.status}")


def signature(secret: str, at: int, body: bytes) -> str:
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
