"""The dry run of a backfill: how much would be read, exactly, and how much logged, estimated (G8)."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, sqrt

from shared.domain.backfill import Wanted, body_units, grouped, header_units, window_start
from shared.domain.budget import rate_per_s
from shared.domain.mail_rules import LeftOut
from shared.domain.values import dataclass
from shared.ports.mailbox import MessageRef
from shared.usecases.mail.decide_mail import decide_all, open_desk
from shared.usecases.mail.served import ServedMailbox
from shared.usecases.sample import sampled

SAMPLE = 100
Z_95 = 1.96
"""Ninety-five times in a hundred the true share lies within the error."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """messages: exact. logged: estimated, plus or minus `error` messages. takes: at this mailbox's budget."""

    messages: int
    sampled: int
    logged: int
    error: int
    units: int
    takes: timedelta


def estimate_backfill(served: ServedMailbox, months: int) -> Estimate:
    """List the window's ids and read the headers of up to SAMPLE random ones. Nothing is stored."""
    now = served.clock.now()
    refs: list[MessageRef] = []
    page_token: str | None = None
    while True:
        page = served.gmail.list_messages(after=window_start(now, months), before=now, page=page_token)
        refs.extend(page.refs)
        page_token = page.next_page
        if page_token is None:
            break
    sample = sampled(refs, SAMPLE, served.chance)
    headers = [found for found in served.gmail.headers([ref.gmail_id for ref in sample]).values() if found]
    desk = open_desk(served.store, served.mailbox_id)
    decisions = decide_all(served.store, desk, headers)
    kept = sum(not isinstance(decision, LeftOut) for decision in decisions.values())
    share = kept / len(headers) if headers else 0.0
    error = 0.0 if len(sample) == len(refs) else Z_95 * sqrt(share * (1 - share) / len(headers)) if headers else 1.0
    logged = round(share * len(refs))
    groups = grouped(Wanted(ref.gmail_id, ref.gmail_thread_id) for ref in refs)
    units = header_units(groups, served.prices) + body_units(logged, whole_thread=False, prices=served.prices)
    takes = timedelta(seconds=ceil(units / rate_per_s(served.quota_units_per_minute // served.sharers())))
    return Estimate(len(refs), len(sample), logged, ceil(error * len(refs)), units, takes)
