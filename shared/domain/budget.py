"""The unit budget of one mailbox: a token bucket below the vendor's quota, with a share kept for live mail (D5, I8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CAPACITY = 1_000
LIVE_SHARE = 400
"""Backfill never draws the bucket below this."""
FRACTION_OF_QUOTA = 0.8


@dataclass(frozen=True, slots=True)
class Bucket:
    """units may be negative: live mail is read now and paid for later. refilled_at: up to when the refill is counted,
    ahead of now where a draw was made for the end of a block. blocked_until: the vendor's own word. promised_until: the
    refill up to then pays for mail of the past that waits for it, and is no debt of live mail's."""

    units: float
    refilled_at: datetime
    blocked_until: datetime | None = None
    promised_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """granted: the units are taken. starts_at: before this nothing of the work may start. ready_at: when all of it may
    be under way, or when to ask again."""

    bucket: Bucket
    granted: bool
    starts_at: datetime
    ready_at: datetime


def rate_per_s(quota_units_per_minute: int) -> float:
    return quota_units_per_minute * FRACTION_OF_QUOTA / 60


def capacity(quota_units_per_minute: int) -> float:
    """CAPACITY at the vendor's 6,000 a minute, and in proportion at other quotas."""
    return CAPACITY * quota_units_per_minute / 6_000


ROUNDING_S = 1e-4
"""Moments are kept in microseconds. What rounding them took is no lack of units, for which live mail would wait."""


def live_share(quota_units_per_minute: int) -> float:
    """LIVE_SHARE at the vendor's 6,000 a minute, and in proportion at other quotas."""
    return LIVE_SHARE * quota_units_per_minute / 6_000


def full_bucket(quota_units_per_minute: int, now: datetime) -> Bucket:
    return Bucket(units=capacity(quota_units_per_minute), refilled_at=now)


def draw(
    bucket: Bucket, cost: int, now: datetime, *, quota_units_per_minute: int, floor: float = 0, may_owe: bool
) -> Draw:
    """Take `cost` units.

    may_owe: they are taken in any case, and the work starts as they flow in. Otherwise nothing is taken unless the
    bucket stays above `floor`; a cost it can never hold above the floor waits for a full one. floor is given for mail
    of the past: while that waits for its units, live mail still finds `floor` of them at once.
    """
    rate, limit = rate_per_s(quota_units_per_minute), capacity(quota_units_per_minute)
    starts_at = max(now, bucket.refilled_at, bucket.blocked_until or now)
    units = min(limit, bucket.units + rate * (starts_at - bucket.refilled_at).total_seconds())
    if floor:
        needed = cost + floor if may_owe else min(cost + floor, limit)
        wait_s = max(0.0, (needed - units) / rate)
    else:
        promised_s = max(0.0, (bucket.promised_until - starts_at).total_seconds()) if bucket.promised_until else 0.0
        lacking = cost - units - promised_s * rate
        wait_s = promised_s + lacking / rate if lacking > rate * ROUNDING_S else 0.0
    ready_at = starts_at + timedelta(seconds=wait_s)
    if not may_owe and ready_at > now:
        return Draw(bucket, granted=False, starts_at=starts_at, ready_at=ready_at)
    promised = max(ready_at, bucket.promised_until or ready_at) if floor else bucket.promised_until
    taken = replace(bucket, units=units - cost, refilled_at=starts_at, promised_until=promised)
    return Draw(taken, granted=True, starts_at=starts_at, ready_at=ready_at)


def blocked(bucket: Bucket, resume_at: datetime) -> Bucket:
    """The vendor said when to come back; a later word is never shortened by an earlier one."""
    until = max(resume_at, bucket.blocked_until) if bucket.blocked_until else resume_at
    return replace(bucket, blocked_until=until)
