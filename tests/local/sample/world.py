"""The sample company in memory: contacts saved, mailboxes filled and imported by the product's own use cases."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.google.accounts import Account, Alias
from local.google.gmail.model import Gmail
from local.sample.load import load_sample
from local.sample.model import Expected, Sample, SampleUser
from shared.csv_table import read_table
from shared.domain.backfill import window_start
from shared.domain.ledger import SeenRow
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.message import LoggedMessage
from shared.domain.settings import Organization
from shared.ports.tasks import Task
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.addresses import Addresses
from shared.records.mail import Messages
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.routes import Target, adding_route
from shared.records.seen import Seen
from shared.records.store import TenantStore
from shared.usecases.contact_figures import refresh_figures
from shared.usecases.import_contacts import ImportResult, import_contacts
from shared.usecases.mail.backfill_mailbox import backfill_page, start_backfill
from shared.usecases.mail.catch_up_mailbox import catch_up_mailbox
from shared.usecases.mail.ingest_messages import Item, ingest_messages
from shared.usecases.mail.join_threads import join_parent, join_threads
from shared.usecases.mail.open_mailbox import pin_cursor
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.mail.sync_mailbox import sync_mailbox
from shared.usecases.promises import keep_promise
from shared.usecases.reattach_contact import reattach_contact
from shared.usecases.save_contact import save_contact
from tests.fake_mailbox import FakeMailbox
from tests.fakes import FakeBlobs, FakeChance, FakeClock, FakeJitter, FakeTasks, MemoryDocuments
from tests.firestore_indexes import require_index

TENANT = "birchline"
KEY = b"s" * 32
MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


@dataclass
class SampleWorld:
    sample: Sample
    clock: FakeClock
    documents: MemoryDocuments
    tasks: FakeTasks
    gmail: Gmail
    boxes: dict[str, FakeMailbox]
    jitter: FakeJitter = field(default_factory=FakeJitter)
    chance: FakeChance = field(default_factory=FakeChance)
    blobs: FakeBlobs = field(default_factory=lambda: FakeBlobs(TENANT))
    gmail_ids: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def store(self) -> TenantStore:
        return TenantStore(self.documents, TENANT)

    def served(self, address: str) -> ServedMailbox:
        return ServedMailbox(
            store=self.store,
            mailbox_id=mailbox_id(address),
            gmail=self.boxes[address],
            tasks=self.tasks,
            blobs=self.blobs,
            clock=self.clock,
            chance=self.chance,
            jitter=self.jitter,
            quota_units_per_minute=6_000,
            prices=GMAIL_UNITS,
            sharers=lambda: 1,
        )

    def import_contacts(self) -> ImportResult:
        """The file first, then what a person types in."""
        table = read_table(self.sample.contacts_csv)
        result = import_contacts(
            self.store,
            table.header,
            table.rows,
            actor="u-nora",
            read_phone=lambda _typed: None,
            is_public_suffix=lambda _domain: False,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )
        for contact in self.sample.contacts_by_hand:
            save_contact(self.store, contact, actor="u-nora", tasks=self.tasks, clock=self.clock, jitter=self.jitter)
        self.drain()
        return result

    def fill(self) -> None:
        """Put every mailbox's mail in, and remember which Gmail id each copy got."""
        for address, seeds in self.sample.mailboxes.items():
            self.gmail.seed(address, seeds)
            stored = list(self.gmail.mailbox(address).messages.values())
            for expected, message in zip(self.expected_in(address), stored, strict=True):
                self.gmail_ids[address, expected.key] = message.id

    def backfill(self) -> None:
        """All mailboxes are connected at once and read six months back."""
        now = self.clock.now()
        for user in self.sample.users:
            pin_cursor(self.served(user.email))
            start_backfill(self.served(user.email), after=window_start(now, user.options.backfill_months), before=now)
        self.drain()

    def sync(self, address: str) -> None:
        sync_mailbox(self.served(address), wish=None)
        self.drain()

    def expected_in(self, address: str) -> list[Expected]:
        return [expected for expected in self.sample.expected if expected.mailbox == address]

    def row(self, address: str, key: str) -> SeenRow | None:
        """The ledger's row of one copy."""
        found = Seen(self.store, mailbox_id(address)).get(self.gmail_ids[address, key])
        return found.value if found else None

    def message(self, row: SeenRow, user: SampleUser) -> LoggedMessage:
        """What was posted for the row."""
        assert row.message_id is not None
        base = f"users/{user.user_id}/" if row.own_record else ""
        return Messages(self.store, base).get(row.message_id).value

    def contacts_on(self, message: LoggedMessage) -> list[str]:
        """Preferred addresses of the contacts whose timelines show it, sorted."""
        return sorted(stored.contact.emails[0] for stored in Contacts(self.store).get_all(message.contact_ids))

    def drain(self) -> None:
        for _ in range(5_000):
            due = self.tasks.due()
            if not due:
                later = self.tasks.pending()
                if not later or later[0].not_before is None:
                    return
                self.clock.set(max(self.clock.now(), later[0].not_before))
            for task in due:
                _run(self, task)
                self.tasks.done(task)
        raise AssertionError("the queues never run dry")


