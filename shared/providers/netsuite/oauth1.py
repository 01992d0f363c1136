"""OAuth 1.0a ("token-based authentication"): every request carries its own HMAC-SHA256 signature.

For accounts that still have it: NetSuite takes no new integrations of this kind from 2027.1 on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import field
from urllib.parse import parse_qsl, quote, urlsplit

from shared.domain.values import dataclass
from shared.ports.time import Chance, Clock
from shared.providers.netsuite.account import Account


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """The five values an administrator copies, less the account id."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    token_id: str
    token_secret: str = field(repr=False)


class SignedAccess:
    """`Access` by signature."""

    renewable = False

    def __init__(self, account: Account, credentials: TokenCredentials, *, clock: Clock, chance: Chance) -> None:
        self._account = account
        self._credentials = credentials
        self._clock = clock
        self._chance = chance

    def header(self, method: str, url: str) -> str:
        """Source: RFC 5849, 3.4 and 3.5.1, with HMAC-SHA256. A JSON body is not part of what is signed."""
        signed = {
            "oauth_consumer_key": self._credentials.consumer_key,
            "oauth_token": self._credentials.token_id,
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(int(self._clock.now().timestamp())),
            "oauth_nonce": self._chance.token(),
            "oauth_version": "1.0",
        }
        base = base_string(method, url, signed.items())
        key = f"{_escaped(self._credentials.consumer_secret)}&{_escaped(self._credentials.token_secret)}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
        # The realm is sent and not signed (RFC 5849, 3.4.1.3.1).
        sent = {"realm": self._account.account_id, **signed, "oauth_signature": base64.b64encode(digest).decode()}
        return "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in sent.items())

    def renew(self) -> None:
        """Nothing to forget: the next request is signed anew in any case."""


def base_string(method: str, url: str, oauth: Iterable[tuple[str, str]]) -> str:
    """What is signed: method, address without its query, and all parameters in order, those of the query included."""
    parts = urlsplit(url)
    parameters = [*oauth, *parse_qsl(parts.query, keep_blank_values=True)]
    ordered = sorted((_escaped(name), _escaped(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in ordered)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{method.upper()}&{_escaped(address)}&{_escaped(joined)}"


def _escaped(text: str) -> str:
    """RFC 3986: everything but letters, digits and -._~"""
    return quote(text, safe="-._~")
