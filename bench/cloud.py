"""A laptop cloud for benchmarks: on free ports, in a folder of its own, with an organization whose mailboxes connect.

Mailboxes connect as a person does it, through the consent page; contacts and users are written directly.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psutil
import urllib3
from google.cloud import firestore

from local.cloud.environment import CALLER, signing_key_file
from local.cloud.ports import HOST, PROJECT, Ports
from local.cloud.supervisor import Supervisor
from local.google.gmail.seed import SeedMessage
from local.identity.keys import SigningKey
from shared.domain.ids import short_id
from shared.domain.ledger import State
from shared.domain.mailbox import mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact, Role, User
from shared.domain.settings import Organization
from shared.platform.clock import SystemJitter
from shared.platform.firestore.documents import FirestoreDocuments
from shared.ports.documents import Write
from shared.records.addresses import Addresses
from shared.records.mailboxes import MailStreams
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.seen import Seen
from shared.records.store import TenantStore

ROOT = Path(__file__).resolve().parents[1]
TENANT = "bench"
INDEX_KEY = b"b" * 32
OWN_DOMAIN = "acme.example"
WRITES_A_COMMIT = 400
SEEDED_AT_ONCE = 500
QUOTA_VARIABLE = "GMAIL_QUOTA_UNITS_PER_MINUTE"
LOOK_EVERY_S = 0.005


class BenchCloud:
    """The running cloud and its one organization."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.ports = supervisor.ports
        self.key = SigningKey.load_or_create(signing_key_file(supervisor.data))
        self.http = urllib3.PoolManager(maxsize=20, retries=False)
        os.environ["FIRESTORE_EMULATOR_HOST"] = supervisor.environment["FIRESTORE_EMULATOR_HOST"]
        self.documents = FirestoreDocuments(firestore.Client(project=PROJECT), SystemJitter())
        self.store = TenantStore(self.documents, TENANT)
        organization = Organization(TENANT, "Acme", INDEX_KEY, internal_domains=frozenset({OWN_DOMAIN}))
        self.store.commit([Organizations(self.store).creating(organization)])

    # ------------------------------------------------------------------------------------------------ the organization

    def add_user(self, name: str, *, role: Role = Role.SALES_REP) -> str:
        """A user with an account at the simulated Google; returns the address, which is also the mailbox's."""
        address = f"{name}@{OWN_DOMAIN}"
        self.store.commit([Users(self.store).creating(User(f"u-{name}", name.capitalize(), address, role))])
        self.control("/accounts", {"email": address, "name": name.capitalize()})
        return address

    def add_contacts(self, emails: Sequence[str]) -> None:
        """Contacts that were there before everything else."""
        save_contacts(self.store, emails, INDEX_KEY)

    def connect(self, address: str) -> None:
        """Through oauth_start, the consent page and oauth_callback, as a browser does it."""
        begun = self.http.request("GET", self.url("oauth_start"), headers=self.signed_in(address))
        _require(begun.status == 200, f"oauth_start answered {begun.status}")
        cookie = begun.headers["Set-Cookie"].partition(";")[0]
        asked = urlsplit(begun.json()["url"])
        form = [*parse_qsl(asked.query), ("user", address), ("decision", "allow")]
        scopes = dict(parse_qsl(asked.query))["scope"].split()
        allowed = self.http.request(
            "POST",
            f"{asked.scheme}://{asked.netloc}{asked.path}",
            fields=[*form, *(("granted", scope) for scope in scopes)],
            encode_multipart=False,
            redirect=False,
        )
        _require(allowed.status == 302, f"the consent page answered {allowed.status}")
        back = self.http.request("GET", allowed.headers["Location"], headers={"Cookie": cookie}, redirect=False)
        _require(back.status == 302, f"oauth_callback answered {back.status}")

    def imported(self, address: str) -> bool:
        """The backfill has ended and no row of the ledger is queued."""
        run = MailStreams(self.store, mailbox_id(address)).backfill()
        return run is not None and run.value.finished_at is not None and self.queued(address) == 0

    def queued(self, address: str) -> int:
        """Rows of the ledger that still wait."""
        return Seen(self.store, mailbox_id(address)).count(state=State.QUEUED)

    def logged(self, address: str) -> int:
        """Rows of the ledger whose message is on a timeline."""
        return Seen(self.store, mailbox_id(address)).count(state=State.LOGGED)

    def seed(self, address: str, messages: Sequence[SeedMessage]) -> None:
        """Fill a mailbox without notices."""
        for start in range(0, len(messages), SEEDED_AT_ONCE):
            rows = [_seed_row(message) for message in messages[start : start + SEEDED_AT_ONCE]]
            self.control("/gmail/seed", {"email": address, "messages": rows})

    # --------------------------------------------------------------------------------------------------------- calling

    def url(self, function: str) -> str:
        return f"http://{HOST}:{self.ports.functions}/{function}"

    def signed_in(self, address: str, *, role: Role = Role.SALES_REP) -> dict[str, str]:
        """Headers of the person with this mailbox."""
        name = address.partition("@")[0]
        token = self.key.mint_user_token(f"u-{name}", address, TENANT, role.value, (), project=PROJECT)
        return {"Authorization": f"Bearer {token}"}

    def service_token(self, function: str) -> str:
        """What Pub/Sub, Cloud Tasks and Cloud Scheduler prove themselves with."""
        return self.key.mint_service_token(self.url(function), CALLER)

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The simulated Google's control API; GET without a body."""
        url = f"http://{HOST}:{self.ports.google}/control{path}"
        answer = self.http.request("GET", url) if body is None else self.http.request("POST", url, json=body)
        _require(answer.status == 200, f"{path} answered {answer.status}: {answer.data[:200]!r}")
        found: dict[str, Any] = answer.json()
        return found

    def gmail_use(self, address: str) -> dict[str, Any]:
        """Units, calls and refusals of one mailbox: see local/google/quota.py."""
        nothing = {"units_total": 0, "calls": {}, "units": {}, "refused": {}}
        found: dict[str, Any] = self.control("/quota")["gmail"].get(address, nothing)
        return found

    def cpu_s(self, part: str) -> float:
        """Processor seconds a part of the cloud ("functions_server", "google", ...) has used, its children included."""
        [head] = [child for child in psutil.Process().children() if f"local.{part}" in child.cmdline()]
        return sum(sum(one.cpu_times()[:2]) for one in (head, *head.children(recursive=True)))


