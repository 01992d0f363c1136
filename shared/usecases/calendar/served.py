"""One mailbox's calendars and everything that serves them: what every calendar use case is handed."""

from __future__ import annotations

from shared import log
from shared.domain.values import dataclass
from shared.log import Id
from shared.ports.calendar import Calendar
from shared.ports.tasks import Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.records.calendar import CalendarStreams, Copies
from shared.records.store import TenantStore


@dataclass(frozen=True, slots=True)
class ServedCalendars:
    """calendar: calls nothing until it is used. push_url: the public address of `calendar_push`."""

    store: TenantStore
    mailbox_id: str
    calendar: Calendar
    tasks: Tasks
    clock: Clock
    chance: Chance
    jitter: Jitter
    push_url: str

    @property
    def streams(self) -> CalendarStreams:
        return CalendarStreams(self.store, self.mailbox_id)

    @property
    def copies(self) -> Copies:
        return Copies(self.store, self.mailbox_id)

    @property
    def ids(self) -> dict[str, str]:
        """What every task of this mailbox carries."""
        return {"tenant": self.store.tenant, "mailbox": self.mailbox_id}

    def log(self, name: str, **ids: Id) -> None:
        log.event(name, severity="INFO", tenant=self.store.tenant, mailbox=self.mailbox_id, **ids)

    def warn(self, name: str, **ids: Id) -> None:
        log.event(name, severity="WARNING", tenant=self.store.tenant, mailbox=self.mailbox_id, **ids)
