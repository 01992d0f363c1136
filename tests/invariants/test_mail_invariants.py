"""Mail that is lost, doubled, leaked or torn apart: I1 to I13."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.ledger import LOST_AT_MOST, Rule, State
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.message import LoggedMessage
from shared.domain.settings import NeverLog, Share
from shared.domain.timeline import Entry
from shared.domain.visibility import visible
from shared.errors import ProviderUnavailableError, RateLimitedError
from shared.records.mail import Messages
from shared.records.mailboxes import MailStreams
from shared.records.people import Contacts, Users
from shared.usecases.mail.sync_mailbox import sync_mailbox
from shared.usecases.read_connection import read_connection
from shared.usecases.renew_watches import renew_watches
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world

TEN_MINUTES = timedelta(minutes=10)


def history_id(world: MailWorld, address: str = ANNA) -> int:
    return int(world.gmail.profile(address)["historyId"])


# ------------------------------------------------------------------------------------------------ I1, I2: the cursor


def test_i01_history_expired_lists_the_gap() -> None:
    world = mail_world(page=2)
    world.arrives(subject="before")
    world.sync()
    for number in range(5):
        world.arrives(subject=f"unheard {number}")
    trashed = world.arrives(subject="thrown away unheard")
    world.trashes(trashed)
    world.history_expires()

    world.sync()
    assert sorted(world.subjects()) == ["before", *(f"unheard {number}" for number in range(5))]
    assert world.stream().cursor == history_id(world)
    assert world.stream().gap is None


def test_i01_the_cursor_stays_until_the_last_page_of_the_gap_is_queued() -> None:
    world = mail_world(page=2)
    before = world.stream().cursor
    for number in range(5):
        world.arrives(subject=str(number))
    world.history_expires()

    world.box(ANNA).fail_after("list_messages", 2)
    with pytest.raises(ProviderUnavailableError):
        sync_mailbox(world.served(), wish=None)
    assert world.stream().cursor == before
    assert world.stream().gap is not None

    world.arrives(subject="while the gap is listed")
    world.drain()
    world.sync()
    assert len(world.subjects()) == 6
    assert world.stream().cursor == history_id(world)


def test_i01_mail_that_left_during_the_gap_leaves_the_timeline_however_old() -> None:
    world = mail_world()
    old = world.arrives(subject="old")
    world.sync()
    world.time.advance(40 * 86_400)
    world.deletes(old)
    world.history_expires()
    world.sync()
    assert world.subjects() == []


def test_i01_a_page_that_fails_is_read_again_before_the_cursor_moves() -> None:
    world = mail_world(page=2)
    before = world.stream().cursor
    for number in range(6):
        world.arrives(subject=str(number))
    world.box(ANNA).fail_after("history", 1)
    with pytest.raises(ProviderUnavailableError):
        sync_mailbox(world.served(), wish=None)
    assert world.stream().cursor == before
    world.sync()
    assert len(world.subjects()) == 6


def test_i01_what_comes_between_two_pages_is_not_jumped_over() -> None:
    world = mail_world(page=2)
    for number in range(4):
        world.arrives(subject=str(number))
    at_first_page = history_id(world)
    world.box(ANNA).before("history", 2, lambda: world.arrives(subject="between the pages"))
    sync_mailbox(world.served(), wish=None)
    assert world.stream().cursor == at_first_page
    world.drain()
    world.sync()
    assert "between the pages" in world.subjects()


def test_i02_a_first_sync_takes_its_cursor_from_before_the_listing() -> None:
    world = mail_world(mailboxes=False, page=2)
    for day in range(1, 6):
        world.arrives(subject=f"past {day}", at=START - timedelta(days=day))
    at_connect = history_id(world)
    world.connects()
    world.box(ANNA).before("list_messages", 2, lambda: world.arrives(subject="during the listing"))
    world.drain(wait=False)
    assert world.stream().cursor == at_connect

    world.drain()
    world.sync()
    assert sorted(world.subjects()) == ["during the listing", *(f"past {day}" for day in range(1, 6))]


def test_i02_a_synced_mailbox_is_never_listed_again() -> None:
    world = mail_world(mailboxes=False)
    world.arrives(at=START - timedelta(days=1))
    world.connects()
    world.drain()
    listed = world.box(ANNA).calls["list_messages"]
    for _ in range(20):
        world.poll()
    assert world.box(ANNA).calls["list_messages"] == listed


# ------------------------------------------------------------------------------------------ I3, I4: nothing in silence


def test_i03_synced_means_that_every_message_is_accounted_for() -> None:
    world = mail_world()
    world.arrives(subject="logged")
    world.arrives(sender="eve@stranger.example")
    world.arrives(labels=("SPAM",))
    broken = world.arrives(subject="broken")
    world.box(ANNA).unreadable.add(world.gmail_id(broken))
    gone = world.arrives(subject="gone")
    sync_mailbox(world.served(), wish=None)
    waiting = world.receipt()
    assert (waiting.listed, waiting.waiting, waiting.balanced) == (5, 4, True)
    assert waiting.covered_until == world.clock.now()

    world.deletes(gone)
    world.drain()
    receipt = world.receipt()
    assert receipt.balanced
    assert (receipt.listed, receipt.logged, receipt.quarantined, receipt.gone) == (5, 1, 1, 1)
    assert receipt.left_out == {Rule.NO_MATCH: 1, Rule.SYSTEM_LABEL: 1}
    assert (receipt.waiting, receipt.unexplained) == (0, 0)


def test_i03_a_queue_that_lost_everything_shows_as_unexplained_and_uncovered() -> None:
    world = mail_world()
    listed_at = world.clock.now()
    world.arrives()
    sync_mailbox(world.served(), wish=None)
    world.queue.lose()
    world.time.advance(16 * 60)
    sync_mailbox(world.served(), wish=None)
    receipt = world.receipt()
    assert (receipt.unexplained, receipt.covered_until) == (1, listed_at)


def test_i04_a_poison_message_is_parked_with_its_reason_and_can_be_replayed() -> None:
    world = mail_world()
    poison = world.arrives(subject="poison")
    world.arrives(subject="after it")
    world.box(ANNA).headless.add(world.gmail_id(poison))
    world.sync()
    assert world.subjects() == ["after it"]
    [parked] = world.parked()
    assert parked.reason.startswith("PayloadError")

    world.box(ANNA).headless.clear()
    world.replays(parked)
    assert sorted(world.subjects()) == ["after it", "poison"]
    assert world.parked() == []


def test_i04_a_message_whose_task_always_dies_ends_in_quarantine() -> None:
    world = mail_world()
    deadly = world.arrives()
    sync_mailbox(world.served(), wish=None)
    for _ in range(LOST_AT_MOST):
        assert world.queue.lose("message-ingest") == 1
        world.time.advance(6 * 60)
        world.poll_alone()
    world.queue.lose("message-ingest")
    world.time.advance(6 * 60)
    world.poll_alone()
    row = world.row(deadly)
    assert row is not None
    assert row.state is State.QUARANTINED
    [parked] = world.parked()
    assert "lost" in parked.reason


@pytest.mark.parametrize("hours", [1, 5])
def test_i04_a_rate_limit_is_never_a_strike(hours: int) -> None:
    world = mail_world()
    world.arrives(subject="patient")
    world.sync_alone()
    resume_at = world.clock.now() + timedelta(hours=hours)
    while world.clock.now() < resume_at:
        world.box(ANNA).fail_next("headers", RateLimitedError("slow down", resume_at=resume_at))
        world.passes(timedelta(minutes=20))
    world.box(ANNA).failing.clear()
    world.passes(timedelta(minutes=20))
    assert world.subjects() == ["patient"]
    assert world.parked() == []


def test_i04_an_outage_of_hours_is_no_strike_either() -> None:
    world = mail_world()
    mail = world.arrives(subject="patient")
    world.sync_alone()
    world.box(ANNA).fail_next("headers", times=10_000)
    world.passes(timedelta(hours=3))
    assert world.parked() == []
    row = world.row(mail)
    assert row is not None
    assert (row.state, row.rev) == (State.QUEUED, 1)

    world.box(ANNA).failing.clear()
    world.passes(timedelta(minutes=5))
    assert world.subjects() == ["patient"]


# ----------------------------------------------------------------------------------- I5, I6, I7: pushes that fail us


def test_i05_a_lapsed_watch_costs_no_mail_and_at_most_ten_minutes() -> None:
    world = mail_world()
    world.gmail.lapse_watch(ANNA)
    world.pushed()
    oldest = timedelta(0)
    for number in range(6):
        world.arrives(subject=str(number))
        assert world.pushed() == []
        world.passes(timedelta(minutes=7))
        oldest = max(oldest, world.clock.now() - world.stream().read_at)
    world.passes(timedelta(minutes=5))
    assert len(world.subjects()) == 6
    assert oldest < TEN_MINUTES


def test_i05_a_watch_near_its_end_is_renewed_daily_and_raises_an_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    world = mail_world()
    streams = MailStreams(world.store, mailbox_id(ANNA))
    first = streams.watch()
    assert first is not None

    def renewal() -> int:
        return renew_watches(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now())

    world.time.advance(3600)
    assert renewal() == 0
    world.time.advance(86_400)
    assert renewal() == 2
    capsys.readouterr()
    world.queue.lose("watch-renew")
    world.time.advance(4 * 86_400 + 3600)
    renewal()
    assert "watch.near_its_end" in capsys.readouterr().out

    world.drain()
    renewed = streams.watch()
    assert renewed is not None
    assert renewed.value.watch_expires_at > first.value.watch_expires_at + timedelta(days=5)


def test_i06_a_dead_subscription_is_covered_by_the_poll_and_shows_on_the_page() -> None:
    world = mail_world()
    world.arrives(subject="pushed")
    for notice in world.pushed():
        world.hears(notice)
    world.drain()
    pushed_at = world.clock.now()

    for day in range(31):
        world.time.advance(86_400)
        world.arrives(subject=f"day {day}")
        world.pushed()  # Pub/Sub drops them: nobody is subscribed
        world.passes(timedelta(minutes=6))
    assert len(world.subjects()) == 32
    page = read_connection(world.store, mailbox_id(ANNA), Users(world.store).get("u-anna"), world.clock)
    assert page.last_push_at is not None
    assert page.last_push_at <= pushed_at
    assert page.last_poll_at is not None
    assert world.clock.now() - page.last_poll_at < TEN_MINUTES


def test_i07_pushes_dropped_doubled_and_out_of_order_bring_every_mail_with_two_readings() -> None:
    world = mail_world()
    world.pushed()
    for number in range(12):
        world.time.advance(2)
        world.arrives(subject=str(number))
    notices = world.pushed()
    assert len(notices) == 12
    for notice in [*reversed(notices[3:]), *notices[:5], *notices[:5]]:
        world.hears(notice)
    before = world.box(ANNA).calls["history"]
    world.drain()
    assert len(world.subjects()) == 12
    assert world.box(ANNA).calls["history"] == before + 2, "now, and once more after the second in which Gmail drops"


def test_i07_what_gmail_drops_within_a_second_does_not_wait_for_the_poll() -> None:
    world = mail_world()
    world.pushed()
    world.arrives(subject="first")
    [notice] = world.pushed()
    world.hears(notice)
    world.drain(wait=False)
    world.time.advance(0.4)
    world.arrives(subject="second")
    assert world.pushed() == [], "one notice a second"
    world.drain()
    assert len(world.subjects()) == 2


def test_i07_a_push_during_a_reading_is_not_forgotten() -> None:
    world = mail_world(page=2)
    for number in range(4):
        world.arrives(subject=str(number))

    def another_push() -> None:
        world.arrives(subject="during")
        sync_mailbox(world.served(), wish=history_id(world))

    world.box(ANNA).before("history", 2, another_push)
    sync_mailbox(world.served(), wish=history_id(world))
    assert world.stream().cursor == history_id(world)
    world.drain()
    assert "during" in world.subjects()


def test_i07_a_notice_ahead_of_the_history_is_followed_up_once_and_never_in_circles() -> None:
    world = mail_world()
    calls = world.box(ANNA).calls["history"]
    sync_mailbox(world.served(), wish=2**60)
    world.drain()
    assert world.box(ANNA).calls["history"] - calls <= 3
    world.arrives(subject="later")
    world.sync(wish=history_id(world))
    assert world.subjects() == ["later"]
    assert world.box(ANNA).calls["history"] - calls <= 6


# ----------------------------------------------------------------------------------------------------- I8: the quota


def test_i08_the_vendors_retry_time_is_obeyed_by_everything_that_reads_this_mailbox() -> None:
    world = mail_world()
    for day in range(1, 60):
        world.arrives(at=START - timedelta(days=day))
    world.backfill()
    resume_at = world.clock.now() + timedelta(minutes=15)
    world.box(ANNA).fail_next("headers", RateLimitedError("retry after", resume_at=resume_at))
    world.drain(until=resume_at - timedelta(seconds=1))
    calls = world.box(ANNA).calls.copy()
    assert calls["headers"] == 1
    world.sync_alone()
    world.drain(until=resume_at - timedelta(seconds=1))
    assert world.box(ANNA).calls["headers"] == 1

    world.drain()
    assert world.clock.now() >= resume_at
    assert len(world.subjects()) == 59


def test_i08_a_first_import_asks_for_at_most_eighty_percent_of_the_quota() -> None:
    world = mail_world()
    for number in range(90):
        world.arrives(at=START - timedelta(hours=number + 1), subject=str(number))
    began_at = world.clock.now()
    world.backfill()
    world.drain()
    calls = world.box(ANNA).calls
    units = 20 * (calls["headers"] + calls["message"]) + 40 * (calls["thread_headers"] + calls["thread"])
    took_s = (world.clock.now() - began_at).total_seconds()
    assert len(world.subjects()) == 90
    assert units <= 1_000 + 80 * took_s


# --------------------------------------------------------------------------------- I9, I10, I11: once, and for whom


def test_i09_one_mail_is_one_row_however_often_and_through_whom_it_comes() -> None:
    world = mail_world()
    mail = world.arrives(to=[ANNA, BEN], subject="once")
    sync_mailbox(world.served(ANNA), wish=None)
    tasks = world.queue.due()
    for task in [*tasks, *tasks]:
        world.run(task)
    world.drain()
    world.sync(BEN)
    assert world.subjects() == ["once"]
    assert Contacts(world.store).get("c-carl").figures.mails == 1
    message = world.message(mail)
    assert message is not None
    assert sorted(message.readers) == ["u-anna:full", "u-ben:full"]


def test_i09_two_imports_of_one_mail_into_one_mailbox_are_one_message_until_both_are_deleted() -> None:
    world = mail_world()
    raw = raw_mail(message_id="<twice@customer.example>")
    first, second = (world.gmail.deliver(ANNA, raw).id for _ in range(2))
    world.sync()
    assert world.subjects() == ["Hello"]
    world.gmail.delete(ANNA, first)
    world.sync()
    assert world.subjects() == ["Hello"]
    world.gmail.delete(ANNA, second)
    world.sync()
    assert world.subjects() == []


def test_i09_a_mail_without_message_id_is_known_by_its_fingerprint() -> None:
    world = mail_world()
    raw = raw_mail(message_id=None)
    world.gmail.deliver(ANNA, raw)
    world.gmail.deliver(BEN, raw)
    world.gmail.deliver(ANNA, raw_mail(message_id=None, subject="Another"))
    world.sync(ANNA)
    world.sync(BEN)
    assert sorted(world.subjects()) == ["Another", "Hello"]


def test_i09_a_reused_message_id_hides_nobodys_mail() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.arrives(sender=DORA, subject="first", message_id="same@x")
    world.arrives(sender=CARL, to=[ANNA, BEN], subject="second", message_id="same@x")
    world.sync(ANNA)
    world.sync(BEN)
    assert (world.subjects("c-dora"), world.subjects("c-carl")) == (["first"], ["second"])


def raw_mail(*, message_id: str | None, subject: str = "Hello") -> bytes:
    lines = [
        f"From: Carl <{CARL}>",
        f"To: {ANNA}, {BEN}",
        f"Subject: {subject}",
        "Date: Mon, 2 Mar 2026 08:00:00 +0000",
    ]
    lines += [f"Message-ID: {message_id}"] if message_id else []
    return "\r\n".join([*lines, "", "How are you?", ""]).encode()


def seen_by(world: MailWorld, user_id: str, entry: Entry) -> tuple[str, str] | None:
    shown = visible(entry, Users(world.store).get(user_id).viewer)
    if shown is None:
        return None
    [summary] = shown.messages.values()
    return summary.subject, summary.snippet


def test_i10_what_is_seen_is_the_union_of_what_its_holders_share() -> None:
    world = mail_world()
    world.options(ANNA, share=Share.METADATA)
    world.options(BEN, share=Share.SUBJECT)
    mail = world.arrives(to=[ANNA, BEN], subject="Plan", text="The plan is this")
    world.sync(ANNA)
    [entry] = world.timeline()
    assert seen_by(world, "u-anna", entry) == ("Plan", "The plan is this")
    assert seen_by(world, "u-ada", entry) == ("", "")

    world.sync(BEN)
    [entry] = world.timeline()
    assert seen_by(world, "u-ada", entry) == ("Plan", "")
    assert seen_by(world, "u-ben", entry) == ("Plan", "The plan is this")

    world.deletes(mail, BEN)
    world.sync(BEN)
    [entry] = world.timeline()
    assert seen_by(world, "u-ada", entry) == ("", "")
    assert seen_by(world, "u-ben", entry) == ("", "")


@pytest.mark.parametrize(
    "private",
    [
        {"sender": BEN, "subject": "quokka"},
        {"sender": DORA, "subject": "quokka"},
        {"sender": "eve@stranger.example", "subject": "quokka"},
        {"cc": ["doctor@clinic.example"], "subject": "quokka"},
        {"subject": "quokka", "headers": [("List-Unsubscribe", "<https://list.example/u>")]},
        {"subject": "quokka", "labels": ("SPAM",)},
    ],
    ids=["internal", "personal list", "stranger", "organization list", "newsletter", "spam"],
)
def test_i11_what_is_left_out_is_left_out_before_anything_of_it_is_stored(private: dict[str, Any]) -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.organization(never_log=NeverLog(domains=frozenset({"clinic.example"})))
    world.options(never_log=NeverLog(addresses=frozenset({DORA})))
    before = world.stored_words()
    mail = world.arrives(text="wombat", **private)
    world.sync()
    assert world.gmail_id(mail) not in world.box(ANNA).bodies
    written = world.stored_words().replace(before, "")
    for secret in ("quokka", "wombat", mail, "stranger.example", "unsubscribe"):
        assert secret not in written


def test_i11_one_private_mail_in_a_thread_keeps_the_threads_bodies_apart() -> None:
    world = mail_world()
    first = world.arrives(subject="T", message_id="1@x")
    for number in (2, 3):
        world.arrives(subject="Re: T", message_id=f"{number}@x", in_reply_to=first, references=[first])
    internal = world.arrives(sender=BEN, subject="Re: T", in_reply_to=first, references=[first])
    world.time.advance(60)
    world.backfill()
    world.drain()
    assert world.timeline()[0].count == 3
    assert world.gmail_id(internal) not in world.box(ANNA).bodies


def test_i11_only_its_owner_learns_that_a_personal_list_left_something_out() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.options(never_log=NeverLog(addresses=frozenset({DORA})))
    mail = world.arrives(sender=DORA)
    world.sync()
    assert world.why(mail).rule is Rule.PERSONAL_NEVER_LOG
    asked_by_admin = world.why(mail, asked_by="u-ada")
    assert asked_by_admin.rule is None
    assert "list" not in asked_by_admin.sentence


# ------------------------------------------------------------------------------------------- I12, I13: who and where


ALIAS = "anna@acme-mail.example"


def test_i12_an_alias_is_no_stranger() -> None:
    world = mail_world()
    world.arrives(to=ALIAS, subject="to the alias")
    world.gmail.deliver_fields(world.fields(sender=CARL, to=[ALIAS], subject="x"))
    mine = raw_mail(message_id="<mine@x>", subject="from the alias")
    mine = mine.replace(f"From: Carl <{CARL}>".encode(), f"From: {ALIAS}".encode())
    mine = mine.replace(f"To: {ANNA}, {BEN}".encode(), f"To: {CARL}".encode())
    world.gmail.deliver(ANNA, mine)
    world.sync()
    directions = {kept.subject: kept.direction for entry in world.timeline() for kept in entry.messages.values()}
    assert directions["to the alias"] == "incoming"
    assert directions["from the alias"] == "outgoing"


def test_i12_an_alias_that_is_learnt_later_decides_anew_what_was_seen() -> None:
    world = mail_world()
    new = "sales@acme-mail.example"
    to_alias = raw_mail(message_id="<to-alias@x>", subject="to the new alias")
    to_alias = to_alias.replace(f"To: {ANNA}, {BEN}".encode(), f"To: {new}".encode())
    from_alias = raw_mail(message_id="<from-alias@x>", subject="from the new alias")
    from_alias = from_alias.replace(f"From: Carl <{CARL}>".encode(), f"From: {new}".encode())
    from_alias = from_alias.replace(f"To: {ANNA}, {BEN}".encode(), f"To: {CARL}, {ANNA}".encode())
    for raw in (to_alias, from_alias):
        world.gmail.deliver(ANNA, raw)
    untouched = world.arrives(subject="about something else")
    world.sync()
    assert world.subjects() == ["about something else"]
    headers = world.box(ANNA).calls["headers"]

    world.gains_alias(new)
    world.renews()
    directions = {kept.subject: kept.direction for entry in world.timeline() for kept in entry.messages.values()}
    assert directions == {
        "to the new alias": "incoming",
        "from the new alias": "outgoing",
        "about something else": "incoming",
    }
    assert world.box(ANNA).calls["headers"] - headers == 2, "only mail that names the alias is read again"
    row = world.row(untouched)
    assert row is not None
    assert row.rev == 1


def test_i12_mail_that_turns_out_to_be_ones_own_changes_its_direction_and_the_figures() -> None:
    world = mail_world(contacts=(CARL, DORA))
    new = "sales@acme-mail.example"
    raw = raw_mail(message_id="<from-alias@x>").replace(f"From: Carl <{CARL}>".encode(), f"From: {new}".encode())
    raw = raw.replace(f"To: {ANNA}, {BEN}".encode(), f"To: {CARL}, {ANNA}".encode())
    world.organization(leave_out_unknown_senders=False)
    world.gmail.deliver(ANNA, raw)
    world.sync()
    assert Contacts(world.store).get("c-carl").figures.last_inbound_at is not None

    world.gains_alias(new)
    world.renews()
    [entry] = world.timeline()
    assert [kept.direction for kept in entry.messages.values()] == ["outgoing"]
    figures = Contacts(world.store).get("c-carl").figures
    assert (figures.last_inbound_at, figures.mails) == (None, 1)
    assert figures.last_outbound_at is not None


def test_i12_a_hidden_copy_that_was_none_moves_from_the_own_record_to_the_contact() -> None:
    world = mail_world()
    new = "sales@acme-mail.example"
    world.options(own_record=True)
    raw = raw_mail(message_id="<to-alias@x>").replace(f"To: {ANNA}, {BEN}".encode(), f"To: {new}".encode())
    world.gmail.deliver(ANNA, raw)
    world.sync()
    assert (world.subjects(), len(world.own_record())) == ([], 1)

    world.gains_alias(new)
    world.renews()
    assert (world.subjects(), world.own_record()) == (["Hello"], [])
    assert world.receipt().balanced


def test_i13_a_reply_to_a_colleague_stays_in_the_conversation() -> None:
    world = mail_world()
    offer = world.sends(ANNA, subject="Offer")
    world.sync(ANNA)
    world.time.advance(60)
    answer = world.arrives(to=BEN, subject="AW: Offer", in_reply_to=offer, references=[offer])
    world.sync(BEN)
    world.time.advance(60)
    world.sends(BEN, subject="Re: AW: Offer", in_reply_to=answer, references=[offer, answer])
    world.sync(BEN)
    [entry] = world.timeline()
    assert entry.count == 3


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_i13_a_conversation_is_one_whatever_arrives_first(order: tuple[int, ...]) -> None:
    world = mail_world()
    links: list[dict[str, Any]] = [
        {"message_id": "a@x"},
        {"message_id": "b@x", "in_reply_to": "a@x", "references": ["a@x"]},
        {"message_id": "c@x", "in_reply_to": "b@x"},  # a client that trims the references
    ]
    for number in order:
        world.arrives(subject=str(number), **links[number])
        world.sync()
    [entry] = world.timeline()
    assert {kept.subject for kept in entry.messages.values()} == {"0", "1", "2"}
    assert {kept.thread_id for kept in all_messages(world)} == {entry.entry_id}


def all_messages(world: MailWorld) -> list[LoggedMessage]:
    repository = Messages(world.store)
    [entry] = world.timeline()
    return [repository.get(message_id).value for message_id in entry.messages]


def test_a_paused_mailbox_is_left_alone() -> None:
    world = mail_world()
    world.controls(Status.PAUSED)
    world.arrives()
    calls = world.box(ANNA).calls.copy()
    world.passes(timedelta(minutes=20))
    assert world.box(ANNA).calls == calls
