"""The daily renewal of one mailbox's watch, and of what is known about its addresses (I5, G10)."""

from __future__ import annotations

from shared.records.mailboxes import Mailboxes
from shared.usecases.mail.open_mailbox import refresh_own_addresses, renew_watch
from shared.usecases.mail.served import ServedMailbox


def renew_mail_watch(served: ServedMailbox) -> None:
    """A mailbox that is paused or waits for its person keeps its lapsed watch: resuming starts a new one."""
    if not Mailboxes(served.store).get(served.mailbox_id).value.served:
        return
    renew_watch(served)
    refresh_own_addresses(served)
