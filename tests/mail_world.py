"""A small company in memory: an organization, two users with mailboxes, contacts, and queues that a test drains.

Everything is a fake of a port; the use cases and records are the product's own. `run_task` is the functions' wiring
without HTTP.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from local.google.accounts import Account, Alias
from local.google.gmail.compose import MailFields
from local.google.gmail.model import Gmail
from shared.domain.backfill import window_start
from shared.domain.connection import Connection
from shared.domain.ids import digest, short_id
from shared.domain.ledger import SeenRow
from shared.domain.mailbox import MailboxRecord, MailStream, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.message import LoggedMessage
from shared.domain.people import Contact, Role, User
from shared.domain.quarantine import Parked
from shared.domain.receipt import Receipt
from shared.domain.settings import MailOptions, Organization
from shared.domain.timeline import Entry
from shared.errors import AdminActionError, ConnectionRevokedError, RateLimitedError
from shared.platform.vault import EnvelopeVault
from shared.ports.blobs import Blobs
from shared.ports.documents import Document, Documents, Query, Version, Write
from shared.ports.mailbox import Mailbox
from shared.ports.oauth import Authorization
from shared.ports.secrets import Vault, WrappingKey
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.providers.google.manifest import SCOPES, refused_features
from shared.providers.google.notices import MailNotice, read_notice
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.addresses import Addresses
from shared.records.followups import Quarantine
from shared.records.mail import MESSAGE, Messages, Timelines, contact_owner, user_owner
from shared.records.mailboxes import Mailboxes, MailStreams
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.routes import Routes, Target, adding_route
from shared.records.seen import Seen
from shared.records.store import TenantStore
from shared.usecases.access_token import Credit
from shared.usecases.connect import finish_consent, start_consent, tenant_of_state
from shared.usecases.contact_figures import refresh_figures
from shared.usecases.control_connection import close_mailbox, control_connection
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.mail.backfill_mailbox import backfill_page, start_backfill
from shared.usecases.mail.catch_up_missed import keep_catch_up
from shared.usecases.mail.connect_mailbox import mailbox_keeper
from shared.usecases.mail.erase_hidden import erase_hidden
from shared.usecases.mail.ingest_messages import Item, ingest_messages
from shared.usecases.mail.join_threads import join_parent, join_threads
from shared.usecases.mail.notice_mail import notice_mail
from shared.usecases.mail.open_mailbox import open_mailbox, pin_cursor, renew_watch
from shared.usecases.mail.poll_mailbox import poll_mailbox
from shared.usecases.mail.poll_mailboxes import poll_mailboxes
from shared.usecases.mail.renew_mail_watch import renew_mail_watch
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.mail.sync_mailbox import sync_mailbox
from shared.usecases.promises import keep_promise, sweep_outbox
from shared.usecases.quarantine import replay
from shared.usecases.read_receipt import Explanation, explain_missing, read_receipt
from shared.usecases.reattach_contact import reattach_contact
from shared.usecases.save_contact import save_contact
from shared.usecases.settle_duplicates import Duplicate, list_duplicates, settle_duplicate
from tests.fake_mailbox import FakeMailbox
from tests.fakes import (
    FakeAuthorization,
    FakeBlobs,
    FakeChance,
    FakeClock,
    FakeJitter,
    FakeTasks,
    FakeWrappingKey,
    MemoryDocuments,
)
from tests.firestore_indexes import require_index

TENANT = "acme"
KEY = b"k" * 32
ANNA, BEN = "anna@acme.example", "ben@acme.example"
CARL = "carl@customer.example"
DORA = "dora@customer.example"
EVERY_SCOPE = frozenset(SCOPES)


@dataclass
class MailWorld:
    """Ports as fields, so that a harness can stand before each. anna and ben are the two mailboxes. tries: how often a
    task failed, by its name."""

    documents: Documents
    tasks: Tasks
    blobs: Blobs
    clock: Clock
    chance: Chance
    jitter: Jitter
    anna: Mailbox
    ben: Mailbox
    wrapping_key: WrappingKey
    authorization: Authorization
    gmail: Gmail = field(repr=False)
    notices: list[bytes] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)

    @property
    def store(self) -> TenantStore:
        return self.store_of(TENANT)

    def store_of(self, tenant: str) -> TenantStore:
        return TenantStore(self.documents, tenant)

    @property
    def routes(self) -> Routes:
        return Routes(self.documents)

    @property
    def google(self) -> FakeAuthorization:
        return self.authorization  # type: ignore[return-value]  # a FakeAuthorization, maybe behind the harness's proxy

    def vault(self, tenant: str = TENANT) -> Vault:
        return EnvelopeVault(self.documents, tenant, self.wrapping_key, self.clock, self.chance)

    def credit(self, tenant: str = TENANT) -> Credit:
        store, vault = self.store_of(tenant), self.vault(tenant)
        return Credit(store, vault, self.authorization, self.clock, self.chance, self.jitter)

    @property
    def time(self) -> FakeClock:
        return self.clock  # type: ignore[return-value]  # a FakeClock, maybe behind the harness's proxy

    @property
    def queue(self) -> FakeTasks:
        return self.tasks  # type: ignore[return-value]  # a FakeTasks, maybe behind the harness's proxy

    def box(self, address: str) -> FakeMailbox:
        return self.anna if address == ANNA else self.ben  # type: ignore[return-value]  # as above

    def served(self, address: str = ANNA, tenant: str = TENANT) -> ServedMailbox:
        return ServedMailbox(
            store=self.store_of(tenant),
            mailbox_id=mailbox_id(address),
            gmail=self.box(address),
            tasks=self.tasks,
            blobs=self.blobs if tenant == TENANT else FakeBlobs(tenant),
            clock=self.clock,
            chance=self.chance,
            jitter=self.jitter,
            quota_units_per_minute=6_000,
            prices=GMAIL_UNITS,
            sharers=lambda: self.routes.sharers("gmail", address),
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

    def fields(self, *, sender: str, to: Sequence[str], subject: str) -> MailFields:
        return MailFields(sender=sender, to=to, subject=subject)

    def gains_alias(self, alias: str, address: str = ANNA) -> None:
        self.gmail.accounts[address].aliases.append(Alias(alias))

    def skips_history(self, address: str = ANNA) -> None:
        """Our cursor jumps to where the mailbox is now, as a bug or a restored backup would leave it."""
        streams = self.streams(address)
        stored = streams.get()
        assert stored is not None
        now = replace(stored.value, cursor=int(self.gmail.profile(address)["historyId"]))
        self.store.commit([streams.updating(now, stored.version)])

    def deletes(self, message_id: str, address: str = ANNA) -> None:
        """For ever."""
        self.gmail.delete(address, self.gmail_id(message_id, address))

    def relabels(
        self, message_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = (), address: str = ANNA
    ) -> None:
        self.gmail.relabel(address, self.gmail_id(message_id, address), add=add, remove=remove)

    def trashes(self, message_id: str, address: str = ANNA) -> None:
        self.relabels(message_id, add=["TRASH"], remove=["INBOX"], address=address)

    def restores(self, message_id: str, address: str = ANNA) -> None:
        self.relabels(message_id, add=["INBOX"], remove=["TRASH", "SPAM"], address=address)

    def history_expires(self, address: str = ANNA) -> None:
        self.gmail.mailbox(address).expire_history()

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

    def duplicates(self, user_id: str = "u-anna") -> list[Duplicate]:
        """Contacts that share an address, as a user is told of them."""
        return list_duplicates(self.store, Users(self.store).get(user_id).viewer)

    def settles(self, notice_id: str, action: str, *, keeper: str = "", actor: str = "u-anna") -> None:
        settle_duplicate(
            self.store,
            notice_id,
            action,
            keeper_id=lambda: keeper,
            actor=Users(self.store).get(actor),
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )

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

    def poll_alone(self, address: str = ANNA) -> None:
        """What it queues is left to run."""
        poll_mailbox(self.served(address))

    def sync_alone(self, address: str = ANNA) -> None:
        """What it queues is left to run."""
        sync_mailbox(self.served(address), wish=None)

    def interleaves(self) -> None:
        """Run every task that is due, each begun before the last one has committed: before the nth task writes, the
        next one runs to its end."""
        waiting = self.queue.due()
        commit = self.memory.commit

        def others_first(writes: Sequence[Write]) -> list[Version]:
            if waiting:
                task = waiting.pop()
                self.run(task)
                self.queue.done(task)
            return commit(writes)

        self.memory.commit = others_first  # type: ignore[method-assign]  # for as long as the queue is drained
        try:
            self.drain()
        finally:
            del self.memory.commit

    def becomes(self, status: Status, address: str = ANNA) -> None:
        """The mailbox's status, as whatever brought it there left it."""
        mailboxes = Mailboxes(self.store)
        stored = mailboxes.get(mailbox_id(address))
        self.store.commit([mailboxes.updating(replace(stored.value, status=status), stored.version)])

    def erases(self) -> int:
        """The daily erasure of what nobody has held for thirty days."""
        return erase_hidden(self.documents, blobs=lambda _: self.blobs, clock=self.clock, jitter=self.jitter)

    def renews(self, address: str = ANNA) -> None:
        """The daily renewal, and everything that follows from it."""
        renew_mail_watch(self.served(address))
        self.drain()

    def replays(self, parked: Parked) -> None:
        """An admin lets a parked thing run again."""
        admin = Users(self.store).get("u-ada")
        replay(self.store, parked.parked_id, admin, tasks=self.tasks, clock=self.clock)
        self.drain()

    def poll_job(self) -> None:
        """The scheduler's poll, every five minutes."""
        poll_mailboxes(self.documents, tasks=self.tasks, slot=self.clock.now())

    def pushed(self) -> list[MailNotice]:
        """The notices Gmail has published since the last call, in order. None is delivered."""
        found = [read_notice(content) for content in self.notices]
        self.notices.clear()
        return found

    def pushed_again(self) -> list[MailNotice]:
        """The notices published so far, as a subscription redelivers what was not acknowledged."""
        return [read_notice(content) for content in self.notices]

    def hears(self, notice: MailNotice) -> None:
        """A push is delivered; what it queues is left to run."""
        notice_mail(notice.address, notice.history_id, routes=self.routes, tasks=self.tasks, clock=self.clock)

    def backfill(self, address: str = ANNA, *, months: int = 6) -> None:
        """Begin to read the past; what it queues is left to run."""
        now = self.clock.now()
        start_backfill(self.served(address), after=window_start(now, months), before=now)

    def starts(self, user_id: str = "u-anna", tenant: str = TENANT) -> tuple[str, str]:
        """A signed-in user begins to connect; returns the state and what their browser keeps."""
        request = start_consent(self.credit(tenant), provider="google", user_id=user_id)
        return request.url.partition("state=")[2], request.binding

    def returns(self, state: str, binding: str, code: str) -> Connection:
        """The browser comes back from the consent page."""
        return finish_consent(
            self.credit(tenant_of_state(state)),
            provider="google",
            state=state,
            binding=binding,
            exchange=lambda verifier: self.authorization.exchange(code=code, verifier=verifier),
            keep=mailbox_keeper(self.documents, refused_features),
            tasks=self.tasks,
        )

    def connects(
        self,
        address: str = ANNA,
        *,
        tenant: str = TENANT,
        scopes: frozenset[str] = EVERY_SCOPE,
        user_id: str | None = None,
    ) -> Connection:
        """The whole way through the consent page; what follows is left to run."""
        state, binding = self.starts(user_id or f"u-{address.partition('@')[0]}", tenant)
        return self.returns(state, binding, self.google.agree(address, scopes))

    def controls(
        self, wanted: Status, address: str = ANNA, *, actor: str = "u-anna", tenant: str = TENANT, drain: bool = True
    ) -> None:
        store = self.store_of(tenant)
        control_connection(
            store,
            mailbox_id(address),
            Users(store).get(actor),
            wanted,
            documents=self.documents,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )
        if drain:
            self.drain()

    def drain(self, *, wait: bool = True, redeliver: bool = False, until: datetime | None = None) -> int:
        """Run what is queued until nothing is left; returns how many ran.

        wait: time passes to what is due later, at most to `until`. redeliver: a task that fails comes again after half
        a minute, as a queue would bring it; otherwise its error is the test's, as that of a failed assertion always is.
        """
        ran = 0
        while ran < 20_000:
            due = self.queue.due()
            if not due:
                later = self.queue.pending()
                if not wait or not later or later[0].not_before is None or (until and later[0].not_before > until):
                    if until is not None:
                        self.time.set(max(self.time.now(), until))
                    return ran
                self.time.set(max(self.time.now(), later[0].not_before))
                continue
            for task in due:
                ran += 1
                try:
                    self.run(task)
                except Exception as failed:
                    if not redeliver or isinstance(failed, AssertionError):
                        raise
                    self.tries[task.name] += 1
                    self.queue.put_off(task, 30)
                else:
                    self.queue.done(task)
        raise AssertionError("the queues never run dry")

    def passes(self, time: timedelta, *, poll_every: timedelta = timedelta(minutes=5)) -> None:
        """Time passes while the queues and the scheduler's polls and sweeps run."""
        end = self.time.now() + time
        while self.time.now() < end:
            self.drain(redeliver=True, until=min(end, self.time.now() + poll_every))
            self.poll_job()
            sweep_outbox(self.documents, tasks=self.tasks, clock=self.clock)
        self.drain(redeliver=True, until=end)

    def run(self, task: Task) -> None:
        """One dispatch, as a task endpoint would answer it."""
        try:
            FUNCTIONS[task.function](self, {**task.payload, "attempt": self.tries[task.name]})
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

    def stored_words(self) -> str:
        """Everything written down anywhere, as one text."""
        return repr(self.memory.dump()) + repr(self.bucket.contents())

    @property
    def memory(self) -> MemoryDocuments:
        return self.documents  # type: ignore[return-value]  # MemoryDocuments, maybe behind the harness's proxy

    @property
    def bucket(self) -> FakeBlobs:
        return self.blobs  # type: ignore[return-value]  # a FakeBlobs, maybe behind the harness's proxy

    def waits(self) -> list[int]:
        """The races that were lost so far."""
        return self.jitter.waits  # type: ignore[attr-defined, no-any-return]  # a FakeJitter

    def messages(self) -> list[LoggedMessage]:
        return [MESSAGE.value(found.fields) for found in self.store.find(Query("messages"))]

    def message(self, message_id: str) -> LoggedMessage | None:
        """The organization's row of a message, by its Message-ID."""
        found = Messages(self.store).find(short_id("m", "message-id", message_id))
        return found.value if found else None

    def seen(self, address: str = ANNA, tenant: str = TENANT) -> Seen:
        return Seen(self.store_of(tenant), mailbox_id(address))

    def rows(self, address: str = ANNA) -> list[Document]:
        return self.store.find(Query(f"mailboxes/{mailbox_id(address)}/seen"))

    def raw(self, message_id: str, address: str = ANNA) -> bytes:
        """The bytes of a message as Gmail keeps them."""
        raw = self.gmail.mailbox(address).get(self.gmail_id(message_id, address)).raw
        assert isinstance(raw, bytes)
        return raw

    def row(self, message_id: str, address: str = ANNA) -> SeenRow | None:
        """The ledger row of a message."""
        found = self.seen(address).get(self.gmail_id(message_id, address))
        return found.value if found else None

    def mailbox(self, address: str = ANNA, tenant: str = TENANT) -> MailboxRecord:
        return Mailboxes(self.store_of(tenant)).get(mailbox_id(address)).value

    def streams(self, address: str = ANNA) -> MailStreams:
        return MailStreams(self.store, mailbox_id(address))

    def stream(self, address: str = ANNA) -> MailStream:
        stored = self.streams(address).get()
        assert stored is not None
        return stored.value

    def receipt(self, address: str = ANNA) -> Receipt:
        return read_receipt(self.store, mailbox_id(address), self.clock)

    def why(self, message_id: str, address: str = ANNA, *, asked_by: str = "u-anna") -> Explanation:
        """The answer to "why is this mail not here?"."""
        asking = Users(self.store).get(asked_by)
        return explain_missing(self.store, mailbox_id(address), self.box(address), message_id, asked_by=asking)

    def parked(self) -> list[Parked]:
        return [stored.value for stored in Quarantine(self.store).parked(100)]


