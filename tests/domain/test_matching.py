"""Whose an address is, how much of a holder's mail others read, and what a run of history makes of a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.ledger import (
    LOST_AT_MOST,
    QUEUED_TOO_LONG,
    UNEXPLAINED_AFTER,
    Rule,
    SeenRow,
    State,
    Turn,
    Wish,
    queued_row,
    row_after,
    turn_of,
    utc_day,
)
from shared.domain.matching import AddressRow, Known, contacts_of, is_user
from shared.domain.people import Role, Viewer
from shared.domain.receipt import Receipt
from shared.domain.settings import Share
from shared.domain.visibility import level, reader_key, reader_keys

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TAGGED_A = Known("ann+a@customer.example", "contact", "c-a")
TAGGED_B = Known("ann+b@customer.example", "contact", "c-b")
BARE = Known("ann@customer.example", "contact", "c-bare")
TWIN = Known("ann@customer.example", "contact", "c-twin")
USER = Known("ann@customer.example", "user", "u-ann")


# ---------------------------------------------------------------------------------------------------------- addresses


def test_the_exact_holder_of_a_tagged_address_wins() -> None:
    assert AddressRow((BARE, TAGGED_A, TAGGED_B)).matches("Ann+A@customer.example") == (TAGGED_A,)


def test_a_tag_that_nobody_holds_is_the_untagged_holders() -> None:
    assert AddressRow((TAGGED_A, BARE)).matches("ann+new@customer.example") == (BARE,)


def test_an_untagged_address_is_its_own_holders_first_and_its_tagged_ones_else() -> None:
    assert AddressRow((TAGGED_A, BARE)).matches("ann@customer.example") == (BARE,)
    assert AddressRow((TAGGED_A, TAGGED_B)).matches("ann@customer.example") == (TAGGED_A, TAGGED_B)


def test_a_tag_is_not_another_tag() -> None:
    assert AddressRow((TAGGED_A,)).matches("ann+b@customer.example") == ()


def test_one_address_on_two_contacts_is_both() -> None:
    found = AddressRow((BARE, USER, TWIN)).matches("ann@customer.example")
    assert list(contacts_of(found).items()) == [("c-bare", BARE), ("c-twin", TWIN)]
    assert is_user(found)
    assert not is_user((BARE, TWIN))


def test_a_contact_met_twice_is_the_one_met_first() -> None:
    again = replace(BARE, email="ann@elsewhere.example")
    assert contacts_of((BARE, again)) == {"c-bare": BARE}


# ------------------------------------------------------------------------------------------------------------ readers


def reader(user_id: str, share: Share) -> str:
    return reader_key(user_id, share)


@pytest.mark.parametrize(
    ("less", "more"),
    [(Share.METADATA, Share.SUBJECT), (Share.METADATA, Share.FULL), (Share.SUBJECT, Share.FULL)],
)
def test_others_read_what_the_most_generous_holder_shares(less: Share, more: Share) -> None:
    viewer = Viewer("u-ben", Role.SALES_REP)
    assert level([reader("u-anna", less), reader("u-dora", more)], viewer) is more
    assert level([reader("u-anna", more), reader("u-dora", less)], viewer) is more


def test_a_holder_reads_everything_whatever_it_shares() -> None:
    viewer = Viewer("u-ben", Role.SALES_REP)
    assert level([reader("u-anna", Share.SUBJECT), reader("u-ben", Share.METADATA)], viewer) is Share.FULL
    assert level([], viewer) is None


def test_a_holder_stands_under_one_key_for_each_share() -> None:
    assert reader_keys("u-anna") == tuple(reader("u-anna", share) for share in Share)


# ---------------------------------------------------------------------------------------------------- history and rows


def turn(kind: str, *labels: str, after: Turn | None = None) -> Turn | None:
    return turn_of(after, gmail_id="m", gmail_thread_id="t", kind=kind, labels=frozenset(labels))


def test_what_is_added_is_read_unless_a_system_label_hides_it() -> None:
    assert turn("added", "INBOX") == Turn("m", "t", True, Wish.READ, False)
    assert turn("added", "INBOX", "SPAM") == Turn("m", "t", True, None, True)


def test_what_is_deleted_or_put_away_is_removed() -> None:
    fresh = turn("added", "INBOX")
    assert turn("deleted") == Turn("m", "t", False, Wish.REMOVE, False)
    assert turn("deleted", after=fresh) == Turn("m", "t", True, Wish.REMOVE, False)
    assert turn("labels_added", "TRASH", after=fresh) == Turn("m", "t", True, Wish.REMOVE, True)


def test_what_comes_back_or_is_sent_is_read() -> None:
    away = turn("labels_added", "TRASH")
    assert turn("labels_removed", "TRASH", after=away) == Turn("m", "t", False, Wish.READ, False)
    assert turn("labels_added", "SENT") == Turn("m", "t", False, Wish.READ, False)


@pytest.mark.parametrize("kind", ["labels_added", "labels_removed"])
def test_other_labels_tell_nothing(kind: str) -> None:
    fresh = turn("added", "INBOX")
    assert turn(kind, "STARRED") is None
    assert turn(kind, "STARRED", after=fresh) is fresh


def test_a_label_taken_off_is_no_sign_of_sending() -> None:
    assert turn("labels_removed", "SENT") is None


ROW = queued_row("m", "t", NOW)
LOGGED = ROW.logged("msg-1", "key", date(2026, 3, 1))
READ = Turn("m", "t", True, Wish.READ, False)
REMOVE = Turn("m", "t", False, Wish.REMOVE, False)
HIDE = Turn("m", "t", True, None, True)


def test_a_message_met_for_the_first_time_is_queued_today() -> None:
    row = row_after(READ, None, NOW)
    assert row == ROW
    assert (ROW.state, ROW.rev, ROW.day, ROW.listed_at, ROW.queued_at) == (State.QUEUED, 1, NOW.date(), NOW, NOW)


@pytest.mark.parametrize("row", [ROW.gone(), ROW.quarantined(), ROW.left_out(Rule.SYSTEM_LABEL, None, None)])
def test_what_was_gone_broken_or_hidden_is_read_anew(row: SeenRow) -> None:
    again = row_after(READ, row, LATER)
    assert again is not None
    assert (again.state, again.wish, again.rev, again.listed_at) == (State.QUEUED, Wish.READ, 2, LATER)


@pytest.mark.parametrize("row", [ROW, LOGGED, ROW.left_out(Rule.BULK, "key", None)])
def test_what_is_known_is_not_read_twice(row: SeenRow) -> None:
    assert row_after(READ, row, LATER) is None


def test_a_removal_that_waits_turns_back_into_reading_and_is_not_asked_for_twice() -> None:
    removing = row_after(REMOVE, LOGGED, LATER)
    assert removing is not None
    assert (removing.wish, removing.state, removing.rev) == (Wish.REMOVE, State.QUEUED, 2)
    assert row_after(REMOVE, removing, LATER) is None
    back = row_after(READ, removing, LATER)
    assert back is not None
    assert (back.wish, back.rev) == (Wish.READ, 3)


def test_a_removal_reaches_what_is_still_waiting_to_be_read() -> None:
    removing = row_after(REMOVE, ROW, LATER)
    assert removing is not None
    assert removing.wish is Wish.REMOVE


def test_what_was_never_posted_is_gone_at_once() -> None:
    gone = row_after(REMOVE, None, NOW)
    assert gone is not None
    assert (gone.state, gone.queued_at, gone.rev) == (State.GONE, None, 1)
    assert row_after(REMOVE, gone, LATER) is None
    left = row_after(REMOVE, ROW.left_out(Rule.BULK, "key", None), LATER)
    assert left is not None
    assert left.state is State.GONE


def test_what_was_hidden_from_the_start_is_left_out_unread() -> None:
    hidden = row_after(HIDE, None, NOW)
    assert hidden is not None
    assert (hidden.state, hidden.rule, hidden.queued_at) == (State.LEFT_OUT, Rule.SYSTEM_LABEL, None)


def test_a_row_queued_for_a_new_reason_forgets_the_old_one() -> None:
    worn = replace(ROW.left_out(Rule.BULK, "key", None), lost=3, headers_passed=True)
    again = worn.queued_again(Wish.READ, LATER)
    assert (again.lost, again.rule, again.headers_passed, again.queued_at) == (0, None, False, LATER)


def test_a_row_whose_task_was_lost_stays_as_old_as_it_is() -> None:
    retried = ROW.retried(LATER).retried(LATER)
    assert (retried.rev, retried.lost, retried.queued_at, retried.listed_at) == (3, 2, LATER, NOW)
    postponed = retried.postponed(LATER + timedelta(minutes=1))
    assert (postponed.rev, postponed.lost, postponed.queued_at) == (3, 2, LATER + timedelta(minutes=1))


def test_a_settled_row_waits_for_nothing() -> None:
    worn = replace(ROW, lost=2, headers_passed=True)
    for settled in (worn.logged("msg-1", None, date(2026, 3, 1)), worn.gone(), worn.quarantined()):
        assert (settled.queued_at, settled.lost, settled.headers_passed, settled.rule) == (None, 0, False, None)
    assert worn.gone().message_id is None


def test_a_message_of_the_users_own_record_is_private() -> None:
    own = ROW.logged("msg-1", "key", date(2026, 3, 1), own_record=True)
    assert (own.own_record, own.private, own.message_key, own.day) == (True, True, "key", date(2026, 3, 1))
    shared = ROW.logged("msg-1", "key", date(2026, 3, 1))
    assert not shared.private
    assert not shared.own_record


def test_a_left_out_row_keeps_hash_day_and_rule_alone() -> None:
    left = LOGGED.left_out(Rule.NO_MATCH, None, None)
    assert (left.message_id, left.message_key, left.day, left.rule) == (None, "key", date(2026, 3, 1), Rule.NO_MATCH)
    fresh = LOGGED.left_out(Rule.NO_MATCH, "new", date(2026, 3, 2))
    assert (fresh.message_key, fresh.day) == ("new", date(2026, 3, 2))


@pytest.mark.parametrize("before", [True, False])
def test_a_left_out_row_is_as_private_as_before_unless_told(before: bool) -> None:
    row = replace(LOGGED, private=before)
    assert row.left_out(Rule.BULK, None, None).private is before
    assert row.left_out(Rule.BULK, None, None, private=not before).private is not before


def test_how_long_a_task_may_be_lost() -> None:
    assert (timedelta(minutes=5), timedelta(minutes=15), 5) == (QUEUED_TOO_LONG, UNEXPLAINED_AFTER, LOST_AT_MOST)


def test_a_day_is_utcs() -> None:
    assert utc_day(datetime.fromisoformat("2026-03-02T01:00:00+02:00")) == date(2026, 3, 1)


# ----------------------------------------------------------------------------------------------------------- receipts

RECEIPT = Receipt(
    day=None,
    listed=21,
    logged=1,
    left_out={Rule.BULK: 2, Rule.INTERNAL: 3},
    quarantined=4,
    gone=5,
    waiting=2,
    unexplained=4,
    covered_until=None,
)


@pytest.mark.parametrize("count", ["listed", "logged", "quarantined", "gone", "waiting", "unexplained"])
def test_a_receipt_balances_only_when_every_message_is_accounted_for(count: str) -> None:
    assert RECEIPT.balanced
    assert not replace(RECEIPT, **{count: getattr(RECEIPT, count) + 1}).balanced
