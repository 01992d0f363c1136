"""The second way to connect: an organization's own user agrees once, and an RSA key mints tokens from then on.

For organizations whose contracts go out under one user, where a refresh token would die with a password. What stands
in the place of a refresh token is that user's id: there is nothing to rotate and nothing that runs out.

Source: developers.docusign.com/platform/auth/jwt; RFC 7523, RS256.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.domain.cash.signing import SigningAccount
from shared.errors import AdminActionError
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Chance, Clock
from shared.providers.call_record import OnCall
from shared.providers.docusign.account_server import AccountServer, OAuthClient
from shared.providers.docusign.manifest import JWT_SCOPES, PRODUCTION, Endpoints
from shared.providers.wire import Wire

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFETIME = timedelta(minutes=5)


class JwtGrant:
    """`ports.Authorization` at DocuSign, acting for a user who agreed once."""

    def __init__(
        self,
        client: OAuthClient,
        private_key: bytes,
        *,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        endpoints: Endpoints = PRODUCTION,
        wire: Wire | None = None,
    ) -> None:
        """private_key: the RSA key of the integration key, PEM, not encrypted. It is read when it is first needed."""
        self._server = AccountServer(
            client, endpoints=endpoints, clock=clock, chance=chance, on_call=on_call, wire=wire
        )
        self._private_key = private_key
        self._clock = clock

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where the user agrees to be acted for, once."""
        return self._server.consent_url(JWT_SCOPES, state=state, verifier=verifier, login_hint=login_hint)

    def exchange(self, *, code: str, verifier: str) -> Grant:
        """Trade the code of the consent. refresh_token: the user's id, for `refresh`. Raises: as the code grant."""
        grant = self._server.exchange(code, verifier, JWT_SCOPES)
        return Grant(
            account=grant.account,
            account_id=grant.account_id,
            hosted_domain=None,
            scopes=grant.scopes,
            access_token=grant.access_token,
            expires_at=grant.expires_at,
            refresh_token=grant.account_id,
        )

    def refresh(self, refresh_token: str) -> AccessToken:
        """Mint an access token, good for an hour, for the user with this id.

        Raises:
            ConnectionRevokedError: `consent_required`: the user has to agree (again) on the page of `url`.
            AdminActionError: our key, the integration key or the user is unknown to DocuSign (`reason` says which).
            RateLimitedError, ProviderUnavailableError.
        """
        form = {"grant_type": GRANT_TYPE, "assertion": self._assertion(refresh_token)}
        minted = self._server.mint(form, basic=False)
        return AccessToken(token=minted.token, expires_at=minted.expires_at)

    def revoke(self, refresh_token: str) -> None:
        """Nothing to do here: the user takes the agreement back under My Preferences > Connected Apps."""

    @reads
    def accounts(self, access_token: str) -> tuple[SigningAccount, ...]:
        """The accounts the user may use; keep it, it is limited by the hour."""
        return self._server.person(access_token).accounts

    def _assertion(self, user_id: str) -> str:
        """aud is the account server's host alone, without "https://" and slash."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(self._private_key, password=None)
        except (ValueError, TypeError):  # "from None": the library's message may quote the key
            raise AdminActionError("the private key cannot be read", reason="jwt_key_unknown") from None
        if not isinstance(key, RSAPrivateKey):
            raise AdminActionError("the private key is not an RSA key", reason="jwt_key_unknown")
        issued_at = self._clock.now()
        claims = {
            "iss": self._server.client.client_id,
            "sub": user_id,
            "aud": urlsplit(self._server.endpoints.token).netloc,
            "iat": int(issued_at.timestamp()),
            "exp": int((issued_at + ASSERTION_LIFETIME).timestamp()),
            "scope": " ".join(JWT_SCOPES),
        }
        signed = f"{_part({'typ': 'JWT', 'alg': 'RS256'})}.{_part(claims)}"
        return f"{signed}.{_base64url(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
