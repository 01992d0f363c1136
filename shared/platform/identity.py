"""Who is asking: Google's services by OIDC token, people by Identity Platform ID token.

Both are RS256 JWTs, verified against a published key set that is cached per instance. A missing proof is a wrong proof,
and nothing inside a token is believed before its signature is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from shared.domain.json_text import read_json
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, ProofError
from shared.ports.time import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from shared.platform.key_set import KeySet

SKEW_S = 10
LONGEST_TOKEN = 8_192
SERVICE_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
USER_ISSUER_PREFIX = "https://securetoken.google.com/"


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """A Google service that calls for us: Pub/Sub push, Cloud Tasks, Cloud Scheduler."""

    email: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person signed in, and what their organization lets them do."""

    user_id: str
    tenant: str
    email: str
    role: str
    teams: tuple[str, ...]


class ServiceTokens:
    """Verifies the tokens of Google's services. emails: the service accounts that may call us."""

    def __init__(self, keys: KeySet, emails: frozenset[str], clock: Clock) -> None:
        self._keys = keys
        self._emails = emails
        self._clock = clock

    def verify(self, bearer: str | None, audience: str) -> ServiceCaller:
        """Return whose token `bearer` is.

        Args:
            bearer: the token alone, without "Bearer ".
            audience: the URL of the function that was called.
        Raises:
            ProofError: it is missing, not Google's, not ours, for another function, or too old.
            ProviderUnavailableError: the keys cannot be had.
        Source: docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions, "Claims".
        """
        claims = _verified_claims(bearer, self._keys, self._clock)
        if claims.get("iss") not in SERVICE_ISSUERS or not audience or claims.get("aud") != audience:
            raise ProofError("the token is from another issuer or for another audience")
        email = claims.get("email")
        if not isinstance(email, str) or email not in self._emails or claims.get("email_verified") is not True:
            raise ProofError("the token is of an account that may not call this")
        return ServiceCaller(email)


class UserTokens:
    """Verifies people's ID tokens. project: the Identity Platform project that signs them in."""

    def __init__(self, keys: KeySet, project: str, clock: Clock) -> None:
        self._keys = keys
        self._project = project
        self._clock = clock

    def verify(self, bearer: str | None) -> SignedIn:
        """Return who is signed in.

        Raises:
            ProofError: the token is missing, not of our project, or too old.
            ForbiddenError: the person is signed in and belongs to no organization.
            ProviderUnavailableError: the keys cannot be had.
        Source: firebase.google.com/docs/auth/admin/verify-id-tokens, "third-party JWT library"; the claims tenant, role
            and teams are ours.
        """
        claims = _verified_claims(bearer, self._keys, self._clock)
        user_id, signed_in_s = claims.get("sub"), claims.get("auth_time")
        if claims.get("iss") != USER_ISSUER_PREFIX + self._project or claims.get("aud") != self._project:
            raise ProofError("the token is of another project")
        if not isinstance(user_id, str) or not 0 < len(user_id) <= 128:
            raise ProofError("the token names nobody")
        if not _is_number(signed_in_s) or signed_in_s > self._clock.now().timestamp() + SKEW_S:
            raise ProofError("the token has no time of signing in")
        tenant, role, email = claims.get("tenant"), claims.get("role"), claims.get("email", "")
        if not (isinstance(tenant, str) and tenant and isinstance(role, str) and role and isinstance(email, str)):
            raise ForbiddenError(f"user {user_id} belongs to no organization")
        teams = claims.get("teams", [])
        if not isinstance(teams, list) or not all(isinstance(team, str) for team in teams):
            raise ForbiddenError(f"user {user_id} has no readable teams")
        return SignedIn(user_id, tenant, email, role, tuple(teams))


def _verified_claims(token: str | None, keys: KeySet, clock: Clock) -> Mapping[str, Any]:
    """The claims of a token whose signature and times are good. Source: RFC 7515, RFC 7519."""
    if not token or len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise ProofError("there is no token")
    signed, _, signature = token.rpartition(".")
    header, payload = signed.split(".")
    head = _json_object(header)
    if head.get("alg") != "RS256" or not isinstance(head.get("kid"), str) or "crit" in head:
        raise ProofError("the token is not signed as we need it")
    key = keys.key(head["kid"])
    if key is None or not _is_signed_by(key, signed.encode(), _decoded(signature)):
        raise ProofError("the token's signature is wrong")
    claims = _json_object(payload)
    now_s = clock.now().timestamp()
    issued_s, expires_s = claims.get("iat"), claims.get("exp")
    if not _is_number(issued_s) or not _is_number(expires_s):
        raise ProofError("the token has no times")
    if not issued_s - SKEW_S <= now_s < expires_s + SKEW_S:
        raise ProofError("the token is not valid now")
    return claims


def _is_signed_by(key: rsa.RSAPublicKey, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _json_object(part: str) -> Mapping[str, Any]:
    try:
        found = read_json(_decoded(part))
    except ValueError as error:
        raise ProofError("the token cannot be read") from error
    if not isinstance(found, dict):
        raise ProofError("the token cannot be read")
    return found


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ProofError("the token cannot be read") from error


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
