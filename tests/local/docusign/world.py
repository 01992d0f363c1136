"""A simulated DocuSign behind HTTP with one company in it, a receiver for its notices, and the product's way to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, request

from local.cloud.serving import running
from local.docusign.app import create_app
from local.docusign.connect import Notice
from local.docusign.sender import Post, status_of
from local.docusign.simulator import Simulator
from shared.domain.cash.signing import EnvelopeRequest, Signer, SigningAccount
from shared.ports.cash import Signing
from shared.ports.oauth import Grant
from shared.providers.call_record import CallRecord
from shared.providers.docusign.account_server import OAuthClient
from shared.providers.docusign.client import DocuSignHttp, Token
from shared.providers.docusign.jwt_grant import JwtGrant
from shared.providers.docusign.manifest import Endpoints
from shared.providers.docusign.oauth import DocuSignAuthorization
from shared.providers.docusign.signing import DocuSignSigning
from tests.fakes import START, FakeChance, FakeClock

CLIENT = OAuthClient("00000000-0000-4000-8000-00000000c11e", "hush", "https://crm.example/oauth_callback")
ACCOUNT = "aaaaaaaa-0000-4000-8000-000000000001"
SECOND_ACCOUNT = "aaaaaaaa-0000-4000-8000-000000000002"
USER = "bbbbbbbb-0000-4000-8000-000000000001"
TEMPLATE = "cccccccc-0000-4000-8000-000000000001"
VERIFIER = "v" * 43
KEYS = ["the old Connect key", "the new Connect key"]

SEED: dict[str, Any] = {
    "accounts": [
        {"account_id": ACCOUNT, "name": "Acme", "site": "na3", "hmac_keys": KEYS},
        {"account_id": SECOND_ACCOUNT, "name": "Acme Europe", "site": "eu"},
    ],
    "users": [
        {"user_id": USER, "name": "Ola Sender", "email": "ola@acme.example", "accounts": [ACCOUNT, SECOND_ACCOUNT]}
    ],
    "templates": [
        {
            "template_id": TEMPLATE,
            "account_id": ACCOUNT,
            "name": "Master services agreement",
            "text": ["Between Acme and {Company}, over {Amount} USD."],
            "roles": [
                # A template's own ids: not the order, and not what an application would choose.
                {"name": "Customer", "recipient_id": "41", "tabs": {"Company": "textTabs", "Amount": "numberTabs"}},
                {"name": "Acme", "recipient_id": "7", "tabs": {"Approved": "checkboxTabs"}},
            ],
        }
    ],
}

CUSTOMER = Signer("1", "Customer", "Kim Customer", "kim@customer.example", 1)
COUNTERSIGNER = Signer("2", "Acme", "Ola Sender", "ola@acme.example", 2, ours=True)


@cache
def private_key() -> bytes:
    """The RSA key of the integration key, PEM."""
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def public_key() -> str:
    public = serialization.load_pem_private_key(private_key(), None).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class InlineSender:
    """Posts at once, so that a test knows when everything was said."""

    def __init__(self) -> None:
        self._answers: list[tuple[Notice, int | None]] = []

    def send(self, post: Post) -> None:
        self._answers.append((post.notice, status_of(post)))

    def answers(self) -> list[tuple[Notice, int | None]]:
        answers, self._answers = self._answers, []
        return answers


@dataclass
class Receiver:
    """What the product's endpoint would see. statuses: answers to the next notices, 204 when there are none left."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("receiver")

        @app.post("/docusign_webhook/connection-1")
        def take() -> tuple[str, int]:
            self.received.append((dict(request.headers.items()), request.get_data()))
            return "", self.statuses.pop(0) if self.statuses else 204

        return app

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.received]


