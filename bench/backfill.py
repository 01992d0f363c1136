"""A real backfill at Google's 6,000 units a minute: how much of its allowance it uses, and what Gmail refuses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.cloud import BenchCloud, running_cloud, wait_for
from bench.mailboxes import CONTACT, MIXED, messages
from bench.report import Aim, Figure, Report
from shared.domain.budget import LIVE_SHARE, capacity, rate_per_s
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE as QUOTA

LASTS_S, QUICK_LASTS_S = 180.0, 30.0
LOOK_EVERY_S = 1.0
SHARE_PERCENT = 95.0
OWNER = "anna"


@dataclass(frozen=True, slots=True)
class Use:
    """Units so far, some seconds after the listing began."""

    after_s: float
    units: int


def run(quick: bool) -> Report:
    """Three minutes of a mailbox that takes longer. Quick: half a minute, in which the bucket's start weighs more."""
    lasts_s = QUICK_LASTS_S if quick else LASTS_S
    needed = int(lasts_s * rate_per_s(QUOTA) / 10)  # even at 10 units a message it would not end
    with running_cloud(quota_units_per_minute=QUOTA) as cloud:
        address = cloud.add_user(OWNER)
        cloud.add_contacts([CONTACT])
        cloud.seed(address, messages(MIXED, needed, owner=address, until=datetime.now(UTC)))
        cloud.connect(address)
        wait_for(lambda: "gmail.users.messages.list" in cloud.gmail_use(address)["calls"], within_s=30)
        before = _read_units(cloud, address)
        uses = _watch(cloud, address, lasts_s)
        use = cloud.gmail_use(address)
        if cloud.imported(address):
            raise RuntimeError("the mailbox was too small: the backfill ended before its time")
    last = uses[-1]
    used = last.units - before
    allowance = rate_per_s(QUOTA) * last.after_s + capacity(QUOTA) - LIVE_SHARE
    second_half = _second_half(uses)
    figures = (
        Figure("share of the allowance used", 100 * used / allowance, "%", Aim(SHARE_PERCENT, "at least")),
        Figure("share of the refill used, second half", second_half, "%", None, f"of {rate_per_s(QUOTA):.0f} units/s"),
        Figure("calls refused (429, 403)", sum(use["refused"].values()), "calls", Aim(0)),
        Figure("units used", used, "units", None, f"in {last.after_s:.0f} s"),
    )
    note = (
        f"Allowance: {rate_per_s(QUOTA):.0f} units a second (80 % of {QUOTA:,} a minute) and what a full bucket holds "
        f"above the live share ({capacity(QUOTA) - LIVE_SHARE:.0f})."
    )
    return Report("backfill", figures, (note,))


def _watch(cloud: BenchCloud, address: str, lasts_s: float) -> list[Use]:
    began = time.monotonic()
    uses: list[Use] = []
    while not uses or uses[-1].after_s < lasts_s:
        time.sleep(LOOK_EVERY_S)
        uses.append(Use(time.monotonic() - began, _read_units(cloud, address)))
    return uses


def _read_units(cloud: BenchCloud, address: str) -> int:
    """Units spent on listing and reading mail: what connecting cost is no part of the backfill."""
    units = cloud.gmail_use(address)["units"]
    return sum(spent for method, spent in units.items() if "messages" in method or "threads" in method)


def _second_half(uses: list[Use]) -> float:
    """Percent of the refill used once the start is over."""
    middle = next(use for use in uses if use.after_s >= uses[-1].after_s / 2)
    seconds = uses[-1].after_s - middle.after_s
    return 100 * (uses[-1].units - middle.units) / (rate_per_s(QUOTA) * seconds) if seconds else 0.0
