"""How an authority's people sign in at their council: the provider, and which of its groups has which role here.

The client secret is sealed before it is kept and never answered. It goes to the issuer it was given for and to no
other: whoever sets another issuer gives a secret anew.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr, StrictBool, StringConstraints, field_validator

from ecm.api.council_people import rules_of
from ecm.api.council_visit import Refused, secret_of, way_back
from ecm.api.wire import ONE_LINE, Asked, Ref, answers, asks
from ecm.audit.writing import write_down
from ecm.councils import CouncilAway
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound
from ecm.identity.oidc import NotUsable
from ecm.permit import PROVIDER_ROLES, Action, Actor, CommissionerRole, ProviderRole
from ecm.sealing_key import require_one_key
from ecm.store.db import Connection, Record
from ecm.store.queries import load_queries

sql = load_queries(__package__, "oidc.sql")
router = APIRouter(tags=["sign-in"])

RULES_MAX = 200
SCOPE = r"^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$"

# No ? and no #: what describes the provider is found below it.
ISSUER = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21\x22\x24-\x3e\x41-\x7e]*)?$"
LETTERS = r"^[\x20-\x7e]+$"

Issuer = Annotated[str, StringConstraints(max_length=500, pattern=ISSUER)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LETTERS)]
Scopes = Annotated[str, StringConstraints(max_length=500, pattern=SCOPE)]
Group = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=1000, json_schema_extra={"pattern": LETTERS})]


class Rule(Asked):
    group: Group = Field(description="As the provider names it, to the letter: a name or an id.")
    role: ProviderRole | CommissionerRole
    provider: Ref | None = Field(
        None, description="Whose coordinator, manager or care worker; none for others."
    )


class OidcAsked(Asked):
    issuer: Issuer = Field(description="The provider's own name for itself, to the letter.")
    client_id: Word
    client_secret: Secret | None = Field(
        None, description="Left out: the one that is kept, for the same issuer and client; else none."
    )
    scopes: Scopes = Field(
        "openid profile email groups", description="What it is asked for, besides who it is."
    )
    groups_claim: Word = Field("groups", description="Where its id token names the groups.")
    makes_accounts: StrictBool = Field(
        False, description="Whether whoever has a role, and no account yet, gets one."
    )
    rules: Annotated[list[Rule], Field(max_length=RULES_MAX)] = Field(
        description="The first whose group somebody is in decides their role."
    )

    @field_validator("client_secret")
    @classmethod
    def can_be_kept(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(LETTERS, secret.get_secret_value()):
            raise ValueError("one line of letters, digits and signs")
        return secret


class Oidc(BaseModel):
    issuer: str
    client_id: str
    has_secret: bool
    scopes: str
    groups_claim: str
    makes_accounts: bool
    rules: list[Rule]
    sends_back_to: str | None = Field(
        description="What the provider has to be told; null while ECM_PUBLIC_URL is not set."
    )
    checked_at: datetime | None = Field(description="When somebody last tried whether it answers.")
    last_error: str | None = Field(description="What was wrong then; null: nothing.")


ASKED: dict[str, Any] = {
    "issuer": "https://sign-in.council.example",
    "client_id": "ecm",
    "client_secret": "made-up-for-this-page",
    "rules": [
        {"group": "ECM duty desk", "role": "duty_officer"},
        {"group": "ECM Amber coordinators", "role": "coordinator", "provider": "P1"},
    ],
}
OIDC: dict[str, Any] = {
    "issuer": "https://sign-in.council.example",
    "client_id": "ecm",
    "has_secret": True,
    "scopes": "openid profile email groups",
    "groups_claim": "groups",
    "makes_accounts": False,
    "rules": [
        {"group": "ECM duty desk", "role": "duty_officer", "provider": None},
        {"group": "ECM Amber coordinators", "role": "coordinator", "provider": "P1"},
    ],
    "sends_back_to": "https://ecm.example.org/sign-in/council/back",
    "checked_at": None,
    "last_error": None,
}

Door = Annotated[Services, Depends(services)]
OfSignIn = Annotated[Actor, Depends(permit_for(Action.MANAGE_SIGN_IN))]


@router.get("/v1/oidc", response_model=Oidc, responses=answers(OIDC, 404))
async def show_oidc(request: Request, door: Door, who: OfSignIn) -> Oidc:
    """How people sign in at their council; 404 while they do not."""
    async with door.web.locked(who.lock) as connection:
        return await _shown(request, connection, who)


@router.put("/v1/oidc", response_model=Oidc, responses=answers(OIDC, 409), openapi_extra=asks(ASKED))
async def put_oidc(request: Request, door: Door, who: OfSignIn, asked: OidcAsked) -> Oidc:
    """Sets it, or sets it anew. Whoever is signed in stays so; the rules count from each one's next sign-in."""
    _require_asked_well(asked, door.settings.oidc_private)
    async with door.web.locked(who.lock) as connection:
        unknown = [rule.provider for rule in asked.rules]
        for row in await connection.fetch(sql.unknown_providers, who.tenant_id, unknown):
            raise Conflict(f"No provider has the reference {row['ref']}.")
        before = await connection.fetchrow(sql.provider, who.tenant_id)
        if asked.client_secret is not None:
            await require_one_key(connection, door.sealer)
        await connection.execute(
            sql.put_provider,
            who.tenant_id,
            asked.issuer,
            asked.client_id,
            _sealed(door, who, asked, before),
            _with_openid(asked.scopes),
            asked.groups_claim,
            asked.makes_accounts,
        )
        await connection.execute(sql.delete_rules, who.tenant_id)
        await connection.execute(
            sql.insert_rules,
            who.tenant_id,
            [rule.group for rule in asked.rules],
            [rule.role for rule in asked.rules],
            [rule.provider for rule in asked.rules],
        )
        reason = "; ".join(
            f"{rule.group}: {rule.role} {rule.provider or ''}".rstrip() for rule in asked.rules
        )
        if asked.makes_accounts:
            reason = f"makes accounts; {reason}"
        await _audit(connection, request, door, who, "council_sign_in_set", asked.issuer, reason)
        return await _shown(request, connection, who)


