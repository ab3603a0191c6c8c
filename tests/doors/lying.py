"""The application is lied to about who asks, and its checks say yes to everything; the database is told the truth.

Who was let in is answered as somebody with every right, of another authority or another provider, so that each query
asks for what is foreign. What the transaction says of itself (`lock`) stays that of whoever came. What then still
comes out, only the second lock could have kept in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request

from ecm import doors, permit, phone_doors
from ecm.board import live
from ecm.doors import Services
from ecm.lock import Lock
from ecm.permit import Actor, Decision
from ecm.phone_doors import Phone
from tests.doors.world import THINGS, Things

OURS = ("ecm", "ingest", "alerts")


@dataclass(frozen=True, slots=True)
class Lie:
    """`about`: whose things are asked for. `reach`: the one provider whose rows the queries ask for; None for all.
    `as_phone_of`: whose phone it is said to be."""

    name: str
    about: tuple[str, ...]
    tenant: int
    reach: str | None
    as_phone_of: str


LIES = (
    Lie("every provider", ("own", "oth"), 1, None, "oth"),
    Lie("a colleague", ("col",), 1, THINGS["col"].provider, "col"),
    Lie("the other authority", ("abr",), 2, None, "abr"),
)


@dataclass(frozen=True, slots=True)
class ActorLiedAbout(Actor):
    true_lock: Lock | None = None

    @property
    def lock(self) -> Lock:
        assert self.true_lock is not None
        return self.true_lock


@dataclass(frozen=True, slots=True)
class PhoneLiedAbout(Phone):
    true_lock: Lock | None = None

    @property
    def lock(self) -> Lock:
        assert self.true_lock is not None
        return self.true_lock


@contextmanager
def told(lie: Lie, fastapi: FastAPI) -> Iterator[None]:
    """While it lasts, the application believes the lie."""
    things = THINGS[lie.as_phone_of]

    async def of_session(door: Services, token: str) -> Actor:
        return _lied(await true_session(door, token), lie)

    async def of_key(door: Services, key: str) -> Actor:
        return _lied(await true_key(door, key), lie)

    async def named_phone(request: Request, door: Services) -> Phone:
        return _of_phone(await true_named(request, door), things)

    async def phone(
        request: Request,
        door: Annotated[Services, Depends(doors.services)],
        proof: Annotated[str | None, Depends(phone_doors._by_phone)] = None,
    ) -> Phone:
        named = await true_named(request, door)  # its proof is none of this: run 1 has it
        return _of_phone(named, things)

    async def use_ticket(door: Services, ticket: str) -> tuple[Actor, bytes]:
        who, session = await true_ticket(door, ticket)
        return _lied(who, lie), session

    true_ticket = live._use_ticket
    true_session, true_key, true_named = doors.of_session, doors.of_key, phone_doors.named_phone
    fastapi.dependency_overrides[phone_doors.phone] = phone
    try:
        with everywhere(
            {
                true_session: of_session,
                true_key: of_key,
                true_named: named_phone,
                true_ticket: use_ticket,
                permit.permit: lambda *_: Decision(True, "every check is off"),
                permit.require: lambda *_: None,
                permit.require_step_up: lambda *_: None,
                permit.reach: lambda *_: lie.reach,
            }
        ):
            yield
    finally:
        del fastapi.dependency_overrides[phone_doors.phone]


def _lied(who: Actor, lie: Lie) -> Actor:
    known = {one.name: getattr(who, one.name) for one in fields(Actor)}
    return ActorLiedAbout(
        **known | {"tenant_id": lie.tenant, "provider_ref": lie.reach, "role": "administrator"},
        true_lock=who.lock,
    )


def _of_phone(who: Phone, things: Things) -> Phone:
    known = {one.name: getattr(who, one.name) for one in fields(Phone)}
    theirs: dict[str, Any] = {"tenant_id": things.tenant, "provider_ref": things.provider}
    if who.care_worker is not None:  # who holds a shared one, its sealed ticket says
        theirs["care_worker"] = things.care_worker
    return PhoneLiedAbout(**known | theirs, true_lock=who.lock)


@contextmanager
def everywhere(instead: dict[Callable[..., Any], Callable[..., Any]]) -> Iterator[None]:
    """Puts one function in the place of another wherever it was imported by name."""
    done: list[tuple[ModuleType, str, Any]] = []
    by_identity = {id(old): new for old, new in instead.items()}
    try:
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] not in OURS:
                continue
            for attribute, value in list(vars(module).items()):
                if (replacement := by_identity.get(id(value))) is not None:
                    done.append((module, attribute, value))
                    setattr(module, attribute, replacement)
        yield
    finally:
        for module, attribute, value in done:
            setattr(module, attribute, value)
