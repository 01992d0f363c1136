"""Every function behind its own door, over several organizations: real requests and tokens, fakes for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.test import Client, TestResponse

from local.cloud.manifests import Manifest, load_manifests
from local.functions_server.apps import load_functions
from local.identity.keys import SigningKey
from shared import wiring
from shared.domain.mailbox import SERVED
from shared.domain.people import User
from shared.errors import ConnectionRevokedError
from shared.platform.identity import ServiceTokens, UserTokens
from shared.platform.key_set import KeySet
from shared.platform.vault import DataKeyCache, EnvelopeVault
from shared.ports.secrets import Vault
from shared.ports.tasks import Task
from shared.records.connections import Connections
from shared.records.mailboxes import Mailboxes
from shared.records.routes import Routes, Target, adding_route
from shared.records.store import TenantStore
from shared.usecases.access_token import Credit
from tests.contract_world import FakePaper
from tests.fake_signing import ACCOUNT
from tests.fakes import (
    START,
    FakeAuthorization,
    FakeBlobs,
    FakeChance,
    FakeClock,
    FakeJitter,
    FakePublisher,
    FakeTasks,
    FakeWrappingKey,
    MemoryDocuments,
)
from tests.firestore_indexes import require_index
from tests.isolation.company import Company, found
from tests.mail_world import ANNA, BEN
from tests.usecases.calendar.fake_calendar import FakeCalendar

FUNCTIONS = Path(__file__).parents[2] / "functions"
MANIFESTS: Mapping[str, Manifest] = {manifest.name: manifest for manifest in load_manifests(FUNCTIONS)}
PROJECT, CALLER, BASE = "crm", "functions@crm.iam.example", "https://crm.example"
VERIFIER = "verifier-token-of-the-app"
AT_WORK = START.replace(hour=15)
"""When people ask: after everything that is told has happened."""


class Unwatched:
    """Subscriptions that never expire."""

    def lives_for(self, _: str) -> None:
        """How long an idle one lives: for ever."""


@cache
def http() -> Client:
    return Client(load_functions(FUNCTIONS))


@cache
def signing_key() -> SigningKey:
    return SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@cache
def published() -> bytes:
    return json.dumps(signing_key().jwks()).encode()


@dataclass
class Stage:
    """The database, queues and buckets that organizations share, and the organizations."""

    documents: MemoryDocuments = field(default_factory=lambda: MemoryDocuments(require_index))
    clock: FakeClock = field(default_factory=lambda: FakeClock(AT_WORK))
    companies: dict[str, Company] = field(default_factory=dict)
    chance: FakeChance = field(default_factory=FakeChance)
    wrapping_key: FakeWrappingKey = field(default_factory=FakeWrappingKey)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    blobs: dict[str, FakeBlobs] = field(default_factory=dict)
    tasks: FakeTasks = field(init=False)
    authorizations: dict[str, FakeAuthorization] = field(default_factory=dict)
    keys: DataKeyCache = field(default_factory=DataKeyCache)

    def __post_init__(self) -> None:
        self.tasks = FakeTasks(self.clock)

    # ------------------------------------------------------------------------------------------------ who is there

    def founds(self, tenant: str) -> Company:
        """An organization in which everything has happened, with its routes."""
        company = found(self.documents, tenant, self.vault(tenant))
        self.companies[tenant] = company
        self.blobs[tenant] = company.blobs
        for address in (ANNA, BEN):
            self.routes(
                "gmail",
                address,
                tenant,
                next(m.mailbox_id for m in Mailboxes(company.store).all() if m.address == address),
            )
        self.routes("quickbooks", company.money.books.company().company_id, tenant, company.ids["ledger"])
        return company

    def routes(self, kind: str, key: str, tenant: str, record: str) -> None:
        self.documents.commit([adding_route(kind, key, Target(tenant, record))])

    def vault(self, tenant: str) -> Vault:
        return EnvelopeVault(self.documents, tenant, self.wrapping_key, self.clock, FakeChance(), self.keys)

    def store(self, tenant: str) -> TenantStore:
        return TenantStore(self.documents, tenant)

    # ------------------------------------------------------------------------------------------------ who asks, how

    def token(self, user: User, tenant: str, *, project: str = PROJECT) -> str:
        """What a person signed in brings. The role of the token is not the one that counts."""
        return signing_key().mint_user_token(
            user.user_id, user.email, tenant, "admin", [], project=project, now=self.clock.now()
        )

    def asks(self, function: str, user: User, tenant: str, **request: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token(user, tenant)}", **request.pop("headers", {})}
        return self.calls(function, headers=headers, **request)

    def calls(self, function: str, *, path: str = "", method: str = "POST", **request: Any) -> TestResponse:
        """One request."""
        return http().open(f"/{function}{path}", method=method, **request)

    def service_headers(self, function: str) -> dict[str, str]:
        token = signing_key().mint_service_token(f"{BASE}/{function}", CALLER, now=self.clock.now())
        return {"Authorization": f"Bearer {token}"}

    def dispatches(self, function: str, payload: Mapping[str, Any], *, name: str = "task-1") -> TestResponse:
        """A task, as its queue brings it."""
        queue = {"X-CloudTasks-TaskName": name, "X-CloudTasks-QueueName": MANIFESTS[function].queue or ""}
        return self.calls(function, json=payload, headers={**self.service_headers(function), **queue})

    def schedules(self, function: str, at: datetime | None = None) -> TestResponse:
        job = {
            "X-CloudScheduler-JobName": function,
            "X-CloudScheduler-ScheduleTime": (at or self.clock.now()).isoformat(),
        }
        return self.calls(function, headers={**self.service_headers(function), **job})

    def pushes(self, function: str, body: Mapping[str, Any]) -> TestResponse:
        return self.calls(function, json=body, headers=self.service_headers(function))

    def works(self, only: Callable[[Task], bool] = lambda _: True) -> None:
        """Every task that is due goes through its function, until none is left."""
        for _ in range(500):
            due = [task for task in self.tasks.due() if only(task)]
            if not due:
                return
            for task in due:
                answer = self.dispatches(task.function, task.payload, name=task.name)
                assert answer.status_code == 204, (task.function, answer.status_code)
                self.tasks.done(task)
        raise AssertionError("the queues never run dry")

    # -------------------------------------------------------------------------------------------- what is written

    def inside(self, tenant: str) -> dict[str, Any]:
        """Everything an organization has: its documents and blobs, and what is queued for it."""
        documents = self.documents.dump()
        mine = {path: fields for path, fields in documents.items() if path.startswith(f"tenants/{tenant}/")}
        routes = {
            (path, target["mailbox"])
            for path, fields in documents.items()
            if path.startswith("routes/")
            for target in fields["targets"]
            if target["tenant"] == tenant
        }
        queued = [task for task in self.tasks.created if task.payload.get("tenant") == tenant]
        bucket = self.blobs[tenant].contents() if tenant in self.blobs else {}
        return {"documents": mine, "routes": routes, "queued": queued, "blobs": bucket}

    # ----------------------------------------------------------------------------------------------- the wiring of it

    def wire(self, patch: pytest.MonkeyPatch) -> Stage:
        """Let all functions work on this stage."""
        for cached in (wiring._connect_keys, wiring._address, wiring._call_log):
            cached.cache_clear()
        for name, value in {
            "PUBLIC_BASE_URL": BASE,
            "FUNCTIONS_BASE_URL": BASE,
            "WEB_URL": "https://app.crm.example",
        }.items():
            patch.setenv(name, value)
        keys = KeySet("", self.clock, fetch=lambda _: published())
        services, users = ServiceTokens(keys, frozenset({CALLER}), self.clock), UserTokens(keys, PROJECT, self.clock)
        routes, jitter, paper = Routes(self.documents), FakeJitter(), FakePaper()
        for name, built in {
            "project": lambda: PROJECT,
            "documents": lambda: self.documents,
            "routes": lambda: routes,
            "tasks": lambda: self.tasks,
            "publisher": lambda: self.publisher,
            "subscriptions": lambda: Unwatched(),
            "blobs": lambda tenant: self.blobs.setdefault(tenant, FakeBlobs(tenant)),
            "clock": lambda: self.clock,
            "chance": lambda: self.chance,
            "jitter": lambda: jitter,
            "service_tokens": lambda: services,
            "user_tokens": lambda: users,
            "wrapping_key": lambda: self.wrapping_key,
            "vault": self.vault,
            "authorization": self.authorization,
            "keys_credit": lambda tenant, *_: self.credit(tenant),
            "ledger_credit": lambda tenant, _: self.credit(tenant),
            "gmail": self.gmail,
            "calendar": self.calendar,
            "signing": self.signing,
            "signing_accounts": lambda *_: lambda: (ACCOUNT,),
            "ledger": lambda tenant, id_: self.ledger(tenant, id_, served=False),
            "open_ledger": lambda tenant: lambda id_: self.ledger(tenant, id_, served=True),
            "papers": lambda: paper,
            "notice_keys": lambda _: (VERIFIER,),
        }.items():
            patch.setattr(wiring, name, built)
        return self

    def authorization(self, provider: str = "google", tenant: str | None = None) -> FakeAuthorization:
        return self.authorizations.setdefault(tenant or "", FakeAuthorization(self.clock))

    def credit(self, tenant: str) -> Credit:
        vault = self.vault(tenant)
        return Credit(self.store(tenant), vault, self.authorization("", tenant), self.clock, self.chance, FakeJitter())

    def gmail(self, tenant: str, mailbox_id: str) -> Any:
        """The mailbox at Gmail, reached only through the organization's own record of it, as its token is."""
        return Reached(lambda: self._box(tenant, mailbox_id))

    def _box(self, tenant: str, mailbox_id: str) -> Any:
        record = Mailboxes(self.store(tenant)).get(mailbox_id).value
        return self.companies[tenant].mail.box(record.address)

    def calendar(self, tenant: str, mailbox_id: str) -> Any:
        return Reached(lambda: self._calendar(tenant, mailbox_id))

    def _calendar(self, tenant: str, mailbox_id: str) -> FakeCalendar:
        record = Mailboxes(self.store(tenant)).get(mailbox_id).value
        known = self.companies[tenant].calendars
        return known.setdefault(mailbox_id, FakeCalendar(self.clock, record.address))

    def signing(self, tenant: str, connection_id: str) -> Any:
        self._require_served(tenant, connection_id)
        return self.companies[tenant].signing.docusign

    def ledger(self, tenant: str, connection_id: str, *, served: bool) -> Any:
        if served:
            self._require_served(tenant, connection_id)
        else:
            Connections(self.store(tenant)).get(connection_id)
        return self.companies[tenant].money.books

    def _require_served(self, tenant: str, connection_id: str) -> None:
        if Connections(self.store(tenant)).get(connection_id).value.status not in SERVED:
            raise ConnectionRevokedError(f"connection {connection_id} waits for a person")


class Reached:
    """A vendor's mailbox that is looked for when it is first used, as an access token is."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: getattr(self._find(), name)(*args, **kwargs)
