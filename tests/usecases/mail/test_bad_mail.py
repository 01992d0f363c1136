"""Mail no client should send, and every mailbox holds: logged, left out by name, or parked; nothing stops the rest."""

from __future__ import annotations

import pytest

from shared.domain.ledger import Rule, State
from shared.domain.settings import NeverLog
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world


def outcome(world: MailWorld, raw: bytes) -> tuple[State, Rule | None]:
    """What becomes of these bytes; a good mail behind them must still be logged."""
    gmail_id = world.gmail.deliver(ANNA, raw).id
    world.arrives(subject="the next one")
    world.sync()
    assert "the next one" in world.subjects()
    assert world.receipt().balanced
    row = world.seen().get(gmail_id)
    assert row is not None
    return row.value.state, row.value.rule


def test_a_message_without_any_header_is_nobodys() -> None:
    assert outcome(mail_world(), b"\r\njust words\r\n") == (State.LEFT_OUT, Rule.NO_MATCH)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1_000,
        bytes(range(256)) * 40,
        b"From\r\nTo\r\n:\r\n\r\n",
        b"From: <<<>>>@@@\r\nTo: ,,,;;;\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x",
    ],
    ids=["empty", "zeros", "every byte", "half headers", "brackets", "endless multipart"],
)
def test_garbage_is_left_out_and_stops_nobody(raw: bytes) -> None:
    state, _ = outcome(mail_world(), raw)
    assert state in (State.LEFT_OUT, State.QUARANTINED)


@pytest.mark.parametrize(
    "headers",
    [
        b"Date: never\r\nMessage-ID: <>\r\nReferences: <<<a>> b@ <c@d>\r\n",
        b"Subject: =?nonsense?Q?=FF?=\r\n",
        b"Subject: \xe9\xff 8-bit\r\n",
        b"Content-Type: text/plain; charset=klingon\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Message-ID: <%s@x>\r\n" % (b"a" * 5_000),
        b"Subject: %s\r\n" % (b"long " * 20_000),
    ],
    ids=["broken ids", "unknown charset", "8-bit", "klingon", "truncated base64", "long id", "long subject"],
)
def test_mail_from_a_contact_is_logged_however_broken(headers: bytes) -> None:
    world = mail_world()
    raw = b"From: %s\r\nTo: %s\r\n%s\r\nabc=\xff===\r\n" % (CARL.encode(), ANNA.encode(), headers)
    assert outcome(world, raw) == (State.LOGGED, None)


def crowd(*special: str, count: int = 10_000) -> bytes:
    people = [f"p{number}@crowd.example" for number in range(count)]
    for position, address in enumerate(special):
        people.insert(1 + position, address)
    to = ",\r\n ".join(people)
    return (
        f"From: {CARL}\r\nTo: {ANNA},\r\n {to}\r\nSubject: all of you\r\nMessage-ID: <crowd@x>\r\n\r\nhi\r\n".encode()
    )


def test_ten_thousand_recipients_are_one_message_and_say_that_not_all_are_listed() -> None:
    world = mail_world(contacts=(CARL, DORA))
    assert outcome(world, crowd(DORA)) == (State.LOGGED, None)
    assert "all of you" in world.subjects("c-dora")
    message = world.message("crowd@x")
    assert message is not None
    assert message.participants_truncated
    assert len(message.to) <= 200
    assert len(message.participant_keys) <= 201


def test_nobody_hides_from_a_never_log_list_behind_two_hundred_others() -> None:
    world = mail_world()
    world.organization(never_log=NeverLog(addresses=frozenset({"p9000@crowd.example"})))
    assert outcome(world, crowd()) == (State.LEFT_OUT, Rule.ORGANIZATION_NEVER_LOG)


def test_three_hundred_colleagues_and_one_outsider_are_not_internal() -> None:
    world = mail_world()
    colleagues = ",\r\n ".join(f"c{number}@acme.example" for number in range(300))
    lines = f"From: {BEN}\r\nTo: {ANNA},\r\n {colleagues}, x@outside.example\r\nMessage-ID: <i@x>\r\n\r\nhi\r\n"
    assert outcome(world, lines.encode()) == (State.LEFT_OUT, Rule.NO_MATCH)
    inside = lines.replace(", x@outside.example", "").replace("<i@x>", "<j@x>")
    assert outcome(world, inside.encode()) == (State.LEFT_OUT, Rule.INTERNAL)


def test_a_long_body_lies_beside_the_row() -> None:
    world = mail_world()
    world.arrives(subject="long", text="word " * 200_000)
    world.sync()
    [message] = world.messages()
    assert message.text is None
    assert message.text_blob in world.bucket.contents()


def test_two_messages_in_a_thread_of_which_one_is_broken() -> None:
    world = mail_world()
    first = world.arrives(subject="T", message_id="1@x")
    others = [
        world.arrives(subject="Re: T", message_id=f"{number}@x", in_reply_to=first, references=[first])
        for number in (2, 3)
    ]
    world.box(ANNA).headless.add(world.gmail_id(others[0]))
    world.sync()
    assert world.timeline()[0].count == 2
    assert len(world.parked()) == 1


def test_a_message_of_a_thread_that_our_code_stumbles_over_is_parked_alone() -> None:
    world = mail_world()
    first = world.arrives(subject="T", message_id="1@x")
    others = [
        world.arrives(subject="Re: T", message_id=f"{number}@x", in_reply_to=first, references=[first])
        for number in (2, 3)
    ]
    world.box(ANNA).stumbling.add(world.gmail_id(others[0]))
    world.sync_alone()
    world.drain(redeliver=True)
    assert world.timeline()[0].count == 2
    assert [parked.reason for parked in world.parked()] == ["our code failed on it: IndexError"]