@contextmanager
def running_cloud(*, quota_units_per_minute: int = 6_000, isolated: bool = False) -> Iterator[BenchCloud]:
    """The cloud while the block runs; simulator and product read the same quota."""
    before = {name: os.environ.get(name) for name in (QUOTA_VARIABLE, "FIRESTORE_EMULATOR_HOST")}
    os.environ[QUOTA_VARIABLE] = str(quota_units_per_minute)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            with Supervisor(Ports.free(), Path(folder), root=ROOT, isolated=isolated) as supervisor:
                yield BenchCloud(supervisor)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _seed_row(message: SeedMessage) -> dict[str, Any]:
    raw = message.raw if isinstance(message.raw, bytes) else message.raw.read()
    return {
        "raw_base64": base64.b64encode(raw).decode(),
        "labels": list(message.labels),
        "received_at": message.received_at.isoformat(),
        "thread_hint": message.thread_hint,
    }


def save_contacts(store: TenantStore, emails: Sequence[str], index_key: bytes) -> None:
    """Contacts and their address rows, a few hundred to a commit."""
    contacts, addresses = Contacts(store), Addresses(store, index_key)
    writes: list[Write] = []
    for email in emails:
        contact = Contact(short_id("c", "bench", email), email.partition("@")[0], "Customer", emails=(email,))
        writes += [contacts.creating(contact), addresses.adding(Known(email, "contact", contact.contact_id))]
        if len(writes) >= WRITES_A_COMMIT:
            store.commit(writes)
            writes = []
    if writes:
        store.commit(writes)


def wait_for(ready: Callable[[], object], *, within_s: float, every_s: float = LOOK_EVERY_S) -> None:
    """Raises: TimeoutError when it does not become true."""
    give_up_at = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"it did not happen within {within_s:.0f} s")
        time.sleep(every_s)


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise RuntimeError(problem)