def _bracketed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Ids as headers carry them."""
    result = dict(fields)
    for name in ("message_id", "in_reply_to"):
        if result.get(name):
            result[name] = f"<{result[name].strip('<>')}>"
    if result.get("references"):
        result["references"] = [f"<{reference.strip('<>')}>" for reference in result["references"]]
    return result


def mail_world(
    *, contacts: Sequence[str] = (CARL,), connected: bool = True, mailboxes: bool = True, page: int = 500
) -> MailWorld:
    """The company on a Monday morning.

    connected: cursors are pinned and watches run. mailboxes: somebody connected them before; else only users exist.
    page: how many a list or history page holds.
    """
    clock = FakeClock()
    notices: list[bytes] = []
    gmail = Gmail(clock.now, lambda _topic, content: notices.append(content), random.Random(7))
    for address, name in ((ANNA, "Anna"), (BEN, "Ben")):
        gmail.open(
            Account(address, name, f"sub-{name}", "acme.example", aliases=[Alias(f"{name.lower()}@acme-mail.example")])
        )
    world = MailWorld(
        documents=MemoryDocuments(require_index),
        tasks=FakeTasks(clock),
        blobs=FakeBlobs(TENANT),
        clock=clock,
        chance=FakeChance(),
        jitter=FakeJitter(),
        anna=FakeMailbox(gmail, ANNA, page=page),
        ben=FakeMailbox(gmail, BEN, page=page),
        wrapping_key=FakeWrappingKey(),
        authorization=FakeAuthorization(clock),
        gmail=gmail,
        notices=notices,
    )
    settle(world, contacts, mailboxes=mailboxes)
    if connected and mailboxes:
        for address in (ANNA, BEN):
            pin_cursor(world.served(address))
            renew_watch(world.served(address))
    clock.advance(60)
    return world


def found_organization(world: MailWorld, tenant: str = TENANT) -> None:
    """An organization with its three users."""
    store = world.store_of(tenant)
    organization = Organization(tenant, tenant.capitalize(), KEY, internal_domains=frozenset({"acme.example"}))
    users = Users(store)
    store.commit(
        [
            Organizations(store).creating(organization),
            users.creating(User("u-anna", "Anna", ANNA)),
            users.creating(User("u-ben", "Ben", BEN)),
            users.creating(User("u-ada", "Ada", "ada@acme.example", Role.ADMIN)),
        ]
    )


def settle(world: MailWorld, contacts: Sequence[str], *, mailboxes: bool) -> None:
    """Organization, users, mailboxes, routes and contacts."""
    store = world.store
    found_organization(world)
    addresses = Addresses(store, KEY)
    for name, address in (("anna", ANNA), ("ben", BEN)) if mailboxes else ():
        user = Users(store).get(f"u-{name}")
        own = frozenset({address, f"{name}@acme-mail.example"})
        mailbox = MailboxRecord(
            mailbox_id(address), address, user.viewer, f"n-{name}", Status.CONNECTED, own, MailOptions()
        )
        store.commit([Mailboxes(store).creating(mailbox)])
        store.commit([addresses.adding(Known(one, "user", user.user_id)) for one in sorted(own)])
        world.documents.commit([adding_route("gmail", address, Target(TENANT, mailbox.mailbox_id))])
    for email in contacts:
        world.contact(email)


Run = Callable[[MailWorld, Mapping[str, Any]], None]


def _address(payload: Mapping[str, Any]) -> str:
    return ANNA if payload["mailbox"] == mailbox_id(ANNA) else BEN


def _served(world: MailWorld, payload: Mapping[str, Any]) -> ServedMailbox:
    return world.served(_address(payload), payload["tenant"])


def _sync(world: MailWorld, payload: Mapping[str, Any]) -> None:
    served = _served(world, payload)
    if payload.get("poll"):
        poll_mailbox(served)
    else:
        sync_mailbox(served, wish=payload["wish"])


def _ingest(world: MailWorld, payload: Mapping[str, Any]) -> None:
    items = [Item(gmail_id, rev) for gmail_id, rev in payload["messages"]]
    ingest_messages(_served(world, payload), items, attempt=payload["attempt"])


def _audit(world: MailWorld, payload: Mapping[str, Any]) -> None:
    after, before = (datetime.fromisoformat(payload[name]) for name in ("after", "before"))
    audit_mailbox(_served(world, payload), after=after, before=before)


def _promised(work: Run) -> Run:
    return lambda world, payload: keep_promise(
        world.store_of(payload["tenant"]), payload["promise"], lambda: work(world, payload)
    )


def _join(world: MailWorld, payload: Mapping[str, Any]) -> None:
    user_id = payload["user"] or None
    if "parent" in payload:
        ids = {"message": payload["message"], "parent": payload["parent"]}
        join_parent(world.store, user_id=user_id, jitter=world.jitter, **ids)
        return
    join_threads(world.store, user_id=user_id, loser=payload["loser"], winner=payload["winner"], jitter=world.jitter)


def _reattach(world: MailWorld, payload: Mapping[str, Any]) -> None:
    reattach_contact(
        world.store,
        payload["contact"],
        keys=payload["keys"].split(),
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    )


def _catch_up(world: MailWorld, payload: Mapping[str, Any]) -> None:
    keep_catch_up(_served(world, payload), payload)


def _close(world: MailWorld, payload: Mapping[str, Any]) -> None:
    close_mailbox(
        world.store_of(payload["tenant"]),
        payload["mailbox"],
        payload["connection"],
        documents=world.documents,
        gmail=world.box(_address(payload)),
        close_calendars=lambda: None,
        vault=world.vault(payload["tenant"]),
        authorization=world.authorization,
        tasks=world.tasks,
        clock=world.clock,
    )


FUNCTIONS: Mapping[str, Run] = {
    "mailbox_sync": _sync,
    "message_ingest": _ingest,
    "backfill_ingest": _ingest,
    "mailbox_backfill": lambda world, payload: backfill_page(
        _served(world, payload), payload["run"], attempt=payload["attempt"]
    ),
    "mailbox_open": _promised(lambda world, payload: open_mailbox(_served(world, payload), lambda: None)),
    "mailbox_close": _promised(_close),
    "watch_renew": lambda world, payload: renew_mail_watch(_served(world, payload)),
    "mailbox_audit": _audit,
    "thread_join": _promised(_join),
    "contact_refresh": _promised(lambda world, payload: refresh_figures(world.store, payload["contact"], world.jitter)),
    "contact_reattach": _promised(_reattach),
    "mailbox_catch_up": _promised(_catch_up),
}
