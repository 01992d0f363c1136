"""The product reads the sample company, and every copy of every message becomes what the sample says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.google.gmail.controls import controls_of
from local.sample.model import ControlCall, MeetingOutcome, Outcome
from shared.domain.backfill import window_start
from shared.domain.calendar.rules import Busy, EventDecision, Matched, decide_event
from shared.domain.ledger import Rule, State
from shared.domain.mail_rules import Holder, LeftOut
from shared.domain.mailbox import mailbox_id
from shared.domain.message import LoggedMessage
from shared.providers.google.calendar import event_from_google
from shared.records.mail import Timelines, contact_owner
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts
from shared.records.seen import Seen
from shared.usecases.calendar.decide_events import look_up_people
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.read_receipt import read_receipt
from tests.local.sample.world import MONDAY, SampleWorld, sample_world

NORA, TOMAS, MAYA = "nora@birchline.example", "tomas@birchline.example", "maya@birchline.example"

Found = tuple[Outcome | str, Rule | None, tuple[str, ...]]


@pytest.fixture(scope="module")
def world() -> SampleWorld:
    """After the import; tests of this module only look."""
    world = sample_world()
    world.import_contacts()
    world.fill()
    world.backfill()
    return world


def found(world: SampleWorld, address: str, key: str) -> Found:
    """What the ledger and the records say of one copy, in the sample's words."""
    row = world.row(address, key)
    if row is None:
        return Outcome.UNLISTED, None, ()
    if row.state is State.LEFT_OUT:
        return Outcome.LEFT_OUT, row.rule, ()
    if row.state is not State.LOGGED:
        return row.state.value, None, ()
    [user] = [user for user in world.sample.users if user.email == address]
    contacts = tuple(world.contacts_on(world.message(row, user)))
    return Outcome.OWN_RECORD if row.own_record else Outcome.LOGGED, None, contacts


@pytest.mark.parametrize("address", [NORA, TOMAS, MAYA])
def test_every_copy_becomes_what_the_sample_expects(world: SampleWorld, address: str) -> None:
    expected = {one.key: (one.outcome, one.rule, tuple(sorted(one.contacts))) for one in world.expected_in(address)}
    assert {key: found(world, address, key) for key in expected} == expected


@pytest.mark.parametrize("address", [NORA, TOMAS, MAYA])
def test_receipts_balance_and_nothing_is_unexplained(world: SampleWorld, address: str) -> None:
    receipt = read_receipt(world.store, mailbox_id(address), world.clock)
    expected = world.expected_in(address)
    assert receipt.balanced
    assert (receipt.waiting, receipt.unexplained, receipt.quarantined) == (0, 0, 0)
    assert receipt.listed == sum(one.outcome is not Outcome.UNLISTED for one in expected)
    assert sum(receipt.left_out.values()) == sum(one.outcome is Outcome.LEFT_OUT for one in expected)


@pytest.mark.parametrize("address", [NORA, TOMAS, MAYA])
def test_the_audit_finds_nothing_missing(world: SampleWorld, address: str) -> None:
    now = world.clock.now()
    result = audit_mailbox(world.served(address), after=window_start(now, 6), before=now)
    assert (result.missing, result.vanished) == (0, 0)


def test_contacts_come_from_the_file_and_from_a_persons_hand() -> None:
    world = sample_world()
    result = world.import_contacts()
    assert (result.new, result.errors) == (15, ())
    assert len(Contacts(world.store).page(after=None, limit=100)) == 16


def test_a_conversation_is_one_entry_on_the_timeline(world: SampleWorld) -> None:
    entries = timeline(world, "aino.virtanen@kallio-library.example")
    [rooms] = [entry for entry in entries if any("Quiet rooms for the second floor" in subject for subject in entry)]
    assert len(rooms) == 6, "all from the first question to the order, whoever held them"


def test_a_parent_that_comes_late_and_trimmed_references_still_make_one_conversation(world: SampleWorld) -> None:
    entries = timeline(world, "aino.virtanen@kallio-library.example")
    [chairs] = [entry for entry in entries if any("Chairs" in subject for subject in entry)]
    assert len(chairs) == 3


