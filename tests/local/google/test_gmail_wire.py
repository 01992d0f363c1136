"""Gmail over HTTP, mostly seen through Google's own client library."""

from __future__ import annotations

import base64
import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from tests.local.google.conftest import Google

ADA = "ada@acme.example"
TOPIC = "projects/demo/topics/gmail-push"
METADATA = "https://www.googleapis.com/auth/gmail.metadata"


def deliver(google: Google, subject: str = "Offer", **fields: Any) -> str:
    """One message from Kim to Ada; returns its id."""
    body = {"from": "Kim <kim@client.example>", "to": ADA, "subject": subject, "text": "Yes.", **fields}
    return str(google.control("gmail/deliver", body)["messages"][ADA]["id"])


def mail(google: Google, *scopes: str) -> Any:
    return google.build("gmail", "v1", ADA, *([scopes] if scopes else [])).users()


def refusal_of(call: Any) -> tuple[int, str, str]:
    """Execute a call that must fail; returns status, reason and message."""
    with pytest.raises(HttpError) as caught:
        call.execute(num_retries=0)
    error = json.loads(caught.value.content)["error"]
    assert error["code"] == caught.value.status_code
    return error["code"], error["errors"][0]["reason"], error["message"]


def raw_get(google: Google, path: str, token: str = "") -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(google.root).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token or google.token(ADA)}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


# ------------------------------------------------------------------------------------------------------------ reading


def test_a_delivered_message_is_pushed_listed_in_history_and_read(google: Google) -> None:
    gmail = mail(google)
    watch = gmail.watch(userId="me", body={"topicName": TOPIC}).execute()
    google.control("clock", {"advance_s": 5})
    deliver(google)

    assert [topic for topic, _ in google.published] == [TOPIC, TOPIC]
    history = gmail.history().list(userId="me", startHistoryId=watch["historyId"]).execute()
    assert str(google.published[-1][1]["historyId"]) == history["historyId"]
    (added,) = history["history"][0]["messagesAdded"]
    message = gmail.messages().get(userId="me", id=added["message"]["id"]).execute()
    assert message["snippet"] == "Yes."
    assert {"name": "Subject", "value": "Offer"} in message["payload"]["headers"]


def test_a_burst_is_pushed_once_a_second(google: Google) -> None:
    mail(google).watch(userId="me", body={"topicName": TOPIC}).execute()
    google.control("clock", {"advance_s": 5})
    for n in range(5):
        deliver(google, str(n))
    assert len(google.published) == 2
    assert google.control("gmail/pushes")["counts"] == {"published": 2, "dropped_by_rate": 4}


def test_each_format_tells_what_google_tells(google: Google) -> None:
    message_id, messages = deliver(google, text="Hello"), mail(google).messages()
    minimal, metadata, full, raw = (
        messages.get(userId="me", id=message_id, format=form).execute()
        for form in ("minimal", "metadata", "full", "raw")
    )
    always = {"id", "threadId", "labelIds", "snippet", "sizeEstimate", "historyId", "internalDate"}
    assert minimal.keys() == always
    assert metadata["payload"].keys() == {"mimeType", "headers"}
    assert base64.urlsafe_b64decode(full["payload"]["body"]["data"]) == b"Hello\r\n"
    assert b"Subject: Offer" in base64.urlsafe_b64decode(raw["raw"])
    assert full.keys() == metadata.keys() == always | {"payload"}


def test_metadata_can_be_narrowed_to_headers_in_any_letter_case(google: Google) -> None:
    get = (
        mail(google)
        .messages()
        .get(userId="me", id=deliver(google), format="metadata", metadataHeaders=["SUBJECT", "from"])
    )
    assert [header["name"] for header in get.execute()["payload"]["headers"]] == ["From", "Subject"]


