"""The one door by which this service asks another: an address somebody typed in, so it goes only where it should.

The danger is a server that can be made to ask others inside its own network. So: https only, no redirects, no proxy,
and the name is looked up here and the address it gives is the one connected to, never a private one, so that a name
cannot mean one machine when checked and another when used. Who asks may open its own network (`private`), and with
it plain http to this machine. An answer is read up to a limit and within a time, whatever the other side intends.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

Address = IPv4Address | IPv6Address

PATIENCE_S = 10.0

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

HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)


class NotReached(Exception):
    """Nobody answered as they should: it may go better later. Its text says why, and goes on after "it"."""


class NotAllowed(NotReached):
    """That address is never asked. Its text says why, and goes on after "it"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by their names in small letters; `body` is empty when none was wanted."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing:
    """`patience_s`: for everything together, from looking up the name to the last byte of the answer."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        private: bool = False,
        limit_bytes: int = 0,
    ) -> Answer:
        """What `url` answers, whatever its status. `private`: it may be in our own network.

        `limit_bytes` 0: the body is not read. Raises NotReached, and NotAllowed for an address that may not be asked.
        """
        asked = _understood(url)
        try:
            async with asyncio.timeout(self._patience_s):
                addresses = await _where(asked, private)
                return await self._ask(method, asked, addresses[0], body, headers or {}, limit_bytes)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise NotReached("took too long") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotReached(f"could not be asked: {type(error).__name__}") from error

    async def _ask(
        self,
        method: str,
        url: SplitResult,
        ip: Address,
        body: bytes | None,
        headers: Mapping[str, str],
        limit_bytes: int,
    ) -> Answer:
        host = f"[{ip}]" if ip.version == 6 else str(ip)
        # TLS asks for the name, the connection goes to the address just checked; no proxy stands between.
        async with (
            httpx.AsyncClient(timeout=self._patience_s, trust_env=False, follow_redirects=False) as client,
            client.stream(
                method,
                url._replace(netloc=f"{host}:{_port(url)}", fragment="").geturl(),
                content=body,
                # Not compressed: a small answer that unpacks to a large one is none we want.
                headers={"Accept-Encoding": "identity", **headers, "Host": url.netloc},
                extensions={"sni_hostname": url.hostname},
            ) as answer,
        ):
            read = await _read(answer, limit_bytes) if limit_bytes else b""
            return Answer(answer.status_code, dict(answer.headers), read)


async def _read(answer: httpx.Response, limit_bytes: int) -> bytes:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise NotReached("answered compressed, which was not asked for")
    read = bytearray()
    async for part in answer.aiter_raw():
        read += part
        if len(read) > limit_bytes:
            raise NotReached(f"answered more than {limit_bytes} bytes")
    return bytes(read)


def _understood(address: str) -> SplitResult:
    """The address in the letters of the wire. Raises NotAllowed."""
    try:
        url = urlsplit(address)
        host = (url.hostname or "").encode("idna").decode().lower()
        usable = url.scheme in ("https", "http") and HOST.fullmatch(host) and "@" not in url.netloc
        named = f"[{host}]" if ":" in host else host
        url = url._replace(netloc=named if url.port is None else f"{named}:{_port(url)}")
        httpx.URL(url.geturl())
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise NotAllowed("is not an address that can be asked")
    return url


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _where(url: SplitResult, private: bool) -> list[Address]:
    """The host's addresses, which may be asked each. Raises NotReached, NotAllowed."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.hostname, _port(url), type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise NotReached("is a host with no address") from error
    addresses = [ip_address(entry[4][0]) for entry in found]
    if not all(is_public(ip) for ip in addresses) and not private:
        raise NotAllowed("is a private address")
    if url.scheme == "http" and not (private and all(ip.is_loopback for ip in addresses)):
        raise NotAllowed("is not https")
    return addresses


def is_public(ip: Address) -> bool:
    """Whether an address, or the IPv4 one it leads to, belongs to the public network."""
    inner = _inside(ip)
    return inner.is_global and not inner.is_multicast and not any(inner in few for few in OF_PROTOCOLS)


def _inside(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, if it does."""
    if isinstance(ip, IPv6Address):
        for network, first_byte in CARRIES_IPV4:
            if ip in network:
                return IPv4Address(ip.packed[first_byte : first_byte + 4])
    return ip
