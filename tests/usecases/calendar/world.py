"""A small organization whose people share calendars: Ann and Ben sell, Carla and Dan are contacts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.calendar.copy import stream_id_of
from shared.domain.calendar.meeting import Occurrence
from shared.domain.calendar.stream import ChannelNotice
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact, Role, User, Viewer
from shared.domain.settings import MailOptions, Organization
from shared.domain.timeline import Entry
from shared.errors import RetryableError
from shared.platform.recurrence import DateutilRecurrence
from shared.ports.documents import Query
from shared.ports.tasks import Task
from shared.records.addresses import Addresses
from shared.records.calendar import OCCURRENCE, CalendarStreams, Copies
from shared.records.mail import Timelines, contact_owner
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from shared.records.routes import Routes
from shared.records.store import TenantStore
from shared.usecases.calendar.accept_notice import accept_notice
from shared.usecases.calendar.open_calendars import open_calendars
from shared.usecases.calendar.poll_calendars import poll_calendars
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.rebuild_meeting import rebuild_meeting
from shared.usecases.calendar.renew_channel import renew_channel, stop_channel
from shared.usecases.calendar.roll_series import roll_series
from shared.usecases.calendar.served import ServedCalendars
from shared.usecases.calendar.sync_calendar import sync_calendar
from shared.usecases.promises import keep_promise
from tests.fakes import FakeChance, FakeClock, FakeJitter, FakeTasks, MemoryDocuments
from tests.firestore_indexes import require_index
from tests.usecases.calendar.fake_calendar import FakeCalendar

TENANT = "acme"
ANN, BEN = "ann@acme.example", "ben@acme.example"
CARLA, DAN = "carla@client.example", "dan@client.example"
ANN_MAILBOX, BEN_MAILBOX = mailbox_id(ANN), mailbox_id(BEN)
ANN_STREAM, BEN_STREAM = stream_id_of(ANN), stream_id_of(BEN)
INDEX_KEY = bytes(32)


@dataclass
class World:
    """The ports, Ann's and Ben's calendars, and one organization with two contacts, Carla and Dan."""

    documents: MemoryDocuments = field(default_factory=lambda: MemoryDocuments(require_index))
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    jitter: FakeJitter = field(default_factory=FakeJitter)
    tasks: FakeTasks = field(init=False)
    ann: FakeCalendar = field(init=False)
    ben: FakeCalendar = field(init=False)

    def __post_init__(self) -> None:
        self.tasks = FakeTasks(self.clock)
        self.ann = FakeCalendar(self.clock, ANN)
        self.ben = FakeCalendar(self.clock, BEN)
        self._found_organization()

    @property
    def store(self) -> TenantStore:
        return TenantStore(self.documents, TENANT)

    def served(self, mailbox: str = ANN_MAILBOX) -> ServedCalendars:
        return ServedCalendars(
            store=self.store,
            mailbox_id=mailbox,
            calendar=self.ann if mailbox == ANN_MAILBOX else self.ben,
            tasks=self.tasks,
            clock=self.clock,
            chance=self.chance,
            jitter=self.jitter,
            push_url="https://functions.example/calendar_push",
        )

    # --------------------------------------------------------------------------------------------------- what happens

    def connect(self, *mailboxes: str) -> None:
        """Follow the calendars of these mailboxes and read them."""
        for mailbox in mailboxes or (ANN_MAILBOX,):
            open_calendars(self.served(mailbox), documents=self.documents)
        self.drain()

    def read(self, mailbox: str = ANN_MAILBOX) -> None:
        """Poll, and do what comes of it."""
        poll_calendars(self.served(mailbox), slot=self.clock.now().isoformat())
        self.drain()
        self.clock.advance(1)

    def notice(self, channel_id: str, number: int = 2, *, token: str | None = None, opening: bool = False) -> None:
        """What the vendor posts for one of Ann's channels."""
        channel = self.ann.channels[channel_id]
        given = ChannelNotice(
            channel_id,
            channel.token if token is None else token,
            f"resource of {channel.calendar_id}",
            str(number),
            opening=opening,
        )
        accept_notice(given, routes=Routes(self.documents), store_of=self._store_of, tasks=self.tasks)

    def drain(self) -> None:
        """Run what is due until nothing is, as the queues would: one that is postponed stays in its queue."""
        postponed: set[str] = set()
        while due := [task for task in self.tasks.due() if task.name not in postponed]:
            for task in due:
                try:
                    self.run_task(task)
                except RetryableError:
                    postponed.add(task.name)
                else:
                    self.tasks.done(task)

    def run_task(self, task: Task) -> None:
        """The function a task calls."""
        payload = task.payload
        if task.function == "calendar_sync":
            sync_calendar(self.served(payload["mailbox"]), payload["stream"], cause=Cause(payload["cause"]))
        elif task.function == "meeting_rebuild":
            rebuild_meeting(
                self.store,
                payload["meeting"],
                recurrence=DateutilRecurrence(),
                clock=self.clock,
                jitter=self.jitter,
            )
        elif task.function == "channel_renew":
            renew_channel(self.served(payload["mailbox"]), payload["stream"], documents=self.documents)
        elif task.function == "channel_stop":
            served = self.served(payload["mailbox"])
            keep_promise(
                self.store,
                payload["promise"],
                lambda: stop_channel(
                    served, payload["stream"], payload["channel"], payload["resource"], documents=self.documents
                ),
            )
        else:
            raise AssertionError(f"nobody serves {task.function}")

    def days_pass(self, days: int) -> None:
        """A day at a time, as the scheduler sees them."""
        for _ in range(days):
            self.clock.advance(timedelta(days=1).total_seconds())
            roll_series(self.documents, tasks=self.tasks, clock=self.clock)
            self.drain()

    # ------------------------------------------------------------------------------------------------- what there is

    def timeline(self, contact: str) -> list[Entry]:
        """A contact's meetings, earliest first."""
        return Timelines(self.store).page(contact_owner(contact), before=None, limit=2_000)[::-1]

    def starts(self, contact: str = "carla") -> list[datetime]:
        return [entry.at for entry in self.timeline(contact)]

    def titles(self, contact: str = "carla") -> list[str]:
        return [entry.meeting.title for entry in self.timeline(contact) if entry.meeting]

    def events(self) -> list[Occurrence]:
        found = self.store.find(Query("events", order_by=("start_at",)))
        return [OCCURRENCE.value(document.fields) for document in found]

    def copies(self, mailbox: str = ANN_MAILBOX) -> Copies:
        return Copies(self.store, mailbox)

    def streams(self, mailbox: str = ANN_MAILBOX) -> CalendarStreams:
        return CalendarStreams(self.store, mailbox)

    def words(self) -> str:
        """Everything that is stored, as one text to search in."""
        return repr(self.documents.dump())

    # ------------------------------------------------------------------------------------------------------ settings

    def change_organization(self, **changes: object) -> None:
        organizations = Organizations(self.store)
        self.store.commit([organizations.updating(replace(organizations.get(), **changes))])  # type: ignore[arg-type]  # fields by name

    def change_mailbox(self, mailbox: str = ANN_MAILBOX, **changes: object) -> None:
        mailboxes = Mailboxes(self.store)
        stored = mailboxes.get(mailbox)
        after = replace(stored.value, **changes)  # type: ignore[arg-type]  # fields by name
        self.store.commit([mailboxes.updating(after, stored.version)])

    def add_contact(self, contact: Contact) -> None:
        addresses = Addresses(self.store, INDEX_KEY)
        known = [
            Known(email, "contact", contact.contact_id, contact.owner_id, contact.company_ids)
            for email in contact.emails
        ]
        self.store.commit([Contacts(self.store).creating(contact), *(addresses.adding(entry) for entry in known)])

    def _store_of(self, tenant: str) -> TenantStore:
        return TenantStore(self.documents, tenant)

    def _found_organization(self) -> None:
        store, addresses = self.store, Addresses(self.store, INDEX_KEY)
        organization = Organization(TENANT, "Acme", INDEX_KEY, internal_domains=frozenset({"acme.example"}))
        store.commit([Organizations(store).creating(organization)])
        for user_id, email in (("ann", ANN), ("ben", BEN)):
            store.commit(
                [
                    Users(store).creating(User(user_id, user_id.title(), email)),
                    addresses.adding(Known(email, "user", user_id)),
                    Mailboxes(store).creating(_mailbox(user_id, email)),
                ]
            )
        self.add_contact(Contact("carla", "Carla", "Client", (CARLA,), company_ids=("client",)))
        self.add_contact(Contact("dan", "Dan", "Client", (DAN,), company_ids=("client",)))


def _mailbox(user_id: str, email: str) -> MailboxRecord:
    return MailboxRecord(
        mailbox_id=mailbox_id(email),
        address=email,
        viewer=Viewer(user_id, Role.SALES_REP),
        connection_id=f"connection-{user_id}",
        status=Status.CONNECTED,
        own=frozenset({email}),
        options=MailOptions(),
    )
