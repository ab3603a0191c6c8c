"""Conducts interviews: keeps where each phone call stands, looks up what it asks for, records what it says.

    turn = await conductor.begin(gateway, call_id, cli, dialled, now)
    turn = await conductor.heard(gateway, call_id, turn.step, Heard("4711"))
    await conductor.hung_up(gateway, call_id)

Each step is answered once and the answer kept: asked a hundred times, at once or after a crash, it is the same answer
and one record. A choice of in or out is committed with its instant before anything is done about it, so whoever comes
next (the gateway asking again, the end of the phone call, `finish_abandoned`) does the rest of it.

A line that rings back. The worker is told four digits and hangs up; only then is the home's telephone free, so the
end of the phone call is what rings it (`ringing`). Its own phone call then answers for the first one. Nobody answers,
no code, no gateway: the visit is recorded all the same, without that proof.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ecm.clock import Clock
from ecm.errors import NotFound
from ecm.store.db import Connection, Database
from ecm.store.queries import load_queries
from ingest.recorder import Recorder
from ingest.telephone import interview as rules
from ingest.telephone import kept as keeping
from ingest.telephone import people
from ingest.telephone.kept import PhoneCall
from ingest.telephone.numbers import caller, caller_number, dialled_number
from ingest.telephone.pins import Pins
from ingest.telephone.recording import keep_tasks, record
from ingest.telephone.ringing import Ringing
from ingest.telephone.turn import (
    HUNG_UP,
    Caller,
    CheckPin,
    FindCard,
    FindStaff,
    Heard,
    Input,
    Interview,
    KeepTasks,
    Learned,
    RingBack,
    Say,
    State,
    Turn,
    Want,
)

log = logging.getLogger(__name__)
sql = load_queries(__package__, "telephone.sql")

# States kept before what they want is done: everything that doing it needs is in the interview.
DURABLE = (State.RECORDING, State.RINGING_BACK, State.KEEPING_TASKS)
ABANDONED_AFTER = timedelta(minutes=10)
FINISHED_AT_ONCE = 500
NOTHING_WAS_SAID = (Say("nothing_recorded"), Say("goodbye"))
NOBODY = Turn(Interview(State.OVER), hang_up=True, reject=True)


class Conductor:
    """For every telephone door. `web`: role ecm_web; `ringing`: None where no home can be rung back."""

    def __init__(
        self, web: Database, recorder: Recorder, clock: Clock, ringing: Ringing | None = None
    ) -> None:
        self._web = web
        self._recorder = recorder
        self._clock = clock
        self._ringing = ringing
        self.pins = Pins(web)

    async def begin(self, gateway: str, call_id: str, cli: str | None, dialled: str, now: datetime) -> Turn:
        """The first turn. `gateway`: 'webhook' or 'sip'; `cli`: as received, None if withheld; `now`: the service's
        clock. `reject` for a number that is not ours, and for one to ring unanswered. Raises Unavailable."""
        number = dialled_number(dialled)
        line = await self._line(number) if number else None
        if line is None or number is None:
            return NOBODY
        tenant_id, use, worker, language, rings_back = line
        cli = caller_number(cli)
        kept = await self._load(tenant_id, gateway, call_id)
        if kept is None:
            async with self._web.tenant(tenant_id) as connection:
                if use == "unanswered":
                    first = await _rang(connection, tenant_id, cli, worker, now)
                else:
                    rings_back = rings_back and self._ringing is not None and gateway == "webhook"
                    first = await _welcomed(connection, tenant_id, cli, language, rings_back, now)
                await keeping.begin(connection, tenant_id, gateway, call_id, now, cli, number, first)
            kept = await self._load(tenant_id, gateway, call_id)
            if kept is None:  # another authority's phone call has this id
                return NOBODY
        return await self._answer(kept, 0)

    async def heard(self, gateway: str, call_id: str, step: int, heard: Heard) -> Turn:
        """What follows from what was heard; `step` is that of the turn that asked. Raises Unavailable, NotFound."""
        tenant_id = await self._tenant(gateway, call_id)
        if tenant_id is None:
            raise NotFound("There is no such phone call.")
        while True:
            kept = await self._load(tenant_id, gateway, call_id)
            if kept is None:
                raise NotFound("There is no such phone call.")
            if known := kept.answer(step + 1):
                return known
            if kept.step == step + 1:
                return await self._answer(kept, step + 1)
            if kept.step != step:
                return kept.last_answer()
            now = self._clock.now()
            turn = rules.hear(kept.interview, heard, now.astimezone(kept.zone))
            turn = await self._settle(kept, turn)
            if await self._save(kept, step + 1, turn):
                if turn.wants:  # put down here, and taken up again from what was kept
                    continue
                return replace(turn, step=step + 1)

    async def hung_up(self, gateway: str, call_id: str) -> None:
        """They hung up, at whatever point. Safe to say twice, and of what nobody knows. Raises Unavailable."""
        tenant_id = await self._tenant(gateway, call_id)
        if tenant_id is None:
            return
        await self._end(tenant_id, gateway, call_id)

    async def answered(self, gateway: str, call_id: str, answers_for: str, now: datetime) -> Turn:
        """The first turn of a phone call that we made to ring a home back. Raises Unavailable."""
        tenant_id = await self._tenant(gateway, answers_for)
        if tenant_id is None or (first := await self._load(tenant_id, gateway, answers_for)) is None:
            return NOBODY
        if (known := await self._load(tenant_id, gateway, call_id)) is not None:
            return await self._answer(known, 0)
        if first.interview.state is not State.WAITING:  # recorded meanwhile
            return NOBODY
        turn = rules.answered(first.interview, answers_for)
        async with self._web.tenant(tenant_id) as connection:
            await keeping.begin(connection, tenant_id, gateway, call_id, now, first.cli, first.dialled, turn)
        kept = await self._load(tenant_id, gateway, call_id)
        return NOBODY if kept is None else await self._answer(kept, 0)

    async def ring_ended(self, gateway: str, call_id: str, answers_for: str) -> None:
        """A phone call that we made is over, answered or not. Raises Unavailable."""
        if await self._tenant(gateway, call_id) is not None:
            await self.hung_up(gateway, call_id)
        tenant_id = await self._tenant(gateway, answers_for)
        if tenant_id is not None:
            await self._record_waiting(tenant_id, gateway, answers_for)

    # ------------------------------------------------------------ one step

    async def _answer(self, kept: PhoneCall, step: int) -> Turn:
        """The answer of a step whose interview is kept, working it out if nobody has yet."""
        while (known := kept.answer(step)) is None and kept.step == step:
            turn = await self._settle(kept, rules.resumed(kept.interview), to_the_end=True)
            if kept.interview.rang_own:
                turn = replace(turn, says=(), gather=None, hang_up=True, reject=True)
            if await self._save(kept, step, turn):
                return replace(turn, step=step)
            again = await self._load(kept.tenant_id, kept.gateway, kept.call_id)
            assert again is not None
            kept = again
        return known or kept.last_answer()

    async def _settle(self, kept: PhoneCall, turn: Turn, *, to_the_end: bool = False) -> Turn:
        """Does what is wanted, one want after the other; stops where a state must be kept first."""
        while turn.wants and (to_the_end or turn.interview.state not in DURABLE):
            said = turn.says
            turn = rules.learn(turn.interview, await self._learn(kept, turn.interview, turn.wants[0]))
            turn = replace(turn, says=said + turn.says)
        return turn

    async def _learn(self, kept: PhoneCall, i: Interview, want: Want) -> Learned:
        now = self._clock.now()
        match want:
            case CheckPin(pin):
                return await self._check_pin(kept, i, pin, now)
            case FindStaff(number):
                return await self._find_staff(kept, number)
            case FindCard(number):
                async with self._web.tenant(kept.tenant_id) as connection:
                    person = await people.of_card(connection, kept.tenant_id, number)
                return Learned(Input.CARD_KNOWN if person else Input.CARD_UNKNOWN, person=person)
            case RingBack():
                return Learned(Input.RINGING, spoken=f"{secrets.randbelow(9000) + 1000}")
            case KeepTasks():
                async with self._web.tenant(kept.tenant_id) as connection:
                    await keep_tasks(connection, kept, i, now)
                return Learned(Input.TASKS_KEPT)
            case _:
                recorded = Learned(await record(self._recorder, kept, i))
                if i.answers_for is not None:
                    await self._over(kept.tenant_id, kept.gateway, i.answers_for)
                return recorded

    async def _check_pin(self, kept: PhoneCall, i: Interview, pin: str, now: datetime) -> Learned:
        came_from = kept.cli or f"withheld {kept.call_id}"
        async with self._web.tenant(kept.tenant_id) as connection:
            at_home = await people.at_number(connection, kept.tenant_id, kept.cli, None, now, kept.zone)
        found, worker = await self.pins.whose(
            kept.tenant_id, came_from, pin, [p.ref for p in at_home], i.staff, now, named=i.named
        )
        if worker is None:
            return Learned(found)
        async with self._web.tenant(kept.tenant_id) as connection:
            if i.caller is Caller.HOME:
                them = await people.at_number(connection, kept.tenant_id, kept.cli, worker, now, kept.zone)
                only = await people.only_meaning(connection, kept.tenant_id, them, worker, now)
            else:
                them, only = await people.of_round(connection, kept.tenant_id, worker, now, kept.zone), None
        at = now.astimezone(kept.zone).isoformat()
        return Learned(Input.PIN_FITS, worker=worker, people=them, only=only, at=at)

    async def _find_staff(self, kept: PhoneCall, number: str) -> Learned:
        async with self._web.tenant(kept.tenant_id) as connection:
            rows = await connection.fetch(
                sql.workers_of_number, kept.tenant_id, number, dialled_number(number) or ""
            )
        refs = tuple(row["ref"] for row in rows)
        return Learned(Input.STAFF_KNOWN if refs else Input.STAFF_UNKNOWN, staff=refs)

    # ------------------------------------------------------------ the end

    async def _end(self, tenant_id: int, gateway: str, call_id: str, *, left_open: bool = False) -> None:
        """Records what was chosen, or rings the home back, or keeps that nothing was said. `left_open`: somebody very
        slow may still be there, and is told what became of it when they key something."""
        while (kept := await self._load(tenant_id, gateway, call_id)) is not None and not kept.ended:
            if kept.interview.state is State.WAITING:
                await self._ring(kept)
                return
            turn = rules.hear(kept.interview, HUNG_UP, self._clock.now().astimezone(kept.zone))
            if turn.wants and kept.interview.state not in DURABLE:
                # Kept first, as `heard` does: whoever keeps it first decides what was meant.
                await self._save(kept, kept.step + 1, turn)
                continue
            turn = await self._settle(kept, turn, to_the_end=True)
            says = (turn.says if turn.interview.kind else NOTHING_WAS_SAID) if left_open else ()
            silent = replace(turn, says=says, gather=None, wants=(), hang_up=True)
            if await self._save(kept, kept.step + 1, silent):
                return

    async def _ring(self, kept: PhoneCall) -> None:
        """Rings the home back, once. Where that cannot be, records without it."""
        if kept.interview.rung:
            return
        rung = Turn(replace(kept.interview, rung=True), hang_up=True)
        if not await self._save(kept, kept.step + 1, rung):
            return
        if (
            self._ringing is None
            or kept.cli is None
            or not await self._ringing.ring(kept.cli, kept.dialled, kept.call_id)
        ):
            await self._record_waiting(kept.tenant_id, kept.gateway, kept.call_id)

    async def _record_waiting(self, tenant_id: int, gateway: str, call_id: str) -> None:
        """Records a check-in or check-out whose home did not answer. Nothing, if it is recorded."""
        while (kept := await self._load(tenant_id, gateway, call_id)) is not None and not kept.ended:
            if kept.interview.state is not State.WAITING:
                return
            turn = rules.learn(kept.interview, Learned(Input.NOT_RINGING))
            turn = await self._settle(kept, turn, to_the_end=True)
            if await self._save(kept, kept.step + 1, replace(turn, says=(), gather=None, hang_up=True)):
                return

    async def _over(self, tenant_id: int, gateway: str, call_id: str) -> None:
        """What the second phone call recorded, the first owes no more."""
        while (kept := await self._load(tenant_id, gateway, call_id)) is not None and not kept.ended:
            over = Turn(replace(kept.interview, state=State.OVER), hang_up=True)
            if await self._save(kept, kept.step + 1, over):
                return

    async def finish_abandoned(self, tenant_id: int) -> None:
        """Ends phone calls that nobody told us the end of. Raises Unavailable."""
        before = self._clock.now() - ABANDONED_AFTER
        async with self._web.tenant(tenant_id) as connection:
            rows = await connection.fetch(sql.abandoned, tenant_id, before, FINISHED_AT_ONCE)
        for row in rows:
            log.warning("phone call %s of %s had no end; it is ended now", row["call_id"], row["gateway"])
            await self._record_waiting(tenant_id, row["gateway"], row["call_id"])
            await self._end(tenant_id, row["gateway"], row["call_id"], left_open=True)

    # ------------------------------------------------------------ what is kept

    async def _line(self, number: str) -> tuple[int, str, str | None, str, bool] | None:
        async with self._web.connection() as connection:
            for use in ("interview", "unanswered"):
                if row := await connection.fetchrow(sql.line, number, use):
                    return (
                        row["tenant_id"], use, row["care_worker_ref"], row["language"], row["call_back"]
                    )  # fmt: skip
        return None

    async def _tenant(self, gateway: str, call_id: str) -> int | None:
        async with self._web.connection() as connection:
            tenant_id: int | None = await connection.fetchval(sql.tenant_of, gateway, call_id)
        return tenant_id

    async def _load(self, tenant_id: int, gateway: str, call_id: str) -> PhoneCall | None:
        async with self._web.tenant(tenant_id) as connection:
            return await keeping.load(connection, tenant_id, gateway, call_id)

    async def _save(self, kept: PhoneCall, step: int, turn: Turn) -> bool:
        over = turn.interview.state is State.OVER and not turn.wants
        async with self._web.tenant(kept.tenant_id) as connection:
            return await keeping.save(connection, kept, step, turn, self._clock.now() if over else None)


async def _welcomed(
    connection: Connection,
    tenant_id: int,
    cli: str | None,
    language: str,
    rings_back: bool,
    now: datetime,
) -> Turn:
    """The first turn of an interview: what it asks depends on whose telephone rings."""
    at_home = await connection.fetch(sql.people_of_number, tenant_id, cli) if cli else []
    refs = [row["ref"] for row in at_home]
    staff: tuple[str, ...] = ()
    if refs:
        expecting = bool(await connection.fetch(sql.expected_at, tenant_id, refs, now))
    else:
        own = await connection.fetch(sql.workers_of_mobile, tenant_id, cli) if cli else []
        staff = tuple(row["ref"] for row in own if row["pin_hash"])
        expecting = bool(staff)
    return rules.begun(
        language,
        caller(cli, of_home=bool(refs)),
        expecting=expecting,
        staff=staff,
        rings_back=rings_back,
    )


async def _rang(
    connection: Connection, tenant_id: int, cli: str | None, worker: str | None, now: datetime
) -> Turn:
    """A ring of a worker's own number is the whole interview: in, or out when they are in."""
    assert worker is not None
    zone = ZoneInfo(await connection.fetchval(sql.zone, tenant_id))
    at_home = await people.at_number(connection, tenant_id, cli, worker, now, zone)
    kind = await people.meant(connection, tenant_id, worker, [person.ref for person in at_home], now)
    return rules.resumed(
        Interview(
            State.RECORDING,
            caller=caller(cli, of_home=bool(at_home)),
            worker=worker,
            kind=kind,
            at=now.astimezone(zone).isoformat(),
            person=people.plain_person(at_home, kind),
            rang_own=True,
        )
    )
