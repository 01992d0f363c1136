"""The laptop cloud's signing key, and the two kinds of token Google would sign in production.

Service tokens stand for Google's own callers (Pub/Sub push, Cloud Tasks, Cloud Scheduler); user tokens stand for a
person signed in with Identity Platform. One RSA key signs both; the issuer and audience keep them apart.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

TOKEN_LIFETIME_S = 3600
SERVICE_ISSUER = "https://accounts.google.com"
USER_ISSUER_PREFIX = "https://securetoken.google.com/"


class SigningKey:
    """An RSA 2048 key with a stable key id, so that every process that loads the same file signs alike."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id = hashlib.sha256(public).hexdigest()[:40]

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """Return the key stored at `path` (PEM, mode 600), creating it first if there is none.

        Processes may call this at the same time: exactly one key is ever written, and all of them return it.

        Raises:
            ValueError: the file is there and holds no RSA private key.
        """
        if not path.exists():
            _create(path)
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ValueError(f"{path} holds no RSA private key")
        return cls(private)

    def mint_service_token(self, audience: str, email: str, *, now: datetime | None = None) -> str:
        """Return the OIDC token with which Google's services call an endpoint; it lives one hour.

        Args:
            audience: what the endpoint checks, "<base URL>/<function name>".
            email: service account named in the push, task or job configuration.
            now: time of issue, aware UTC; the current time if not given.
        Source:
            docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions, section on claims.
        """
        subject = _numeric_id(email)
        claims = {
            "iss": SERVICE_ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
        }
        return self._sign(claims, now)

    def mint_user_token(
        self,
        user_id: str,
        email: str,
        tenant: str,
        role: str,
        teams: Sequence[str],
        *,
        project: str,
        now: datetime | None = None,
    ) -> str:
        """Return an Identity Platform ID token for a person, with our custom claims `tenant`, `role`, `teams`.

        Source:
            firebase.google.com/docs/auth/admin/verify-id-tokens, "verify ID tokens using a third-party JWT library".
        """
        issued_s = _epoch_s(now)
        claims = {
            "iss": USER_ISSUER_PREFIX + project,
            "aud": project,
            "sub": user_id,
            "user_id": user_id,
            "auth_time": issued_s,
            "email": email,
            "email_verified": True,
            "firebase": {"identities": {"email": [email]}, "sign_in_provider": "password"},
            "tenant": tenant,
            "role": role,
            "teams": list(teams),
        }
        return self._sign(claims, now)

    def jwks(self) -> dict[str, Any]:
        """Return the public half as a JWK Set (RFC 7517), the shape of googleapis.com/oauth2/v3/certs."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def certs(self) -> dict[str, str]:
        """Return key id -> PEM certificate, the shape of googleapis.com/oauth2/v1/certs."""
        return {self.key_id: self._certificate}

    @cached_property
    def _certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throughline-local")])
        # Fixed serial and dates: the same key always yields the same certificate, whichever process builds it.
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(int(self.key_id, 16) >> 8)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500))
            .sign(self._private, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _sign(self, claims: dict[str, Any], now: datetime | None) -> str:
        issued_s = _epoch_s(now)
        times = {"iat": issued_s, "exp": issued_s + TOKEN_LIFETIME_S}
        return jwt.encode({**claims, **times}, self._private, algorithm="RS256", headers={"kid": self.key_id})


def _create(path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # NamedTemporaryFile makes mode 600; a hard link appears whole or not at all, and never replaces another's key.
    with NamedTemporaryFile(dir=path.parent) as draft:
        draft.write(pem)
        draft.flush()
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


def _epoch_s(now: datetime | None) -> int:
    return int(now.timestamp() if now else time.time())


def _numeric_id(email: str) -> str:
    """Service accounts have 21-digit ids; one made from the address stays the same between runs."""
    return str(int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**21).zfill(21)
