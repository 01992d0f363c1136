"""A month's bill for so many mailboxes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bench.scale.deployment import backups_kept, functions
from bench.scale.facts import Assumptions, Price, assumptions
from bench.scale.load import DAY_S, DAYS_A_MONTH, PAGE, Load, speaking
from shared.platform.vault import CACHE_FOR, CACHED_TENANTS

GIB = 1024**3
PUBSUB_LEAST_BYTES = 1000
"""A message counts for this much at least, once when published and once when pushed."""

STORED_FOR_DAYS = 365
"""The bill is of a mailbox that has been there for a year, its imported past included."""

PAGE_FUNCTION = "timeline_read"


def bill(volumes: Mapping[str, float], prices: Mapping[str, Price]) -> dict[str, float]:
    """Dollars by what is paid for. Raises: KeyError for a volume that has no price."""
    return {name: prices[name].of(amount) for name, amount in volumes.items()}


def volumes(load: Load, mailboxes: float, *, assumed: Assumptions | None = None) -> dict[str, float]:
    """Amounts of a month, in the units of vendors.yaml."""
    told = assumed or assumptions()
    habits, service = told.mailbox, told.service
    month = load.day * (DAYS_A_MONTH * mailboxes)
    requests = sum(month.requests.values())
    running = busy_s(load, mailboxes, told)
    stored_gib = mailboxes * stored_bytes(load, told) / GIB
    contracts = habits.contracts_a_month * mailboxes
    warm_s = sum(one.min_instances for one in functions().values()) * DAYS_A_MONTH * DAY_S
    secrets = frozenset[str]().union(*(one.secrets for one in functions().values()))
    readers = sum(1 for name in month.requests if name != PAGE and functions()[name].secrets)
    return {
        "firestore_reads": month.reads,
        "firestore_writes": month.writes,
        "firestore_deletes": month.deletes,
        "firestore_stored_gib": stored_gib,
        "firestore_history_gib": stored_gib,
        "firestore_backup_gib": stored_gib * backups_kept(),
        "run_vcpu_s": sum(running.values()),
        "run_gib_s": sum(running_s * _memory_gib(name) for name, running_s in running.items()),
        "run_idle_vcpu_s": warm_s,
        "run_idle_gib_s": warm_s * _memory_gib(PAGE),
        "run_requests": requests,
        "tasks_operations": 2 * sum(month.tasks.values()),
        "pubsub_gib": month.requests.get("gmail_push", 0) * 2 * PUBSUB_LEAST_BYTES / GIB,
        "logging_gib": (month.log_bytes + requests * service.request_log_bytes) / GIB,
        "kms_operations": DAYS_A_MONTH * DAY_S * unwraps_a_second(load, mailboxes, peak=False, assumed=told),
        "secret_versions": len(secrets),
        "secret_accesses": readers * service.instance_starts_a_day * DAYS_A_MONTH,
        "storage_gib": contracts * 12 * habits.paper_kib / 1024**2,
        "storage_writes": contracts * habits.papers,
        "egress_gib": habits.pages_a_day * DAYS_A_MONTH * mailboxes * habits.kib_a_page / 1024**2,
        "scheduler_jobs": sum(1 for one in functions().values() if one.trigger == "schedule"),
    }


def stored_bytes(load: Load, assumed: Assumptions | None = None) -> float:
    """Documents, texts and index entries of one mailbox after a year."""
    told = assumed or assumptions()
    documents = load.day.stored_bytes * STORED_FOR_DAYS + load.past.stored_bytes
    texts = load.body_bytes * STORED_FOR_DAYS + load.past_body_bytes
    return documents * told.service.index_factor + texts


def busy_s(load: Load, mailboxes: float, told: Assumptions) -> dict[str, float]:
    """Seconds in which instances of a function serve somebody, in a month: what Cloud Run bills.

    Requests that come by themselves share an instance by chance; many at once share it as far as it can serve them.
    """
    totals: dict[str, float] = {}
    for share in told.world.hours_of_day:
        for name, rate in load.hour(share).requests.items():
            at_once = rate * mailboxes * told.service.seconds_of(name)
            instances = max(1 - math.exp(-at_once), at_once / told.service.requests_at_once)
            totals[name] = totals.get(name, 0) + instances * 3600 * DAYS_A_MONTH
    return totals


def unwraps_a_second(load: Load, mailboxes: float, *, peak: bool = True, assumed: Assumptions | None = None) -> float:
    """Calls to the key service. An instance keeps the data keys of the last tenants for a while; with more tenants than
    it keeps, most requests find theirs forgotten."""
    told = assumed or assumptions()
    requests = load.peak.requests if peak else {name: times / DAY_S for name, times in load.day.requests.items()}
    asking = speaking(requests) * mailboxes
    tenants = max(1.0, mailboxes / told.world.mailboxes_a_tenant)
    forgotten = asking * max(0.0, 1 - CACHED_TENANTS / tenants)
    instances = sum(
        max(1.0, times * mailboxes * told.service.seconds_of(name) / told.service.requests_at_once)
        for name, times in requests.items()
        if name != PAGE and functions()[name].speaks
    )
    renewed = instances * min(tenants, CACHED_TENANTS) / CACHE_FOR.total_seconds()
    return min(asking, forgotten + renewed)


def _memory_gib(name: str) -> float:
    return functions()[PAGE_FUNCTION if name == PAGE else name].memory_gib
