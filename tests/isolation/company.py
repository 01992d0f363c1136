"""An organization in which everything has happened once, and its twin in another tenant.

The stories are those of the worlds that tell of mail, meetings, contracts and money. Each is told anew for every
organization, so two of them have the same people, addresses, ids and the same accounts at the vendors, and share
nothing but queues and database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from shared.domain.connection import Connection, Credentials, connection_id
from shared.domain.delivery import KEPT_FOR, Delivery
from shared.domain.integration_call import IntegrationCall
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.people import Contact, Role, User
from shared.domain.settings import NeverLog
from shared.ports.documents import Create, Documents, Query
from shared.ports.secrets import Vault
from shared.records.connections import Connections
from shared.records.ledgers import IntegrationLog
from shared.records.mailboxes import Mailboxes
from shared.records.people import Users
from shared.records.store import TenantStore
from shared.records.todos import Todos
from shared.usecases.accept_delivery import BODY, DELIVERY
from shared.usecases.access_token import ACCESS_TOKEN, REFRESH_TOKEN
from shared.usecases.cash.decide_quote import DeedKind
from shared.usecases.cash.set_up_signing import set_keys
from tests import cash_world, contract_world
from tests.cash_world import LEDGER, CashWorld, sold
from tests.contract_world import CONNECTION as SIGNING
from tests.contract_world import ContractWorld
from tests.fake_signing import KEYS
from tests.fakes import FakeBlobs, FakeClock, FakeJitter, MemoryDocuments
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world
from tests.usecases.calendar.fake_calendar import FakeCalendar, event
from tests.usecases.calendar.fake_calendar import at as time_of
from tests.usecases.calendar.test_generations import fill
from tests.usecases.calendar.world import ANN_MAILBOX, ANN_STREAM, CARLA
from tests.usecases.calendar.world import World as Calendars

HOME = "acme"
"""The tenant in which the worlds tell their stories."""

PEOPLE = {
    "owner": User("u-anna", "Anna", ANNA, Role.SALES_REP),
    "rep": User("u-ben", "Ben", BEN, Role.SALES_REP),
    "manager": User("u-mia", "Mia", "mia@acme.example", Role.MANAGER, managed=frozenset({"u-anna"})),
    "other_manager": User("u-max", "Max", "max@acme.example", Role.MANAGER, managed=frozenset({"u-ben"})),
    "executive": User("u-eve", "Eve", "eve@acme.example", Role.EXECUTIVE),
    "admin": User("u-ada", "Ada", "ada@acme.example", Role.ADMIN),
    "finance": User("u-fiona", "Fiona", "fiona@acme.example", Role.FINANCE),
}
"""Who asks. Deals, contacts and mailboxes of the stories are the owner's; the manager manages the owner."""

GOOGLE = connection_id("google", "u-anna")
OUT, DRAFT, SENT = "d-out", "d-draft", "d-sent"
"""Deals whose contract is out for signature, is a draft, and whose quote waits for the customer."""


@dataclass
class Company:
    """One organization and the vendors it uses. ids: of its records, by what they are."""

    tenant: str
    store: TenantStore
    mail: MailWorld
    signing: ContractWorld
    money: CashWorld
    calendars: dict[str, FakeCalendar]
    blobs: FakeBlobs
    ids: Mapping[str, str]


def found(documents: Documents, tenant: str, vault: Vault) -> Company:
    """Put the organization with everything that happened in it into `documents`. vault: of the tenant."""
    mail, contracts, money, meetings = told_of_mail(), told_of_contracts(), told_of_money(), told_of_meetings()
    store, blobs = TenantStore(documents, tenant), FakeBlobs(tenant)
    kept: dict[str, Mapping[str, Any]] = {}
    for world in (mail, money, contracts, meetings):
        for path, fields in _copied(world.documents, tenant).items():  # type: ignore[arg-type]  # MemoryDocuments, each of them
            kept.setdefault(path, fields)
    documents.commit([Create(path, fields) for path, fields in kept.items()])
    for world in (mail, contracts):
        for key, content in world.blobs.contents().items():  # type: ignore[attr-defined]  # a FakeBlobs
            blobs.put(key.replace(f"{HOME}/", f"{tenant}/", 1), content, "application/octet-stream")
    clock = money.time
    _people(store, clock, vault)
    calendars = {ANN_MAILBOX: meetings.ann}
    return Company(
        tenant, store, mail, contracts, money, calendars, blobs, _ids(store, mail, contracts, money, meetings)
    )


