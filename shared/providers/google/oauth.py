"""OAuth 2.0 at Google: where to send a person, what came back, and the one place that knows whether a grant is gone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from shared.domain.values import dataclass
from shared.errors import AppError, InputError, ProofError, ProviderUnavailableError
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Chance, Clock
from shared.providers.google.catalogue import PROBLEMS
from shared.providers.google.errors import token_error, token_error_code
from shared.providers.google.id_token import verified_claims
from shared.providers.google.manifest import MANIFEST, SCOPES, Endpoints, canonical_scope
from shared.providers.wire import Answer, Wire

ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The client an organization registered in its Google Cloud project. redirect_uri: exactly as registered."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


class GoogleAuthorization:
    """`ports.Authorization` at Google, for one OAuth client."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        clock: Clock,
        chance: Chance,
        endpoints: Endpoints = MANIFEST.endpoints,
        scopes: tuple[str, ...] = SCOPES,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet. wire: connections to share with others; own ones if left out."""
        self._client = client
        self._clock = clock
        self._chance = chance
        self._endpoints = endpoints
        self._scopes = scopes
        self._wire = wire or Wire()

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where to send the person.

        `prompt=consent`, since Google gives a refresh token only with a fresh consent, so this is for connecting and
        reconnecting only: each consent uses one of the account's 100 live refresh tokens per client.

        Args:
            state: comes back unchanged. verifier: 43-128 characters, kept for `exchange`. login_hint: address or None.
        Source:
            developers.google.com/identity/protocols/oauth2/web-server, "Set authorization parameters"; RFC 7636.
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": " ".join(self._scopes),
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "true",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if login_hint:
            query["login_hint"] = login_hint
        return f"{self._endpoints.authorization}?{urlencode(query)}"

    def exchange(self, *, code: str, verifier: str) -> Grant:
        """Trade the code of the redirect, once.

        Returns:
            scopes: what the person really granted, in the manifest's spelling; boxes can be unticked.
            refresh_token: None if Google gave none, which `prompt=consent` rules out.
        Raises:
            InputError: the code was used, is old, belongs to another client, or the account has no verified address.
            AdminActionError: client id, secret, redirect address or the organization's policy.
            RateLimitedError, ProviderUnavailableError: the code may be used up; the person starts again.
        Source:
            POST token -> {"access_token", "expires_in" (s), "refresh_token", "scope" (space-separated), "id_token"}.
        """
        answer = self._post(
            self._endpoints.token,
            {
                "grant_type": "authorization_code",
                "code": code,
                "client_id": self._client.client_id,
                "client_secret": self._client.client_secret,
                "redirect_uri": self._client.redirect_uri,
                "code_verifier": verifier,
            },
            call="google.token.exchange",
        )
        if answer.status != 200:
            if token_error_code(answer) == "invalid_grant":
                raise InputError(f"{PROBLEMS['code_used'].sentence} {PROBLEMS['code_used'].action}")
            raise self._refusal(answer, "google.token.exchange")
        body = _json(answer, "google.token.exchange")
        claims = self._verified_claims(str(body.get("id_token", "")))
        return Grant(
            account=claims["email"],
            account_id=claims["sub"],
            hosted_domain=claims.get("hd"),
            scopes=frozenset(canonical_scope(scope) for scope in str(body.get("scope", "")).split()),
            access_token=_text(body, "access_token", "google.token.exchange"),
            expires_at=self._ends(body),
            refresh_token=body.get("refresh_token"),
        )

    def refresh(self, refresh_token: str) -> AccessToken:
        """Mint an access token, good for about an hour.

        Raises:
            ConnectionRevokedError: `invalid_grant`, and nothing else: revoked, password changed, unused for six months,
                or pushed out by the account's hundred-and-first token. No retry helps; the person must reconnect.
            AdminActionError: the client was deleted or is not trusted (`reason` is a catalogue id).
            RateLimitedError: the token endpoint's own limit, which says nothing about the grant.
            ProviderUnavailableError: 5xx, no answer, or a refusal we do not know.
        Source:
            POST token, grant_type=refresh_token -> {"access_token", "expires_in"}. Google does not rotate the token.
        """
        answer = self._post(
            self._endpoints.token,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "client_id": self._client.client_id,
                "client_secret": self._client.client_secret,
            },
            call="google.token.refresh",
        )
        if answer.status != 200:
            raise self._refusal(answer, "google.token.refresh")
        body = _json(answer, "google.token.refresh")
        return AccessToken(
            token=_text(body, "access_token", "google.token.refresh"),
            expires_at=self._ends(body),
            refresh_token=body.get("refresh_token"),
        )

    def revoke(self, refresh_token: str) -> None:
        """End everything this person granted to our Cloud project, across all its clients.

        A grant that is gone already (400 `invalid_token`) is success.

        Raises: RateLimitedError, ProviderUnavailableError.
        Source: developers.google.com/identity/protocols/oauth2/web-server, "Revoking a token".
        """
        answer = self._post(self._endpoints.revocation, {"token": refresh_token}, call="google.revoke")
        if answer.status != 200 and not (answer.status == 400 and token_error_code(answer) == "invalid_token"):
            raise self._refusal(answer, "google.revoke")

    def _verified_claims(self, id_token: str) -> dict[str, Any]:
        """Who signed in. The keys are read anew: sign-ins are rare, and Google changes them every few days."""
        answer = self._wire.send("GET", self._endpoints.certs, call="google.certs")
        if answer.status != 200:
            raise ProviderUnavailableError(f"google.certs answered {answer.status}")
        try:
            return verified_claims(
                id_token,
                _json(answer, "google.certs"),
                issuers=ISSUERS,
                audience=self._client.client_id,
                now=self._clock.now(),
            )
        except ProofError as error:
            raise InputError("Google did not prove who signed in. Connect your Google account once more.") from error

    def _post(self, url: str, form: Mapping[str, str], *, call: str) -> Answer:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self._wire.send("POST", url, headers=headers, body=urlencode(form), call=call)

    def _refusal(self, answer: Answer, call: str) -> AppError:
        return token_error(answer, call=call, now=self._clock.now(), fraction=self._chance.fraction())

    def _ends(self, body: Mapping[str, Any]) -> datetime:
        return self._clock.now() + timedelta(seconds=int(body.get("expires_in", 0)))


def _json(answer: Answer, call: str) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderUnavailableError(f"{call} answered {answer.status} with a garbled body")
    return body


def _text(body: Mapping[str, Any], key: str, call: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise ProviderUnavailableError(f"{call} answered without {key}")
    return value
