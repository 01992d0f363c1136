"""The unit budget: never over the vendor's quota, and live mail never waits for mail of the past."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.budget import (
    LIVE_SHARE,
    SETTLING,
    Bucket,
    blocked,
    capacity,
    divided,
    draw,
    full_bucket,
    live_share,
    new_bucket,
    rate_per_s,
)
from shared.usecases.mail.queue_work import start_times

NOW = datetime(2026, 3, 2, 9, 0).astimezone()
QUOTA = 6_000

waits = st.floats(0, 40, allow_nan=False)
live_costs = st.lists(st.sampled_from([2, 20, 40]), min_size=1, max_size=200)
past_costs = st.lists(st.sampled_from([20, 40]), min_size=1, max_size=25)


@dataclass
class Spender:
    """Spends as the product does, and remembers which units went when."""

    quota: int = QUOTA
    now: datetime = NOW
    spent: list[tuple[datetime, int]] = field(default_factory=list)
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = full_bucket(self.quota, self.now)

    def shares_with(self, others: int) -> None:
        """Its own part of the mailbox's QUOTA from now on."""
        self.bucket = divided(self.bucket, self.now, quota_units_per_minute=QUOTA, sharers=others + 1)
        self.quota = QUOTA // (others + 1)

    def live(self, costs: list[int]) -> datetime:
        """A burst of live mail; returns when its first message is read."""
        return self._spend(costs, floor=0)[0]

    def page(self, headers: int, bodies: list[int]) -> bool:
        """A page of the past: its headers if there are units for them now, then the bodies as they can be paid."""
        floor = live_share(self.quota)
        granted = draw(self.bucket, headers, self.now, quota_units_per_minute=self.quota, floor=floor, may_owe=False)
        if not granted.granted:
            return False
        self.bucket = granted.bucket
        self.spent.append((self.now, headers))
        if bodies:
            self._spend(bodies, floor=floor)
        return True

    def _spend(self, costs: list[int], *, floor: float) -> list[datetime]:
        granted = draw(self.bucket, sum(costs), self.now, quota_units_per_minute=self.quota, floor=floor, may_owe=True)
        self.bucket = granted.bucket
        starts = start_times(costs, granted, self.now)
        self.spent += zip(starts, costs, strict=True)
        return starts

    def most_in_a_minute(self) -> int:
        uses, minute = sorted(self.spent), timedelta(seconds=60)
        most = inside = left = 0
        for at, cost in uses:
            inside += cost
            while uses[left][0] <= at - minute:
                inside -= uses[left][1]
                left += 1
            most = max(most, inside)
        return most


@given(
    st.lists(
        st.tuples(waits, st.one_of(live_costs, st.tuples(st.integers(20, 500), past_costs))), min_size=1, max_size=40
    ),
    st.sampled_from([1_200, 6_000, 15_000, 600_000]),
)
def test_no_minute_spends_more_than_the_quota(steps: list[tuple[float, object]], quota: int) -> None:
    spender = Spender(quota)
    for wait_s, step in steps:
        spender.now += timedelta(seconds=wait_s)
        if isinstance(step, list):
            spender.live(step)
        elif isinstance(step, tuple):
            spender.page(min(step[0], int(capacity(quota) - live_share(quota))), step[1])
    assert spender.most_in_a_minute() <= quota


