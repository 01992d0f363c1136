"""What is left out is left out before it is stored; what is private is busy and nothing else (G25, G28, I11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.domain.calendar.copy import CopyState, EventCopy, copy_id_of
from shared.domain.calendar.event import LinkedDocument
from shared.domain.ledger import Rule
from shared.domain.people import Contact, Role, Viewer
from shared.domain.settings import MailOptions, NeverLog, Share
from shared.domain.visibility import visible
from shared.records.mailboxes import Mailboxes
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.sync_calendar import sync_calendar
from tests.usecases.calendar.fake_calendar import at, event, instance
from tests.usecases.calendar.world import ANN, ANN_MAILBOX, ANN_STREAM, BEN, BEN_MAILBOX, CARLA, World

SECRET = "Zebra"
WHEN = at(2026, 3, 4, 10)


def put_secret(world: World, *guests: str, **fields: Any) -> None:
    plan = LinkedDocument(f"{SECRET} plan", f"https://drive.example/{SECRET}", "text/plain")
    given: dict[str, Any] = {"title": SECRET, "location": f"{SECRET} lounge", "documents": (plan,)}
    world.ann.put(event("secret", WHEN, *guests, **(given | fields)))


def the_copy(world: World) -> EventCopy:
    copy_id = copy_id_of(ANN_STREAM, "secret")
    return world.copies().get_all([copy_id])[copy_id]


def left_out_by(world: World) -> Rule | None:
    """The rule, once nothing of the event is found anywhere."""
    world.connect()
    assert SECRET not in world.words()
    assert world.timeline("carla") == []
    copy = the_copy(world)
    assert copy.state is CopyState.LEFT_OUT
    assert copy.event.times == WHEN
    return copy.rule


def test_a_private_event_is_kept_as_busy_only(world: World) -> None:
    put_secret(world, ANN, CARLA, private=True)
    world.connect()
    copy = the_copy(world)
    assert copy.state is CopyState.BUSY
    assert copy.event.times == WHEN
    assert (SECRET in world.words(), CARLA in repr(copy), world.timeline("carla")) == (False, False, [])


def test_an_event_that_becomes_private_disappears_from_everywhere(world: World) -> None:
    put_secret(world, ANN, CARLA)
    world.connect()
    assert world.titles() == [SECRET]
    put_secret(world, ANN, CARLA, private=True)
    world.read()
    assert world.titles() == []
    assert SECRET not in world.words()


def test_a_private_instance_hides_that_occurrence_alone(world: World) -> None:
    series = event("weekly", WHEN, CARLA, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",))
    world.ann.put(series)
    world.ann.put(instance(series, WHEN, WHEN, private=True, title=SECRET))
    world.connect()
    assert world.starts() == [at(2026, 3, 11, 10).start_at]
    assert SECRET not in world.words()


def test_one_holders_private_copy_hides_nobody_elses(world: World) -> None:
    """Ann keeps it private and stands in no reader list; Ben shares his copy."""
    meeting = event("joint", WHEN, ANN, BEN, CARLA)
    world.ann.put(replace(meeting, private=True))
    world.ben.put(replace(meeting, event_id="bens", organizer_is_self=False))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    (occurrence,) = world.events()
    assert occurrence.readers == ("ben:full",)
    assert occurrence.user_ids == ("ben",)


def test_internal_meetings_are_left_out(world: World) -> None:
    put_secret(world, ANN, BEN, "new@acme.example")
    assert left_out_by(world) is Rule.INTERNAL


def test_a_personal_list_leaves_out(world: World) -> None:
    options = MailOptions(never_log=NeverLog(addresses=frozenset({CARLA})))
    world.change_mailbox(options=options)
    put_secret(world, ANN, CARLA)
    assert left_out_by(world) is Rule.PERSONAL_NEVER_LOG


def test_the_organizations_list_leaves_out(world: World) -> None:
    world.change_organization(never_log=NeverLog(domains=frozenset({"client.example"})))
    put_secret(world, ANN, CARLA)
    assert left_out_by(world) is Rule.ORGANIZATION_NEVER_LOG


def test_a_meeting_called_by_neither_a_user_nor_a_contact_is_left_out(world: World) -> None:
    stranger = {"organizer": "someone@other.example", "creator": "someone@other.example", "organizer_is_self": False}
    put_secret(world, ANN, CARLA, **stranger)
    assert left_out_by(world) is Rule.SENDER_UNKNOWN


def test_a_meeting_in_a_shared_calendar_is_called_by_its_creator(world: World) -> None:
    put_secret(world, ANN, CARLA, organizer="", creator=BEN, organizer_is_self=False)
    world.connect()
    assert world.titles() == [SECRET]


def test_a_meeting_without_a_contact_is_left_out(world: World) -> None:
    put_secret(world, ANN, "someone@other.example")
    assert left_out_by(world) is Rule.NO_MATCH


def test_a_contact_its_holder_may_not_see_is_not_reached(world: World) -> None:
    """R15: Ben's contact is not Ann's to see, so her meeting with them is left out and not revealed."""
    world.add_contact(Contact("bo", "Bo", "Other", ("bo@other.example",), owner_id="ben"))
    put_secret(world, ANN, "bo@other.example")
    assert left_out_by(world) is Rule.NO_ACCESS


def test_a_contact_is_reached_through_the_holder_who_may_see_it(world: World) -> None:
    world.add_contact(Contact("bo", "Bo", "Other", ("bo@other.example",), owner_id="ben"))
    meeting = event("joint", WHEN, ANN, BEN, "bo@other.example", CARLA)
    world.ann.put(meeting)
    world.connect()
    assert world.titles("bo") == []

    world.ben.put(replace(meeting, event_id="bens", organizer_is_self=False))
    world.connect(BEN_MAILBOX)
    assert world.titles("bo") == ["About joint"]


def test_a_list_that_grew_since_holds_at_the_next_rebuild(world: World) -> None:
    put_secret(world, ANN, CARLA)
    world.connect()
    world.change_organization(never_log=NeverLog(domains=frozenset({"client.example"})))
    sync_calendar(world.served(), ANN_STREAM, cause=Cause.REREAD)
    world.drain()
    assert world.titles() == []
    assert SECRET not in world.words()


def test_how_much_a_holder_shares_decides_what_others_read(world: World) -> None:
    options = Mailboxes(world.store).get(ANN_MAILBOX).value.options
    world.change_mailbox(options=replace(options, share=Share.METADATA))
    put_secret(world, ANN, CARLA)
    world.connect()
    (entry,) = world.timeline("carla")
    for viewer, title in ((Viewer("ann", Role.SALES_REP), SECRET), (Viewer("ben", Role.SALES_REP), "")):
        shown = visible(entry, viewer)
        assert shown is not None
        assert shown.meeting is not None
        assert shown.meeting.title == title
