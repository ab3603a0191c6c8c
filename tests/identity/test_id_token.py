"""What an id token has to hold before anybody is let in by it: each row spoils one thing, and is refused for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from ecm.identity.oidc import (
    GROUPS_MAX,
    Claims,
    Client,
    Endpoints,
    Granted,
    NoRole,
    NotUsable,
    NotVerified,
    Rule,
    UnknownKey,
    begin,
    challenge_of,
    endpoints,
    exchange,
    id_token_of,
    is_afresh,
    read,
    role_for,
)

NOW = datetime(2026, 11, 21, 9, 16, tzinfo=UTC)
ISSUER = "https://sign-in.council.example"
CLIENT = Client(ISSUER, "ecm", "a: secret & more")
NONCE = "made-up-nonce"
AT = Endpoints(
    f"{ISSUER}/there?tenant=7",
    f"{ISSUER}/token",
    f"{ISSUER}/keys",
    by_basic=True,
    names_itself=True,
)


@cache
def rsa_key(name: str = "ours", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def key_set() -> dict[str, Any]:
    ours = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True) | {"kid": "one", "use": "sig"}
    curve = ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True) | {"kid": "two", "alg": "ES256"}
    sealing = RSAAlgorithm.to_jwk(rsa_key("sealing").public_key(), as_dict=True) | {
        "kid": "enc",
        "use": "enc",
    }
    return {"keys": [sealing, ours, curve, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}, "odd"]}


def said(**changes: Any) -> dict[str, Any]:
    """A proper token's claims, changed; None takes one away."""
    at = int(NOW.timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "5f1c",
        "aud": "ecm",
        "exp": at + 300,
        "iat": at,
        "nonce": NONCE,
        "auth_time": at - 30,
        "email": "Dana@Council.example",
        "name": "Dana Duty",
        "groups": ["Duty desk", "Everybody"],
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], algorithm: str = "RS256", kid: str | None = "one", key: Any = None) -> str:
    key = key or (ec_key() if algorithm == "ES256" else rsa_key())
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


def claims_of(token: str) -> Claims:
    return read(token, key_set(), CLIENT, NONCE, NOW)


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "one"), ("PS256", None), ("ES256", "two")])
def test_a_proper_token_says_who_it_is(algorithm: str, kid: str | None) -> None:
    claims = claims_of(signed(said(), algorithm, kid))
    assert claims == Claims(
        subject="5f1c",
        email="dana@council.example",
        name="Dana Duty",
        groups=frozenset({"Duty desk", "Everybody"}),
        why_no_groups=None,
        proved_at=NOW - timedelta(seconds=30),
    )


def at(**delta: float) -> int:
    return int((NOW + timedelta(**delta)).timestamp())


SPOILT = [
    ({"iss": "https://sign-in.council.example/"}, "another issuer"),
    ({"iss": None}, "another issuer"),
    ({"aud": "payroll"}, "somebody else"),
    ({"aud": None}, "somebody else"),
    ({"aud": []}, "somebody else"),
    ({"aud": {"ecm": 1}}, "somebody else"),
    ({"aud": ["ecm", "payroll"]}, "somebody else"),
    ({"aud": ["ecm", "payroll"], "azp": "payroll"}, "somebody else"),
    ({"azp": "payroll"}, "somebody else"),
    ({"sub": None}, "names nobody"),
    ({"sub": ""}, "names nobody"),
    ({"sub": 7}, "names nobody"),
    ({"sub": "x" * 256}, "names nobody"),
    ({"sub": "a\x00b"}, "names nobody"),
    ({"exp": at(minutes=-2)}, "run out"),
    ({"exp": None}, "run out"),
    ({"exp": "tomorrow"}, "run out"),
    ({"exp": True}, "run out"),
    ({"exp": 1e300}, "run out"),
    ({"iat": None}, "not made just now"),
    ({"iat": at(minutes=-11)}, "not made just now"),
    ({"iat": at(minutes=2)}, "not made just now"),
    ({"nbf": at(minutes=2)}, "not valid yet"),
    ({"nbf": "soon"}, "not valid yet"),
    ({"nonce": None}, "another sign-in"),
    ({"nonce": "of another sign-in"}, "another sign-in"),
    ({"nonce": [NONCE]}, "another sign-in"),
]


@pytest.mark.parametrize(("changes", "why"), SPOILT)
def test_a_token_spoilt_in_one_thing_lets_nobody_in(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotVerified, match=why):
        claims_of(signed(said(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["ecm"]},
        {"aud": ["ecm", "payroll"], "azp": "ecm"},
        {"exp": at(seconds=-30)},
        {"iat": at(seconds=30)},
        {"nbf": at(seconds=30)},
    ],
)
def test_clocks_may_differ_a_little_and_an_audience_may_be_a_list(changes: dict[str, Any]) -> None:
    assert claims_of(signed(said(**changes))).subject == "5f1c"


