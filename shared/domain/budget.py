"""The unit budget of one mailbox: a token bucket below the vendor's quota, with a share kept for live mail (D5, I8).

The vendor counts per mailbox. Where several organizations read one, each has a bucket of its own, and each bucket is
the same part of the allowance (D6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.values import dataclass

CAPACITY = 1_000
LIVE_SHARE = 400
"""Backfill never draws the bucket below this."""
FRACTION_OF_QUOTA = 0.8


@dataclass(frozen=True, slots=True)
class Bucket:
    """units may be negative: live mail is read now and paid for later. refilled_at: up to when the refill is counted,
    ahead of now where a draw was made for the end of a block. blocked_until: the vendor's own word. promised_until: the
    refill up to then pays for mail of the past that waits for it, and is no debt of live mail's. sharers: how many
    organizations read the mailbox, by the last draw."""

    units: float
    refilled_at: datetime
    blocked_until: datetime | None = None
    promised_until: datetime | None = None
    sharers: int = 1


@dataclass(frozen=True, slots=True)
class Draw:
    """granted: the units are taken. starts_at: before this nothing of the work may start. ready_at: when all of it may
    be under way, or when to ask again. rate_per_s: the units that flow in meanwhile."""

    bucket: Bucket
    granted: bool
    starts_at: datetime
    ready_at: datetime
    rate_per_s: float


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


SETTLING = timedelta(seconds=60)
"""The vendor's minute: within it, those who read a mailbox already end what they began at their larger share."""


def full_bucket(quota_units_per_minute: int, now: datetime) -> Bucket:
    return Bucket(units=capacity(quota_units_per_minute), refilled_at=now)


def new_bucket(quota_units_per_minute: int, now: datetime, sharers: int = 1) -> Bucket:
    """quota_units_per_minute: this bucket's part. Whoever joins others begins with nothing, and after them."""
    if sharers == 1:
        return full_bucket(quota_units_per_minute, now)
    return Bucket(units=0, refilled_at=now + SETTLING, sharers=sharers)


def divided(bucket: Bucket, now: datetime, *, quota_units_per_minute: int, sharers: int) -> Bucket:
    """The bucket once `sharers` organizations read the mailbox. quota_units_per_minute: of all of them together.

    What flowed in up to now counts at the smaller of both parts: nobody knows when the number changed. What was
    promised to mail of the past stays promised, over a longer or a shorter time.
    """
    if bucket.sharers == sharers:
        return bucket
    part = quota_units_per_minute // max(sharers, bucket.sharers)
    since_s = max(0.0, (now - bucket.refilled_at).total_seconds())
    units = min(capacity(part), bucket.units + rate_per_s(part) * since_s)
    promised_until = bucket.promised_until
    if promised_until is not None and promised_until > now:
        promised_until = now + (promised_until - now) * sharers / bucket.sharers
    refilled_at = max(now, bucket.refilled_at)
    return replace(bucket, units=units, refilled_at=refilled_at, promised_until=promised_until, sharers=sharers)


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
        return Draw(bucket, granted=False, starts_at=starts_at, ready_at=ready_at, rate_per_s=rate)
    promised = max(ready_at, bucket.promised_until or ready_at) if floor else bucket.promised_until
    taken = replace(bucket, units=units - cost, refilled_at=starts_at, promised_until=promised)
    return Draw(taken, granted=True, starts_at=starts_at, ready_at=ready_at, rate_per_s=rate)


def blocked(bucket: Bucket, resume_at: datetime) -> Bucket:
    """The vendor said when to come back; a later word is never shortened by an earlier one."""
    until = max(resume_at, bucket.blocked_until) if bucket.blocked_until else resume_at
    return replace(bucket, blocked_until=until)
