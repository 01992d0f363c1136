"""The completeness receipts of whole organizations, as an operator reads them (G19, I3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from shared.domain.mailbox import MailboxRecord
from shared.domain.receipt import Receipt
from shared.domain.values import dataclass
from shared.ports.documents import Documents
from shared.ports.time import Clock
from shared.records.mailboxes import Mailboxes, MailStreams
from shared.records.store import TenantStore
from shared.records.walks import tenants
from shared.usecases.read_receipt import read_receipt

COVERED_WITHIN = timedelta(minutes=10)
"""How old the last good reading of a served mailbox may be (I5)."""


@dataclass(frozen=True, slots=True)
class MailboxReceipt:
    """problems: in words, empty for a mailbox with nothing to mend."""

    tenant: str
    mailbox: MailboxRecord
    receipt: Receipt
    watch_expires_at: datetime | None
    problems: tuple[str, ...]


def read_receipts(
    documents: Documents, clock: Clock, *, tenant: str | None = None, mailbox_id: str | None = None, day: date | None
) -> Iterator[MailboxReceipt]:
    """Mailbox by mailbox, without what only its own user may know of.

    Raises: NotFoundError for one that is named and does not exist.
    """
    for name in [tenant] if tenant else tenants(documents):
        store = TenantStore(documents, name)
        found = [Mailboxes(store).get(mailbox_id).value] if mailbox_id else Mailboxes(store).all()
        for mailbox in found:
            receipt = read_receipt(store, mailbox.mailbox_id, clock, day, for_others=True)
            watch = MailStreams(store, mailbox.mailbox_id).watch()
            expires_at = watch.value.watch_expires_at if watch else None
            problems = tuple(_problems(mailbox, receipt, clock.now()))
            yield MailboxReceipt(name, mailbox, receipt, expires_at, problems)


def _problems(mailbox: MailboxRecord, receipt: Receipt, now: datetime) -> Iterator[str]:
    if not receipt.balanced:
        yield "the counts do not add up"
    if receipt.unexplained:
        yield f"{receipt.unexplained} unexplained"
    if receipt.quarantined:
        yield f"{receipt.quarantined} in quarantine"
    if not mailbox.served:
        yield f"not read: {mailbox.status.value}"
    elif receipt.covered_until is None:
        yield "never read"
    elif now - receipt.covered_until > COVERED_WITHIN:
        yield f"covered only until {receipt.covered_until:%Y-%m-%d %H:%M} UTC"