def test_an_id_that_two_senders_use_hides_neither_mail(world: SampleWorld) -> None:
    real, other = (world.row(MAYA, f"coppergate-reused-id/{name}") for name in ("real", "other"))
    assert real is not None
    assert other is not None
    assert real.message_key == other.message_key
    assert real.message_id != other.message_id


def test_a_message_without_an_id_is_one_row_for_two_holders(world: SampleWorld) -> None:
    rows = [world.row(address, "coppergate-missing-id/m1") for address in (MAYA, NORA)]
    assert rows[0] is not None
    assert rows[1] is not None
    assert rows[0].message_id == rows[1].message_id


READABLE = {
    ("hafenkante-ausschreibung/m3", MAYA): "Farbe: „Nordseegrau“",
    ("hafenkante-latin1/m1", MAYA): "die drei Grautöne sind da",
    ("hafenkante-latin1/m2", MAYA): "Müssen die Segel dann auch 4 cm höher?",
    ("mizunami-first/m1", NORA): "渋谷の会議室（六室）",
    ("mizunami-first/m3", NORA): "壁はコンクリート",
    ("redwater-deep/m1", NORA): "thirty mail gateways",
    ("redwater-deep/m2", NORA): "page 3 is about us",
    ("coppergate-missing-id/m4", MAYA): "Could the café corner get panels, too?",
}


@pytest.mark.parametrize(("key", "address"), READABLE)
def test_texts_are_readable_whatever_their_charset_and_wrapping(world: SampleWorld, key: str, address: str) -> None:
    assert READABLE[key, address] in (text_of(world, address, key))


def test_headers_are_readable_split_encoded_or_raw(world: SampleWorld) -> None:
    assert logged(world, NORA, "mizunami-first/m3").subject == "ありがとうございます、見積を確認しました"
    raw = logged(world, MAYA, "hafenkante-latin1/m2")
    assert raw.subject == "Müssen wir die Segel höher hängen?"
    assert raw.from_ is not None
    assert raw.from_.name == "Jürgen Weiß"


@pytest.mark.parametrize(
    ("key", "address", "history"),
    [
        ("kallio-quiet-room/order", NORA, "fuse box"),
        ("coppergate-phone-booths/home", MAYA, "bigger desk needs"),
        ("hafenkante-ausschreibung/m2", MAYA, "Großraum"),
    ],
)
def test_quoted_history_and_signatures_fold_away(world: SampleWorld, key: str, address: str, history: str) -> None:
    message = logged(world, address, key)
    assert history in text_of(world, address, key) or history in message.subject
    assert history not in message.snippet
    assert "wrote:" not in message.snippet


def test_hostile_html_loses_its_teeth_and_remote_images_wait(world: SampleWorld) -> None:
    html = logged(world, MAYA, "lumiere-salon/m3").html
    assert html is not None
    for tooth in ("<script", "onclick", "javascript:", "<iframe", "<form", "evil.example", "@import"):
        assert tooth not in html
    assert ' src="https://' not in html
    assert "survécu" in html


def test_inline_images_are_told_from_attachments(world: SampleWorld) -> None:
    [image] = logged(world, TOMAS, "atlantico-noise-again/m1").attachments
    assert (image.filename, image.inline, image.content_id) == ("peixe.png", True, "peixe.png")


def test_beyond_two_hundred_recipients_nobody_is_looked_up(world: SampleWorld) -> None:
    message = logged(world, TOMAS, "atlantico-circular/m1")
    assert message.participants_truncated
    assert world.contacts_on(message) == ["ines.carvalho@colegio-atlantico.example"]


def test_a_bcc_copy_lies_in_its_holders_own_record_alone(world: SampleWorld) -> None:
    row = world.row(MAYA, "kallio-praise/m1")
    assert row is not None
    assert row.own_record
    assert "u-maya:full" not in logged(world, NORA, "kallio-praise/m1").readers


def test_one_that_gmail_garbles_waits_in_quarantine_and_stops_nobody_else() -> None:
    world = sample_world()
    world.import_contacts()
    world.fill()
    garbled = world.gmail_ids[NORA, "kallio-reception/m1"]
    world.boxes[NORA].unreadable.add(garbled)
    world.backfill()
    row = world.row(NORA, "kallio-reception/m1")
    assert row is not None
    assert row.state is State.QUARANTINED
    receipt = read_receipt(world.store, mailbox_id(NORA), world.clock)
    assert (receipt.balanced, receipt.quarantined, receipt.unexplained) == (True, 1, 0)


