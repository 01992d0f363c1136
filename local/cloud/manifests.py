"""functions/<name>/function.yaml, read and checked.

Each manifest says how a function is called, what it needs and who answers for it. Terraform reads the same files for
the cloud; here they decide which topics, subscriptions, queues and jobs the laptop has. A mistake is one sentence
that names the file and the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from local.cloud import values

T = TypeVar("T")

NOTHING: tuple[str, ...] = ()
DEAD_LETTER_TOPIC = "dead-letter"
ACK_DEADLINE_LIMITS_S = (10, 600)

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_]{2,62}")
_MEMORY = re.compile(r"[1-9][0-9]*(Mi|Gi)")


class ManifestError(Exception):
    """A function.yaml cannot be used; the message is one sentence naming file and key."""


class Trigger(StrEnum):
    """What calls the function."""

    HTTP = "http"
    PUSH = "push"
    TASK = "task"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Uses:
    """What the function may touch, by cloud name; nothing else is granted to it."""

    queues: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Limits of a Cloud Tasks queue; `max_attempts` -1 never gives up."""

    rate_per_s: float = 50.0
    concurrent: int = 20
    min_backoff_s: float = 1.0
    max_backoff_s: float = 600.0
    max_attempts: int = -1


@dataclass(frozen=True, slots=True)
class Backoff:
    """Wait between two deliveries, growing from the first to the second."""

    min_backoff_s: float
    max_backoff_s: float


@dataclass(frozen=True, slots=True)
class PushSettings:
    """A push subscription; the laptop retries sooner than the cloud, with the same keys under `local_backoff`."""

    min_backoff_s: float = 10.0
    max_backoff_s: float = 600.0
    max_attempts: int = 100
    local_backoff: Backoff = Backoff(1.0, 10.0)


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Retries of one scheduled run; 0 leaves a failed run to the next one, as Cloud Scheduler does by default."""

    retries: int = 0
    min_backoff_s: float = 5.0
    max_backoff_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """One deployed function."""

    name: str
    trigger: Trigger
    public: bool
    memory: str
    timeout_s: int
    concurrency: int
    min_instances: int
    providers: tuple[str, ...]  # ("all",) when it serves every provider
    uses: Uses
    publishes: tuple[str, ...]
    owner: str
    answers: Mapping[str, Any]
    topic: str | None = None
    queue: str | None = None
    schedule: str | None = None
    local_every_s: float | None = None
    queue_settings: QueueSettings = field(default_factory=QueueSettings)
    push_settings: PushSettings = field(default_factory=PushSettings)
    job_settings: JobSettings = field(default_factory=JobSettings)

    @property
    def cloud_name(self) -> str:
        """Name of the subscription or job: cloud names take "-" where Python takes "_"."""
        return self.name.replace("_", "-")

    @property
    def ack_deadline_s(self) -> int:
        """How long a push may take: the function's own time, within what Pub/Sub allows."""
        low, high = ACK_DEADLINE_LIMITS_S
        return min(max(self.timeout_s, low), high)


def load_manifests(functions: Path) -> tuple[Manifest, ...]:
    """Read every functions/<name>/function.yaml, in the order of their names.

    Raises:
        ManifestError: a manifest is missing, cannot be read, or two functions claim one queue.
    """
    if not functions.is_dir():
        raise ManifestError(f"{functions} is no folder of functions")
    folders = sorted(path.parent for path in functions.glob("*/main.py"))
    manifests = tuple(_read(folder / "function.yaml") for folder in folders)
    served: dict[str, str] = {}
    for manifest in manifests:
        if manifest.queue and (other := served.setdefault(manifest.queue, manifest.name)) != manifest.name:
            raise ManifestError(
                f"{functions / manifest.name / 'function.yaml'}: queue '{manifest.queue}' already serves {other}"
            )
    return manifests


def _read(path: Path) -> Manifest:
    if not path.exists():
        raise ManifestError(f"{path} is missing beside main.py")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as broken:
        raise ManifestError(f"{path} is not YAML: {' '.join(str(broken).split())}") from broken
    return parse_manifest(path.parent.name, content, source=str(path))


