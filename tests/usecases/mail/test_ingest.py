"""From a message in Gmail to an entry on a timeline."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.ledger import Rule, State
from shared.domain.mailbox import mailbox_id
from shared.domain.settings import NeverLog, Share
from shared.domain.visibility import visible
from shared.ports.documents import Version, Write
from shared.records.people import Contacts, Users
from shared.usecases.read_receipt import read_receipt
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world


def rule_of(world: MailWorld, message_id: str, address: str = ANNA) -> Rule | None:
    row = world.seen(address).get(world.gmail_id(message_id, address))
    assert row is not None
    return row.value.rule


def state_of(world: MailWorld, message_id: str, address: str = ANNA) -> State:
    row = world.seen(address).get(world.gmail_id(message_id, address))
    assert row is not None
    return row.value.state


def test_a_mail_from_a_contact_is_on_its_timeline() -> None:
    world = mail_world()
    world.arrives(subject="Hello", text="How are you?")
    world.sync()
    [entry] = world.timeline()
    [message] = entry.messages.values()
    assert (message.subject, message.snippet, message.direction) == ("Hello", "How are you?", "incoming")
    assert Contacts(world.store).get("c-carl").figures.mails == 1


def test_a_reply_from_gmail_joins_the_conversation() -> None:
    world = mail_world()
    first = world.arrives(subject="Offer?")
    world.sync()
    world.time.advance(60)
    world.sends(subject="Re: Offer?", in_reply_to=first, references=[first])
    world.sync()
    [entry] = world.timeline()
    assert world.subjects() == ["Offer?", "Re: Offer?"]
    assert entry.count == 2


def test_a_colleagues_copy_of_one_mail_is_one_row_with_two_readers() -> None:
    world = mail_world()
    world.arrives(to=[ANNA, BEN], subject="To both")
    world.sync(ANNA)
    bodies = world.box(BEN).calls["message"]
    world.sync(BEN)
    [entry] = world.timeline()
    [message] = entry.messages.values()
    assert sorted(message.readers) == ["u-anna:full", "u-ben:full"]
    assert Contacts(world.store).get("c-carl").figures.mails == 1
    assert world.box(BEN).calls["message"] == bodies, "the body is here already"


def test_mail_without_a_contact_is_left_out_and_its_body_is_never_fetched() -> None:
    world = mail_world()
    stranger = world.arrives(sender="eve@stranger.example", subject="Buy this")
    world.sync()
    assert rule_of(world, stranger) is Rule.NO_MATCH
    assert world.box(ANNA).calls["message"] == 0


def test_each_rule_leaves_out_by_its_name() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.organization(never_log=NeverLog(domains=frozenset({"secret.example"})))
    world.options(never_log=NeverLog(addresses=frozenset({DORA})))
    internal = world.arrives(sender=BEN, subject="Lunch?")
    never = world.arrives(cc=["x@secret.example"])
    personal = world.arrives(sender=DORA)
    bulk = world.arrives(headers=[("List-Unsubscribe", "<https://list.example/u>")])
    unknown = world.arrives(sender="eve@stranger.example", to=[ANNA, CARL])
    world.sync()
    assert rule_of(world, internal) is Rule.INTERNAL
    assert rule_of(world, never) is Rule.ORGANIZATION_NEVER_LOG
    assert rule_of(world, personal) is Rule.PERSONAL_NEVER_LOG
    assert rule_of(world, bulk) is Rule.BULK
    assert rule_of(world, unknown) is Rule.SENDER_UNKNOWN
    assert world.timeline() == []


def test_drafts_spam_and_trash_cost_nothing_and_come_back_when_they_leave() -> None:
    world = mail_world()
    spam = world.arrives(subject="Is it spam?", labels=("SPAM",))
    world.arrives(subject="Not yet sent", labels=("DRAFT",))
    world.sync()
    assert world.box(ANNA).calls["headers"] == 0
    assert rule_of(world, spam) is Rule.SYSTEM_LABEL

    world.gmail.relabel(ANNA, world.gmail_id(spam), add=["INBOX"], remove=["SPAM"])
    world.sync()
    assert world.subjects() == ["Is it spam?"]


def test_trash_takes_the_entry_away_and_restoring_brings_it_back() -> None:
    world = mail_world()
    mail = world.arrives(subject="Important")
    world.sync()
    world.gmail.relabel(ANNA, world.gmail_id(mail), add=["TRASH"], remove=["INBOX"])
    world.sync()
    assert world.timeline() == []
    assert Contacts(world.store).get("c-carl").figures.mails == 0

    world.gmail.relabel(ANNA, world.gmail_id(mail), add=["INBOX"], remove=["TRASH"])
    world.sync()
    assert world.subjects() == ["Important"]
    assert Contacts(world.store).get("c-carl").figures.mails == 1


def test_a_copy_that_is_deleted_takes_only_its_holder_away() -> None:
    world = mail_world()
    mail = world.arrives(to=[ANNA, BEN], subject="Both")
    world.sync(ANNA)
    world.sync(BEN)
    world.gmail.delete(ANNA, world.gmail_id(mail))
    world.sync(ANNA)
    [entry] = world.timeline()
    assert [kept.readers for kept in entry.messages.values()] == [("u-ben:full",)]


def test_an_address_on_two_contacts_gets_the_mail_on_both() -> None:
    world = mail_world()
    world.contact(CARL, contact_id="c-twin")
    world.arrives(subject="Who am I?")
    world.sync()
    assert world.subjects("c-carl") == world.subjects("c-twin") == ["Who am I?"]


def test_plus_addresses_match_their_contact() -> None:
    world = mail_world()
    world.arrives(sender="carl+news@customer.example", subject="Tagged")
    world.sync()
    assert world.subjects() == ["Tagged"]


def test_a_bcc_copy_stays_with_its_holder() -> None:
    world = mail_world()
    world.options(BEN, own_record=True)
    world.sends(ANNA, to=CARL, bcc=[BEN], subject="Between us")
    world.sync(ANNA)
    world.sync(BEN)
    [entry] = world.timeline()
    [message] = entry.messages.values()
    assert message.readers == ("u-anna:full",)
    assert [kept.subject for own in world.own_record("u-ben") for kept in own.messages.values()] == ["Between us"]


def test_a_bcc_copy_is_unmatched_where_its_holder_keeps_no_own_record() -> None:
    world = mail_world()
    mail = world.sends(ANNA, to=CARL, bcc=[BEN], subject="Between us")
    world.sync(BEN)
    assert rule_of(world, mail, BEN) is Rule.NO_MATCH
    assert world.timeline() == []


def test_mail_of_contacts_one_may_not_see_is_left_out() -> None:
    world = mail_world(contacts=())
    world.contact(CARL, owner_id="u-ben")
    mail = world.arrives()
    world.sync()
    assert rule_of(world, mail) is Rule.NO_ACCESS


def test_a_late_parent_joins_its_reply() -> None:
    world = mail_world()
    world.arrives(subject="Re: Start", message_id="b@x", in_reply_to="a@x", references=["a@x"])
    world.sync()
    world.arrives(subject="Start", message_id="a@x")
    world.sync()
    assert len(world.timeline()) == 1


def test_a_message_that_touches_two_conversations_joins_them() -> None:
    world = mail_world()
    world.arrives(subject="Old", message_id="old@x")
    world.time.advance(60)
    world.arrives(subject="Re: Mid", message_id="c@x", in_reply_to="mid@x", references=["mid@x"])
    world.sync()
    assert len(world.timeline()) == 2
    world.time.advance(60)
    world.arrives(subject="Mid", message_id="mid@x", in_reply_to="old@x", references=["old@x"])
    world.sync()
    [entry] = world.timeline()
    assert sorted(kept.subject for kept in entry.messages.values()) == ["Mid", "Old", "Re: Mid"]


def test_a_forged_message_id_does_not_hide_the_real_mail() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.arrives(sender=DORA, subject="Forged", message_id="same@x")
    world.sync()
    world.arrives(sender=CARL, subject="Real", message_id="same@x")
    world.sync()
    assert world.subjects("c-carl") == ["Real"]
    assert world.subjects("c-dora") == ["Forged"]


def test_three_of_one_thread_are_read_through_it() -> None:
    world = mail_world()
    first = world.arrives(subject="T", message_id="1@x")
    for number in (2, 3):
        world.arrives(subject="Re: T", message_id=f"{number}@x", in_reply_to=first, references=[first])
    world.sync()
    calls = world.box(ANNA).calls
    assert (calls["thread_headers"], calls["thread"], calls["headers"], calls["message"]) == (1, 1, 0, 0)
    assert world.timeline()[0].count == 3


def test_an_unreadable_message_is_parked_and_the_next_one_is_logged() -> None:
    world = mail_world()
    bad = world.arrives(subject="Broken")
    world.arrives(subject="Fine")
    world.box(ANNA).unreadable.add(world.gmail_id(bad))
    world.sync()
    assert state_of(world, bad) is State.QUARANTINED
    assert world.subjects() == ["Fine"]


def test_metadata_sharing_shows_colleagues_neither_subject_nor_text() -> None:
    world = mail_world()
    world.options(share=Share.METADATA)
    world.arrives(subject="Private", text="body")
    world.sync()
    [entry] = world.timeline()
    ben = Users(world.store).get("u-ben").viewer
    anna = Users(world.store).get("u-anna").viewer
    [seen_by_ben] = visible(entry, ben).messages.values()  # type: ignore[union-attr]
    [seen_by_anna] = visible(entry, anna).messages.values()  # type: ignore[union-attr]
    assert (seen_by_ben.subject, seen_by_ben.snippet, seen_by_ben.sender) == ("", "", CARL)
    assert (seen_by_anna.subject, seen_by_anna.snippet) == ("Private", "body")


def test_the_receipt_balances() -> None:
    world = mail_world()
    world.arrives(subject="One")
    world.arrives(sender="eve@stranger.example")
    world.arrives(labels=("SPAM",))
    world.sync()
    receipt = read_receipt(world.store, mailbox_id(ANNA), world.clock)
    assert receipt.balanced
    assert (receipt.listed, receipt.logged, receipt.unexplained, receipt.waiting) == (3, 1, 0, 0)


def test_a_reply_and_its_parent_posted_at_the_same_moment_become_one_conversation() -> None:
    """Neither worker sees the other's message: the reply knows only its parent, and the parent only its grandparent."""
    world = mail_world()
    world.arrives(subject="A", message_id="a@x")
    world.sync()
    world.time.advance(60)
    world.arrives(subject="Re: B", message_id="c@x", in_reply_to="b@x", references=["b@x"])
    world.arrives(subject="Re: A", message_id="b@x", in_reply_to="a@x", references=["a@x"])
    world.sync_alone()
    reply, parent = world.queue.due("message-ingest")
    commit = world.memory.commit

    def parent_first(writes: Sequence[Write]) -> list[Version]:
        """The other worker has read what it needs; now this one commits before it."""
        world.memory.commit = commit  # type: ignore[method-assign]  # once
        world.run(parent)
        return commit(writes)

    world.memory.commit = parent_first  # type: ignore[method-assign]  # the race of this story
    world.run(reply)
    assert len(world.timeline()) == 2
    world.drain()
    [entry] = world.timeline()
    assert sorted(kept.subject for kept in entry.messages.values()) == ["A", "Re: A", "Re: B"]
