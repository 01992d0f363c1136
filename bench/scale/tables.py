"""Everything the program says, as Markdown: for the terminal and for docs/scale.md, whose numbers are these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields

from bench.scale.cost import bill, stored_bytes, volumes
from bench.scale.deployment import backups_kept
from bench.scale.facts import Price, assumption_rows, assumptions, vendors
from bench.scale.limits import Ceiling, alone, ceilings, queue_capacity
from bench.scale.load import Load, mailbox_load
from bench.scale.outage import Day, day_of
from bench.scale.plan import CUT, SIZES, plan_for, rarely_polled
from bench.scale.scenes import scenes
from bench.scale.work import Work

OUTAGE = range(9 * 60, 10 * 60)
"""The busiest hour of the day."""

COSTS: Mapping[str, tuple[str, ...]] = {
    "Firestore: reads": ("firestore_reads",),
    "Firestore: writes and deletes": ("firestore_writes", "firestore_deletes"),
    "Firestore: storage after a year": ("firestore_stored_gib",),
    "Firestore: seven days to go back to": ("firestore_history_gib",),
    f"Firestore: backups, {backups_kept()} copies": ("firestore_backup_gib",),
    "Cloud Run: requests served": ("run_vcpu_s", "run_gib_s", "run_requests"),
    "Cloud Run: instances kept warm": ("run_idle_vcpu_s", "run_idle_gib_s"),
    "Cloud Tasks": ("tasks_operations",),
    "KMS": ("kms_operations",),
    "Logging": ("logging_gib",),
    "the rest": (
        "pubsub_gib",
        "secret_versions",
        "secret_accesses",
        "storage_gib",
        "storage_writes",
        "egress_gib",
        "scheduler_jobs",
    ),
}
SHOWN_TO = 20_000_000
"""Limits beyond twice the largest size are left out."""


def first_sentence() -> str:
    """What runs out first."""
    first, *others = ceilings(mailbox_load())
    stop = next(one for one in (first, *others) if one.kind != "money")
    hard = next(one for one in (first, *others) if one.kind == "vendor")
    return "\n".join(
        [
            f"- **Money first**: {_ceiling(first)}.",
            f"- **What stops first is ours to raise**: {_ceiling(stop)}.",
            f"- **What a vendor refuses first**: {_ceiling(hard)}.",
        ]
    )


def _ceiling(one: Ceiling) -> str:
    when = "" if one.unit.endswith("/day") else " in the busiest hour"
    demand = f"{_short(one.each)} of {_short(one.limit)} {one.unit} for each{when}"
    return f"{one.what}, at {_round(one.mailboxes)} mailboxes ({demand})"


def costs_of_one() -> str:
    """What each thing that happens costs."""
    told = scenes()
    rows = [
        [
            one.name.replace("_", " "),
            *(_short(value) for value in (work.reads, work.writes, work.deletes, work.units)),
            _short(sum(work.tasks.values())),
            _short(sum(work.calls.values())),
            f"{work.stored_bytes:,.0f}",
        ]
        for one in fields(told)
        for work in (_work(getattr(told, one.name)),)
    ]
    heads = ("once", "reads", "writes", "deletes", "Gmail units", "tasks", "other vendors' calls", "bytes kept")
    return _table(heads, rows)


def _work(found: object) -> Work:
    assert isinstance(found, Work)
    return found


def mailbox_day() -> str:
    """What one mailbox does on a day, and how much of it are polls."""
    usual, rare = mailbox_load(), rarely_polled()
    lines: list[tuple[str, Callable[[Load], float]]] = [
        ("documents read", lambda load: load.day.reads),
        ("documents written", lambda load: load.day.writes),
        ("Gmail units", lambda load: load.day.units),
        ("Calendar requests", lambda load: load.day.calls["calendar"]),
        ("tasks", lambda load: sum(load.day.tasks.values())),
        ("requests to functions", lambda load: sum(load.day.requests.values())),
        ("MiB in the database after a year", lambda load: stored_bytes(load) / 1024**2),
    ]
    rows = [[name, _short(of(usual)), _short(of(rare)), f"{1 - of(rare) / of(usual):.0%}"] for name, of in lines]
    return _table(("a mailbox and day", "polled every 5 minutes", "polled hourly", "saved"), rows)


def monthly_cost() -> str:
    return _bills(mailbox_load())


def monthly_cost_polled_rarely() -> str:
    """The totals alone."""
    return _bills(rarely_polled(), totals_only=True)


def _bills(load: Load, *, totals_only: bool = False) -> str:
    bills = [bill(volumes(load, size), vendors().prices) for size in SIZES]
    rows = []
    if not totals_only:
        rows = [[name, *(_usd(sum(one[part] for part in parts)) for one in bills)] for name, parts in COSTS.items()]
    totals = [sum(one.values()) for one in bills]
    rows.append(["**a month**", *(f"**{_usd(total)}**" for total in totals)])
    rows.append(["a mailbox and month", *(f"{total / size:.2f}" for total, size in zip(totals, SIZES, strict=True))])
    return _table(("US dollars", *(f"{size:,}" for size in SIZES)), rows)


def limits_in_order() -> str:
    """All limits, the first to run out first, and where they lie if polls are rare."""
    rare = {one.what: one for one in ceilings(rarely_polled())}
    rows = [
        [
            _round(one.mailboxes),
            _round(rare[one.what].mailboxes),
            one.what,
            {"setting": "ours", "vendor": "refused", "money": "charged"}[one.kind],
            f"{_short(one.limit)} {one.unit}",
            one.remedy,
        ]
        for one in ceilings(mailbox_load())
        if one.mailboxes <= SHOWN_TO
    ]
    return _table(("mailboxes", "polled hourly", "what", "beyond it", "there are", "what helps"), rows)


def limits_by_size() -> str:
    """For each size, what is too small already, and what is next."""
    found = ceilings(mailbox_load())
    rows = []
    for size in SIZES:
        over = [one for one in found if one.mailboxes < size]
        following = next((one for one in found if one.mailboxes >= size), None)
        first = f"{over[0].what}: {size / over[0].mailboxes:,.1f} times what there is" if over else "nothing"
        then = f"{following.what}, at {_round(following.mailboxes)}" if following else "nothing"
        rows.append([f"{size:,}", str(len(over)), first, then])
    return _table(("mailboxes", "limits passed", "the first of them", "the next one"), rows)


def plans() -> str:
    """What to deploy at each size, polled as today and hourly."""
    rows = []
    for name, load in (("every 5 min", mailbox_load()), ("hourly", rarely_polled())):
        for size in SIZES:
            plan = plan_for(size, load)
            cut = [f"{plan.queues[queue]:,} with {plan.at_once[queue]:,} at once" for queue in CUT]
            rows.append(
                [
                    f"{size:,}",
                    name,
                    f"{plan.projects:,}",
                    f"{plan.projects_unpaid:,}",
                    *cut,
                    f"{plan.poll_parts:,}",
                    f"{plan.ramp_minutes:.0f} min",
                ]
            )
    heads = ("mailboxes", "polled", "projects", "uncharged", *CUT, "parts of a poll", "ramp of a new database")
    return _table(heads, rows)


def outages() -> str:
    """The busiest hour without Gmail, for mail to ingest and for hints to sync, as deployed and as planned.

    Served is what the queues let through, or what Gmail's units a minute allow if that is less.
    """
    told, load = assumptions(), mailbox_load()
    rows = []
    for size in SIZES:
        plan = plan_for(size, load)
        for queue in ("message-ingest", "mailbox-sync"):
            needed = plan.queues[queue] * plan.at_once[queue] / told.service.seconds_of(queue.replace("-", "_"))
            quota = vendors().limits["gmail_units_a_minute"].value / 60 * load.human.tasks[queue] / load.human.units
            capacity = min(quota, queue_capacity(queue, told))
            needed = min(quota * plan.projects, needed)
            for name, per_s in (("as it is", capacity), ("as planned", max(capacity, needed))):
                if name == "as planned" and per_s == capacity:
                    continue
                rows.append([f"{size:,}", queue, name, f"{per_s:,.0f}", *_outcome(_outage(load, size, queue, per_s))])
    heads = ("mailboxes", "queue", "cut", "tasks/s", "tasks that day", "most waiting", "longest wait", "settled")
    return _table(heads, rows)


def _outage(load: Load, size: int, queue: str, capacity: float) -> Day:
    """Polls that meet the outage end with their slot and are not made up for, so they only take their part of what is
    served afterwards."""
    polled = load.steady.tasks.get(queue, 0) / 86_400 * size
    a_day = load.human.tasks[queue] * size
    return day_of(assumptions().world.hours_of_day, a_day, 0.0, max(0.0, capacity - polled), OUTAGE)


def _outcome(day: Day) -> tuple[str, str, str, str]:
    settled = day.settled_after(OUTAGE.stop)
    after = f"{settled} min after its end" if settled is not None else f"not that day: {day.left:,.0f} wait at midnight"
    return f"{day.arrived:,.0f}", f"{day.most:,.0f}", f"{day.longest_wait_s / 60:,.0f} min", after


def one_mailbox() -> str:
    """Limits that do not come nearer with the number of mailboxes."""
    once = scenes()
    found = alone(mailbox_load(), once.contract, once.invoice + once.payment, once.backfilled, assumptions(), vendors())
    return _table(("what", "limit", "used, or what fits"), [[one.what, one.limit, one.used] for one in found])


def sources() -> str:
    """Every price and limit with its source."""
    marks = {"page": "page", "second_hand": "second hand", "memory": "**memory, unconfirmed**"}
    prices = [[name, _priced(price), marks[price.standing], price.source] for name, price in vendors().prices.items()]
    limits = [[name, _plain(one.value), marks[one.standing], one.source] for name, one in vendors().limits.items()]
    return _table(("price (US dollars a month) or limit", "value", "known from", "source"), prices + limits)


def _priced(price: Price) -> str:
    return f"{_plain(price.usd)} for {_plain(price.per)}, {_plain(price.free)} free"


def assumed() -> str:
    rows = []
    for part, entries in assumption_rows().items():
        for name, row in entries.items():
            value = row["value"]
            if isinstance(value, Mapping):
                value = ", ".join(f"{key} {number:g}" for key, number in value.items())
            elif isinstance(value, Sequence):
                value = " ".join(f"{number:g}" for number in value)
            rows.append([f"{part}.{name}", f"{value:g}" if isinstance(value, float | int) else value, row["why"]])
    return _table(("assumption", "value", "why"), rows)


SECTIONS: Mapping[str, Callable[[], str]] = {
    "first": first_sentence,
    "by-size": limits_by_size,
    "cost": monthly_cost,
    "cost-rare": monthly_cost_polled_rarely,
    "limits": limits_in_order,
    "one-mailbox": one_mailbox,
    "plans": plans,
    "outages": outages,
    "once": costs_of_one,
    "day": mailbox_day,
    "assumed": assumed,
    "sources": sources,
}
"""Name of a place in docs/scale.md -> what stands there."""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _usd(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"


def _short(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _plain(number: float) -> str:
    """All digits."""
    return f"{number:,.10f}".rstrip("0").rstrip(".")


def _round(number: float) -> str:
    """Two digits that mean something."""
    return f"{float(f'{number:.2g}'):,.0f}"
