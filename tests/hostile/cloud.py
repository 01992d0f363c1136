"""Every function behind its real door, over one company in memory: who may ask, and what came of it.

Functions are found from their manifests. Ports are the fakes of the other suites, merged into one company, so that a
request with a good proof meets records of every kind. What the company holds is put back after each request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import functions_framework
import pytest
from flask import Flask
from flask.testing import FlaskClient

from local.cloud.manifests import Manifest, load_manifests
from local.identity.keys import SigningKey
from shared import wiring
from shared.domain.mailbox import mailbox_id
from shared.errors import NotFoundError, ProviderUnavailableError
from shared.platform.identity import ServiceTokens, UserTokens
from shared.platform.key_set import KeySet
from shared.ports.documents import Replace
from shared.providers.wire import Answer, Wire
from shared.records.routes import Routes
from shared.usecases.cash.send_quote import SentQuote
from tests.cash_world import LEDGER, sold
from tests.contract_world import CONNECTION, TENANT, ContractWorld, contract_world, line
from tests.fake_signing import KEYS
from tests.fakes import START, FakeAuthorization, FakeBlobs, FakeClock, FakePublisher, FakeTasks, MemoryDocuments
from tests.mail_world import ANNA, BEN, mail_world
from tests.usecases.calendar.world import World as CalendarWorld

ROOT = Path(__file__).parents[2]
PROJECT = "hostile-project"
CALLER = f"functions@{PROJECT}.iam.example"
BASE_URL = "https://crm.example"
VERIFIER = "verifier-token-of-the-app"
PEOPLE = {"u-anna": "sales_rep", "u-fiona": "finance", "u-ada": "admin"}

MANIFESTS: Mapping[str, Manifest] = {manifest.name: manifest for manifest in load_manifests(ROOT / "functions")}
PUBLIC = sorted(name for name, manifest in MANIFESTS.items() if manifest.public)
PRIVATE = sorted(set(MANIFESTS) - set(PUBLIC))


class RestoredDocuments(MemoryDocuments):
    """A database that can be put back to how it was."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Any] = {}

    def remember(self) -> None:
        self._kept = {name: dict(rows) for name, rows in self._collections.items()}

    def restore(self) -> None:
        self._collections = {name: dict(rows) for name, rows in self._kept.items()}


class CountedBlobs(FakeBlobs):
    """A bucket that counts what is put into it."""

    changes = 0

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self.changes += 1
        super().put(key, content, content_type)

    def delete(self, key: str) -> None:
        self.changes += 1
        super().delete(key)


class DeadWire(Wire):
    """Reaches nobody, and counts the tries."""

    sent = 0

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        call: str,
    ) -> Answer:
        self.sent += 1
        raise ProviderUnavailableError(f"{call} was not answered")