def test_an_attachment_is_fetched_by_its_id(google: Google) -> None:
    content = bytes(range(256)) * 10
    file = {
        "filename": "offer.pdf",
        "mime_type": "application/pdf",
        "content_base64": base64.b64encode(content).decode(),
    }
    message_id, messages = deliver(google, attachments=[file]), mail(google).messages()
    part = messages.get(userId="me", id=message_id).execute()["payload"]["parts"][1]
    assert (part["filename"], part["body"]["size"]) == ("offer.pdf", 2560)
    attachment_id = part["body"]["attachmentId"]
    fetched = messages.attachments().get(userId="me", messageId=message_id, id=attachment_id).execute()
    assert base64.urlsafe_b64decode(fetched["data"] + "==") == content


def test_a_thirty_megabyte_message_is_delivered_read_and_kept_on_disk(google: Google) -> None:
    message_id = deliver(google, attachments=[{"filename": "large.bin", "size": 22_000_000}])
    assert (google.simulator.settings.folder / "mail" / "spool").stat().st_size > 29_000_000
    messages = mail(google).messages()
    part = messages.get(userId="me", id=message_id).execute()["payload"]["parts"][1]
    assert part["body"]["size"] == 22_000_000
    assert len(messages.get(userId="me", id=message_id, format="raw").execute()["raw"]) > 39_000_000


def test_a_thread_is_read_whole(google: Google) -> None:
    first = deliver(google, message_id="<1@client.example>")
    reply = deliver(google, "Re: Offer", in_reply_to="<1@client.example>")
    thread = mail(google).threads().get(userId="me", id=first, format="metadata").execute()
    assert [message["id"] for message in thread["messages"]] == [first, reply]


def test_lists_searches_labels_and_addresses_work_through_googles_client(google: Google) -> None:
    gmail = mail(google)
    ids = [deliver(google, str(n)) for n in range(3)]
    first = gmail.messages().list(userId="me", maxResults=2, q="in:inbox from:client.example").execute()
    second_call = gmail.messages().list_next(gmail.messages().list(userId="me", maxResults=2), first)
    assert len(first["messages"]) == 2
    assert second_call is not None
    assert {
        m["id"] for m in gmail.messages().list(userId=ADA, labelIds=["INBOX", "UNREAD"]).execute()["messages"]
    } == set(ids)
    assert gmail.settings().sendAs().list(userId="me").execute()["sendAs"][0]["sendAsEmail"] == ADA
    assert "INBOX" in {label["id"] for label in gmail.labels().list(userId="me").execute()["labels"]}
    assert gmail.getProfile(userId="me").execute()["messagesTotal"] == 3


def test_stopping_the_watch_answers_without_a_body(google: Google) -> None:
    gmail = mail(google)
    gmail.watch(userId="me", body={"topicName": TOPIC, "labelIds": ["INBOX"]}).execute()
    assert gmail.stop(userId="me").execute() in ("", {})
    google.control("clock", {"advance_s": 5})
    deliver(google)
    assert len(google.published) == 1


# ----------------------------------------------------------------------------------------------------------- refusals


def test_an_expired_history_id_is_a_404(google: Google) -> None:
    gmail = mail(google)
    since = gmail.getProfile(userId="me").execute()["historyId"]
    google.control("gmail/expire-history", {"email": ADA})
    refusal = refusal_of(gmail.history().list(userId="me", startHistoryId=since))
    assert refusal == (404, "notFound", "Requested entity was not found.")


def test_a_message_that_is_gone_is_a_404(google: Google) -> None:
    message_id = deliver(google)
    google.control("gmail/delete", {"email": ADA, "id": message_id})
    assert refusal_of(mail(google).messages().get(userId="me", id=message_id))[:2] == (404, "notFound")


def test_a_wrong_or_old_token_is_a_401(google: Google) -> None:
    token = google.token(ADA)
    assert raw_get(google, "/gmail/v1/users/me/profile", token)[0] == 200
    google.control("clock", {"advance_s": 3600})
    for bad in (token, "made-up"):
        status, body = raw_get(google, "/gmail/v1/users/me/profile", bad)
        assert (status, body["error"]["errors"][0]["reason"]) == (401, "authError")


