"""OAuth 2.0 client credentials with a certificate: we sign who we are, NetSuite answers a token good for an hour."""

from __future__ import annotations

import base64
import time
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from shared.domain.values import dataclass
from shared.errors import InputError, ProviderUnavailableError
from shared.ports.oauth import AccessToken
from shared.ports.time import Chance, Clock
from shared.providers import exact_json
from shared.providers.call_record import CallRecord, OnCall
from shared.providers.netsuite.account import Account
from shared.providers.netsuite.errors import token_error, token_error_code
from shared.providers.netsuite.manifest import ASSERTION_TYPE, PROVIDER, SCOPE, TRACE_HEADER
from shared.providers.wire import Answer, Wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

ASSERTION_LIFETIME_S = 300
"""NetSuite takes less than an hour; minutes are enough for one request, and a leaked assertion ends sooner."""

_PURPOSE = "token.issued"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """client_id: of the integration record. certificate_id: of the mapping. private_key: PEM; RSA of 3072 or 4096 bits,
    or EC on P-256."""

    client_id: str
    certificate_id: str
    private_key: bytes = field(repr=False)


class ClientCredentialsGrant:
    """Access tokens for one account."""

    def __init__(
        self,
        account: Account,
        credentials: ClientCredentials,
        *,
        clock: Clock,
        chance: Chance,
        on_call: OnCall,
        wire: Wire | None = None,
    ) -> None:
        """Nothing is sent yet. wire: connections to share with others; own ones if left out."""
        self._account = account
        self._credentials = credentials
        self._clock = clock
        self._chance = chance
        self._on_call = on_call
        self._wire = wire or Wire()

    def mint(self) -> AccessToken:
        """Ask for an access token. There is no refresh token; asking again is all there is.

        Raises:
            ConnectionRevokedError: the certificate or the integration is not accepted (any more).
            AdminActionError: `login_malformed`. InputError: the private key is none that NetSuite takes.
            RateLimitedError, ProviderUnavailableError.
        Source:
            POST token -> {"access_token", "expires_in": "3600", "token_type": "Bearer"}; section_162755359851.html.
        """
        now = self._clock.now()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signed_assertion(self._credentials, self._account.token_audience, now),
        }
        answer = self._post(urlencode(form), now)
        if answer.status != 200:
            raise token_error(answer, purpose=_PURPOSE, now=now, fraction=self._chance.fraction())
        return _token(answer, now)

    def _post(self, form: str, started_at: datetime) -> Answer:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        begin = time.monotonic()
        try:
            answer = self._wire.send("POST", self._account.token_url, headers=headers, body=form, call=_PURPOSE)
        except ProviderUnavailableError:
            self._report("no_answer", 0, started_at, begin, "")
            raise
        result = "ok" if answer.status == 200 else token_error_code(answer) or str(answer.status)
        self._report(result, answer.status, started_at, begin, answer.headers.get(TRACE_HEADER, ""))
        return answer

    def _report(self, result: str, status: int, started_at: datetime, begin: float, trace_id: str) -> None:
        duration_s = time.monotonic() - begin
        self._on_call(CallRecord(PROVIDER, _PURPOSE, result, status, started_at, duration_s, trace_id))


def signed_assertion(credentials: ClientCredentials, audience: str, now: datetime) -> str:
    """The JWT that proves who we are: PS256 for an RSA key, ES256 for an EC key.

    Raises: InputError for a key that NetSuite does not take.
    Source: section_162790605110.html ("The Request Token Structure"); RFC 7518, 3.4 and 3.5.
    """
    key = _private_key(credentials.private_key)
    issued_s = int(now.timestamp())
    header = {"typ": "JWT", "alg": _algorithm(key), "kid": credentials.certificate_id}
    claims = {
        "iss": credentials.client_id,
        "scope": SCOPE,
        "aud": audience,
        "iat": issued_s,
        "exp": issued_s + ASSERTION_LIFETIME_S,
    }
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_base64url(_signature(key, signed.encode()))}"


def _private_key(pem: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem, password=None)
    except (TypeError, ValueError) as error:
        raise InputError("That is no private key in PEM form without a password.") from error


def _algorithm(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPrivateKey) and key.key_size in {3072, 4096}:
        return "PS256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    raise InputError("NetSuite takes RSA keys of 3072 or 4096 bits, or EC keys on the curve P-256. Make a new one.")


def _signature(key: PrivateKeyTypes, content: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    sha256 = hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PSS(padding.MGF1(sha256), padding.PSS.DIGEST_LENGTH), sha256)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(sha256)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 wants both numbers side by side, not DER


def _token(answer: Answer, now: datetime) -> AccessToken:
    try:
        body = exact_json.loads(answer.body)
        token, lifetime_s = body["access_token"], int(body["expires_in"])
    except (ValueError, TypeError, KeyError):
        raise ProviderUnavailableError(f"netsuite {_PURPOSE} answered with a garbled body") from None
    return AccessToken(token=str(token), expires_at=now + timedelta(seconds=lifetime_s))


def _part(value: dict[str, Any]) -> str:
    return _base64url(exact_json.dumps(value).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
