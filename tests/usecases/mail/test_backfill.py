"""Reading a mailbox's past: everything in the window, once, at a price that leaves live mail alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.backfill import Phase
from shared.domain.ledger import Rule, State
from shared.domain.mailbox import Status, mailbox_id
from shared.errors import PayloadError, RateLimitedError
from shared.ports.documents import Document
from shared.records.people import Users
from shared.usecases.estimate_backfill import estimate_backfill
from shared.usecases.read_connection import read_connection
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, MailWorld, mail_world


def ago(days: float) -> dict[str, Any]:
    return {"at": START - timedelta(days=days)}


def past(world: MailWorld, messages: int, **fields: Any) -> list[str]:
    """That many mails, one a day, newest first."""
    return [world.arrives(subject=f"{day} days ago", **ago(day), **fields) for day in range(1, messages + 1)]


def phase(world: MailWorld) -> Phase:
    run = world.streams().backfill()
    assert run is not None
    return run.value.phase


def test_the_whole_window_and_nothing_before_it() -> None:
    world = mail_world(page=3)
    past(world, 10)
    world.arrives(subject="too old", **ago(200))
    world.backfill(months=6)
    world.drain()
    assert sorted(world.subjects()) == sorted(f"{day} days ago" for day in range(1, 11))
    assert phase(world) is Phase.DONE
    receipt = world.receipt()
    assert (receipt.listed, receipt.logged, receipt.balanced) == (10, 10, True)


def test_the_newest_comes_first() -> None:
    world = mail_world()
    past(world, 60)
    world.backfill()
    while len(world.subjects()) < 20:
        world.drain(until=world.clock.now() + timedelta(seconds=1))
    assert "60 days ago" not in world.subjects()
    assert "1 days ago" in world.subjects()


def test_the_page_shows_how_far_it_is() -> None:
    world = mail_world(mailboxes=False)
    past(world, 40)
    world.connects()

    def page() -> tuple[Status, int | None]:
        shown = read_connection(world.store, mailbox_id(ANNA), Users(world.store).get("u-anna"), world.clock)
        return shown.status, shown.progress.percent if shown.progress else None

    assert page() == (Status.IMPORTING, None)
    seen = set()
    while page()[0] is Status.IMPORTING:
        seen.add(page()[1])
        world.drain(until=world.clock.now() + timedelta(seconds=1))
    assert len(seen - {None, 0, 100}) >= 1
    assert page() == (Status.CONNECTED, 100)


def test_an_empty_window_is_done_at_once() -> None:
    world = mail_world(mailboxes=False)
    world.connects()
    world.drain()
    assert (phase(world), world.mailbox().status) == (Phase.DONE, Status.CONNECTED)


def test_zero_months_read_nothing_of_the_past() -> None:
    world = mail_world(mailboxes=False)
    past(world, 3)
    world.connects()
    world.options(backfill_months=0)
    world.drain()
    assert world.subjects() == []
    assert world.mailbox().status is Status.CONNECTED
    world.arrives(subject="new")
    world.sync()
    assert world.subjects() == ["new"]


def test_live_mail_is_not_held_up_and_lands_before_the_import_ends() -> None:
    world = mail_world(mailboxes=False)
    past(world, 90)
    world.connects()
    world.drain(until=world.clock.now() + timedelta(seconds=10))
    world.arrives(subject="live")
    arrived_at = world.clock.now()
    world.sync_alone()
    world.drain(until=arrived_at)
    assert "live" in world.subjects()
    assert phase(world) is not Phase.DONE
    world.drain()
    assert len(world.subjects()) == 91


def test_live_mail_that_reaches_a_message_first_is_not_undone() -> None:
    world = mail_world()
    mails = past(world, 5)
    world.backfill()
    world.box(ANNA).before("headers", 1, lambda: world.relabels(mails[0], add=["SPAM"]))
    world.box(ANNA).before("headers", 2, world.sync_alone)
    world.drain()
    row = world.row(mails[0])
    assert row is not None
    assert row.rule is Rule.SYSTEM_LABEL
    assert len(world.subjects()) == 4
    assert world.receipt().balanced


def test_a_thread_is_read_through_itself_wherever_its_messages_lie() -> None:
    world = mail_world()
    first = world.arrives(subject="T", **ago(90))
    past(world, 30)
    for day in (50, 1):
        world.arrives(subject="Re: T", in_reply_to=first, references=[first], **ago(day))
    world.backfill()
    world.drain()
    calls = world.box(ANNA).calls
    assert (calls["thread_headers"], calls["thread"], calls["headers"]) == (1, 1, 30)


def test_a_thread_with_one_private_message_is_not_fetched_whole() -> None:
    world = mail_world()
    first = world.arrives(subject="T", **ago(9))
    for day in (8, 7):
        world.arrives(subject="Re: T", in_reply_to=first, references=[first], **ago(day))
    world.arrives(sender=BEN, subject="Re: T", in_reply_to=first, references=[first], **ago(6))
    world.backfill()
    world.drain()
    calls = world.box(ANNA).calls
    assert (calls["thread"], calls["message"]) == (0, 3)


def test_what_a_colleague_brought_costs_headers_only() -> None:
    world = mail_world()
    past(world, 4, to=[ANNA, BEN])
    world.sync(BEN)
    world.backfill(ANNA)
    world.drain()
    calls = world.box(ANNA).calls
    assert (calls["headers"], calls["message"], calls["thread"]) == (4, 0, 0)
    assert all(
        sorted(kept.readers) == ["u-anna:full", "u-ben:full"]
        for entry in world.timeline()
        for kept in entry.messages.values()
    )


def test_headers_nobody_can_read_stop_neither_page_nor_run() -> None:
    world = mail_world()
    bad, *_ = past(world, 5)
    world.box(ANNA).headless.add(world.gmail_id(bad))
    world.backfill()
    world.drain()
    assert len(world.subjects()) == 4
    row = world.row(bad)
    assert row is not None
    assert row.state is State.QUARANTINED
    assert phase(world) is Phase.DONE


def test_a_message_that_our_code_stumbles_over_is_parked_and_the_rest_of_its_page_is_logged() -> None:
    world = mail_world()
    bad, *_ = past(world, 5)
    world.box(ANNA).stumbling.add(world.gmail_id(bad))
    world.backfill()
    with pytest.raises(IndexError):
        world.drain()  # loudly, as long as a repeat may mend it
    assert world.subjects() == []
    world.drain(redeliver=True)
    assert len(world.subjects()) == 4
    assert phase(world) is Phase.DONE
    [parked] = world.parked()
    assert (parked.ids["gmail_id"], parked.reason) == (world.gmail_id(bad), "our code failed on it: IndexError")
    assert world.receipt().balanced

    world.box(ANNA).stumbling.clear()
    world.replays(parked)
    assert len(world.subjects()) == 5


def test_a_bug_that_met_a_page_once_costs_a_repeat_alone() -> None:
    world = mail_world()
    mails = past(world, 5)
    world.backfill()
    bad = world.gmail_id(mails[0])
    world.box(ANNA).before("headers", 1, lambda: world.box(ANNA).stumbling.add(bad))
    world.box(ANNA).before("headers", 2, world.box(ANNA).stumbling.clear)
    world.drain(redeliver=True)
    assert len(world.subjects()) == 5
    assert world.parked() == []


def test_a_step_that_another_worker_finishes_meanwhile_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is delivered twice at once: what one of them read is planned, and gone, when the other looks for it."""
    world = mail_world()
    past(world, 3)
    world.backfill()
    [task] = world.queue.due("mailbox-backfill")
    get_all, others = world.memory.get_all, [task]

    def others_first(paths: Sequence[str]) -> list[Document | None]:
        if others and any("-l-0" in path for path in paths):
            world.run(others.pop())
        return get_all(paths)

    monkeypatch.setattr(world.memory, "get_all", others_first)
    world.run(task)
    world.queue.done(task)
    world.drain()
    assert not others
    assert phase(world) is Phase.DONE
    assert len(world.subjects()) == 3