def test_every_copy_of_every_meeting_is_decided_as_the_sample_expects(world: SampleWorld) -> None:
    for expected in world.sample.expected_meetings:
        decision = decided(world, expected.mailbox, expected.event_id)
        assert meeting_outcome(world, decision) == (expected.outcome, expected.rule, expected.contacts), expected.key


def test_the_scenes_mail_lands_where_it_says() -> None:
    world = sample_world()
    world.import_contacts()
    world.fill()
    world.backfill()
    controls = controls_of(world.gmail, Path())
    for step in world.sample.scene:
        for call in step.calls:
            if call.service == "gmail":
                controls[call.action](with_id(world, call))
                world.sync(call.body["email"])
        for address, outcome in step.outcomes.items():
            assert step.message_id is not None
            assert outcome_in(world, address, step.message_id) is outcome, step.name
    trashed = world.row(NORA, "kallio-sanna-event/m1")
    assert trashed is not None
    assert trashed.state is State.GONE


# -------------------------------------------------------------------------------------------------------- what is where


def timeline(world: SampleWorld, email: str) -> list[list[str]]:
    """Subjects by conversation."""
    [stored] = [kept for kept in Contacts(world.store).page(after=None, limit=100) if kept.contact.emails[0] == email]
    entries = Timelines(world.store).page(contact_owner(stored.contact.contact_id), before=None, limit=100)
    return [[message.subject for message in entry.messages.values()] for entry in entries]


def logged(world: SampleWorld, address: str, key: str) -> LoggedMessage:
    row = world.row(address, key)
    assert row is not None
    [user] = [user for user in world.sample.users if user.email == address]
    return world.message(row, user)


def text_of(world: SampleWorld, address: str, key: str) -> str:
    text = logged(world, address, key).text
    assert text is not None
    return text


def with_id(world: SampleWorld, call: ControlCall) -> dict[str, Any]:
    """The call's body, with the Gmail id where it means a message."""
    body = dict(call.body)
    if call.message_id:
        body["id"] = gmail_id(world, body["email"], call.message_id)
    return body


def gmail_id(world: SampleWorld, address: str, message_id: str) -> str:
    [found] = [one.id for one in world.gmail.mailbox(address).messages.values() if one.rfc822_id == message_id]
    return found


def outcome_in(world: SampleWorld, address: str, message_id: str) -> Outcome:
    row = Seen(world.store, mailbox_id(address)).get(gmail_id(world, address, message_id))
    assert row is not None
    assert row.value.state is State.LOGGED
    return Outcome.OWN_RECORD if row.value.own_record else Outcome.LOGGED


def decided(world: SampleWorld, address: str, event_id: str) -> EventDecision:
    [stated] = [event for event in world.sample.events[address] if event["id"] == event_id]
    [user] = [user for user in world.sample.users if user.email == address]
    stated = {**stated, "organizer": {**stated["organizer"], "self": stated["organizer"]["email"] in user.addresses}}
    event = event_from_google(stated, default_zone=user.zone)
    mailbox = Mailboxes(world.store).get(mailbox_id(address)).value
    organization = Organizations(world.store).get()
    lookup = look_up_people(world.store, organization, [event])
    holder = Holder(mailbox.viewer, mailbox.own, mailbox.options)
    return decide_event(event, holder, organization, lookup, since=window_start(MONDAY, 6))


def meeting_outcome(world: SampleWorld, decision: EventDecision) -> tuple[MeetingOutcome, Rule | None, tuple[str, ...]]:
    if isinstance(decision, LeftOut):
        return MeetingOutcome.LEFT_OUT, decision.rule, ()
    if isinstance(decision, Busy):
        return MeetingOutcome.BUSY, None, ()
    assert isinstance(decision, Matched)
    contacts = {
        stored.contact.contact_id: stored.contact for stored in Contacts(world.store).get_all(list(decision.contacts))
    }
    return MeetingOutcome.LOGGED, None, tuple(contacts[id_].emails[0] for id_ in decision.contacts)
