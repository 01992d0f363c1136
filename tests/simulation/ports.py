"""The fakes of the ports, under a cloud that lets time pass at each call and spoils some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.google.gmail.model import Gmail
from shared.domain.calendar.event import CalendarEvent
from shared.ports.calendar import EventPage, OpenedChannel
from shared.ports.documents import Document, Query, Version, Write
from shared.ports.mailbox import Watch
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.tasks import Task
from tests.fake_mailbox import FakeMailbox
from tests.fakes import FakeAuthorization, FakeTasks
from tests.firestore_indexes import require_index
from tests.memory_documents import MemoryDocuments
from tests.usecases.calendar.fake_calendar import FakeCalendar

if TYPE_CHECKING:
    from tests.simulation.cloud import Cloud

STORE_S = (0.004, 0.03)
VENDOR_S = (0.05, 0.4)
QUEUE_S = (0.005, 0.03)
"""How long a call takes, at least and at most."""


class SimDocuments(MemoryDocuments):
    """The store. A call may fail, and a write may happen without anybody being told."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(require_index)
        self._cloud = cloud

    @reads
    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        self._cloud.reads_store()
        return super().get_all(paths)

    @reads
    def find(self, query: Query) -> list[Document]:
        self._cloud.reads_store()
        return super().find(query)

    @reads
    def count(self, query: Query) -> int:
        self._cloud.reads_store()
        return super().count(query)

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        ending = self._cloud.writes_store()
        versions = super().commit(writes)
        if ending:
            self._cloud.finish(ending, "Documents.commit")
        return versions


