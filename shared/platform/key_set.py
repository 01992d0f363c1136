"""A published set of RSA keys that sign tokens, fetched once per instance and again when a new key shows up."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.errors import ProviderUnavailableError
from shared.ports.time import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ASK_AGAIN_AFTER = timedelta(minutes=1)
KEEP_FOR = timedelta(hours=1)
_TIMEOUT_S = 5.0
_LONGEST_ANSWER = 1_000_000

Fetch = Callable[[str], bytes]


class KeySet:
    """Keys by their id, from a JSON Web Key Set or from Google's map of id to X.509 certificate.

    A key that is not known causes one fetch, but never more than one a minute: strangers can make up key ids. A key
    that is no longer published is forgotten within the hour, unless the publisher is out of reach.
    """

    def __init__(self, url: str, clock: Clock, fetch: Fetch | None = None) -> None:
        self._url = url
        self._clock = clock
        self._fetch = fetch or fetched
        self._lock = Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._asked_at: datetime | None = None

    def key(self, key_id: str) -> RSAPublicKey | None:
        """The key, or None if nobody publishes it.

        Raises: ProviderUnavailableError if the keys could not be had yet.
        """
        with self._lock:
            now = self._clock.now()
            age = now - self._asked_at if self._asked_at else None
            if age is None or age >= KEEP_FOR or (key_id not in self._keys and age >= ASK_AGAIN_AFTER):
                self._refresh(now, needed=key_id not in self._keys)
            return self._keys.get(key_id)

    def _refresh(self, now: datetime, *, needed: bool) -> None:
        try:
            self._keys = parsed(self._fetch(self._url))
        except ProviderUnavailableError:
            if not self._keys:
                raise
            self._asked_at = now
            if needed:
                raise
        self._asked_at = now


def fetched(url: str) -> bytes:
    """The body a GET of `url` answers with. Raises: ProviderUnavailableError."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(_LONGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnavailableError(f"the keys at {parts.netloc} are out of reach") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ProviderUnavailableError(f"the keys at {parts.netloc} answered {answer.status}")
    return body


def parsed(body: bytes) -> dict[str, RSAPublicKey]:
    """RSA signing keys by id. Source: RFC 7517, and googleapis.com/oauth2/v1/certs.

    Raises: ProviderUnavailableError for anything else, as a half-deployed publisher is one that is not there.
    """
    try:
        found = json.loads(body)
        if "keys" in found:
            return {item["kid"]: _from_jwk(item) for item in found["keys"] if item.get("kty") == "RSA"}
        return {key_id: _from_certificate(pem) for key_id, pem in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderUnavailableError("the published keys cannot be read") from error


def _from_jwk(item: Mapping[str, Any]) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    return RSAPublicNumbers(_number(item["e"]), _number(item["n"])).public_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _from_certificate(pem: str) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("a key that is not RSA")
    return key
