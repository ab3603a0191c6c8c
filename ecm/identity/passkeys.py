"""Passkeys (WebAuthn): what a browser is asked, and whether what it answers proves anything.

A passkey is a key pair made for one site (the relying party) and kept by a device or a password manager, which asks
its holder for a finger, a face or a PIN before it signs. We ask for that (user verification), and that the passkey
can be found without a name (a resident key), so that signing in needs no e-mail. We do not ask what make the
authenticator is of.

The site is never taken from what a request says of itself: a page elsewhere that got hold of somebody's finger would
else be the site. It is `ECM_PUBLIC_URL`, or this machine for whoever tries the service out on it.

The library is imported where it is first used: it is large, and most processes of a small installation never need it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

THIS_MACHINE = "localhost"
CHALLENGE_BYTES = 32
TIMEOUT_MS = 5 * 60 * 1000


class NotVerified(Exception):
    """What was sent proves nothing. The words say why, for the log; the sender is told only that it is so."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site that passkeys are made for: `id` its host, `origin` as the browser says it, `name` as people know it."""

    id: str
    origin: str
    name: str = "ecm"

    @classmethod
    def of(cls, public_url: str | None, host: str) -> RelyingParty | None:
        """By the public address; without one, by `host` (host:port, as asked) if that is this machine. Else None.

        A browser takes passkeys by https, or on localhost; never for a bare address such as 127.0.0.1.
        """
        url = urlsplit(public_url or f"http://{host}")
        try:
            name, port = url.hostname, url.port
        except ValueError:
            return None
        if name is None or not (name == THIS_MACHINE or (public_url and url.scheme == "https")):
            return None
        usual = {"http": 80, "https": 443}[url.scheme] if url.scheme in ("http", "https") else None
        return cls(name, f"{url.scheme}://{name}" + (f":{port}" if port and port != usual else ""))


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose passkey it will be. `uid` is kept on the authenticator and says nothing about the person."""

    uid: UUID
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class NewPasskey:
    credential_id: bytes
    public_key: bytes  # COSE
    sign_count: int
    backed_up: bool
    aaguid: UUID


@dataclass(frozen=True, slots=True)
class KeptPasskey:
    uid: UUID
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Asserted:
    """A proof that holds. `cloned`: its count has not grown, so another copy of the key may be in use."""

    sign_count: int
    backed_up: bool
    cloned: bool


def new_challenge() -> bytes:
    return secrets.token_bytes(CHALLENGE_BYTES)


def creation_options(
    rp: RelyingParty, holder: Holder, known: Sequence[bytes], challenge: bytes
) -> dict[str, Any]:
    """For `navigator.credentials.create`, as JSON. `known`: credential ids the holder has, made no second time."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    return options_to_json_dict(
        generate_registration_options(
            rp_id=rp.id,
            rp_name=rp.name,
            user_id=holder.uid.bytes,
            user_name=holder.email,
            user_display_name=holder.name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            exclude_credentials=_described(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
    )


def request_options(rp: RelyingParty, challenge: bytes, allowed: Sequence[bytes] = ()) -> dict[str, Any]:
    """For `navigator.credentials.get`, as JSON. `allowed`: credential ids; none: whichever the person chooses."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json_dict(
        generate_authentication_options(
            rp_id=rp.id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_described(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def created(rp: RelyingParty, challenge: bytes, said: dict[str, Any]) -> NewPasskey:
    """The passkey that `said` (a PublicKeyCredential's toJSON) brings. Raises NotVerified."""
    from webauthn import verify_registration_response

    try:
        made = verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=rp.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library lets through what decoders raise at rubbish
        raise NotVerified(_why(error)) from error
    return NewPasskey(
        made.credential_id,
        made.credential_public_key,
        made.sign_count,
        made.credential_backed_up,
        UUID(made.aaguid),
    )


def asserted(rp: RelyingParty, challenge: bytes, said: dict[str, Any], kept: KeptPasskey) -> Asserted:
    """Whether `said` proves that the holder of `kept` is there, now, at our page. Raises NotVerified."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes

    try:
        proof = verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=rp.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=0,  # compared below: a count that goes back is a fact to be told
            require_user_verification=True,
        )
        handle = said["response"].get("userHandle")
        if handle is not None and base64url_to_bytes(handle) != kept.uid.bytes:
            raise NotVerified("the passkey says it is somebody else's")
    except NotVerified:
        raise
    except Exception as error:
        raise NotVerified(_why(error)) from error
    counts = proof.new_sign_count > 0 or kept.sign_count > 0
    cloned = counts and proof.new_sign_count <= kept.sign_count
    return Asserted(proof.new_sign_count, proof.credential_backed_up, cloned)


def credential_id(said: dict[str, Any]) -> bytes:
    """Which passkey somebody says it is. Raises NotVerified."""
    from webauthn.helpers import base64url_to_bytes

    raw = said.get("rawId")
    if not isinstance(raw, str):
        raise NotVerified("no rawId")
    try:
        return base64url_to_bytes(raw)
    except Exception as error:
        raise NotVerified("a rawId that is none") from error


def _described(ids: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=one) for one in ids]


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
