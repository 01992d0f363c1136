"""A small company in memory: an organization, two users with mailboxes, contacts, and queues that a test drains.

Everything is a fake of a port; the use cases and records are the product's own. `run_task` is the functions' wiring
without HTTP.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from local.google.accounts import Account, Alias
from local.google.gmail.compose import MailFields
from local.google.gmail.model import Gmail
from shared.domain.ids import digest
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact, Role, User
from shared.domain.settings import MailOptions, Organization
from shared.domain.timeline import Entry
from shared.errors import AdminActionError, ConnectionRevokedError, RateLimitedError
from shared.ports import Blobs, Chance, Clock, Documents, Jitter, Mailbox, Task, Tasks
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.addresses import Addresses
from shared.records.mail import Messages, Timelines, contact_owner, user_owner
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.seen import Seen
from shared.records.store import TenantStore
from shared.records.routes import Target, adding_route
from shared.usecases.contact_figures import refresh_figures
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.mail.backfill_mailbox import backfill_page
from shared.usecases.mail.catch_up_mailbox import catch_up_mailbox
from shared.usecases.mail.ingest_messages import Item, ingest_messages
from shared.usecases.mail.join_threads import join_threads
from shared.usecases.mail.open_mailbox import pin_cursor, renew_watch
from shared.usecases.mail.poll_mailbox import poll_mailbox
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.mail.sync_mailbox import sync_mailbox
from shared.usecases.promises import keep_promise
from shared.usecases.reattach_contact import reattach_contact
from shared.usecases.save_contact import save_contact
from tests.fake_mailbox import FakeMailbox
from tests.fakes import FakeBlobs, FakeChance, FakeClock, FakeJitter, FakeTasks, MemoryDocuments

TENANT = "acme"
KEY = b"k" * 32
ANNA, BEN = "anna@acme.example", "ben@acme.example"
CARL = "carl@customer.example"
DORA = "dora@customer.example"


@dataclass
class MailWorld:
    """Ports as fields, so that a harness can stand before each. anna and ben are the two mailboxes."""

    documents: Documents
    tasks: Tasks
    blobs: Blobs
    clock: Clock
    chance: Chance
    jitter: Jitter
    anna: Mailbox
    ben: Mailbox
    gmail: Gmail = field(repr=False)
    notices: list[bytes] = field(default_factory=list)

    @property
    def store(self) -> TenantStore:
        return TenantStore(self.documents, TENANT)

    @property
    def time(self) -> FakeClock:
        assert isinstance(self.clock, FakeClock)
        return self.clock

    @property
    def queue(self) -> FakeTasks:
        return self.tasks  # type: ignore[return-value]  # a FakeTasks, maybe behind the harness's proxy

    def box(self, address: str) -> FakeMailbox:
        return self.anna if address == ANNA else self.ben  # type: ignore[return-value]  # as above

    def served(self, address: str = ANNA) -> ServedMailbox:
        return ServedMailbox(
            store=self.store,
            mailbox_id=mailbox_id(address),
            gmail=self.box(address),
            tasks=self.tasks,
            blobs=self.blobs,
            clock=self.clock,
            chance=self.chance,
            jitter=self.jitter,
            quota_units_per_minute=6_000,
            prices=GMAIL_UNITS,
        )

    # ------------------------------------------------------------------------------------------------------ the world

    def arrives(self, *, to: str | Sequence[str] = ANNA, sender: str = CARL, **fields: Any) -> str:
        """A message arrives at everyone named who has a mailbox here; returns its Message-ID without brackets."""
        at = fields.pop("at", None)
        labels = fields.pop("labels", ("INBOX", "UNREAD"))
        mail = MailFields(sender=sender, to=[to] if isinstance(to, str) else list(to), **_bracketed(fields))
        mail = replace(mail, message_id=mail.message_id or self.gmail.new_message_id(mail))
        self.gmail.deliver_fields(mail, labels=labels, at=at)
        return mail.message_id.strip("<>")

    def sends(self, sender: str = ANNA, *, to: str | Sequence[str] = CARL, **fields: Any) -> str:
        """A user sends from Gmail; colleagues among the recipients get their copies."""
        mail = MailFields(sender=sender, to=[to] if isinstance(to, str) else list(to), **_bracketed(fields))
        mail = replace(mail, message_id=mail.message_id or self.gmail.new_message_id(mail))
        self.gmail.send(sender, mail)
        return mail.message_id.strip("<>")

    def gmail_id(self, message_id: str, address: str = ANNA) -> str:
        """Gmail's id of a message in one mailbox."""
        found = self.gmail.list_messages(address, q=f"rfc822msgid:{message_id}", include_spam_trash=True)
        return str(found["messages"][0]["id"])

    def contact(self, email: str, *, contact_id: str | None = None, **fields: Any) -> Contact:
        """A contact that was there before everything else; no follow-up is queued for it."""
        name = email.partition("@")[0].capitalize()
        contact = Contact(contact_id or f"c-{name.lower()}", name, "Customer", emails=(email,), **fields)
        known = Known(email, "contact", contact.contact_id, contact.owner_id, contact.company_ids)
        self.store.commit([Contacts(self.store).creating(contact), Addresses(self.store, KEY).adding(known)])
        return contact

    def saves(self, contact: Contact) -> None:
        save_contact(self.store, contact, actor="u-anna", tasks=self.tasks, clock=self.clock, jitter=self.jitter)

    def organization(self, **changes: Any) -> None:
        organizations = Organizations(self.store)
        self.store.commit([organizations.updating(replace(organizations.get(), **changes))])

    def options(self, address: str = ANNA, **changes: Any) -> None:
        mailboxes = Mailboxes(self.store)
        stored = mailboxes.get(mailbox_id(address))
        after = replace(stored.value, options=replace(stored.value.options, **changes))
        self.store.commit([mailboxes.updating(after, stored.version)])

    # ------------------------------------------------------------------------------------------------------- the work

    def sync(self, address: str = ANNA, *, wish: int | None = None) -> None:
        """Read the history and do everything that follows from it."""
        sync_mailbox(self.served(address), wish=wish)
        self.drain()

    def poll(self, address: str = ANNA) -> None:
        poll_mailbox(self.served(address))
        self.drain()

    def drain(self, *, wait: bool = True) -> int:
        """Run what is queued until nothing is left; with `wait`, time passes to what is due later."""
        ran = 0
        while ran < 20_000:
            due = self.queue.due()
            if not due:
                later = self.queue.pending()
                if not wait or not later or later[0].not_before is None:
                    return ran
                self.time.set(max(self.time.now(), later[0].not_before))
                continue
            for task in due:
                ran += 1
                self.run(task)
                self.queue.done(task)
        raise AssertionError("the queues never run dry")

    def run(self, task: Task) -> None:
        """One dispatch, as a task endpoint would answer it."""
        try:
            FUNCTIONS[task.function](self, task.payload)
        except RateLimitedError as limited:
            again = replace(task, name=digest(task.name, limited.resume_at.isoformat()), not_before=limited.resume_at)
            self.tasks.create([again])
        except (ConnectionRevokedError, AdminActionError):
            return

    # ---------------------------------------------------------------------------------------------------- the records

    def timeline(self, contact_id: str = "c-carl") -> list[Entry]:
        return Timelines(self.store).page(contact_owner(contact_id), before=None, limit=100)

    def own_record(self, user_id: str = "u-anna") -> list[Entry]:
        return Timelines(self.store).page(user_owner(user_id), before=None, limit=100)

    def subjects(self, contact_id: str = "c-carl") -> list[str]:
        """Every message on the contact's timeline, newest entry first, oldest message first."""
        return [
            kept.subject
            for entry in self.timeline(contact_id)
            for kept in sorted(entry.messages.values(), key=lambda kept: kept.sent_at)
        ]

    def seen(self, address: str = ANNA) -> Seen:
        return Seen(self.store, mailbox_id(address))


