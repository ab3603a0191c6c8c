"""Accounts and API keys: who may come in at all. Each secret is shown once, when made, and kept nowhere.

Nothing is deleted, because the audit names its accounts and keys for ever: an account is disabled, a key
revoked.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from ecm import keys
from ecm.api.session import finish
from ecm.api.sign_in import Email, Password
from ecm.api.wire import NEXT_PAGE, Asked, Id, IdCursor, Limit, Name, Page, Ref, answers, asks, page_of
from ecm.audit.writing import write_down
from ecm.authorities import has_provider
from ecm.doors import (
    Services,
    actor,
    address_of,
    digest,
    open_because,
    permit_for,
    services,
    token_of,
)
from ecm.errors import Conflict, NotFound, NotPermitted
from ecm.lock import Lock, system
from ecm.passwords import TEMPORARY_LASTS, hash_password, invent_password, password_fits
from ecm.permit import (
    KEY_SCOPES,
    PROVIDER_ROLES,
    ROLES,
    Action,
    Actor,
    CommissionerRole,
    KeyScope,
    ProviderRole,
)
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ecm.weak_passwords import AT_LEAST, weakness

sql = load_queries(__package__, "accounts.sql")
router = APIRouter(tags=["accounts"])

PASSWORD_AT_LEAST = AT_LEAST
COMMAND_LINE = "command line"


class AccountAsked(Asked):
    email: Email
    name: Name
    role: ProviderRole | CommissionerRole
    provider: Ref | None = Field(
        None, description="A provider's own people name their provider; others none."
    )
    password_temporary: bool = Field(
        False,
        description="Good for seven days, in which they make one of their own before they can do anything else.",
    )


class Account(BaseModel):
    id: int
    email: str
    name: str
    role: str
    provider: str | None
    disabled_at: datetime | None


class AccountWithPassword(Account):
    password: str = Field(description="Shown once.")
    password_until: datetime | None = Field(
        description="By then they have made one of their own; later this one opens nothing. Null: it stays."
    )


class PasswordAsked(Asked):
    current: Password
    new: Annotated[Password, Field(min_length=PASSWORD_AT_LEAST)]


class KeyAsked(Asked):
    name: Name
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=len(KEY_SCOPES))]


class Key(BaseModel):
    id: int
    name: str
    scopes: list[KeyScope]
    created_at: datetime
    revoked_at: datetime | None
    used_at: date | None = Field(description="The last day it was used.")


class KeyWithSecret(Key):
    key: str = Field(description="Shown once. Goes into `Authorization: Bearer ...`.")


ACCOUNT: dict[str, Any] = {
    "id": 4,
    "email": "dana@example.org",
    "name": "Dana Duty",
    "role": "duty_officer",
    "provider": None,
    "disabled_at": None,
}
KEY: dict[str, Any] = {
    "id": 2,
    "name": "Telephone gateway",
    "scopes": ["ingest"],
    "created_at": "2026-11-21T08:00:00Z",
    "revoked_at": None,
    "used_at": "2026-11-21",
}
ASKED_ACCOUNT = {"email": "nina@example.org", "name": "Nina New", "role": "duty_officer"}
WITH_PASSWORD = ACCOUNT | {"password": "made-up-for-this-page", "password_until": "2026-11-28T08:00:00Z"}

Door = Annotated[Services, Depends(services)]
OfAccounts = Annotated[Actor, Depends(permit_for(Action.MANAGE_ACCOUNTS))]
OfKeys = Annotated[Actor, Depends(permit_for(Action.MANAGE_KEYS))]


async def create_account(
    db: Database,
    tenant_id: int,
    email: str,
    name: str,
    role: str,
    provider_ref: str | None,
    now: datetime,
    *,
    made_by: str = COMMAND_LINE,
) -> str:
    """Makes an account and returns its password, to be shown once.

    Raises Conflict when the e-mail has one, when a provider's role names no known provider, or another role
    names one.
    """
    _, password = await _create_account(
        db, system(tenant_id), email, name, role, provider_ref, now, made_by, None
    )
    return password


async def create_key(
    db: Database,
    tenant_id: int,
    name: str,
    scopes: list[str],
    now: datetime,
    *,
    made_by: str = COMMAND_LINE,
) -> str:
    """Makes an API key and returns it, to be shown once. `scopes` are of permit.KEY_SCOPES."""
    _, key = await _create_key(db, system(tenant_id), name, scopes, now, made_by, None, None)
    return key


@router.post(
    "/v1/accounts",
    status_code=201,
    response_model=AccountWithPassword,
    responses=answers(WITH_PASSWORD, 409, status=201),
    openapi_extra=asks(ASKED_ACCOUNT),
)
async def add_account(
    request: Request, response: Response, door: Door, who: OfAccounts, asked: AccountAsked
) -> AccountWithPassword:
    """Makes an account with an invented password. The e-mail is its identity: the same one again is a conflict."""
    response.headers["Cache-Control"] = "no-store"
    until = datetime.now(UTC) + TEMPORARY_LASTS if asked.password_temporary else None
    row, password = await _create_account(
        door.web,
        who.lock,
        asked.email,
        asked.name,
        asked.role,
        asked.provider,
        door.clock.now(),
        str(who),
        address_of(request),
        password_until=until,
    )
    return AccountWithPassword(**account_of(row).model_dump(), password=password, password_until=until)


@router.post("/v1/accounts/{account_id}/disablement", response_model=Account, responses=answers(ACCOUNT, 409))
async def disable_account(request: Request, door: Door, who: OfAccounts, account_id: Id) -> Account:
    """Keeps an account out from this moment on, wherever it is signed in."""
    if account_id == who.id:
        raise Conflict("That is your own account; another administrator must disable it.")
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        await require_still_administrator(connection, who)
        row = _found(
            await connection.fetchrow(sql.set_disabled, who.tenant_id, account_id, datetime.now(UTC))
        )
        await _end_sessions(connection, who.tenant_id, account_id, None)
        await _audit(connection, request, who, "account_disabled", f"account {account_id} {row['name']}", now)
    return account_of(row)


@router.delete("/v1/accounts/{account_id}/disablement", response_model=Account, responses=answers(ACCOUNT))
async def enable_account(request: Request, door: Door, who: OfAccounts, account_id: Id) -> Account:
    """Lets an account in again."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        row = _found(await connection.fetchrow(sql.set_disabled, who.tenant_id, account_id, None))
        await _audit(connection, request, who, "account_enabled", f"account {account_id} {row['name']}", now)
    return account_of(row)


