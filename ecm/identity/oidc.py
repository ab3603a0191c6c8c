"""Signing in by a council's own provider: OpenID Connect's code flow with PKCE, without the asking.

A provider is somebody else's machine, so nothing it says is taken on trust: it is who its address says, its proof (the
id token) is signed by one of its own keys with an algorithm we chose, made for us, for this one sign-in, and just now.
The sentences of `CHECKS` name what an id token has to hold (OpenID Connect Core 3.1.3.7; RFC 8725 for the algorithms).

A person's role is what their groups say at each sign-in, by the authority's own rules, and never what we remember: no
group, no way in. A provider that names everything and everybody (`GROUPS_MAX`, or a link to look them up) is refused in
words its administrator can act on, because whoever is in two hundred groups was not given any of them for this.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

ALGORITHMS = ("RS256", "ES256", "PS256")
KEY_TYPE = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far two machines' clocks may be apart."""
JUST_NOW = timedelta(minutes=10)
"""How old an id token may be: it was made when the code was exchanged, moments ago."""

GROUPS_MAX = 200
SUBJECT_CHARACTERS_MAX = 255
TOKEN_CHARACTERS_MAX = 64 * 1024
PRINTABLE = re.compile(r"[\x20-\x7e]+")
E_MAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+")


class NotUsable(Exception):
    """What a provider says about itself does not do. The text says why, for its administrator."""


class NotVerified(Exception):
    """What came back is no proof of who signed in. The text says why, for the audit: never who, never a token."""


@dataclass(frozen=True, slots=True)
class Client:
    """What an authority agreed with its provider."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str = "openid profile email groups"
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked what. `by_basic`: the secret goes in a header, else in the form."""

    authorization: str
    token: str
    keys: str
    by_basic: bool
    names_itself: bool
    """It says who it is when it sends somebody back (RFC 9207), so an answer without that is not its own."""


@dataclass(frozen=True, slots=True)
class Begun:
    """One sign-in on its way. `url` is for the browser, the others stay here until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What an id token proved. `why_no_groups`: the groups could not be read, in words for a person."""

    subject: str
    email: str | None
    name: str
    groups: frozenset[str]
    why_no_groups: str | None
    proved_at: datetime | None
    """When the person last showed the provider who they are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever is in `group` has `role`, for `provider_ref` if it is a provider's."""

    group: str
    role: str
    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    rule: Rule


@dataclass(frozen=True, slots=True)
class NoRole:
    reason: str


# ---------------------------------------------------------------------- what a provider says about itself


