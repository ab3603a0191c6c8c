"""Whether the gateway sent it: X-Twilio-Signature, over the exact address and every field.

HMAC-SHA1 under the account's token of the address, and after it each field's name and value, sorted by name; in base64.
The address is the one the gateway called, which behind a proxy is not the one we see: ECM_PUBLIC_URL says its first
part. Some gateways write the port of the scheme into it and some do not, so either counts.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from hashlib import sha1
from urllib.parse import urlsplit

PORT_OF_SCHEME = {"https": 443, "http": 80}


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """As the gateway would make it. `fields`: as posted; one said twice with the same value counts once."""
    said = url + "".join(name + value for name, value in sorted(set(fields)))
    made = hmac.new(token.encode(), said.encode("utf-8", "surrogateescape"), sha1)
    return base64.b64encode(made.digest()).decode()


def is_signed(token: str, url: str, fields: Iterable[tuple[str, str]], given: str) -> bool:
    fields = list(fields)
    expected = [signature(token, each, fields) for each in _spellings(url)]
    return any(hmac.compare_digest(each.encode(), given.encode("utf-8", "replace")) for each in expected)


def _spellings(url: str) -> tuple[str, ...]:
    """With and without the port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    try:
        port = parts.port
    except ValueError:
        return (url,)
    if port is None:
        usual = PORT_OF_SCHEME.get(parts.scheme)
        return (url,) if usual is None else (url, url.replace(host, f"{host}:{usual}", 1))
    return url, url.replace(host, host.rpartition(":")[0], 1)
