"""Mail that is there before the storm and mail that arrives in it, and what must be on the timelines afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.cloud import TENANT, BenchCloud, wait_for
from local.google.gmail.compose import MailFields, build
from local.google.gmail.seed import SeedMessage
from shared.domain.ids import short_id
from shared.domain.mailbox import mailbox_id
from shared.platform.clock import SystemClock
from shared.records.mailboxes import MailStreams
from shared.records.people import Contacts
from shared.records.walks import walk
from shared.usecases.read_receipt import read_receipt

MAILBOXES = 6
CONTACTS = 20
SEEDED_SHARE = 0.3
BOTH_EVERY = 5
"""Every fifth mail goes to two mailboxes, and is one row all the same."""

THREAD_OF = 4
TEXT = "Thank you for the offer. We looked at it together and have two questions about the second part.\n" * 4
PINNED_WITHIN_S = 120.0


@dataclass(slots=True)
class Mail:
    """expected: mails by contact's address. held: mails by mailbox's address. sent: Message-IDs, without brackets."""

    cloud: BenchCloud
    count: int
    addresses: list[str] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.addresses = [self.cloud.add_user(f"seller{number}") for number in range(min(MAILBOXES, self.count))]
        self.cloud.add_contacts([_contact(number) for number in range(CONTACTS)])

    @property
    def seeded(self) -> int:
        return int(self.count * SEEDED_SHARE)

    def fill_and_connect(self) -> None:
        """The past lies in the mailboxes; connecting begins to read it, and is waited for no longer than that."""
        now = datetime.now(UTC)
        past: dict[str, list[SeedMessage]] = {address: [] for address in self.addresses}
        for number in range(self.seeded):
            at = now - timedelta(minutes=5 * (self.seeded - number))
            fields = self._mail(number, [self.addresses[number % len(self.addresses)]])
            raw = build(fields, sent_at=at, message_id=fields.message_id, with_bcc=False)
            past[fields.to[0]].append(
                SeedMessage(raw, ("INBOX",), at, f"{fields.to[0]}-{number // (THREAD_OF * len(self.addresses))}")
            )
        for address, messages in past.items():
            self.cloud.seed(address, messages)
            self.cloud.connect(address)
        wait_for(lambda: all(map(self._pinned, self.addresses)), within_s=PINNED_WITHIN_S, every_s=0.1)

    def arrive(self, over_s: float) -> None:
        """The rest, spread over about this long."""
        rest = range(self.seeded, self.count)
        for number in rest:
            first = self.addresses[number % len(self.addresses)]
            second = self.addresses[(number + 1) % len(self.addresses)]
            fields = self._mail(number, list(dict.fromkeys([first, second])) if number % BOTH_EVERY == 0 else [first])
            mail = {"from": fields.sender, "to": fields.to, "subject": fields.subject, "text": fields.text}
            self.cloud.control("/gmail/deliver", {**mail, "message_id": fields.message_id})
            time.sleep(over_s / len(rest))

    def _mail(self, number: int, to: list[str]) -> MailFields:
        sender, message_id = _contact(number % CONTACTS), f"chaos-{number}@customer.example"
        self.expected[sender] += 1
        self.held.update(to)
        self.sent.append(message_id)
        return MailFields(sender=sender, to=to, subject=f"Offer {number}", text=TEXT, message_id=f"<{message_id}>")

    def _pinned(self, address: str) -> bool:
        return MailStreams(self.cloud.store, mailbox_id(address)).get() is not None

    # ------------------------------------------------------------------------------------------------------- afterwards

    def queued(self) -> int:
        """Rows of the ledgers that still wait."""
        return sum(self.cloud.queued(address) for address in self.addresses)

    def unlisted(self) -> int:
        """Mails in the mailboxes that no ledger knows yet."""
        return self.held.total() - sum(
            read_receipt(self.cloud.store, mailbox_id(address), SystemClock()).listed for address in self.addresses
        )

    def surprises(self) -> Iterator[str]:
        """Sentences about everything that is not as it must be."""
        for address in self.addresses:
            receipt = read_receipt(self.cloud.store, mailbox_id(address), SystemClock())
            if not receipt.balanced or receipt.waiting or receipt.unexplained:
                yield f"the receipt of {address} does not balance: {receipt}"
            if receipt.listed != self.held[address]:
                yield f"{address} holds {self.held[address]} mails, and {receipt.listed} are listed"
            if receipt.logged + receipt.quarantined != receipt.listed:
                yield f"{address}: {receipt.listed} listed, {receipt.logged} logged, {receipt.quarantined} parked"
        rows = self.rows()
        wanted = {short_id("m", "message-id", message_id) for message_id in self.sent}
        if lacking := wanted - rows:
            yield f"{len(lacking)} mails have no row"
        if unasked := rows - wanted:
            yield f"{len(unasked)} rows are of no mail"
        yield from self._timeline_surprises()

    def rows(self) -> set[str]:
        return {document.id for document in walk(self.cloud.documents, "messages", tenant=TENANT)}

    def _timeline_surprises(self) -> Iterator[str]:
        shown: Counter[str] = Counter()
        for entry in walk(self.cloud.documents, "timeline", tenant=TENANT):
            owner = entry.path.split("/")
            if owner[2] == "contacts":
                shown[owner[3]] += int(entry.fields["count"])
        for address, mails in self.expected.items():
            contact = short_id("c", "bench", address)
            [stored] = Contacts(self.cloud.store).get_all([contact])
            if stored.figures.mails != mails:
                yield f"{address} wrote {mails} mails, and the figures say {stored.figures.mails}"
            if shown[contact] != mails:
                yield f"{address} wrote {mails} mails, and the timeline shows {shown[contact]}"


def _contact(number: int) -> str:
    return f"buyer{number}@customer.example"
