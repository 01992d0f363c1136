"""One mailbox and everything that serves it: what every mail use case is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared import log
from shared.domain.values import dataclass
from shared.ports.blobs import Blobs
from shared.ports.mailbox import Mailbox
from shared.ports.tasks import Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.records.mailboxes import MailStreams
from shared.records.seen import Seen
from shared.records.store import TenantStore
from shared.usecases.budget import MailBudget


@dataclass(frozen=True, slots=True)
class ServedMailbox:
    """gmail: calls nothing until it is used. quota_units_per_minute, prices: the vendor's, as configured. sharers: asks
    how many organizations read this mailbox, this one among them."""

    store: TenantStore
    mailbox_id: str
    gmail: Mailbox
    tasks: Tasks
    blobs: Blobs
    clock: Clock
    chance: Chance
    jitter: Jitter
    quota_units_per_minute: int
    prices: Mapping[str, int]
    sharers: Callable[[], int]

    @property
    def streams(self) -> MailStreams:
        return MailStreams(self.store, self.mailbox_id)

    @property
    def seen(self) -> Seen:
        return Seen(self.store, self.mailbox_id)

    @property
    def budget(self) -> MailBudget:
        return MailBudget(
            self.store,
            self.streams.budget_path,
            quota_units_per_minute=self.quota_units_per_minute,
            sharers=self.sharers,
            clock=self.clock,
            jitter=self.jitter,
        )

    @property
    def ids(self) -> dict[str, str]:
        """What every task of this mailbox carries."""
        return {"tenant": self.store.tenant, "mailbox": self.mailbox_id}

    def log(self, event: str, **ids: str | int | bool | None) -> None:
        log.event(event, severity="INFO", tenant=self.store.tenant, mailbox=self.mailbox_id, **ids)

    def warn(self, event: str, **ids: str | int | bool | None) -> None:
        log.event(event, severity="WARNING", tenant=self.store.tenant, mailbox=self.mailbox_id, **ids)