def test_a_scope_that_was_not_granted_is_a_403(google: Google) -> None:
    gmail = mail(google, "https://www.googleapis.com/auth/calendar.readonly")
    assert refusal_of(gmail.getProfile(userId="me"))[:2] == (403, "insufficientPermissions")


def test_the_metadata_scope_opens_headers_and_neither_searches_nor_bodies(google: Google) -> None:
    message_id, gmail = deliver(google), mail(google, METADATA)
    assert gmail.messages().get(userId="me", id=message_id, format="metadata").execute()["payload"]
    assert gmail.messages().list(userId="me").execute()["messages"]
    assert refusal_of(gmail.messages().get(userId="me", id=message_id, format="full"))[0] == 403
    assert refusal_of(gmail.messages().list(userId="me", q="in:sent"))[0] == 403


def test_another_persons_mailbox_is_closed(google: Google) -> None:
    assert refusal_of(mail(google).getProfile(userId="ben@acme.example"))[0] == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gmail/v1/users/me/messages?colour=red", 400),
        ("/gmail/v1/users/me/messages?maxResults=501", 400),
        ("/gmail/v1/users/me/messages?maxResults=many", 400),
        ("/gmail/v1/users/me/messages?q=a&q=b", 400),
        ("/gmail/v1/users/me/messages?labelIds=Label_9", 400),
        ("/gmail/v1/users/me/messages/18c?format=everything", 400),
        ("/gmail/v1/users/me/history", 400),
        ("/gmail/v1/users/me/history?startHistoryId=soon", 400),
        ("/gmail/v1/users/me/messages?q=subject:offer", 501),
        ("/gmail/v1/users/me/messages?fields=messages(id)", 501),
        ("/gmail/v1/users/me/drafts", 501),
        ("/gmail/v1/users/me/nothing", 404),
    ],
)
def test_what_google_or_the_simulator_does_not_know_is_refused(google: Google, path: str, status: int) -> None:
    answered, body = raw_get(google, path)
    assert (answered, body["error"]["code"]) == (status, status)
    assert body["error"]["message"]


def test_an_unknown_field_in_a_body_is_refused(google: Google) -> None:
    refusal = refusal_of(mail(google).watch(userId="me", body={"topicName": TOPIC, "labels": ["INBOX"]}))
    assert refusal[0] == 400
    assert 'Unknown name "labels"' in refusal[2]


def test_a_missing_topic_refuses_the_watch(google: Google) -> None:
    assert refusal_of(mail(google).watch(userId="me", body={}))[0] == 400


# ------------------------------------------------------------------------------------------------------------- quotas


def test_a_used_up_minute_is_refused_with_the_time_to_come_back(google: Google) -> None:
    message_id, gmail = deliver(google), mail(google)
    get = gmail.messages().get(userId="me", id=message_id, format="minimal")
    for _ in range(300):
        get.execute()
    forbidden, limited = refusal_of(get), refusal_of(get)

    assert forbidden[:2] == (403, "userRateLimitExceeded")
    assert limited[:2] == (429, "rateLimitExceeded")
    told = re.fullmatch(r"User-rate limit exceeded\.  Retry after (\S+Z)", forbidden[2])
    assert told
    wait = datetime.fromisoformat(told[1]) - google.simulator.clock()
    assert timedelta(seconds=30) < wait < timedelta(seconds=60)

    google.control("clock", {"advance_s": wait.total_seconds() + 0.01})
    assert get.execute()["id"] == message_id


def test_use_is_counted_by_person_and_method(google: Google) -> None:
    gmail = mail(google)
    gmail.getProfile(userId="me").execute()
    gmail.messages().list(userId="me").execute()
    gmail.messages().list(userId="me").execute()
    use = google.read("control/quota")["gmail"][ADA]
    assert use["calls"] == {"gmail.users.getProfile": 1, "gmail.users.messages.list": 2}
    assert use["units"] == {"gmail.users.getProfile": 1, "gmail.users.messages.list": 10}
    assert use["units_total"] == use["units_last_minute"] == 11
    assert use["refused"] == {}