def _copied(documents: MemoryDocuments, tenant: str) -> dict[str, Mapping[str, Any]]:
    """A world's documents under another tenant. What is sealed stays behind: it opens nowhere else."""
    copied = {}
    for path, fields in documents.dump().items():
        inside = path.removeprefix(f"tenants/{HOME}/")
        sealed = inside.startswith(("keys/", "deliveries/")) or "/secret/" in inside
        beside = inside.startswith("opportunities/d-1") and documents.get(f"tenants/{HOME}/signing_services/{SIGNING}")
        if path.startswith(f"tenants/{HOME}/") and not sealed and not beside:
            copied[f"tenants/{tenant}/{inside}"] = _moved(fields, tenant)
    return copied


NAMES = {"ann": "u-anna", "ann:full": "u-anna:full", "ben": "u-ben", "ben:full": "u-ben:full"}
"""Whom the story of the meetings calls otherwise."""


def _moved(value: Any, tenant: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _moved(kept, tenant) for name, kept in value.items()}
    if isinstance(value, list | tuple):
        return [_moved(kept, tenant) for kept in value]
    if value == HOME:
        return tenant
    if isinstance(value, str) and value.startswith(f"{HOME}/"):
        return value.replace(HOME, tenant, 1)
    return NAMES.get(value, value) if isinstance(value, str) else value


# ------------------------------------------------------------------------------------------------------- the stories


def told_of_mail() -> MailWorld:
    """Mail that was logged, left out, kept private and could not be read; Anna's own contact; a shared address."""
    world = mail_world(contacts=(CARL,))
    world.contact(DORA, owner_id="u-anna")
    world.options(ANNA, never_log=NeverLog(addresses=frozenset({"doctor@clinic.example"})))
    world.options(BEN, own_record=True)
    world.arrives(subject="Offer", to=[ANNA, BEN], text="words " * 20_000, message_id="offer@x")
    world.arrives(sender=DORA, subject="Dora asks", message_id="dora@x")
    world.arrives(sender="doctor@clinic.example", subject="Results", message_id="doctor@x")
    world.sends(ANNA, bcc=[BEN], subject="Between us", message_id="bcc@x")
    broken = world.arrives(subject="Broken", message_id="broken@x")
    world.box(ANNA).unreadable.add(world.gmail_id(broken))
    for address in (ANNA, BEN):
        world.sync(address)
    world.saves(Contact("c-twin", "Carla", "Customer", emails=(CARL, "carla.twin@customer.example")))
    world.drain()
    return world


def told_of_contracts() -> ContractWorld:
    """A signed contract, one that is out, a draft, and a quote that waits for its customer."""
    world = contract_world.contract_world()
    for deal_id in ("d-signed", OUT, DRAFT, SENT):
        world.add_deal(deal_id)
    world.signed(deal_id="d-signed")
    world.out(deal_id=OUT)
    world.contracts(world.accepted(deal_id=DRAFT))
    sent = world.sends_quote(world.quotes(contract_world.line(1, "100.00"), deal_id=SENT))
    world.decides(sent, DeedKind.OPEN)
    world.mailed.append(sent)
    world.quotes(contract_world.line(2, "50.00"), deal_id=SENT, key="k-2")
    return world


def told_of_money() -> CashWorld:
    """A won deal, its invoice in the ledger, partly paid."""
    world = sold()
    world.wins()
    world.books.pays(world.mirror().invoice.invoice_id, 4_000)
    world.hears_all()
    return world


def told_of_meetings() -> Calendars:
    """Anna's calendar lost all its meetings at once, and somebody is asked."""
    world = Calendars()
    fill(world, 6)
    world.ann.put(event("private", time_of(2026, 3, 9, 9), CARLA, private=True))
    world.connect()
    world.ann.expire_tokens()
    for event_id in ("private", *(f"m{number:03}" for number in range(6))):
        world.ann.vanish(event_id)
    world.read()
    return world


