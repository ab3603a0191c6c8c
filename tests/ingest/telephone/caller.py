"""A caller made of datagrams, who knows nothing of our code: rings, listens, presses keys, hangs up, loses packets."""

from __future__ import annotations

import asyncio
import itertools
import re
import string
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_numbers = itertools.count(1)
KEYS = string.digits + "*#ABCD"
HOST = "127.0.0.1"


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.count += 1
        self.received.put_nowait(data)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])


@dataclass
class Response:
    text: str

    @property
    def status(self) -> int:
        return int(self.text.split()[1])

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: *(.*?)\r$", self.text, re.M | re.I)
        return found.group(1) if found else ""

    @property
    def number(self) -> int:
        """Of the request that it answers."""
        return int(self.header("CSeq").split()[0])

    @property
    def is_request(self) -> bool:
        return not self.text.startswith("SIP/2.0 ")


@dataclass
class Caller:
    door: int
    """The door's port."""
    name: str = field(default_factory=lambda: f"story-{next(_numbers)}")
    cseq: int = 1
    to_tag: str = ""
    rtp_to: tuple[str, int] | None = None
    sequence: int = 65_530  # near where it begins again
    timestamp: int = 4_294_960_000

    @classmethod
    async def at(cls, door: int, *, deaf: bool = False) -> Caller:
        """`deaf`: without a socket for sound."""
        caller = cls(door)
        loop = asyncio.get_running_loop()
        _, caller.sip = await loop.create_datagram_endpoint(Datagrams, local_addr=(HOST, 0))
        caller.rtp = caller.sip
        if not deaf:
            _, caller.rtp = await loop.create_datagram_endpoint(Datagrams, local_addr=(HOST, 0))
        return caller

    sip: Datagrams = field(init=False)
    rtp: Datagrams = field(init=False)

    def close(self) -> None:
        self.sip.transport.close()
        self.rtp.transport.close()

    # ---- SIP

    def sdp(self, formats: str = "0 8 101", events: int = 101, proto: str = "RTP/AVP") -> str:
        lines = [
            "v=0",
            f"o=- 1 1 IN IP4 {HOST}",
            "s=-",
            f"c=IN IP4 {HOST}",
            "t=0 0",
            f"m=audio {9 if self.rtp is self.sip else self.rtp.port} {proto} {formats}",
            f"a=rtpmap:{events} telephone-event/8000",
            "a=ptime:30",
        ]
        return "\r\n".join(lines) + "\r\n"

    def request(
        self,
        method: str,
        uri: str,
        *more: str,
        body: str = "",
        kind: str = "application/sdp",
        branch: str = "",
        cseq: int | None = None,
        says_from: str = "+441632960001",
        named: str = "",
    ) -> bytes:
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        number = self.cseq if cseq is None else cseq
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.sip.port};branch=z9hG4bK-{self.name}-{branch or f'{method}{number}'}",
            "Max-Forwards: 70",
            f"From: {named}<sip:{says_from}@{HOST}>;tag=from-{self.name}",
            f"To: <{uri}>{tag}",
            f"Call-ID: {self.name}@{HOST}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:caller@{HOST}:{self.sip.port}>",
            *more,
            *((f"Content-Type: {kind}",) if body else ()),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def send(self, datagram: bytes) -> None:
        self.sip.transport.sendto(datagram, (HOST, self.door))

    def invite(
        self, dialled: str = "+441134960100", *more: str, body: str | None = None, **said: str
    ) -> bytes:
        self.uri = f"sip:{dialled}@{HOST}"
        datagram = self.request(
            "INVITE", self.uri, *more, body=self.sdp() if body is None else body, branch="invite", **said
        )
        self.send(datagram)
        return datagram

    async def hears(self, wait_s: float = 30) -> Response:
        async with asyncio.timeout(wait_s):
            return Response((await self.sip.received.get()).decode())

    async def final(self) -> Response:
        """Not of an earlier request: what we were slow to acknowledge is answered once more."""
        while True:
            response = await self.hears()
            if not response.is_request and response.status >= 200 and response.number == self.cseq:
                return self.takes(response)

    async def insists(self, datagram: bytes) -> Response:
        """As UDP asks of a caller: says it again until there is an answer."""
        wait_s = 0.5
        while True:
            try:
                response = await self.hears(wait_s)
            except TimeoutError:
                self.send(datagram)
                wait_s = min(4, wait_s * 2)
            else:
                return self.takes(response) if response.status >= 200 else await self.final()

    def takes(self, response: Response) -> Response:
        self.to_tag = re.sub(r".*;tag=", "", response.header("To"))
        if response.status == 200 and "m=audio" in response.text:
            port = re.search(r"m=audio (\d+)", response.text)
            assert port
            self.rtp_to = (HOST, int(port.group(1)))
        return response

    def ack(self, *, refused: bool = False) -> None:
        self.send(self.request("ACK", self.uri, branch="invite" if refused else "ack", cseq=1))

    async def ring(self, dialled: str = "+441134960100", *more: str, **said: str) -> Response:
        """INVITE to ACK."""
        self.invite(dialled, *more, **said)
        response = await self.final()
        self.ack(refused=response.status >= 300)
        return response

    def within(self, method: str, *more: str, **said: str) -> None:
        self.cseq += 1
        self.send(self.request(method, self.uri, *more, **said))

    def hang_up(self) -> None:
        self.within("BYE")

    async def is_hung_up(self) -> None:
        """Waits for a BYE and answers it."""
        while True:
            request = await self.hears()
            if request.is_request and request.text.startswith("BYE"):
                break
        copied = [
            line
            for line in request.text.split("\r\n")
            if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")
        ]
        self.send("\r\n".join(["SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""]).encode())

    # ---- sound and keys

    def packets_of(self, key: str, *, events: int = 101, ms: int = 100) -> Iterator[bytes]:
        """As a telephone sends a key: one packet each 20 ms, and its end three times."""
        steps = [*range(160, ms * 8 + 1, 160)]
        for number, duration in enumerate([*steps, *([steps[-1]] * 3)]):
            ends = number >= len(steps)
            event = struct.pack("!BBH", KEYS.index(key), 0x8A if ends else 0x0A, duration)
            yield self.packet(events | (0x80 if number == 0 else 0), event)
        self.timestamp = (self.timestamp + ms * 8 + 800) % 2**32

    def packet(self, payload_type: int, payload: bytes) -> bytes:
        self.sequence = (self.sequence + 1) % 2**16
        return struct.pack("!BBHII", 0x80, payload_type, self.sequence, self.timestamp, 7) + payload

    def send_rtp(self, packet: bytes) -> None:
        assert self.rtp_to
        self.rtp.transport.sendto(packet, self.rtp_to)

    async def press(self, keys: str, *, pace_s: float = 0.004) -> None:
        for key in keys:
            for packet in self.packets_of(key):
                self.send_rtp(packet)
            await asyncio.sleep(pace_s)

    async def is_spoken_to(self, wait_s: float = 30) -> bytes:
        """The first frame that is no silence: its payload."""
        async with asyncio.timeout(wait_s):
            while True:
                frame = (await self.rtp.received.get())[12:]
                if sounds(frame):
                    return frame


def sounds(frame: bytes) -> bool:
    return bool(set(frame) - {0xFF, 0xD5})
