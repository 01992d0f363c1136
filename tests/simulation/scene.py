"""The company of a plan: its tenants, its people, their accounts at Google, and the mail they have had."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from shared.domain.connection import connection_id
from shared.domain.ids import short_id
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact, Role, User, Viewer
from shared.domain.settings import MailOptions, Organization, Share
from shared.records.addresses import Addresses
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts, Users
from tests.simulation.cloud import Cloud
from tests.simulation.plan import Plan, Seat

KEY = b"k" * 32
DOMAINS = {"acme": "acme.example", "birch": "birch.example"}
ADMIN = "u-ada"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was sent, whoever received it. references: canonical, oldest first."""

    message_id: str
    references: tuple[str, ...]
    sender: str
    to: tuple[str, ...]
    subject: str


@dataclass
class Scene:
    """letters: every message that was sent, by Message-ID. lost_addresses: tenant and address, where a contact lost it.
    aliases: send-as addresses that were added."""

    plan: Plan
    cloud: Cloud
    letters: dict[str, Letter] = field(default_factory=dict)
    lost_addresses: set[tuple[str, str]] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        return self.cloud.hub.now

    @property
    def accounts(self) -> list[str]:
        return list(dict.fromkeys(seat.account for seat in self.plan.seats))

    @property
    def tenants(self) -> list[str]:
        return list(dict.fromkeys(seat.tenant for seat in self.plan.seats))

    def seat(self, number: int) -> Seat:
        return self.plan.seats[number % len(self.plan.seats)]

    def account(self, number: int) -> str:
        return self.accounts[number % len(self.accounts)]

    def record(self, seat: Seat) -> MailboxRecord | None:
        found = Mailboxes(self.cloud.store(seat.tenant)).find(mailbox_id(seat.account))
        return found.value if found else None

    def served(self, seat: Seat) -> bool:
        record = self.record(seat)
        return record is not None and record.served

    # ------------------------------------------------------------------------------------------------- the beginning

    def found(self) -> None:
        """Organizations, users, the contacts known from the first day, and mail of the weeks before."""
        for tenant in self.tenants:
            store = self.cloud.store(tenant)
            organization = Organization(tenant, tenant.title(), KEY, internal_domains=frozenset({DOMAINS[tenant]}))
            people = [User(ADMIN, "Ada", f"ada@{DOMAINS[tenant]}", Role.ADMIN)]
            people += [User(seat.user_id, seat.user_id[2:].title(), seat.account) for seat in self.seats_of(tenant)]
            users, addresses = Users(store), Addresses(store, KEY)
            store.commit(
                [
                    Organizations(store).creating(organization),
                    *(users.creating(user) for user in people),
                    *(addresses.adding(Known(user.email, "user", user.user_id)) for user in people),
                    *(Mailboxes(store).creating(_unconnected(seat)) for seat in self.seats_of(tenant)),
                ]
            )
        dice = random.Random(self.plan.seed)
        self._know_contacts(dice)
        for number in range(self.plan.past_mails):
            account = self.account(number)
            at = self.now - timedelta(days=dice.uniform(0.01, 60))
            self.receives(account, dice, at=at)

    def _know_contacts(self, dice: random.Random) -> None:
        """Some contacts have two addresses, so that they have one to lose."""
        for tenant in self.tenants:
            addresses = [address for known_in, address in self.plan.contacts if known_in == tenant]
            while addresses:
                number = dice.choice((1, 2))
                emails, addresses = addresses[:number], addresses[number:]
                self.know(tenant, Contact(contact_id_of(emails[0]), emails[0].partition("@")[0], "", tuple(emails)))

    def seats_of(self, tenant: str) -> list[Seat]:
        return [seat for seat in self.plan.seats if seat.tenant == tenant]

    def know(self, tenant: str, contact: Contact) -> None:
        store = self.cloud.store(tenant)
        addresses = Addresses(store, KEY)
        known = [Known(email, "contact", contact.contact_id, None, ()) for email in contact.emails]
        store.commit([Contacts(store).creating(contact), *(addresses.adding(one) for one in known)])

    # --------------------------------------------------------------------------------------------------------- mail

    def receives(
        self, account: str, dice: random.Random, *, at: datetime | None = None, answers: Letter | None = None
    ) -> None:
        """Somebody outside, or a colleague, writes to an account's person."""
        from tests.simulation.plan import OUTSIDERS

        sender = answers.sender if answers and dice.random() < 0.6 else dice.choice((*OUTSIDERS, *self.accounts))
        if sender in self.accounts:
            self.writes(sender, dice, to=[account, dice.choice(OUTSIDERS)], at=at, answers=answers)
            return
        to = [account if dice.random() < 0.85 else f"{account.partition('@')[0]}@mail.{account.partition('@')[2]}"]
        cc = [other for other in (*self.accounts, *OUTSIDERS) if dice.random() < 0.12 and other != sender]
        self.post(sender, to, cc, answers=answers, dice=dice, at=at)

    def writes(
        self,
        account: str,
        dice: random.Random,
        *,
        to: Sequence[str],
        at: datetime | None = None,
        answers: Letter | None = None,
    ) -> None:
        self.post(account, list(to), [], answers=answers, dice=dice, at=at)

    def post(
        self,
        sender: str,
        to: Sequence[str],
        cc: Sequence[str],
        *,
        dice: random.Random,
        bcc: Sequence[str] = (),
        answers: Letter | None = None,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
        headers: Sequence[str] = (),
        at: datetime | None = None,
    ) -> None:
        """A message reaches every account among its recipients; the sender's own account keeps it as sent."""
        letter = self._letter(sender, (*to, *cc), answers, dice)
        self.letters[letter.message_id] = letter
        sent_at = at or self.now
        lines = [
            f"Date: {format_datetime(sent_at)}",
            f"From: {sender}",
            f"To: {', '.join(to)}",
            *([f"Cc: {', '.join(cc)}"] if cc else []),
            f"Subject: {letter.subject}",
            f"Message-ID: <{letter.message_id}>",
            *([f"References: {' '.join(f'<{one}>' for one in letter.references)}"] if letter.references else []),
            *headers,
            "Content-Type: text/plain; charset=utf-8",
        ]
        text = f"Words of {letter.message_id}. " * (4_000 if dice.random() < 0.02 else 2)
        if sender in self.accounts:
            hidden = [f"Bcc: {', '.join(bcc)}"] if bcc else []
            self._deliver(sender, [*lines, *hidden], text, ("SENT",), sent_at)
        for account in self.accounts:
            if account != sender and any(_belongs(address, account) for address in (*to, *cc, *bcc)):
                self._deliver(account, lines, text, labels, sent_at)

    def _letter(self, sender: str, to: tuple[str, ...], answers: Letter | None, dice: random.Random) -> Letter:
        number = len(self.letters) + 1
        message_id = f"m{number}.{short_id('x', sender, str(self.now))}@{sender.partition('@')[2]}"
        if answers is None:
            return Letter(message_id, (), sender, to, f"Subject {number}")
        whole = (*answers.references, answers.message_id)
        shape = dice.random()
        references = whole if shape < 0.6 else (whole[0], whole[-1]) if shape < 0.8 else (answers.message_id,)
        subject = answers.subject if answers.subject.startswith("Re:") else f"Re: {answers.subject}"
        return Letter(message_id, tuple(dict.fromkeys(references)), sender, to, subject)

    def _deliver(self, account: str, lines: Sequence[str], text: str, labels: Iterable[str], at: datetime) -> None:
        raw = "\r\n".join([*lines, "", text]).encode()
        self.cloud.gmail.deliver(account, raw, labels=tuple(labels), at=at)


def _unconnected(seat: Seat) -> MailboxRecord:
    """What the user chose before they connect."""
    return MailboxRecord(
        mailbox_id=mailbox_id(seat.account),
        address=seat.account,
        viewer=Viewer(seat.user_id, Role.SALES_REP),
        connection_id=connection_id("google", seat.user_id),
        status=Status.DISCONNECTED,
        own=frozenset({seat.account}),
        options=MailOptions(share=Share(seat.share), own_record=seat.own_record),
    )


def _belongs(address: str, account: str) -> bool:
    name, _, domain = account.partition("@")
    return address in (account, f"{name}@mail.{domain}")


def contact_id_of(address: str) -> str:
    return f"c-{address.partition('@')[0]}"


WAITS = frozenset({Status.RECONNECT_NEEDED, Status.ADMIN_ACTION_NEEDED, Status.DISCONNECTED})
