"""What is known of a message before its body is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.mail.envelope import METADATA_HEADERS, MailHeaders, read_headers
from shared.domain.mail.headers import Headers

RECEIVED_AT = datetime(2026, 3, 5, 10, 11, 30, tzinfo=UTC)


def envelope(*fields: tuple[str, str]) -> MailHeaders:
    return read_headers(Headers(fields), gmail_id="g1", gmail_thread_id="t1", internal_at=RECEIVED_AT)


def test_the_people_of_a_message_are_read_by_role() -> None:
    read = envelope(
        ("From", "Jane <jane@a.example>"),
        ("Sender", "assistant@a.example"),
        ("Reply-To", "desk@a.example"),
        ("To", "bob@b.example, carol@c.example"),
        ("To", "dave@d.example"),
        ("Cc", "erin@e.example"),
        ("Bcc", "frank@f.example"),
        ("Resent-To", "grace@g.example"),
        ("Resent-Cc", "heidi@h.example"),
        ("Delivered-To", "bob@b.example"),
    )
    assert read.from_ is not None
    assert (read.from_.email, read.from_.name) == ("jane@a.example", "Jane")
    assert read.sender is not None
    assert read.sender.email == "assistant@a.example"
    assert [person.email for person in read.to] == ["bob@b.example", "carol@c.example", "dave@d.example"]
    rest = (*read.reply_to, *read.cc, *read.bcc, *read.resent_to, *read.resent_cc, *read.delivered_to)
    assert [person.email.partition("@")[0] for person in rest] == ["desk", "erin", "frank", "grace", "heidi", "bob"]


def test_a_message_without_any_header_is_still_a_message() -> None:
    read = envelope()
    assert (read.from_, read.to, read.subject, read.date_at, read.message_id) == (None, (), "", None, None)
    assert not read.bulk


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Thu, 5 Mar 2026 11:11:00 +0100", datetime(2026, 3, 5, 10, 11, tzinfo=UTC)),
        ("5 Mar 2026 10:11:00 -0000 (UTC)", datetime(2026, 3, 5, 10, 11, tzinfo=UTC)),
        ("Thu, 5 Mar 1926 11:11:00 +0100", None),
        ("Thu, 5 Mar 2027 11:11:00 +0100", None),
        ("Thu, 5 Mar 2026 11:11:00 +9999", None),
        ("yesterday", None),
        ("99999999999999999999", None),
        ("", None),
    ],
)
def test_a_date_is_believed_unless_it_is_absurd(written: str, expected: datetime | None) -> None:
    assert envelope(("Date", written)).date_at == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Id", "News <news.example.com>"),
        ("List-Unsubscribe", "<https://example.com/stop>"),
        ("Precedence", "Bulk"),
        ("Precedence", "list"),
        ("Precedence", "junk"),
        ("Auto-Submitted", "auto-generated; owner=x"),
        ("X-Auto-Response-Suppress", "All"),
        ("Feedback-ID", "1:campaign:example"),
    ],
)
def test_lists_newsletters_and_machines_are_bulk(name: str, value: str) -> None:
    assert envelope((name, value)).bulk


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No; x=y"),
        ("Precedence", "normal"),
        ("X-Auto-Response-Suppress", "None"),
    ],
)
def test_mail_of_people_is_not_bulk(name: str, value: str) -> None:
    assert not envelope((name, value)).bulk


def test_an_automatic_reply_is_told_from_a_list() -> None:
    reply, mailing = envelope(("Auto-Submitted", "auto-replied")), envelope(("List-Id", "<l.example>"))
    assert (reply.auto_submitted, reply.list_id) == (True, False)
    assert (mailing.auto_submitted, mailing.list_id) == (False, True)


def test_an_id_that_gmail_added_is_not_the_senders() -> None:
    added = ("Message-ID", "<1a2b.SMTPIN_ADDED_MISSING@mx.google.com>")
    replaced = ("Message-ID", "<3c4d.SMTPIN_ADDED_BROKEN@mx.google.com>")
    assert envelope(added).message_id is None
    assert envelope(replaced, ("X-Google-Original-Message-ID", "a1@x.example")).message_id == "a1@x.example"
    assert envelope(("Message-ID", "<a1@x.example>")).message_id == "a1@x.example"


def test_every_header_the_envelope_looks_at_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read, looked_at = Headers.raw, set[str]()

    def noted(headers: Headers, name: str) -> tuple[str, ...]:
        looked_at.add(name)
        return read(headers, name)

    monkeypatch.setattr(Headers, "raw", noted)
    envelope()
    envelope(("Message-ID", "<1.SMTPIN_ADDED_BROKEN@mx.google.com>"))
    assert looked_at == set(METADATA_HEADERS)
