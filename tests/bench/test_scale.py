"""What the paper says about cost and scale can be followed by hand, and docs/scale.md says what the program says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bench import operations as bill_of
from bench.scale.cost import bill, unwraps_a_second, volumes
from bench.scale.deployment import backups_kept, by_queue, functions
from bench.scale.facts import STANDINGS, Limit, Price, assumptions, vendors
from bench.scale.limits import ceilings, queue_capacity, ramp_minutes
from bench.scale.load import DAY_S, Load, mailbox_load
from bench.scale.page import PAGE, filled, marks
from bench.scale.plan import plan_for
from bench.scale.scenes import Scenes, scenes
from bench.scale.tables import SECTIONS
from bench.scale.work import NOTHING, Work, metered
from shared.ports.documents import Create, Delete
from tests.fakes import FakeTasks, MemoryDocuments

QUIET = Load(steady=NOTHING, human=NOTHING, peak_hour=0.1)


@pytest.fixture(scope="module")
def once() -> Scenes:
    return scenes()


# --------------------------------------------------------------------------------------------------------------- costs


def test_a_price_counts_from_where_the_free_part_ends() -> None:
    price = Price(usd=0.09, per=100_000, free=600_000, standing="page", read="2026-11", source="")
    assert price.of(600_000) == 0
    assert price.of(1_600_000) == pytest.approx(0.90)


def test_a_bill_by_hand() -> None:
    prices = vendors().prices
    amounts = {"tasks_operations": 11_000_000, "firestore_reads": 101_500_000}
    assert bill(amounts, prices) == pytest.approx({"tasks_operations": 4.00, "firestore_reads": 30.00})


def test_a_month_has_thirty_of_a_mailboxs_days() -> None:
    load = replace(QUIET, steady=Work(reads=10), human=Work(writes=2, tasks={"mailbox-sync": 3}))
    amounts = volumes(load, 100)
    assert amounts["firestore_reads"] == 10 * 30 * 100
    assert amounts["firestore_writes"] == 2 * 30 * 100
    assert amounts["tasks_operations"] == 2 * 3 * 30 * 100  # created, and dispatched


def test_every_volume_has_a_price() -> None:
    assert set(bill(volumes(mailbox_load(), 10), vendors().prices)) == set(vendors().prices)


def test_instances_are_shared_by_requests_at_once_and_by_chance_when_they_are_few() -> None:
    told = assumptions()
    load = replace(QUIET, steady=Work(requests={"gmail_push": DAY_S}))  # one a second, of 0.06 s
    month_s = 30 * DAY_S
    alone = volumes(load, 1)["run_vcpu_s"]
    assert 0.05 * month_s < alone < 0.06 * month_s
    busy = volumes(load, 1_000_000)["run_vcpu_s"]
    assert busy == pytest.approx(60_000 / told.service.requests_at_once * month_s)


def test_keys_are_unwrapped_once_in_a_while_until_there_are_more_tenants_than_are_kept() -> None:
    load = replace(QUIET, human=Work(requests={"mailbox_sync": 100}))
    few, many = 25 * 50, 25 * 10_000
    asking = load.peak.requests["mailbox_sync"]
    assert unwraps_a_second(load, few) < asking * few * 0.1
    assert unwraps_a_second(load, many) == pytest.approx(asking * many, rel=0.02)


# -------------------------------------------------------------------------------------------------------------- limits


def test_a_limit_carries_as_many_mailboxes_as_its_share_fits_in() -> None:
    load = replace(QUIET, human=Work(tasks={"calendar-sync": 7.2}))  # in the busiest hour 0.72, 0.0002 a second
    [ours, theirs, *_] = [one for one in ceilings(load) if one.what.startswith("queue")]
    assert ours.mailboxes == pytest.approx(by_queue()["calendar-sync"].rate_per_s / 0.0002)
    assert theirs.mailboxes == pytest.approx(500 / 0.0002)


def test_a_queue_is_as_wide_as_its_rate_or_as_what_fits_beside_each_other() -> None:
    told, sync = assumptions(), by_queue()["mailbox-sync"]
    slow = replace(told, service=replace(told.service, seconds={"default": 10.0}))
    quick = replace(told, service=replace(told.service, seconds={"default": 0.001}))
    assert queue_capacity("mailbox-sync", slow) == sync.concurrent / 10
    assert queue_capacity("mailbox-sync", quick) == sync.rate_per_s


def test_limits_come_in_the_order_in_which_they_run_out() -> None:
    found = ceilings(mailbox_load())
    assert [one.mailboxes for one in found] == sorted(one.mailboxes for one in found)
    assert {"money", "setting", "vendor"} == {one.kind for one in found}


def test_more_mail_brings_the_limits_of_mail_nearer_and_leaves_the_others() -> None:
    load = mailbox_load()
    before = {one.what: one.mailboxes for one in ceilings(load)}
    doubled = replace(load, human=load.human + Work(units=load.day.units))
    after = {one.what: one.mailboxes for one in ceilings(doubled)}
    moved = {what for what, mailboxes in before.items() if after[what] < mailboxes}
    assert moved == {"Gmail units a day", "Gmail units a minute"}
    assert after["Gmail units a day"] == pytest.approx(before["Gmail units a day"] / 2)


def test_a_plan_for_few_is_one_of_everything_and_for_many_nothing_in_it_is_over_its_limit() -> None:
    small, load = plan_for(10), mailbox_load()
    assert (small.projects, set(small.queues.values()), small.poll_parts) == (1, {1}, 1)
    large = plan_for(1_000_000, load)
    share = 1_000_000 / large.projects
    others = [one for one in ceilings(load) if one.kind == "vendor" and not one.what.startswith(("queue", "KMS"))]
    assert all(one.mailboxes >= share for one in others)
    assert all(load.peak.tasks[queue] * 1_000_000 / count <= 500 for queue, count in large.queues.items())


@pytest.mark.parametrize(("writes", "minutes"), [(100, 0), (500, 0), (700, 5), (1_125, 10), (1_126, 15)])
def test_a_new_database_is_led_up_by_half_every_five_minutes(writes: float, minutes: float) -> None:
    assert ramp_minutes(writes) == minutes


# ------------------------------------------------------------------------------------------------------------ counting


def test_a_meter_tells_writes_from_deletes_and_what_stays() -> None:
    documents = MemoryDocuments()
    with metered(documents, FakeTasks()) as meter:
        documents.commit([Create("tenants/t/outbox/a", {"n": 1}), Create("tenants/t/outbox/b", {"n": 1})])
        documents.commit([Delete("tenants/t/outbox/a")])
        documents.get("tenants/t/outbox/b")
    work = meter.work
    assert (work.reads, work.writes, work.deletes, work.written) == (1, 2, 1, {"outbox": 2})
    assert 0 < work.stored_bytes < 100


def test_a_mail_costs_here_what_the_benchmark_of_operations_says(once: Scenes) -> None:
    """With its notice: the run that finds it, the run a moment later, and the message; the budget is drawn once."""
    logged, out = bill_of.logged_first(), bill_of.left_out()
    later = bill_of.empty_sync()
    route_reads = 1
    for work, told in ((once.new_conversation, logged), (once.left_out, out)):
        whole = work + once.notice
        assert whole.units == told.message.units + told.sync.units + later.units
        assert whole.writes == told.message.writes + told.sync.writes + later.writes
        assert whole.reads == told.message.reads + told.sync.reads + later.reads + route_reads


def test_work_adds_up_and_scales() -> None:
    one = Work(reads=1, tasks={"a": 1})
    assert one + Work(writes=2, tasks={"a": 1, "b": 3}) == Work(reads=1, writes=2, tasks={"a": 2, "b": 3})
    assert (one * 3).tasks == {"a": 3}


# -------------------------------------------------------------------------------------------------------------- tables


def test_every_number_typed_by_hand_says_where_it_is_from() -> None:
    known = vendors()
    rows: dict[str, Price | Limit] = {**known.prices, **known.limits}
    for name, row in rows.items():
        assert row.source, name
        assert row.standing in STANDINGS, name
        assert re.fullmatch(r"20\d\d-\d\d", row.read), name


def test_assumed_shares_are_shares() -> None:
    told = assumptions()
    habits = told.mailbox
    kinds = habits.new_conversation + habits.reply + habits.second_holder + habits.left_out + habits.in_spam
    assert kinds == pytest.approx(1)
    assert sum(told.world.hours_of_day) == pytest.approx(1)
    assert len(told.world.hours_of_day) == 24


def test_seconds_are_assumed_of_functions_there_are() -> None:
    assert set(assumptions().service.seconds) - {"default", "pages"} <= set(functions())


def test_the_deployment_is_read_from_what_deploys_it() -> None:
    assert by_queue()["mailbox-sync"].name == "mailbox_sync"
    assert backups_kept() == 7 + 4


def test_the_page_is_current() -> None:
    text = PAGE.read_text()
    assert sorted(marks(text)) == sorted(SECTIONS)
    fresh = filled(text, {name: section() for name, section in SECTIONS.items()})
    assert text == fresh, "run: python -m bench.scale --write"
