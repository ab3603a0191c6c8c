"""Alarms by webhook: a signed POST to an address somebody typed in, so it goes only where it should.

    X-Ecm-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the shared secret>

The danger is a server that can be made to ask others inside its own network. So: https only, no redirects, and
the name is looked up here and the address it gives is the one connected to, never a private one, so that a name
cannot mean one machine when checked and another when used. ECM_WEBHOOK_PRIVATE opens an installation's own
network, and plain http to this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

from alerts.channels.message import Letter, NotDelivered, Undeliverable
from ecm.settings import Settings

Address = IPv4Address | IPv6Address

# IPv6 networks whose addresses are a way to an IPv4 one, and the byte at which that begins: mapped (RFC 4291),
# compatible (the same, deprecated), NAT64 (RFC 6052), 6to4 (RFC 3056).
CARRIES_IPV4 = (
    (IPv6Network("::ffff:0:0/96"), 12),
    (IPv6Network("::/96"), 12),
    (IPv6Network("64:ff9b::/96"), 12),
    (IPv6Network("2002::/16"), 2),
)
# Kept for protocols (RFC 6890); older libraries take most of it for public.
OF_PROTOCOLS = (IPv4Network("192.0.0.0/24"), IPv6Network("64:ff9b:1::/48"))


class Webhook:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, message: Letter) -> None:
        if self._settings.webhook_secret is None:
            raise NotDelivered("no secret is set to sign with (ECM_WEBHOOK_SECRET)")
        url = _understood(message.address)
        ip = await self._where(url)
        host = f"[{ip}]" if ip.version == 6 else str(ip)
        body = json.dumps(message.as_json()).encode()
        # TLS asks for the name, the connection goes to the address just checked; no proxy stands between.
        async with httpx.AsyncClient(timeout=10, trust_env=False, follow_redirects=False) as client:
            try:
                async with client.stream(
                    "POST",
                    url._replace(netloc=f"{host}:{_port(url)}").geturl(),
                    content=body,
                    headers={
                        "Host": url.netloc,
                        "Content-Type": "application/json",
                        "Idempotency-Key": message.id,
                        "X-Ecm-Signature": signature(self._settings.webhook_secret, int(time.time()), body),
                    },
                    extensions={"sni_hostname": url.hostname},
                ) as answer:
                    status = answer.status_code  # what they say beyond it is not read
            except httpx.HTTPError as error:
                raise NotDelivered(f"the webhook did not take it: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise NotDelivered(f"the webhook answered {status}")

    async def _where(self, url: SplitResult) -> Address:
        """An address of the host that may be asked. Raises NotDelivered, Undeliverable."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                url.hostname, _port(url), type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise NotDelivered("the webhook's host has no address") from error
        addresses = [ip_address(entry[4][0]) for entry in found]
        private = self._settings.webhook_private
        if not all(_is_public(ip) for ip in addresses) and not private:
            raise Undeliverable("the webhook's host is a private address")
        if url.scheme == "http" and not (private and all(ip.is_loopback for ip in addresses)):
            raise Undeliverable("a webhook is https")
        return addresses[0]


def signature(secret: str, at: int, body: bytes) -> str:
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _understood(address: str) -> SplitResult:
    try:
        url = urlsplit(address)
        usable = url.scheme in ("https", "http") and url.hostname and not url.username and _port(url)
    except ValueError:
        usable = False
    if not usable:
        raise Undeliverable("not a webhook's address")
    return url


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _is_public(ip: Address) -> bool:
    inner = _inside(ip)
    return inner.is_global and not inner.is_multicast and not any(inner in few for few in OF_PROTOCOLS)


def _inside(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, if it does."""
    if isinstance(ip, IPv6Address):
        for network, first_byte in CARRIES_IPV4:
            if ip in network:
                return IPv4Address(ip.packed[first_byte : first_byte + 4])
    return ip
