"""Last and next meeting, and how many in 30 days; and contacts whose addresses change (R5, R7)."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.matching import Known
from shared.domain.message import participant_key
from shared.domain.people import Role, Viewer
from shared.domain.settings import MailOptions, Share
from shared.records.addresses import Addresses
from shared.usecases.calendar.meeting_figures import MeetingFigures, meeting_figures, meetings_counted
from shared.usecases.calendar.rematch_meetings import rebuild_meetings_of, rematch_meetings, reread_calendars
from tests.usecases.calendar.fake_calendar import at, event
from tests.usecases.calendar.world import ANN, ANN_MAILBOX, CARLA, DAN, INDEX_KEY, World


def test_figures_of_contact_company_and_user_follow_the_calendar(world: World) -> None:
    world.ann.put(event("long ago", at(2026, 1, 5, 10), CARLA))
    world.ann.put(event("recent", at(2026, 2, 20, 10), CARLA, DAN))
    world.ann.put(event("now", at(2026, 3, 2, 8, 30), CARLA))
    world.ann.put(event("soon", at(2026, 3, 9, 10), CARLA))
    world.connect()
    expected = MeetingFigures(datetime(2026, 3, 2, 8, 30, tzinfo=UTC), datetime(2026, 3, 9, 10, tzinfo=UTC), 2)
    assert meeting_figures(world.store, "contact_ids", "carla", world.clock) == expected
    assert meeting_figures(world.store, "company_ids", "client", world.clock) == expected
    assert meeting_figures(world.store, "user_ids", "ann", world.clock) == expected
    assert meeting_figures(world.store, "user_ids", "ben", world.clock) == MeetingFigures(None, None, 0)

    world.ann.delete("now")
    world.read()
    figures = meeting_figures(world.store, "contact_ids", "carla", world.clock)
    assert figures.last_meeting_at == datetime(2026, 2, 20, 10, tzinfo=UTC)
    assert figures.meetings_30_days == 1


def test_a_count_opens_to_the_very_rows_it_counted(world: World) -> None:
    world.ann.put(event("series", at(2026, 2, 2, 10), CARLA, recurrence=("RRULE:FREQ=WEEKLY",)))
    world.connect()
    figures = meeting_figures(world.store, "contact_ids", "carla", world.clock)
    rows = meetings_counted(world.store, "contact_ids", "carla", Viewer("ann", Role.SALES_REP), world.clock)
    assert [row.start_at.day for row in rows] == [23, 16, 9, 2]
    assert figures.meetings_30_days == len(rows)


def test_opened_rows_show_as_much_as_their_holder_shares_now(world: World) -> None:
    world.ann.put(event("plan", at(2026, 2, 20, 10), CARLA, title="Plan", location="Room 1"))
    world.connect()
    seen = []
    for share in (Share.FULL, Share.SUBJECT, Share.METADATA):
        world.change_mailbox(options=MailOptions(share=share))
        assert rebuild_meetings_of(world.store, ANN_MAILBOX, cause=share.value, tasks=world.tasks) == 1
        world.drain()
        for user in ("ann", "ben"):
            viewer = Viewer(user, Role.SALES_REP)
            (row,) = meetings_counted(world.store, "contact_ids", "carla", viewer, world.clock)
            seen.append((user, row.title, row.location, row.readers))
    assert [row for row in seen if row[0] == "ann"] == [("ann", "Plan", "Room 1", ())] * 3
    assert [row[1:3] for row in seen if row[0] == "ben"] == [("Plan", "Room 1"), ("Plan", ""), ("", "")]


def test_time_alone_turns_the_next_meeting_into_the_last(world: World) -> None:
    world.ann.put(event("soon", at(2026, 3, 2, 10), CARLA))
    world.connect()
    world.clock.advance(2 * 3600)
    figures = meeting_figures(world.store, "contact_ids", "carla", world.clock)
    assert (figures.last_meeting_at, figures.next_meeting_at) == (datetime(2026, 3, 2, 10, tzinfo=UTC), None)


def test_an_address_that_moves_to_another_contact_takes_its_meetings_along(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), ANN, CARLA))
    world.connect()
    addresses = Addresses(world.store, INDEX_KEY)
    old, new = Known(CARLA, "contact", "carla", None, ("client",)), Known(CARLA, "contact", "dan")
    world.store.commit([addresses.removing(old), addresses.adding(new)])

    assert rematch_meetings(world.store, keys(CARLA), cause="merge-1", tasks=world.tasks) == 1
    world.drain()
    assert (world.titles("carla"), world.titles("dan")) == ([], ["About intro"])


def test_a_new_address_finds_meetings_that_were_left_out_by_one_reread(world: World) -> None:
    world.ann.put(event("intro", at(2026, 3, 4, 10), ANN, "new@other.example"))
    world.connect()
    addresses = Addresses(world.store, INDEX_KEY)
    world.store.commit([addresses.adding(Known("new@other.example", "contact", "dan"))])
    assert rematch_meetings(world.store, keys("new@other.example"), cause="edit-1", tasks=world.tasks) == 0
    assert reread_calendars(world.store, tasks=world.tasks, clock=world.clock) == 1
    world.clock.advance(120)
    world.drain()
    assert world.titles("dan") == ["About intro"]


def keys(*addresses: str) -> list[str]:
    return [participant_key(INDEX_KEY, address) for address in addresses]