@router.post(
    "/v1/accounts/{account_id}/password",
    response_model=AccountWithPassword,
    responses=answers(WITH_PASSWORD),
)
async def replace_password(
    request: Request, response: Response, door: Door, who: OfAccounts, account_id: Id
) -> AccountWithPassword:
    """Invents a new password for somebody who lost theirs, and signs them out everywhere.

    It is temporary: whoever signs in with it may do nothing before they have made one of their own, and after seven
    days it opens nothing.
    """
    response.headers["Cache-Control"] = "no-store"
    password, until = invent_password(), datetime.now(UTC) + TEMPORARY_LASTS
    stored, now = await hash_password(password), door.clock.now()
    async with door.web.locked(who.lock) as connection:
        row = _found(
            await connection.fetchrow(sql.set_password_hash, who.tenant_id, account_id, stored, until)
        )
        await _end_sessions(connection, who.tenant_id, account_id, None)
        await _audit(
            connection, request, who, "password_replaced", f"account {account_id} {row['name']}", now
        )
    return AccountWithPassword(**account_of(row).model_dump(), password=password, password_until=until)


@router.post(
    "/v1/me/password",
    status_code=204,
    responses={409: {}, 429: {}},
    openapi_extra=asks({"current": "a-long-made-up-phrase", "new": "another-long-made-up-phrase"})
    | open_because("an account changes its own password, by the one it has"),
)
async def change_own_password(
    request: Request, door: Door, who: Annotated[Actor, Depends(actor)], asked: PasswordAsked
) -> None:
    """Changes one's own password and ends every other session of it."""
    if who.kind != "account":
        raise NotPermitted("A key has no password.")
    async with door.web.locked(who.lock) as connection:
        row = _found(await connection.fetchrow(sql.get_account, who.tenant_id, who.id))
    # Whoever found a browser left open must not guess at leisure, from wherever: the account is slowed, no address.
    mine = f"account {who.tenant_id} {who.id}"
    door.throttle.admit(mine, mine, monotonic())
    door.throttle.failed(mine, mine, monotonic())
    if not await password_fits(asked.current.get_secret_value(), row["password_hash"]):
        raise Conflict("The current password is another one.")
    door.throttle.succeeded(mine, mine)
    if wrong := weakness(asked.new.get_secret_value(), row["name"], row["email"]):
        raise Conflict(f"Choose another password. {wrong}")
    stored, now = await hash_password(asked.new.get_secret_value()), door.clock.now()
    token = token_of(request) or ""
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.set_password_hash, who.tenant_id, who.id, stored, None)
        await _end_sessions(connection, who.tenant_id, who.id, digest(token))
        await finish(connection, who, token, added=False)
        await _audit(connection, request, who, "password_changed", str(who), now)


@router.get(
    "/v1/keys", response_model=Page[Key], responses=answers({"items": [KEY], "next": None}, Link=NEXT_PAGE)
)
async def list_keys(
    request: Request, response: Response, door: Door, who: OfKeys, limit: Limit = 100, cursor: IdCursor = None
) -> Page[Key]:
    """Every key there is or was, without its secret."""
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.list_keys, who.tenant_id, int(cursor or 0), limit)
    return page_of(request, response, rows, limit, _key, lambda row: str(row["key_id"]))


