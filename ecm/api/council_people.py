"""Who somebody of the council is here: the account that their provider's issuer and subject mean, with today's role.

An e-mail address joins nobody to an account: whoever runs a provider could write anybody's. An account is made where
the authority wants that, and its role follows the groups at each sign-in. Whoever has no group that has a role here
does not come in, and is signed out where a group had let them in. So it is with the last administrator whose groups
give another role: who administers is left.
"""

from __future__ import annotations

from fastapi import Request

from ecm.api.accounts import administrators_held
from ecm.api.council_visit import Council, Refused
from ecm.api.session import AccountRow
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of
from ecm.identity.oidc import Claims, NoRole, Rule, role_for
from ecm.store.db import Connection
from ecm.store.queries import load_queries

sql = load_queries(__package__, "council.sql")


async def account_of(request: Request, door: Services, council: Council, claims: Claims) -> AccountRow:
    """Who came, with the role their groups have now. Raises Refused."""
    tenant_id, issuer = council.tenant_id, council.client.issuer
    refused: Refused | None = None
    async with door.web.tenant(tenant_id) as connection:
        await connection.execute(sql.one_at_a_time, tenant_id, issuer, claims.subject)
        row = await connection.fetchrow(sql.subject, tenant_id, issuer, claims.subject)
        known = None if row is None else AccountRow.of(row)
        granted = role_for(claims, await rules_of(connection, tenant_id))
        if isinstance(granted, NoRole):
            refused = Refused("council_no_role", granted.reason)
        elif row is not None and row["kept_out"]:
            refused = Refused("council_no_account", "the account is disabled")
        elif (
            known is not None
            and granted.rule.role != "administrator"
            and await administrators_held(connection, tenant_id) == {known.account_id}
        ):
            refused = Refused("council_no_role", "their groups would leave nobody who administers")
        if refused is not None:
            await _write_refusal(connection, request, door, council, known, str(refused))
            if known is not None:
                await connection.execute(sql.end_sessions, tenant_id, known.account_id)
        else:
            assert not isinstance(granted, NoRole)
            if known is None:
                known = await _made(connection, request, door, council, claims, granted.rule)
            elif (known.role, known.provider_ref) != (granted.rule.role, granted.rule.provider_ref):
                known = await _followed(connection, request, door, known, granted.rule)
    if refused is not None:  # said only now, so that what was written down stays
        raise refused
    if known is None:
        raise Refused("council_no_account", "nobody here is joined to that subject")
    return known


async def rules_of(connection: Connection, tenant_id: int) -> list[Rule]:
    """Which group has which role here; the first counts."""
    rows = await connection.fetch(sql.rules, tenant_id)
    return [Rule(row["group_name"], row["role"], row["provider_ref"]) for row in rows]


async def _made(
    connection: Connection, request: Request, door: Services, council: Council, claims: Claims, rule: Rule
) -> AccountRow | None:
    """An account for whoever came first, where the authority wants one made; None where not."""
    tenant_id, now = council.tenant_id, door.clock.now()
    row = None
    if council.makes_accounts and claims.email is not None:
        row = await connection.fetchrow(
            sql.insert_account, tenant_id, claims.email, claims.name, rule.role, rule.provider_ref
        )
    if row is None:
        why = (
            "no account is made for whoever comes"
            if not council.makes_accounts
            else "their e-mail is not free"
        )
        await _write_refusal(connection, request, door, council, None, why)
        return None
    made = AccountRow.of(row)
    joined = await connection.fetchval(
        sql.join_account, tenant_id, council.client.issuer, claims.subject, made.account_id, now
    )
    assert joined is not None, "nobody else could join it: the subject is locked and the account is new"
    reason = f"{rule.role}, by group {rule.group}"
    await write_down(
        connection,
        tenant_id,
        "council sign-in",
        "account_created",
        str(made.actor),
        now,
        reason=reason,
        origin=address_of(request),
    )
    return made


async def _followed(
    connection: Connection, request: Request, door: Services, known: AccountRow, rule: Rule
) -> AccountRow:
    """The role that the groups say now, written down."""
    row = await connection.fetchrow(
        sql.follow_role, known.tenant_id, known.account_id, rule.role, rule.provider_ref
    )
    await write_down(
        connection,
        known.tenant_id,
        "council sign-in",
        "role_changed",
        str(known.actor),
        door.clock.now(),
        reason=f"{known.role} to {rule.role}, by group {rule.group}",
        origin=address_of(request),
    )
    return AccountRow.of(row)


async def _write_refusal(
    connection: Connection,
    request: Request,
    door: Services,
    council: Council,
    known: AccountRow | None,
    why: str,
) -> None:
    subject = "somebody of the council's own sign-in" if known is None else str(known.actor)
    await write_down(
        connection,
        council.tenant_id,
        "nobody",
        "sign_in_failed",
        subject,
        door.clock.now(),
        reason=why,
        origin=address_of(request),
    )
