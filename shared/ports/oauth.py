"""What a person's consent at a vendor brings, and how it is renewed and ended."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code exchange brought. `refresh_token` is None where the vendor gave none this time.

    idle_end_at: when the refresh token dies unless it is used; hard_end_at: when a person must reconnect, used or not;
    None where the vendor did not say.
    """

    account: str
    account_id: str
    hosted_domain: str | None
    scopes: frozenset[str]
    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(repr=False)
    idle_end_at: datetime | None = None
    hard_end_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends. `refresh_token` is set where the vendor rotated it; the other two: see `Grant`."""

    token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    idle_end_at: datetime | None = None
    hard_end_at: datetime | None = None


class Authorization(Protocol):
    """OAuth 2.0 code grant at one vendor."""

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        """Where to send the person; carries the S256 challenge of `verifier`."""
        ...

    def exchange(self, *, code: str, verifier: str) -> Grant:
        """Trade the code, once.

        Raises: InputError (the code is used, old or not ours), ProviderUnavailableError (the code may be used up).
        """
        ...

    def refresh(self, refresh_token: str) -> AccessToken:
        """A new access token.

        Raises: ConnectionRevokedError (invalid_grant and nothing else), ProviderUnavailableError, RateLimitedError.
        """
        ...

    def revoke(self, refresh_token: str) -> None:
        """End the whole grant of this person to our project; one that is gone already is success."""
        ...