class World:
    """Everything a story needs. Time stands still until `clock` is told otherwise, for both sides."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.simulator = Simulator(base=self.clock.now, sender=InlineSender())
        self.receiver = Receiver()
        self.calls: list[CallRecord] = []
        self.url = ""

    def begin(self) -> None:
        """A fresh company, and nothing sent yet."""
        self.simulator.reset()
        self.clock.set(START)
        self.calls.clear()
        self.receiver.received.clear()
        self.receiver.statuses.clear()
        self.simulator.directory.seed(SEED)
        self.add_client(public_key="")

    def add_client(self, **more: str) -> None:
        spec = {
            "client_id": CLIENT.client_id,
            "client_secret": CLIENT.client_secret,
            "redirect_uris": [CLIENT.redirect_uri],
        }
        self.simulator.directory.add_client({**spec, **more})

    # ------------------------------------------------------------------------------------------------- the product

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.under(self.url)

    def authorization(self, client: OAuthClient = CLIENT) -> DocuSignAuthorization:
        return DocuSignAuthorization(
            client, clock=self.clock, chance=FakeChance(), on_call=self.calls.append, endpoints=self.endpoints
        )

    def jwt_grant(self, key: bytes | None = None, client: OAuthClient = CLIENT) -> JwtGrant:
        return JwtGrant(
            client,
            key or private_key(),
            clock=self.clock,
            chance=FakeChance(),
            on_call=self.calls.append,
            endpoints=self.endpoints,
        )

    def consent(self, url: str, decision: str = "allow") -> dict[str, str]:
        """Do what a person does on DocuSign's page; return the query of the way back."""
        asked = urlsplit(url)
        fields = {name: values[0] for name, values in parse_qs(asked.query).items()}
        form = urlencode({**fields, "user": USER, "decision": decision})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, location = self.ask("POST", asked.path, form, headers)
        assert status == 302, location
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def connect(self) -> Grant:
        authorization = self.authorization()
        back = self.consent(authorization.url(state="s1", verifier=VERIFIER, login_hint=None))
        return authorization.exchange(code=back["code"], verifier=VERIFIER)

    def access_token(self) -> str:
        directory = self.simulator.directory
        code = self.simulator.grants.allow(
            directory.clients[CLIENT.client_id], directory.users[USER], ("signature", "extended"), ""
        )
        client = {"client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret}
        form = {"grant_type": "authorization_code", "code": code, **client}
        return str(self.simulator.grants.token(form, host="")["access_token"])

    def account(self, account_id: str = ACCOUNT, site: str = "na3") -> SigningAccount:
        return SigningAccount(account_id, "Acme", f"{self.url}/{site}/restapi", is_default=True, production=False)

    def signing(self, token: Token | None = None, account: SigningAccount | None = None) -> Signing:
        good = self.access_token() if token is None else ""
        http = DocuSignHttp(
            token or (lambda _: good),
            account or self.account(),
            clock=self.clock,
            chance=FakeChance(),
            on_call=self.calls.append,
        )
        return DocuSignSigning(http)

    def request(self, intent: str = "intent-1", **changes: Any) -> EnvelopeRequest:
        """A contract from the template, to a customer and then to one of us."""
        fields: dict[str, Any] = {
            "intent": intent,
            "tenant": "acme",
            "contract_id": "contract-1",
            "subject": "Please sign our agreement",
            "message": "It was good to meet you.",
            "signers": (CUSTOMER, COUNTERSIGNER),
            "notify_url": self.receiver.url,
            "template_id": TEMPLATE,
            "prefill": {"Customer": {"Company": "Customer Ltd", "Amount": "22680.00"}, "Acme": {"Approved": "true"}},
            **changes,
        }
        return EnvelopeRequest(**fields)

    # --------------------------------------------------------------------------------------------------- the world

    def deliver(self) -> None:
        """Send what is due, until nothing is."""
        for _ in range(50):
            self.simulator.tick()
            if not any(notice.sending for notice in self.simulator.connect.waiting):
                return
        raise AssertionError("notices do not end")

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """One plain request; the status, and the place it leads to or the body."""
        connection = HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read().decode(errors="replace")
            return answer.status, answer.headers.get("Location", content)
        finally:
            connection.close()

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST to the control API; a refusal raises AssertionError with its sentence."""
        status, content = self.ask("POST", f"/control/{path}", json.dumps(body or {}))
        assert status == 200, content
        return json.loads(content)


@contextmanager
def running_world() -> Iterator[World]:
    """A world whose DocuSign and receiver serve on free ports."""
    world = World()
    with running(create_app(world.simulator)) as url, running(world.receiver.app()) as receiver:
        world.url = url
        world.receiver.url = f"{receiver}/docusign_webhook/connection-1"
        yield world