def shared_secret() -> str:
    """A public key, taken for the secret of an HMAC: the oldest trick."""
    public = (
        rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": "one"}, said())
    )
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), public
    )
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def altered() -> str:
    """Somebody else's claims under a signature that was right for others."""
    _, _, signature = signed(said()).split(".")
    head, body, _ = signed(said(sub="the-administrator")).split(".")
    return f"{head}.{body}.{signature}"


FORGED: list[tuple[str, Callable[[], str], str]] = [
    ("unsigned", lambda: jwt.encode(said(), None, "none"), "an algorithm we take"),
    ("hmac by a public key", shared_secret, "an algorithm we take"),
    ("hmac by a shared key", lambda: jwt.encode(said(), "x" * 40, "HS256"), "an algorithm we take"),
    ("an algorithm not chosen", lambda: signed(said(), "RS512"), "an algorithm we take"),
    ("altered", altered, "signature does not hold"),
    ("another's key", lambda: signed(said(), key=rsa_key("theirs")), "signature does not hold"),
    ("the key for sealing", lambda: signed(said(), kid="enc", key=rsa_key("sealing")), "does not name"),
    ("a key nobody named", lambda: signed(said(), kid="three"), "does not name"),
    ("the key of another algorithm", lambda: signed(said(), "ES256", kid="one"), "does not name"),
    ("no token", lambda: "made-up", "no signed token"),
    ("three dots", lambda: "..", "no signed token"),
    ("nothing", lambda: "", "no signed token"),
    ("endless", lambda: "a" * 70_000, "too long"),
    ("not ASCII", lambda: "é.é.é", "no signed token"),
]


@pytest.mark.parametrize(("token", "why"), [row[1:] for row in FORGED], ids=[row[0] for row in FORGED])
def test_a_token_its_provider_did_not_sign_lets_nobody_in(token: Callable[[], str], why: str) -> None:
    with pytest.raises(NotVerified, match=why):
        claims_of(token())


@pytest.mark.parametrize("keys", [None, [], {}, {"keys": None}, {"keys": {}}, {"keys": [1, {}]}])
def test_keys_that_are_none_verify_nothing(keys: Any) -> None:
    with pytest.raises(UnknownKey):
        read(signed(said()), keys, CLIENT, NONCE, NOW)


def test_a_key_too_short_to_trust_verifies_nothing() -> None:
    weak = rsa_key("weak", 1024)
    keys = {"keys": [RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True)]}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signed(said(), key=weak)
    with pytest.raises(NotVerified, match="signature"):
        read(token, keys, CLIENT, NONCE, NOW)


# ---------------------------------------------------------------------- groups


RULES = (
    Rule("Duty desk", "duty_officer"),
    Rule("Coordinators of P1", "coordinator", "P1"),
    Rule("IT", "administrator"),
)


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["Duty desk"], "duty_officer"),
        (["IT", "Duty desk"], "duty_officer"),
        ("IT", "administrator"),
        (["Coordinators of P1"], "coordinator"),
    ],
)
def test_the_authoritys_first_rule_that_fits_decides(groups: Any, role: str) -> None:
    granted = role_for(claims_of(signed(said(groups=groups))), RULES)
    assert isinstance(granted, Granted)
    assert granted.rule.role == role


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"groups": []}, "none of their groups has a role here"),
        ({"groups": ["duty desk", "Duty desk "]}, "none of their groups has a role here"),
        ({"groups": None}, "names no groups"),
        ({"groups": [1]}, "no list of names"),
        ({"groups": {"Duty desk": True}}, "no list of names"),
        ({"groups": [f"G{n}" for n in range(GROUPS_MAX)] + ["Duty desk"]}, "more than 200 groups"),
        ({"groups": None, "_claim_names": {"groups": "src1"}}, "too many to be named"),
        ({"hasgroups": True}, "too many to be named"),
    ],
)
def test_whoever_has_no_group_of_ours_has_no_role_and_a_reason(changes: dict[str, Any], why: str) -> None:
    refused = role_for(claims_of(signed(said(**changes))), RULES)
    assert isinstance(refused, NoRole)
    assert why in refused.reason


def test_groups_may_stand_deeper_or_under_a_name_with_dots() -> None:
    for claim, changes in (
        ("realm_access.roles", {"realm_access": {"roles": ["IT"]}}),
        ("https://council.example/groups", {"https://council.example/groups": ["IT"]}),
    ):
        client = Client(ISSUER, "ecm", None, groups_claim=claim)
        claims = read(signed(said(**changes)), key_set(), client, NONCE, NOW)
        assert claims.groups == {"IT"}


@pytest.mark.parametrize(
    ("changes", "email", "name"),
    [
        ({"email_verified": False}, None, "Dana Duty"),
        ({"email": "nonsense", "name": "  Dana\u0000\n\u202eDuty "}, None, "Dana Duty"),
        ({"name": None, "preferred_username": "dana"}, "dana@council.example", "dana"),
        ({"name": None}, "dana@council.example", "dana@council.example"),
        ({"name": 7, "email": None}, None, "No name"),
    ],
)
def test_what_somebody_is_called_is_one_line_of_words(
    changes: dict[str, Any], email: str | None, name: str
) -> None:
    claims = claims_of(signed(said(**changes)))
    assert (claims.email, claims.name) == (email, name)


