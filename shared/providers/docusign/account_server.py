"""DocuSign's account server: codes and tokens, and which accounts a person has. Shared by both grants."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared.domain.cash.signing import SigningAccount
from shared.domain.values import dataclass
from shared.errors import AppError, InputError, ProviderUnavailableError
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Chance, Clock
from shared.providers.call_record import OnCall
from shared.providers.docusign.catalogue import PROBLEMS
from shared.providers.docusign.client import ReportedWire
from shared.providers.docusign.errors import error_code, token_error
from shared.providers.docusign.manifest import Endpoints
from shared.providers.wire import Answer, Wire
from shared.providers.words import spoken

GONE_ALREADY = frozenset({"invalid_token", "invalid_grant"})


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An integration key with its secret. redirect_uri: exactly as registered."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whose token it is: the user's id and address, and the accounts they may use."""

    user_id: str
    email: str
    accounts: tuple[SigningAccount, ...]


class AccountServer:
    """One account server and one integration key."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        endpoints: Endpoints,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        wire: Wire | None = None,
    ) -> None:
        self.client = client
        self.endpoints = endpoints
        self._clock = clock
        self._chance = chance
        self._wire = ReportedWire(wire, clock=clock, on_call=on_call)

    def consent_url(self, scopes: Sequence[str], *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where the person agrees. Source: developers.docusign.com/platform/auth/authcode; RFC 7636 (S256)."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "scope": " ".join(scopes),
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if login_hint:
            query["login_hint"] = login_hint
        return f"{self.endpoints.authorization}?{urlencode(query)}"

    def exchange(self, code: str, verifier: str, scopes: Sequence[str]) -> Grant:
        """Trade a code, and ask whose it is. scopes: as asked for, which is what was granted if the answer names none.

        Raises: InputError (the code is used or old), AdminActionError, RateLimitedError, ProviderUnavailableError.
        """
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        answer = self._post(self.endpoints.token, form, purpose="grant.exchanged", basic=True)
        if answer.status != 200:
            if error_code(answer) == "invalid_grant":
                raise InputError(spoken(PROBLEMS["code_used"]))
            raise self._refusal(answer, "grant.exchanged")
        body = _json(answer, "grant.exchanged")
        access_token = _text(body, "access_token", "grant.exchanged")
        person = self.person(access_token)
        return Grant(
            account=person.email,
            account_id=person.user_id,
            hosted_domain=None,
            scopes=frozenset(str(body.get("scope") or " ".join(scopes)).split()),
            access_token=access_token,
            expires_at=self._ends(body),
            refresh_token=body.get("refresh_token"),
        )

    def mint(self, form: Mapping[str, str], *, basic: bool) -> AccessToken:
        """Ask for an access token. basic: prove who we are by the secret; an assertion proves it by itself.

        Raises: ConnectionRevokedError, AdminActionError, RateLimitedError, ProviderUnavailableError.
        """
        answer = self._post(self.endpoints.token, form, purpose="token.minted", basic=basic)
        if answer.status != 200:
            raise self._refusal(answer, "token.minted")
        body = _json(answer, "token.minted")
        return AccessToken(
            token=_text(body, "access_token", "token.minted"),
            expires_at=self._ends(body),
            refresh_token=body.get("refresh_token"),
        )

    def person(self, access_token: str) -> Person:
        """Whose token it is. The answer changes rarely and is limited by the hour: keep it.

        Raises: RateLimitedError, ProviderUnavailableError.
        Source: GET /oauth/userinfo -> {"sub", "email", "accounts": [{"account_id", "account_name", "is_default",
            "base_uri"}]}; developers.docusign.com/platform/auth/reference/user-info.
        """
        headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
        answer = self._wire.send("GET", self.endpoints.userinfo, headers=headers, purpose="account.read")
        if answer.status == 401:
            raise ProviderUnavailableError("account.read answered 401: the token is refused")
        if answer.status != 200:
            raise self._refusal(answer, "account.read")
        body = _json(answer, "account.read")
        found = body.get("accounts")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return Person(
            user_id=_text(body, "sub", "account.read"),
            email=_text(body, "email", "account.read"),
            accounts=tuple(self._account(row) for row in rows),
        )

    def revoke(self, token: str) -> None:
        """End a grant; one that is gone already is success.

        Source: RFC 7009. A server without this address answers 404: the grant then ends 30 days after its last refresh.
        """
        answer = self._post(self.endpoints.revocation, {"token": token}, purpose="grant.revoked", basic=True)
        gone = answer.status == 404 or (answer.status == 400 and error_code(answer) in GONE_ALREADY)
        if answer.status not in {200, 204} and not gone:
            raise self._refusal(answer, "grant.revoked")

    def _account(self, row: Mapping[str, Any]) -> SigningAccount:
        base_uri = _text(row, "base_uri", "account.read").rstrip("/")
        if urlsplit(base_uri).scheme != urlsplit(self.endpoints.userinfo).scheme:
            raise ProviderUnavailableError("account.read answered with an address tokens must not go to")
        return SigningAccount(
            account_id=_text(row, "account_id", "account.read"),
            name=str(row.get("account_name", "")),
            base_url=f"{base_uri}/restapi",
            is_default=str(row.get("is_default")).lower() == "true",  # a boolean; seen as a text
            production=self.endpoints.production,
        )

    def _post(self, url: str, form: Mapping[str, str], *, purpose: str, basic: bool) -> Answer:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if basic:
            pair = f"{self.client.client_id}:{self.client.client_secret}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return self._wire.send("POST", url, headers=headers, body=urlencode(form), purpose=purpose)

    def _refusal(self, answer: Answer, purpose: str) -> AppError:
        return token_error(answer, purpose=purpose, now=self._clock.now(), fraction=self._chance.fraction())

    def _ends(self, body: Mapping[str, Any]) -> datetime:
        """expires_in: seconds, a number; it has been seen as a text."""
        seconds = str(body.get("expires_in", ""))
        return self._clock.now() + timedelta(seconds=int(seconds) if seconds.isdecimal() and len(seconds) < 9 else 0)


def _json(answer: Answer, purpose: str) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderUnavailableError(f"{purpose} answered {answer.status} with a garbled body")
    return body


def _text(body: Mapping[str, Any], key: str, purpose: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise ProviderUnavailableError(f"{purpose} answered without {key}")
    return value
