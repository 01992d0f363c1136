"""What runs out, and at how many mailboxes: every queue, quota and job against one mailbox's demand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bench.scale.cost import unwraps_a_second
from bench.scale.deployment import by_queue, functions
from bench.scale.facts import Assumptions, Vendors, assumptions, vendors
from bench.scale.load import Load, mails_imported
from bench.scale.work import Work
from shared.domain.budget import FRACTION_OF_QUOTA, rate_per_s
from shared.platform.cloud_tasks import AT_ONCE
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE as QUOTA
from shared.records.sweeps import PAGE

Kind = Literal["setting", "vendor", "money"]
"""setting: ours to change. vendor: refused beyond it. money: beyond it something will be charged for."""

MOST_MAILBOXES = 1e12


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit. limit and each (a mailbox's demand) are in the same unit; mailboxes: how many it carries."""

    what: str
    kind: Kind
    limit: float
    each: float
    unit: str
    remedy: str

    @property
    def mailboxes(self) -> float:
        return self.limit / self.each


def ceilings(load: Load, *, told: Assumptions | None = None, of: Vendors | None = None) -> list[Ceiling]:
    """All of them, the first to run out first. What the load does not touch is left out."""
    assumed, known = told or assumptions(), of or vendors()
    found = [*_queues(load, assumed, known), *_quotas(load, known), *_jobs(assumed), _keys(load, assumed, known)]
    return sorted((one for one in found if one.each > 0), key=lambda one: one.mailboxes)


def queue_capacity(name: str, told: Assumptions) -> float:
    """Tasks a second: what the queue lets through, or what fits beside each other if that is less."""
    function = by_queue()[name]
    return min(function.rate_per_s, function.concurrent / told.service.seconds_of(function.name))


def _queues(load: Load, told: Assumptions, known: Vendors) -> list[Ceiling]:
    most = known.limits["tasks_dispatches_a_second"].value
    found = []
    for name, demand in load.peak.tasks.items():
        function, capacity = by_queue()[name], queue_capacity(name, told)
        narrow = f"{function.concurrent} at once" if capacity < function.rate_per_s else f"{function.rate_per_s:g}/s"
        raised = f"raise it in functions/{function.name}/function.yaml"
        found.append(Ceiling(f"queue {name}: {narrow}", "setting", capacity, demand, "tasks/s", raised))
        found.append(Ceiling(f"queue {name}: Cloud Tasks' most", "vendor", most, demand, "tasks/s", "several queues"))
    return found


def _quotas(load: Load, known: Vendors) -> list[Ceiling]:
    def at(name: str) -> float:
        return known.limits[name].value

    day, peak = load.day, load.peak
    projects = "another Google project, with an OAuth client of its own"
    less = "poll less often where pushes come; another project"
    minute = {"gmail": peak.units * 60, "calendar": peak.calls.get("calendar", 0) * 60}
    outbox, created = peak.written.get("outbox", 0), sum(peak.tasks.values()) * 60
    pushed_kb = peak.requests.get("gmail_push", 0)
    sequential, pushes = at("firestore_sequential_writes_a_second"), at("pubsub_push_kb_a_second")
    calendar_day = day.calls.get("calendar", 0)
    return [
        Ceiling("Gmail units a day", "money", at("gmail_units_a_day"), day.units, "units/day", less),
        Ceiling("Gmail units a minute", "vendor", at("gmail_units_a_minute"), minute["gmail"], "units/min", projects),
        Ceiling("Calendar requests a day", "money", at("calendar_requests_a_day"), calendar_day, "requests/day", less),
        Ceiling(
            "Calendar requests a minute",
            "vendor",
            at("calendar_requests_a_minute"),
            minute["calendar"],
            "requests/min",
            f"{less}; ask for more",
        ),
        Ceiling("Cloud Tasks calls", "vendor", at("tasks_calls_a_minute"), created, "calls/min", projects),
        Ceiling("Pub/Sub push throughput", "vendor", pushes, pushed_kb, "kB/s", "ask for more; another project"),
        Ceiling(
            "Firestore: outbox rows, indexed by time over all tenants",
            "vendor",
            sequential,
            outbox,
            "writes/s",
            "another database, or a shard before the time in the index",
        ),
    ]