def test_an_eleventh_call_in_flight_is_refused(google: Google) -> None:
    token = google.token(ADA)
    google.control("faults", {"method": "gmail.users.getProfile", "times": 10, "delay_s": 1.0})
    with ThreadPoolExecutor(14) as people:
        answers = list(people.map(lambda _: raw_get(google, "/gmail/v1/users/me/profile", token), range(14)))
    assert sorted(status for status, _ in answers) == [200] * 10 + [429] * 4
    messages = {body["error"]["message"] for status, body in answers if status == 429}
    assert messages == {"Too many concurrent requests for user"}


# ------------------------------------------------------------------------------------------------------------ batches


def batch_of(gmail_service: Any, count: int, message_id: str) -> list[tuple[Any, HttpError | None]]:
    """Read a message `count` times in one batch; returns (answer, error) of each part."""
    parts: list[tuple[Any, HttpError | None]] = []
    batch: BatchHttpRequest = gmail_service.new_batch_http_request(
        callback=lambda _id, answer, error: parts.append((answer, error))
    )
    for _ in range(count):
        batch.add(gmail_service.users().messages().get(userId="me", id=message_id, format="metadata"))
    batch.execute()
    return parts


def test_ten_calls_in_a_batch_are_answered_and_each_is_paid_for(google: Google) -> None:
    message_id = deliver(google)
    parts = batch_of(google.build("gmail", "v1", ADA), 10, message_id)
    assert [answer["id"] for answer, _ in parts] == [message_id] * 10
    assert google.read("control/quota")["gmail"][ADA]["units_total"] == 200


def test_parts_beyond_ten_are_too_many_at_once(google: Google) -> None:
    parts = batch_of(google.build("gmail", "v1", ADA), 25, deliver(google))
    refused = [error for _, error in parts if error]
    assert len(parts) - len(refused) == 10
    assert {error.status_code for error in refused} == {429}
    assert b"Too many concurrent requests for user" in refused[0].content


def test_a_part_may_fail_alone(google: Google) -> None:
    message_id = deliver(google)
    google.control("faults", {"method": "gmail.users.messages.get", "status": 503})
    parts = batch_of(google.build("gmail", "v1", ADA), 3, message_id)
    assert [error.status_code if error else 200 for _, error in parts] == [503, 200, 200]


def test_a_batch_of_more_than_a_hundred_is_refused(google: Google) -> None:
    with pytest.raises(HttpError) as caught:
        batch_of(google.build("gmail", "v1", ADA), 101, deliver(google))
    assert caught.value.status_code == 400


# ------------------------------------------------------------------------------------------------------------- faults


def test_the_next_calls_of_a_method_can_be_refused(google: Google) -> None:
    gmail = mail(google)
    google.control("faults", {"method": "gmail.users.getProfile", "times": 2, "status": 503})
    assert refusal_of(gmail.getProfile(userId="me"))[:2] == (503, "backendError")
    assert gmail.labels().list(userId="me").execute()
    assert refusal_of(gmail.getProfile(userId="me"))[0] == 503
    assert gmail.getProfile(userId="me").execute()


def test_a_fault_may_concern_one_person_only(google: Google) -> None:
    google.control("faults", {"method": "*", "user": "ben@acme.example", "status": 500})
    assert mail(google).getProfile(userId="me").execute()
    assert refusal_of(google.build("gmail", "v1", "ben@acme.example").users().getProfile(userId="me"))[0] == 500


def test_a_lost_reply_leaves_the_work_done(google: Google) -> None:
    google.control("faults", {"method": "gmail.users.messages.list", "reply_lost": True})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        raw_get(google, "/gmail/v1/users/me/messages")
    assert google.read("control/quota")["gmail"][ADA]["calls"] == {"gmail.users.messages.list": 1}


@pytest.mark.parametrize("wrong", [{"method": "*"}, {"method": "*", "sttaus": 500}, {}])
def test_a_fault_that_makes_no_sense_is_refused(google: Google, wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="a fault"):
        google.control("faults", wrong)