class SimTasks(FakeTasks):
    """The queues take what they are given; the cloud dispatches it."""

    def __init__(self, cloud: Cloud, tombstone_s: float) -> None:
        super().__init__(cloud.clock, tombstone_s)
        self._cloud = cloud

    def create(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        ending = self._cloud.queues_tasks()
        before = len(self.created)
        halfway = len(tasks) // 2 if ending == "crash" and len(tasks) > 1 else len(tasks)
        super().create(tasks[:halfway])
        for task in self.created[before:]:
            self._cloud.enqueue(task)
        if ending:
            self._cloud.finish(ending, "Tasks.create")

    def waiting(self, queue: str, name: str) -> Task | None:
        return self._pending.get((queue, name))


class SimAuthorization(FakeAuthorization):
    """Google's consent and token endpoint; it also knows which access tokens still open something."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud.clock)
        self._cloud = cloud
        self._access: dict[str, tuple[str, datetime]] = {}
        self.blocked: set[str] = set()

    def exchange(self, *, code: str, verifier: str) -> Grant:
        ending = self._cloud.calls_vendor("oauth", "exchange", effect=True)
        grant = super().exchange(code=code, verifier=verifier)
        self._access[grant.access_token] = (grant.refresh_token or "", grant.expires_at)
        if ending:
            self._cloud.finish(ending, "Authorization.exchange")
        return grant

    def refresh(self, refresh_token: str) -> AccessToken:
        ending = self._cloud.calls_vendor("oauth", "refresh", effect=True)
        token = super().refresh(refresh_token)
        self._access[token.token] = (refresh_token, token.expires_at)
        if ending:
            self._cloud.finish(ending, "Authorization.refresh")
        return token

    def revoke(self, refresh_token: str) -> None:
        ending = self._cloud.calls_vendor("oauth", "revoke", effect=True)
        super().revoke(refresh_token)
        if ending:
            self._cloud.finish(ending, "Authorization.revoke")

    def opens(self, access_token: str, account: str) -> bool:
        """Whether this token still opens the account's mail and calendars."""
        refresh_token, ends_at = self._access.get(access_token, ("", self._cloud.clock.now()))
        return self._grants.get(refresh_token) == account and ends_at > self._cloud.clock.now()

    def forget_access(self, account: str) -> None:
        """Access tokens die before their time; the grant lives."""
        self._access = {token: kept for token, kept in self._access.items() if self._grants.get(kept[0]) != account}


class SimMailbox(FakeMailbox):
    """One account's mail, seen by one tenant's connection to it."""

    def __init__(self, cloud: Cloud, gmail: Gmail, address: str, token: Callable[[bool], str], *, page: int) -> None:
        super().__init__(gmail, address, page=page)
        self._cloud = cloud
        self._token = token

    def _count(self, method: str) -> None:
        self._cloud.calls_account(self.address, "gmail", method, self._token)
        super()._count(method)

    def start_watch(self) -> Watch:
        watch = super().start_watch()
        self._cloud.may_lose_answer("Mailbox.start_watch")
        return watch

    def stop_watch(self) -> None:
        super().stop_watch()
        self._cloud.may_lose_answer("Mailbox.stop_watch")


class AccountCalendar(FakeCalendar):
    """One person's calendars at the vendor, who posts notices to the channels that run.

    A page token names the last event told and where the reading began, so that what changes between two pages moves no
    other event from one page to another.
    """

    announce: Callable[[str, str, int], object]

    def begin(self, announce: Callable[[str, str, int], object]) -> None:
        """announce: hears channel id, calendar id and the number of a notice."""
        self.announce = announce
        self.numbers: dict[str, int] = {}

    def put(self, event: CalendarEvent, calendar_id: str | None = None) -> None:
        super().put(event, calendar_id)
        for channel_id in self.running():
            self.numbers[channel_id] = self.numbers.get(channel_id, 1) + 1
            self.announce(channel_id, self.owner, self.numbers[channel_id])

    def delete(self, event_id: str, calendar_id: str | None = None) -> None:
        """A series takes its instances along, untold."""
        held = self._events[calendar_id or self.owner]
        for instance_id in [id_ for id_, stated in held.items() if stated.event.series_id == event_id]:
            self.vanish(instance_id, calendar_id)
        super().delete(event_id, calendar_id)

    def living(self) -> list[CalendarEvent]:
        """Everything that is there, cancelled instances of series too."""
        held = self._events.get(self.owner, {})
        return [stated.event for _, stated in sorted(held.items())]

    def channel_lost(self, channel_id: str) -> None:
        """The vendor forgets a channel without a word."""
        self.channels[channel_id].stopped = True

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        after, _, began = (page or f"|{self._revision}").partition("|")
        size, self.page_size = self.page_size, 1_000_000
        try:
            whole = super().events(calendar_id, since=since, sync_token=sync_token, page=None)
        finally:
            self.page_size = size
        listed = [event for event in whole.events if event.event_id > after]
        part, last = tuple(listed[:size]), len(listed) <= size
        return replace(
            whole,
            events=part,
            next_page=None if last else f"{part[-1].event_id}|{began}",
            sync_token=began if last else None,
        )


class SimCalendar:
    """An account's calendars, seen by one tenant's connection to them."""

    def __init__(self, cloud: Cloud, account: AccountCalendar, token: Callable[[bool], str]) -> None:
        self._cloud = cloud
        self._account = account
        self._token = token

    @reads
    def calendars(self) -> Any:
        self._call("calendars")
        return self._account.calendars()

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        self._call("events")
        return self._account.events(calendar_id, since=since, sync_token=sync_token, page=page)

    def open_channel(self, calendar_id: str, *, channel_id: str, token: str, address: str) -> OpenedChannel:
        self._call("open_channel")
        opened = self._account.open_channel(calendar_id, channel_id=channel_id, token=token, address=address)
        self._account.announce(channel_id, calendar_id, 1)
        self._cloud.may_lose_answer("Calendar.open_channel")
        return opened

    def close_channel(self, channel_id: str, resource_id: str) -> None:
        self._call("close_channel")
        self._account.close_channel(channel_id, resource_id)
        self._cloud.may_lose_answer("Calendar.close_channel")

    def _call(self, method: str) -> None:
        self._cloud.calls_account(self._account.owner, "calendar", method, self._token)


class SimJitter:
    """Waits a little longer after each lost race."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @reads
    def wait(self, attempt: int) -> None:
        self._cloud.pause(self._cloud.dice.uniform(0.01, 0.05 * 2**attempt))


class Token:
    """What a worker remembers of a connection's access token, for some minutes."""

    def __init__(self, cloud: Cloud, fetch: Callable[[str | None], str], kept_for: timedelta) -> None:
        self._cloud = cloud
        self._fetch = fetch
        self._kept_for = kept_for
        self._token: str | None = None
        self._until: datetime | None = None

    def __call__(self, rejected: bool) -> str:
        now = self._cloud.clock.now()
        if self._token is not None and self._until is not None and now < self._until and not rejected:
            return self._token
        self._token = self._fetch(self._token if rejected else None)
        self._until = now + self._kept_for
        return self._token
