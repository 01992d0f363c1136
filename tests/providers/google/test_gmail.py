"""A Gmail mailbox in the product's words. The answers are Gmail's, shortened."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.mail.envelope import METADATA_HEADERS
from shared.errors import CursorExpiredError, NotFoundError, PayloadError, RateLimitedError
from shared.ports.mailbox import FullMessage, Mailbox, MailChange, MessageRef, PermanentFailure
from shared.providers.google.gmail import GmailMailbox
from shared.providers.google.http import GoogleHttp
from tests.fakes import FakeChance, FakeClock
from tests.providers.google.scripted import Reply, ScriptedServer, batch_of

TOPIC = "projects/demo/topics/gmail-push"
NOT_FOUND = Reply(404, {"error": {"code": 404, "errors": [{"reason": "notFound"}]}})


@pytest.fixture
def mailbox(google: ScriptedServer) -> Mailbox:
    http = GoogleHttp(lambda _: "token", clock=FakeClock(), chance=FakeChance(), root_url=google.url)
    return GmailMailbox(http, TOPIC)


def gmail_message(gmail_id: str, text: str = "Hello", **changes: Any) -> dict[str, Any]:
    return {
        "id": gmail_id,
        "threadId": "t1",
        "labelIds": ["INBOX"],
        "internalDate": "1772442000000",
        "sizeEstimate": 900,
        "payload": {
            "partId": "",
            "mimeType": "text/plain",
            "filename": "",
            "headers": [{"name": "From", "value": "Ada <ada@customer.example>"}, {"name": "Subject", "value": "Hi"}],
            "body": {"size": len(text), "data": base64.urlsafe_b64encode(text.encode()).decode()},
        },
        **changes,
    }


UNREADABLE = gmail_message("bad", payload=None)


def test_the_profile_has_the_cursor_as_a_number(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(
        Reply(200, {"emailAddress": "kim@example.com", "messagesTotal": 3, "historyId": "18446744073709551615"})
    )
    profile = mailbox.profile()
    assert (profile.address, profile.history_id) == ("kim@example.com", 2**64 - 1)


def test_own_addresses_are_the_primary_one_and_those_that_were_confirmed(
    google: ScriptedServer, mailbox: Mailbox
) -> None:
    entries = [
        {"sendAsEmail": "sales@example.com", "verificationStatus": "accepted"},
        {"sendAsEmail": "new@example.com", "verificationStatus": "pending"},
        {"sendAsEmail": "kim@example.com", "isPrimary": True, "isDefault": True},
    ]
    google.replies(Reply(200, {"sendAs": entries}))
    assert mailbox.own_addresses() == ("kim@example.com", "sales@example.com")


def test_a_watch_publishes_to_our_topic_and_says_when_it_ends(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"historyId": "1234567890", "expiration": "1431990098200"}))
    watch = mailbox.start_watch()
    assert watch.history_id == 1234567890
    assert watch.expires_at == datetime(2015, 5, 18, 23, 1, 38, 200000, tzinfo=UTC)
    assert google.asked[0].body == b'{"topicName": "projects/demo/topics/gmail-push"}'


def test_a_watch_is_stopped(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(204, b""))
    mailbox.stop_watch()
    assert (google.asked[0].method, google.asked[0].path) == ("POST", "/gmail/v1/users/me/stop")


# ------------------------------------------------------------------------------------------------------------- history


def test_history_comes_in_order_with_the_labels_that_matter(google: ScriptedServer, mailbox: Mailbox) -> None:
    def record(gmail_id: str, **more: object) -> dict[str, object]:
        return {"message": {"id": gmail_id, "threadId": "t1", "labelIds": ["INBOX", "UNREAD"]}, **more}

    history = [
        {"id": "11", "messages": [{"id": "a", "threadId": "t1"}], "messagesAdded": [record("a")]},
        {
            "id": "12",
            "labelsAdded": [record("a", labelIds=["TRASH"])],
            "labelsRemoved": [record("a", labelIds=["INBOX"])],
        },
        {"id": "13", "messagesDeleted": [{"message": {"id": "a", "threadId": "t1"}}]},
    ]
    google.replies(Reply(200, {"history": history, "historyId": "20", "nextPageToken": "p2"}))
    page = mailbox.history(10, None)
    ref = MessageRef("a", "t1")
    assert page.changes == (
        MailChange("added", ref, frozenset({"INBOX", "UNREAD"})),
        MailChange("labels_added", ref, frozenset({"TRASH"})),
        MailChange("labels_removed", ref, frozenset({"INBOX"})),
        MailChange("deleted", ref, frozenset()),
    )
    assert (page.history_id, page.next_page) == (20, "p2")


def test_history_asks_for_every_kind_of_change_after_our_cursor(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"historyId": "10"}))
    page = mailbox.history(10, "p2")
    assert (page.changes, page.history_id, page.next_page) == ((), 10, None)
    query = google.asked[0].query
    assert query["startHistoryId"] == ["10"]
    assert query["pageToken"] == ["p2"]
    assert query["maxResults"] == ["500"]
    assert query["historyTypes"] == ["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]


def test_history_that_gmail_forgot_is_an_expired_cursor(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(NOT_FOUND)
    with pytest.raises(CursorExpiredError):
        mailbox.history(1, None)


# ---------------------------------------------------------------------------------------------------- lists and headers


def test_a_list_is_asked_for_in_whole_seconds_without_spam_and_trash(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"messages": [{"id": "a", "threadId": "t1"}], "nextPageToken": "p2"}))
    page = mailbox.list_messages(
        after=datetime(2026, 3, 1, 0, 0, 0, 900000, tzinfo=UTC),
        before=datetime(2026, 3, 2, 0, 0, 0, 100000, tzinfo=UTC),
        page=None,
        search="from:ada@customer.example",
    )
    assert page.refs == (MessageRef("a", "t1"),)
    assert page.next_page == "p2"
    query = google.asked[0].query
    assert query["q"] == ["after:1772323200 before:1772409601 from:ada@customer.example"]
    assert (query["includeSpamTrash"], query["maxResults"]) == (["false"], ["500"])
    assert "pageToken" not in query


def test_an_empty_list_is_empty(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"resultSizeEstimate": 0}))
    assert mailbox.list_messages(after=datetime(2026, 3, 1, tzinfo=UTC), before=None, page=None).refs == ()
    assert google.asked[0].query["q"] == ["after:1772323200"]


def test_headers_are_read_without_bodies_and_a_gone_message_is_none(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(batch_of(Reply(200, gmail_message("a")), NOT_FOUND))
    found = mailbox.headers(["a", "b", "a"])
    assert list(found) == ["a", "b"]
    assert found["b"] is None
    assert found["a"] is not None
    assert found["a"].subject == "Hi"
    sent = google.asked[0].body.decode()
    assert sent.count("format=metadata") == 2
    assert all(f"metadataHeaders={name}" in sent for name in METADATA_HEADERS)


def test_one_rate_limited_part_raises_for_all_and_the_rest_is_not_asked_for(
    google: ScriptedServer, mailbox: Mailbox
) -> None:
    limited = Reply(429, {"error": {"code": 429, "errors": [{"reason": "rateLimitExceeded"}]}})
    google.replies(batch_of(limited, *[Reply(200, gmail_message("a"))] * 9), batch_of(Reply(200, gmail_message("a"))))
    with pytest.raises(RateLimitedError):
        mailbox.headers([f"{number:x}" for number in range(11)])
    assert len(google.asked) == 1


def test_headers_of_a_thread_and_of_one_that_is_gone(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"id": "t1", "messages": [gmail_message("a"), gmail_message("b")]}), NOT_FOUND)
    assert [headers.gmail_id for headers in mailbox.thread_headers("t1")] == ["a", "b"]
    assert mailbox.thread_headers("t1") == ()


# -------------------------------------------------------------------------------------------------------------- bodies


def test_a_message_is_read_with_its_body(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, gmail_message("a", text="Grüße")))
    message = mailbox.message("a")
    assert (message.headers.gmail_id, message.body.text) == ("a", "Grüße")
    assert google.asked[0].query["format"] == ["full"]


def large_text(gmail_id: str, parts: int) -> dict[str, Any]:
    tree = [
        {"partId": str(n), "mimeType": "text/plain", "filename": "", "body": {"size": 9, "attachmentId": f"at{n}"}}
        for n in range(parts)
    ]
    return gmail_message(gmail_id, payload={"partId": "", "mimeType": "multipart/mixed", "body": {}, "parts": tree})


def test_text_too_large_for_the_message_is_fetched(google: ScriptedServer, mailbox: Mailbox) -> None:
    text = base64.urlsafe_b64encode(b"a long story").decode()
    google.replies(Reply(200, large_text("a", parts=1)), Reply(200, {"size": 12, "data": text}))
    body = mailbox.message("a").body
    assert body.text == "a long story"
    assert not body.truncated
    assert google.asked[1].path == "/gmail/v1/users/me/messages/a/attachments/at0"


@pytest.mark.parametrize(
    ("mime_type", "filename"), [("video/mp4", "tour.mp4"), ("text/plain", "log.txt"), ("text/plain", "")]
)
def test_a_hundred_megabytes_are_refused_by_their_stated_size_and_named(
    google: ScriptedServer, mailbox: Mailbox, mime_type: str, filename: str
) -> None:
    words = {"size": 5, "data": base64.urlsafe_b64encode(b"Hello").decode()}
    tree = [
        {"partId": "0", "mimeType": "text/plain", "filename": "", "body": words},
        {
            "partId": "1",
            "mimeType": mime_type,
            "filename": filename,
            "body": {"size": 100_000_000, "attachmentId": "at1"},
        },
    ]
    payload = {"partId": "", "mimeType": "multipart/mixed", "body": {}, "parts": tree}
    google.replies(Reply(200, gmail_message("a", payload=payload)))
    body = mailbox.message("a").body
    assert body.text == "Hello"
    assert [(attached.part_id, attached.size_bytes) for attached in body.attachments] == [("1", 100_000_000)]
    assert len(google.asked) == 1, "nothing but the message itself is asked for"


def test_mail_made_of_hundreds_of_large_texts_costs_a_few_calls(google: ScriptedServer, mailbox: Mailbox) -> None:
    text = Reply(200, {"size": 1, "data": "eA"})
    google.replies(Reply(200, large_text("a", parts=300)), *[text] * 300)
    assert mailbox.message("a").body.truncated
    assert len(google.asked) == 5


def test_a_message_that_is_gone_or_unreadable_says_so(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(NOT_FOUND, Reply(200, UNREADABLE))
    with pytest.raises(NotFoundError):
        mailbox.message("a")
    with pytest.raises(PayloadError):
        mailbox.message("bad")


def test_an_unreadable_message_does_not_hide_the_rest_of_its_thread(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(Reply(200, {"messages": [gmail_message("a"), UNREADABLE, gmail_message("c")]}))
    first, second, third = mailbox.thread("t1")
    assert isinstance(first, FullMessage)
    assert isinstance(second, PermanentFailure)
    assert second.gmail_id == "bad"
    assert isinstance(third, FullMessage)


def test_a_thread_that_is_gone_is_empty(google: ScriptedServer, mailbox: Mailbox) -> None:
    google.replies(NOT_FOUND)
    assert mailbox.thread("t1") == ()
