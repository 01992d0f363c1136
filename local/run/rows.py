"""Rows by their ids, as a page's function would read them: what "it has landed" means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.backfill import Phase
from shared.domain.calendar.copy import meeting_id_of
from shared.domain.calendar.meeting import Occurrence, occurrence_id
from shared.domain.ids import short_id
from shared.domain.mail.message_id import canonical_message_id
from shared.domain.message import LoggedMessage
from shared.domain.timeline import Entry
from shared.records.calendar import Events
from shared.records.mail import Messages, Timelines, contact_owner
from shared.records.mailboxes import MailStreams
from shared.records.people import Contacts, StoredContact
from shared.records.store import TenantStore

CONTACTS_A_PAGE = 300


@dataclass(frozen=True, slots=True)
class Rows:
    """Reads of one organization's store; each is a get by id, but for `contacts`."""

    store: TenantStore

    def message(self, message_id: str) -> LoggedMessage | None:
        """By its Message-ID header."""
        found = Messages(self.store).find(_row_id(message_id))
        return found.value if found else None

    def own_message(self, user_id: str, message_id: str) -> LoggedMessage | None:
        """In a user's own record, by its Message-ID header."""
        found = Messages(self.store, f"users/{user_id}/").find(_row_id(message_id))
        return found.value if found else None

    def entry(self, contact_id: str, entry_id: str) -> Entry | None:
        found = Timelines(self.store).find(contact_owner(contact_id), entry_id)
        return found.value if found else None

    def meeting(self, ical_uid: str, original_start: str | None = None) -> Occurrence | None:
        """original_start: of the instance of a series, as `start_key` writes it."""
        return Events(self.store).find(occurrence_id(meeting_id_of(ical_uid), original_start))

    def backfill_finished_at(self, mailbox_id: str) -> datetime | None:
        run = MailStreams(self.store, mailbox_id).backfill()
        return run.value.finished_at if run and run.value.phase is Phase.DONE else None

    def contacts(self) -> list[StoredContact]:
        found: list[StoredContact] = []
        while True:
            after = found[-1].contact.contact_id if found else None
            page = Contacts(self.store).page(after=after, limit=CONTACTS_A_PAGE)
            found += page
            if len(page) < CONTACTS_A_PAGE:
                return found


def _row_id(message_id: str) -> str:
    """As domain.threads.message_row_id makes it from headers."""
    canonical = canonical_message_id(message_id)
    if canonical is None:
        raise ValueError(f"{message_id!r} is no Message-ID")
    return short_id("m", "message-id", canonical)
