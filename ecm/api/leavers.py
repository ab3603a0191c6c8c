"""Leavers: everything one person holds, ended in one act.

    what they hold                     what becomes of it
    ---------------------------------  -------------------------------------------------------------
    sessions, and the boards they show  end at once
    passkeys                           revoked
    phones of their own                cut off; what those signed before still arrives, marked
    codes for a phone                  run out
    a PIN                              shows nothing more; what is recorded by it is kept, and marked
    keys they may have seen            told, for somebody to look at

An account may name the care worker it belongs to: they are one person, and leave together. Nothing is deleted, because
evidence and audit name people for ever. Somebody who comes back signs in as before; phones, codes and passkeys are made
anew. A provider lets its own go, but nobody above who asks; its care workers come back by it too, accounts by an
administrator alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from ecm.api.accounts import OfAccounts, administrators_held
from ecm.api.audit import write_down
from ecm.api.wire import Asked, Id, Ref, answers, asks
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound, NotPermitted
from ecm.permit import Action, Actor, is_above, permit
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "leavers.sql")
router = APIRouter(tags=["leavers"])

Door = Annotated[Services, Depends(services)]
OfLeavers = Annotated[Actor, Depends(permit_for(Action.MANAGE_LEAVERS))]
WorkerRef = Annotated[Ref, Path(examples=["CW-A"])]


class DepartureAsked(Asked):
    reason: Ref


class KeyToLookAt(BaseModel):
    id: int
    name: str


class Departure(BaseModel):
    sessions_ended: int
    phones_cut: int
    enrolments_ended: int
    passkeys_revoked: int
    keys_to_look_at: list[KeyToLookAt] = Field(
        description="Keys this person made, and those of no known maker if they administered. They still work."
    )


@dataclass(frozen=True, slots=True)
class Person:
    """One person: the care worker they are, if any, and their accounts."""

    worker: Record | None
    accounts: Sequence[Record]
    administrators: frozenset[int]
    """Everybody who administers the service, by account."""

    @property
    def account_ids(self) -> list[int]:
        return [account["account_id"] for account in self.accounts]

    @property
    def provider_refs(self) -> set[str | None]:
        """Of everything they are."""
        parts = [*self.accounts, *([self.worker] if self.worker is not None else [])]
        return {part["provider_ref"] for part in parts}


DEPARTURE: dict[str, Any] = {
    "sessions_ended": 2,
    "phones_cut": 1,
    "enrolments_ended": 0,
    "passkeys_revoked": 1,
    "keys_to_look_at": [{"id": 2, "name": "Telephone gateway"}],
}
MORE_THAN_YOURS = "That person is more than your provider's; ask an administrator."
REASON = {"reason": "left the company"}


@router.post(
    "/v1/accounts/{account_id}/departure",
    response_model=Departure,
    responses=answers(DEPARTURE, 404, 409),
    openapi_extra=asks(REASON),
)
async def account_leaves(
    request: Request, door: Door, who: OfLeavers, account_id: Id, asked: DepartureAsked
) -> Departure:
    """Ends everything a person holds, wherever it is open."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        person = await _of_account(connection, who, account_id)
        return await leave(connection, who, person, asked.reason, now, address_of(request))


@router.delete("/v1/accounts/{account_id}/departure", status_code=204, responses={404: {}})
async def account_comes_back(request: Request, door: Door, who: OfAccounts, account_id: Id) -> None:
    """They did not leave, or are here again: for administrators. What was ended stays ended."""
    async with door.web.locked(who.lock) as connection:
        person = await _of_account(connection, who, account_id)
        await _come_back(connection, who, person, door.clock.now(), address_of(request))