def _bracketed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Ids as headers carry them."""
    result = dict(fields)
    for name in ("message_id", "in_reply_to"):
        if result.get(name):
            result[name] = f"<{result[name].strip('<>')}>"
    if result.get("references"):
        result["references"] = [f"<{reference.strip('<>')}>" for reference in result["references"]]
    return result


def mail_world(*, contacts: Sequence[str] = (CARL,), connected: bool = True, page: int = 500) -> MailWorld:
    """The company on a Monday morning. connected: cursors are pinned and watches run."""
    clock = FakeClock()
    notices: list[bytes] = []
    gmail = Gmail(clock.now, lambda _topic, content: notices.append(content), random.Random(7))
    for address, name in ((ANNA, "Anna"), (BEN, "Ben")):
        gmail.open(
            Account(address, name, f"sub-{name}", "acme.example", aliases=[Alias(f"{name.lower()}@acme-mail.example")])
        )
    world = MailWorld(
        documents=MemoryDocuments(),
        tasks=FakeTasks(clock),
        blobs=FakeBlobs(TENANT),
        clock=clock,
        chance=FakeChance(),
        jitter=FakeJitter(),
        anna=FakeMailbox(gmail, ANNA, page=page),
        ben=FakeMailbox(gmail, BEN, page=page),
        gmail=gmail,
        notices=notices,
    )
    settle(world, contacts)
    if connected:
        for address in (ANNA, BEN):
            pin_cursor(world.served(address))
            renew_watch(world.served(address))
    clock.advance(60)
    return world


def settle(world: MailWorld, contacts: Sequence[str]) -> None:
    """Organization, users, mailboxes, routes and contacts."""
    store = world.store
    organization = Organization(TENANT, "Acme", KEY, internal_domains=frozenset({"acme.example"}))
    store.commit([Organizations(store).creating(organization)])
    addresses = Addresses(store, KEY)
    for name, address, role in (("anna", ANNA, Role.SALES_REP), ("ben", BEN, Role.SALES_REP)):
        user = User(f"u-{name}", name.capitalize(), address, role)
        own = frozenset({address, f"{name}@acme-mail.example"})
        mailbox = MailboxRecord(
            mailbox_id(address), address, user.viewer, f"n-{name}", Status.CONNECTED, own, MailOptions()
        )
        store.commit([Users(store).creating(user), Mailboxes(store).creating(mailbox)])
        store.commit([addresses.adding(Known(one, "user", user.user_id)) for one in sorted(own)])
        world.documents.commit([adding_route("gmail", address, Target(TENANT, mailbox.mailbox_id))])
    for email in contacts:
        world.contact(email)


Run = Callable[[MailWorld, Mapping[str, Any]], None]


def _address(payload: Mapping[str, Any]) -> str:
    return ANNA if payload["mailbox"] == mailbox_id(ANNA) else BEN


def _sync(world: MailWorld, payload: Mapping[str, Any]) -> None:
    served = world.served(_address(payload))
    if payload.get("poll"):
        poll_mailbox(served)
    else:
        sync_mailbox(served, wish=payload["wish"])


def _ingest(world: MailWorld, payload: Mapping[str, Any]) -> None:
    ingest_messages(world.served(_address(payload)), [Item(gmail_id, rev) for gmail_id, rev in payload["messages"]])


def _audit(world: MailWorld, payload: Mapping[str, Any]) -> None:
    after, before = (datetime.fromisoformat(payload[name]) for name in ("after", "before"))
    audit_mailbox(world.served(_address(payload)), after=after, before=before)


def _promised(work: Run) -> Run:
    return lambda world, payload: keep_promise(world.store, payload["promise"], lambda: work(world, payload))


def _join(world: MailWorld, payload: Mapping[str, Any]) -> None:
    user_id = payload["user"] or None
    join_threads(world.store, user_id=user_id, loser=payload["loser"], winner=payload["winner"], jitter=world.jitter)


def _reattach(world: MailWorld, payload: Mapping[str, Any]) -> None:
    reattach_contact(world.store, payload["contact"], tasks=world.tasks, clock=world.clock, jitter=world.jitter)


def _catch_up(world: MailWorld, payload: Mapping[str, Any]) -> None:
    contacts = Contacts(world.store).get_all([payload["contact"]])
    catch_up_mailbox(world.served(_address(payload)), [email for kept in contacts for email in kept.contact.emails])


FUNCTIONS: Mapping[str, Run] = {
    "mailbox_sync": _sync,
    "message_ingest": _ingest,
    "backfill_ingest": _ingest,
    "mailbox_backfill": lambda world, payload: backfill_page(world.served(_address(payload)), payload["run"]),
    "mailbox_audit": _audit,
    "thread_join": _promised(_join),
    "contact_refresh": _promised(lambda world, payload: refresh_figures(world.store, payload["contact"], world.jitter)),
    "contact_reattach": _promised(_reattach),
    "mailbox_catch_up": _promised(_catch_up),
}

A_WHILE = timedelta(minutes=20)