def _jobs(told: Assumptions) -> list[Ceiling]:
    """Jobs that queue a task per mailbox, one call of the function for all: they must be done before it times out.
    watch_renewal finds a day's 24th part in each of its runs."""
    each = told.service.task_create_s / AT_ONCE + told.service.page_read_s / PAGE
    parts = {"mailbox_poll": 1.0, "receipt_audit": 1.0, "watch_renewal": 1 / 24}
    return [
        Ceiling(
            f"job {name}: done before its {functions()[name].timeout_s:g} s are over",
            "setting",
            functions()[name].timeout_s,
            each * part,
            "s",
            "a task per page of mailboxes instead of one run for all",
        )
        for name, part in parts.items()
    ]


def _keys(load: Load, told: Assumptions, known: Vendors) -> Ceiling:
    """The demand of one mailbox grows with the number of tenants, so the ceiling is looked for."""
    limit = known.limits["kms_operations_a_minute"].value
    low, high = 1.0, MOST_MAILBOXES
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if unwraps_a_second(load, middle, assumed=told) * 60 > limit else (middle, high)
    return Ceiling("KMS: data keys unwrapped", "vendor", limit, limit / low, "calls/min", "keep more tenants' keys")


# ------------------------------------------------------------------------------------------- one mailbox, one customer


@dataclass(frozen=True, slots=True)
class Alone:
    """A limit that counts for one mailbox or one customer: it does not come nearer with their number."""

    what: str
    limit: str
    used: str


def alone(load: Load, contract: Work, bought: Work, backfilled: Work, told: Assumptions, known: Vendors) -> list[Alone]:
    """bought: an invoice and its payment."""
    document = known.limits["firestore_document_writes_a_second"].value
    docusign, ledger = (known.limits[name].value for name in ("docusign_calls_an_hour", "quickbooks_calls_a_minute"))
    past_minutes = mails_imported(told) * backfilled.units / rate_per_s(QUOTA) / 60
    streams = load.peak.written.get("streams", 0)
    users = known.limits["unverified_users"].value
    return [
        Alone("people of an app Google has not verified", f"{users:g}", "none, if the app is for one's own domain"),
        Alone("Gmail units of one mailbox", f"{QUOTA:,} a minute", f"{load.peak.units * 60:.1f} in the peak hour"),
        Alone("reading a mailbox's past", f"{FRACTION_OF_QUOTA:.0%} of them", f"{past_minutes:.0f} minutes at least"),
        Alone(
            "writes to one mailbox's cursors and budget, the hottest documents",
            f"{document:g}/s to one",
            f"{streams + load.peak.written.get('budget', 0):.3f}/s to three",
        ),
        Alone("contracts of one DocuSign account", f"{docusign:,.0f} calls/h", f"{_fits(docusign, contract)} an hour"),
        Alone("invoices of one QuickBooks company", f"{ledger:,.0f} calls/min", f"{_fits(ledger, bought)} a minute"),
    ]


def _fits(calls: float, work: Work) -> str:
    return f"{calls / _calls(work.calls):,.0f}"


def _calls(calls: Mapping[str, float]) -> float:
    return sum(calls.values())


def ramp_minutes(writes_a_second: float, known: Vendors | None = None) -> float:
    """How long a new database must be led up to this rate: 500 a second, half as many again every five minutes."""
    start = (known or vendors()).limits["firestore_ramp_start_a_second"].value
    return 0.0 if writes_a_second <= start else 5 * math.ceil(math.log(writes_a_second / start, 1.5))
