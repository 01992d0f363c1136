"""What a deployment for so many mailboxes looks like: queues, jobs, projects and databases, cut from the peak hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from bench.scale.facts import Assumptions, Vendors, assumptions, vendors
from bench.scale.limits import MOST_MAILBOXES, Ceiling, ceilings, ramp_minutes
from bench.scale.load import Load, mailbox_load

SIZES = (10, 1_000, 100_000, 10_000_000)
RARE_POLLS = timedelta(hours=1)
CUT = ("mailbox-sync", "calendar-sync", "message-ingest")
"""The queues whose demand grows fastest."""

POLL_JOB = "mailbox_poll"


@dataclass(frozen=True, slots=True)
class Plan:
    """projects: Google projects, each with its OAuth client, topic, database and queues, so that no vendor refuses.
    projects_unpaid: so that nothing is charged for Google's APIs either. queues: how many of each in all projects
    together. at_once: requests a queue of that kind must have under way together. poll_parts: pieces that a poll's
    fan-out falls into. ramp_minutes: how long one project's new database is led up to its peak."""

    mailboxes: int
    projects: int
    projects_unpaid: int
    queues: dict[str, int]
    at_once: dict[str, int]
    poll_parts: int
    ramp_minutes: float


def plan_for(
    mailboxes: int, load: Load | None = None, *, told: Assumptions | None = None, of: Vendors | None = None
) -> Plan:
    """load: of one mailbox, as the product polls today if none is given."""
    carried, assumed, known = load or mailbox_load(), told or assumptions(), of or vendors()
    found = ceilings(carried, told=assumed, of=known)
    headroom, most = assumed.service.headroom, known.limits["tasks_dispatches_a_second"].value
    needs = mailboxes * headroom
    projects = math.ceil(needs / _first([one for one in found if one.kind == "vendor" and not _cut(one)]))
    demand = {queue: carried.peak.tasks.get(queue, 0) * needs for queue in CUT}
    queues = {queue: max(projects, math.ceil(tasks / most)) for queue, tasks in demand.items()}
    at_once = {
        queue: math.ceil(tasks / queues[queue] * assumed.service.seconds_of(queue.replace("-", "_")))
        for queue, tasks in demand.items()
    }
    job = next(one for one in found if POLL_JOB in one.what)
    return Plan(
        mailboxes=mailboxes,
        projects=projects,
        projects_unpaid=max(projects, math.ceil(mailboxes / _first([one for one in found if one.kind == "money"]))),
        queues=queues,
        at_once=at_once,
        poll_parts=math.ceil(needs / job.mailboxes),
        ramp_minutes=ramp_minutes(carried.peak.writes * mailboxes / projects, known),
    )


def rarely_polled() -> Load:
    """A mailbox that is polled once an hour, because pushes come."""
    return mailbox_load(poll_every=RARE_POLLS)


def _cut(one: Ceiling) -> bool:
    """A queue's own ceiling asks for another queue, and unwrapped keys for a larger cache: not for another project."""
    return one.what.startswith(("queue ", "KMS"))


def _first(found: list[Ceiling]) -> float:
    return min((one.mailboxes for one in found), default=MOST_MAILBOXES)