@router.delete("/v1/oidc", status_code=204, responses={404: {}})
async def delete_oidc(request: Request, door: Door, who: OfSignIn) -> None:
    """Nobody signs in at their council any more. Whoever is signed in stays so until they sign out."""
    async with door.web.locked(who.lock) as connection:
        issuer = await connection.fetchval(sql.delete_provider, who.tenant_id)
        if issuer is None:
            raise NotFound
        await _audit(connection, request, door, who, "council_sign_in_removed", issuer, None)


@router.post("/v1/oidc/check", response_model=Oidc, responses=answers(OIDC | {"last_error": None}, 404))
async def check_oidc(request: Request, door: Door, who: OfSignIn) -> Oidc:
    """Asks the provider about itself, now: `last_error` says what does not do. Nobody is signed in by it."""
    async with door.web.locked(who.lock) as connection:
        row = await connection.fetchrow(sql.provider, who.tenant_id)
    if row is None:
        raise NotFound
    issuer, wrong = row["issuer"], None
    try:
        await door.councils.endpoints(issuer, private=door.settings.oidc_private, anew=True)
        way_back(request)
    except (CouncilAway, NotUsable, Refused) as error:
        wrong = str(error)
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.set_checked, who.tenant_id, issuer, datetime.now(UTC), wrong)
        await _audit(connection, request, door, who, "council_sign_in_checked", issuer, wrong)
        return await _shown(request, connection, who)


def _require_asked_well(asked: OidcAsked, private: bool) -> None:
    """Raises Conflict for what no schema says."""
    try:
        reachable = urlsplit(asked.issuer).port != 0
    except ValueError:
        reachable = False
    if not reachable or (asked.issuer.startswith("http://") and not private):
        raise Conflict("A council's own sign-in is at an https address.")
    groups = [rule.group for rule in asked.rules]
    if len(set(groups)) < len(groups):
        raise Conflict("Each group has one role.")
    for rule in asked.rules:
        if (rule.role in PROVIDER_ROLES) != (rule.provider is not None):
            whose = (
                "names its provider"
                if rule.provider is None
                else "works for the whole authority, no provider"
            )
            raise Conflict(f"A {rule.role} {whose}.")


def _with_openid(scopes: str) -> str:
    """Without it a provider says nothing of who somebody is."""
    return scopes if "openid" in scopes.split(" ") else f"openid {scopes}"


def _sealed(door: Services, who: Actor, asked: OidcAsked, before: Record | None) -> bytes | None:
    if asked.client_secret is not None:
        return door.sealer.seal(asked.client_secret.get_secret_value().encode(), secret_of(who.tenant_id))
    same = before is not None and (before["issuer"], before["client_id"]) == (asked.issuer, asked.client_id)
    return before["sealed_client_secret"] if same and before is not None else None


async def _shown(request: Request, connection: Connection, who: Actor) -> Oidc:
    row = await connection.fetchrow(sql.provider, who.tenant_id)
    if row is None:
        raise NotFound
    rules = await rules_of(connection, who.tenant_id)
    try:
        sends_back_to = way_back(request)
    except Refused:
        sends_back_to = None
    return Oidc(
        issuer=row["issuer"],
        client_id=row["client_id"],
        has_secret=row["sealed_client_secret"] is not None,
        scopes=row["scopes"],
        groups_claim=row["groups_claim"],
        makes_accounts=row["makes_accounts"],
        rules=[Rule(group=r.group, role=r.role, provider=r.provider_ref) for r in rules],
        sends_back_to=sends_back_to,
        checked_at=row["checked_at"],
        last_error=row["last_error"],
    )


async def _audit(
    connection: Connection,
    request: Request,
    door: Services,
    who: Actor,
    action: str,
    issuer: str,
    reason: str | None,
) -> None:
    await write_down(
        connection,
        who.tenant_id,
        str(who),
        action,
        f"sign-in at {issuer}",
        door.clock.now(),
        reason=reason,
        origin=address_of(request),
    )
