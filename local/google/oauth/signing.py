"""ID tokens as accounts.google.com signs them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from local.google.accounts import Account
from local.identity.keys import SERVICE_ISSUER, SigningKey

_USERINFO = "https://www.googleapis.com/auth/userinfo."


class GoogleSigningKey(SigningKey):
    """The authorization server's RSA key."""

    def mint_id_token(
        self, client_id: str, account: Account, scopes: Collection[str], *, nonce: str, now: datetime
    ) -> str:
        """Return the RS256 ID token that tells an application who signed in; it lives one hour.

        `email` and `name` are told only under their scopes, `hd` only for Workspace accounts.

        Source:
            developers.google.com/identity/openid-connect/openid-connect, "An ID token's payload".
        """
        claims: dict[str, Any] = {"iss": SERVICE_ISSUER, "azp": client_id, "aud": client_id, "sub": account.subject}
        if account.hosted_domain:
            claims["hd"] = account.hosted_domain
        if _USERINFO + "email" in scopes:
            claims["email"], claims["email_verified"] = account.email, True
        if _USERINFO + "profile" in scopes:
            claims["name"] = account.name
        if nonce:
            claims["nonce"] = nonce
        return self._sign(claims, now)
