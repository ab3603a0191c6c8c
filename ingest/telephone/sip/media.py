"""The sound of one telephone call: RTP out at the pacer's beat, and out of what comes in nothing but the keys.

Frames never stop while the call lasts (silence between the prompts): gateways take a quiet line for a dead one. Sound
is not decoded: nobody listens. Of aiortp, this takes packets and events apart; its sessions would cost each call a
task, a clock and a jitter buffer, and its receiver waits for an event's end.

What comes from elsewhere than the other party's address is not heard: a port number is easily guessed.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import cast

from aiortp.dtmf import DtmfEvent
from aiortp.packet import RtpPacket

from ingest.telephone.sip.digits import Keypad

FRAME = 160  # octets and samples: 20 ms at 8,000 Hz
PCMU, PCMA = 0, 8
SILENCE = {PCMU: b"\xff" * FRAME, PCMA: b"\xd5" * FRAME}

_HEADER = struct.Struct("!BBHII")
_MARKED = 0x80


class Sound(asyncio.DatagramProtocol):
    """`heard_from`: the addresses the other party may send from. `on_key` is given one key of `KEYS`."""

    def __init__(
        self,
        remote: tuple[str, int],
        heard_from: Collection[str],
        payload_type: int,
        event_payload_type: int | None,
        on_key: Callable[[str], None],
    ) -> None:
        self.payload_type = payload_type
        self._remote = remote
        self._heard_from = frozenset(heard_from)
        self._event_payload_type = event_payload_type
        self._on_key = on_key
        self._keypad = Keypad()
        self._transport: asyncio.DatagramTransport | None = None
        self._silence = SILENCE[payload_type]
        self._saying = b""
        self._said = 0
        self._finished = asyncio.Event()
        self._finished.set()
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._stream = secrets.randbits(32)
        self.packets_heard = 0

    async def open(self, host: str, port: int) -> None:
        """Raises OSError when the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port), family=family)

    def close(self) -> None:
        self.hush()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # ---- out

    def say(self, sound: bytes) -> None:
        """Begins to say G.711 octets of this call's payload type, instead of whatever is being said."""
        if not sound:
            self.hush()
            return
        self._saying, self._said = sound, 0
        self._finished.clear()

    def hush(self) -> None:
        self._saying = b""
        self._finished.set()

    async def finished(self) -> None:
        await self._finished.wait()

    def speak_frame(self) -> None:
        if self._transport is None:
            return
        frame, marked = self._silence, 0
        if self._saying:
            marked = _MARKED if self._said == 0 else 0
            frame = self._saying[self._said : self._said + FRAME]
            self._said += FRAME
            if self._said >= len(self._saying):
                frame += self._silence[len(frame) :]
                self.hush()
        header = _HEADER.pack(0x80, self.payload_type | marked, self._sequence, self._timestamp, self._stream)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        with suppress(OSError):  # an address nobody routes to: the call's own timers end it
            self._transport.sendto(header + frame, self._remote)

    # ---- in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2 or source[0] not in self._heard_from:
            return
        self.packets_heard += 1
        if source[1] != self._remote[1] or source[0] != self._remote[0]:
            self._remote = (source[0], source[1])  # where its sound comes from is where it listens (RFC 4961)
        if data[1] & 0x7F == self._event_payload_type:
            self._hear_event(data)

    def _hear_event(self, data: bytes) -> None:
        try:
            packet = RtpPacket.parse(data)
            event = DtmfEvent.parse(packet.payload)
        except ValueError:
            return
        key = self._keypad.pressed(
            packet.ssrc, packet.timestamp, bool(packet.marker), event.event, event.end, event.duration
        )
        if key is not None:
            self._on_key(key)

    def error_received(self, error: Exception) -> None:
        pass  # a closed port at the other end: the call's own timers end it
