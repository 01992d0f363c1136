"""Who is let in: access tokens bought with a signed assertion, and requests signed by OAuth 1.0a.

Both signatures are verified against what was registered beforehand, as NetSuite does; nothing is taken on trust.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.netsuite.errors import ApiError, ControlError, Json, TokenError

TOKEN_LIFETIME_S = 3600
LONGEST_ASSERTION_S = 3600
CLOCK_TOLERANCE_S = 300
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class Certificate:
    """A mapping of the client credentials set-up. public_key: PEM. algorithm: the one its key can sign with."""

    certificate_id: str
    client_id: str
    role: str
    public_key: str
    algorithm: str
    ends_at: str
    revoked: bool = False


@dataclass(slots=True)
class TokenPair:
    """An integration's consumer key with one token of it."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str
    role: str
    revoked: bool = False


@dataclass(slots=True)
class _Bearer:
    certificate_id: str
    ends_at: datetime


class Gate:
    """One account's door. Not thread-safe; its owner takes care.

    Args:
        account_id: with an underscore, "9876543_SB1": OAuth 1.0a names it as realm.
            Assertions are made out to its host, 9876543-sb1.suitetalk.api.netsuite.com.
    """

    def __init__(self, account_id: str, *, now: Callable[[], datetime], chance: random.Random) -> None:
        self._account_id = account_id
        host = f"{account_id.lower().replace('_', '-')}.suitetalk.api.netsuite.com"
        self._audience = f"https://{host}/services/rest/auth/oauth2/v1/token"
        self._now = now
        self._chance = chance
        self.certificates: dict[str, Certificate] = {}
        self.tokens: dict[str, TokenPair] = {}
        self._bearers: dict[str, _Bearer] = {}
        self._nonces: set[tuple[str, str]] = set()

    # -------------------------------------------------------------------------------------------------- registration

    def map_certificate(self, client_id: str, pem: str, role: str) -> Certificate:
        """Raises: ControlError for a certificate that NetSuite does not take."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError as wrong:
            raise ControlError(f"that is no certificate in PEM form: {wrong}") from wrong
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size in {3072, 4096}:
            algorithm = "PS256"
        elif isinstance(key, ec.EllipticCurvePublicKey) and key.key_size == 256:
            algorithm = "ES256"
        else:
            raise ControlError("the key must be RSA of 3072 or 4096 bits, or EC on P-256")
        two_years = self._now() + timedelta(days=730)
        mapped = Certificate(
            certificate_id=self._random(43),
            client_id=client_id,
            role=role,
            public_key=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            algorithm=algorithm,
            ends_at=min(certificate.not_valid_after_utc, two_years).isoformat(),
        )
        self.certificates[mapped.certificate_id] = mapped
        return mapped

    def issue_tokens(self, role: str) -> TokenPair:
        """Issue what an administrator copies from NetSuite's page, once."""
        pair = TokenPair(self._random(64), self._random(64), self._random(64), self._random(64), role)
        self.tokens[pair.token_id] = pair
        return pair

    def revoke(self, name: str) -> None:
        """name: a certificate id or a token id. Raises: ControlError."""
        found = self.certificates.get(name) or self.tokens.get(name)
        if found is None:
            raise ControlError("there is no certificate or token of that id")
        found.revoked = True

    def expire_access_tokens(self) -> None:
        self._bearers.clear()

    # ------------------------------------------------------------------------------------------------ token endpoint

    def buy(self, form: Mapping[str, str]) -> Json:
        """A token for a signed assertion. Raises: TokenError."""
        if form.get("grant_type") != "client_credentials":
            raise TokenError("unsupported_grant_type")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenError("invalid_request")
        certificate = self._proven(form.get("client_assertion", ""))
        token = f"eyJ{self._random(120)}"
        self._bearers[token] = _Bearer(certificate.certificate_id, self._now() + timedelta(seconds=TOKEN_LIFETIME_S))
        return {"access_token": token, "expires_in": str(TOKEN_LIFETIME_S), "token_type": "Bearer"}

    def _proven(self, assertion: str) -> Certificate:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError:
            raise TokenError("invalid_request") from None
        certificate = self.certificates.get(str(header.get("kid")))
        if certificate is None or not self._is_valid(certificate):
            raise TokenError("invalid_client", 401)
        try:
            claims = jwt.decode(
                assertion,
                certificate.public_key,
                algorithms=[certificate.algorithm],
                audience=self._audience,
                # Times are checked below, by this account's clock.
                options={"require": ["iss", "aud", "iat", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError:
            raise TokenError("invalid_request") from None
        except jwt.InvalidTokenError:
            raise TokenError("invalid_client", 401) from None
        self._check_claims(claims, certificate)
        return certificate

    def _check_claims(self, claims: Mapping[str, Any], certificate: Certificate) -> None:
        now_s = self._now().timestamp()
        if claims["iss"] != certificate.client_id:
            raise TokenError("invalid_client", 401)
        if claims["exp"] - claims["iat"] >= LONGEST_ASSERTION_S or claims["exp"] <= now_s:
            raise TokenError("invalid_request")
        if claims["iat"] > now_s + CLOCK_TOLERANCE_S:
            raise TokenError("invalid_request")
        scope = claims.get("scope", "")
        if "rest_webservices" not in (scope.split(",") if isinstance(scope, str) else scope):
            raise TokenError("invalid_scope")

    def _is_valid(self, certificate: Certificate) -> bool:
        return not certificate.revoked and self._now() < datetime.fromisoformat(certificate.ends_at)

    # ------------------------------------------------------------------------------------------------- every request

    def role_of(self, method: str, url: str, authorization: str) -> str:
        """The role of whoever asks. url: whole, as it arrived. Raises: ApiError 401."""
        scheme, _, rest = authorization.partition(" ")
        if scheme == "Bearer":
            return self._role_of_bearer(rest)
        if scheme == "OAuth":
            return self._role_of_signature(method, url, rest)
        raise _refused()

    def _role_of_bearer(self, token: str) -> str:
        bearer = self._bearers.get(token)
        if bearer is None or bearer.ends_at <= self._now():
            raise _refused()
        certificate = self.certificates[bearer.certificate_id]
        if not self._is_valid(certificate):
            raise _refused()
        return certificate.role

    def _role_of_signature(self, method: str, url: str, rest: str) -> str:
        sent = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        values = {name: unquote(value.strip('"')) for name, value in sent.items()}
        pair = self.tokens.get(values.get("oauth_token", ""))
        if pair is None or pair.revoked or values.get("oauth_consumer_key") != pair.consumer_key:
            raise _refused()
        if values.pop("realm", "") != self._account_id or values.get("oauth_signature_method") != "HMAC-SHA256":
            raise _refused()
        given = values.pop("oauth_signature", "")
        if not hmac.compare_digest(given.encode(), _signature(method, url, values, pair).encode()):
            raise _refused()
        self._check_fresh(values)
        return pair.role

    def _check_fresh(self, values: Mapping[str, str]) -> None:
        timestamp, nonce = values.get("oauth_timestamp", ""), values.get("oauth_nonce", "")
        if not timestamp.isdecimal() or abs(self._now().timestamp() - int(timestamp)) > CLOCK_TOLERANCE_S:
            raise _refused()
        if not nonce or (timestamp, nonce) in self._nonces:
            raise _refused()
        self._nonces.add((timestamp, nonce))

    def _random(self, length: int) -> str:
        return "".join(self._chance.choices("0123456789abcdef", k=length))

    # ------------------------------------------------------------------------------------------------ keeping, by file

    def dump(self) -> Json:
        return {
            "certificates": [asdict(certificate) for certificate in self.certificates.values()],
            "tokens": [asdict(pair) for pair in self.tokens.values()],
        }

    def load(self, state: Json) -> None:
        self.certificates = {kept["certificate_id"]: Certificate(**kept) for kept in state["certificates"]}
        self.tokens = {kept["token_id"]: TokenPair(**kept) for kept in state["tokens"]}


def _signature(method: str, url: str, oauth: Mapping[str, str], pair: TokenPair) -> str:
    """RFC 5849, 3.4: what the signature must be."""
    address = urlsplit(url)
    everything = list(oauth.items()) + parse_qsl(address.query, keep_blank_values=True)
    normalized = "&".join("=".join(pair) for pair in sorted((_enc(name), _enc(value)) for name, value in everything))
    base = "&".join([method, _enc(f"{address.scheme}://{address.netloc}{address.path}"), _enc(normalized)])
    secret = f"{_enc(pair.consumer_secret)}&{_enc(pair.token_secret)}".encode()
    return base64.b64encode(hmac.digest(secret, base.encode(), hashlib.sha256)).decode()


def _enc(text: str) -> str:
    return quote(text, safe="~")


def _refused() -> ApiError:
    return ApiError(
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles "
        "> User Management > View Login Audit Trail.",
    )
