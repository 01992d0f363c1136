"""Plain HTTP to the simulated NetSuite, with a certificate of its own and PyJWT to sign."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from local.netsuite.simulator import Simulator
from shared.providers.wire import Answer, Wire
from tests.fakes import FakeClock

START = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
AUDIENCE = "https://9876543-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STRICT = {"X-NetSuite-PropertyNameValidation": "error"}

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class Caller:
    simulator: Simulator
    url: str
    clock: FakeClock
    wire: Wire = field(default_factory=Wire)
    bearer: str = ""

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A call below services/rest, signed in."""
        if not self.bearer:
            answer = self.token(self.assertion())
            self.bearer = json.loads(answer.body)["access_token"]
        return self.raw(method, path, body, {"Authorization": f"Bearer {self.bearer}", **headers})

    def raw(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        content = None if body is None else json.dumps(body)
        return self.wire.send(method, f"{self.url}/services/rest/{path}", headers=headers, body=content, call=path)

    def query(self, suiteql: str, **headers: str) -> Any:
        """SuiteQL; the answer's items, or its error code."""
        answer = self.send("POST", "query/v1/suiteql?limit=1000", {"q": suiteql}, **({"Prefer": "transient"} | headers))
        return rows(answer) if answer.status == 200 else code(answer)

    def control(self, path: str, **body: Any) -> Any:
        answer = self.wire.send("POST", f"{self.url}/control/{path}", body=json.dumps(body), call=path)
        return json.loads(answer.body)

    def token(self, assertion: str, **form: str) -> Answer:
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return self.wire.send(
            "POST",
            f"{self.url}/services/rest/auth/oauth2/v1/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(fields),
            call="token",
        )

    def assertion(self, *, key: Key | None = None, header: Mapping[str, str] | None = None, **claims: Any) -> str:
        """A right one, less what is changed."""
        mapped = self.control("certificates", client_id="client", certificate=certificate(own_key()))
        now_s = int(self.clock.now().timestamp())
        right = {"iss": "client", "scope": "rest_webservices", "aud": AUDIENCE, "iat": now_s, "exp": now_s + 300}
        headers = {"kid": mapped["certificate_id"], **(header or {})}
        return jwt.encode(right | claims, key or own_key(), algorithm="ES256", headers=headers)

    def id(self, kind: str, name: str) -> str:
        for record in self.simulator.books.all(kind):
            if name in (record.text("name"), record.text("itemId"), record.text("entityId")):
                return record.id
        raise LookupError(name)

    def invoice(self, **changes: Any) -> dict[str, Any]:
        """The body of a small invoice: 10 hours at 150."""
        line = {"item": {"id": self.id("serviceSaleItem", "Consulting hour")}, "quantity": 10}
        body = {
            "entity": {"id": self.id("customer", "Northwind Traders")},
            "externalId": "intent-1",
            "item": {"items": [line]},
        }
        return body | changes

    def only_invoice(self) -> Any:
        [record] = self.simulator.books.all("invoice")
        return json.loads(self.send("GET", f"record/v1/invoice/{record.id}?expandSubResources=true").body)


def code(answer: Answer) -> str:
    found: str = json.loads(answer.body)["o:errorDetails"][0]["o:errorCode"]
    return found


def rows(answer: Answer) -> list[dict[str, str]]:
    return [
        {name: value for name, value in item.items() if name != "links"} for item in json.loads(answer.body)["items"]
    ]


@cache
def own_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(key: Key, days: int = 720) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "caller")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=1))
        .not_valid_after(START + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()
