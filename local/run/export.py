"""The reader's own Takeout export as material: one user, one mailbox, their mail, calendar and contacts."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from local.run.correspondents import Correspondent, frequent_correspondents
from local.run.google import Google
from local.run.http import RefusedError
from local.run.material import Company, Filled, MaterialError, Person
from local.takeout.files import UnreadableFileError, files_named
from shared.domain.mail.addresses import domain_of, is_free_mail
from shared.domain.people import Contact, Role, User
from shared.domain.settings import MailOptions

CONTACTS_MADE = 40
TENANT = "mine"


@dataclass(slots=True)
class Export:
    """scratch: a folder for what reading an mbox has to rewrite."""

    me: str
    mbox: tuple[Path, ...]
    ics: tuple[Path, ...]
    contacts: tuple[Path, ...]
    scratch: Path
    _months: int = 0
    _made: list[Correspondent] = field(default_factory=list)

    def fill(self, google: Google) -> Filled:
        google.add_person(self.me, self._name)
        mails = events = 0
        left_out: list[str] = []
        try:
            if self.mbox:
                mails, told = google.fill_mailbox_from(self.me, self.mbox)
                left_out += told
            if self.ics:
                events, told = google.fill_calendar_from(self.me, self.ics)
                left_out += told
            if self.mbox and not self.contacts:
                self._made = frequent_correspondents(self.mbox, self.me, scratch=self.scratch, limit=CONTACTS_MADE)
        except (RefusedError, UnreadableFileError) as unreadable:
            raise MaterialError(str(unreadable)) from unreadable
        self._months = _months_back(google, self.me)
        return Filled(mails, events, tuple(left_out))

    def company(self) -> Company:
        """The domain of one's own address is internal, unless everybody in the world may have one there."""
        domain = domain_of(self.me)
        user = User("u-me", self._name, self.me, Role.ADMIN)
        person = Person(user, MailOptions(backfill_months=self._months))
        internal = frozenset() if is_free_mail(domain) else frozenset({domain})
        return Company(TENANT, "Your own mail", (person,), internal)

    @property
    def _name(self) -> str:
        return self.me.partition("@")[0].replace(".", " ").title()

    def contact_files(self) -> Iterable[bytes]:
        if not self.contacts:
            return [_csv(self._made)] if self._made else []
        try:
            files = files_named(self.contacts, wanted=lambda file: file.suffix.lower() == ".csv", kind="csv")
            return [file.read_bytes() for file in files]
        except UnreadableFileError as unreadable:
            raise MaterialError(str(unreadable)) from unreadable

    def typed_contacts(self) -> Iterable[Contact]:
        return ()

    def remark(self) -> str | None:
        if not self._made:
            return None
        return f"Without CONTACTS= the {len(self._made)} people you write with most are the contacts."


def _months_back(google: Google, me: str) -> int:
    """As many months as the oldest mail needs. Connecting in the product reads 12 at most; an export may be older."""
    held = google.mailbox(me)
    if not held:
        return 12
    oldest = datetime.fromtimestamp(min(one.internal_ms for one in held) / 1000, UTC)
    days = (datetime.now(UTC) - oldest).total_seconds() / 86_400
    return max(12, math.ceil(days / 30) + 1)


def _csv(people: Iterable[Correspondent]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("Name", "Email"))
    writer.writerows((person.name, person.address) for person in people)
    return text.getvalue().encode()