def test_a_fault_on_all_api_calls_leaves_the_token_endpoint_alone(google: Google) -> None:
    google.control("faults", {"method": "*", "status": 500})
    assert google.simulator.faults.take("oauth.token.refresh", None) is None
    assert refusal_of(mail(google).getProfile(userId="me"))[0] == 500


def test_cleared_faults_hurt_nobody(google: Google) -> None:
    google.control("faults", {"method": "*", "status": 500, "times": 100})
    google.control("faults/clear")
    assert mail(google).getProfile(userId="me").execute()


# ---------------------------------------------------------------------------------------------------- people at work


def held(google: Google) -> dict[str, list[str]]:
    """Labels of every message in Ada's mailbox by id."""
    messages = google.control("gmail/mailbox", {"email": ADA})["messages"]
    return {message["id"]: message["labels"] for message in messages}


@pytest.mark.parametrize(
    ("actions", "labels"),
    [
        (["trash"], ["TRASH", "UNREAD"]),
        (["trash", "untrash"], ["UNREAD"]),
        (["spam"], ["SPAM", "UNREAD"]),
        (["spam", "unspam"], ["INBOX", "UNREAD"]),
    ],
)
def test_a_person_moves_a_message(google: Google, actions: list[str], labels: list[str]) -> None:
    message_id = deliver(google)
    for action in actions:
        google.control(f"gmail/{action}", {"email": ADA, "id": message_id})
    assert held(google) == {message_id: labels}


def test_a_person_labels_a_message_by_the_labels_name(google: Google) -> None:
    message_id = deliver(google)
    google.control("gmail/labels", {"email": ADA, "id": message_id, "add": ["Deals"], "remove": ["UNREAD"]})
    assert held(google) == {message_id: ["INBOX", "Label_1"]}


def test_a_person_writes_a_draft_changes_it_and_sends_it(google: Google) -> None:
    words = {"email": ADA, "to": "ben@acme.example", "subject": "Lunch"}
    draft = google.control("gmail/draft", words)["messages"][ADA]["id"]
    changed = google.control("gmail/draft", {**words, "text": "Today?", "replaces": draft})["messages"][ADA]["id"]
    assert held(google) == {changed: ["DRAFT"]}
    copies = google.control("gmail/draft-send", {**words, "text": "Today?", "id": changed})["messages"]
    assert held(google) == {copies[ADA]["id"]: ["SENT"]}
    assert copies["ben@acme.example"]["rfc822_id"] == copies[ADA]["rfc822_id"]


def test_mail_can_be_sent_that_reaches_nobody_here(google: Google) -> None:
    copies = google.control("gmail/send", {"email": ADA, "to": "ben@acme.example", "deliver": False})["messages"]
    assert list(copies) == [ADA]


def test_raw_bytes_are_delivered_untouched_at_the_time_given(google: Google) -> None:
    raw = b"From: kim@client.example\nSubject: =?broken\n\n\xff\x00"
    body = {
        "email": ADA,
        "raw_base64": base64.b64encode(raw).decode(),
        "at": "2026-01-02T03:04:05Z",
        "labels": ["INBOX"],
    }
    message_id = google.control("gmail/deliver", body)["messages"][ADA]["id"]
    message = mail(google).messages().get(userId="me", id=message_id, format="raw").execute()
    assert base64.urlsafe_b64decode(message["raw"]) == raw
    assert message["internalDate"] == "1767323045000"


def test_a_lapsed_watch_is_silent(google: Google) -> None:
    mail(google).watch(userId="me", body={"topicName": TOPIC}).execute()
    google.control("clock", {"advance_s": 5})
    google.control("gmail/lapse-watch", {"email": ADA})
    deliver(google)
    assert len(google.published) == 1


def test_a_delayed_notification_comes_when_the_clock_has_moved(google: Google) -> None:
    mail(google).watch(userId="me", body={"topicName": TOPIC}).execute()
    google.control("clock", {"advance_s": 5})
    google.control("gmail/pushes", {"next": "delay", "delay_s": 60})
    deliver(google)
    assert len(google.published) == 1
    google.control("clock", {"advance_s": 61})
    assert len(google.published) == 2
