"""In-memory fakes of the ports, held to the real adapters by tests/contracts/.

Each has a `down` switch where the real one can fail: while set, calls raise ProviderUnavailableError and do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import (
    AppError,
    ConnectionRevokedError,
    InputError,
    NotFoundError,
    PayloadError,
    ProviderUnavailableError,
)
from shared.platform.blobs import check_key
from shared.platform.cloud_tasks import checked_body
from shared.platform.pubsub import carried
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.tasks import Task
from shared.ports.time import Clock
from tests.memory_documents import MemoryDocuments

__all__ = [
    "FakeAuthorization",
    "FakeBlobs",
    "FakeChance",
    "FakeClock",
    "FakeJitter",
    "FakePublisher",
    "FakeTasks",
    "FakeWrappingKey",
    "MemoryDocuments",
    "Published",
]

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning, where stories begin unless they say otherwise."""

FURTHEST_AHEAD = timedelta(days=30)


class FakeClock:
    """Stands still until told."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    @reads
    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        self._now = now


class FakeChance:
    """The same dice every time, for one seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    @reads
    def token(self) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(32)).rstrip(b"=").decode()

    @reads
    def fraction(self) -> float:
        return self._random.random()


class FakeJitter:
    """Waits no time and keeps the attempts it was asked to wait for. on_wait: what happens meanwhile."""

    def __init__(self) -> None:
        self.waits: list[int] = []
        self.on_wait: Callable[[], object] | None = None

    @reads
    def wait(self, attempt: int) -> None:
        self.waits.append(attempt)
        if self.on_wait:
            self.on_wait()


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed: whose account, and which scopes they left ticked."""

    account: str
    scopes: frozenset[str]
    challenge: str


class FakeAuthorization:
    """One vendor's consent page and token endpoint. Codes work once; a grant lives until it is revoked.

    asked: what `url` was called with. minted: every secret it handed out. failing: errors of the next refreshes.
    on_exchange, on_refresh: what happens meanwhile.
    """

    TOKEN_LIVES = timedelta(hours=1)

    def __init__(self, clock: Clock) -> None:
        self.asked: list[dict[str, str | None]] = []
        self.minted: list[str] = []
        self.failing: list[AppError] = []
        self.refreshes = 0
        self.revoked: list[str] = []
        self.lasting = True
        self.on_exchange: Callable[[], object] | None = None
        self.on_refresh: Callable[[], object] | None = None
        self._clock = clock
        self._codes: dict[str, Consent] = {}
        self._grants: dict[str, str] = {}

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        self.asked.append({"state": state, "verifier": verifier, "login_hint": login_hint})
        return f"https://accounts.example/consent?state={state}"

    def agree(self, account: str, scopes: frozenset[str], code: str = "") -> str:
        """The person of the flow begun last agrees; returns the code their browser brings back."""
        code = code or f"code-{len(self._codes) + 1}"
        self._codes[code] = Consent(account, scopes, self.asked[-1]["verifier"] or "")
        return code

    def exchange(self, *, code: str, verifier: str) -> Grant:
        consent = self._codes.pop(code, None)
        if consent is None or consent.challenge != verifier:
            raise InputError("This code is used or old.")
        if self.on_exchange:
            self.on_exchange()
        refresh_token = self._mint("refresh")
        self._grants[refresh_token] = consent.account
        return Grant(
            account=consent.account,
            account_id=f"sub-{consent.account}",
            hosted_domain=None,
            scopes=consent.scopes,
            access_token=self._mint("access"),
            expires_at=self._clock.now() + self.TOKEN_LIVES,
            refresh_token=refresh_token if self.lasting else None,
        )

    def refresh(self, refresh_token: str) -> AccessToken:
        self.refreshes += 1
        if self.on_refresh:
            self.on_refresh()
        if self.failing:
            raise self.failing.pop(0)
        if refresh_token not in self._grants:
            raise ConnectionRevokedError("invalid_grant")
        return AccessToken(self._mint("access"), self._clock.now() + self.TOKEN_LIVES)

    def revoke(self, refresh_token: str) -> None:
        """Ends every grant of that person, as at Google."""
        account = self._grants.get(refresh_token)
        if account is not None:
            self.end_grants(account)

    def end_grants(self, account: str) -> None:
        """The person removes our access in their account."""
        self.revoked.append(account)
        self._grants = {token: holder for token, holder in self._grants.items() if holder != account}

    def granted(self, account: str) -> bool:
        return account in self._grants.values()

    def _mint(self, kind: str) -> str:
        token = f"{kind}-secret-{len(self.minted) + 1}"
        self.minted.append(token)
        return token


class FakeTasks:
    """Queues that keep what they are given until a test takes it out.

    tombstone_s: how long a done task's name stays taken; Cloud Tasks promises nothing between none and 24 hours, so the
    suite runs with several (`--tombstone`).
    """

    usual_tombstone_s: float = 3600

    def __init__(self, clock: Clock | None = None, tombstone_s: float | None = None) -> None:
        self.down = False
        self.tombstone_s = self.usual_tombstone_s if tombstone_s is None else tombstone_s
        self.created: list[Task] = []
        self._clock = clock or FakeClock()
        self._pending: dict[tuple[str, str], Task] = {}
        self._done_at: dict[tuple[str, str], datetime] = {}

    def create(self, tasks: Sequence[Task]) -> None:
        accepted = [self._accepted(task) for task in tasks]
        if self.down:
            raise ProviderUnavailableError("the queues are down")
        for task in accepted:
            if not self._is_taken(task):
                self._pending[task.queue, task.name] = task
                self.created.append(task)

    def pending(self, queue: str | None = None) -> list[Task]:
        """What waits, in the order it falls due; of all queues if none is named."""
        waiting = [task for task in self._pending.values() if queue in (None, task.queue)]
        return sorted(waiting, key=lambda task: task.not_before or datetime.min.replace(tzinfo=UTC))

    def due(self, queue: str | None = None) -> list[Task]:
        """What waits and may run now."""
        now = self._clock.now()
        return [task for task in self.pending(queue) if task.not_before is None or task.not_before <= now]

    def put_off(self, task: Task, seconds: float) -> None:
        """The queue tries again later, as after a 5xx."""
        self._pending[task.queue, task.name] = replace(task, not_before=self._clock.now() + timedelta(seconds=seconds))

    def lose(self, queue: str | None = None) -> int:
        """What waits is gone, as after a purge; returns how many."""
        lost = self.pending(queue)
        for task in lost:
            self._pending.pop((task.queue, task.name))
        return len(lost)

    def done(self, task: Task) -> None:
        """Take a task out, as after a 2xx; its name stays taken for the tombstone's time."""
        self._pending.pop((task.queue, task.name), None)
        self._done_at[task.queue, task.name] = self._clock.now()

    def _is_taken(self, task: Task) -> bool:
        key = (task.queue, task.name)
        done_at = self._done_at.get(key)
        buried = done_at is not None and self._clock.now() < done_at + timedelta(seconds=self.tombstone_s)
        return key in self._pending or buried

    def _accepted(self, task: Task) -> Task:
        """A private copy of what Cloud Tasks would take. Raises: ValueError for anything else."""
        body = checked_body(task)
        if task.not_before is not None and task.not_before > self._clock.now() + FURTHEST_AHEAD:
            raise ValueError(f"task {task.name} is more than 30 days ahead")
        return replace(task, payload=json.loads(body))


