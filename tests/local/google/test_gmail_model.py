"""A mailbox as Gmail keeps it: the model without sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.google.accounts import Accounts
from local.google.errors import ApiError
from local.google.gmail.compose import AttachedFile, MailFields
from local.google.gmail.model import Gmail
from local.google.gmail.seed import FileSlice, SeedMessage
from local.google.service import PublishError, repeatable

ADA, BEN = "ada@acme.example", "ben@acme.example"
KIM = "Kim Client <kim@client.example>"
TOPIC = "projects/demo/topics/gmail-push"
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class World:
    """Gmail with Ada (alias sales@) and Ben, a clock that stands until it is moved, and what was published."""

    def __init__(self) -> None:
        self.at = START
        self.notices: list[dict[str, Any]] = []
        self.pubsub_down = False
        self.accounts = Accounts()
        self.gmail = Gmail(lambda: self.at, self._publish, repeatable(7))
        self.gmail.open(self.accounts.create({"email": ADA, "name": "Ada", "aliases": ["sales@acme.example"]}))
        self.gmail.open(self.accounts.create({"email": BEN, "name": "Ben"}))

    def _publish(self, topic: str, content: bytes) -> None:
        if self.pubsub_down or topic != TOPIC:
            raise PublishError(topic)
        self.notices.append(json.loads(content))

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)

    def receive(self, subject: str = "Hello", **fields: Any) -> str:
        """One message from Kim to Ada; returns its id."""
        copies = self.gmail.deliver_fields(MailFields(KIM, [ADA], subject=subject, **fields))
        return copies[ADA].id

    def cursor(self) -> int:
        return int(self.gmail.profile(ADA)["historyId"])

    def changes(self, since: int, **asked: Any) -> list[dict[str, Any]]:
        return list(self.gmail.history(ADA, start=since, **asked).get("history", []))

    def listed(self, **asked: Any) -> list[str]:
        return [message["id"] for message in self.gmail.list_messages(ADA, **asked).get("messages", [])]


@pytest.fixture
def world() -> World:
    return World()


def thread_of(world: World, message_id: str) -> str:
    return str(world.gmail.message(ADA, message_id, form="minimal")["threadId"])


# --------------------------------------------------------------------------------------------------------- identities


def test_ids_are_sixteen_hex_digits_and_history_ids_grow_with_gaps(world: World) -> None:
    ids = [world.receive() for _ in range(50)]
    assert all(len(message_id) == 16 and int(message_id, 16) for message_id in ids)
    marks = [int(world.gmail.message(ADA, message_id, form="minimal")["historyId"]) for message_id in ids]
    steps = {after - before for before, after in pairwise(marks)}
    assert min(steps) > 0
    assert max(steps) > 1


def test_a_message_tells_when_gmail_took_it_not_what_its_date_header_claims(world: World) -> None:
    raw = b"From: kim@client.example\r\nDate: Fri, 1 Jan 1904 00:00:00 +0000\r\nSubject: Old\r\n\r\nHi"
    message = world.gmail.deliver(ADA, raw)
    told = world.gmail.message(ADA, message.id, form="minimal")
    assert told["internalDate"] == str(int(START.timestamp() * 1000))
    assert told["labelIds"] == ["INBOX", "UNREAD"]
    assert told["sizeEstimate"] == len(raw)


# ------------------------------------------------------------------------------------------------------ conversations


def test_a_reply_with_the_same_subject_joins_its_parents_thread(world: World) -> None:
    first = world.receive("Offer", message_id="<1@client.example>")
    reply = world.receive("Re: AW: offer", in_reply_to="<1@client.example>", references=["<1@client.example>"])
    assert thread_of(world, reply) == thread_of(world, first) == first
    thread = world.gmail.thread(ADA, first, form="minimal", headers=())
    assert [message["id"] for message in thread["messages"]] == [first, reply]


def test_a_reply_under_another_subject_starts_a_thread(world: World) -> None:
    first = world.receive("Offer", message_id="<1@client.example>")
    reply = world.receive("Lunch", in_reply_to="<1@client.example>")
    assert thread_of(world, reply) == reply != thread_of(world, first)


def test_a_parent_that_arrives_late_joins_its_reply(world: World) -> None:
    reply = world.receive("Re: Offer", references=["<0@client.example>", "<1@client.example>"])
    parent = world.receive("Offer", message_id="<1@client.example>")
    assert thread_of(world, parent) == thread_of(world, reply)


def test_the_hundred_and_first_message_starts_a_new_thread(world: World) -> None:
    ids = [world.receive("Offer", references=["<1@client.example>"]) for _ in range(102)]
    threads = [thread_of(world, message_id) for message_id in ids]
    assert len(set(threads[:100])) == 1
    assert threads[100] == threads[101] != threads[99]


def test_threads_of_two_mailboxes_are_strangers(world: World) -> None:
    copies = world.gmail.deliver_fields(MailFields(KIM, [ADA, BEN], subject="Both"))
    assert copies[ADA].thread_id != copies[BEN].thread_id


# ------------------------------------------------------------------------------------------------------------ history


def test_history_tells_each_kind_of_change_in_order(world: World) -> None:
    since = world.cursor()
    message_id = world.receive()
    world.gmail.relabel(ADA, message_id, add=["STARRED"])
    world.gmail.relabel(ADA, message_id, remove=["UNREAD"])
    world.gmail.delete(ADA, message_id)

    added, starred, read, deleted = world.changes(since)
    assert added["messagesAdded"][0]["message"]["labelIds"] == ["INBOX", "UNREAD"]
    assert starred["labelsAdded"][0]["labelIds"] == ["STARRED"]
    assert read["labelsRemoved"][0]["labelIds"] == ["UNREAD"]
    assert deleted["messagesDeleted"][0]["message"]["id"] == message_id
    assert added["messages"] == [{"id": message_id, "threadId": message_id}]
    assert [int(r["id"]) for r in (added, starred, read, deleted)] == sorted(
        int(r["id"]) for r in (added, starred, read, deleted)
    )


def test_history_can_be_narrowed_to_kinds_and_to_a_label(world: World) -> None:
    since = world.cursor()
    message_id = world.receive()
    world.gmail.relabel(ADA, message_id, add=["TRASH"], remove=["INBOX"])
    assert len(world.changes(since)) == 3
    assert len(world.changes(since, changes=["labelAdded"])) == 1
    assert len(world.changes(since, label_id="TRASH")) == 2


def test_nothing_new_leaves_the_history_key_away(world: World) -> None:
    assert world.gmail.history(ADA, start=world.cursor()) == {"historyId": str(world.cursor())}


def test_history_comes_in_pages_and_every_page_tells_the_newest_id(world: World) -> None:
    since = world.cursor()
    ids = [world.receive() for _ in range(7)]
    seen: list[str] = []
    page: dict[str, Any] = {"nextPageToken": ""}
    while "nextPageToken" in page:
        page = world.gmail.history(ADA, start=since, limit=3, page_token=page["nextPageToken"])
        seen += [record["messagesAdded"][0]["message"]["id"] for record in page["history"]]
        assert page["historyId"] == str(world.cursor())
    assert seen == ids


@pytest.mark.parametrize("spoil", ["expired", "never given out"])
def test_a_start_that_history_does_not_know_is_a_404(world: World, spoil: str) -> None:
    since = world.cursor()
    world.receive()
    if spoil == "expired":
        world.gmail.mailbox(ADA).expire_history()
    else:
        since = world.cursor() + 1
    with pytest.raises(ApiError) as refusal:
        world.changes(since)
    assert (refusal.value.status, refusal.value.reason) == (404, "notFound")


def test_history_goes_on_after_it_expired(world: World) -> None:
    world.receive()
    world.gmail.mailbox(ADA).expire_history()
    since = world.cursor()
    world.receive()
    assert len(world.changes(since)) == 1


# -------------------------------------------------------------------------------------------------------------- lists


def test_lists_are_newest_first_and_leave_spam_and_trash_out(world: World) -> None:
    old, spam, new = (world.receive(str(n)) for n in range(3))
    world.gmail.relabel(ADA, spam, add=["SPAM"], remove=["INBOX"])
    assert world.listed() == sorted([old, new], reverse=True)
    assert spam in world.listed(include_spam_trash=True)
    assert world.listed(label_ids=["SPAM"]) == [spam]
    assert world.listed(q="in:spam") == [spam]


def test_an_empty_list_has_no_messages_key(world: World) -> None:
    assert world.gmail.list_messages(ADA) == {"resultSizeEstimate": 0}


def test_mail_that_arrives_between_two_pages_shifts_nothing(world: World) -> None:
    ids = []
    for _ in range(5):
        world.later(seconds=1)
        ids.append(world.receive())
    first = world.gmail.list_messages(ADA, limit=2)
    world.later(seconds=1)
    world.receive()
    second = world.gmail.list_messages(ADA, limit=3, page_token=first["nextPageToken"])
    assert [m["id"] for m in [*first["messages"], *second["messages"]]] == ids[::-1]
    assert "nextPageToken" not in second


@pytest.mark.parametrize("token", ["nonsense", "{}", "W10"])
def test_a_page_token_that_was_not_given_out_is_refused(world: World, token: str) -> None:
    with pytest.raises(ApiError, match="Invalid pageToken"):
        world.listed(page_token=token)


def test_a_page_token_belongs_to_its_query(world: World) -> None:
    for _ in range(3):
        world.receive()
    token = world.gmail.list_messages(ADA, limit=1)["nextPageToken"]
    with pytest.raises(ApiError, match="Invalid pageToken"):
        world.listed(q="in:inbox", page_token=token)


# ------------------------------------------------------------------------------------------------------ notifications


def watched(world: World, **asked: Any) -> None:
    world.gmail.start_watch(ADA, topic=TOPIC, **asked)
    world.later(seconds=10)


def test_a_watch_notifies_at_once_and_lives_seven_days(world: World) -> None:
    answer = world.gmail.start_watch(ADA, topic=TOPIC)
    assert len(world.notices) == 1
    assert answer == {
        "historyId": str(world.cursor()),
        "expiration": str(int((START + timedelta(days=7)).timestamp() * 1000)),
    }


def test_history_ids_in_notifications_are_text_and_number_by_turns(world: World) -> None:
    watched(world)
    world.receive()
    assert [type(notice["historyId"]) for notice in world.notices] == [str, int]
    assert {notice["emailAddress"] for notice in world.notices} == {ADA}


def test_a_second_notification_within_a_second_is_dropped_for_good(world: World) -> None:
    watched(world)
    for _ in range(5):
        world.receive()
    assert len(world.notices) == 2
    world.later(seconds=1)
    world.gmail.pushes.tick()
    assert len(world.notices) == 2
    world.receive()
    assert len(world.notices) == 3
    assert world.gmail.pushes.counts["dropped_by_rate"] == 4


@pytest.mark.parametrize("end", ["seven days pass", "it lapses", "it is stopped"])
def test_an_ended_watch_is_silent(world: World, end: str) -> None:
    watched(world)
    if end == "seven days pass":
        world.later(days=7)
    elif end == "it lapses":
        world.gmail.lapse_watch(ADA)
    else:
        world.gmail.stop_watch(ADA)
    world.receive()
    assert len(world.notices) == 1


def test_a_watch_on_labels_hears_of_those_only(world: World) -> None:
    watched(world, label_ids=["SENT"])
    world.receive()
    assert len(world.notices) == 1
    world.gmail.send(ADA, MailFields(ADA, ["kim@client.example"]))
    assert len(world.notices) == 2


def test_a_watch_that_excludes_labels_hears_of_the_rest(world: World) -> None:
    watched(world, label_ids=["SENT"], exclude=True)
    world.gmail.send(ADA, MailFields(ADA, ["kim@client.example"]))
    assert len(world.notices) == 1
    world.receive()
    assert len(world.notices) == 2


def test_a_topic_that_takes_nothing_refuses_the_watch(world: World) -> None:
    world.pubsub_down = True
    with pytest.raises(ApiError, match="Error sending test message to Cloud PubSub"):
        world.gmail.start_watch(ADA, topic=TOPIC)
    assert world.gmail.pushes.live(ADA) is None


def test_a_malformed_topic_is_refused(world: World) -> None:
    with pytest.raises(ApiError, match="Invalid topicName"):
        world.gmail.start_watch(ADA, topic="gmail-push")


def test_pubsub_going_down_later_loses_the_notification_and_nothing_else(world: World) -> None:
    watched(world)
    world.pubsub_down = True
    message_id = world.receive()
    assert world.listed() == [message_id]
    assert world.gmail.pushes.counts["failed"] == 1


@pytest.mark.parametrize(
    ("how", "after_each"),
    [("drop", [0, 1, 2]), ("duplicate", [2, 3, 4]), ("reorder", [0, 2, 3]), ("delay", [0, 1, 2])],
)
def test_the_next_notification_can_be_disturbed(world: World, how: Any, after_each: list[int]) -> None:
    watched(world)
    world.gmail.pushes.disturb(how, 1, 600.0)
    counts = []
    for _ in range(3):
        world.receive()
        counts.append(len(world.notices) - 1)
        world.later(seconds=2)
    assert counts == after_each


def test_a_reordered_notification_comes_after_its_successor(world: World) -> None:
    watched(world)
    world.gmail.pushes.disturb("reorder", 1, 0)
    for _ in range(2):
        world.receive()
        world.later(seconds=2)
    newer, older = (int(notice["historyId"]) for notice in world.notices[1:])
    assert newer > older


def test_a_delayed_notification_comes_when_its_time_is_up(world: World) -> None:
    watched(world)
    world.gmail.pushes.disturb("delay", 1, 30.0)
    world.receive()
    world.later(seconds=29)
    world.gmail.pushes.tick()
    assert len(world.notices) == 1
    world.later(seconds=1)
    world.gmail.pushes.tick()
    assert len(world.notices) == 2


# ---------------------------------------------------------------------------------------------------- people at work


def test_mail_reaches_every_mailbox_among_its_recipients_and_hides_bcc(world: World) -> None:
    copies = world.gmail.deliver_fields(MailFields(KIM, ["Sales <sales@acme.example>"], bcc=[BEN], subject="Hi"))
    assert set(copies) == {ADA, BEN}
    headers = world.gmail.message(BEN, copies[BEN].id, form="metadata")["payload"]["headers"]
    assert {"name": "Delivered-To", "value": BEN} in headers
    assert "Bcc" not in [header["name"] for header in headers]


def test_sent_mail_lies_in_sent_with_its_bcc_and_arrives_elsewhere_without(world: World) -> None:
    copies = world.gmail.send(ADA, MailFields(ADA, ["kim@client.example"], bcc=[BEN], subject="Offer"))
    assert copies[ADA].labels == {"SENT"}
    assert copies[ADA].bcc == (BEN,)
    assert copies[BEN].bcc == ()
    assert copies[ADA].rfc822_id == copies[BEN].rfc822_id


def test_saving_a_draft_again_replaces_its_message(world: World) -> None:
    since = world.cursor()
    first = world.gmail.draft(ADA, MailFields(ADA, ["kim@client.example"], subject="Draft"))
    second = world.gmail.draft(ADA, MailFields(ADA, ["kim@client.example"], subject="Draft"), replaces=first.id)
    assert world.listed() == [second.id]
    assert [sorted(record.keys() - {"id", "messages"}) for record in world.changes(since)] == [
        ["messagesAdded"],
        ["messagesDeleted"],
        ["messagesAdded"],
    ]


def test_own_labels_are_created_by_name_and_told_by_id(world: World) -> None:
    message_id = world.receive()
    world.gmail.relabel(ADA, message_id, add=["Deals"])
    (own,) = [label for label in world.gmail.labels(ADA)["labels"] if label["type"] == "user"]
    assert own["name"] == "Deals"
    assert own["id"] in world.gmail.message(ADA, message_id, form="minimal")["labelIds"]


def test_send_as_tells_the_primary_address_first(world: World) -> None:
    primary, alias = world.gmail.send_as(ADA)["sendAs"]
    assert (primary["sendAsEmail"], primary["isPrimary"]) == (ADA, True)
    assert (alias["sendAsEmail"], alias["verificationStatus"]) == ("sales@acme.example", "accepted")


# -------------------------------------------------------------------------------------------------------------- seeds


def seeds(folder: Path, count: int) -> list[SeedMessage]:
    """Messages that lie one behind the other in a file."""
    path, found = folder / "mail.mbox", []
    with path.open("wb") as file:
        for n in range(count):
            raw = f"From: kim@client.example\r\nTo: {ADA}\r\nSubject: Mail {n}\r\n\r\nText {n}".encode()
            found.append(
                SeedMessage(FileSlice(path, file.tell(), len(raw)), ("INBOX", "Deals"), START, f"thread-{n % 2}")
            )
            file.write(raw)
    return found


def test_seeded_mail_is_read_from_its_file_and_threaded_by_its_hints(world: World, tmp_path: Path) -> None:
    watched(world)
    since = world.cursor()
    assert world.gmail.seed(ADA, seeds(tmp_path, 4)) == 4
    assert len(world.notices) == 1
    assert len(world.changes(since)) == 4
    told = [world.gmail.message(ADA, message_id) for message_id in world.listed()]
    assert {message["snippet"] for message in told} == {"Text 0", "Text 1", "Text 2", "Text 3"}
    assert len({message["threadId"] for message in told}) == 2


def test_a_saved_mailbox_comes_back_whole(world: World, tmp_path: Path) -> None:
    watched(world)
    world.gmail.seed(ADA, seeds(tmp_path, 3))
    first = world.receive("Offer", message_id="<1@client.example>", attachments=[AttachedFile("a.bin", b"\x00\xff")])
    since = world.cursor()
    world.gmail.relabel(ADA, first, add=["STARRED"])
    saved = json.loads(json.dumps(world.gmail.dump(tmp_path / "elsewhere")))

    again = World()
    again.at = world.at
    again.gmail.load(saved, world.accounts)
    assert again.listed() == world.listed()
    assert again.gmail.message(ADA, first, form="raw") == world.gmail.message(ADA, first, form="raw")
    assert again.changes(since) == world.changes(since)
    assert again.gmail.labels(ADA) == world.gmail.labels(ADA)
    reply = again.receive("Re: Offer", references=["<1@client.example>"])
    assert thread_of(again, reply) == thread_of(world, first)
    assert len(again.notices) == 1


def test_what_is_deleted_is_gone_everywhere(world: World) -> None:
    message_id = world.receive()
    world.gmail.delete(ADA, message_id)
    calls: list[Callable[[], object]] = [
        lambda: world.gmail.message(ADA, message_id),
        lambda: world.gmail.thread(ADA, message_id, form="minimal", headers=()),
        lambda: world.gmail.delete(ADA, message_id),
    ]
    for call in calls:
        with pytest.raises(ApiError) as refusal:
            call()
        assert refusal.value.status == 404
    assert world.listed() == []
