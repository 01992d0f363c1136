"""A contact's figures, computed from its messages: what the sync only ever raises must also be able to fall (R5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.mail_rules import Direction
from shared.domain.values import dataclass
from shared.errors import NotFoundError
from shared.ports.time import Clock, Jitter
from shared.records.mail import Messages
from shared.records.people import Contacts, Figures
from shared.records.store import TenantStore, guarded

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MailFigures:
    """What a page shows of a contact's mail. Times are aware UTC."""

    last_interaction_at: datetime | None
    last_inbound_at: datetime | None
    mails: int
    mails_30_days: int


def refresh_figures(store: TenantStore, contact_id: str, jitter: Jitter) -> None:
    """Compute the stored figures anew. A contact that is gone needs none.

    Guarded by the contact's version: a message posted in between makes it count again.
    """

    def attempt() -> None:
        contacts, messages = Contacts(store), Messages(store)
        try:
            stored = contacts.get(contact_id)
        except NotFoundError:
            return
        newest = messages.newest_of_contact(contact_id, direction=None)
        inbound = messages.newest_of_contact(contact_id, direction=Direction.INCOMING.value)
        outbound = messages.newest_of_contact(contact_id, direction=Direction.OUTGOING.value)
        figures = Figures(
            last_interaction_at=newest.sent_at if newest else None,
            last_inbound_at=inbound.sent_at if inbound else None,
            last_outbound_at=outbound.sent_at if outbound else None,
            mails=messages.count_of_contact(contact_id),
        )
        store.commit([contacts.setting_figures(contact_id, figures, stored.version)])

    guarded(jitter, f"contact {contact_id}", attempt)


def mail_figures(store: TenantStore, contact_id: str, clock: Clock) -> MailFigures:
    """Raises: NotFoundError."""
    figures = Contacts(store).get(contact_id).figures
    recent = Messages(store).count_of_contact(contact_id, since=clock.now() - WINDOW)
    return MailFigures(figures.last_interaction_at, figures.last_inbound_at, figures.mails, recent)