def sample_world(now: datetime = MONDAY) -> SampleWorld:
    """The company with its settings and users; contacts and mail come when the test says so."""
    sample = load_sample(now)
    clock = FakeClock(now)
    gmail = Gmail(clock.now, lambda _topic, _content: None, random.Random(7))
    for user in sample.users:
        aliases = [Alias(alias) for alias in user.aliases]
        gmail.open(Account(user.email, user.name, f"sub-{user.user_id}", "birchline.example", aliases=aliases))
    boxes = {user.email: FakeMailbox(gmail, user.email) for user in sample.users}
    world = SampleWorld(sample, clock, MemoryDocuments(require_index), FakeTasks(clock), gmail, boxes)
    company, store = sample.company, world.store
    organization = Organization(
        TENANT,
        company.name,
        KEY,
        internal_domains=company.internal_domains,
        group_addresses=company.group_addresses,
        never_log=company.never_log,
    )
    store.commit([Organizations(store).creating(organization)])
    for user in sample.users:
        _add_user(world, user)
    return world


def _add_user(world: SampleWorld, user: SampleUser) -> None:
    store, addresses = world.store, Addresses(world.store, KEY)
    mailbox = MailboxRecord(
        mailbox_id(user.email),
        user.email,
        user.record.viewer,
        f"n-{user.user_id}",
        Status.CONNECTED,
        frozenset(user.addresses),
        user.options,
    )
    store.commit([Users(store).creating(user.record), Mailboxes(store).creating(mailbox)])
    store.commit([addresses.adding(Known(one, "user", user.user_id)) for one in user.addresses])
    world.documents.commit([adding_route("gmail", user.email, Target(TENANT, mailbox.mailbox_id))])


def _run(world: SampleWorld, task: Task) -> None:
    payload = task.payload
    if "promise" in payload:
        keep_promise(world.store, payload["promise"], lambda: FOLLOW_UPS[task.function](world, payload))
    else:
        MAILBOX_WORK[task.function](_served(world, payload), payload)


def _served(world: SampleWorld, payload: Mapping[str, Any]) -> ServedMailbox:
    [address] = [address for address in world.boxes if mailbox_id(address) == payload["mailbox"]]
    return world.served(address)


def _ingest(served: ServedMailbox, payload: Mapping[str, Any]) -> None:
    ingest_messages(served, [Item(gmail_id, rev) for gmail_id, rev in payload["messages"]])


def _join(world: SampleWorld, payload: Mapping[str, Any]) -> None:
    user_id = payload["user"] or None
    if "parent" in payload:
        ids = {"message": payload["message"], "parent": payload["parent"]}
        join_parent(world.store, user_id=user_id, jitter=world.jitter, **ids)
        return
    join_threads(world.store, user_id=user_id, loser=payload["loser"], winner=payload["winner"], jitter=world.jitter)


def _catch_up(world: SampleWorld, payload: Mapping[str, Any]) -> None:
    emails = [email for kept in Contacts(world.store).get_all([payload["contact"]]) for email in kept.contact.emails]
    catch_up_mailbox(_served(world, payload), emails)


MAILBOX_WORK: Mapping[str, Callable[[ServedMailbox, Mapping[str, Any]], None]] = {
    "message_ingest": _ingest,
    "backfill_ingest": _ingest,
    "mailbox_backfill": lambda served, payload: backfill_page(served, payload["run"]),
    "mailbox_sync": lambda served, payload: sync_mailbox(served, wish=payload["wish"]),
}

FOLLOW_UPS: Mapping[str, Callable[[SampleWorld, Mapping[str, Any]], object]] = {
    "thread_join": _join,
    "contact_refresh": lambda world, payload: refresh_figures(world.store, payload["contact"], world.jitter),
    "mailbox_catch_up": _catch_up,
    "contact_reattach": lambda world, payload: reattach_contact(
        world.store,
        payload["contact"],
        keys=payload["keys"].split(),
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    ),
}