class Nobody:
    """A mailbox, calendar or ledger that is not there: as with the real ones, the first call finds out."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def call(*_: object, **__: object) -> NoReturn:
            raise NotFoundError("nobody is there")

        return call


@dataclass
class Cloud:
    """The company and all its doors."""

    documents: RestoredDocuments
    tasks: FakeTasks
    blobs: CountedBlobs
    publisher: FakePublisher
    wire: DeadWire
    clock: FakeClock
    contracts: ContractWorld
    calendars: CalendarWorld
    quote: SentQuote
    key: SigningKey
    stranger: SigningKey
    mailboxes: Mapping[str, Any] = field(repr=False)
    ledger: Any = field(repr=False)

    def effects(self) -> tuple[int, ...]:
        """How much was ever written, queued, stored, published or sent."""
        signing_calls = len(self.contracts.docusign.wire.calls)
        ledger_calls = sum(self.ledger.calls.values())
        parts = (self.documents.writes, len(self.tasks.created), self.blobs.changes, len(self.publisher.published))
        return (*parts, self.wire.sent, signing_calls, ledger_calls)

    # --------------------------------------------------------------------------------------------------------- proofs

    def signed_in(self, user_id: str) -> str:
        """An ID token of one of PEOPLE."""
        return _user_token(self.key, user_id)

    def service_token(self, function: str) -> str:
        return _service_token(self.key, function)

    def forged_tokens(self, function: str) -> list[str]:
        """Tokens that are almost right for this function."""
        return _forged(self.key, self.stranger, function)

    def quote_path(self) -> str:
        """The path of the customer's link."""
        return self.quote.link.removeprefix(f"{BASE_URL}/quote_page")

    def channel_headers(self) -> dict[str, str]:
        """What Google sends for the open channel."""
        [running] = self.calendars.ann.running()
        channel = self.calendars.ann.channels[running]
        return {
            "X-Goog-Channel-ID": running,
            "X-Goog-Channel-Token": channel.token,
            "X-Goog-Resource-ID": f"resource of {channel.calendar_id}",
            "X-Goog-Resource-State": "exists",
            "X-Goog-Message-Number": "2",
        }

    def proof(self, function: str, body: bytes, person: str) -> tuple[str | None, dict[str, str]]:
        """The path, if it is part of the proof, and the headers that let this body in."""
        manifest = MANIFESTS[function]
        if function == "docusign_webhook":
            return f"/{TENANT}/{CONNECTION}", {"X-DocuSign-Signature-1": _hmac(KEYS[-1], body)}
        if function == "quickbooks_webhook":
            return None, {"intuit-signature": _hmac(VERIFIER, body)}
        if function == "calendar_push":
            return None, self.channel_headers()
        if function == "quote_page":
            return self.quote_path(), {}
        if manifest.public:
            return None, {"Authorization": f"Bearer {self.signed_in(person)}"}
        return None, {"Authorization": f"Bearer {self.service_token(function)}"}

    # ------------------------------------------------------------------------------------------------ what is secret

    @property
    def secrets(self) -> frozenset[str]:
        """What no answer may hold, whoever asks."""
        token = self.channel_headers()["X-Goog-Channel-Token"]
        return frozenset({*KEYS, VERIFIER, token, "refresh-secret", "access-secret", "k" * 32, str(ROOT), "Traceback"})

    @property
    def private_texts(self) -> frozenset[str]:
        """What nobody without a proof may read: addresses, names and sums of the company."""
        found: set[str] = set()
        for fields in self.documents.dump().values():
            found |= {text for text in _texts(fields) if "@" in text}
        return frozenset(found | {self.quote.link.rpartition("/")[2], "Carla", "121.11", "Globex"})


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, kept in value.items():
            yield from (name, *_texts(kept))
    elif isinstance(value, list):
        for kept in value:
            yield from _texts(kept)


