"""Conversations hold their newest messages and count the rest; who reads how much of an entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.ids import digest, short_id
from shared.domain.mail.addresses import Address
from shared.domain.mail.envelope import MailHeaders
from shared.domain.mail.message_id import fingerprint
from shared.domain.people import Role, Viewer
from shared.domain.settings import Share
from shared.domain.threads import (
    MESSAGES_KEPT,
    Summary,
    Thread,
    ThreadLinks,
    fingerprint_of,
    joined,
    message_row_id,
    new_thread,
    older_of,
    origin_of,
    reused_row_id,
    thread_links,
)
from shared.domain.timeline import Entry, Happening, Kind, MeetingSummary
from shared.domain.visibility import reader_key, visible

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEN = Viewer("u-ben", Role.SALES_REP)


def summary(number: int, *, share: Share = Share.FULL, holder: str = "u-anna", contact: str = "c-carl") -> Summary:
    return Summary(
        message_id=f"m-{number:04}",
        origin="",
        sent_at=NOW + timedelta(minutes=number),
        direction="incoming",
        sender="carl@customer.example",
        sender_name="Carl",
        subject="Offer",
        snippet="We would like",
        recipients=1,
        attachments=2,
        contact_ids=(contact,),
        company_ids=(),
        readers=(reader_key(holder, share),),
    )


def thread(*numbers: int) -> Thread:
    whole = new_thread("t-1", NOW + timedelta(minutes=min(numbers, default=0)))
    for number in numbers:
        whole = whole.with_message(summary(number))
    return whole


# ------------------------------------------------------------------------------------------------------------- threads


def test_a_thread_begins_with_its_first_message_and_ends_with_its_last() -> None:
    whole = thread(5, 3, 9)
    assert (whole.first_at, whole.last_at) == (NOW + timedelta(minutes=3), NOW + timedelta(minutes=9))
    assert whole.count == 3
    assert new_thread("t-2", NOW).last_at == NOW


def test_a_long_thread_counts_its_oldest_messages_instead_of_carrying_them() -> None:
    assert MESSAGES_KEPT == 200
    whole = thread(*range(MESSAGES_KEPT))
    assert (len(whole.messages), whole.older, whole.count) == (MESSAGES_KEPT, 0, MESSAGES_KEPT)
    longer = whole.with_message(summary(MESSAGES_KEPT)).with_message(summary(MESSAGES_KEPT + 1))
    assert (len(longer.messages), longer.older, longer.count) == (MESSAGES_KEPT, 2, MESSAGES_KEPT + 2)
    assert "m-0000" not in longer.messages
    assert "m-0001" not in longer.messages
    assert longer.first_at == NOW


def test_of_two_sent_at_one_moment_the_smaller_id_goes_first() -> None:
    crowd = thread(*range(1, MESSAGES_KEPT))
    twins = [replace(summary(0), message_id=name) for name in ("m-b", "m-a")]
    longer = crowd.with_message(twins[0]).with_message(twins[1])
    assert "m-b" in longer.messages
    assert "m-a" not in longer.messages


def test_a_changed_message_is_changed_where_it_is_carried_and_nowhere_else() -> None:
    whole = thread(1, 2)
    changed = replace(summary(1), subject="Offer, corrected")
    assert whole.with_changed(changed).messages["m-0001"].subject == "Offer, corrected"
    assert whole.with_changed(changed).messages["m-0002"] == summary(2)
    assert whole.with_changed(summary(7)) is whole


def test_a_message_that_goes_is_taken_off_or_counted_off() -> None:
    whole = replace(thread(1, 2), older=3)
    assert list(whole.without_message("m-0001").messages) == ["m-0002"]
    assert whole.without_message("m-0001").older == 3
    assert whole.without_message("m-gone").older == 2
    assert whole.without_message("m-gone").messages == whole.messages
    assert replace(whole, older=0).without_message("m-gone").older == 0


def test_a_contact_sees_its_part_of_a_conversation() -> None:
    whole = thread(1).with_message(summary(2, contact="c-dora"))
    assert list(whole.of_contact("c-dora").messages) == ["m-0002"]
    assert whole.contact_ids == ("c-carl", "c-dora")


def test_of_two_threads_that_join_the_older_one_stays_with_all_there_was() -> None:
    older, younger = replace(thread(1, 4), older=2), replace(thread(2, 3), thread_id="t-2", older=1)
    assert older_of([younger, older]) is older
    twin = replace(older, thread_id="t-0")
    assert older_of([older, twin]) is twin
    whole = joined(older, [younger])
    assert sorted(whole.messages) == ["m-0001", "m-0002", "m-0003", "m-0004"]
    assert (whole.thread_id, whole.older, whole.first_at) == ("t-1", 3, older.first_at)
    assert joined(younger, [older]).first_at == older.first_at


# ----------------------------------------------------------------------------------------------------------------- ids


def headers(**fields: Any) -> MailHeaders:
    return MailHeaders("g-1", "gt-1", NOW, from_=Address("carl@customer.example"), **fields)


def test_ids_are_stored_everywhere_and_never_change() -> None:
    named = headers(message_id="1@x", date_at=NOW, references=("root@x", "parent@x"))
    assert message_row_id(named) == short_id("m", "message-id", "1@x")
    assert thread_links(named, "m-1") == ThreadLinks(
        home=short_id("t", "thread", "root@x"),
        own=short_id("t", "thread", "1@x"),
        parent=short_id("m", "message-id", "parent@x"),
    )


def test_a_message_that_answers_nothing_begins_its_own_thread() -> None:
    own = short_id("t", "thread", "1@x")
    assert thread_links(headers(message_id="1@x"), "m-1") == ThreadLinks(home=own, own=own, parent=None)
    orphan = short_id("t", "orphan", "m-1")
    assert thread_links(headers(), "m-1") == ThreadLinks(home=orphan, own=orphan, parent=None)


def test_a_message_without_an_id_is_known_by_what_it_says() -> None:
    nameless = headers(subject="Offer", to=(Address("b@acme.example"),), cc=(Address("a@acme.example"),))
    known_by = fingerprint("carl@customer.example", NOW.isoformat(), "Offer", "a@acme.example", "b@acme.example")
    assert fingerprint_of(nameless) == known_by
    assert message_row_id(nameless) == short_id("m", "message-id", known_by)
    assert reused_row_id(nameless) == short_id("m", "reused-id", "", known_by)
    assert reused_row_id(replace(nameless, message_id="1@x")) == short_id("m", "reused-id", "1@x", known_by)
    dated = replace(nameless, date_at=NOW - timedelta(days=1), from_=None, to=(), cc=())
    assert fingerprint_of(dated) == fingerprint("", (NOW - timedelta(days=1)).isoformat(), "Offer")


def test_two_messages_with_one_id_differ_by_sender_and_date() -> None:
    assert origin_of(headers(date_at=NOW)) == digest("carl@customer.example", NOW.isoformat())
    assert origin_of(replace(headers(), from_=None)) == digest("", "")


# ------------------------------------------------------------------------------------------------------------- readers


def entry(**fields: Any) -> Entry:
    base = Entry(entry_id="e-1", kind=Kind.MAIL, at=NOW, count=1)
    return replace(base, **fields)


def shown(share: Share, holder: str = "u-anna") -> Summary | None:
    found = visible(entry(messages={"m-0001": summary(1, share=share, holder=holder)}), BEN)
    return found.messages["m-0001"] if found else None


def test_a_holder_reads_the_whole_message_and_not_who_else_does() -> None:
    assert shown(Share.METADATA, holder="u-ben") == replace(summary(1), readers=())


def test_others_read_as_much_as_is_shared() -> None:
    assert shown(Share.FULL) == replace(summary(1), readers=())
    assert shown(Share.SUBJECT) == replace(summary(1), readers=(), snippet="", attachments=0)
    assert shown(Share.METADATA) == replace(summary(1), readers=(), snippet="", attachments=0, subject="")


def test_a_message_nobody_holds_is_not_there() -> None:
    messages = {"m-0001": replace(summary(1), readers=()), "m-0002": summary(2)}
    assert visible(entry(messages={"m-0001": messages["m-0001"]}), BEN) is None
    found = visible(entry(messages=messages), BEN)
    assert found is not None
    assert list(found.messages) == ["m-0002"]


def meeting(*readers: str) -> MeetingSummary:
    return MeetingSummary(
        event_id="ev-1",
        title="Kick-off",
        start_at=NOW,
        end_at=NOW + timedelta(hours=1),
        all_day=None,
        time_zone="UTC",
        location="Room 1",
        meet_url="https://meet.example/x",
        status="confirmed",
        organizer="anna@acme.example",
        guests=2,
        answer="accepted",
        private=False,
        readers=readers,
    )


def met(*readers: str) -> MeetingSummary | None:
    found = visible(entry(kind=Kind.MEETING, meeting=meeting(*readers)), BEN)
    return found.meeting if found else None


def test_others_see_as_much_of_a_meeting_as_is_shared() -> None:
    assert met() is None
    assert met(reader_key("u-ben", Share.METADATA)) == meeting()
    assert met(reader_key("u-anna", Share.FULL)) == meeting()
    assert met(reader_key("u-anna", Share.SUBJECT)) == replace(meeting(), location="", meet_url="")
    assert met(reader_key("u-anna", Share.METADATA)) == replace(meeting(), location="", meet_url="", title="")


def happened(plain: str, *, figures: bool) -> str | None:
    told = Happening("invoice.created", "Invoice 7 over 100.00 USD is in the ledger.", plain)
    found = visible(entry(kind=Kind.INVOICE, happening=told), BEN, figures=figures)
    assert found is not None
    assert found.happening is not None
    assert found.happening.plain == ""
    return found.happening.sentence


def test_figures_are_for_those_who_may_see_them() -> None:
    told = Happening("invoice.created", "Invoice 7 over 100.00 USD.", "Invoice 7.")
    unasked = visible(entry(kind=Kind.INVOICE, happening=told), BEN)
    assert unasked is not None
    assert unasked.happening == Happening("invoice.created", "Invoice 7.")
    assert happened("Invoice 7 is in the ledger.", figures=True) == "Invoice 7 over 100.00 USD is in the ledger."
    assert happened("Invoice 7 is in the ledger.", figures=False) == "Invoice 7 is in the ledger."
    assert happened("", figures=False) == "Invoice 7 over 100.00 USD is in the ledger."
