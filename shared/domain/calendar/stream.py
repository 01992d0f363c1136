"""How far one calendar was read: its sync token, its generation, and the channel that tells of changes (I16, G29)."""

from __future__ import annotations

import hmac
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.ids import digest
from shared.domain.lease import Lease
from shared.domain.values import dataclass

PAGE_LIVES = timedelta(hours=1)
"""An interval that was begun longer ago is read from its start: page tokens do not live for ever."""

RENEW_BEFORE_END = timedelta(days=2)
"""A channel lasts seven days; replacing it early leaves time for an outage."""

HELD_ABOVE_ROWS = 20
HELD_ABOVE_FRACTION = 0.05
HELD_IF_ALL_OF = 5


class Verdict(StrEnum):
    """What to do about rows that a complete generation lacks. weigh: nobody has judged yet."""

    WEIGH = "weigh"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Absence:
    """A complete generation is compared with the rows: those older than `generation` are absent from the calendar."""

    generation: int
    verdict: Verdict = Verdict.WEIGH


def held_for_a_person(absent: int, live: int) -> bool:
    """Whether so many of the live rows are absent that a person must say yes first (G27, I17)."""
    if absent == live and live >= HELD_IF_ALL_OF:
        return True
    return absent > HELD_ABOVE_ROWS and absent > live * HELD_ABOVE_FRACTION


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel for change notices. resource_id, expires_at: as the vendor told; None until it did. The resource is the
    calendar: it has the same id on every channel."""

    channel_id: str
    token_digest: str
    opened_at: datetime
    resource_id: str | None = None
    expires_at: datetime | None = None

    def proven_by(self, notice: ChannelNotice) -> bool:
        """Constant time in the token. A channel whose opening was not answered yet knows no resource to compare."""
        if self.resource_id is not None and self.resource_id != notice.resource_id:
            return False
        return hmac.compare_digest(self.token_digest, token_digest(notice.token))


def token_digest(token: str) -> str:
    """What is kept of a channel's token: it is 32 random bytes, so a plain hash tells nobody anything."""
    return digest("channel-token", token)


@dataclass(frozen=True, slots=True)
class CalendarStream:
    """How far one calendar of one mailbox was read.

    since: pinned for all generations, so that what one of them lacks is gone and not merely out of its window.
    generation: the one being read, or the last complete one. sync_token: None while a generation is being read whole.
    page, begun_at: where the interval that is being read goes on, and when it was begun. read_at: begin of the last
    interval that was read to its end. absence: what is still to be done about a complete generation. closed: the vendor
    says that the calendar is gone, or ours no more.
    """

    stream_id: str
    calendar_id: str
    since: datetime
    generation: int = 1
    sync_token: str | None = None
    page: str | None = None
    begun_at: datetime | None = None
    read_at: datetime | None = None
    absence: Absence | None = None
    closed: bool = False
    lease: Lease = field(default_factory=Lease)

    def page_is_stale(self, now: datetime) -> bool:
        return self.page is not None and self.begun_at is not None and now - self.begun_at > PAGE_LIVES


@dataclass(frozen=True, slots=True)
class CalendarWatch:
    """What tells us of a calendar's changes. Beside the stream, because a renewal must not wait for a reading.

    opening: a channel whose opening was begun and not seen to end. orphans: earlier ones of these; they may run.
    watch_expires_at: of `channel`; None while none runs.
    """

    channel: Channel | None = None
    opening: Channel | None = None
    orphans: tuple[Channel, ...] = ()
    watch_expires_at: datetime | None = None

    def channel_named(self, channel_id: str) -> Channel | None:
        """The running channel of this id, or the one being opened: its first notice may come before its answer."""
        return next((kept for kept in (self.channel, self.opening) if kept and kept.channel_id == channel_id), None)

    def due(self, now: datetime) -> bool:
        """Whether a new channel is to be opened."""
        return self.watch_expires_at is None or self.watch_expires_at - now <= RENEW_BEFORE_END

    def begun(self, opening: Channel) -> CalendarWatch:
        """Before the call. What was being opened before and never seen to end may be running all the same."""
        left = (self.opening,) if self.opening else ()
        return replace(self, opening=opening, orphans=(*self.orphans, *left))

    def opened(self, resource_id: str, expires_at: datetime) -> CalendarWatch:
        """After it: the new channel takes the place of the old one."""
        if self.opening is None:
            raise ValueError("no channel is being opened")
        running = replace(self.opening, resource_id=resource_id, expires_at=expires_at)
        return CalendarWatch(channel=running, watch_expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class ChannelNotice:
    """What a vendor posts when a calendar changed: proof of the channel, and no word about what changed.

    number: grows from notice to notice of a channel, with gaps. opening: the channel's first notice, which tells that
    it works and nothing else.
    """

    channel_id: str
    token: str
    resource_id: str
    number: str
    opening: bool
