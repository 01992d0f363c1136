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
    """units may be negative: live mail is read now and paid for later. blocked_until: the vendor's own word."""

    units: float
    refilled_at: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """granted: the units are taken. ready_at: when the work may start, or when to ask again."""

    bucket: Bucket
    granted: bool
    ready_at: datetime


def rate_per_s(quota_units_per_minute: int) -> float:
    return quota_units_per_minute * FRACTION_OF_QUOTA / 60


def capacity(quota_units_per_minute: int) -> float:
    """CAPACITY at the vendor's 6,000 a minute, and in proportion at other quotas."""
    return CAPACITY * quota_units_per_minute / 6_000


def full_bucket(quota_units_per_minute: int, now: datetime) -> Bucket:
    return Bucket(units=capacity(quota_units_per_minute), refilled_at=now)


def draw(
    bucket: Bucket, cost: int, now: datetime, *, quota_units_per_minute: int, floor: float = 0, may_owe: bool
) -> Draw:
    """Take `cost` units.

    may_owe: live mail takes them in any case and starts when they will have flowed in. Otherwise nothing is taken
    unless the bucket stays above `floor`; a cost the bucket can never hold above the floor waits for a full one.
    """
    rate = rate_per_s(quota_units_per_minute)
    limit = capacity(quota_units_per_minute)
    elapsed_s = max(0.0, (now - bucket.refilled_at).total_seconds())
    units = min(limit, bucket.units + elapsed_s * rate)
    refilled = replace(bucket, units=units, refilled_at=max(now, bucket.refilled_at))
    start = max(now, bucket.blocked_until) if bucket.blocked_until else now
    needed = min(cost + floor, limit)
    wait_s = max(0.0, (needed - units) / rate)
    ready_at = max(start, now + timedelta(seconds=wait_s))
    if may_owe or ready_at <= now:
        return Draw(replace(refilled, units=units - cost), granted=True, ready_at=ready_at)
    return Draw(refilled, granted=False, ready_at=ready_at)


def blocked(bucket: Bucket, resume_at: datetime) -> Bucket:
    """The vendor said when to come back; a later word is never shortened by an earlier one."""
    until = max(resume_at, bucket.blocked_until) if bucket.blocked_until else resume_at
    return replace(bucket, blocked_until=until)
