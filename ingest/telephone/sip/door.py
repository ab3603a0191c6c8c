"""The listener: how many may ring at once, and how it begins and ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from ecm.clock import Clock
from ingest.telephone.sip.attend import RETRY_AFTER_S, Attendant, Conducts
from ingest.telephone.sip.pacer import Pacer
from ingest.telephone.sip.ports import Ports
from ingest.telephone.sip.signalling import PhoneLeg, Signalling
from ingest.telephone.sip.voice import Voice
from ingest.telephone.sip.wire import Wire

log = logging.getLogger(__name__)

# Whoever is in the middle of an answer when we are told to stop may finish it.
GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Where:
    """`advertised`: the address the trunk sends to; ours, as it is seen from there. Ports are inclusive."""

    host: str
    port: int
    advertised: str
    first_port: int
    last_port: int
    peers: list[IPv4Network | IPv6Network]
    at_once: int


class SipDoor:
    def __init__(
        self,
        where: Where,
        conductor: Conducts,
        voice: Voice,
        clock: Clock,
    ) -> None:
        self._where = where
        self.pacer = Pacer()
        self.ports = Ports(where.first_port, where.last_port)
        self._attendant = Attendant(
            conductor, voice, self.ports, self.pacer, clock, where.host, where.advertised
        )
        self.signalling = Signalling(where.advertised, self._rings)
        self.wire = Wire(where.host, where.port, where.peers, self.signalling.take)
        self.signalling.wire = self.wire
        self._attending: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def busy(self) -> int:
        """How many telephone calls there are now."""
        return len(self._attending)

    @property
    def port(self) -> int:
        return self.wire.local_addr[1]

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        await self.wire.start()
        self.pacer.start()

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """New calls are turned away; those under way have `grace_s` to finish, then are hung up."""
        self._stopping = True
        if self._attending:
            await asyncio.wait(self._attending, timeout=grace_s)
        for task in self._attending:
            task.cancel()
        if self._attending:
            await asyncio.wait(self._attending)
        await self.pacer.stop()
        await self.wire.stop()

    def _rings(self, leg: PhoneLeg) -> None:
        if self._stopping or self.busy >= self._where.at_once:
            leg.reject(503, "Service Unavailable", RETRY_AFTER_S)
            self.signalling.forget(leg)
            return
        task = asyncio.create_task(self._attendant.attend(leg), name="phone call")
        self._attending.add(task)
        task.add_done_callback(lambda done: self._over(done, leg))

    def _over(self, task: asyncio.Task[None], leg: PhoneLeg) -> None:
        self._attending.discard(task)
        self.signalling.forget(leg)