def test_only_a_proof_since_then_is_a_fresh_one() -> None:
    began = NOW
    for auth_time, afresh in ((at(seconds=5), True), (at(minutes=-5), False), (None, False), ("now", False)):
        assert is_afresh(claims_of(signed(said(auth_time=auth_time))), began) is afresh


# ---------------------------------------------------------------------- there and back


def test_whoever_is_sent_there_carries_a_challenge_and_never_the_verifier() -> None:
    begun = begin(CLIENT, AT, "https://ecm.example/sign-in/council/back")
    asked = {name: value for name, [value] in parse_qs(urlsplit(begun.url).query).items()}
    assert asked == {
        "tenant": "7",
        "response_type": "code",
        "client_id": "ecm",
        "redirect_uri": "https://ecm.example/sign-in/council/back",
        "scope": "openid profile email groups",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": challenge_of(begun.verifier),
        "code_challenge_method": "S256",
    }
    assert begun.verifier not in begun.url
    assert len({begun.state, begun.nonce, begun.verifier}) == 3
    assert begin(CLIENT, AT, "https://ecm.example").verifier != begun.verifier


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_to_be_asked_afresh_says_so_twice() -> None:
    url = begin(CLIENT, AT, "https://ecm.example", afresh=True).url
    assert url.endswith("&prompt=login&max_age=60")


ODD, PLAIN = "a: secret & more", "a-plain_secret.1"
ODD_QUOTED, PLAIN_QUOTED = "Basic ZWNtOmElM0Erc2VjcmV0KyUyNittb3Jl", "Basic ZWNtOmEtcGxhaW5fc2VjcmV0LjE="


@pytest.mark.parametrize(
    ("secret", "by_basic", "header", "in_form"),
    [
        (ODD, True, ODD_QUOTED, None),
        (PLAIN, True, PLAIN_QUOTED, None),
        (ODD, False, None, [ODD]),
        (None, True, None, None),
    ],
)
def test_the_secret_goes_as_the_provider_takes_it(
    secret: str | None, by_basic: bool, header: str | None, in_form: list[str] | None
) -> None:
    there = Endpoints(AT.authorization, AT.token, AT.keys, by_basic, names_itself=False)
    headers, body = exchange(
        Client(ISSUER, "ecm", secret), there, "the code", "the verifier", "https://ecm.example/back"
    )
    form = parse_qs(body.decode())
    assert headers.get("Authorization") == header
    assert form.get("client_secret") == in_form
    assert (form["code"], form["code_verifier"]) == (["the code"], ["the verifier"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id_token": 7}', b"\xff", b"[" * 100_000])
def test_an_answer_without_an_id_token_lets_nobody_in(body: bytes) -> None:
    with pytest.raises(NotVerified, match="the provider's answer"):
        id_token_of(body)


# ---------------------------------------------------------------------- what a provider says about itself


DESCRIPTION: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/there",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "response_types_supported": ["code"],
    "id_token_signing_alg_values_supported": ["none", "RS256"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "authorization_response_iss_parameter_supported": True,
}


def test_a_description_is_read() -> None:
    assert endpoints(ISSUER, DESCRIPTION) == Endpoints(
        f"{ISSUER}/there",
        f"{ISSUER}/token",
        f"{ISSUER}/keys",
        by_basic=True,
        names_itself=True,
    )


def test_what_a_provider_does_not_say_is_what_the_standard_means() -> None:
    """Some widely used ones say nothing of PKCE, and do it."""
    bare = {name: DESCRIPTION[name] for name in list(DESCRIPTION)[:4]}
    post = {"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]}
    assert endpoints(ISSUER, bare).by_basic
    assert not endpoints(ISSUER, bare).names_itself
    assert not endpoints(ISSUER, bare | post).by_basic


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"issuer": f"{ISSUER}/"}, "another issuer"),
        ({"issuer": "https://login.council.example/{tenantid}"}, "another issuer"),
        ({"response_types_supported": ["id_token"]}, "no code flow"),
        ({"response_types_supported": "code"}, "no code flow"),
        ({"code_challenge_methods_supported": ["plain"]}, "no PKCE"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs with none"),
        ({"authorization_endpoint": "http://sign-in.council.example/there"}, "authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"token_endpoint": "https://[broken"}, "token_endpoint"),
        ({"jwks_uri": "/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://sign-in.council.example/keys\r\nX: y"}, "jwks_uri"),
    ],
)
def test_a_description_that_does_not_do_is_refused_in_words(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NotUsable, match=why):
        endpoints(ISSUER, DESCRIPTION | changes)


@pytest.mark.parametrize("document", [None, [], "words", 7])
def test_a_description_that_is_none_is_refused(document: Any) -> None:
    with pytest.raises(NotUsable, match="no JSON object"):
        endpoints(ISSUER, document)
