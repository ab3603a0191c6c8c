"""One telephone call from its INVITE to its end: a conversation led by the conductor.

    what happens                        the caller gets     the conductor is told
    ----------------------------------  ------------------  -------------------------------------------
    nothing we can speak is offered     488                 nothing
    not a number of ours                404                 begin
    a worker's own number to ring       486                 begin, which records
    the database is away                503, Retry-After    begin; the trunk may ring again with the same call
    no port is free                     503, Retry-After    begin, hung_up
    else                                180, 200            begin, heard for each answer, hung_up at the end

Whoever rings may be gone at any moment. What began is finished all the same, and hung_up is always said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ecm.clock import Clock
from ecm.errors import EcmError, Unavailable
from ingest.telephone import prompts
from ingest.telephone.sip.ear import Ear
from ingest.telephone.sip.media import PCMA, Sound
from ingest.telephone.sip.pacer import Pacer
from ingest.telephone.sip.ports import NoPort, Ports
from ingest.telephone.sip.signalling import PATIENCE_S, NotAcceptable, Offer, PhoneLeg
from ingest.telephone.sip.sound import a_law
from ingest.telephone.sip.voice import Voice
from ingest.telephone.turn import Heard, Say, Turn

log = logging.getLogger(__name__)

GATEWAY = "sip"
LONGEST_S = 540.0  # before the conductor takes it for abandoned
RETRY_AFTER_S = 5
PORTS_TRIED = 10
TRIES_S = (0.5, 1.0, 2.0)
SORRY = (Say("away"), Say("goodbye"))


class Conducts(Protocol):
    """What is needed of `ingest.telephone.conductor.Conductor`."""

    async def begin(
        self, gateway: str, call_id: str, cli: str | None, dialled: str, now: datetime
    ) -> Turn: ...

    async def heard(self, gateway: str, call_id: str, step: int, heard: Heard) -> Turn: ...

    async def hung_up(self, gateway: str, call_id: str) -> None: ...


@dataclass(frozen=True)
class Attendant:
    """`host`: where sound is received; `advertised`: what the other party is told of it."""

    conductor: Conducts
    voice: Voice
    ports: Ports
    pacer: Pacer
    clock: Clock
    host: str
    advertised: str

    async def attend(self, leg: PhoneLeg) -> None:
        """Returns when the telephone call is over. A bug costs this call alone."""
        try:
            await self._attend(leg)
        except Exception:
            log.exception("a telephone call failed")
            leg.reject(500, "Server Internal Error")
        except asyncio.CancelledError:
            leg.reject(503, "Service Unavailable", RETRY_AFTER_S)
            raise
        finally:
            leg.hang_up()

    async def _attend(self, leg: PhoneLeg) -> None:
        try:
            offer = leg.offer()
        except NotAcceptable as why:
            log.info("a call from %s was not acceptable: %s", leg.peer, why)
            leg.reject(488, "Not Acceptable Here")
            return
        name = leg.phone_call_id
        try:
            turn = await self.conductor.begin(GATEWAY, name, leg.cli, leg.dialled, self.clock.now())
        except EcmError as error:
            log.warning("a call could not begin: %s", error)
            leg.reject(503, "Service Unavailable", RETRY_AFTER_S)
            return
        if turn.reject:
            leg.reject(*((486, "Busy Here") if turn.interview.rang_own else (404, "Not Found")))
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._converse(leg, offer, turn)
        except (NoPort, TimeoutError) as error:
            log.warning("a call ended early: %s", error or type(error).__name__)
            leg.reject(503, "Service Unavailable", RETRY_AFTER_S)
        finally:
            leg.hang_up()
            await self._end(name)

    async def _converse(self, leg: PhoneLeg, offer: Offer, turn: Turn) -> None:
        async with self._opened(leg, offer) as (sound, ear, port):
            leg.ring()
            leg.answer(offer, self.advertised, port)
            if not await _acknowledged(leg, ear):
                return
            self.pacer.add(sound)
            while True:
                await self._say(turn, offer, sound, ear)
                if turn.gather is None or ear.gone:
                    return
                digits = await ear.gather(turn.gather)
                if digits is None:
                    return
                turn = await self._answered(leg.phone_call_id, turn, digits)

    async def _say(self, turn: Turn, offer: Offer, sound: Sound, ear: Ear) -> None:
        ear.listening = turn.gather is not None
        if ear.listening and ear.pressed:
            return  # they know the question
        language = turn.interview.language
        speech = await self._speech(turn.says, language)
        if ear.gone or (ear.listening and ear.pressed):
            return
        sound.say(a_law(speech) if offer.payload_type == PCMA else speech)
        await sound.finished()

    async def _speech(self, says: Iterable[Say], language: str) -> bytes:
        """µ-law. What cannot be said is left out: the interview goes on without its words."""
        wanted = [
            (say.language or language, piece) for say in says for piece in prompts.pieces(language, say)
        ]
        spoken = await asyncio.gather(*(self.voice.say(*piece) for piece in wanted), return_exceptions=True)
        for result in spoken:
            if isinstance(result, BaseException):
                log.warning("a prompt could not be said: %s", result)
        return b"".join(result for result in spoken if isinstance(result, bytes))

    async def _answered(self, name: str, asked: Turn, digits: str) -> Turn:
        """What follows. Tries again while the database is away: the same step may be said twice."""
        for wait_s in (*TRIES_S, None):
            try:
                return await self.conductor.heard(GATEWAY, name, asked.step, Heard(digits))
            except Unavailable as error:
                log.warning("an answer could not be taken: %s", error)
                if wait_s is not None:
                    await asyncio.sleep(wait_s)
        return Turn(asked.interview, SORRY, hang_up=True)

    async def _end(self, name: str) -> None:
        for wait_s in (*TRIES_S, None):
            try:
                await self.conductor.hung_up(GATEWAY, name)
                return
            except Unavailable as error:
                log.warning("the end of a call could not be kept: %s", error)
                if wait_s is not None:
                    await asyncio.sleep(wait_s)

    @asynccontextmanager
    async def _opened(self, leg: PhoneLeg, offer: Offer) -> AsyncIterator[tuple[Sound, Ear, int]]:
        """The sound of this call and what is heard in it. Raises NoPort."""
        ear = Ear(lambda: sound.hush())
        sound = Sound(
            offer.remote,
            {offer.remote[0], leg.peer},
            offer.payload_type,
            offer.event_payload_type,
            ear.press,
        )
        with ExitStack() as lent:
            port = await self._port(lent, sound)
            if offer.event_payload_type is None:
                leg.on_key = ear.press  # not both: some gateways send a key both ways
            ending = asyncio.create_task(_tell(leg, ear))
            try:
                yield sound, ear, port
            finally:
                self.pacer.remove(sound)
                sound.close()
                ending.cancel()

    async def _port(self, lent: ExitStack, sound: Sound) -> int:
        """A port that no other program holds. Raises NoPort."""
        for _ in range(PORTS_TRIED):
            port = lent.enter_context(self.ports.lent())
            try:
                await sound.open(self.host, port)
            except OSError as error:
                log.warning("port %s cannot be had: %s", port, error)
            else:
                return port
        raise NoPort("no port could be had")


async def _tell(leg: PhoneLeg, ear: Ear) -> None:
    await leg.ended.wait()
    ear.hang_up()


async def _acknowledged(leg: PhoneLeg, ear: Ear) -> bool:
    """Whether they took our 200 for an answer, and are still there."""
    ended = asyncio.ensure_future(leg.ended.wait())
    acknowledged = asyncio.ensure_future(leg.acknowledged.wait())
    try:
        await asyncio.wait({ended, acknowledged}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
        acknowledged.cancel()
    return leg.acknowledged.is_set() and not leg.ended.is_set() and not ear.gone
