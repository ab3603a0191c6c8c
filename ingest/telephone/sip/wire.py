"""SIP over UDP as datagrams: what is let in, and the patience that UDP asks for (RFC 3261, 17 and 18).

The library parses and serialises. What it leaves to us is done here, before and after it:

    a request that comes again       gets the answer it had, and is looked at once
    our last answer to an INVITE     is sent until it is acknowledged
    our own request (BYE)            is sent until it is answered
    what is no SIP, or from a stranger   costs a counter, and at most a few refusals a second

Answers go back where the request came from when it asks for that (`rport`), else to the port its Via names.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import cast

from aiosipua.headers import parse_via, stringify_via
from aiosipua.message import SipMessage, SipRequest, SipResponse, missing_required_headers
from aiosipua.transport import SipTransport

from ingest.limits import Bucket

log = logging.getLogger(__name__)

T1_S, T2_S = 0.5, 4.0
PATIENCE_S = 64 * T1_S
REMEMBERED_MAX = 50_000
REFUSALS_PER_S = 5.0
# In a flood a refusal is said once, and again to an INVITE that comes again: else each would be sent eleven times, in
# the time that those who are speaking need for their sound.
REFUSALS_AGAIN_MAX = 1_000
LAST_WORDS_S = 1
# Hundreds may ring in one instant; as much of this as the kernel grants.
WAITING_BYTES = 4 * 1024 * 1024

Key = tuple[str, ...]
Address = tuple[str, int]


@dataclass(slots=True)
class _Seen:
    """A request, and the last answer it had."""

    at_s: float
    answer: bytes | None = None
    to: Address | None = None


@dataclass(slots=True)
class _Again:
    """A datagram that is sent again and again until somebody answers it."""

    datagram: bytes
    to: Address
    waited_s: float = 0.0
    wait_s: float = T1_S
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class Wire(SipTransport):
    """The library's transport, as its calls use it (`send`, `send_reply`), with `on_request` for what comes in."""

    def __init__(
        self,
        host: str,
        port: int,
        peers: list[IPv4Network | IPv6Network],
        on_request: Callable[[SipRequest, Address], None],
    ) -> None:
        super().__init__(local_addr=(host, port))
        self._peers = peers
        self._on_request = on_request
        self._udp: asyncio.DatagramTransport | None = None
        self._seen: OrderedDict[Key, _Seen] = OrderedDict()
        self._again: dict[Key, _Again] = {}
        self._refusals = Bucket(REFUSALS_PER_S, REFUSALS_PER_S, time.monotonic())
        self.ignored = 0
        """Datagrams that were no SIP, or from strangers."""

    # ---- life

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self.local_addr[0] else socket.AF_INET
        ears = socket.socket(family, socket.SOCK_DGRAM)
        try:
            ears.setblocking(False)
            ears.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING_BYTES)
            ears.bind(self.local_addr)
            await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=ears)
        except BaseException:
            ears.close()
            raise

    async def stop(self) -> None:
        """Waits a moment for the answers to what was said last."""
        for _ in range(LAST_WORDS_S * 50):
            if not self._again:
                break
            await asyncio.sleep(0.02)
        for key in list(self._again):
            self._enough(key)
        if self._udp is not None:
            self._udp.close()
            self._udp = None

    def opened(self, udp: asyncio.DatagramTransport) -> None:
        self._udp = udp
        host, port = udp.get_extra_info("sockname")[:2]
        self.local_addr = (host, port)

    # ---- in

    def received(self, datagram: bytes, source: Address) -> None:
        if not any(ip_address(source[0]) in network for network in self._peers):
            self._refuse_stranger(datagram, source)
            return
        try:
            message = SipMessage.parse(datagram)
            if isinstance(message, SipResponse):
                self._answered(message)
            else:
                self._take(message, source)
        except Exception as error:  # whatever a young parser makes of garbage
            self.ignored += 1
            log.debug("a datagram from %s was no SIP: %r", source[0], error)

    def _take(self, request: SipRequest, source: Address) -> None:
        if missing_required_headers(request):
            self.ignored += 1
            return
        _say_where_from(request, source)
        key = _transaction(request)
        if request.method == "ACK":
            self._enough(_dialogue(request))
            self._on_request(request, source)
            return
        seen = self._seen.get(key)
        if seen is not None:
            if seen.answer is not None and seen.to is not None:
                self._put(seen.answer, seen.to)
            return
        self._seen[key] = _Seen(time.monotonic())
        self._forget()
        self._on_request(request, source)

    def _answered(self, response: SipResponse) -> None:
        if response.status_code >= 200:
            self._enough(("own", response.via[0].branch or ""))

    def _refuse_stranger(self, datagram: bytes, source: Address) -> None:
        self.ignored += 1
        if not datagram.startswith(b"INVITE ") or self._refusals.take(1, time.monotonic()):
            return
        with suppress(Exception):
            request = SipMessage.parse(datagram)
            if isinstance(request, SipRequest) and not missing_required_headers(request):
                _say_where_from(request, source)
                self._put(bytes(answer_to(request, 403, "Forbidden")), source)

    # ---- out

    def send(self, message: SipRequest | SipResponse, addr: Address) -> None:
        datagram = bytes(message)
        if isinstance(message, SipRequest):
            self._insist(("own", message.via[0].branch or ""), datagram, addr)
        else:
            seen = self._seen.get(_transaction(message))
            if seen is not None:
                seen.answer, seen.to = datagram, addr
            to_invite = message.cseq is not None and message.cseq.method == "INVITE"
            flooded = message.status_code >= 300 and len(self._again) >= REFUSALS_AGAIN_MAX
            if message.status_code >= 200 and to_invite and not flooded:
                self._insist(_dialogue(message), datagram, addr)
        self._put(datagram, addr)

    def _put(self, datagram: bytes, to: Address) -> None:
        if self._udp is not None:
            with suppress(OSError, ValueError, OverflowError):  # no route just now, or no such port at all
                self._udp.sendto(datagram, to)

    def _insist(self, key: Key, datagram: bytes, to: Address) -> None:
        self._enough(key)
        again = self._again[key] = _Again(datagram, to)
        again.timer = asyncio.get_running_loop().call_later(T1_S, self._repeat, key)

    def _repeat(self, key: Key) -> None:
        again = self._again[key]
        again.waited_s += again.wait_s
        if again.waited_s >= PATIENCE_S:
            del self._again[key]
            return
        self._put(again.datagram, again.to)
        again.wait_s = min(again.wait_s * 2, T2_S)
        again.timer = asyncio.get_running_loop().call_later(again.wait_s, self._repeat, key)

    def _enough(self, key: Key) -> None:
        again = self._again.pop(key, None)
        if again is not None and again.timer is not None:
            again.timer.cancel()

    def _forget(self) -> None:
        """The first in is the first forgotten, half a minute after it came."""
        long_ago = time.monotonic() - PATIENCE_S
        while self._seen:
            key, oldest = next(iter(self._seen.items()))
            if oldest.at_s > long_ago and len(self._seen) <= REMEMBERED_MAX:
                return
            del self._seen[key]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire.opened(cast(asyncio.DatagramTransport, transport))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._wire.received(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        pass  # a closed port at the other end; timers see to it


def answer_to(request: SipRequest, status: int, reason: str, tag: str = "ecm", **headers: str) -> SipResponse:
    """An answer outside any call. Header names are written with underscores."""
    response = SipResponse(status_code=status, reason_phrase=reason)
    for via in request.headers.get("via"):
        response.headers.append("Via", via)
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = request.headers.get_first(name) or ""
        if name == "To" and status > 100 and "tag=" not in value:
            value = f"{value};tag={tag}"
        response.headers.set_single(name, value)
    for name, value in headers.items():
        response.headers.set_single(name.replace("_", "-"), value)
    return response


def _say_where_from(request: SipRequest, source: Address) -> None:
    """`received` and `rport` into the topmost Via (RFC 3581); never what the sender says of them."""
    first, *others = request.headers.get("via")
    via = parse_via(first)
    asks = "rport" in via.params
    via.params.pop("received", None)
    via.params.pop("rport", None)
    if asks:
        via.params["rport"] = str(source[1])
    if asks or via.host != source[0]:
        via.params["received"] = source[0]
    request.headers.remove("Via")
    for value in (stringify_via(via), *others):
        request.headers.append("Via", value)


def _transaction(message: SipRequest | SipResponse) -> Key:
    via, cseq = message.via[0], message.cseq
    if cseq is None:
        raise ValueError("no CSeq")
    sent_by = f"{via.host}:{via.port}"
    return (via.branch or "", sent_by, message.call_id or "", str(cseq.seq), cseq.method)


def _dialogue(message: SipRequest | SipResponse) -> Key:
    """What an ACK and the answer it acknowledges have in common."""
    cseq = message.cseq
    sender = message.from_addr
    return (message.call_id or "", (sender.tag if sender else None) or "", str(cseq.seq if cseq else 0))
