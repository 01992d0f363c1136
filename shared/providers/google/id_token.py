"""Judge an OpenID Connect ID token: who signed in, proven by the issuer's signature."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.errors import ProofError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

CLOCK_SKEW = timedelta(minutes=2)
"""How far the issuer's clock and ours may be apart."""


def verified_claims(
    token: str, key_set: Mapping[str, Any], *, issuers: Set[str], audience: str, now: datetime
) -> dict[str, Any]:
    """The token's claims once signature, issuer, audience and times are found good, and an address is proven.

    Args:
        key_set: the issuer's JWK Set (RFC 7517), {"keys": [{"kid", "kty": "RSA", "n", "e"}]}.
        audience: our OAuth client id.
    Returns:
        "sub" and "email" are there; "hd" is, for accounts of an organization.
    Raises:
        ProofError: anything is missing or wrong; the message says what, never a value.
    Source:
        developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken; RFC 7515, RS256.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signed, _, signature = token.rpartition(".")
    header, claims = _parts(signed)
    if header.get("alg") != "RS256":
        raise ProofError("ID token is not signed with RS256")
    try:
        _public_key(key_set, header.get("kid")).verify(_bytes(signature), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise ProofError("ID token has a wrong signature") from None
    if claims.get("iss") not in issuers:
        raise ProofError("ID token is of another issuer")
    if claims.get("aud") != audience:
        raise ProofError("ID token is for another client")
    if not _time(claims, "iat") - CLOCK_SKEW <= now < _time(claims, "exp") + CLOCK_SKEW:
        raise ProofError("ID token is not of this time")
    if not claims.get("sub") or not claims.get("email") or claims.get("email_verified") is not True:
        raise ProofError("ID token names no verified address")
    return claims


def _parts(signed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header, claims = (json.loads(_bytes(part)) for part in signed.split("."))
    except ValueError:
        raise ProofError("ID token cannot be read") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ProofError("ID token cannot be read")
    return header, claims


def _public_key(key_set: Mapping[str, Any], key_id: str | None) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    for key in key_set.get("keys", []):
        if key_id and key.get("kid") == key_id and key.get("kty") == "RSA":
            return RSAPublicNumbers(e=_number(key["e"]), n=_number(key["n"])).public_key()
    raise ProofError("ID token is signed with an unknown key")


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(claims[name], tz=UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise ProofError(f"ID token has no {name}") from None


def _number(value: str) -> int:
    return int.from_bytes(_bytes(value), "big")


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
