"""What a request needs to be let in: a bearer token, or a signature of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from shared.ports.oauth import AccessToken
from shared.ports.time import Clock

RENEW_BEFORE_S = 300


class Access(Protocol):
    """One way in."""

    renewable: bool
    """Whether asking anew after a refusal can help."""

    def header(self, method: str, url: str) -> str:
        """The Authorization header of this one request. url: as it is sent, with its query."""
        ...

    def renew(self) -> None:
        """Forget what was refused."""
        ...


class BearerAccess:
    """An access token, asked for when needed and kept until five minutes before its end."""

    renewable = True

    def __init__(self, mint: Callable[[], AccessToken], *, clock: Clock) -> None:
        """mint: asks for a token; `ClientCredentialsGrant.mint`, or a cache that outlives this process around it."""
        self._mint = mint
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None

    def header(self, method: str, url: str) -> str:  # noqa: ARG002 - a bearer token is the same for all requests
        with self._lock:
            if self._token is None or self._ends_soon(self._token):
                self._token = self._mint()
            return f"Bearer {self._token.token}"

    def renew(self) -> None:
        with self._lock:
            self._token = None

    def _ends_soon(self, token: AccessToken) -> bool:
        return token.expires_at <= self._clock.now() + timedelta(seconds=RENEW_BEFORE_S)