def test_a_rate_limit_in_the_middle_only_delays() -> None:
    world = mail_world()
    past(world, 40)
    world.backfill()
    resume_at = world.clock.now() + timedelta(minutes=30)
    world.box(ANNA).before("headers", 30, lambda: world.box(ANNA).fail_next("headers", limited(resume_at)))
    world.passes(timedelta(minutes=60))
    assert len(world.subjects()) == 40
    assert world.parked() == []


def limited(resume_at: datetime) -> RateLimitedError:
    return RateLimitedError("Retry after", resume_at=resume_at)


def test_lost_tasks_come_back_and_the_run_goes_on() -> None:
    world = mail_world(page=4)
    past(world, 12)
    world.backfill()
    for _ in range(6):
        world.queue.lose()
        world.passes(timedelta(minutes=6))
    assert len(world.subjects()) == 12
    assert phase(world) is Phase.DONE


def test_polls_add_no_second_chain_to_a_run_that_moves() -> None:
    world = mail_world()
    past(world, 90)
    world.backfill()
    most = 0
    while phase(world) is not Phase.DONE:
        world.poll_alone()
        world.drain(until=world.clock.now() + timedelta(seconds=3))
        most = max(most, len(world.queue.pending("mailbox-backfill")))
    assert most <= 2


def test_a_paused_import_goes_on_where_it_stopped() -> None:
    world = mail_world(mailboxes=False, page=4)
    past(world, 60)
    world.connects()
    world.drain(until=world.clock.now() + timedelta(seconds=3))
    world.controls(Status.PAUSED, drain=False)
    world.drain()
    read = world.box(ANNA).calls["headers"]
    assert 0 < read < 60
    world.time.advance(3600)
    world.controls(Status.CONNECTED, drain=False)
    world.passes(timedelta(minutes=15))
    assert len(world.subjects()) == 60
    assert world.box(ANNA).calls["headers"] == 60