@example([(0.0, 20, [20]), (0.0, 31, [20]), (0.005, 301, [20, 20, 40]), (0.0, 20, [20] * 7 + [40] * 9)], 0.0)
@given(st.lists(st.tuples(waits, st.integers(20, 500), past_costs), min_size=1, max_size=40), st.floats(0, 30))
def test_live_mail_never_waits_for_the_past(pages: list[tuple[float, int, list[int]]], later_s: float) -> None:
    spender = Spender()
    for wait_s, headers, bodies in pages:
        spender.now += timedelta(seconds=wait_s)
        spender.page(headers, bodies)
    spender.now += timedelta(seconds=later_s)
    assert spender.live([20] * (LIVE_SHARE // 20)) == spender.now


@given(st.lists(st.tuples(waits, live_costs), min_size=1, max_size=20), st.floats(1, 3_600))
def test_nothing_starts_before_the_vendors_own_word(bursts: list[tuple[float, list[int]]], blocked_s: float) -> None:
    spender = Spender()
    resume_at = spender.now + timedelta(seconds=blocked_s)
    spender.bucket = blocked(spender.bucket, resume_at)
    for wait_s, costs in bursts:
        spender.now += timedelta(seconds=wait_s)
        spender.live(costs)
    assert min(at for at, _ in spender.spent) >= resume_at
    assert spender.most_in_a_minute() <= QUOTA


def test_an_import_alone_uses_the_whole_of_its_allowance() -> None:
    spender = Spender()
    end = NOW + timedelta(minutes=10)
    while spender.now < end:
        if not spender.page(500, [20] * 15):
            spender.now += timedelta(seconds=0.1)
    spent = sum(cost for at, cost in spender.spent if at < end)
    assert spent >= 0.95 * rate_per_s(QUOTA) * 600


def test_a_refused_draw_says_when_to_come_back_and_then_it_is_granted() -> None:
    bucket = draw(full_bucket(QUOTA, NOW), 600, NOW, quota_units_per_minute=QUOTA, floor=400, may_owe=False).bucket
    refused = draw(bucket, 500, NOW, quota_units_per_minute=QUOTA, floor=400, may_owe=False)
    assert not refused.granted
    assert refused.bucket == bucket
    assert draw(bucket, 500, refused.ready_at, quota_units_per_minute=QUOTA, floor=400, may_owe=False).granted


def test_a_later_word_of_the_vendor_is_never_shortened() -> None:
    bucket = blocked(blocked(full_bucket(QUOTA, NOW), NOW + timedelta(minutes=15)), NOW + timedelta(minutes=1))
    assert bucket.blocked_until == NOW + timedelta(minutes=15)


# ------------------------------------------------------------------------------------- one mailbox, two organizations


@given(st.integers(0, 2**32))
def test_two_organizations_together_never_spend_more_than_the_quota(seed: int) -> None:
    """Both import and hear of live mail; the second comes and goes."""
    dice, now = Random(seed), NOW
    readers: dict[int, Spender] = {0: Spender()}
    spent: list[tuple[datetime, int]] = []
    for _ in range(200):
        now += timedelta(seconds=dice.expovariate(1 / dice.choice([0.5, 5])))
        if dice.random() < 0.03:
            if 1 in readers:  # the tasks it still has end with its connection
                spent += [use for use in readers.pop(1).spent if use[0] <= now]
            else:
                readers[1] = Spender(now=now)
                readers[1].bucket = new_bucket(QUOTA // 2, now, sharers=2)
        reader = readers[dice.choice(list(readers))]
        reader.now = now
        reader.shares_with(len(readers) - 1)
        if dice.random() < 0.9:
            reader.page(dice.choice([20, 300]), [20] * dice.randint(0, 25))
        else:
            reader.live([20] * dice.randint(1, 20))
    spent += [use for reader in readers.values() for use in reader.spent]
    assert Spender(spent=spent).most_in_a_minute() <= QUOTA


def test_whoever_joins_begins_with_nothing_and_after_a_minute() -> None:
    joined = new_bucket(QUOTA // 2, NOW, sharers=2)
    granted = draw(joined, 20, NOW, quota_units_per_minute=QUOTA // 2, may_owe=True)
    assert granted.starts_at == NOW + timedelta(minutes=1)
    assert granted.rate_per_s == rate_per_s(QUOTA) / 2


def test_what_was_promised_to_the_past_takes_twice_as_long_at_half_the_rate() -> None:
    bucket = Bucket(units=-800, refilled_at=NOW, promised_until=NOW + timedelta(seconds=10))
    halved = divided(bucket, NOW, quota_units_per_minute=QUOTA, sharers=2)
    assert halved.promised_until == NOW + timedelta(seconds=20)
    assert divided(halved, NOW, quota_units_per_minute=QUOTA, sharers=1).promised_until == bucket.promised_until


def test_who_has_a_mailbox_to_itself_begins_with_a_full_bucket_and_who_joins_with_none() -> None:
    assert new_bucket(QUOTA, NOW) == full_bucket(QUOTA, NOW)
    assert new_bucket(QUOTA, NOW, 2) == Bucket(units=0, refilled_at=NOW + SETTLING, sharers=2)


def test_a_draw_for_news_promises_nothing_to_mail_of_the_past() -> None:
    taken = draw(full_bucket(QUOTA, NOW), 5, NOW, quota_units_per_minute=QUOTA, may_owe=False)
    assert taken.granted
    assert taken.bucket.promised_until is None