def _people(store: TenantStore, clock: FakeClock, vault: Vault) -> None:
    now = clock.now()
    for user in PEOPLE.values():
        users = Users(store)
        store.commit([users.updating(user) if users.find(user.user_id) else users.creating(user)])
    set_keys(store, SIGNING, tuple(KEYS), PEOPLE["admin"], vault=vault, clock=clock, jitter=FakeJitter())
    google = Connection(
        GOOGLE, "google", "u-anna", ANNA, f"sub-{ANNA}", frozenset({"mail"}), frozenset(), Status.CONNECTED, now
    )
    connections, mailboxes = Connections(store), Mailboxes(store)
    store.commit([connections.writing(google)])
    for mailbox in mailboxes.all():
        if mailbox.user_id == "u-anna":
            stored = mailboxes.get(mailbox.mailbox_id)
            store.commit([mailboxes.updating(replace(stored.value, connection_id=GOOGLE), stored.version)])
    for id_ in (GOOGLE, SIGNING, LEDGER):
        sealed = Credentials(
            vault.seal(id_, REFRESH_TOKEN, b"refresh"),
            vault.seal(id_, ACCESS_TOKEN, b"access"),
            now + timedelta(hours=1),
        )
        store.commit([connections.writing_credentials(id_, sealed, None)])
    call = IntegrationCall(LEDGER, "quickbooks", "read an invoice", "ok", 200, now, 0.1, "trace")
    signing_call = replace(call, connection_id=SIGNING, provider="docusign", purpose="send an envelope")
    log = IntegrationLog(store)
    store.commit([log.writing(call), log.writing(signing_call)])
    delivery = Delivery(
        "docusign", SIGNING, "event-1", "envelope-sent", now, now + KEPT_FOR, vault.seal(SIGNING, BODY, b"{}")
    )
    store.commit([Create(f"deliveries/{delivery.delivery_id}", DELIVERY.fields(delivery))])
    store.commit([Todos(store).asking("u-anna", "d-1", "Call Carla.", now, new=("call",))])


def _ids(
    store: TenantStore, mail: MailWorld, contracts: ContractWorld, money: CashWorld, meetings: Calendars
) -> dict[str, str]:
    def only(collection: str, **fields: str) -> str:
        where = tuple((name, "==", value) for name, value in fields.items())
        return store.find(Query(collection, where=where))[0].id  # type: ignore[arg-type]  # equality alone

    offer, dora = mail.message("offer@x"), mail.message("dora@x")
    assert offer is not None
    assert dora is not None
    return {
        "mailbox": mailbox_id(ANNA),
        "calendar mailbox": ANN_MAILBOX,
        "message": offer.message_id,
        "dora's message": dora.message_id,
        "notice": only("duplicates"),
        "entry": only("quarantine", kind="message"),
        "contact": "c-dora",
        "company": "co-globex",
        "deal": "d-1",
        "sent quote": only("quotes", deal_id=SENT, status="viewed"),
        "draft quote": only("quotes", deal_id=SENT, status="draft"),
        "accepted quote": only("quotes", deal_id="d-signed"),
        "signed contract": only("contracts", deal_id="d-signed"),
        "contract out": only("contracts", deal_id=OUT),
        "draft contract": only("contracts", deal_id=DRAFT),
        "intent": money.intent().intent_id,
        "invoice": money.mirror().key,
        "ledger": LEDGER,
        "signing": SIGNING,
        "pipeline": cash_world.PIPELINE,
        "token": contracts.mailed[0].link.rpartition("/")[2],
        "google": GOOGLE,
        "stream": ANN_STREAM,
        "channel": next(iter(meetings.ann.running())),
        "meeting": store.find(Query("meetings"))[0].id,
        "thread": offer.thread_id,
        "other thread": dora.thread_id,
        "key": dora.participant_keys[0],
        "gmail id": mail.gmail_id("offer@x"),
        "delivery": store.find(Query("deliveries"))[0].id,
    }