def test_a_listing_whose_page_token_went_stale_begins_anew() -> None:
    world = mail_world(page=2)
    past(world, 6)
    world.backfill()
    world.box(ANNA).before(
        "list_messages", 2, lambda: world.box(ANNA).fail_next("list_messages", PayloadError("token"))
    )
    world.drain()
    assert len(world.subjects()) == 6


def test_a_second_run_reads_only_what_has_no_row() -> None:
    world = mail_world()
    past(world, 5)
    world.backfill()
    world.drain()
    read = world.box(ANNA).calls["headers"]
    world.arrives(subject="older", **ago(300))
    world.time.advance(60)
    world.backfill(months=12)
    world.drain()
    assert world.box(ANNA).calls["headers"] == read + 1
    assert "older" in world.subjects()


@pytest.mark.parametrize("strangers", [0, 30, 120])
def test_the_dry_run_counts_exactly_and_estimates_within_its_error(strangers: int) -> None:
    world = mail_world()
    past(world, 40)
    for day in range(1, strangers + 1):
        world.arrives(sender="eve@stranger.example", **ago(day))
    before = world.stored_words()
    estimate = estimate_backfill(world.served(), months=6)
    assert world.stored_words() == before
    assert estimate.messages == 40 + strangers
    assert estimate.sampled == min(100, 40 + strangers)
    assert abs(estimate.logged - 40) <= estimate.error + 1
    assert estimate.takes > timedelta(0)
    assert world.box(ANNA).bodies == set()


def test_a_mail_to_two_mailboxes_is_logged_once_when_both_are_imported_at_the_same_time() -> None:
    world = mail_world()
    past(world, 3, to=[ANNA, BEN], sender=CARL)
    world.backfill(ANNA)
    world.backfill(BEN)
    world.drain()
    assert len(world.subjects()) == 3
    assert all(len(kept.readers) == 2 for entry in world.timeline() for kept in entry.messages.values())