@router.post(
    "/v1/keys",
    status_code=201,
    response_model=KeyWithSecret,
    responses=answers(KEY | {"key": "ecm_made-up-for-this-page"}, status=201),
    openapi_extra=asks({"name": "Telephone gateway", "scopes": ["ingest"]}),
)
async def add_key(
    request: Request, response: Response, door: Door, who: OfKeys, asked: KeyAsked
) -> KeyWithSecret:
    """Makes a key. Asked twice, it makes two: a secret shown once cannot be answered again, so revoke the spare."""
    response.headers["Cache-Control"] = "no-store"
    row, key = await _create_key(
        door.web,
        who.lock,
        asked.name,
        list(asked.scopes),
        door.clock.now(),
        str(who),
        who.id,
        address_of(request),
    )
    return KeyWithSecret(**_key(row).model_dump(), key=key)


@router.post("/v1/keys/{key_id}/revocation", response_model=Key, responses=answers(KEY))
async def revoke_key(request: Request, door: Door, who: OfKeys, key_id: Id) -> Key:
    """Ends a key for ever."""
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        row = _found(await connection.fetchrow(sql.revoke_key, who.tenant_id, key_id, now))
        await _audit(connection, request, who, "key_revoked", f"key {key_id} {row['name']}", now)
    return _key(row)


async def _create_account(
    db: Database,
    lock: Lock,
    email: str,
    name: str,
    role: str,
    provider_ref: str | None,
    now: datetime,
    made_by: str,
    origin: str | None,
    *,
    password_until: datetime | None = None,
) -> tuple[Record, str]:
    password = invent_password()
    stored, tenant_id, email = await hash_password(password), lock.tenant_id, email.strip().lower()
    async with db.locked(lock) as connection:
        await require_role_fits(connection, tenant_id, role, provider_ref)
        row = await connection.fetchrow(
            sql.insert_account, tenant_id, email, name, role, provider_ref, stored, password_until
        )
        if row is None:
            raise Conflict("That e-mail has an account already.")
        subject = f"account {row['account_id']} {name}"
        await write_down(
            connection, tenant_id, made_by, "account_created", subject, now, reason=role, origin=origin
        )
    return row, password


async def require_role_fits(
    connection: Connection, tenant_id: int, role: str, provider_ref: str | None
) -> None:
    """Raises Conflict unless there is that role, and it names a known provider exactly when it belongs to one."""
    if role not in ROLES:
        raise Conflict(f"There is no role {role}. Roles: {', '.join(ROLES)}.")
    if (role in PROVIDER_ROLES) != (provider_ref is not None):
        whose = (
            "names its provider" if role in PROVIDER_ROLES else "works for the whole authority, no provider"
        )
        raise Conflict(f"A {role} {whose}.")
    if provider_ref and not await has_provider(connection, tenant_id, provider_ref):
        raise Conflict(f"No provider has the reference {provider_ref}.")


async def administrators_held(connection: Connection, tenant_id: int) -> frozenset[int]:
    """The accounts of everybody who can administer, held until the transaction's end: nobody else takes one away."""
    rows = await connection.fetch(sql.hold_administrators, tenant_id)
    return frozenset(row["account_id"] for row in rows)


async def require_still_administrator(connection: Connection, who: Actor) -> None:
    """One at a time: two administrators who shut one another out at once would leave nobody. Raises Conflict."""
    if who.id not in await administrators_held(connection, who.tenant_id):
        raise Conflict("Your own account was changed this moment. Nothing was changed here.")


async def _create_key(
    db: Database,
    lock: Lock,
    name: str,
    scopes: list[str],
    now: datetime,
    made_by: str,
    made_by_account: int | None,
    origin: str | None,
) -> tuple[Record, str]:
    if not scopes or not set(scopes) <= set(KEY_SCOPES):
        raise Conflict(f"A key is for some of: {', '.join(KEY_SCOPES)}.")
    (key, stored), tenant_id = keys.mint(), lock.tenant_id
    async with db.locked(lock) as connection:
        row = await connection.fetchrow(
            sql.insert_key, tenant_id, name, sorted(set(scopes)), stored, now, made_by_account
        )
        assert row is not None
        subject, reason = f"key {row['key_id']} {name}", ", ".join(row["scopes"])
        await write_down(
            connection, tenant_id, made_by, "key_created", subject, now, reason=reason, origin=origin
        )
    return row, key


async def _end_sessions(connection: Connection, tenant_id: int, account_id: int, kept: bytes | None) -> None:
    await connection.execute(sql.end_sessions, tenant_id, account_id, kept)
    await connection.execute(sql.end_tickets, tenant_id, account_id)


async def _audit(
    connection: Connection, request: Request, who: Actor, action: str, subject: str, now: datetime
) -> None:
    await write_down(connection, who.tenant_id, str(who), action, subject, now, origin=address_of(request))


def _found(row: Record | None) -> Record:
    if row is None:
        raise NotFound
    return row


def account_of(row: Record) -> Account:
    return Account(
        id=row["account_id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        provider=row["provider_ref"],
        disabled_at=row["disabled_at"],
    )


def _key(row: Record) -> Key:
    return Key(
        id=row["key_id"],
        name=row["name"],
        scopes=row["scopes"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
    )
