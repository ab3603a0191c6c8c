"""Everybody with an account: how they come in, and what they may do.

Another role holds from the next request on, wherever they are signed in, because every door asks for the role anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from ecm.api.accounts import (
    ACCOUNT,
    Account,
    Door,
    OfAccounts,
    account_of,
    require_role_fits,
    require_still_administrator,
)
from ecm.api.wire import NEXT_PAGE, Asked, Id, IdCursor, Limit, Page, Ref, answers, asks, page_of
from ecm.audit.writing import write_down
from ecm.doors import address_of
from ecm.errors import Conflict, NotFound
from ecm.identity.assurance import Way
from ecm.permit import CommissionerRole, ProviderRole
from ecm.store.db import Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "people.sql")
router = APIRouter(tags=["accounts"])


class Person(Account):
    care_worker: str | None = Field(description="Who they are when they give care themselves.")
    left_at: datetime | None
    password_temporary: bool = Field(description="Somebody else has seen it; they make their own first.")
    password_until: datetime | None = Field(description="When that one opens nothing any more.")
    ways: list[Way] = Field(description="By which they could come in now; none: by nothing yet.")


class RoleAsked(Asked):
    role: ProviderRole | CommissionerRole
    provider: Ref | None = None


class CareWorkerAsked(Asked):
    care_worker: Ref | None = Field(description="Null: they give none.")


PERSON: dict[str, Any] = ACCOUNT | {
    "care_worker": None,
    "left_at": None,
    "password_temporary": False,
    "password_until": None,
    "ways": ["passkey"],
}


@router.get(
    "/v1/accounts",
    response_model=Page[Person],
    responses=answers({"items": [PERSON], "next": None}, Link=NEXT_PAGE),
)
async def list_accounts(
    request: Request,
    response: Response,
    door: Door,
    who: OfAccounts,
    limit: Limit = 100,
    cursor: IdCursor = None,
) -> Page[Person]:
    """Everybody who can or could sign in."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_people, who.tenant_id, int(cursor or 0), limit)
    return page_of(request, response, rows, limit, _person, lambda row: str(row["account_id"]))


@router.put(
    "/v1/accounts/{account_id}/role",
    response_model=Account,
    responses=answers(ACCOUNT, 404, 409),
    openapi_extra=asks({"role": "duty_officer", "provider": None}),
)
async def change_role(
    request: Request, door: Door, who: OfAccounts, account_id: Id, asked: RoleAsked
) -> Account:
    """Gives an account another role. Nobody changes their own, so that an administrator is always left."""
    if account_id == who.id:
        raise Conflict("That is your own account; another administrator must change its role.")
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        await require_still_administrator(connection, who)
        before = await connection.fetchrow(sql.role_of, who.tenant_id, account_id)
        if before is None:
            raise NotFound
        await require_role_fits(connection, who.tenant_id, asked.role, asked.provider)
        row = await connection.fetchrow(sql.set_role, who.tenant_id, account_id, asked.role, asked.provider)
        assert row is not None
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "role_changed",
            f"account {account_id} {row['name']}",
            now,
            reason=f"{_words(before['role'], before['provider_ref'])} to {_words(asked.role, asked.provider)}",
            origin=address_of(request),
        )
    return account_of(row)


@router.put(
    "/v1/accounts/{account_id}/care-worker",
    response_model=Account,
    responses=answers(ACCOUNT, 404, 409),
    openapi_extra=asks({"care_worker": "CW-1"}),
)
async def name_care_worker(
    request: Request, door: Door, who: OfAccounts, account_id: Id, asked: CareWorkerAsked
) -> Account:
    """Says which care worker an account is: they leave together, and are told what is held about both."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        before = await connection.fetchrow(sql.role_of, who.tenant_id, account_id)
        if before is None:
            raise NotFound
        employer = await connection.fetchval(sql.employer_of, who.tenant_id, asked.care_worker)
        if asked.care_worker is not None and (employer is None or employer != before["provider_ref"]):
            raise Conflict(
                f"No care worker of this account's provider has the reference {asked.care_worker}."
            )
        row = await connection.fetchrow(sql.set_care_worker, who.tenant_id, account_id, asked.care_worker)
        assert row is not None
        await write_down(
            connection,
            who.tenant_id,
            str(who),
            "care_worker_named",
            f"account {account_id} {row['name']}",
            now,
            reason=f"care worker {asked.care_worker or 'none'}",
            origin=address_of(request),
        )
    return account_of(row)


def _person(row: Record) -> Person:
    password = Way.PASSWORD_TOTP if row["has_code"] else Way.PASSWORD
    ways = [Way.PASSKEY] * row["has_passkey"] + [password] * row["has_password"]
    return Person(
        **account_of(row).model_dump(),
        care_worker=row["care_worker_ref"],
        left_at=row["left_at"],
        password_temporary=row["password_temporary"],
        password_until=row["password_until"],
        ways=ways,
    )


def _words(role: str, provider_ref: str | None) -> str:
    return f"{role} of {provider_ref}" if provider_ref else role
