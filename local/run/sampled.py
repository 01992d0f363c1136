"""The sample company as material: local/sample/ says who and what, this puts it where a run needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from local.run.google import Google
from local.run.material import Company, Filled, Person
from local.sample.model import Sample
from shared.domain.people import Contact

TENANT = "birchline"


@dataclass(frozen=True, slots=True)
class SampleMaterial:
    sample: Sample

    def fill(self, google: Google) -> Filled:
        mails = events = 0
        left_out: list[str] = []
        for user in self.sample.users:
            google.add_person(user.email, user.name, user.aliases)
        for user in self.sample.users:
            added, told = google.fill_mailbox(user.email, self.sample.mailboxes[user.email])
            mails, left_out = mails + added, left_out + told
            added, told = google.fill_calendar(user.email, self.sample.events.get(user.email, ()), user.zone)
            events, left_out = events + added, left_out + told
        return Filled(mails, events, tuple(left_out))

    def company(self) -> Company:
        company = self.sample.company
        people = tuple(Person(user.record, user.options) for user in self.sample.users)
        return Company(
            TENANT, company.name, people, company.internal_domains, company.group_addresses, company.never_log
        )

    def contact_files(self) -> Iterable[bytes]:
        return [self.sample.contacts_csv]

    def typed_contacts(self) -> Iterable[Contact]:
        """Their addresses may belong to an imported contact too; each is saved as a contact of its own."""
        return self.sample.contacts_by_hand

    def remark(self) -> str | None:
        return None
