"""The search words that the simulated Gmail understands."""

from __future__ import annotations

import pytest

from local.google.errors import ApiError
from local.google.gmail.query import parse_query
from local.google.gmail.stored import StoredMessage

MAIL = StoredMessage(
    id="18c0000000000001",
    thread_id="18c0000000000001",
    raw=b"",
    internal_ms=1_700_000_000_000,
    labels={"INBOX", "SENT"},
    history_id=1,
    rfc822_id="{A-1}@mail.client.example",
    senders=("kim@client.example",),
    to=("ada@acme.example", "ben@acme.example"),
    cc=("lee@sub.partner.example",),
    bcc=("zoe@acme.example",),
)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", True),
        ("after:1700000000", True),
        ("after:1700000001", False),
        ("before:1700000000", False),
        ("after:1699999999 before:1700000001", True),
        ('rfc822msgid:"{A-1}@mail.client.example"', True),
        ("rfc822msgid:other@mail.client.example", False),
        ("in:sent", True),
        ("-in:sent", False),
        ("-in:draft -in:trash", True),
        ("in:trash", False),
        ("in:anywhere", True),
        ("from:kim@client.example", True),
        ("from:KIM@client.example", True),
        ("from:client.example", True),
        ("from:im@client.example", False),
        ("from:lient.example", False),
        ("to:kim@client.example", False),
        ("cc:partner.example", True),
        ("to:lee@sub.partner.example", False),
        ("bcc:zoe@acme.example", True),
        ("from:(nobody@x.example OR kim@client.example)", True),
        ("from:{nobody@x.example kim@client.example}", True),
        ("to:(ada@acme.example ben@acme.example)", True),
        ("to:(ada@acme.example kim@client.example)", False),
        ("{from:nobody@x.example to:ben@acme.example}", True),
        ("from:nobody@x.example OR in:sent", True),
        ("from:nobody@x.example OR in:sent after:1700000001", False),
        ("-{from:kim@client.example to:kim@client.example}", False),
        ("(from:kim@client.example in:inbox) -(in:spam)", True),
    ],
)
def test_a_search_finds_what_gmail_would_find(q: str, found: bool) -> None:
    assert parse_query(q).matches(MAIL) is found


@pytest.mark.parametrize("q", ["(in:sent", "in:sent)", "from:(", "-", "{", "OR )"])
def test_a_malformed_search_is_refused(q: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parse_query(q)
    assert refusal.value.status in (400, 501)


@pytest.mark.parametrize(
    "q", ["hello", "subject:hello", "has:attachment", "after:2026/01/01", "from:kim", "in:chats", '"two words"']
)
def test_words_the_simulator_does_not_know_are_refused_loudly(q: str) -> None:
    with pytest.raises(ApiError, match="simulator does not know") as refusal:
        parse_query(q)
    assert refusal.value.status == 501


def test_naming_spam_or_trash_reaches_them() -> None:
    assert parse_query("in:trash").reaches_spam_and_trash
    assert parse_query("in:anywhere from:kim@client.example").reaches_spam_and_trash
    assert not parse_query("in:inbox").reaches_spam_and_trash
