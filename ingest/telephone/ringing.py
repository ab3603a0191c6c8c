"""Ringing a home back, through the gateway's REST API: one form post, as every gateway of the Twilio shape takes it.

    POST {api}/2010-04-01/Accounts/{account}/Calls.json
        To, From, Url (what to do when they answer), StatusCallback, Timeout        Authorization: Basic account:token

Whatever goes wrong is an answer, not an error: the visit is recorded without this proof.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

import httpx

from ecm.settings import Settings

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
RING_S = 40


class Ringing:
    def __init__(self, api: str, account: str, token: str, public_url: str) -> None:
        self._url = f"{api.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Calls.json"
        self._auth = httpx.BasicAuth(account, token)
        self._back = f"{public_url.rstrip('/')}/v1/telephone"

    @classmethod
    def of(cls, settings: Settings) -> Ringing | None:
        """None where the settings do not say with what account, or where we are."""
        account, token = settings.telephone_account, settings.telephone_auth_token
        if not (account and token and settings.public_url):
            return None
        return cls(settings.telephone_api_url, account, token, settings.public_url)

    async def ring(self, home: str, line: str, answers_for: str) -> bool:
        """Whether the gateway rings `home`, with `line` as caller."""
        of = quote(answers_for, safe="")
        said = {
            "To": home,
            "From": line,
            "Url": f"{self._back}/voice?answers_for={of}",
            "StatusCallback": f"{self._back}/voice/status?answers_for={of}",
            "Timeout": str(RING_S),
        }
        try:
            async with httpx.AsyncClient(timeout=PATIENCE_S, auth=self._auth) as client:
                answer = await client.post(self._url, data=said)
        except httpx.HTTPError as error:
            log.warning("the telephone gateway could not be asked to ring back: %s", type(error).__name__)
            return False
        if answer.status_code != 201:
            log.warning("the telephone gateway would not ring back: %s", answer.status_code)
        return answer.status_code == 201
