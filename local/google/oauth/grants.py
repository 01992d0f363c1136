"""What the authorization server remembers: clients, consents, codes and tokens. No sockets, and the clock is given."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from local.google.accounts import Account, Accounts
from local.google.clock import Now
from local.google.errors import ControlError, Json
from local.google.oauth.signing import GoogleSigningKey

ACCESS_LIFETIME_S = 3599
CODE_LIFETIME = timedelta(minutes=10)
MAX_REFRESH_TOKENS = 100
"""Live refresh tokens per account and client; one more silently ends the oldest."""

SIGN_IN_SCOPES = {
    "openid": "openid",
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}
"""Short scope names, and the form in which Google returns them."""


class OAuthError(Exception):
    """An error of the token or revocation endpoint: status, `error`, `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True)
class Client:
    """A registered OAuth client. Revocation reaches every client of the same `project`."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    project: str = "throughline-local"
    name: str = "Throughline"


@dataclass(frozen=True, slots=True)
class Wish:
    """What an application asked for when it sent the person to the consent page.

    Args:
        scopes: as Google names them, in the order asked for.
        challenge: PKCE S256 challenge; "" without PKCE.
    """

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = ""
    challenge: str = ""
    nonce: str = ""
    offline: bool = False
    prompt_consent: bool = False
    include_granted: bool = False


@dataclass(slots=True)
class _Code:
    client_id: str
    email: str
    scopes: list[str]
    redirect_uri: str
    challenge: str
    nonce: str
    with_refresh_token: bool
    expires_at: datetime


@dataclass(slots=True)
class _RefreshToken:
    token: str
    client_id: str
    email: str
    scopes: list[str]
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A live access token, and what it opens."""

    token: str
    client_id: str
    email: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(slots=True)
class Grants:
    """The authorization server's memory."""

    now: Now
    accounts: Accounts
    signing: GoogleSigningKey
    clients: dict[str, Client] = field(default_factory=dict)
    _consents: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (address, project) -> scopes
    _codes: dict[str, _Code] = field(default_factory=dict)
    _refresh_tokens: dict[str, _RefreshToken] = field(default_factory=dict)
    _access_tokens: dict[str, AccessToken] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ consent page

    def register(self, spec: Json) -> Client:
        """Add or replace a client from {"client_id", "client_secret", "redirect_uris": [...], "project"?, "name"?}.

        Raises:
            ControlError: a field is missing or unknown.
        """
        try:
            client = Client(**{**spec, "redirect_uris": tuple(spec.get("redirect_uris", ()))})
        except TypeError as wrong:
            raise ControlError(f"a client needs client_id, client_secret and redirect_uris; {wrong}") from wrong
        self.clients[client.client_id] = client
        return client

    def consented(self, wish: Wish, account: Account) -> bool:
        """Whether this person gave the client's project all of these scopes before."""
        return set(wish.scopes) <= self._consents.get((account.email, wish.client.project), set())

    def allow(self, wish: Wish, account: Account, ticked: Iterable[str]) -> str:
        """Record the person's consent to `ticked` and return the code for the redirect."""
        key = (account.email, wish.client.project)
        earlier = self._consents.get(key, set())
        given = [scope for scope in wish.scopes if scope in set(ticked)]
        covered = sorted(earlier | set(given)) if wish.include_granted else given
        code = "4/0A" + _random_text(64)
        self._codes[code] = _Code(
            client_id=wish.client.client_id,
            email=account.email,
            scopes=covered,
            redirect_uri=wish.redirect_uri,
            challenge=wish.challenge,
            nonce=wish.nonce,
            with_refresh_token=wish.offline and (wish.prompt_consent or not earlier),
            expires_at=self.now() + CODE_LIFETIME,
        )
        self._consents[key] = earlier | set(given)
        return code

    # ------------------------------------------------------------------------------------------------------- tokens

    def exchange(self, form: Json) -> Json:
        """Trade a code for tokens; a code works once.

        Raises:
            OAuthError: the client, code, redirect address or PKCE verifier is wrong.
        """
        client = self._client(form)
        code = self._codes.pop(str(form.get("code", "")), None)
        if code is None or code.client_id != client.client_id or code.expires_at <= self.now():
            raise OAuthError(400, "invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "redirect_uri_mismatch", "Bad Request")
        _verify_pkce(code.challenge, str(form.get("code_verifier", "")))
        answer = self._access_answer(client, code.email, code.scopes, code.nonce)
        if code.with_refresh_token:
            answer["refresh_token"] = self._new_refresh_token(client, code.email, code.scopes)
        return answer

    def refresh(self, form: Json) -> Json:
        """Trade a refresh token for a new access token; the refresh token stays as it is.

        Raises:
            OAuthError: the client is wrong, or the grant is gone (invalid_grant).
        """
        client = self._client(form)
        kept = self._refresh_tokens.get(str(form.get("refresh_token", "")))
        if kept is None or kept.client_id != client.client_id or self.accounts.find(kept.email) is None:
            raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
        return self._access_answer(client, kept.email, kept.scopes, "")

    def revoke(self, token: str) -> None:
        """End everything the token's person ever granted to its client's project.

        Raises:
            OAuthError: 400 invalid_token, the token is unknown or dead.
        """
        owner = self._refresh_tokens.get(token) or self.bearer(token)
        if owner is None:
            raise OAuthError(400, "invalid_token", "Token expired or revoked")
        self._forget(owner.email, self.clients[owner.client_id].project)

    def revoke_account(self, email: str) -> None:
        """The person removed every application's access in their account's settings."""
        for address, project in list(self._consents):
            if address == email:
                self._forget(email, project)

    def change_password(self, email: str) -> None:
        """Refresh tokens with a Gmail scope die, as Google does it; others live on. Access tokens last to their end."""
        for token, kept in list(self._refresh_tokens.items()):
            if kept.email == email and any("/gmail." in scope or "mail.google" in scope for scope in kept.scopes):
                del self._refresh_tokens[token]

    def bearer(self, token: str) -> AccessToken | None:
        """Return what a live access token stands for; None for any other."""
        found = self._access_tokens.get(token)
        if found is None or found.expires_at <= self.now():
            return None
        return found

    def issue(self, email: str, scopes: Iterable[str], client: Client) -> Json:
        """Consent and exchange in one step, for tests and seeds that are not about the consent page."""
        wish = Wish(client, redirect_uri="", scopes=tuple(scopes), offline=True, prompt_consent=True)
        code = self._codes.pop(self.allow(wish, self.accounts.get(email), wish.scopes))
        answer = self._access_answer(client, email, code.scopes, "")
        return {**answer, "refresh_token": self._new_refresh_token(client, email, code.scopes)}

    # -------------------------------------------------------------------------------------------------------- state

    def consents(self) -> list[tuple[str, str, list[str]]]:
        """Return (address, project, scopes) of every consent."""
        return [(email, project, sorted(scopes)) for (email, project), scopes in sorted(self._consents.items())]

    def clear(self) -> None:
        """Forget consents and tokens; registered clients stay."""
        for memory in (self._consents, self._codes, self._refresh_tokens, self._access_tokens):
            memory.clear()

    def dump(self) -> Json:
        """Clients, consents and refresh tokens. Codes and access tokens are short-lived and not saved."""
        return {
            "clients": [asdict(client) for client in self.clients.values()],
            "consents": self.consents(),
            "refresh_tokens": [
                {**asdict(kept), "issued_at": kept.issued_at.timestamp()} for kept in self._refresh_tokens.values()
            ],
        }

    def load(self, saved: Json) -> None:
        self.clear()
        self.clients.clear()
        for spec in saved["clients"]:
            self.register(spec)
        self._consents.update({(email, project): set(scopes) for email, project, scopes in saved["consents"]})
        for row in saved["refresh_tokens"]:
            kept = _RefreshToken(**{**row, "issued_at": datetime.fromtimestamp(row["issued_at"], UTC)})
            self._refresh_tokens[kept.token] = kept

    # ------------------------------------------------------------------------------------------------------ details

    def _client(self, form: Json) -> Client:
        client = self.clients.get(str(form.get("client_id", "")))
        if client is None:
            raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
        if not hmac.compare_digest(client.client_secret.encode(), str(form.get("client_secret", "")).encode()):
            raise OAuthError(401, "invalid_client", "Unauthorized")
        return client

    def _access_answer(self, client: Client, email: str, scopes: list[str], nonce: str) -> Json:
        now = self.now()
        token = AccessToken(
            token="ya29." + _random_text(96),
            client_id=client.client_id,
            email=email,
            scopes=frozenset(scopes),
            expires_at=now + timedelta(seconds=ACCESS_LIFETIME_S),
        )
        self._access_tokens = {key: kept for key, kept in self._access_tokens.items() if kept.expires_at > now}
        self._access_tokens[token.token] = token
        answer: Json = {
            "access_token": token.token,
            "expires_in": ACCESS_LIFETIME_S,
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }
        if "openid" in scopes:
            account = self.accounts.get(email)
            answer["id_token"] = self.signing.mint_id_token(client.client_id, account, scopes, nonce=nonce, now=now)
        return answer

    def _new_refresh_token(self, client: Client, email: str, scopes: list[str]) -> str:
        token = "1//0" + _random_text(90)
        self._refresh_tokens[token] = _RefreshToken(token, client.client_id, email, scopes, self.now())
        own = [k for k in self._refresh_tokens.values() if (k.email, k.client_id) == (email, client.client_id)]
        for oldest in own[:-MAX_REFRESH_TOKENS]:
            del self._refresh_tokens[oldest.token]
        return token

    def _forget(self, email: str, project: str) -> None:
        self._consents.pop((email, project), None)
        clients = {client.client_id for client in self.clients.values() if client.project == project}
        for refresh_token, kept in list(self._refresh_tokens.items()):
            if kept.email == email and kept.client_id in clients:
                del self._refresh_tokens[refresh_token]
        for access_token, live in list(self._access_tokens.items()):
            if live.email == email and live.client_id in clients:
                del self._access_tokens[access_token]
        for text, code in list(self._codes.items()):
            if code.email == email and code.client_id in clients:
                del self._codes[text]


def _random_text(length: int) -> str:
    return secrets.token_urlsafe(length)[:length]


def _verify_pkce(challenge: str, verifier: str) -> None:
    if not challenge:
        return
    if not verifier:
        raise OAuthError(400, "invalid_grant", "Missing code verifier.")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(hashed, challenge):
        raise OAuthError(400, "invalid_grant", "Invalid code verifier.")