def _hmac(key: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


@cache
def _user_token(key: SigningKey, user_id: str) -> str:
    email = f"{user_id}@acme.example"
    return key.mint_user_token(user_id, email, TENANT, PEOPLE[user_id], (), project=PROJECT, now=START)


@cache
def _service_token(key: SigningKey, function: str) -> str:
    return key.mint_service_token(f"{BASE_URL}/{function}", CALLER, now=START)


@cache
def _forged(key: SigningKey, stranger: SigningKey, function: str) -> list[str]:
    audience = f"{BASE_URL}/{function}"
    person = ("u-ada", "ada@acme.example", TENANT, "admin", ())
    deep = _part("[" * 6_000)
    good = key.mint_service_token(audience, CALLER, now=START)
    head, claims, signature = good.split(".")
    return [
        stranger.mint_service_token(audience, CALLER, now=START),
        stranger.mint_user_token(*person, project=PROJECT, now=START),
        key.mint_service_token(audience, "somebody@else.example", now=START),
        key.mint_service_token(f"{BASE_URL}/another", CALLER, now=START),
        key.mint_service_token(audience, CALLER),  # of another day
        key.mint_user_token(*person, project="another-project", now=START),
        f"{_part(json.dumps({'alg': 'none', 'kid': key.key_id}))}.{claims}.",
        f"{_part(json.dumps({'alg': 'HS256', 'kid': key.key_id}))}.{claims}.{signature}",
        f"{deep}.{claims}.{signature}",
        f"{deep[:4_000]}.{claims}.{signature}",
        f"{head}.{deep[:4000]}.{signature}",
        f"{head}.{claims}.{'A' * 9_000}",
        f"{head}.{claims}.",
        "..",
        "\udcff.\x00.é".encode("utf-8", "replace").decode("latin-1"),
    ]


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


# ------------------------------------------------------------------------------------------------------- the company


def build_cloud(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Cloud:
    """Build the company and put it behind the functions' wiring."""
    key, stranger = (SigningKey.load_or_create(folder / name) for name in ("identity.pem", "stranger.pem"))
    mail, cash, contracts, calendars = mail_world(), sold(), contract_world(), CalendarWorld()
    calendars.connect()
    mail.arrives(subject="Hello")
    mail.sync()
    mail.drain()
    cash.wins()
    for number in range(2, 6):
        contracts.add_deal(f"d-{number}")
    contracts.out(line(1, "100.00"), deal_id="d-2", key="k-2")
    contracts.accepted(line(1, "100.00"), deal_id="d-3", key="k-3")
    contracts.contracts(contracts.accepted(line(1, "100.00"), deal_id="d-4", key="k-4"), key="k-4")
    contracts.quotes(line(1, "100.00"), deal_id="d-5", key="k-5")
    quote = contracts.sends_quote(contracts.quotes(line(2, "50.00"), line(1, "21.11", name="training")))
    documents = RestoredDocuments()
    for world in (mail, cash, calendars, contracts):
        for path, fields in world.documents.dump().items():  # type: ignore[attr-defined]  # all are in memory
            documents.commit([Replace(path, fields)])
    documents.remember()
    contracts.documents = documents
    blobs = CountedBlobs(TENANT)
    for name, content in contracts.blobs.contents().items():  # type: ignore[attr-defined]  # in memory
        blobs.put(name, content, "application/pdf")
    clock = FakeClock()
    cloud = Cloud(
        documents=documents,
        tasks=FakeTasks(clock),
        blobs=blobs,
        publisher=FakePublisher(),
        wire=DeadWire(),
        clock=clock,
        contracts=contracts,
        calendars=calendars,
        quote=quote,
        key=key,
        stranger=stranger,
        mailboxes={mailbox_id(ANNA): mail.anna, mailbox_id(BEN): mail.ben},
        ledger=cash.ledger,
    )
    _wire_up(cloud, monkeypatch)
    return cloud


def _wire_up(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "FUNCTIONS_BASE_URL": BASE_URL,
        "OIDC_CALLER": CALLER,
        "IDENTITY_PROJECT": PROJECT,
        "WEB_URL": "https://app.crm.example",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clock, world = cloud.clock, cloud.contracts
    keys = KeySet("https://keys.example", clock, fetch=lambda _: json.dumps(cloud.key.jwks()).encode())
    service_tokens = ServiceTokens(keys, frozenset({CALLER}), clock)
    user_tokens = UserTokens(keys, PROJECT, clock)
    authorization = FakeAuthorization(clock)

    def signing(tenant: str, connection_id: str) -> Any:
        if (tenant, connection_id) != (TENANT, CONNECTION):
            raise NotFoundError(f"connection {connection_id} does not exist")
        return world.signing

    def ledger(tenant: str, connection_id: str) -> Any:
        if (tenant, connection_id) != (TENANT, LEDGER):
            raise NotFoundError(f"connection {connection_id} does not exist")
        return cloud.ledger

    replaced: dict[str, Callable[..., Any]] = {
        "documents": lambda: cloud.documents,
        "routes": lambda: Routes(cloud.documents),
        "tasks": lambda: cloud.tasks,
        "blobs": lambda _: cloud.blobs,
        "publisher": lambda: cloud.publisher,
        "subscriptions": Nobody,
        "clock": lambda: clock,
        "chance": lambda: world.chance,
        "jitter": lambda: world.jitter,
        "vault": lambda _: world.vault,
        "wrapping_key": lambda: world.wrapping_key,
        "service_tokens": lambda: service_tokens,
        "user_tokens": lambda: user_tokens,
        "authorization": lambda *_: authorization,
        "_wire": lambda: cloud.wire,
        "gmail": lambda _, box: cloud.mailboxes.get(box) or Nobody(),
        "calendar": lambda *_: Nobody(),
        "signing": signing,
        "signing_accounts": lambda *_: lambda: (),
        "ledger": ledger,
        "open_ledger": lambda tenant: lambda connection_id: ledger(tenant, connection_id),
        "notice_keys": lambda _: (VERIFIER,),
    }
    for name, replacement in replaced.items():
        monkeypatch.setattr(wiring, name, replacement)
    wiring._connect_keys.cache_clear()
    wiring._address.cache_clear()


@cache
def app(function: str) -> Flask:
    """The function as the framework serves it."""
    made = functions_framework.create_app(function, str(ROOT / "functions" / function / "main.py"))  # type: ignore[no-untyped-call]  # it has no types
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework
    assert isinstance(made, Flask)
    return made


@cache
def client(function: str) -> FlaskClient:
    return app(function).test_client(use_cookies=False)
