"""The first way to connect: a person agrees, and a refresh token keeps the connection (authorization code grant)."""

from __future__ import annotations

from shared.domain.cash.signing import SigningAccount
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Chance, Clock
from shared.providers.call_record import OnCall
from shared.providers.docusign.account_server import AccountServer, OAuthClient
from shared.providers.docusign.manifest import PRODUCTION, SCOPES, Endpoints
from shared.providers.wire import Wire


class DocuSignAuthorization:
    """`ports.Authorization` at DocuSign, for one integration key."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        endpoints: Endpoints = PRODUCTION,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet. endpoints: of the environment the integration key belongs to."""
        self._server = AccountServer(
            client, endpoints=endpoints, clock=clock, chance=chance, on_call=on_call, wire=wire
        )

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where to send the person. The code that comes back lives two minutes."""
        return self._server.consent_url(SCOPES, state=state, verifier=verifier, login_hint=login_hint)

    def exchange(self, *, code: str, verifier: str) -> Grant:
        """Trade the code of the redirect, once, and ask whose it is.

        Returns:
            account: the person's address; account_id: their user id. Which DocuSign account is used is asked with
            `accounts`.
        Raises:
            InputError: the code was used, is old, or belongs to another client.
            AdminActionError: integration key or secret.
            RateLimitedError, ProviderUnavailableError: the code may be used up; the person starts again.
        """
        return self._server.exchange(code, verifier, SCOPES)

    def refresh(self, refresh_token: str) -> AccessToken:
        """Mint an access token, good for 8 hours. DocuSign rotates the refresh token and gives it 30 more days.

        Raises:
            ConnectionRevokedError: `invalid_grant`, and nothing else.
            AdminActionError, RateLimitedError, ProviderUnavailableError.
        """
        return self._server.mint({"grant_type": "refresh_token", "refresh_token": refresh_token}, basic=True)

    def revoke(self, refresh_token: str) -> None:
        """End this grant; one that is gone already is success."""
        self._server.revoke(refresh_token)

    @reads
    def accounts(self, access_token: str) -> tuple[SigningAccount, ...]:
        """The accounts this person may use, for the choice on the set-up page; keep it, it is limited by the hour."""
        return self._server.person(access_token).accounts
