"""OAuth 2.0 at Intuit: refresh tokens that change their value, end after 100 idle days and, at last, after five years.

Two refreshes at once are the way to lose a connection: the second sends a value that is used up, and Intuit may then
end both. Whoever calls `refresh` holds the connection's lease and stores the new value before anything else.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from shared.domain.values import dataclass
from shared.errors import AppError, InputError, ProviderUnavailableError
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Clock
from shared.providers import exact_json
from shared.providers.call_record import CallRecord, OnCall
from shared.providers.quickbooks.catalogue import BY_CODE, PROBLEMS
from shared.providers.quickbooks.errors import token_error, token_error_code
from shared.providers.quickbooks.manifest import MANIFEST, SCOPES, Endpoints
from shared.providers.wire import Answer, Wire

HARD_END_WANTED = {"x-include-refresh-token-hard-expires-in": "true"}


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The app an organization registered at Intuit. redirect_uri: exactly as registered."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """A person who agreed comes back with all three. account_id: the realmId of the company they chose."""

    state: str
    code: str
    account_id: str


def read_consent_answer(arguments: Mapping[str, str]) -> ConsentAnswer:
    """The query of the redirect. Raises: InputError with what to do, where the person or Intuit refused.

    Source: developer.intuit.com, "Set up OAuth 2.0": the redirect carries code, state and realmId.
    """
    error = arguments.get("error")
    if error is not None:
        problem = BY_CODE.get(error)
        sentence = f"{problem.sentence} {problem.action}" if problem else "Intuit did not give access."
        raise InputError(f"{sentence} Please start connecting again.")
    state, code, realm_id = (arguments.get(name, "") for name in ("state", "code", "realmId"))
    if not state or not code or not realm_id.isascii() or not realm_id.isdecimal():
        raise InputError("This link is not complete. Please start connecting again.")
    return ConsentAnswer(state, code, realm_id)


class QuickBooksAuthorization:
    """`ports.Authorization` at Intuit, for one OAuth client."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        clock: Clock,
        on_call: OnCall,
        endpoints: Endpoints = MANIFEST.endpoints,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet. wire: connections to share with others; own ones if left out."""
        self._client = client
        self._clock = clock
        self._on_call = on_call
        self._endpoints = endpoints
        self._wire = wire or Wire()

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where to send the person, who chooses one of their companies there.

        Intuit documents neither a code challenge nor a login hint; the client's secret and the state bind the flow.

        Args:
            state: comes back unchanged. verifier, login_hint: not used.
        Source:
            developer.intuit.com, "Set up OAuth 2.0", step "Prepare authorization request".
        """
        del verifier, login_hint
        query = {
            "client_id": self._client.client_id,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "redirect_uri": self._client.redirect_uri,
            "state": state,
        }
        return f"{self._endpoints.authorization}?{urlencode(query)}"

    def exchange(self, *, code: str, verifier: str, account_id: str = "") -> Grant:
        """Trade the code of the redirect, once.

        Args:
            account_id: the redirect's realmId; the token answer does not repeat it. verifier: not used.
        Returns:
            account, account_id: the realmId; the company's name is `QuickBooksLedger.company`. idle_end_at: 100 days
            ahead, moved by every refresh. hard_end_at: about five years after the person agreed.
        Raises:
            InputError: the code was used, is old, or the redirect named no company.
            AdminActionError: client id, secret or redirect address.
            RateLimitedError, ProviderUnavailableError: the code may be used up; the person starts again.
        Source:
            POST token -> {"access_token", "expires_in" (s), "refresh_token", "x_refresh_token_expires_in" (s),
            "x_refresh_token_hard_expires_in" (s, only with the header that asks for it)}.
        """
        del verifier
        if not account_id:
            raise InputError("Intuit did not say which company was chosen. Connect QuickBooks once more.")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._client.redirect_uri}
        answer = self._post_form(form, purpose="grant.exchanged")
        if answer.status != 200:
            if token_error_code(answer) == "invalid_grant":
                raise InputError(f"{PROBLEMS['code_used'].sentence} {PROBLEMS['code_used'].action}")
            raise self._refusal(answer, "grant.exchanged")
        body = _json(answer, "grant.exchanged")
        return Grant(
            account=account_id,
            account_id=account_id,
            hosted_domain=None,
            scopes=frozenset(SCOPES),
            access_token=_text(body, "access_token", "grant.exchanged"),
            expires_at=self._ends(body, "expires_in") or self._clock.now(),
            refresh_token=_text(body, "refresh_token", "grant.exchanged"),
            idle_end_at=self._ends(body, "x_refresh_token_expires_in"),
            hard_end_at=self._ends(body, "x_refresh_token_hard_expires_in"),
        )

    def refresh(self, refresh_token: str) -> AccessToken:
        """A new access token, good for an hour, and the refresh token to store from now on.

        Raises:
            ConnectionRevokedError: `invalid_grant`, and nothing else. No retry helps; the person must reconnect.
            AdminActionError: the client's keys are not accepted.
            RateLimitedError, ProviderUnavailableError: the token sent may be used up already; the same value is sent
                again, since Intuit keeps values for about a day.
        Source:
            developer.intuit.com, "Refresh the token": the refresh token of the latest answer is the one to keep.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = self._post_form(form, purpose="token.refreshed")
        if answer.status != 200:
            raise self._refusal(answer, "token.refreshed")
        body = _json(answer, "token.refreshed")
        return AccessToken(
            token=_text(body, "access_token", "token.refreshed"),
            expires_at=self._ends(body, "expires_in") or self._clock.now(),
            refresh_token=_text(body, "refresh_token", "token.refreshed"),
            idle_end_at=self._ends(body, "x_refresh_token_expires_in"),
            hard_end_at=self._ends(body, "x_refresh_token_hard_expires_in"),
        )

    def revoke(self, refresh_token: str) -> None:
        """End this connection of the company; one that is gone already (400) is success.

        Raises: RateLimitedError, ProviderUnavailableError.
        Source: POST revocation with JSON {"token"}; 200 without a body.
        """
        body = exact_json.dumps({"token": refresh_token})
        answer = self._post(self._endpoints.revocation, body, "application/json", {}, purpose="grant.revoked")
        if answer.status not in {200, 400}:
            raise self._refusal(answer, "grant.revoked")

    def _post_form(self, form: Mapping[str, str], *, purpose: str) -> Answer:
        content_type = "application/x-www-form-urlencoded"
        return self._post(self._endpoints.token, urlencode(form), content_type, HARD_END_WANTED, purpose=purpose)

    def _post(self, url: str, body: str, content_type: str, more: Mapping[str, str], *, purpose: str) -> Answer:
        pair = f"{self._client.client_id}:{self._client.client_secret}".encode()
        headers = {
            **more,
            "accept": "application/json",
            "authorization": f"Basic {base64.b64encode(pair).decode()}",
            "content-type": content_type,
        }
        started_at, started = self._clock.now(), time.monotonic()
        status, trace_id, word = 0, "", "no_answer"
        try:
            answer = self._wire.send("POST", url, headers=headers, body=body, call=f"quickbooks {purpose}")
            status, trace_id = answer.status, answer.headers.get("intuit_tid", "")
            word = "ok" if status == 200 else token_error_code(answer) or f"http_{status}"
        finally:
            self._on_call(
                CallRecord("quickbooks", purpose, word, status, started_at, time.monotonic() - started, trace_id)
            )
        return answer

    def _refusal(self, answer: Answer, purpose: str) -> AppError:
        return token_error(answer, call=purpose, now=self._clock.now())

    def _ends(self, body: Mapping[str, Any], key: str) -> datetime | None:
        seconds = body.get(key)
        return self._clock.now() + timedelta(seconds=int(seconds)) if isinstance(seconds, int | str) else None


def _json(answer: Answer, purpose: str) -> dict[str, Any]:
    try:
        body = exact_json.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderUnavailableError(f"quickbooks {purpose} answered {answer.status} with a garbled body")
    return body


def _text(body: Mapping[str, Any], key: str, purpose: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise ProviderUnavailableError(f"quickbooks {purpose} answered without {key}")
    return value