@dataclass(frozen=True, slots=True)
class Published:
    """One message a FakePublisher was given."""

    topic: str
    payload: Mapping[str, Any]
    attributes: Mapping[str, str]


class FakePublisher:
    """Keeps what was published, in order."""

    def __init__(self) -> None:
        self.down = False
        self.published: list[Published] = []

    def publish(self, topic: str, payload: Mapping[str, Any], attributes: Mapping[str, str] | None = None) -> None:
        message = Published(topic, json.loads(json.dumps(payload)), carried(attributes))
        if self.down:
            raise ProviderUnavailableError("the topics are down")
        self.published.append(message)

    def on(self, topic: str) -> list[Published]:
        """What was published to one topic."""
        return [message for message in self.published if message.topic == topic]


class FakeBlobs:
    """A bucket in memory, for one tenant."""

    def __init__(self, tenant: str) -> None:
        self.down = False
        self.content_types: dict[str, str] = {}
        self._tenant = tenant
        self._contents: dict[str, bytes] = {}

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self._check(key)
        self._contents[key] = bytes(content)
        self.content_types[key] = content_type

    @reads
    def get(self, key: str) -> bytes:
        self._check(key)
        try:
            return self._contents[key]
        except KeyError:
            raise NotFoundError(f"blob {key} does not exist") from None

    def delete(self, key: str) -> None:
        self._check(key)
        self._contents.pop(key, None)
        self.content_types.pop(key, None)

    def keys(self) -> list[str]:
        return sorted(self._contents)

    def contents(self) -> dict[str, bytes]:
        return dict(self._contents)

    def _check(self, key: str) -> None:
        check_key(self._tenant, key)
        if self.down:
            raise ProviderUnavailableError("the blobs are down")


class FakeWrappingKey:
    """Hides nothing, but opens only what it closed, under the same context. Counts `wraps` and `unwraps`."""

    def __init__(self, name: str = "key-1") -> None:
        self.down = False
        self.wraps = 0
        self.unwraps = 0
        self._name = name.encode()

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes:
        self._check_up()
        self.wraps += 1
        return self._seal(plain, context) + plain[::-1]

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        self._check_up()
        self.unwraps += 1
        seal, plain = wrapped[:32], wrapped[32:][::-1]
        if seal != self._seal(plain, context):
            raise PayloadError("wrapped with another key or context")
        return plain

    def _seal(self, plain: bytes, context: bytes) -> bytes:
        return hashlib.sha256(self._name + b"|" + context + b"|" + plain).digest()

    def _check_up(self) -> None:
        if self.down:
            raise ProviderUnavailableError("the wrapping key is out of reach")
