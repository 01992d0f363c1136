"""The cloud around the product: it calls the real functions over HTTP, without sockets, in virtual time.

Queues, the scheduler, Pub/Sub and the vendors do here what they do, and spoil it as the weather says. The functions are
`functions/*/main.py` as they are deployed; of `shared.wiring` only what reaches outside is replaced.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Request

from local.cloud.manifests import Manifest, QueueSettings, load_manifests
from local.google.accounts import Account, Alias
from local.google.gmail.model import Gmail
from shared import log, wiring
from shared.domain.mailbox import mailbox_id
from shared.errors import AdminActionError, AppError, ProviderUnavailableError, RateLimitedError
from shared.platform.vault import EnvelopeVault
from shared.ports.tasks import Task
from shared.records.mailboxes import Mailboxes
from shared.records.routes import Routes
from shared.records.store import TenantStore
from shared.usecases.access_token import access_token
from tests.crash import Crash
from tests.fakes import FakeBlobs, FakeChance, FakeWrappingKey
from tests.simulation import weather
from tests.simulation.hub import Hub, HubClock
from tests.simulation.ports import (
    QUEUE_S,
    STORE_S,
    VENDOR_S,
    AccountCalendar,
    SimAuthorization,
    SimCalendar,
    SimDocuments,
    SimJitter,
    SimMailbox,
    SimTasks,
    Token,
)
from tests.simulation.runs import Ending, Run

ROOT = Path(__file__).parents[2]
JOBS = ("mailbox_poll", "outbox_sweep", "watch_renewal", "series_roll", "receipt_audit", "hidden_erase")
WORKERS = 4
MOST_SKEW_S = 4.0
PUSH_ATTEMPTS = 10
NOTICE_ATTEMPTS = 4
SPAN = tuple[float, float]


@cache
def manifests() -> Mapping[str, Manifest]:
    return {manifest.name: manifest for manifest in load_manifests(ROOT / "functions")}


@cache
def queues() -> Mapping[str, QueueSettings]:
    return {found.queue: found.queue_settings for found in manifests().values() if found.queue}


@cache
def deployed(name: str) -> Callable[[Any], Any]:
    """The function as Cloud Functions would call it."""
    function: Callable[[Any], Any] = getattr(importlib.import_module(f"functions.{name}.main"), name)
    return function


class Cloud:
    """faults: how often each struck. bugs: errors that are nobody's word, and what raised them. lines: what happened,
    with its moment, for the story. peaceful: no fault strikes any more."""

    def __init__(
        self,
        seed: int,
        *,
        start: datetime,
        under: frozenset[str],
        tombstone_s: float,
        page: int,
        addresses: Sequence[str],
    ) -> None:
        self.hub = Hub(start)
        self.clock = HubClock(self.hub)
        self.dice = random.Random(seed)
        self.peaceful = False
        self.faults: Counter[str] = Counter()
        self.bugs: list[str] = []
        self.lines: list[tuple[datetime, str]] = []
        self.calls: Counter[str] = Counter()
        self.documents = SimDocuments(self)
        self.tasks = SimTasks(self, tombstone_s)
        self.chance = FakeChance(seed)
        self.jitter = SimJitter(self)
        self.wrapping_key = FakeWrappingKey()
        self.google = SimAuthorization(self)
        self.gmail = Gmail(self.clock.now, lambda _topic, content: self.push(content), random.Random(seed + 1))
        self.calendars: dict[str, AccountCalendar] = {}
        self.unreadable: defaultdict[str, set[str]] = defaultdict(set)
        self.headless: defaultdict[str, set[str]] = defaultdict(set)
        self.down_until: dict[str, datetime] = {}
        self.quota_until: dict[tuple[str, str], datetime] = {}
        self.blocked: set[str] = set()
        self.channels_lost: set[str] = set()
        self.lapsed_at: dict[str, datetime] = {}
        self.queued_at: dict[tuple[str, str], datetime] = {}
        self._seed = seed
        self._under = under
        self._page = page
        self._address_of = {mailbox_id(address): address for address in addresses}
        self._live: dict[int, Run] = {}
        self._runs = 0
        self._to_die = 0
        self._skews = [0.0] * WORKERS
        self._tokens: dict[tuple[int, str, str], Token] = {}
        self._blobs: dict[str, FakeBlobs] = {}
        self._ports: dict[tuple[str, str, str], Any] = {}
        for address in addresses:
            name, _, domain = address.partition("@")
            self.gmail.open(Account(address, name, f"sub-{name}", "", aliases=[Alias(f"{name}@mail.{domain}")]))
            calendar = AccountCalendar(self.clock, address, page_size=page)
            calendar.begin(partial(self.channel_notice, address))
            self.calendars[address] = calendar
        self.instances_start()

    # --------------------------------------------------------------------------------------------- faults and turns

    def under(self, word: str) -> bool:
        return word in self._under and not self.peaceful

    def strikes(self, word: str, dice: random.Random) -> bool:
        """Whether this fault strikes now; counted if it does."""
        if word not in self._under or self.peaceful or dice.random() >= weather.RATES[word]:
            return False
        self.faults[word] += 1
        return True

    def tell(self, words: str) -> None:
        self.lines.append((self.hub.now, words))

    @property
    def running(self) -> Run | None:
        return self.hub.running

    def pause(self, seconds: float) -> None:
        run = self.running
        if run is not None:
            self.hub.pause(seconds)
            run.check_alive()

    def _turn(self, span: SPAN) -> Run | None:
        """Time passes at a port call, and others have their turn. None outside of handlers."""
        run = self.running
        if run is None:
            return None
        run.check_alive()
        seconds = run.dice.uniform(*span)
        if self.strikes(weather.WORKERS_STALL, run.dice):
            seconds += run.dice.uniform(2, 100)
        self.hub.pause(seconds)
        run.check_alive()
        return run

    def _dies(self, run: Run, call: str) -> Ending | None:
        """Before an effect: nothing, or the process ends here, or right after it."""
        if not run.ends_here():
            return None
        self.faults["crashes"] += 1
        if run.dice.random() < 0.5:
            run.dead = True
            self.tell(f"{run.name} dies before {call}")
            raise Crash(f"{run.name} before {call}")
        self.tell(f"{run.name} dies after {call}")
        return "crash"

    def finish(self, ending: Ending, call: str) -> None:
        run = self.running
        assert run is not None
        run.finish(ending, call)

    def reads_store(self) -> None:
        run = self._turn(STORE_S)
        if run is None:
            return
        self._require_up("store")
        if self.strikes(weather.STORE_UNREADABLE, run.dice):
            raise ProviderUnavailableError("Firestore: ServiceUnavailable")

    def writes_store(self) -> Ending | None:
        run = self._turn(STORE_S)
        if run is None:
            return None
        self._require_up("store")
        if self.strikes(weather.STORE_REFUSES, run.dice):
            raise ProviderUnavailableError("Firestore: Aborted")
        if ending := self._dies(run, "Documents.commit"):
            return ending
        return "lost" if self.strikes(weather.STORE_SILENT, run.dice) else None

    def queues_tasks(self) -> Ending | None:
        run = self._turn(QUEUE_S)
        if run is None:
            return None
        self._require_up("queues")
        return self._dies(run, "Tasks.create")

    def calls_vendor(self, kind: str, method: str, *, effect: bool = False) -> Ending | None:
        run = self._turn(VENDOR_S)
        if run is None:
            return None
        self._require_up(kind)
        if self.strikes(weather.VENDOR_STUMBLES, run.dice):
            raise ProviderUnavailableError(f"{kind} {method}: 503")
        if not effect:
            return None
        if ending := self._dies(run, f"{kind} {method}"):
            return ending
        return "lost" if self.strikes(weather.VENDOR_SILENT, run.dice) else None

    def calls_account(self, account: str, kind: str, method: str, token: Callable[[bool], str]) -> None:
        """A call on behalf of a person: with a token that is refreshed once where it is refused."""
        if self.running is None:
            return
        for refused in (False, True):
            given = token(refused)
            self.calls_vendor(kind, method)
            if (until := self.quota_until.get((kind, account))) and self.hub.now < until:
                self.faults["calls over quota"] += 1
                raise RateLimitedError(f"{kind} {method}: 429", resume_at=until)
            if account in self.blocked:
                raise AdminActionError(f"{kind} {method}: 403", reason="app_blocked")
            if self.google.opens(given, account):
                return
        raise ProviderUnavailableError(f"{kind} {method}: 401 after a refresh")

    def may_lose_answer(self, call: str) -> None:
        """After a vendor acted."""
        run = self.running
        if run is None:
            return
        if run.ends_here():
            self.faults["crashes"] += 1
            self.tell(f"{run.name} dies after {call}")
            run.finish("crash", call)
        if self.strikes(weather.VENDOR_SILENT, run.dice):
            run.finish("lost", call)

    def _require_up(self, kind: str) -> None:
        if (until := self.down_until.get(kind)) and self.hub.now < until:
            self.faults[f"calls while {kind} is down"] += 1
            raise ProviderUnavailableError(f"{kind} is down")

    # ---------------------------------------------------------------------------------------------- running handlers

    def instances_start(self) -> None:
        """New instances, with clocks of their own and empty memories."""
        self._tokens.clear()
        skewed = self.under(weather.CLOCKS_DIFFER)
        self._skews = [self.dice.uniform(-MOST_SKEW_S, MOST_SKEW_S) if skewed else 0.0 for _ in range(WORKERS)]
        if skewed:
            self.faults[weather.CLOCKS_DIFFER] += WORKERS

    def calms_down(self) -> None:
        """No fault strikes any more, and whatever was down is up."""
        self.peaceful = True
        self.down_until.clear()
        self.quota_until.clear()
        self.blocked.clear()
        for run in self._live.values():
            run.dies_in = None
        self.instances_start()

    def deploy(self) -> None:
        """Every handler in flight dies at one of its next calls, and so do the first ones that begin after it."""
        for run in self._live.values():
            run.dies_in = run.dice.randrange(4)
        self._to_die = 4
        self.instances_start()

    def start(self, name: str, key: str, work: Callable[[], int], done: Callable[[int | None], None]) -> None:
        """Run a handler. done: hears its status, None where it died."""
        self._runs += 1
        number = self._runs
        worker = number % WORKERS
        dice = random.Random(zlib.crc32(f"{key}/{self._seed}".encode()))
        run = Run(name, HubClock(self.hub, self._skews[worker]), dice)
        run.worker = worker
        if self._to_die and not self.peaceful:
            self._to_die -= 1
            run.dies_in = dice.randrange(25)
        self._live[number] = run
        self.calls[name] += 1

        def main() -> None:
            try:
                status: int | None = work()
            except Crash:
                status = None
            del self._live[number]
            done(status)

        self.hub.start(main, run)

    def as_person(self, name: str, work: Callable[[], object], done: Callable[[AppError | None], None]) -> None:
        """What a signed-in person asks for. done: hears the error they were told; a crash is one."""
        told: list[AppError | None] = []

        def attempt() -> int:
            try:
                work()
                told.append(None)
            except AppError as error:
                told.append(error)
            return 200

        def heard(_status: int | None) -> None:
            done(told[0] if told else ProviderUnavailableError("no answer"))

        self.start(name, f"{name}/{self.hub.now.isoformat()}", attempt, heard)

    def post(
        self, function: str, key: str, body: bytes, headers: Mapping[str, str], done: Callable[[int | None], None]
    ) -> None:
        """An HTTP request reaches a function."""
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/json",
            "wsgi.input": io.BytesIO(body),
            "HTTP_AUTHORIZATION": "Bearer of-our-own-caller",
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        request = Request(environ)
        self.start(function, key, lambda: int(deployed(function)(request).status_code), done)

    # --------------------------------------------------------------------------------------------------- the queues

    def enqueue(self, task: Task) -> None:
        self.queued_at[task.queue, task.name] = self.hub.now
        wait = max(0.0, (task.not_before - self.hub.now).total_seconds()) if task.not_before else 0.0
        dice = random.Random(zlib.crc32(task.name.encode()) ^ self._seed)
        wait += dice.uniform(0.01, 1.0)
        if self.strikes(weather.TASKS_LATE, dice):
            wait += dice.uniform(60, 3600)
        self.hub.after(wait, partial(self._dispatch, task, 0))
        if self.strikes(weather.TASKS_DOUBLED, dice):
            later = dice.choice((0.0, dice.uniform(0, 5), dice.uniform(60, 7200)))
            self.hub.after(wait + later, partial(self._again, task))

    def _dispatch(self, task: Task, attempt: int) -> None:
        if self.tasks.waiting(task.queue, task.name) is None:
            return

        def done(status: int | None) -> None:
            if status is not None and 200 <= status < 300:
                self.tasks.done(task)
                return
            settings = queues()[task.queue]
            backoff = min(settings.max_backoff_s, settings.min_backoff_s * 2.0 ** min(attempt, 16))
            self.hub.after(backoff * (0.8 + 0.4 * self.dice.random()), partial(self._dispatch, task, attempt + 1))

        self._post_task(task, attempt, done)

    def _again(self, task: Task) -> None:
        """A delivery too many; nobody looks at its answer."""
        self._post_task(task, 0, lambda _: None, "again")

    def _post_task(self, task: Task, attempt: int, done: Callable[[int | None], None], which: str = "first") -> None:
        headers = {
            "X-CloudTasks-QueueName": task.queue,
            "X-CloudTasks-TaskName": task.name,
            "X-CloudTasks-TaskRetryCount": str(attempt),
        }
        self.post(task.function, f"{task.name}/{attempt}/{which}", json.dumps(task.payload).encode(), headers, done)

    # ------------------------------------------------------------------------------------------------ the scheduler

    def schedule_jobs(self) -> None:
        for name in JOBS:
            self._schedule(name)

    def _schedule(self, name: str) -> None:
        due = next_run(manifests()[name].schedule or "", self.hub.now)
        self.hub.at(due, partial(self._job, name, due))

    def _job(self, name: str, due: datetime) -> None:
        self._schedule(name)
        if self.strikes(weather.JOBS_MISSED, self.dice):
            return
        headers = {"X-CloudScheduler-JobName": name, "X-CloudScheduler-ScheduleTime": due.isoformat()}
        self.post(name, f"{name}/{due}", b"{}", headers, lambda _: None)
        if self.strikes(weather.JOBS_DOUBLED, self.dice):
            again = partial(self.post, name, f"{name}/{due}/2", b"{}", headers, lambda _: None)
            self.hub.after(self.dice.uniform(0, 20), again)

    # ------------------------------------------------------------------------------------------------- hints to come

    def push(self, content: bytes) -> None:
        """Gmail publishes a notice."""
        dice = random.Random(zlib.crc32(content) ^ self._seed)
        for wait in self._fates(dice):
            message_id = f"p{zlib.crc32(content)}-{wait:.3f}"
            self.hub.after(wait, partial(self._deliver_push, content, message_id, 1))

    def _fates(self, dice: random.Random) -> list[float]:
        """After how many seconds a hint comes, and how often."""
        if self.strikes(weather.PUSHES_LOST, dice):
            return []
        waits = [dice.uniform(0.1, 2)]
        if self.strikes(weather.PUSHES_REORDERED, dice):
            waits = [dice.uniform(2, 120)]
        if self.strikes(weather.PUSHES_DELAYED, dice):
            waits = [dice.uniform(600, 6 * 3600)]
        if self.strikes(weather.PUSHES_DOUBLED, dice):
            waits.append(waits[0] + dice.uniform(0, 300))
        return waits

    def _deliver_push(self, content: bytes, message_id: str, attempt: int) -> None:
        message = {"data": base64.b64encode(content).decode(), "messageId": message_id, "attributes": {}}
        body = {"message": message, "subscription": "gmail-push", "deliveryAttempt": attempt}

        def done(status: int | None) -> None:
            if (status is None or status >= 300) and attempt < PUSH_ATTEMPTS:
                wait = min(600.0, 10 * 2.0**attempt)
                self.hub.after(wait, partial(self._deliver_push, content, message_id, attempt + 1))

        self.post("gmail_push", f"{message_id}/{attempt}", json.dumps(body).encode(), {}, done)

    def channel_notice(self, account: str, channel_id: str, _calendar_id: str, number: int) -> None:
        """Google tells a channel of a change. It tries a few times and gives up."""
        dice = random.Random(zlib.crc32(f"{channel_id}{number}".encode()) ^ self._seed)
        for wait in self._fates(dice):
            self.hub.after(wait, partial(self._deliver_notice, account, channel_id, number, 1))

    def _deliver_notice(self, account: str, channel_id: str, number: int, attempt: int) -> None:
        channel = self.calendars[account].channels[channel_id]
        headers = {
            "X-Goog-Channel-ID": channel_id,
            "X-Goog-Channel-Token": channel.token,
            "X-Goog-Resource-ID": f"resource of {channel.calendar_id}",
            "X-Goog-Resource-State": "sync" if number == 1 else "exists",
            "X-Goog-Message-Number": str(number),
        }

        def done(status: int | None) -> None:
            if (status is None or status >= 500) and attempt < NOTICE_ATTEMPTS:
                self.hub.after(5.0**attempt, partial(self._deliver_notice, account, channel_id, number, attempt + 1))

        self.post("calendar_push", f"{channel_id}/{number}/{attempt}", b"", headers, done)

    # --------------------------------------------------------------------------------------------------- the wiring

    def store(self, tenant: str) -> TenantStore:
        return TenantStore(self.documents, tenant)

    def mailbox(self, tenant: str, box: str) -> SimMailbox:
        key = ("gmail", tenant, box)
        if key not in self._ports:
            address = self._address_of[box]
            made = SimMailbox(self, self.gmail, address, partial(self._token, tenant, box), page=self._page)
            made.unreadable, made.headless = self.unreadable[address], self.headless[address]
            self._ports[key] = made
        found: SimMailbox = self._ports[key]
        return found

    def calendar(self, tenant: str, box: str) -> SimCalendar:
        key = ("calendar", tenant, box)
        if key not in self._ports:
            token = partial(self._token, tenant, box)
            self._ports[key] = SimCalendar(self, self.calendars[self._address_of[box]], token)
        found: SimCalendar = self._ports[key]
        return found

    def _token(self, tenant: str, box: str, rejected: bool) -> str:
        """As the worker that runs now remembers it."""
        run = self.running
        assert run is not None
        key = (run.worker, tenant, box)
        if key not in self._tokens:
            self._tokens[key] = Token(self, partial(self._fetch_token, tenant, box), wiring.TOKEN_KEPT_FOR)
        return self._tokens[key](rejected)

    def _fetch_token(self, tenant: str, box: str, rejected: str | None) -> str:
        connection_id = Mailboxes(self.store(tenant)).get(box).value.connection_id
        return access_token(wiring.credit(tenant), connection_id, rejected=rejected)

    def blobs(self, tenant: str) -> FakeBlobs:
        return self._blobs.setdefault(tenant, FakeBlobs(tenant))

    def worker_clock(self) -> HubClock | Any:
        run = self.running
        return run.clock if run else self.clock

    def vault(self, tenant: str) -> EnvelopeVault:
        return EnvelopeVault(self.documents, tenant, self.wrapping_key, self.worker_clock(), self.chance)

    def bug(self, name: str, error: BaseException, **_ids: object) -> None:
        places = []
        trace = error.__traceback__
        while trace is not None:
            places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
            trace = trace.tb_next
        self.bugs.append(f"{name}: {type(error).__name__}: {error} at {' > '.join(places[-6:])}")

    @contextmanager
    def wired(self) -> Iterator[None]:
        """While inside, the functions find this cloud where they would find the real one."""
        replaced: dict[str, Any] = {
            "documents": lambda: self.documents,
            "tasks": lambda: self.tasks,
            "blobs": self.blobs,
            "clock": self.worker_clock,
            "chance": lambda: self.chance,
            "jitter": lambda: self.jitter,
            "routes": lambda: Routes(self.documents),
            "gmail": self.mailbox,
            "calendar": self.calendar,
            "authorization": lambda *_: self.google,
            "vault": self.vault,
            "public_url": lambda name: f"https://functions.example/{name}",
            "function_url": lambda name: f"https://functions.example/{name}",
            "service_tokens": lambda: SimpleNamespace(verify=lambda _token, _audience: None),
        }
        kept = {name: getattr(wiring, name) for name in replaced}
        event, exception = log.event, log.exception
        try:
            for name, value in replaced.items():
                setattr(wiring, name, value)
            setattr(log, "event", _unheard)  # noqa: B010 - mypy holds assignments to the very signature
            setattr(log, "exception", self.bug)  # noqa: B010 - as above
            yield
        finally:
            for name, value in kept.items():
                setattr(wiring, name, value)
            setattr(log, "event", event)  # noqa: B010 - as above
            setattr(log, "exception", exception)  # noqa: B010 - as above


def _unheard(_name: str, **_ids: object) -> None:
    return None


def next_run(cron: str, now: datetime) -> datetime:
    """When a job runs next. Of cron only what the manifests use: every n minutes, hourly, daily; UTC."""
    minute, hour = cron.split()[:2]
    whole = now.replace(second=0, microsecond=0)
    if minute.startswith("*/"):
        step = int(minute[2:])
        return whole.replace(minute=0) + timedelta(minutes=(whole.minute // step + 1) * step)
    due = whole.replace(minute=int(minute), hour=whole.hour if hour == "*" else int(hour))
    apart = timedelta(hours=1) if hour == "*" else timedelta(days=1)
    return due if due > now else due + apart
