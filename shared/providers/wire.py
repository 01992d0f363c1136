"""One HTTP exchange with a vendor, and nothing else: no retry, no redirect, no meaning.

urllib3 sends, and not the httplib2 that comes with the client library: httplib2 silently repeats a request whose answer
was lost, also one that must not happen twice, and is not thread-safe.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.domain.values import dataclass
from shared.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from urllib3 import PoolManager

TIMEOUT_S = 20.0

CONNECTIONS = 10
"""Kept open to each host; more are opened under load, and closed after use."""

# Google and others compress only for programs that say so in both.
_DEFAULT_HEADERS = {"accept-encoding": "gzip", "user-agent": "throughline (gzip)"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case; the body is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to vendors, kept open between requests. Threads share them."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        """timeout_s: for connecting, and for each wait for bytes."""
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._pool: PoolManager | None = None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        call: str,
    ) -> Answer:
        """Send one request, once. A connection that the vendor closed while it was idle is replaced before.

        Args:
            call: the name of the call, for error messages; URLs hold search words and stay out of them.
        Raises:
            ProviderUnavailableError: no answer within the timeout, or none that is HTTP; the vendor may have acted.
        """
        from urllib3.exceptions import HTTPError

        try:
            response = self._connections().request(
                method, url, headers={**_DEFAULT_HEADERS, **(headers or {})}, body=body, redirect=False, retries=False
            )
        except HTTPError as error:
            # "from None": the library's message may quote the address.
            raise ProviderUnavailableError(f"{call} was not answered: {type(error).__name__}") from None
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status, headers=lower, body=response.data)

    def _connections(self) -> PoolManager:
        with self._lock:
            if self._pool is None:
                import certifi
                import urllib3

                logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # at DEBUG it logs every URL
                self._pool = urllib3.PoolManager(
                    maxsize=CONNECTIONS, timeout=self._timeout_s, ca_certs=certifi.where(), cert_reqs="CERT_REQUIRED"
                )
            return self._pool
