"""The account server's memory: consents, codes and tokens of both grants. No sockets, a given clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from local.docusign.accounts import Client, Directory, User
from local.docusign.errors import Json, OAuthError
from local.google.clock import Now

SCOPES = {
    "signature": "Create and send envelopes, and read their status",
    "extended": "Stay connected",
    "impersonation": "Act for you while you are not there",
}
CODE_LIFETIME = timedelta(minutes=2)
ACCESS_LIFETIME_S = 28_800
JWT_ACCESS_LIFETIME_S = 3_600
REFRESH_LIFETIME = timedelta(days=30)
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Token:
    """What a code, access or refresh token stands for."""

    client_id: str
    user_id: str
    scopes: tuple[str, ...]
    expires_at: datetime
    challenge: str = ""


class Grants:
    """Codes and tokens work for the client and user they were made for, until they end or are revoked."""

    def __init__(self, now: Now, directory: Directory, chance: random.Random) -> None:
        self._now = now
        self._directory = directory
        self._chance = chance
        self._consents: dict[tuple[str, str], set[str]] = {}
        self._codes: dict[str, Token] = {}
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}

    def allow(self, client: Client, user: User, scopes: Iterable[str], challenge: str) -> str:
        """The person agrees; returns the code for the redirect."""
        asked = tuple(scopes)
        self._consents.setdefault((client.client_id, user.user_id), set()).update(asked)
        code = self._text("code")
        self._codes[code] = Token(
            client.client_id, user.user_id, asked, self._now() + CODE_LIFETIME, challenge=challenge
        )
        return code

    def token(self, form: Json, *, host: str) -> Json:
        """Answer POST /oauth/token. host: whom an assertion must be meant for. Raises: OAuthError."""
        kind = form.get("grant_type")
        if kind == JWT_GRANT:
            return self._by_assertion(str(form.get("assertion", "")), host)
        client = self._client(form)
        if kind == "authorization_code":
            return self._by_code(client, form)
        if kind == "refresh_token":
            return self._by_refresh_token(client, str(form.get("refresh_token", "")))
        raise OAuthError(400, "unsupported_grant_type")

    def bearer(self, token: str) -> Token | None:
        """What a live access token stands for."""
        found = self._access.get(token)
        return found if found and found.expires_at > self._now() else None

    def revoke(self, form: Json) -> None:
        """End the whole grant that a refresh or access token belongs to. Raises: OAuthError."""
        client = self._client(form)
        token = str(form.get("token", ""))
        found = self._refresh.get(token) or self._access.get(token)
        if found is None or found.client_id != client.client_id:
            raise OAuthError(400, "invalid_token")
        self.revoke_user(found.user_id, client.client_id)

    def revoke_user(self, user_id: str, client_id: str | None = None) -> None:
        """The user took their consent back, from one client or all."""
        for consent in [one for one in self._consents if one[1] == user_id and client_id in (None, one[0])]:
            del self._consents[consent]
        for memory in (self._codes, self._access, self._refresh):
            for text, token in list(memory.items()):
                if token.user_id == user_id and client_id in (None, token.client_id):
                    del memory[text]

    def expire_access_tokens(self) -> None:
        """Every access token ends now, before its time; grants go on."""
        self._access.clear()

    def consents(self) -> list[tuple[str, str, list[str]]]:
        """(client, user id, scopes) of every consent."""
        return [(client_id, user_id, sorted(scopes)) for (client_id, user_id), scopes in self._consents.items()]

    def clear(self) -> None:
        for memory in (self._codes, self._access, self._refresh):
            memory.clear()
        self._consents.clear()

    def _by_code(self, client: Client, form: Json) -> Json:
        code = self._codes.pop(str(form.get("code", "")), None)
        if code is None or code.client_id != client.client_id or code.expires_at <= self._now():
            raise OAuthError(400, "invalid_grant", "expired_client_token")
        if code.challenge:
            hashed = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
            if not hmac.compare_digest(base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(), code.challenge):
                raise OAuthError(400, "invalid_grant", "code_verifier")
        return {
            **self._access_token(client.client_id, code.user_id, code.scopes, ACCESS_LIFETIME_S),
            "refresh_token": self._refresh_token(client.client_id, code.user_id, code.scopes),
        }

    def _by_refresh_token(self, client: Client, text: str) -> Json:
        kept = self._refresh.get(text)
        if kept is None or kept.client_id != client.client_id or kept.expires_at <= self._now():
            raise OAuthError(400, "invalid_grant", "expired_client_token")
        answer = self._access_token(client.client_id, kept.user_id, kept.scopes, ACCESS_LIFETIME_S)
        # Only the scope "extended" gives a new refresh token, with another 30 days; the old one lives to its end.
        extended = "extended" in kept.scopes
        fresh = self._refresh_token(client.client_id, kept.user_id, kept.scopes) if extended else text
        return {**answer, "refresh_token": fresh}

    def _by_assertion(self, assertion: str, host: str) -> Json:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as wrong:
            raise OAuthError(400, "invalid_request") from wrong
        client = self._directory.clients.get(str(claims.get("iss", "")))
        if client is None:
            raise OAuthError(400, "invalid_grant", "issuer_not_found")
        if not client.public_key:
            raise OAuthError(400, "invalid_grant", "no_valid_keys_or_signatures")
        try:
            options: jwt.types.Options = {
                "require": ["exp", "iat", "sub", "aud"],
                "verify_exp": False,
                "verify_iat": False,
            }
            jwt.decode(assertion, client.public_key, algorithms=["RS256"], audience=host, options=options)
        except jwt.InvalidAudienceError as wrong:
            raise OAuthError(400, "invalid_grant", "invalid_audience") from wrong
        except jwt.InvalidTokenError as wrong:
            raise OAuthError(400, "invalid_grant", "no_valid_keys_or_signatures") from wrong
        now = self._now().timestamp()
        if not claims["iat"] - 300 <= now < claims["exp"]:
            raise OAuthError(400, "invalid_grant", "assertion_expired")
        user = self._directory.users.get(str(claims["sub"]))
        if user is None:
            raise OAuthError(400, "invalid_grant", "user_not_found")
        scopes = tuple(str(claims.get("scope", "")).split())
        consented = self._consents.get((client.client_id, user.user_id), set())
        if "impersonation" not in consented or not set(scopes) <= consented:
            raise OAuthError(400, "consent_required")
        return self._access_token(client.client_id, user.user_id, scopes, JWT_ACCESS_LIFETIME_S)

    def _access_token(self, client_id: str, user_id: str, scopes: tuple[str, ...], lifetime_s: int) -> Json:
        token = self._text("access")
        self._access[token] = Token(client_id, user_id, scopes, self._now() + timedelta(seconds=lifetime_s))
        return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime_s, "scope": " ".join(scopes)}

    def _refresh_token(self, client_id: str, user_id: str, scopes: tuple[str, ...]) -> str:
        token = self._text("refresh")
        self._refresh[token] = Token(client_id, user_id, scopes, self._now() + REFRESH_LIFETIME)
        return token

    def _client(self, form: Json) -> Client:
        client = self._directory.clients.get(str(form.get("client_id", "")))
        secret = str(form.get("client_secret", ""))
        if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
            raise OAuthError(401, "invalid_client")
        return client

    def _text(self, kind: str) -> str:
        return f"{kind}.{self._chance.getrandbits(256):064x}"