@router.post(
    "/v1/care-workers/{ref:path}/departure",
    response_model=Departure,
    responses=answers(DEPARTURE | {"keys_to_look_at": []}, 404, 409),
    openapi_extra=asks(REASON),
)
async def worker_leaves(
    request: Request, door: Door, who: OfLeavers, ref: WorkerRef, asked: DepartureAsked
) -> Departure:
    """Ends everything a care worker holds. What they record from now on is kept, and marked."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        person = await _of_worker(connection, who, ref)
        return await leave(connection, who, person, asked.reason, now, address_of(request))


@router.delete("/v1/care-workers/{ref:path}/departure", status_code=204, responses={404: {}})
async def worker_comes_back(request: Request, door: Door, who: OfLeavers, ref: WorkerRef) -> None:
    """They did not leave, or are here again. What was ended stays ended, and what was marked stays marked."""
    async with door.web.locked(who.lock) as connection:
        person = await _of_worker(connection, who, ref)
        await _come_back(connection, who, person, door.clock.now(), address_of(request))


async def account_left(db: Database, who: Actor, email: str, reason: str, now: datetime) -> Departure:
    """For the command line. Raises NotFound; Conflict for the last administrator."""
    async with db.locked(who.lock) as connection:
        account_id = await connection.fetchval(sql.account_of_email, who.tenant_id, email.strip())
        if account_id is None:
            raise NotFound(f"No account has the e-mail {email}.")
        person = await _of_account(connection, who, account_id)
        return await leave(connection, who, person, reason, now, None)


async def worker_left(db: Database, who: Actor, ref: str, reason: str, now: datetime) -> Departure:
    """For the command line. Raises NotFound; Conflict for the last administrator."""
    async with db.locked(who.lock) as connection:
        return await leave(connection, who, await _of_worker(connection, who, ref), reason, now, None)


async def leave(
    connection: Connection, who: Actor, person: Person, reason: str, now: datetime, origin: str | None
) -> Departure:
    """Ends what they hold; asked again, whatever they came to hold since. Raises Conflict, NotPermitted."""
    _require_reach(who, person)
    if who.kind == "account" and who.id in person.account_ids:
        raise Conflict("That is you; somebody else must do it.")
    if person.administrators and person.administrators <= set(person.account_ids):
        raise Conflict("That is the last administrator; make another one first.")
    real_now, ids = datetime.now(UTC), person.account_ids
    await connection.execute(sql.accounts_leave, who.tenant_id, ids, real_now)
    sessions = await connection.fetchval(sql.end_sessions, who.tenant_id, ids)
    passkeys = await connection.fetchval(sql.revoke_passkeys, who.tenant_id, ids, real_now)
    phones = enrolments = 0
    if person.worker is not None:
        worker = who.tenant_id, person.worker["ref"]
        await connection.execute(sql.worker_leaves, *worker, now, str(who))
        enrolments = await connection.fetchval(sql.end_enrolments, *worker, real_now)
        phones = await connection.fetchval(sql.cut_off_phones, *worker, now, str(who), reason)
    await _write_down(connection, who, person, "left", now, reason, origin)
    return Departure(
        sessions_ended=sessions,
        phones_cut=phones,
        enrolments_ended=enrolments,
        passkeys_revoked=passkeys,
        keys_to_look_at=await _keys_to_look_at(connection, who, person),
    )


async def _come_back(
    connection: Connection, who: Actor, person: Person, now: datetime, origin: str | None
) -> None:
    _require_reach(who, person)
    if not permit(who, Action.MANAGE_ACCOUNTS):  # who lets somebody sign in again could make an account
        person = replace(person, accounts=())
    await connection.execute(sql.accounts_leave, who.tenant_id, person.account_ids, None)
    if person.worker is not None:
        await connection.execute(sql.worker_leaves, who.tenant_id, person.worker["ref"], None, None)
    await _write_down(connection, who, person, "came_back", now, None, origin)


async def _of_account(connection: Connection, who: Actor, account_id: int) -> Person:
    """Raises NotFound, also for whoever is of no concern to `who`."""
    administering = await administrators_held(connection, who.tenant_id)
    accounts = await connection.fetch(sql.accounts_of, who.tenant_id, account_id, None)
    named = next((account for account in accounts if account["account_id"] == account_id), None)
    if named is None or who.provider_ref not in (None, named["provider_ref"]):
        raise NotFound("There is no such account.")
    worker_ref = named["care_worker_ref"]
    worker = await connection.fetchrow(sql.worker, who.tenant_id, worker_ref) if worker_ref else None
    if worker_ref is not None and worker is None:  # another provider's, whom the database does not show
        raise NotPermitted(MORE_THAN_YOURS)
    return Person(worker, accounts, administering)


async def _of_worker(connection: Connection, who: Actor, ref: str) -> Person:
    """Raises NotFound, also for another provider's: nobody learns whom it employs."""
    administering = await administrators_held(connection, who.tenant_id)
    accounts = await connection.fetch(sql.accounts_of, who.tenant_id, None, ref)
    worker = await connection.fetchrow(sql.worker, who.tenant_id, ref)
    if worker is None or who.provider_ref not in (None, worker["provider_ref"]):
        raise NotFound("There is no such care worker.")
    return Person(worker, accounts, administering)


def _require_reach(who: Actor, person: Person) -> None:
    if who.provider_ref is not None and person.provider_refs != {who.provider_ref}:
        raise NotPermitted(MORE_THAN_YOURS)
    if any(is_above(account["role"], who) for account in person.accounts):
        raise NotPermitted("That person's role is above yours; ask a manager or an administrator.")


async def _keys_to_look_at(connection: Connection, who: Actor, person: Person) -> list[KeyToLookAt]:
    if not permit(who, Action.MANAGE_KEYS):
        return []
    administered = any(account["role"] == "administrator" for account in person.accounts)
    rows = await connection.fetch(sql.keys_to_look_at, who.tenant_id, person.account_ids, administered)
    return [KeyToLookAt(id=row["key_id"], name=row["name"]) for row in rows]


async def _write_down(
    connection: Connection,
    who: Actor,
    person: Person,
    what: str,
    now: datetime,
    reason: str | None,
    origin: str | None,
) -> None:
    """An entry for each thing they are."""
    entries = [(f"account_{what}", f"account {a['account_id']} {a['name']}") for a in person.accounts]
    if person.worker is not None:
        entries.append((f"care_worker_{what}", f"care worker {person.worker['ref']}"))
    for action, subject in entries:
        await write_down(
            connection, who.tenant_id, str(who), action, subject, now, reason=reason, origin=origin
        )