def description_address(issuer: str) -> str:
    """Where a provider describes itself (OpenID Connect Discovery 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def endpoints(issuer: str, document: Any) -> Endpoints:
    """Reads a provider's description of itself. Raises NotUsable."""
    if not isinstance(document, dict):
        raise NotUsable("Its description is no JSON object.")
    if document.get("issuer") != issuer:
        raise NotUsable("It says it is another issuer than the one written down here, to the letter.")
    if "code" not in _strings(document, "response_types_supported", "code"):
        raise NotUsable("It has no code flow.")
    if "S256" not in _strings(document, "code_challenge_methods_supported", "S256"):
        raise NotUsable("It has no PKCE with S256.")
    if not set(ALGORITHMS) & set(_strings(document, "id_token_signing_alg_values_supported", "RS256")):
        raise NotUsable(f"It signs with none of {', '.join(ALGORITHMS)}.")
    ways = _strings(document, "token_endpoint_auth_methods_supported", "client_secret_basic")
    return Endpoints(
        authorization=_address(document, "authorization_endpoint", issuer),
        token=_address(document, "token_endpoint", issuer),
        keys=_address(document, "jwks_uri", issuer),
        by_basic="client_secret_basic" in ways or "client_secret_post" not in ways,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _strings(document: Mapping[str, Any], name: str, unsaid: str) -> list[str]:
    """A list of the description; what the standard, or a provider's silence, means when it is not there."""
    found = document.get(name, [unsaid])
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _address(document: Mapping[str, Any], name: str, issuer: str) -> str:
    found = document.get(name)
    try:
        parts = urlsplit(found) if isinstance(found, str) and PRINTABLE.fullmatch(found) else None
    except ValueError:
        parts = None
    # A browser is sent to one of them with nothing but its address to look at.
    if parts is None or not parts.netloc or parts.scheme not in ("https", urlsplit(issuer).scheme):
        raise NotUsable(f"Its {name} is no https address.")
    assert isinstance(found, str)
    return found


# ---------------------------------------------------------------------- there


def begin(client: Client, at: Endpoints, redirect_uri: str, *, afresh: bool = False) -> Begun:
    """Sends somebody to the provider. `afresh`: they show it once more who they are, however lately they did."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if afresh:
        # The second makes a provider say when it asked (Core 3.1.2.1). Not 0, which some never find young enough.
        asked |= {"prompt": "login", "max_age": str(int(CLOCKS_DIFFER.total_seconds()))}
    joint = "&" if urlsplit(at.authorization).query else "?"
    return Begun(f"{at.authorization}{joint}{urlencode(asked)}", state, nonce, verifier)


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def exchange(
    client: Client, at: Endpoints, code: str, verifier: str, redirect_uri: str
) -> tuple[dict[str, str], bytes]:
    """The headers and form that turn a code into an id token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "client_id": client.client_id,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if client.client_secret is not None and at.by_basic:
        # Quoted as RFC 6749 (2.3.1) says. Not every provider undoes that; a secret of letters and digits is the same.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif client.client_secret is not None:
        form["client_secret"] = client.client_secret
    return headers, urlencode(form).encode()


# ---------------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True)
class _Said:
    """An id token's claims, beside what they have to fit."""

    claims: Mapping[str, Any]
    client: Client
    nonce: str
    now: datetime

    def instant(self, name: str) -> datetime | None:
        seconds = self.claims.get(name)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None


CHECKS: Sequence[tuple[str, Callable[[_Said], bool]]] = (
    ("it is from another issuer", lambda said: said.claims.get("iss") == said.client.issuer),
    ("it was made for somebody else", lambda said: _is_for_us(said)),
    ("it names nobody", lambda said: _is_subject(said.claims.get("sub"))),
    (
        "it has run out",
        lambda said: (at := said.instant("exp")) is not None and at > said.now - CLOCKS_DIFFER,
    ),
    (
        "it was not made just now",
        lambda said: (
            (at := said.instant("iat")) is not None and said.now - JUST_NOW <= at <= said.now + CLOCKS_DIFFER
        ),
    ),
    (
        "it is not valid yet",
        lambda said: (
            "nbf" not in said.claims
            or ((at := said.instant("nbf")) is not None and at <= said.now + CLOCKS_DIFFER)
        ),
    ),
    ("it belongs to another sign-in", lambda said: _is_this_sign_in(said)),
)


def read(id_token: str, keys: Any, client: Client, nonce: str, now: datetime) -> Claims:
    """What an id token proves. `keys`: the provider's JSON Web Key Set. Raises NotVerified, and UnknownKey."""
    claims = _signed(id_token, keys)
    said = _Said(claims, client, nonce, now)
    for fault, holds in CHECKS:
        if not holds(said):
            raise NotVerified(fault)
    groups, why_no_groups = _groups(claims, client.groups_claim)
    email = _email(claims)
    return Claims(
        subject=claims["sub"],
        email=email,
        name=_name(claims) or email or "No name",
        groups=groups,
        why_no_groups=why_no_groups,
        proved_at=said.instant("auth_time"),
    )


def is_afresh(claims: Claims, begun_at: datetime) -> bool:
    """Whether the person has shown the provider who they are since `begun_at`. One that does not say did not ask."""
    return claims.proved_at is not None and claims.proved_at >= begun_at - CLOCKS_DIFFER


class UnknownKey(NotVerified):
    """It is signed with a key that the provider did not name; it may have changed them since they were read."""


def _signed(id_token: str, keys: Any) -> dict[str, Any]:
    """The claims, once a key of the provider's has been found to have signed them."""
    import jwt  # here, because most installations have no council that signs its people in

    if len(id_token) > TOKEN_CHARACTERS_MAX:
        raise NotVerified("it is too long")
    try:
        header = jwt.get_unverified_header(id_token)
    except jwt.PyJWTError:
        raise NotVerified("it is no signed token") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise NotVerified("it is not signed with an algorithm we take")
    fitting = [key for key in _keys(keys) if _may_sign(key, algorithm, key_id)]
    if not fitting:
        raise UnknownKey("it is signed with a key its provider does not name")
    for key in fitting:
        try:
            claims = jwt.decode(
                id_token,
                jwt.PyJWK(key, algorithm),
                algorithms=ALGORITHMS,
                # What it says is held against CHECKS: with our own clock, and each with its sentence.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                    "verify_iss": False,
                    "verify_sub": False,
                    "verify_jti": False,
                    "enforce_minimum_key_length": True,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return dict(claims)
    raise NotVerified("its signature does not hold")


def _keys(keys: Any) -> list[dict[str, Any]]:
    found = keys.get("keys") if isinstance(keys, dict) else None
    return [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []


def _may_sign(key: Mapping[str, Any], algorithm: str, key_id: Any) -> bool:
    """A key without a name, or for a token without one, may be the one; a key for something else never is."""
    return (
        key.get("kty") == KEY_TYPE[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (key_id is None or key.get("kid", key_id) == key_id)
    )


def _is_for_us(said: _Said) -> bool:
    """The audience is us; where it is others too, the token says that it was made for us."""
    audience, party = said.claims.get("aud"), said.claims.get("azp")
    us = said.client.client_id
    if party is not None and party != us:
        return False
    if isinstance(audience, list):
        return us in audience and (len(audience) == 1 or party == us)
    return bool(audience == us)


def _is_subject(subject: Any) -> bool:
    return (
        isinstance(subject, str)
        and 0 < len(subject) <= SUBJECT_CHARACTERS_MAX
        and PRINTABLE.fullmatch(subject) is not None
    )


def _is_this_sign_in(said: _Said) -> bool:
    nonce = said.claims.get("nonce")
    return isinstance(nonce, str) and secrets.compare_digest(nonce.encode(), said.nonce.encode())


# ---------------------------------------------------------------------- who they are here


def role_for(claims: Claims, rules: Sequence[Rule]) -> Granted | NoRole:
    """The first rule whose group the person is in: the authority's order decides, not the provider's."""
    if claims.why_no_groups is not None:
        return NoRole(claims.why_no_groups)
    for rule in rules:
        if rule.group in claims.groups:
            return Granted(rule)
    return NoRole("none of their groups has a role here")


def _groups(claims: Mapping[str, Any], name: str) -> tuple[frozenset[str], str | None]:
    """The groups, or why there are none."""
    if _are_elsewhere(claims, name):
        return frozenset(), "their groups are too many to be named; let the provider name this service's only"
    found = _within(claims, name)
    if found is None:
        return frozenset(), f"the provider names no groups ({name}); let it put them into the id token"
    groups = [found] if isinstance(found, str) else found
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        return frozenset(), f"what the provider names as groups ({name}) is no list of names"
    if len(groups) > GROUPS_MAX:
        return (
            frozenset(),
            f"they are in more than {GROUPS_MAX} groups; let the provider name this service's only",
        )
    return frozenset(groups), None


def _are_elsewhere(claims: Mapping[str, Any], name: str) -> bool:
    """Instead of the groups stands where to look them up (Core 5.6.2), as some providers do beyond a number."""
    elsewhere = claims.get("_claim_names")
    return claims.get("hasgroups") is True or (isinstance(elsewhere, dict) and name in elsewhere)


def _within(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a path such as `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _email(claims: Mapping[str, Any]) -> str | None:
    """An address the provider does not itself call unproved."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is False:
        return None
    return email.lower() if len(email) <= 254 and E_MAIL.fullmatch(email) else None


def _name(claims: Mapping[str, Any]) -> str:
    for claim in ("name", "preferred_username"):
        if isinstance(said := claims.get(claim), str):
            name = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:200]
            if name:
                return name
    return ""


def id_token_of(body: bytes) -> str:
    """The id token in a provider's answer to `exchange`. Raises NotVerified."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NotVerified("the provider's answer is no JSON") from None
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise NotVerified("the provider's answer holds no id token")
    return token