def parse_manifest(name: str, content: object, *, source: str) -> Manifest:
    """Check one decoded manifest; `source` is the file named in errors."""
    if not _FUNCTION_NAME.fullmatch(name):
        raise ManifestError(f"{source}: the folder '{name}' is no function name (lower case, digits, _; 3 to 63)")
    top = _Keys(source, "", content)
    trigger = top.need("trigger", values.one_of(Trigger))
    manifest = Manifest(
        name=name,
        trigger=trigger,
        public=top.need("public", values.boolean),
        memory=top.need("memory", values.matching(_MEMORY, "a size such as 512Mi")),
        timeout_s=top.need("timeout_s", values.whole(1, 3600)),
        concurrency=top.need("concurrency", values.whole(1, 1000)),
        min_instances=top.need("min_instances", values.whole(0, 100)),
        providers=top.need("providers", values.providers),
        uses=_uses(top.section("uses")),
        publishes=top.take("publishes", values.names, NOTHING),
        owner=top.need("owner", values.text),
        answers=MappingProxyType(top.take("answers", values.mapping, {})),
        topic=top.need("topic", values.cloud_name) if trigger is Trigger.PUSH else None,
        queue=top.need("queue", values.cloud_name) if trigger is Trigger.TASK else None,
        schedule=top.need("schedule", values.cron) if trigger is Trigger.SCHEDULE else None,
        local_every_s=top.take("local_every_s", values.seconds, None) if trigger is Trigger.SCHEDULE else None,
        queue_settings=_queue_settings(top.section("queue_settings")) if trigger is Trigger.TASK else QueueSettings(),
        push_settings=_push_settings(top.section("push_settings")) if trigger is Trigger.PUSH else PushSettings(),
        job_settings=_job_settings(top.section("job_settings")) if trigger is Trigger.SCHEDULE else JobSettings(),
    )
    top.refuse_the_rest(f"of a function with trigger '{trigger}'")
    if manifest.public and trigger is not Trigger.HTTP:
        raise ManifestError(f"{source}: public must be false, since trigger '{trigger}' is called by Google alone")
    return manifest


class _Keys:
    """One mapping of the file; every key is taken once, and what is left over is a mistake."""

    def __init__(self, source: str, prefix: str, content: object) -> None:
        if not isinstance(content, dict):
            raise ManifestError(f"{source}: {prefix.rstrip('.') or 'the file'} must be a mapping of keys to values")
        self._source, self._prefix, self._left = source, prefix, dict(content)

    def take(self, key: str, read: Callable[[object], T], default: T) -> T:
        return self.need(key, read) if key in self._left else default

    def need(self, key: str, read: Callable[[object], T]) -> T:
        if key not in self._left:
            raise ManifestError(f"{self._source}: {self._prefix}{key} is missing")
        value = self._left.pop(key)
        try:
            return read(value)
        except ValueError as wrong:
            raise ManifestError(f"{self._source}: {self._prefix}{key} must be {wrong}, not {value!r}") from None

    def section(self, key: str) -> _Keys:
        return _Keys(self._source, f"{self._prefix}{key}.", self._left.pop(key, {}))

    def refuse_the_rest(self, where: str = "") -> None:
        for key in self._left:
            raise ManifestError(f"{self._source}: {self._prefix}{key} is no key {where}".rstrip())


def _uses(keys: _Keys) -> Uses:
    kinds = ("queues", "topics", "secrets", "buckets", "keys")
    uses = Uses(*(keys.take(kind, values.names, NOTHING) for kind in kinds))
    keys.refuse_the_rest("of uses")
    return uses


def _queue_settings(keys: _Keys) -> QueueSettings:
    usual = QueueSettings()
    settings = QueueSettings(
        rate_per_s=keys.take("rate_per_s", values.between(0.01, 500), usual.rate_per_s),
        concurrent=keys.take("concurrent", values.whole(1, 5000), usual.concurrent),
        min_backoff_s=keys.take("min_backoff_s", values.seconds, usual.min_backoff_s),
        max_backoff_s=keys.take("max_backoff_s", values.seconds, usual.max_backoff_s),
        max_attempts=keys.take("max_attempts", values.whole(-1, 1_000_000), usual.max_attempts),
    )
    keys.refuse_the_rest("of queue_settings")
    return settings


def _push_settings(keys: _Keys) -> PushSettings:
    usual = PushSettings()
    local = keys.section("local_backoff")
    settings = PushSettings(
        min_backoff_s=keys.take("min_backoff_s", values.between(0, 600), usual.min_backoff_s),
        max_backoff_s=keys.take("max_backoff_s", values.between(0, 600), usual.max_backoff_s),
        max_attempts=keys.take("max_attempts", values.whole(5, 100), usual.max_attempts),
        local_backoff=Backoff(
            min_backoff_s=local.take("min_backoff_s", values.between(0, 600), usual.local_backoff.min_backoff_s),
            max_backoff_s=local.take("max_backoff_s", values.between(0, 600), usual.local_backoff.max_backoff_s),
        ),
    )
    keys.refuse_the_rest("of push_settings")
    local.refuse_the_rest("of local_backoff")
    return settings


def _job_settings(keys: _Keys) -> JobSettings:
    usual = JobSettings()
    settings = JobSettings(
        retries=keys.take("retries", values.whole(0, 5), usual.retries),
        min_backoff_s=keys.take("min_backoff_s", values.seconds, usual.min_backoff_s),
        max_backoff_s=keys.take("max_backoff_s", values.seconds, usual.max_backoff_s),
    )
    keys.refuse_the_rest("of job_settings")
    return settings
