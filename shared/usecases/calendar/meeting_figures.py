"""Last and next meeting, and how many in 30 days, of a contact, a company or a user: derived, never counted up (R5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.calendar.meeting import Occurrence, visible_occurrence
from shared.domain.people import Viewer
from shared.domain.values import dataclass
from shared.ports.time import Clock
from shared.records.calendar import Events, Side
from shared.records.store import TenantStore

WINDOW = timedelta(days=30)

ROWS_OPENED = 200


@dataclass(frozen=True, slots=True)
class MeetingFigures:
    """A meeting that is under way is the last one. Times are aware UTC, None where there is none."""

    last_meeting_at: datetime | None
    next_meeting_at: datetime | None
    meetings_30_days: int


def meeting_figures(store: TenantStore, side: Side, id_: str, clock: Clock) -> MeetingFigures:
    """Two queries and a count. Where a series is expanded up to the horizon, so is what is "next"."""
    events, now = Events(store), clock.now()
    last, following = events.last_before(side, id_, now), events.next_after(side, id_, now)
    return MeetingFigures(
        last_meeting_at=last.start_at if last else None,
        next_meeting_at=following.start_at if following else None,
        meetings_30_days=events.count_between(side, id_, now - WINDOW, now),
    )


def meetings_counted(store: TenantStore, side: Side, id_: str, viewer: Viewer, clock: Clock) -> list[Occurrence]:
    """The very rows `meetings_30_days` counted, newest first, up to 200, as the viewer may read them.

    Whether the viewer may see the contact, company or user at all is decided before.
    """
    now = clock.now()
    rows = Events(store).between(side, id_, now - WINDOW, now, ROWS_OPENED)
    return [shown for row in rows if (shown := visible_occurrence(row, viewer))]
